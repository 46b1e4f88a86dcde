"""Motion magnification: its formula, how much farther things move, and what stays as it is."""

from typing import Any

import cv2
import numpy as np
import pytest
from pydantic import ValidationError

from fleeting.errors import UserError
from fleeting.examples.grey import grey
from fleeting.examples.input import Example
from fleeting.examples.magnification import Magnification, level_amplification, magnified
from fleeting.inputs import difference, flow, flow_onset_offset

SIDE = 128
#: Away from the borders, where the pyramid sees reflections.
INSIDE = np.s_[32:-32, 32:-32]
#: What differs from the first picture is the band, whole.
WHOLE = {"fast": 1, "slow": 0}


def grating(moved: float, wavelength: float, contrast: float = 40) -> np.ndarray:
    """(H, W, 3) uint8: vertical stripes, moved to the right by so many pixels."""
    phase = 2 * np.pi * (np.arange(SIDE) - moved) / wavelength
    return np.dstack([np.rint(128 + contrast * np.sin(phase)).astype(np.uint8)] * 3).repeat(SIDE, 0)


def moved_by(before: np.ndarray, after: np.ndarray, wavelength: float) -> float:
    """How far stripes moved, by the phase of their Fourier coefficient in whole wavelengths."""
    assert before[INSIDE].shape[1] % wavelength == 0
    wave = np.exp(-2j * np.pi * np.arange(SIDE) / wavelength)[INSIDE[1]]
    first, second = ((one[INSIDE][..., 0].mean(0) * wave).sum() for one in (before, after))
    return float(-np.angle(second / first) * wavelength / (2 * np.pi))


def blurred(values: np.ndarray, times: float) -> np.ndarray:
    """The five-tap filter of the pyramid along both axes, written out; borders are reflected."""
    for axis in (0, 1):
        padded = np.pad(values, [(2, 2) if n == axis else (0, 0) for n in (0, 1)], mode="reflect")
        taps = np.array([1, 4, 6, 4, 1]) * times / 16
        values = np.apply_along_axis(np.convolve, axis, padded, taps, "valid")
    return values


def test_one_level_by_its_formula() -> None:
    """The finest level alone: two running means of what the filter takes out."""
    random = np.random.default_rng(2)
    clip = [random.integers(80, 176, (32, 32), np.uint8) for _ in range(5)]
    settings = Magnification(amplification=2, wavelength=4, fast=0.6, slow=0.2, levels=1)
    found = magnified(clip, settings)
    details = []
    for picture in clip:
        enlarged = np.zeros((32, 32))
        enlarged[::2, ::2] = blurred(picture.astype(float), 1)[::2, ::2]
        details.append(picture - blurred(enlarged, 2))
    quick = late = details[0]
    for number, detail in enumerate(details):
        quick = 0.4 * quick + 0.6 * detail
        late = 0.8 * late + 0.2 * detail
        expected = np.clip(clip[number] + 2 * (quick - late), 0, 255)
        off = np.abs(found[number] - expected)[4:-4, 4:-4]
        assert off.max() <= 0.5 + 1e-3
        assert found[number].dtype == np.uint8
    assert not np.array_equal(found[4], clip[4])


@pytest.mark.parametrize("alpha", [1, 2, 4])
def test_a_motion_becomes_larger_by_one_plus_alpha(alpha: float) -> None:
    """Within the limit: (1 + alpha) x motion < wavelength / 8, by the phase of stripes."""
    before, after = grating(0, 32), grating(0.4, 32)
    settings = Magnification(amplification=alpha, wavelength=4, **WHOLE)
    first, second = magnified([before, after], settings)
    assert np.array_equal(first, before)
    assert moved_by(before, after, 32) == pytest.approx(0.4, abs=0.02)
    assert moved_by(before, second, 32) == pytest.approx(0.4 * (1 + alpha), rel=0.1)


def test_the_band_of_two_pictures_is_the_difference_of_the_rates() -> None:
    before, after = grating(0, 32), grating(0.4, 32)
    settings = Magnification(amplification=10, wavelength=4, fast=0.4, slow=0.05)
    _, second = magnified([before, after], settings)
    assert moved_by(before, second, 32) == pytest.approx(0.4 * (1 + 10 * 0.35), rel=0.1)


def test_a_slow_drift_is_amplified_less_than_a_quick_motion() -> None:
    settings = Magnification(amplification=5, wavelength=4, fast=0.5, slow=0.3)
    drift = [grating(0.02 * number, 32) for number in range(20)]
    jump = [grating(0.4 * (number >= 18), 32) for number in range(20)]
    added = [moved_by(one[-1], magnified(one, settings)[-1], 32) for one in (drift, jump)]
    assert added[1] > 3 * added[0] > 0


