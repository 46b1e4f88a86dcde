"""The flow from the onset to frames around the apex: which frames, their mean, and less noise."""

from typing import Any

import numpy as np
import pytest

from fleeting.examples import optical_flow
from fleeting.examples.input import Crop, Example, Missing
from fleeting.examples.magnification import magnified
from fleeting.inputs import flow, flow_around_apex
from moving_crops import NAME, crops, numbers_of, picture


def around_apex(**block: Any) -> flow_around_apex.Settings:
    return flow_around_apex.Settings.model_validate(
        {"crop": "c", "algorithm": "farneback", **block}
    )


@pytest.mark.parametrize(
    ("rows", "used"),
    [
        (crops({"onset": 10, "apex": 20, "offset": 40}, 18, 19, 22), [10, 18, 19, 20, 22]),
        # Without neighbours, as in the shortest clips, it is the flow to the apex.
        (crops({"onset": 10, "apex": 20, "offset": 40}), [10, 20]),
        (crops({"onset": 10, "apex": 10}), [10, 10]),
        # Neighbours that stand in for missing frames.
        (crops({"onset": 10, "apex": 12}, 8, 10, 11, 12), [10, 11, 12]),
    ],
)
def test_the_frames_around_the_apex(rows: list[Crop], used: list[int]) -> None:
    (example,), missing = flow_around_apex.examples(rows, around_apex())
    assert (example.name, example.phase, missing) == (NAME, "", [])
    assert numbers_of(example) == used
    phases = [crop["phase"] for crop in example.crops]
    assert phases[0] == "onset"
    assert phases.count("apex") == 1
    assert "offset" not in phases


def test_around_an_apex_that_is_not_there() -> None:
    made = flow_around_apex.examples(crops({"onset": 10, "offset": 40}, 20), around_apex())
    assert made == ([], [Missing("phase_missing", "no apex crop")])


def test_the_mean_of_flows_and_its_strain() -> None:
    onset, *others = (picture(moved) for moved in (0, 0.8, 1, 1.2))
    example = Example(NAME, "", ())
    array = flow_around_apex.array(example, [onset, *others], around_apex())
    single = [flow.array(example, [onset, other], around_apex()) for other in others]
    assert array[..., :2] == pytest.approx(np.mean(single, axis=0)[..., :2], abs=1e-6)
    assert np.array_equal(array[..., 2], optical_flow.strain(array[..., :2]))
    assert flow_around_apex.array(example, [onset, others[0]], around_apex()) == pytest.approx(
        single[0]
    )
    small = flow_around_apex.array(example, [onset, *others], around_apex(size=16))
    assert small.shape == (16, 16, 3)
    assert small.mean((0, 1)) == pytest.approx(array.mean((0, 1)), abs=1e-4)


def test_each_frame_is_magnified_against_the_onset() -> None:
    onset, *others = (picture(moved) for moved in (0, 0.2, 0.3, 0.4))
    settings = around_apex(magnify={"amplification": 2, "fast": 1, "slow": 0})
    example = Example(NAME, "", ())
    array = flow_around_apex.array(example, [onset, *others], settings)
    larger = [magnified([onset, other], settings.magnify)[1] for other in others]
    assert np.array_equal(array, optical_flow.motion(example, onset, larger, around_apex()))
    plain = optical_flow.motion(example, onset, others, around_apex())
    assert np.median(array[..., 0]) > 1.5 * np.median(plain[..., 0])


def test_noise_is_averaged_out() -> None:
    random = np.random.default_rng(7)
    onset = picture(0)

    def noisy() -> np.ndarray:
        return np.clip(picture(1) + random.normal(0, 3, onset.shape), 0, 255).astype(np.uint8)

    apexes = [noisy() for _ in range(5)]
    found = [
        flow_around_apex.array(Example(NAME, "", ()), [onset, *some], around_apex())
        for some in (apexes[:1], apexes)
    ]
    one, five = (array[8:-8, 8:-8] for array in found)
    assert five[..., :2].std() > 0
    assert five[..., 0].std() < 0.6 * one[..., 0].std()
    assert five[..., 2].mean() < 0.6 * one[..., 2].mean(), "the noise has a strain of its own"
