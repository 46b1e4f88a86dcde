"""The regional kernel ridge: learns motion, not permuted labels, and is what its recipe says."""

import numpy as np
import pandas as pd
import pytest

from fleeting.evaluation.baseline import Examples, FoldData
from fleeting.evaluation.baselines import regional_kernel_ridge as ridge
from fleeting.motion import motion_channels
from fleeting.splits.gate import ArrayFormat

CLASSES = ("left", "lower", "upper")
MOTION = ArrayFormat(
    channels=("horizontal", "vertical", "strain"),
    zero=128,
    unit=64,
    shape=(28, 28, 3),
    dtype="uint8",
)
#: Of a sequence of motions.
SEVERAL = tuple(
    f"{moment}_{meaning}" for moment in ("apex", "offset") for meaning in MOTION.channels
)
COUNT = 90
LABELS = np.array([CLASSES[number % 3] for number in range(COUNT)])


def clips(size: int = 28, head: float = 0.3, seed: int = 1) -> np.ndarray:
    """(90, size, size, 3) uint8: noise, a shift of the head, and motion where the class has it.

    How strong it is and where exactly differ from clip to clip.
    """
    generator = np.random.default_rng(seed)
    places = {"left": (0.5, 0.2), "lower": (0.8, 0.5), "upper": (0.2, 0.5)}
    rows, columns = np.mgrid[:size, :size] / size
    made = []
    for label in LABELS:
        y, x = np.add(places[label], generator.normal(0, 0.03, 2))
        bump = np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / 0.02)
        motion = generator.uniform(0.3, 1) * np.stack([bump, -bump, abs(bump - 0.5)], axis=2)
        motion[..., :2] += generator.normal(0, head, 2)
        motion += generator.normal(0, 0.1, motion.shape)
        made.append(motion)
    return (128 + 64 * np.stack(made)).round().clip(0, 255).astype(np.uint8)


def examples(stored: np.ndarray, values: ArrayFormat = MOTION) -> Examples:
    return Examples([str(number) for number in range(len(stored))], lambda: stored, values)


def accuracy(given: Examples, labels: np.ndarray = LABELS) -> float:
    """Of ten folds."""
    table = pd.DataFrame({"example": list(given.places), "label": labels})
    right = 0
    for fold in range(10):
        tested = np.random.default_rng(3).permutation(COUNT) % 10 == fold
        train, test = table[~tested], table[tested]
        found = ridge.predict(FoldData(CLASSES, train, test.drop(columns="label"), given, 1))
        right += (np.array(found) == test["label"]).sum()
    return right / COUNT


def test_it_learns_motion_and_not_permuted_labels() -> None:
    given = examples(clips())
    assert accuracy(given) > 0.95
    permuted = [
        accuracy(given, np.random.default_rng(seed).permutation(LABELS)) for seed in range(5)
    ]
    assert np.mean(permuted) == pytest.approx(1 / 3, abs=0.08)


def test_the_size_of_the_pictures_and_the_order_of_the_channels_do_not_matter() -> None:
    assert accuracy(examples(clips(size=64))) > 0.95
    stored, format_ = clips()[..., ::-1], MOTION.model_dump()
    turned = ArrayFormat(**{**format_, "channels": ("strain", "vertical", "horizontal")})
    expected, found = (
        ridge.distances(one)[0] for one in (examples(clips()), examples(stored, turned))
    )
    assert (found == expected).all()


def test_the_kernel_is_the_one_of_the_recipe() -> None:
    """Written out by loops for a few clips."""
    stored = clips()[:8]
    train = [0, 1, 2, 3, 4]
    own = ridge.normalised((stored - 128.0) / 64)
    turned = ridge.mirror(own)
    assert own.shape == (8, 28, 28, 3)
    assert (own**2).mean(axis=(1, 2)) == pytest.approx(np.ones((8, 3)), abs=1e-4)
    assert turned[:, :, 3, 0] == pytest.approx(-own[:, :, 24, 0])
    assert turned[:, :, 3, 2] == pytest.approx(own[:, :, 24, 2])
    total, count = np.zeros((8, 8)), 0
    for channels in ([0, 1], [2]):
        for top in range(0, 23, 2):
            for left in range(0, 23, 2):
                region = np.s_[:, top : top + 6, left : left + 6]
                one, other = (part[region][..., channels].reshape(8, -1) for part in (own, turned))
                direct = ((one[:, None] - one) ** 2).sum(axis=2)
                mirrored = ((one[:, None] - other) ** 2).sum(axis=2)
                pairs = [direct[a, b] for a in train for b in train if a != b]
                total += (np.exp(-direct / np.mean(pairs)) + np.exp(-mirrored / np.mean(pairs))) / 2
                count += 1
    assert count == 288
    expected = (total + total.T) / 2 / count
    fitted = expected[:5, :5]
    expected = expected / (np.trace(fitted) / 5 - fitted.mean()) + 1
    found = ridge.kernel(*ridge.distances(examples(stored)), train)
    assert found == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize(
    ("channels", "places"),
    [
        (("horizontal", "vertical", "strain"), [0, 1, 2]),
        (("apex_strain", "apex_vertical", "apex_horizontal", "red"), [2, 1, 0]),
        (SEVERAL, []),
        (("red", "green", "blue"), []),
        (("horizontal", "vertical", "blue"), []),
    ],
)
def test_motion_is_recognised_by_the_names_of_its_channels(channels, places) -> None:
    assert motion_channels(channels) == places
