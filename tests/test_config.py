"""The config: the paper's values, what a short file is completed to, and what is refused."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from fleeting.config import schema
from fleeting.config.loading import load
from fleeting.dependencies import RUNNER, SCRIPTS
from fleeting.errors import UserError

ROOT = Path(__file__).parents[1]
SCHEMA = ROOT / "workflow" / "schemas" / "config.schema.json"
READY = [ROOT / "config.yaml", *sorted((ROOT / "config").glob("*.yaml"))]
SHORT = {"databases": {"samm": {"root": "/data/SAMM"}}}


def paper() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "config.yaml").read_text())


def changed(path: str, value: object) -> dict[str, Any]:
    """The paper's config with one key set."""
    config = paper()
    block = config
    *parents, last = path.split(".")
    for key in parents:
        block = block[key]
    block[last] = value
    return config


def experiments(**blocks: Any) -> dict[str, Any]:
    """The experiments of a config, completed."""
    return load({**SHORT, "experiments": blocks})["experiments"]


def stated(given: Any, complete: Any) -> bool:
    """Whether a file states every value of the complete config, and the same."""
    if isinstance(complete, dict):
        given = {"kind": given} if isinstance(given, str) else given
        return given.keys() == complete.keys() and all(
            stated(given[key], value) for key, value in complete.items()
        )
    return given == complete and type(given) is type(complete)


def test_config_yaml_states_every_default() -> None:
    complete = load(paper())
    for block in complete["databases"].values():
        # Two ways to say where a database is; the file shows one.
        assert (block.pop("table"), block.pop("frames")) == (None, None)
    assert stated(paper(), complete)
    assert load(paper()) == load({"databases": paper()["databases"]})


def test_a_short_config_takes_the_papers_values() -> None:
    complete, short = load(paper()), load(SHORT)
    assert {**short, "databases": 0} == {**complete, "databases": 0}
    assert short["databases"]["samm"]["reader"] == "samm"
    assert short["databases"]["samm"]["source"] == "raw"


def test_loading_changes_nothing_in_what_it_is_given() -> None:
    config = yaml.safe_load((ROOT / "config" / "demo.yaml").read_text())
    before = json.dumps(config)
    load(config)
    assert json.dumps(config) == before


def test_every_key_of_config_yaml_is_commented() -> None:
    """Each key has a comment above it, above a key before it in its block, or above its block."""
    explained = {-2: False}
    previous = ""
    for line in filter(None, (ROOT / "config.yaml").read_text().splitlines()):
        indent = len(line) - len(line.lstrip())
        if not line.lstrip().startswith("#"):
            explained = {depth: known for depth, known in explained.items() if depth <= indent}
            above = max((known for depth, known in explained.items() if depth >= indent - 2))
            explained[indent] = previous.lstrip().startswith("#") or above
            assert explained[indent], line
        previous = line


def test_the_schema_is_current() -> None:
    command = f"python {RUNNER.relative_to(ROOT)} config.schema --output {SCHEMA.relative_to(ROOT)}"
    assert SCHEMA.read_text() == schema.text(), f"run `make schema`: {command}"


@pytest.mark.parametrize("path", READY, ids=lambda path: path.stem)
def test_ready_configs_are_valid_and_name_their_schema(path: Path) -> None:
    text = path.read_text()
    assert load(yaml.safe_load(text))["databases"]
    validator = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text()))
    assert not [error.message for error in validator.iter_errors(yaml.safe_load(text))]
    named = text.splitlines()[0].removeprefix("# yaml-language-server: $schema=")
    assert (path.parent / named).resolve() == SCHEMA


def test_the_schema_knows_no_other_keys() -> None:
    def objects(node: object) -> list[dict[str, Any]]:
        found = []
        if isinstance(node, dict):
            found += [node] if node.get("type") == "object" and "properties" in node else []
            for value in node.values():
                found += objects(value)
        elif isinstance(node, list):
            for value in node:
                found += objects(value)
        return found

    blocks = objects(json.loads(SCHEMA.read_text()))
    assert len(blocks) > 20
    assert all(block["additionalProperties"] is False for block in blocks)


