"""The config: the paper's values, what a short file is completed to, and what is refused."""

import json
from pathlib import Path

import pytest
import yaml

from fleeting.config import SCHEMA, complete
from fleeting.errors import UserError

ROOT = Path(__file__).parents[1]
SHORT = {"databases": {"samm": {"root": "/data/SAMM"}}}


def paper() -> dict:
    return yaml.safe_load((ROOT / "config.yaml").read_text())


def changed(path: str, value: object) -> dict:
    """The paper's config with one key set."""
    config = paper()
    block = config
    *parents, last = path.split(".")
    for key in parents:
        block = block[key]
    block[last] = value
    return config


def test_config_yaml_states_every_value_of_the_schema() -> None:
    assert complete(paper()) == paper()


def test_a_short_config_takes_the_papers_values() -> None:
    complete_paper = paper()
    completed = complete(SHORT)
    for key in ("annotations", "frames", "crops", "experiments", "keep_models", "show_faces"):
        assert completed[key] == complete_paper[key]
    assert completed["databases"] == {"samm": {"root": "/data/SAMM", "source": "raw"}}


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


def test_based_on_changes_one_line() -> None:
    config = paper()
    config["experiments"]["surplus"] = {
        "based_on": "paper",
        "split": {"validation": {"from": "surplus"}},
    }
    completed = complete(config)["experiments"]
    assert completed["surplus"]["split"]["validation"] == {"from": "surplus"}
    assert completed["surplus"]["split"]["images_per_class"] == 100
    assert {**completed["surplus"], "split": 0} == {**completed["paper"], "split": 0}


def test_based_on_builds_on_the_paper_even_if_it_is_not_listed() -> None:
    config = {**SHORT, "experiments": {"short": {"based_on": "paper", "grid": {"repeats": 2}}}}
    completed = complete(config)["experiments"]
    assert list(completed) == ["short"]
    assert completed["short"]["grid"]["repeats"] == 2
    assert len(completed["short"]["grid"]["models"]) == 5


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("reslts", "x", r"unknown key 'reslts' \(do you mean 'results'\?\)"),
        ("experiments.paper.recipe.momentun", 0.9, "experiments.paper.recipe: unknown key"),
        ("experiments.paper.grid.lrs", [0.001], "experiments.paper.grid.lrs.0: 0.001: write a"),
        ("experiments.paper.grid.lrs", ["1e-3"], "experiments.paper.grid.lrs.0: '1e-3'"),
        ("experiments.paper.grid.lrs", ["1e-03", "1.0e-03"], "the same rate"),
        ("experiments.paper.grid.models", ["resnet19"], "no model is called 'resnet19'"),
        ("experiments.paper.grid.repeats", 0, "experiments.paper.grid.repeats: 0 is less than"),
        ("experiments.paper.crop", "none", "crops has no 'none'"),
        ("experiments.paper.label_map", {"a": ["x"], "b": ["x"]}, "'x' belongs to both"),
        ("experiments.paper.label_map", {"a": ["X"], "b": ["y"]}, "in lower case"),
        ("experiments.paper.split.validation", {"from": "surplus", "fraction": 0.2}, "validation"),
        ("experiments.paper.split.validation", {"from": "train"}, "validation"),
        ("experiments.paper.split.unseen_subjects", ["smic/s1"], "no database is listed"),
        ("experiments.paper.based_on", "papier", "no experiment 'papier'"),
        ("experiments.paper.based_on", "paper", "circle"),
        ("experiments.imagenet", {}, "the name is taken"),
        ("experiments.detectors", {}, "the name is taken"),
        ("experiments.a-b", {}, "'a-b' is not a name of lower-case letters"),
        ("crops.paper.detector.name", "viola_jones", "no detector is called 'viola_jones'"),
        ("crops.paper.detector.swap_rb", True, "not a key of blazeface"),
        ("crops.paper.detector.name", "opencv_ssd", "needs the path of your file"),
        ("databases.smic", {"root": "x"}, "unknown key 'smic'"),
        ("databases.samm", {"root": "x", "table": "y"}, "either `root`, or"),
        ("databases.samm", {"table": "y"}, "either `root`, or"),
        ("databases.samm", {}, "either `root`, or"),
        ("databases", {}, "databases"),
        ("results", "a{b}", "results"),
        ("show_faces", "synthetic", "only synthetic databases"),
        ("experiments.paper.recipe.weight_decay", float("nan"), "recipe.weight_decay: nan is not"),
        ("experiments.paper.grid.repeats", 2.5, "repeats: 2.5 is not of type 'integer'"),
        ("keep_models", "some", "'some' is not one of"),
        ("experiments.paper.recipe.accumulation", 9, "9 parts of a batch of 16: a part needs two"),
    ],
)
def test_a_wrong_key_is_named(path: str, value: object, message: str) -> None:
    with pytest.raises(UserError, match=message):
        complete(changed(path, value))


@pytest.mark.parametrize(
    ("path", "value"),
    [("recipe.epochs", 100.0), ("recipe.momentum", 0.0), ("grid.repeats", 10.0)],
)
def test_a_whole_number_is_an_integer(path: str, value: float) -> None:
    completed = complete(changed(f"experiments.paper.{path}", value))
    assert json.dumps(completed) == json.dumps(complete(paper()))


def test_the_order_of_databases_is_no_change() -> None:
    config = paper()
    config["databases"] = dict(reversed(config["databases"].items()))
    assert list(complete(config)["databases"]) == ["casme", "casme2", "cas_me2", "samm"]


def test_unseen_subjects_are_tested_on_apex_frames() -> None:
    config = changed("experiments.paper.phases", ["onset"])
    config["experiments"]["paper"]["split"]["unseen_subjects"] = ["samm/006"]
    with pytest.raises(UserError, match="unseen_subjects: they are tested on apex frames"):
        complete(config)


def test_results_end_without_a_slash() -> None:
    assert complete(changed("results", "out/"))["results"] == "out"


def test_all_wrong_keys_are_listed_at_once() -> None:
    config = changed("experiments.paper.grid.repeats", 0)
    config["keep_models"] = "some"
    with pytest.raises(UserError) as error:
        complete(config)
    assert "repeats" in str(error.value)
    assert "keep_models" in str(error.value)


def test_a_config_without_databases_is_refused() -> None:
    with pytest.raises(UserError, match="databases"):
        complete({})


@pytest.mark.parametrize("path", sorted((ROOT / "config").glob("*.yaml")), ids=lambda p: p.stem)
def test_ready_configs_are_valid(path: Path) -> None:
    assert complete(yaml.safe_load(path.read_text()))["databases"]


def test_the_schema_refuses_unknown_keys_everywhere() -> None:
    def objects(node: object) -> list[dict]:
        found = []
        if isinstance(node, dict):
            if node.get("type") == "object":
                found.append(node)
            for value in node.values():
                found += objects(value)
        elif isinstance(node, list):
            for value in node:
                found += objects(value)
        return found

    schema = yaml.safe_load(SCHEMA.read_text())
    assert all("additionalProperties" in node for node in objects(schema))