def test_what_is_finer_than_the_wavelength_is_amplified_less() -> None:
    """lambda_l / (8 delta) - 1 with delta = lambda_c / (8 (1 + alpha)), between 0 and alpha."""
    settings = Magnification(amplification=4, wavelength=16)
    factors = [level_amplification(level, settings) for level in range(5)]
    assert factors == pytest.approx([0.25, 1.5, 4, 4, 4])
    coarse = Magnification(amplification=4, wavelength=100)
    assert level_amplification(0, coarse) == 0
    by_wavelength = {}
    for wavelength in (4, 32):
        clip = [grating(0, wavelength), grating(0.1, wavelength)]
        _, second = magnified(clip, Magnification(amplification=4, wavelength=16, **WHOLE))
        by_wavelength[wavelength] = moved_by(clip[0], second, wavelength) / 0.1
    assert by_wavelength[4] < 2 < 4 < by_wavelength[32]


def test_a_still_clip_stays_and_so_does_light_that_changes_everywhere() -> None:
    textured = np.random.default_rng(1).integers(40, 160, (64, 64, 3), np.uint8)
    settings = Magnification(levels=5)
    assert all(np.array_equal(one, textured) for one in magnified([textured] * 4, settings))
    brighter = [textured + np.uint8(20 * number) for number in range(4)]
    for found, given in zip(magnified(brighter, settings), brighter, strict=True):
        assert np.array_equal(found, given)


def test_colours_are_magnified_each_by_itself_and_clipped() -> None:
    before, after = grating(0, 32, contrast=127), grating(2, 32, contrast=127)
    before[..., 1], after[..., 1] = 128, 128
    before[..., 2], after[..., 2] = before[..., 2] // 2, after[..., 2] // 2
    settings = Magnification(amplification=4, levels=4, **WHOLE)
    _, second = magnified([before, after], settings)
    assert (second[..., 1] == 128).all()
    assert (second[..., 0].min(), second[..., 0].max()) == (0, 255)
    for channel in (0, 2):
        alone = [np.ascontiguousarray(one[..., channel]) for one in (before, after)]
        assert np.array_equal(magnified(alone, settings)[1], second[..., channel])


def test_null_changes_nothing() -> None:
    clip = [grating(0, 32), grating(1, 32)]
    found = magnified(clip, None)
    assert all(one is other for one, other in zip(found, clip, strict=True))


@pytest.mark.parametrize("kind", [flow, flow_onset_offset])
def test_the_flow_of_magnified_crops_is_longer(kind: Any) -> None:
    """By optical flow, of a texture that moves by a third of a pixel."""
    random = np.random.default_rng(3).random((SIDE, SIDE)).astype(np.float32)
    texture = cv2.GaussianBlur(random, (0, 0), 4)
    texture = 60 + 120 * (texture - texture.min()) / np.ptp(texture)
    matrix = np.float32([[1, 0, 0.3], [0, 1, 0]])
    moved = cv2.warpAffine(
        *(texture, matrix, (SIDE, SIDE)), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101
    )
    pair = [np.dstack([np.rint(one).astype(np.uint8)] * 3) for one in (texture, moved)]

    def horizontal(**block: Any) -> float:
        settings = kind.Settings.model_validate({"crop": "c", "algorithm": "farneback", **block})
        return float(np.median(kind.array(Example("s", "", ()), pair, settings)[INSIDE][..., 0]))

    plain = horizontal()
    assert horizontal(magnify=None) == plain == pytest.approx(0.3, abs=0.05)
    longer = horizontal(magnify={"amplification": 3, "wavelength": 4, **WHOLE})
    assert longer == pytest.approx(4 * plain, rel=0.1)


def test_a_difference_of_magnified_crops() -> None:
    before, after = grating(0, 32), grating(0.4, 32)
    example, magnify = Example("s", "", ()), {"amplification": 3, "wavelength": 4, **WHOLE}
    plain, larger = (
        difference.array(
            *(example, [before, after]),
            difference.Settings.model_validate({"crop": "c", "magnify": block}),
        )
        for block in (None, magnify)
    )
    assert np.array_equal(plain[..., 0], grey(after).astype(int) - grey(before))
    slope = (plain[INSIDE] * larger[INSIDE]).sum() / (plain[INSIDE] ** 2).sum()
    assert slope == pytest.approx(4, rel=0.1)


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ({"fast": 0.1, "slow": 0.2}, "fast must be more than slow"),
        ({"fast": 0.2, "slow": 0.2}, "fast must be more than slow"),
        ({"fast": 1.5}, "fast"),
        ({"slow": -0.1}, "slow"),
        ({"amplification": 0}, "amplification"),
        ({"wavelength": 0}, "wavelength"),
        ({"levels": 0}, "levels"),
        ({"alpha": 10}, "unknown key 'alpha'"),
    ],
)
def test_wrong_settings(block: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Magnification.model_validate(block)


def test_more_levels_than_a_crop_has() -> None:
    clip = [np.zeros((40, 31, 3), np.uint8)] * 2
    magnified(clip, Magnification(levels=4))
    with pytest.raises(UserError, match=r"magnify\.levels is 5, but crops of 31 .* at most 4"):
        magnified(clip, Magnification(levels=5))
