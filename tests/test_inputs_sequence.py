"""Sequences: which crops their moments lie between, what is interpolated, and their channels."""

from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from fleeting.config.loading import load
from fleeting.errors import UserError
from fleeting.examples import optical_flow
from fleeting.examples.input import Crop, Missing, Values
from fleeting.examples.magnification import Magnification, magnified
from fleeting.frames.select import wanted_by
from fleeting.inputs import sequence
from fleeting.motion import MOTION, motion_channels
from fleeting.training.channel_meanings import meanings
from fleeting.training.mirror import mirrored
from frame_files import sample
from moving_crops import NAME, crops, numbers_of, picture


def of_sequence(**block: Any) -> sequence.Settings:
    return sequence.Settings.model_validate({"crop": "c", "algorithm": "farneback", **block})


@pytest.mark.parametrize("last", [10, 11, 13, 20, 77, 400])
@pytest.mark.parametrize("count", [2, 3, 10, 64])
def test_a_sequence_is_made_of_what_its_selection_selects(last: int, count: int) -> None:
    """All of it, in the order of time, and of the frames that are theirs alone."""
    selected = wanted_by(sequence.frames(of_sequence(count=count)))(
        sample("mine", "p1", "c1", 10, "", last)
    )
    rows = crops({"onset": 10, "offset": last}, *(w.frame for w in selected if not w.phase))
    (example,), missing = sequence.examples(rows, of_sequence(count=count))
    assert (example.name, example.phase, missing) == (NAME, "", [])
    assert numbers_of(example) == sorted({image.frame for image in selected})
    # Nor does it depend on crops that it does not need.
    every = crops({"onset": 10, "apex": 10, "offset": last}, *range(11, last))
    (same,), _ = sequence.examples(every, of_sequence(count=count))
    assert numbers_of(same) == numbers_of(example)


def test_moments_are_interpolated_linearly_in_time() -> None:
    """Of pictures whose brightness is linear in time, each moment has its own brightness."""
    settings = of_sequence(count=4)
    rows = crops({"onset": 10, "offset": 20}, 13, 14, 16, 17)
    (example,), _ = sequence.examples(rows, settings)
    shown = [np.full((5, 4, 3), 8 * number, np.uint8) for number in numbers_of(example)]
    array = sequence.array(example, shown, settings)
    assert (array.shape, array.dtype) == ((5, 4, 12), np.uint8)
    # 10, 13 1/3, 16 2/3 and 20.
    assert array[0, 0, ::3].tolist() == [80, 107, 133, 160]
    assert (array[0, 0, 0::3] == array[0, 0, 2::3]).all()


def test_crops_at_moments_that_are_frames_stay_as_they_are() -> None:
    settings = of_sequence(count=3)
    (example,), _ = sequence.examples(crops({"onset": 10, "offset": 14}, 12), settings)
    shown = [*np.random.default_rng(1).integers(0, 256, (3, 5, 4, 3), np.uint8)]
    array = sequence.array(example, shown, settings)
    assert np.array_equal(array, np.concatenate(shown, axis=2))
    at_once = crops({"onset": 10, "offset": 10})
    (example,), _ = sequence.examples(at_once, settings)
    assert example.crops == (at_once[0],), "one frame is shown three times"
    array = sequence.array(example, shown[:1], settings)
    assert np.array_equal(array, np.concatenate(shown[:1] * 3, axis=2))


@pytest.mark.parametrize(
    ("rows", "missing"),
    [
        (crops({"onset": 10}), Missing("phase_missing", "no offset crop")),
        (crops({"offset": 10}, 5), Missing("phase_missing", "no onset crop")),
        ([], Missing("phase_missing", "no onset and no offset crop")),
        (
            crops({"onset": 10, "offset": 20}, 13, 14),
            Missing(
                *("moment_missing", "moment 3 of 4, at frame 16.7, lies between the crops of "),
            ),
        ),
        # Those of another selection.
        (crops({"onset": 10, "apex": 15, "offset": 20}), Missing("moment_missing", "moment 2 of")),
        (crops({"onset": 10, "offset": 14}), Missing("moment_missing", "moment 2 of 4")),
    ],
)
def test_a_sequence_without_the_crops_of_a_moment(rows: list[Crop], missing: Missing) -> None:
    made, (found,) = sequence.examples(rows, of_sequence(count=4))
    assert made == []
    assert found.code == missing.code
    assert found.detail.startswith(missing.detail)


@pytest.mark.parametrize(
    ("onset", "others", "used", "shown"),
    [
        # The moments are 10, 30.5 and 51. 32 stands in for 30 and 31, and is there twice.
        (10, [32, 32], [10, 32, 51], 30.5),
        (10, [28, 32], [10, 28, 32, 51], 30.5),
        # Of its two frames one is excluded.
        (10, [31], [10, 31, 51], 30.5),
        # 12 stands in for the onset, so that the moment is 31.5.
        (12, [30, 31], [12, 31, 51], 31.5),
    ],
)
def test_a_neighbour_may_stand_in_for_a_missing_frame(
    onset: int, others: list[int], used: list[int], shown: float
) -> None:
    """Up to half of the way to the next moment; the weights follow the frames that there are."""
    settings = of_sequence(count=3)
    rows = crops({"onset": onset, "offset": 51}, *others)
    (example,), missing = sequence.examples(rows, settings)
    assert (numbers_of(example), missing) == (used, [])
    pictures = [np.full((2, 2, 3), 4 * number, np.uint8) for number in used]
    assert sequence.array(example, pictures, settings)[0, 0, 3] == 4 * shown


