"""Inputs: which examples a sample's crops become, and what their arrays hold."""

import numpy as np
import pytest
from pydantic import ValidationError

from fleeting import registry
from fleeting.examples.input import Missing, Values
from fleeting.inputs import image, onset_apex

SAMPLE = "casme2/sub01/EP02/46"
PAIR = onset_apex.Settings(crop="paper")


def crops(*phases: str) -> list[dict[str, str]]:
    return [
        {"image": f"{SAMPLE}/{phase or 'picture'}", "sample": SAMPLE, "phase": phase}
        for phase in phases
    ]


def pictures(count: int) -> list[np.ndarray]:
    return [*np.random.default_rng(1).integers(0, 256, (count, 5, 4, 3), np.uint8)]


@pytest.mark.parametrize("name", registry.names("input"))
def test_what_every_input_offers(name: str) -> None:
    module = registry.load("input", name)
    settings = module.Settings(crop="paper")
    assert settings.kind == name
    made, missing = module.examples(crops("onset", "apex", "offset"), settings)
    assert made
    assert missing == []
    array = module.array(pictures(len(made[0].crops)), settings)
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
def test_each_crop_of_a_wanted_phase_is_an_example(
    wanted: tuple[str, ...], there: tuple[str, ...], used: tuple[str, ...]
) -> None:
    settings = image.Settings.model_validate({"crop": "paper", "phases": wanted})
    made, missing = image.examples(crops(*there), settings)
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
    array = onset_apex.array([onset, apex], PAIR)
    assert array.shape == (5, 4, 6)
    assert (array[..., :3] == onset).all()
    assert (array[..., 3:] == apex).all()
    assert onset_apex.values(PAIR).channels[::3] == ("onset_red", "apex_red")


@pytest.mark.parametrize(
    ("phases", "detail"),
    [
        (("onset", "offset"), "no apex crop"),
        (("apex",), "no onset crop"),
        ((), "no onset and no apex crop"),
        (("",), "no onset and no apex crop"),
    ],
)
def test_a_pair_that_lacks_a_phase(phases: tuple[str, ...], detail: str) -> None:
    assert onset_apex.examples(crops(*phases), PAIR) == ([], [Missing("phase_missing", detail)])
