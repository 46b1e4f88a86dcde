"""Configs that are wrong: each is refused with a line that names the key, or works."""

import json
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml
from snakemake.common.configfile import load_configfile
from snakemake.exceptions import WorkflowError

from fleeting.config.loading import load, read, refuse_repeated_keys
from fleeting.errors import UserError

ROOT = Path(__file__).parents[1]
PAPER = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
DATABASE = "databases: {samm: {root: data/SAMM}}\n"
LAUGHS = "".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]\n" for n in range(1, 10))

#: Texts of files, and a word of what is said of each.
FILES = [
    ("databases: [", "JSON or YAML"),
    ("databases:\n\tsamm: x", "JSON or YAML"),
    ("", "top level"),
    ("- databases\n", "top level"),
    (DATABASE + "---\n" + DATABASE, "JSON or YAML"),
    ("results: !!python/object/apply:os.system ['touch pwned']", "JSON or YAML"),
    (DATABASE + "results: !!python/name:os.system\n", "results"),
    (DATABASE + "crops: !!set {paper}\n", "crops"),
    ("l0: &l0 [lol]\n" + LAUGHS + DATABASE, "l9"),
    (DATABASE + "crops: &a {paper: *a}\n", "crops.paper"),
    (DATABASE + "show_faces: &a [*a]\n", "show_faces"),
    (DATABASE + DATABASE, "line 1 and below: the key 'databases'"),
    (DATABASE + "show_faces: [{a: 1, 'a': 2}]\n", "line 2 and below: the key 'a'"),
    ('{"databases": {}, "databases": {"samm": 1}}', "the key 'databases'"),
    (DATABASE + "1: x\n", "unknown key 1;"),
    (DATABASE + "2019-01-01: x\n", "unknown key"),
    (DATABASE + "on: x\n", "unknown key True;"),
    (DATABASE + "experiments: {1: {}}\n", "experiments.1"),
    (DATABASE + "synthetic: {subjects: {1: 2, samm: 2}}", "synthetic.subjects.1"),
]

