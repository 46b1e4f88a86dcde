"""Configs that are wrong: each ends in a message that names the key, or is one that works."""

import json
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml
from snakemake.common.configfile import load_configfile
from snakemake.exceptions import WorkflowError

from fleeting.config.loading import check_keys, load
from fleeting.errors import UserError

ROOT = Path(__file__).parents[1]
PAPER = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
DATABASE = "databases: {samm: {root: data/SAMM}}\n"
LAUGHS = "".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]\n" for n in range(1, 10))
BLOCKS = "".join(
    f"l{n}: &l{n} {{{', '.join(f'{letter}: *l{n - 1}' for letter in 'abcdefghi')}}}\n"
    for n in range(1, 10)
)

#: A file's text, and what is said of it.
FILES = {
    "no_yaml": ("databases: [", "not valid JSON or YAML"),
    "tabs": ("databases:\n\tsamm: x", "not valid JSON or YAML"),
    "empty": ("", "keys at top level"),
    "only_a_comment": ("# nothing\n", "keys at top level"),
    "list": ("- databases\n", "keys at top level"),
    "word": ("databases", "keys at top level"),
    "two_documents": (DATABASE + "---\n" + DATABASE, "not valid JSON or YAML"),
    "unknown_anchor": ("databases: *nowhere", "not valid JSON or YAML"),
    "code": ("results: !!python/object/apply:os.system ['touch pwned']", "not valid JSON or YAML"),
    "object": ("results: !!python/object:pathlib.Path {}", "not valid JSON or YAML"),
    "function": (DATABASE + "results: !!python/name:os.system\n", "results: .*cannot be used"),
    "tuple": (DATABASE + "results: !!python/tuple [a]\n", "results: .*cannot be used"),
    "bytes": (DATABASE + "results: !!binary YWJj\n", "results: .*cannot be used"),
    "set": (DATABASE + "crops: !!set {paper}\n", "crops: .*cannot be used"),
    "billion_laughs": ("l0: &l0 [lol]\n" + LAUGHS + DATABASE, "more than 100000 values"),
    "billion_laughs_of_blocks": ("l0: &l0 {a: b}\n" + BLOCKS + DATABASE, "100000 values"),
    "anchor_of_itself": (DATABASE + "crops: &a {paper: *a}\n", "more than 20 levels"),
    "list_of_itself": (DATABASE + "show_faces: &a [*a]\n", "more than 20 levels"),
    "deep": (DATABASE + f"crops: {'[' * 60}{']' * 60}\n", "more than 20 levels"),
    "key_twice": (DATABASE + DATABASE, "line 1 and below: the key 'databases' appears 2 times"),
    "key_twice_inside": (
        "databases:\n  samm: {root: a}\n  samm: {root: b}\n",
        "line 2 and below: the key 'samm' appears 2 times",
    ),
    "key_twice_in_a_list": (
        DATABASE + "show_faces: [{a: 1, a: 2}]\n",
        "line 2 and below: the key 'a' appears 2 times",
    ),
    "key_twice_quoted": (
        "databases: {samm: {root: a, 'root': b}}",
        "the key 'root' appears 2 times",
    ),
    "key_twice_in_json": ('{"databases": {}, "databases": {"samm": 1}}', "'databases' appears 2"),
    "number_as_key": (DATABASE + "1: x\n", "unknown key 1;"),
    "date_as_key": (DATABASE + "2019-01-01: x\n", "unknown key"),
    "true_as_key": (DATABASE + "on: x\n", "unknown key True;"),
    "none_as_key": (DATABASE + "~: x\n", "unknown key None"),
    "number_as_experiment": (
        DATABASE + "experiments: {1: {}}\n",
        "experiments.1: 1 should be a valid string",
    ),
    "number_as_label": (
        DATABASE + "experiments: {e: {label_map: {1: [a], b: [c]}}}\n",
        "experiments.e.label_map.1: 1 should be a valid string",
    ),
    "number_as_subjects": (
        DATABASE + "synthetic: {subjects: {1: 2, samm: 2}}",
        "subjects.1: 1 should be a valid string",
    ),
    "path_in_json": ('{"databases": {"samm": {"root": "a\\nb"}}}', "databases.samm.root"),
}
ALONE = "for the results alone"
PATH = "is not a path without braces"
MARKS = "must not hold braces"
#: Values for a key, and what is said of them.
VALUES: dict[str, tuple[str, Any, str]] = {
    **{
        f"results_{name}": ("results", value, f"results: .*{reason}")
        for name, (value, reason) in {
            "root": ("/", ALONE),
            "roots": ("//", ALONE),
            "here": (".", ALONE),
            "here_again": ("a/..", ALONE),
            "above": ("..", ALONE),
            "far_above": ("a/../../..", ALONE),
            "home": ("~", ALONE),
            "below_home": ("~/results", ALONE),
            "empty": ("", PATH),
            "line_break": ("a\nb", PATH),
            "line_break_at_the_end": ("results\n", PATH),
            "nul": ("a\0b", PATH),
            "escape": ("a\x1b[31m", PATH),
            "wildcard": ("{wildcard}", PATH),
            "snakemakes": ("<logs>/x", PATH),
            "among_the_code": ("workflow/results", "workflow, which is the project's"),
            "among_snakemakes": (".snakemake", "snakemake, which is the project's"),
            "number": (1, "should be a valid string"),
            "none": (None, "should be a valid string"),
            "list": (["a"], "should be a valid string"),
        }.items()
    },
    "results_in_a_database": ("results", "databases/SAMM/results", "contains the results folder"),
    "results_a_database": ("results", "databases/SAMM", "lies in the results folder"),
    "results_above_the_databases": ("results", "databases", "lies in the results folder"),
    **{
        f"root_{name}": ("databases.samm.root", value, f"databases.samm.*{reason}")
        for name, (value, reason) in {
            "empty": ("", "contains the results folder"),
            "wildcard": ("{x}", MARKS),
            "markup": ("a</script>", MARKS),
            "line_break": ("a\n", MARKS),
            "nul": ("a\0", MARKS),
            "number": (5, "is not a valid path"),
            "list": ([], "is not a valid path"),
            "same_as_another": ("databases/CASME", "overlap"),
            "inside_another": ("databases/CASME/x/../y", "overlap"),
            "around_the_others": ("databases", "overlap"),
            "everything": ("/", "overlap"),
            "absolute_and_inside": (str(Path.cwd() / "databases/CASME/a"), "overlap"),
            "among_the_results": ("results/faces/paper", "lies in the results folder"),
        }.items()
    },
    **{
        f"experiment_{name}": ("experiments", {value: {}}, r"experiments\.(.|\n)* is not a name")
        for name, value in {
            "up": "..",
            "slash": "a/b",
            "quotes": "it's",
            "command": "$(touch pwned)",
            "line_break": "paper\n",
            "markup": "<script>",
            "empty": "",
            "capital": "Paper",
            "umlaut": "päper",
            "101_signs": "a" * 101,
        }.items()
    },
    **{
        f"crop_{name}": ("crops", {value: {}}, r"crops\.(.|\n)* is not a name")
        for name, value in {"up": "..", "line_break": "paper\n", "dot": "a.b"}.items()
    },
    **{
        f"label_{name}": (
            "experiments.paper.label_map",
            {value: ["a"], "b": ["c"]},
            r"label_map\.(.|\n)* is not a name",
        )
        for name, value in {"up": "../x", "line_break": "a\n", "markup": "<b>"}.items()
    },
    **{
        f"rate_{name}": ("experiments.paper.grid.lrs", [value], r"grid\.lrs\.0: .*write a rate")
        for name, value in {
            "line_break": "1e-03\n",
            "number": 0.001,
            "command": "$(x)",
            "zero": "0e-03",
            "long": "1." + "1" * 100 + "e-03",
        }.items()
    },
    "experiment_zero": ("experiments.paper", 0, "experiments.paper: 0 is not a block of keys"),
    "experiment_list": ("experiments.paper", [], r"experiments.paper: \[\] is not a block of keys"),
    "experiment_on_a_list": (
        "experiments",
        {"a": [1], "b": {"based_on": "a"}},
        r"experiments.a: \[1\] is not a block of keys",
    ),
    "experiments_in_a_chain": (
        "experiments",
        {f"e{n}": {"based_on": f"e{n + 1}"} for n in range(2000)} | {"e2000": {}},
        "chain of more than 20 experiments",
    ),
    "faces_of_a_file": ("show_faces", ["../../etc/passwd"], "show_faces: .* such as samm/006"),
    "faces_markup": ("show_faces", ["samm/<b>"], "show_faces: .* such as samm/006"),
    "faces_line_break": ("show_faces", ["samm/006\n"], "show_faces: .* such as samm/006"),
    "weights_wildcard": ("experiments.paper.recipe.weights", "{lr}.pt", "is not "),
    "weights_open_brace": ("experiments.paper.recipe.weights", "{model", "is not "),
    "weights_snakemakes": ("experiments.paper.recipe.weights", "<b>.pt", "is not "),
    "weights_nul": ("experiments.paper.recipe.weights", "a\0", "is not "),
    "detector_weights_empty": ("crops.paper.detector.weights", "", "is not a path"),
    "detector_in_a_file": ("crops.paper.detector.kind", "../blazeface", "no detector is called"),
    "model_in_a_file": ("experiments.paper.grid.models", ["../x"], "grid.models.0: .*not a name"),
    "results_too_long": ("results", "a/" + "ü" * 200, "results: .*too long for a path"),
    "root_too_long": ("databases.casme.root", "a/" * 500, "casme.root: .*too long for a path"),
    "weights_too_long": ("experiments.paper.recipe.weights", "x" * 300, "weights: .*too long"),
    "detector_too_long": ("crops.paper.detector.weights", "x" * 300, "weights: .*too long"),
    "results_no_unicode": ("results", "a\ud800", "results: .*valid string"),
    "seed_huge": ("experiments.paper.recipe.seed", 2**32, "recipe.seed: .*less than"),
    "repeats_huge": ("experiments.paper.grid.repeats", 10**12, "grid.repeats: .*less than"),
    "emotion_of_a_million_signs": (
        "experiments.paper.label_map.tense",
        ["X" * 1_000_000],
        "write 'XXXX",
    ),
}
WRONG: list[Any] = [
    *(None, True, -1, 0, 2.5, 10**30, float("nan"), float("-inf"), "", "a\nb", "..", [], {}),
    *("x" * 5000, [[]], [None], {"a": None}, {1: 2}, "$(touch pwned)", "{x}"),
]


