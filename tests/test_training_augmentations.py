"""Augmentations: what each does to examples, and that it leaves the batch as it was."""

from typing import Any

import numpy as np
import pytest
import torch

from fleeting import registry
from fleeting.config.loading import load
from fleeting.errors import UserError
from fleeting.training.mirror import mirrored
from fleeting.training.recipe import Recipe

RED_GREEN_BLUE = ("red", "green", "blue")
FLOW = ("horizontal", "vertical", "strain")


def random_batch(count: int, channels: int = 3) -> torch.Tensor:
    values = torch.rand(count, 6, 6, channels, generator=torch.Generator().manual_seed(0))
    return values.permute(0, 3, 1, 2)


def augmented(values: torch.Tensor, channels: Any, block: Any) -> torch.Tensor:
    chosen = Recipe(augmentations=[block]).augmentations[0]
    torch.manual_seed(1)
    before = values.clone()
    found = registry.load("augmentation", chosen.kind).apply(values, channels, chosen)
    assert torch.equal(values, before), "the batch itself stays"
    assert (found.shape, found.dtype) == (values.shape, values.dtype)
    assert found.is_contiguous(memory_format=torch.channels_last)
    return found


@pytest.mark.parametrize(("channels", "sign"), [(RED_GREEN_BLUE, 1.0), (FLOW, -1.0)])
def test_half_of_the_examples_are_flipped_and_horizontal_motion_turns_round(
    channels: tuple[str, ...], sign: float
) -> None:
    values = random_batch(400)
    found = augmented(values, channels, "horizontal_flip")
    mirrored = values.flip(3) * torch.tensor([sign, 1, 1]).view(1, 3, 1, 1)
    flipped = (found == mirrored).flatten(1).all(1)
    unchanged = (found == values).flatten(1).all(1)
    assert torch.equal(flipped, ~unchanged)
    assert 160 < flipped.sum() < 240


def test_a_flip_must_know_what_a_channel_becomes_in_a_mirror() -> None:
    stacked = [f"{phase}_{colour}" for phase in ("onset", "apex") for colour in RED_GREEN_BLUE]
    augmented(random_batch(4, 6), stacked, "horizontal_flip")
    with pytest.raises(
        UserError, match="horizontal_flip does not know what it does to the channel 'left'"
    ):
        augmented(random_batch(4), ("left", "vertical", "strain"), "horizontal_flip")


def test_examples_are_shifted_each_by_its_own_distance() -> None:
    values = random_batch(400) + 1
    found = augmented(values, RED_GREEN_BLUE, {"kind": "shift", "pixels": 2})
    padded = torch.nn.functional.pad(values, (2, 2, 2, 2))
    distances = [(down, right) for down in range(5) for right in range(5)]
    matches = torch.stack(
        [
            (found == padded[:, :, down : down + 6, right : right + 6]).flatten(1).all(1)
            for down, right in distances
        ]
    )
    assert (matches.sum(0) == 1).all(), "every example is one of the shifted ones"
    assert matches.any(1).all(), "every distance occurs"


#: (height, width) of a picture with a bright spot right of its middle, and a motion to the right.
SIDE, MIDDLE, OUT = 33, 16, 8


def spot() -> torch.Tensor:
    values = torch.zeros(1, 3, SIDE, SIDE).to(memory_format=torch.channels_last)
    values[:, 0, MIDDLE - 1 : MIDDLE + 2, MIDDLE + OUT - 1 : MIDDLE + OUT + 2] = 1
    return values.repeat(64, 1, 1, 1).contiguous(memory_format=torch.channels_last)


def centres(values: torch.Tensor) -> np.ndarray:
    """(N, 2): where the spots are from the middle, to the right and down."""
    weights = values.square().sum(1)
    axis = torch.arange(SIDE) - MIDDLE
    total = weights.sum((1, 2))
    right, down = (weights.sum(1) * axis).sum(1) / total, (weights.sum(2) * axis).sum(1) / total
    return torch.stack([right, down], 1).numpy()


