"""The config: the paper's values, what a short file is completed to, and what is refused."""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from fleeting.config import schema
from fleeting.config.loading import load
from fleeting.errors import UserError
from fleeting.settings import named_variants

ROOT = Path(__file__).parents[1]
SCHEMA = ROOT / "workflow" / "schemas" / "config.schema.json"
#: The configs of the documentation that are complete.
SHOWN = [
    block
    for page in sorted((ROOT / "docs").glob("*.md"))
    if page.name != "extending.md"
    for block in re.findall(r"```yaml\n(results:.*?)```", page.read_text(), re.DOTALL)
]
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
    # What follows from `models`.
    assert complete["experiments"]["paper"]["grid"].pop("networks")["resnet18"] == "resnet18"
    assert stated(paper(), complete)
    assert load(paper()) == load({"databases": paper()["databases"]})


def test_a_short_config_takes_the_papers_values() -> None:
    before = json.dumps(SHORT)
    complete, short = load(paper()), load(SHORT)
    assert json.dumps(SHORT) == before, "what is given is not changed"
    assert {**short, "databases": 0} == {**complete, "databases": 0}
    assert short["databases"]["samm"]["reader"] == "samm"
    assert short["databases"]["samm"]["source"] == "raw"


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
    assert SCHEMA.read_text() == schema.text(), "run `make schema`"


@pytest.mark.parametrize("path", READY, ids=lambda path: str(path.relative_to(ROOT)))
def test_ready_configs_are_valid_and_name_their_schema(path: Path) -> None:
    text = path.read_text()
    config = yaml.safe_load(text)
    assert load(config)["databases"]
    validator = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text()))
    assert not [error.message for error in validator.iter_errors(config)]
    for wrong in ({"reslts": "x"}, {"annotations": {"apx": "drop"}}):
        assert not validator.is_valid(config | wrong)
    named = text.splitlines()[0].removeprefix("# yaml-language-server: $schema=")
    assert (path.parent / named).resolve() == SCHEMA


@pytest.mark.parametrize("text", SHOWN, ids=lambda text: text.split()[1])
def test_configs_of_the_documentation_are_valid(text: str) -> None:
    config = yaml.safe_load(text)
    assert load(config)["results"] == config["results"]


def test_based_on_changes_one_line() -> None:
    surplus = {"based_on": "paper", "protocol": {"validation": {"from": "surplus"}}}
    for listed in ({"paper": {}}, {}):
        found = experiments(**listed, surplus=surplus)
        assert list(found) == [*listed, "surplus"], "the paper's need not be listed"
        assert found["surplus"]["protocol"]["validation"] == {"from": "surplus"}
        assert found["surplus"]["protocol"]["images_per_class"] == 100
    paper_and_surplus = experiments(paper={}, surplus=surplus)
    one, other = ({**block, "protocol": 0} for block in paper_and_surplus.values())
    assert one == other


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


def motion(crop: dict[str, Any], **block: Any) -> dict[str, Any]:
    """A config with an input of motion, completed."""
    inputs = {"paper": {"kind": "image", "crop": "paper"}, "motion": {"crop": "face", **block}}
    return load({**SHORT, "crops": {"paper": {}, "face": crop}, "inputs": inputs})


@pytest.mark.parametrize("kind", ["flow", "flow_onset_offset"])
def test_motion_needs_a_box_that_does_not_follow_the_face(kind: str) -> None:
    with pytest.raises(UserError, match=r"inputs\.motion\.crop: .*set `box: clip` in crops\.face"):
        motion({}, kind=kind)
    motion({"box": "clip"}, kind=kind)
    # A whole picture has no box.
    motion({"detector": "none"}, kind=kind)


@pytest.mark.parametrize(
    ("crop", "source", "refused"),
    [
        ({}, "raw", True),
        ({}, "cropped", False),
        ({"provider_crops": "detect"}, "cropped", True),
        ({"box": "clip"}, "raw", False),
        ({"detector": "none"}, "raw", False),
    ],
)
def test_frames_are_aligned_inside_one_box(
    crop: dict[str, Any], source: str, refused: bool
) -> None:
    databases = {"casme2": {"root": "a", "source": source}}
    config = {**SHORT, "databases": databases, "crops": {"paper": {"align": "rigid", **crop}}}
    if refused:
        with pytest.raises(
            UserError, match=r"crops\.paper\.align: .*set `box: clip` in crops\.paper"
        ):
            load(config)
    else:
        assert load(config)["crops"]["paper"]["align"] == "rigid"


