"""Inputs: which examples a sample's crops become, and what their arrays hold."""

import numpy as np
import pytest
from pydantic import ValidationError

from fleeting import registry
from fleeting.examples.base import Missing, Values
from fleeting.inputs import image, onset_apex

SAMPLE = "casme2/sub01/EP02/46"
IMAGE = image.Settings(crop="paper")
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
    array = module.array(pictures(len(made[0].images)), settings)
    values = module.values(settings)
    assert array.shape[-1] == len(values.channels) == len(set(values.channels))
    assert values.unit > 0


def test_each_crop_is_an_example() -> None:
    rows = crops("onset", "apex", "offset")
    made, missing = image.examples(rows, IMAGE)
    assert [(example.name, example.phase) for example in made] == [
        (row["image"], row["phase"]) for row in rows
    ]
    assert [example.images for example in made] == [(row,) for row in rows]
    assert missing == []


def test_phases_that_are_not_wanted_are_no_examples() -> None:
    settings = image.Settings(crop="paper", phases=("apex",))
    made, missing = image.examples(crops("onset", "apex", "offset"), settings)
    assert [example.phase for example in made] == ["apex"]
    assert image.examples(crops("onset"), settings) == ([], [])
    assert missing == []


def test_a_ready_picture_is_an_example_whatever_the_phases() -> None:
    settings = image.Settings(crop="ready", phases=("apex",))
    made, _ = image.examples(crops(""), settings)
    assert [(example.name, example.phase) for example in made] == [(f"{SAMPLE}/picture", "")]


def test_an_image_is_its_picture() -> None:
    (picture,) = pictures(1)
    assert (image.array([picture], IMAGE) == picture).all()
    assert image.values(IMAGE) == Values(("red", "green", "blue"), 0, 255)


def test_channels_that_are_no_colours() -> None:
    block = {"crop": "ready", "channels": ["u", "v", "strain"], "zero": 128, "unit": 127}
    settings = image.Settings.model_validate(block)
    assert image.values(settings) == Values(("u", "v", "strain"), 128, 127)
    assert image.Settings.model_validate(settings.model_dump(mode="json")) == settings


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
    assert example.images == (rows[0], rows[1])
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