def leaves(block: dict[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every key of the paper's config, the blocks as well."""
    for key, value in block.items():
        yield (*above, key)
        if isinstance(value, dict):
            yield from leaves(value, (*above, key))


def changed(place: tuple[str, ...], value: Any) -> dict[str, Any]:
    config = deepcopy(PAPER)
    block = config
    for key in place[:-1]:
        block = block[key]
    block[place[-1]] = value
    return config


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """As Snakemake reads it, and then as the rules look at it."""
    text, reason = FILES[name]
    path = tmp_path / "config.yaml"
    path.write_text(text)
    monkeypatch.chdir(tmp_path)

    def read() -> None:
        config = load_configfile(path)
        check_keys(path)
        load(config)

    with pytest.raises((UserError, WorkflowError), match=reason):
        read()
    assert [entry.name for entry in tmp_path.iterdir()] == ["config.yaml"]


@pytest.mark.parametrize("name", VALUES)
def test_a_value_that_is_refused(name: str) -> None:
    place, value, reason = VALUES[name]
    with pytest.raises(UserError, match=reason) as error:
        load(changed(tuple(place.split(".")), value))
    assert len(str(error.value)) < 2000


@pytest.mark.parametrize("place", list(leaves(PAPER)), ids=".".join)
def test_any_value_is_named_or_works(place: tuple[str, ...]) -> None:
    refused = 0
    for value in WRONG:
        message = ""
        try:
            complete = load(changed(place, value))
        except UserError as error:
            message = str(error)
            refused += 1
        else:
            json.dumps(complete, sort_keys=True, allow_nan=False)
        assert not message or place[-1] in message or place[-2] in message, value
    assert refused > len(WRONG) / 2


@pytest.mark.parametrize("key", ["table", "frames"])
def test_synthetic_databases_never_replace_the_users_own(key: str) -> None:
    """The folder of frames is removed before it is drawn."""
    places = {
        "table": "results/databases/SAMM/SAMM.xlsx",
        "frames": "results/databases/SAMM/frames",
    }
    config = {"databases": {"samm": places}, "synthetic": {}}
    assert load(config)["synthetic"]["seed"] == 1
    places[key] = "/data/SAMM/frames"
    with pytest.raises(UserError, match=f"databases.samm.{key}: a synthetic database replaces"):
        load(config)


@pytest.mark.parametrize("path", ['it\'s a "name"', "$(touch pwned)", "a;b&c|d", "`x`#%^", "ü ä"])
def test_odd_names_of_folders_are_taken_as_they_are(path: str) -> None:
    config = load({"databases": {"samm": {"root": path}}, "results": f"out/{path}"})
    assert config["databases"]["samm"]["root"] == path
    assert config["results"] == f"out/{path}"


def test_anchors_and_merges_may_be_used(tmp_path: Path) -> None:
    text = "shared: &s {size: 32}\ncrops: {a: *s, b: {<<: *s, box: clip}}\n"
    (tmp_path / "a.yaml").write_text(text)
    check_keys(tmp_path / "a.yaml")