def test_motion_is_never_enlarged() -> None:
    crop = {"box": "clip", "size": 64}
    with pytest.raises(UserError, match=r"inputs\.motion\.size: 65 is more than the 64 pixels"):
        motion(crop, kind="flow", size=65)
    assert motion(crop, kind="flow", size=64)["inputs"]["motion"]["size"] == 64
    motion({**crop, "size": None}, kind="flow", size=65)
    with pytest.raises(UserError, match=r"motion\.crop: .*needs the apex, .*`frames: even`"):
        motion({**crop, "frames": "even"}, kind="flow")


def test_the_modules_that_a_complete_block_names() -> None:
    inputs = motion({"box": "clip"}, kind="flow", algorithm={"kind": "dis"})["inputs"]
    assert inputs["motion"]["algorithm"]["patch_size"] == 8
    assert named_variants("input", inputs["motion"]) == [("input", "flow"), ("flow", "dis")]
    assert named_variants("input", inputs["paper"]) == [("input", "image")]
    default = motion({"box": "clip"}, kind="flow")["inputs"]["motion"]["algorithm"]
    assert (default["kind"], default["lambda"]) == ("tvl1", 0.15)


def test_eye_distances_need_a_detector_that_finds_the_eyes() -> None:
    eyes = {"kind": "flow", "measured_in": "eye_distances"}
    with pytest.raises(UserError, match=r"motion\.measured_in: the detector none does not find"):
        motion({"box": "clip", "detector": "none"}, **eyes)
    provided = {"samm": {"root": "/data/SAMM", "source": "cropped"}}
    inputs = {"paper": {"crop": "paper", **eyes}}
    with pytest.raises(UserError, match="crops of the provider of samm; set `provider_crops: det"):
        load({"databases": provided, "crops": {"paper": {"box": "clip"}}, "inputs": inputs})


SEARCH = {"kind": "motion", "algorithm": "farneback"}


@pytest.mark.parametrize("kind", ["onset_apex", "difference", "flow"])
def test_an_apex_is_searched_for_in_the_frames_of_the_clip(kind: str) -> None:
    crop = {"box": "clip", "frames": {"kind": "clip", "step": 2}}
    inputs = motion(crop, kind=kind, apex=SEARCH)["inputs"]
    assert (inputs["motion"]["apex"]["replace"], inputs["paper"].get("apex")) == ("missing", None)
    named = named_variants("input", inputs["motion"])
    assert named[0] == ("input", kind)
    assert {("apex", "motion"), ("flow", "farneback")} < set(named)
    none = motion(crop, kind=kind)["inputs"]["motion"]
    assert none["apex"] is None
    assert "apex" not in dict(named_variants("input", none))
    for frames in ("phases", "pictures"):
        with pytest.raises(UserError, match=rf"motion\.apex: .*{frames} has none.*`frames: clip`"):
            motion({"box": "clip", "frames": frames}, kind=kind, apex=SEARCH)


@pytest.mark.parametrize("method", ["motion", "difference"])
def test_a_search_that_compares_frames_needs_one_box(method: str) -> None:
    with pytest.raises(UserError, match=r"motion\.apex: .*set `box: clip` in crops\.face"):
        motion({"frames": "clip"}, kind="onset_apex", apex=method)
    motion({"frames": "clip", "detector": "none"}, kind="onset_apex", apex=method)
    motion({"frames": "clip"}, kind="onset_apex", apex="middle")


def test_midpoints_are_no_stated_apexes() -> None:
    config = {
        **SHORT,
        "annotations": {"apex": "midpoint"},
        "crops": {"face": {"box": "clip", "frames": "clip"}},
        "inputs": {"pairs": {"kind": "onset_apex", "crop": "face", "apex": "middle"}},
        "experiments": {"pairs": {"input": "pairs"}},
    }
    with pytest.raises(UserError, match=r"inputs\.pairs\.apex: .*no clip lacks an apex"):
        load(config)


@pytest.mark.parametrize(
    ("apex", "message"),
    [
        ("fastest", r"inputs\.motion\.apex: .*no apex is called 'fastest'"),
        ({"kind": "middle", "rows": [0, 1]}, r"inputs\.motion\.apex: unknown key 'rows'"),
        ({"kind": "middle", "replace": "none"}, r"inputs\.motion\.apex\.replace: 'none'"),
    ],
)
def test_searches_that_there_are_not(apex: object, message: str) -> None:
    with pytest.raises(UserError, match=message):
        motion({"frames": "clip"}, kind="onset_apex", apex=apex)