def test_a_sequence_of_flow_is_from_the_first_moment_to_each_later_one() -> None:
    settings = of_sequence(count=3, of="flow", size=16, unit=2)
    (example,), _ = sequence.examples(crops({"onset": 10, "offset": 13}, 11, 12), settings)
    shown = [picture(0.5 * number) for number in range(4)]
    array = sequence.array(example, shown, settings)
    assert (array.shape, array.dtype) == ((16, 16, 6), np.float32)
    half = np.rint((shown[1].astype(float) + shown[2]) / 2).astype(np.uint8)
    for place, later in enumerate((half, shown[3])):
        own = optical_flow.motion(example, shown[0], [later], settings)
        assert np.array_equal(array[..., 3 * place : 3 * place + 3], own)
    inner = array[4:-4, 4:-4]
    assert inner[..., 0].mean() == pytest.approx(0.75, abs=0.1)
    assert inner[..., 3].mean() == pytest.approx(1.5, abs=0.1)
    assert sequence.values(settings) == Values(
        tuple(f"frame{n}_{name}" for n in (2, 3) for name in MOTION), 0, 2
    )


def test_moments_are_magnified_once_they_are_evenly_spaced() -> None:
    magnify = {"amplification": 2, "fast": 1, "slow": 0}
    plain, settings = of_sequence(count=3), of_sequence(count=3, magnify=magnify)
    (example,), _ = sequence.examples(crops({"onset": 10, "offset": 13}, 11, 12), settings)
    shown = [picture(0.5 * number) for number in range(4)]
    moments = np.split(sequence.array(example, shown, plain), 3, axis=2)
    expected = magnified(moments, Magnification.model_validate(magnify))
    array = sequence.array(example, shown, settings)
    assert np.array_equal(array, np.concatenate(expected, axis=2))
    assert not np.array_equal(array[..., 6:], moments[2])
    of_flow = of_sequence(count=3, of="flow", magnify=magnify)
    own = optical_flow.motion(example, expected[0], [expected[2]], of_flow)
    assert np.array_equal(sequence.array(example, shown, of_flow)[..., 3:], own)


def test_what_the_channels_of_a_sequence_mean() -> None:
    """A mirror negates each horizontal motion, and flips colours."""
    names = sequence.values(of_sequence(count=12)).channels
    assert names[:3] == ("frame1_red", "frame1_green", "frame1_blue")
    assert names[-1] == "frame12_blue"
    assert meanings(names, "a test") == ["red", "green", "blue"] * 12
    values = torch.rand(2, 6, 4, 4)
    of_flow = sequence.values(of_sequence(count=3, of="flow")).channels
    signs = torch.tensor([-1, 1, 1, -1, 1, 1]).view(1, 6, 1, 1)
    assert torch.equal(mirrored(values, of_flow, "a test"), values.flip(3) * signs)
    assert torch.equal(mirrored(values, names[:6], "a test"), values.flip(3))
    # A baseline that looks at one motion is left out.
    assert motion_channels(of_flow) == []
    assert motion_channels(of_flow[:3]) == [0, 1, 2]


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ({"count": 1}, "count"),
        ({"count": 65}, "count"),
        ({"of": "frames"}, "of"),
        ({"size": 28}, "size, unit and measured_in are of flows: remove them, or set `of: flow`"),
        ({"unit": 4}, "size, unit and measured_in are of flows"),
        ({"measured_in": "eye_distances"}, "measured_in are of flows"),
    ],
)
def test_wrong_settings_of_a_sequence(block: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        of_sequence(**block)


def config(crop: dict[str, Any], **block: Any) -> dict[str, Any]:
    crops_ = {"paper": {}, "face": {"box": "clip", **crop}}
    inputs = {"paper": {"kind": "image", "crop": "paper"}, "motion": {"crop": "face", **block}}
    databases = {"casme2": {"root": "/data/CASME2"}}
    return load({"databases": databases, "crops": crops_, "inputs": inputs})


@pytest.mark.parametrize(
    ("frames", "block", "message"),
    [
        (
            "phases",
            {"kind": "sequence"},
            r"sequence is made of `frames: \{kind: even, count: 10\}`",
        ),
        ({"kind": "even", "count": 9}, {"kind": "sequence"}, r"set it in crops\.face, or in a bl"),
        ("even", {"kind": "sequence", "count": 9}, "kind: even, count: 9"),
        ("phases", {"kind": "flow_around_apex"}, r"`frames: \{kind: around_apex\}`"),
        ("even", {"kind": "flow_around_apex"}, r"`frames: \{kind: around_apex\}`"),
    ],
)
def test_crops_of_other_frames_are_refused(frames: Any, block: Any, message: str) -> None:
    with pytest.raises(UserError, match=rf"inputs\.motion\.crop: .*{message}") as refused:
        config({"frames": frames}, **block)
    assert str(refused.value).count("inputs.motion.crop") == 1


def test_crops_of_their_frames() -> None:
    config({"frames": "even"}, kind="sequence")
    config({"frames": {"kind": "even", "count": 4}}, kind="sequence", count=4, of="flow", size=28)
    config({"frames": {"kind": "around_apex", "step": 3}}, kind="flow_around_apex")
    for kind, frames in (("sequence", "even"), ("flow_around_apex", "around_apex")):
        with pytest.raises(UserError, match="set `box: clip` in crops.face"):
            config({"frames": frames, "box": "frame"}, kind=kind)
