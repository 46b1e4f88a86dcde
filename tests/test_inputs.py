"""Inputs: which examples a sample's crops become, and what their arrays hold."""

from types import ModuleType

import cv2
import numpy as np
import pytest
from pydantic import ValidationError

from fleeting import registry
from fleeting.examples.input import Example, Missing, Values
from fleeting.inputs import difference, flow, flow_onset_offset, gray, image, onset_apex
from fleeting.tsv import PHASES

SAMPLE = "casme2/sub01/EP02/46"
PAIR = onset_apex.Settings(crop="paper")
#: Of one whose array depends on its pictures alone.
EXAMPLE = Example(SAMPLE, "", ())
#: What compares two crops, and the phase of the second.
COMPARED = {onset_apex: "apex", difference: "apex", flow: "apex", flow_onset_offset: "offset"}


def crops(*phases: str) -> list[dict[str, str]]:
    return [
        {
            "image": f"{SAMPLE}/{phase or 'picture'}",
            "sample": SAMPLE,
            "phase": phase,
            "frame": phase and str(10 * PHASES.index(phase)),
        }
        for phase in phases
    ]


def pictures(count: int) -> list[np.ndarray]:
    return [*np.random.default_rng(1).integers(0, 256, (count, 5, 4, 3), np.uint8)]


@pytest.mark.parametrize("name", registry.names("input"))
def test_what_every_input_offers(name: str) -> None:
    module = registry.load("input", name)
    settings = module.Settings(crop="paper")
    assert settings.kind == name
    # The crops of any selection of frames: all from the onset, 0, to the offset, 20.
    rows = crops("onset", "apex", "offset")
    rows += [{**rows[0], "phase": "", "frame": str(number)} for number in range(1, 20)]
    made, missing = module.examples(rows, settings)
    assert made
    assert missing == []
    array = module.array(made[0], pictures(len(made[0].crops)), settings)
    values = module.values(settings)
    assert array.shape[-1] == len(values.channels) == len(set(values.channels))
    assert values.unit > 0


@pytest.mark.parametrize(
    ("wanted", "there", "used"),
    [
        (("onset", "apex", "offset"), ("onset", "apex", "offset"), ("onset", "apex", "offset")),
        (("apex",), ("onset", "apex", "offset"), ("apex",)),
        (("apex",), ("onset",), ()),
        # A ready picture has no phase.
        (("apex",), ("",), ("",)),
    ],
)
@pytest.mark.parametrize("kind", [image, gray])
def test_each_crop_of_a_wanted_phase_is_an_example(
    kind: ModuleType, wanted: tuple[str, ...], there: tuple[str, ...], used: tuple[str, ...]
) -> None:
    settings = kind.Settings.model_validate({"crop": "paper", "phases": wanted})
    made, missing = kind.examples(crops(*there), settings)
    assert [(example.name, example.phase, example.crops) for example in made] == [
        (crop["image"], crop["phase"], (crop,)) for crop in crops(*used)
    ]
    assert missing == []


def test_channels_that_are_no_colours() -> None:
    default = image.values(image.Settings(crop="paper"))
    assert default == Values(("red", "green", "blue"), 0, 255)
    block = {"crop": "ready", "channels": ["u", "v", "strain"], "zero": 128, "unit": 127}
    settings = image.Settings.model_validate(block)
    assert image.values(settings) == Values(("u", "v", "strain"), 128, 127)


@pytest.mark.parametrize(
    ("block", "named"),
    [
        ({}, "crop"),
        ({"crop": "a", "phases": []}, "phases"),
        ({"crop": "a", "phases": ["apex", "apex"]}, "phases"),
        ({"crop": "a", "phases": ["peak"]}, "phases"),
        ({"crop": "a", "channels": ["a", "b"]}, "channels"),
        ({"crop": "a", "channels": ["a", "a", "b"]}, "channels"),
        ({"crop": "a", "unit": 0}, "unit"),
    ],
)
def test_wrong_settings_name_their_key(block: dict[str, object], named: str) -> None:
    with pytest.raises(ValidationError, match=named):
        image.Settings.model_validate(block)


def test_onset_and_apex_are_one_example() -> None:
    rows = crops("onset", "apex", "offset")
    (example,), missing = onset_apex.examples(rows, PAIR)
    assert (example.name, example.phase) == (SAMPLE, "")
    assert example.crops == (rows[0], rows[1])
    assert missing == []
    onset, apex = pictures(2)
    array = onset_apex.array(EXAMPLE, [onset, apex], PAIR)
    assert array.shape == (5, 4, 6)
    assert (array[..., :3] == onset).all()
    assert (array[..., 3:] == apex).all()
    assert onset_apex.values(PAIR).channels[::3] == ("onset_red", "apex_red")


@pytest.mark.parametrize("kind", COMPARED)
def test_what_compares_two_crops(kind: ModuleType) -> None:
    """One example, which does not depend on the crop of the third phase."""
    rows, settings = crops("onset", "apex", "offset"), kind.Settings(crop="paper")
    second = next(row for row in rows if row["phase"] == COMPARED[kind])
    for there in (rows, [rows[0], second]):
        (example,), missing = kind.examples(there, settings)
        assert (example.name, example.phase, missing) == (SAMPLE, "", [])
        assert example.crops == (rows[0], second)


@pytest.mark.parametrize("kind", COMPARED)
@pytest.mark.parametrize("there", [("onset",), ("second",), (), ("",)])
def test_a_pair_that_lacks_a_phase(kind: ModuleType, there: tuple[str, ...]) -> None:
    second = COMPARED[kind]
    phases = [second if phase == "second" else phase for phase in there]
    lacking = [phase for phase in ("onset", second) if phase not in phases]
    detail = f"no {' and no '.join(lacking)} crop"
    made = kind.examples(crops(*phases), kind.Settings(crop="paper"))
    assert made == ([], [Missing("phase_missing", detail)])


def test_grey_is_that_of_opencv() -> None:
    settings = gray.Settings(crop="paper")
    (picture,) = pictures(1)
    array = gray.array(EXAMPLE, [picture], settings)
    expected = cv2.cvtColor(np.ascontiguousarray(picture[..., ::-1]), cv2.COLOR_BGR2GRAY)
    assert (array[..., 0] == expected).all()
    assert array.dtype == np.uint8
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    same = gray.array(EXAMPLE, [np.dstack([levels] * 3)], settings)
    assert (same[..., 0] == levels).all(), "frames in grey stay as they are"
    assert gray.values(settings) == Values(("grey",), 0, 255)


def test_a_difference_is_signed() -> None:
    settings = difference.Settings(crop="paper")
    onset, apex = pictures(2)
    onset[0, 0], apex[0, 0] = 255, 0
    onset[0, 1], apex[0, 1] = 0, 255
    array = difference.array(EXAMPLE, [onset, apex], settings)
    assert (array.shape, array.dtype) == ((5, 4, 1), np.int16)
    assert array[0, :2, 0].tolist() == [-255, 255]
    grey = [
        gray.array(EXAMPLE, [one], gray.Settings(crop="paper")).astype(int) for one in (onset, apex)
    ]
    assert (array == grey[1] - grey[0]).all()
    assert (difference.array(EXAMPLE, [onset, onset], settings) == 0).all()
    assert difference.values(settings) == Values(("difference",), 0, 255)