def test_examples_are_turned_and_their_motions_with_them() -> None:
    found = augmented(spot(), FLOW, {"kind": "rotation", "degrees": 40})
    places = centres(found)
    assert np.linalg.norm(places, axis=1) == pytest.approx(np.full(64, OUT), abs=0.3)
    angles = np.degrees(np.arctan2(places[:, 1], places[:, 0]))
    assert (angles.min(), angles.max()) == pytest.approx((-40, 40), abs=5)
    # What moved to the right moves away from the middle still.
    motions = found[:, :2].sum((2, 3)).numpy()
    assert np.degrees(np.arctan2(motions[:, 1], motions[:, 0])) == pytest.approx(angles, abs=2)
    assert not found[:, 2].any(), "strain stays"
    plain = augmented(spot(), RED_GREEN_BLUE, {"kind": "rotation", "degrees": 40})
    assert centres(plain) == pytest.approx(places, abs=0.05)
    assert not plain[:, 1:].any(), "colours do not turn into one another"


def test_examples_are_scaled_and_their_motions_with_them() -> None:
    found = augmented(spot(), FLOW, {"kind": "scale", "most": 0.5})
    places = centres(found)
    factors = places[:, 0] / OUT
    assert places[:, 1] == pytest.approx(np.zeros(64), abs=1e-3)
    assert (factors.min(), factors.max()) == pytest.approx((0.5, 1.5), abs=0.08)
    assert found[:, 0].amax((1, 2)).numpy() == pytest.approx(factors, abs=0.15)
    plain = augmented(spot(), RED_GREEN_BLUE, {"kind": "scale", "most": 0.5})
    assert plain.max() <= 1


def test_brightness_is_one_value_added_to_a_picture() -> None:
    values = 0.3 + 0.4 * random_batch(200)
    added = (
        augmented(values, RED_GREEN_BLUE, {"kind": "brightness", "most": 0.2}) - values
    ).flatten(1)
    assert added == pytest.approx(added[:, :1].expand_as(added), abs=1e-6)
    assert (added.min(), added.max()) == pytest.approx((-0.2, 0.2), abs=0.01)
    bright = augmented(random_batch(200), RED_GREEN_BLUE, "brightness")
    assert (bright.min(), bright.max()) == (0, 1)
    grey = augmented(values[:, :1], ("apex_grey",), {"kind": "brightness", "most": 0.2})
    assert not torch.equal(grey, values[:, :1])


@pytest.mark.parametrize(
    "block",
    [
        "horizontal_flip",
        "rotation",
        {"kind": "scale", "most": 0.5},
        {"kind": "gain", "most": 0.3},
    ],
)
@pytest.mark.parametrize("name", ["grey", "difference"])
def test_grey_and_its_difference_are_treated_as_a_colour_is(name: str, block: Any) -> None:
    """In a mirror, or in a turned or larger face, they keep their sign and size."""
    values = random_batch(50, 1) - 0.5
    found = augmented(values, (name,), block)
    assert torch.equal(found, augmented(values, ("red",), block))
    assert not torch.equal(found, values)


def test_a_gain_is_one_factor_an_example() -> None:
    values = random_batch(200) + 0.1
    factors = (augmented(values, FLOW, {"kind": "gain", "most": 0.3}) / values).flatten(1)
    assert factors == pytest.approx(factors[:, :1].expand_as(factors))
    assert (factors.min(), factors.max()) == pytest.approx((0.7, 1.3), abs=0.02)