def test_loading_imports_nothing_heavy() -> None:
    """Snakemake loads the config whenever it parses."""
    program = (
        "import sys; from fleeting.config.loading import load; "
        "load({'databases': {'samm': {'root': 'x'}}}); "
        "print(*({'torch', 'torchvision', 'pandas', 'cv2', 'sklearn'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=SCRIPTS, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == ""


def test_based_on_changes_one_line() -> None:
    found = experiments(
        paper={}, surplus={"based_on": "paper", "protocol": {"validation": {"from": "surplus"}}}
    )
    assert found["surplus"]["protocol"]["validation"] == {"from": "surplus"}
    assert found["surplus"]["protocol"]["images_per_class"] == 100
    assert {**found["surplus"], "protocol": 0} == {**found["paper"], "protocol": 0}


def test_based_on_builds_on_the_paper_even_if_it_is_not_listed() -> None:
    found = experiments(short={"based_on": "paper", "grid": {"repeats": 2}})
    assert list(found) == ["short"]
    assert found["short"]["grid"]["repeats"] == 2
    assert len(found["short"]["grid"]["models"]) == 5


def test_blocks_are_merged_key_by_key() -> None:
    found = experiments(
        first={
            "protocol": {"images_per_class": 40},
            "recipe": {"epochs": 3, "optimiser": {"momentum": 0.9}},
        },
        second={"based_on": "first", "recipe": {"optimiser": {"weight_decay": 0.1}}},
    )
    assert found["second"]["protocol"]["images_per_class"] == 40
    assert found["second"]["recipe"]["epochs"] == 3
    optimiser = {"kind": "sgd", "momentum": 0.9, "weight_decay": 0.1}
    assert found["second"]["recipe"]["optimiser"] == optimiser


def test_another_kind_inherits_nothing() -> None:
    found = experiments(
        first={
            "protocol": {"images_per_class": 40, "seed": 7},
            "recipe": {"optimiser": {"momentum": 0.9, "weight_decay": 0.1}},
        },
        second={
            "based_on": "first",
            "protocol": {"kind": "leave_one_out", "group": "clip"},
            "recipe": {"optimiser": "adamw"},
        },
        third={"based_on": "second", "protocol": {"validation_fraction": 0.3}},
        fourth={"based_on": "first", "recipe": {"optimiser": "sgd"}},
    )
    assert found["second"]["protocol"] == {
        "kind": "leave_one_out",
        "group": "clip",
        "validation_fraction": 0.2,
        "seed": 1,
    }
    assert found["second"]["recipe"]["optimiser"]["kind"] == "adamw"
    assert found["second"]["recipe"]["optimiser"]["weight_decay"] == 0.01
    assert found["third"]["protocol"]["group"] == "clip"
    assert found["third"]["protocol"]["validation_fraction"] == 0.3
    assert found["fourth"]["recipe"]["optimiser"]["momentum"] == 0, "a name stands for defaults"


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("reslts", "x", r"unknown key 'reslts' \(do you mean 'results'\?\); known: results, "),
        (
            "experiments.paper.recipe.optimiser.momentun",
            0.9,
            r"paper.recipe.optimiser: unknown key 'momentun' \(do you mean 'momentum'\?\); known",
        ),
        ("experiments.paper.phases", ["onset"], "experiments.paper: unknown key 'phases'"),
        ("experiments.paper.grid.lrs", [0.001], "experiments.paper.grid.lrs.0: 0.001: write a"),
        ("experiments.paper.grid.lrs", ["1e-3"], "experiments.paper.grid.lrs.0: '1e-3'"),
        ("experiments.paper.grid.lrs", ["1e-03", "1.0e-03"], "the same rate"),
        ("experiments.paper.grid.models", ["resnet19"], r"'resnet19' \(do you mean 'resnet"),
        ("experiments.paper.grid.models", ["vgg16", "vgg16"], "'vgg16' is listed more than once"),
        ("experiments.paper.grid.models", ["small"], "there are no ImageNet weights of small"),
        ("experiments.paper.grid.repeats", 0, "grid.repeats: 0 should be greater than"),
        ("experiments.paper.grid.repeats", True, "grid.repeats: True should be a number"),
        ("experiments.paper.input", "none", "input: no input is called 'none'"),
        ("experiments.paper.metrics", ["uf2"], r"no metric is called 'uf2' \(do you mean 'uf1'"),
        ("experiments.paper.metrics", [], "experiments.paper.metrics"),
        ("experiments.paper.parts", 0, "experiments.paper.parts: 0 should be greater"),
        ("experiments.paper.keep_models", "some", "experiments.paper.keep_models: 'some' should"),
        ("experiments.paper.label_map", {"a": ["x"], "b": ["x"]}, "'x' belongs to both"),
        ("experiments.paper.label_map", {"a": ["X"], "b": ["y"]}, "in lower case"),
        ("experiments.paper.label_map", {"a": ["x"]}, "label_map"),
        (
            "experiments.paper.protocol.validation",
            {"from": "surplus", "fraction": 0.2},
            "protocol.validation: unknown key 'fraction'",
        ),
        ("experiments.paper.protocol.validation", {"from": "moon"}, "protocol.validation"),
        ("experiments.paper.protocol", "leave_one_ot", "do you mean 'leave_one_out'"),
        ("experiments.paper.protocol.kind", "leave_one_out", "unknown key 'images_per_class'"),
        ("experiments.paper.exclude_subjects", ["smic/s1"], "database that is not listed"),
        ("experiments.paper.exclude_subjects", ["s1"], "is not a subject such as samm/006"),
        ("experiments.paper.based_on", "papier", "no experiment 'papier'"),
        ("experiments.paper.based_on", "paper", "circular"),
        ("experiments.imagenet", {}, "this name is reserved"),
        ("experiments.detectors", {}, "this name is reserved"),
        ("experiments.a-b", {}, "'a-b' is not a name of at most 100 lower-case letters"),
        ("inputs.paper.crop", "none", "inputs.paper.crop: no crop is called 'none'"),
        ("inputs.paper.kind", "imagee", r"inputs.paper: .*\(do you mean 'image'\?\)"),
        ("crops.paper.detector.kind", "viola_jones", "no detector is called 'viola_jones'"),
        ("crops.paper.detector.swap_rb", True, "crops.paper.detector: unknown key 'swap_rb'"),
        ("crops.paper.detector", "opencv_ssd", "detector.weights: this key is required"),
        ("crops.paper.frames", "phase", r"crops.paper.frames: .*\(do you mean 'phases'\?\)"),
        ("databases.smic", {"root": "x"}, "databases.smic: name the reader under `reader`; known"),
        ("databases.smic", {"root": "x", "reader": "sam"}, r"\(do you mean 'samm'\?\)"),
        ("databases.samm", {"root": "x", "table": "y"}, "either `root`, or"),
        ("databases.samm", {"table": "y"}, "either `root`, or"),
        ("databases.samm", {}, "either `root`, or"),
        ("databases", {}, "databases"),
        ("results", "a{b}", "results"),
        ("show_faces", "synthetic", "needs synthetic databases"),
        ("experiments.paper.recipe.optimiser.weight_decay", float("nan"), "weight_decay: nan is"),
        ("experiments.paper.grid.repeats", 2.5, "repeats: 2.5 should be a valid integer"),
        ("keep_models", "some", "keep_models: 'some' should be 'all', 'chosen' or 'none'"),
        ("allow_missing", "no", "allow_missing: 'no' should be true or false"),
        ("experiments.paper.recipe.accumulation", 9, "9 parts of a batch of 16: a part needs two"),
    ],
)
def test_a_wrong_key_is_named(path: str, value: object, message: str) -> None:
    with pytest.raises(UserError, match=message):
        load(changed(path, value))


