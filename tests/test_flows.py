"""Optical flow: known motions, the sign of each channel, strain, size, unit and errors."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import cv2
import numpy as np
import pytest
from pydantic import ValidationError

from fleeting import registry
from fleeting.errors import UserError
from fleeting.examples import optical_flow
from fleeting.examples.input import Example, Values
from fleeting.inputs import flow as flow_input
from fleeting.synthetic.expressions import ActionUnits, action_units
from fleeting.synthetic.frame import Camera, Scene, Shown
from fleeting.synthetic.identity import Identity

EXAMPLE = Example("casme2/sub01/EP02/46", "", ())
ALGORITHMS = registry.names("flow")
SIDE, BORDER = 96, 16
INSIDE = np.s_[BORDER:-BORDER, BORDER:-BORDER]


@cache
def textured() -> np.ndarray:
    """Soft spots of some pixels on a larger picture, from 0 to 1."""
    random = np.random.default_rng(3)
    return cv2.GaussianBlur(random.random((SIDE, SIDE), np.float32), (0, 0), 2.5)


def warped(matrix: list[list[float]]) -> np.ndarray:
    """The texture in grey after an affine motion: matrix @ (right, down, 1)."""
    picture = cv2.warpAffine(
        *(textured(), np.array(matrix, float), (SIDE, SIDE)),
        flags=cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REFLECT_101,
    )
    low, high = textured().min(), textured().max()
    return np.clip(np.rint(255 * (picture - low) / (high - low)), 0, 255).astype(np.uint8)


def shifted(right: float, down: float) -> np.ndarray:
    return warped([[1, 0, right], [0, 1, down]])


def flow(name: str, before: np.ndarray, after: np.ndarray, **settings: Any) -> np.ndarray:
    module = registry.load("flow", name)
    found = module.flow(before, after, module.Settings(**settings))
    assert (found.shape, found.dtype) == ((*before.shape, 2), np.float32)
    return found


def example(before: np.ndarray, after: np.ndarray, **settings: Any) -> np.ndarray:
    """The array of the input `flow` of two grey pictures."""
    block = flow_input.Settings.model_validate({"crop": "c", "algorithm": "farneback", **settings})
    return flow_input.array(EXAMPLE, [np.dstack([one] * 3) for one in (before, after)], block)


@pytest.mark.parametrize("name", ALGORITHMS)
def test_a_known_shift(name: str) -> None:
    """Motion to the right and down is positive."""
    for right, down in ((1.5, -0.75), (-0.75, 1.5)):
        found = flow(name, shifted(0, 0), shifted(right, down))[INSIDE]
        errors = np.abs(found - [right, down])
        # As it is set by default, dis finds the flow in pictures of a quarter of the size.
        worst = np.quantile(errors, 0.95) if name == "dis" else errors.max()
        assert worst < 0.15


@pytest.mark.parametrize("name", ALGORITHMS)
def test_nothing_moves_from_a_picture_to_itself(name: str) -> None:
    assert np.abs(flow(name, shifted(0, 0), shifted(0, 0)))[INSIDE].max() < 1e-4


@pytest.mark.parametrize("name", ALGORITHMS)
def test_a_mirrored_clip_has_the_mirrored_flow(name: str) -> None:
    """As the recipe's mirror has it: flipped, the horizontal motion negated."""
    before, after = shifted(0, 0), warped([[1.02, 0.01, -1], [0, 0.99, 1]])
    found = flow(name, before, after)
    of_mirror = flow(name, before[:, ::-1].copy(), after[:, ::-1].copy())
    expected = found[:, ::-1] * [-1, 1]
    assert np.abs(of_mirror - expected)[INSIDE].mean() < 0.05 * np.abs(found[INSIDE]).max()


@pytest.mark.parametrize("name", ALGORITHMS)
def test_bytes_do_not_depend_on_opencvs_threads(name: str) -> None:
    before, after = shifted(0, 0), shifted(1, 1)
    threads, found = cv2.getNumThreads(), []
    for number in (1, 2, 3):
        cv2.setNumThreads(number)
        found.append(flow(name, before, after).tobytes())
    cv2.setNumThreads(threads)
    assert len(set(found)) == 1