def test_a_rectangle_of_half_of_the_examples_is_erased() -> None:
    values = torch.rand(400, 20, 20, 2, generator=torch.Generator().manual_seed(0)).permute(
        0, 3, 1, 2
    )
    found = augmented(values, ("left", "right"), {"kind": "erasing", "side": 0.5})
    changed = (found != values).any(1)
    assert 120 < changed.flatten(1).any(1).sum() < 220, "some rectangles lie between two pixels"
    for example, mask in enumerate(changed):
        rows, columns = mask.any(1), mask.any(0)
        assert torch.equal(mask, rows[:, None] & columns), "a rectangle"
        assert max(int(rows.sum()), int(columns.sum())) <= 10
        if mask.any():
            mean = values[example].mean((1, 2))
            assert torch.allclose(found[example][:, mask], mean[:, None])


def test_mixed_examples_have_mixed_labels() -> None:
    values, labels = random_batch(50), torch.eye(50)
    settings = Recipe(augmentations=[{"kind": "mixup", "alpha": 1}]).augmentations[0]
    torch.manual_seed(1)
    mixed, targets = registry.load("augmentation", "mixup").mix(values, labels, settings)
    assert targets.sum(1) == pytest.approx(torch.ones(50))
    assert ((targets > 0).sum(1) == 2).all()
    expected = torch.einsum("nk,kchw->nchw", targets, values)
    assert torch.allclose(mixed, expected, atol=1e-6)
    assert 0.3 < targets.diagonal().mean() < 0.7


def test_a_mirror_of_a_mirror_is_the_example() -> None:
    values = random_batch(3)
    assert not torch.equal(mirrored(values, FLOW, "test"), values)
    assert torch.equal(mirrored(mirrored(values, FLOW, "test"), FLOW, "test"), values)


def ready_pictures(recipe: dict[str, Any], **declared: Any) -> dict[str, Any]:
    """A config of ready pictures that a table names."""
    return {
        "databases": {
            "mine": {"reader": "table", "table": "t.tsv", "frames": "f", "picture": "{clip}.png"}
        },
        "crops": {"ready": {"frames": "pictures", "detector": "none", "size": None}},
        "inputs": {"ready": {"kind": "image", "crop": "ready", **declared}},
        "experiments": {
            "e": {
                "input": "ready",
                "label_map": {"a": ["a"], "b": ["b"]},
                "recipe": {"weights": "none", **recipe},
            }
        },
    }


@pytest.mark.parametrize(
    "recipe", [{"augmentations": ["shift", "gain"]}, {"mirrored_test": True}], ids=str
)
def test_what_ready_pictures_show_must_be_declared(recipe: dict[str, Any]) -> None:
    with pytest.raises(UserError, match="has to know what the pictures show; write `channels`"):
        load(ready_pictures(recipe))
    load(ready_pictures(recipe, channels=list(FLOW), zero=128, unit=127))
    load(ready_pictures(recipe, channels=list(RED_GREEN_BLUE)))
    load(ready_pictures({"augmentations": ["shift", "erasing", "mixup"]}))


def test_a_recipe_must_know_the_channels_of_its_input() -> None:
    """Said when the config is read, before anything is computed."""
    flow, depth = list(FLOW), ["left", "right", "depth"]
    for channels, recipe, wrong in [
        (flow, {"augmentations": ["gain", "brightness"]}, "brightness"),
        (depth, {"augmentations": ["gain", "rotation"]}, "rotation"),
        (depth, {"mirrored_test": True}, "mirrored_test"),
    ]:
        message = f"experiments.e.recipe: {wrong} does not know what it does to the channel"
        with pytest.raises(UserError, match=f"{message} '{channels[0]}'"):
            load(ready_pictures(recipe, channels=channels, zero=128, unit=127))
    load(ready_pictures({"augmentations": ["gain"]}, channels=depth, zero=128, unit=127))
    motion = {"difference": {"kind": "difference", "crop": "clips"}}
    crops = {"clips": {"frames": "phases", "detector": "none"}}
    experiment = {"input": "difference", "recipe": {"augmentations": ["brightness"]}}
    config = {"databases": {"samm": {"root": "s"}}, "crops": crops, "inputs": motion}
    with pytest.raises(UserError, match="brightness does not know .* 'difference'"):
        load({**config, "experiments": {"e": experiment}})