@pytest.mark.parametrize(
    ("path", "value"),
    [("recipe.epochs", 100.0), ("recipe.optimiser.momentum", 0.0), ("grid.repeats", 10.0)],
)
def test_a_whole_number_is_an_integer(path: str, value: float) -> None:
    complete = load(changed(f"experiments.paper.{path}", value))
    assert json.dumps(complete) == json.dumps(load(paper()))


def test_any_network_of_torchvision_may_be_named() -> None:
    models = ["small", "vgg16", "vit_b_16"]
    found = experiments(wide={"grid": {"models": models}, "recipe": {"weights": "none"}})
    assert found["wide"]["grid"]["models"] == models


def test_the_order_of_databases_is_no_change() -> None:
    config = paper()
    more = {"zeta": {"reader": "samm", "root": "z"}, "alpha": {"reader": "casme", "root": "a"}}
    config["databases"] = {**more, **dict(reversed(config["databases"].items()))}
    order = ["casme", "casme2", "cas_me2", "samm", "alpha", "zeta"]
    assert list(load(config)["databases"]) == order


def test_results_end_without_a_slash() -> None:
    assert load(changed("results", "out/"))["results"] == "out"


def test_all_wrong_keys_are_listed_at_once() -> None:
    config = changed("experiments.paper.grid.repeats", 0)
    config["keep_models"] = "some"
    with pytest.raises(UserError) as error:
        load(config)
    assert "repeats" in str(error.value)
    assert "keep_models" in str(error.value)


def test_a_config_without_databases_is_refused() -> None:
    with pytest.raises(UserError, match="databases: this key is required"):
        load({})