#: Each setting changed from its default, and how OpenCV's own object calls it.
CHANGED: Mapping[str, Mapping[str, tuple[object, str]]] = {
    "tvl1": {
        "tau": (0.2, "Tau"),
        "lambda": (0.3, "Lambda"),
        "theta": (0.4, "Theta"),
        "scales": (2, "ScalesNumber"),
        "scale_step": (0.5, "ScaleStep"),
        "warps": (2, "WarpingsNumber"),
        "epsilon": (0.1, "Epsilon"),
        "inner_iterations": (3, "InnerIterations"),
        "outer_iterations": (1, "OuterIterations"),
        "gamma": (0.1, "Gamma"),
        "median_filtering": (3, "MedianFiltering"),
    },
    "farneback": {
        "levels": (0, "NumLevels"),
        "scale": (0.7, "PyrScale"),
        "window": (9, "WinSize"),
        "gaussian_window": (True, "Flags"),
        "iterations": (2, "NumIters"),
        "neighbourhood": (7, "PolyN"),
        "sigma": (1.5, "PolySigma"),
    },
    "dis": {
        "finest_scale": (0, "FinestScale"),
        "coarsest_scale": (1, "CoarsestScale"),
        "patch_size": (12, "PatchSize"),
        "patch_stride": (2, "PatchStride"),
        "gradient_descent_iterations": (1, "GradientDescentIterations"),
        "mean_normalization": (False, "UseMeanNormalization"),
        "spatial_propagation": (False, "UseSpatialPropagation"),
        "refinement_iterations": (1, "VariationalRefinementIterations"),
        "refinement_alpha": (5, "VariationalRefinementAlpha"),
        "refinement_delta": (1, "VariationalRefinementDelta"),
        "refinement_gamma": (1, "VariationalRefinementGamma"),
        "refinement_epsilon": (0.1, "VariationalRefinementEpsilon"),
    },
}
#: What OpenCV's objects have besides: of flows that are given, of graphics processors, a name.
NOT_OFFERED = {"UseInitialFlow", "FastPyramids", "DefaultName"}


@pytest.mark.parametrize("name", ALGORITHMS)
def test_settings_are_all_of_opencvs_with_its_defaults(name: str) -> None:
    create = {
        "tvl1": cv2.optflow.DualTVL1OpticalFlow_create,
        "farneback": cv2.FarnebackOpticalFlow_create,
        "dis": cv2.DISOpticalFlow_create,
    }[name]
    own = {
        key.removeprefix("get"): getattr(create(), key)()
        for key in dir(create())
        if key.startswith("get")
    }
    named = {called for _, called in CHANGED[name].values()}
    assert named == own.keys() - NOT_OFFERED
    defaults = registry.load("flow", name).Settings().model_dump(by_alias=True)
    assert defaults.pop("kind") == name
    assert defaults.keys() == CHANGED[name].keys()
    for key, value in defaults.items():
        expected = own[CHANGED[name][key][1]]
        assert (-1 if value is None else value) == pytest.approx(expected), key


@pytest.mark.parametrize(
    ("name", "key"), [(name, key) for name, keys in CHANGED.items() for key in keys]
)
def test_every_setting_reaches_opencv(name: str, key: str) -> None:
    # A change of light, which some settings are about.
    before, after = shifted(0, 0), cv2.convertScaleAbs(shifted(2.5, -2), alpha=0.9, beta=4)
    # In pictures of this size OpenCV would choose some of the settings of dis itself.
    base = {"finest_scale": 1} if name == "dis" and key != "finest_scale" else {}
    plain = flow(name, before, after, **base)
    assert not np.array_equal(
        flow(name, before, after, **base, **{key: CHANGED[name][key][0]}), plain
    )