P = "experiments.paper"
#: A key, its value, and a word of the line that refuses it and names the key.
VALUES: list[tuple[str, Any, str]] = [
    ("reslts", "x", "do you mean 'results'"),
    (f"{P}.recipe.optimiser.momentun", 0.9, "do you mean 'momentum'"),
    (f"{P}.recipe.optimiser.weight_decay", float("nan"), "nan"),
    (f"{P}.recipe.accumulation", 9, "a part needs two"),
    (f"{P}.recipe.seed", 2**32, "less than"),
    (f"{P}.grid.lrs", [0.001], "quoted string"),
    (f"{P}.grid.lrs", ["1e-3"], "quoted string"),
    (f"{P}.grid.lrs", ["1e-03\n"], "quoted string"),
    (f"{P}.grid.lrs", ["1e-03", "1.0e-03"], "the same rate"),
    (f"{P}.grid.models", ["resnet19"], "do you mean 'resnet"),
    (f"{P}.grid.models", ["vgg16", "vgg16"], "more than once"),
    (f"{P}.grid.models", ["../x"], "is not a name"),
    (f"{P}.grid.repeats", 0, "greater than"),
    (f"{P}.grid.repeats", 10**12, "less than"),
    (f"{P}.grid.repeats", 2.5, "integer"),
    (f"{P}.grid.repeats", True, "should be a number"),
    ("allow_missing", "no", "should be true or false"),
    (f"{P}.input", "none", "no input is called"),
    (f"{P}.metrics", ["uf2"], "do you mean 'uf1'"),
    (f"{P}.metrics", [], "at least 1"),
    (f"{P}.baselines", ["majorty"], "do you mean 'majority'"),
    (f"{P}.keep_models", "some", "'chosen'"),
    (f"{P}.label_map", {"a": ["x"], "b": ["x"]}, "both"),
    (f"{P}.label_map", {"a": ["X"], "b": ["y"]}, "lower case"),
    (f"{P}.label_map", {"a": ["x"]}, "1 entries, where at least 2"),
    (f"{P}.label_map", {"a\n": ["x"], "b": ["y"]}, "is not a name"),
    (f"{P}.protocol.validation", {"from": "surplus", "fraction": 0.2}, "unknown key"),
    (f"{P}.protocol", "leave_one_ot", "do you mean 'leave_one_out'"),
    (f"{P}.protocol.kind", "leave_one_out", "unknown key"),
    (f"{P}.exclude_subjects", ["smic/s1"], "not listed"),
    (f"{P}.exclude_subjects", ["s1"], "such as samm/006"),
    (f"{P}.based_on", "papier", "no experiment"),
    (f"{P}.based_on", "paper", "circular"),
    (P, 0, "a block"),
    (P, [], "a block"),
    ("experiments", {}, "0 entries, where at least 1"),
    ("experiments", {"a": [1], "b": {"based_on": "a"}}, "a block"),
    ("experiments.imagenet", {}, "reserved"),
    *(
        ("experiments", {name: {}}, "is not a name")
        for name in ("..", "a/b", "<b>", "A", "a" * 101)
    ),
    ("crops", {"a.b": {}}, "is not a name"),
    ("crops.paper.detector.kind", "../blazeface", "no detector is called"),
    ("crops.paper.detector.swap_rb", True, "unknown key"),
    ("crops.paper.detector", "opencv_ssd", "required"),
    ("crops.paper.frames", "phase", "do you mean 'phases'"),
    ("inputs.paper.crop", "none", "no crop is called"),
    ("inputs.paper.kind", "imagee", "do you mean 'image'"),
    ("databases.smic", {"root": "x"}, "`reader`"),
    ("databases.smic", {"root": "x", "reader": "sam"}, "do you mean 'samm'"),
    ("databases.samm", {"root": "x", "table": "y"}, "either `root`, or"),
    ("databases", {}, "at least 1"),
    ("show_faces", "synthetic", "needs synthetic"),
    ("show_faces", ["../../etc/passwd"], "such as samm/006"),
    ("show_faces", ["samm/<b>"], "such as samm/006"),
    ("allow_missing", "maybe", "boolean"),
    *(("results", path, "for the results alone") for path in ("/", ".", "a/..", "../..")),
    ("results", "workflow/results", "is the project's"),
    ("results", 1, "string"),
    ("results", "databases/SAMM/results", "contains the results folder"),
    ("results", "databases", "lies in the results folder"),
    ("databases.samm.root", "results/faces/paper", "lies in the results folder"),
    *(
        ("databases.samm.root", path, "overlap")
        for path in ("databases/CASME", "databases/CASME/x/../y", "databases", "/")
    ),
    ("databases.samm.root", str(Path.cwd() / "databases/CASME/a"), "overlap"),
    ("databases.samm.root", 5, "path"),
]
#: Every key that holds a path, and paths that none of them may hold.
PATHS = ["results", "databases.samm.root", f"{P}.recipe.weights", "crops.paper.detector.weights"]
UNUSABLE = ["{lr}", "{model", "a</script>", "a\n", "a\0", "\x1b[31m", "\ud800"]
TOO_LONG = ["x/" * 500, "ü" * 200]

WRONG: list[Any] = [
    *(None, True, -1, 2.5, 10**30, float("-inf"), "", "a\nb", "..", [], {}),
    *("x" * 5000, [[]], [None], {"a": None}, {1: 2}, "{x}"),
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


def refusal(place: str, value: Any) -> str:
    """The lines that refuse a value."""
    with pytest.raises(UserError) as error:
        load(changed(tuple(place.split(".")), value))
    assert len(str(error.value)) < 2000
    return str(error.value)


@pytest.mark.parametrize(("text", "word"), FILES, ids=range(len(FILES)))
def test_a_file_that_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, word: str
) -> None:
    """As Snakemake reads it, and then as the rules look at it."""
    path = tmp_path / "config.yaml"
    path.write_text(text)
    monkeypatch.chdir(tmp_path)

    def as_the_rules() -> None:
        config = load_configfile(path)
        refuse_repeated_keys(path)
        load(config)

    with pytest.raises((UserError, WorkflowError)) as error:
        as_the_rules()
    assert word in str(error.value)
    assert [entry.name for entry in tmp_path.iterdir()] == ["config.yaml"]
    with pytest.raises(UserError):
        read(path)