@pytest.mark.parametrize(
    ("name", "block", "message"),
    [
        ("dis", {"patch_stride": 5, "patch_size": 4}, "patch_stride must be at most patch_size"),
        ("dis", {"patch_stride": 9}, "patch_stride"),
        ("dis", {"coarsest_scale": 1}, "coarsest_scale must be at least finest_scale"),
        ("tvl1", {"median_filtering": 4}, "median_filtering"),
        ("tvl1", {"scale_step": 1}, "scale_step"),
        ("farneback", {"neighbourhood": 6}, "neighbourhood"),
        ("farneback", {"levels": -1}, "levels"),
    ],
)
def test_settings_that_opencv_cannot_use(name: str, block: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        registry.load("flow", name).Settings.model_validate(block)


def test_strain_by_its_formula() -> None:
    right, down = np.meshgrid(np.arange(20.0), np.arange(30.0))
    stretch = np.dstack([0.02 * right, -0.01 * down]).astype(np.float32)
    assert optical_flow.strain(stretch) == pytest.approx(np.full((30, 20), np.hypot(0.02, 0.01)))
    shear = np.dstack([0.03 * down, 0.01 * right]).astype(np.float32)
    assert optical_flow.strain(shear) == pytest.approx(np.full((30, 20), 0.04 / np.sqrt(2)))
    turn = np.dstack([-0.02 * down, 0.02 * right]).astype(np.float32)
    assert np.abs(optical_flow.strain(turn)).max() < 1e-6, "a head that turns does not deform"
    assert optical_flow.strain(stretch).dtype == np.float32


def test_a_picture_that_is_stretched_has_that_strain() -> None:
    middle = (SIDE - 1) / 2
    stretched = warped([[1.04, 0, -0.04 * middle], [0, 1, 0]])
    found = example(shifted(0, 0), stretched, algorithm="tvl1")[INSIDE]
    assert found[..., 2].mean() == pytest.approx(0.04, abs=0.01)
    assert example(shifted(0, 0), shifted(2, 1))[INSIDE][..., 2].mean() < 0.01


def test_shrinking_keeps_the_mean_and_pixels_of_the_crop() -> None:
    before, after = shifted(0, 0), shifted(1.5, -0.75)
    whole = example(before, after)
    assert whole.shape == (SIDE, SIDE, 3)
    assert (whole[..., 2] == optical_flow.strain(whole[..., :2])).all()
    for size in (24, 28):
        small = example(before, after, size=size)
        assert (small.shape, small.dtype) == ((size, size, 3), np.float32)
        assert small.mean((0, 1)) == pytest.approx(whole.mean((0, 1)), abs=1e-4)
    blocks = whole.reshape(24, 4, 24, 4, 3).mean((1, 3))
    assert example(before, after, size=24) == pytest.approx(blocks, abs=1e-5)
    assert np.array_equal(example(before, after, size=SIDE), whole)


def test_one_scale_for_all_clips() -> None:
    """The unit is declared, and changes nothing that is stored; no motion is 0."""
    before, after = shifted(0, 0), shifted(1, 0)
    assert np.array_equal(example(before, after, unit=4), example(before, after))
    settings = flow_input.Settings(crop="c", unit=4)
    assert flow_input.values(settings) == Values(("horizontal", "vertical", "strain"), 0, 4)
    assert flow_input.values(flow_input.Settings(crop="c")).unit == 1
    assert settings.algorithm.kind == "tvl1"


def test_the_motion_is_that_of_grey_pictures() -> None:
    random = np.random.default_rng(0)
    colour = random.integers(0, 256, (2, 32, 32, 3), np.uint8)
    settings = flow_input.Settings.model_validate({"crop": "c", "algorithm": "farneback"})
    found = flow_input.array(EXAMPLE, [*colour], settings)
    grey = [cv2.cvtColor(one, cv2.COLOR_RGB2GRAY) for one in colour]
    assert np.array_equal(found, example(*grey))


@pytest.mark.parametrize(
    ("side", "block", "message"),
    [
        (32, {"size": 33}, "size is 33, but crops are 32 x 32 pixels; set a smaller one"),
        (11, {"algorithm": "dis"}, "dis needs crops of at least 12 x 12 pixels; set a larger"),
        (
            *(16, {"algorithm": {"kind": "dis", "patch_size": 32}}),
            r"dis has no flow of crops of 16 x 16 pixels \(.*\); set a larger `size` of the crops",
        ),
        (32, {"algorithm": {"kind": "tvl1", "tau": 1e38}}, "tvl1 diverges with these settings"),
    ],
)
def test_crops_and_settings_without_a_flow(side: int, block: dict[str, Any], message: str) -> None:
    before, after = (one[:side, :side].copy() for one in (shifted(0, 0), shifted(1, 0)))
    with pytest.raises(UserError, match=message):
        example(before, after, **block)


def test_the_face_moves_where_the_expression_is() -> None:
    """A raised brow or a smile moves more than the noise between two neutral frames."""
    scene = Scene(Identity("someone"), Camera(224, 224, face=66, x=112, y=95, grey=True))
    random = np.random.default_rng(0)

    def frame(units: ActionUnits) -> np.ndarray:
        return scene.frame(Shown(units, units), 1, random)

    neutral = frame(ActionUnits())
    floor = example(neutral, frame(ActionUnits()), size=28, algorithm="tvl1")
    brows = example(neutral, frame(action_units({1: 0.4, 2: 0.4})), size=28, algorithm="tvl1")
    smile = example(neutral, frame(action_units({12: 0.4})), size=28, algorithm="tvl1")
    upper, lower = np.s_[:14], np.s_[14:]
    moved = [np.hypot(one[..., 0], one[..., 1]) for one in (floor, brows, smile)]
    most = {
        name: [one[half].max() for one in moved]
        for name, half in (("upper", upper), ("lower", lower))
    }
    assert most["upper"][1] > 5 * most["upper"][0]
    assert most["lower"][2] > 5 * most["lower"][0]
    assert most["upper"][1] > 2 * most["lower"][1], "brows move the upper half"
    assert most["lower"][2] > 2 * most["upper"][2], "a smile moves the lower half"
    strongest = np.unravel_index(moved[1].argmax(), moved[1].shape)
    assert brows[strongest][1] < 0, "up"
    assert brows[..., 2].max() > 3 * floor[..., 2].max()