@pytest.mark.parametrize(("content", "word"), [(b"a: \xe9\n", "UTF-8"), (b"a: 2026-13-45", "YAML")])
def test_what_is_not_text_in_yaml_is_refused(tmp_path: Path, content: bytes, word: str) -> None:
    (tmp_path / "mine.yaml").write_bytes(content)
    with pytest.raises(UserError, match=f"mine.yaml: .*{word}"):
        read(tmp_path / "mine.yaml")
    with pytest.raises(UserError, match=f"{tmp_path}: cannot be read"):
        read(tmp_path)


@pytest.mark.parametrize(("place", "value", "word"), VALUES, ids=range(len(VALUES)))
def test_a_value_that_is_refused(place: str, value: Any, word: str) -> None:
    *above, key = place.split(".")
    text = refusal(place, value)
    assert word in text
    assert ".".join(above[-2:]) in text
    assert key in text or key == "kind"


@pytest.mark.parametrize("place", PATHS)
def test_paths_that_no_key_may_hold(place: str) -> None:
    # An empty root is this folder, which contains the results.
    empty = "contains the results folder" if place.endswith("root") else "is not a path"
    assert empty in refusal(place, "")
    for path in UNUSABLE:
        assert f"{place}: {path!r} is not a path" in refusal(place, path)
    for path in TOO_LONG:
        assert "too long" in refusal(place, path)


def test_all_wrong_keys_are_listed_at_once() -> None:
    config = changed((*P.split("."), "grid", "repeats"), 0)
    config["keep_models"] = "some"
    del config["databases"]
    with pytest.raises(
        UserError, match=r"databases: this key is required(.|\n)*repeats: 0"
    ) as error:
        load(config)
    assert "keep_models" in str(error.value)


@pytest.mark.parametrize("place", list(leaves(PAPER)), ids=".".join)
def test_any_value_is_named_or_works(place: tuple[str, ...]) -> None:
    refused = 0
    for value in WRONG:
        try:
            complete = load(changed(place, value))
        except UserError as error:
            message = str(error)
            refused += 1
        else:
            message = json.dumps(complete, sort_keys=True, allow_nan=False)
        assert place[-1] in message or place[-2] in message, value
    assert refused > len(WRONG) / 2


@pytest.mark.parametrize("key", ["table", "frames"])
def test_synthetic_databases_never_replace_the_users_own(key: str) -> None:
    """The folder of frames is removed before it is drawn."""
    places = {name: f"results/databases/SAMM/{name}" for name in ("table", "frames")}
    config = {"databases": {"samm": places}, "synthetic": {}}
    assert load(config)["synthetic"]["seed"] == 1
    with pytest.raises(UserError, match="databases.other: synthetic databases are cas"):
        load({**config, "databases": {"other": {"reader": "samm", **places}}})
    places[key] = "/data/SAMM/frames"
    with pytest.raises(UserError, match=f"databases.samm.{key}: a synthetic database replaces"):
        load(config)


@pytest.mark.parametrize("path", ['it\'s a "name"', "$(touch pwned)", "a;b&c|d", "`x`#%^", "ü ä"])
def test_odd_names_of_folders_are_taken_as_they_are(path: str) -> None:
    config = load({"databases": {"samm": {"root": path}}, "results": f"out/{path}"})
    assert config["databases"]["samm"]["root"] == path
    assert config["results"] == f"out/{path}"


def test_anchors_and_merges_may_be_used(tmp_path: Path) -> None:
    text = DATABASE + "crops: {paper: &s {size: 32}, b: {<<: *s, box: clip}}\n"
    (tmp_path / "a.yaml").write_text(text)
    assert read(tmp_path / "a.yaml")["crops"]["b"]["size"] == 32
