"""Kernel ridge regression on the motion of small regions of the face, and of their mirror images.

A clip is similar to another as the mean over regions of how similar their motion is there, so that
one region that differs cannot make two clips unlike. The widths of the regions' kernels, the scale
of their mean and the regression are fitted in a fold, to its training examples; all else is done
for each clip, or pair of clips, by itself.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache, partial

import numpy as np
from numpy.typing import NDArray

from fleeting.evaluation.baseline import Examples, FoldData
from fleeting.motion import MOTION, motion_channels

TITLE = "regional kernel ridge"
LOOKS_AT = "motion"
DRAWS = False

#: Pixels of a side of the pictures, of a region, and from one region to the next.
SIDE, WINDOW, STRIDE = 28, 6, 2
#: The groups of channels, places in `MOTION`, whose regions are compared together.
GROUPS = ((0, 1), (2,))
PENALTY = 1.0
#: Of the standard deviation of the blur, in pixels.
BLUR = 1.0

Array = NDArray[np.float64]


def predict(fold: FoldData) -> Sequence[str]:
    """The class with the highest response, each class regressed against the rest.

    A training clip of a class with n_c of n clips in K classes weighs n / (K n_c).
    """
    train, test = fold.train_places, fold.test_places
    similar = kernel(*distances(fold.examples), train)
    names, label = np.unique(fold.train["label"].to_numpy(dtype=str), return_inverse=True)
    counts = np.bincount(label)
    weight = len(train) / (len(names) * counts[label])
    targets = np.where(label[:, None] == np.arange(len(names)), 1.0, -1.0)
    penalised = similar[np.ix_(train, train)] + PENALTY * np.diag(1 / weight)
    response = similar[np.ix_(test, train)] @ np.linalg.solve(penalised, targets)
    return [str(name) for name in names[response.argmax(axis=1)]]


def kernel(direct: Array, mirrored: Array, train: Sequence[int]) -> Array:
    """The similarity of every two examples, (N, N): one plus the mean of the regions' kernels.

    A fold's training examples decide the width of each region's kernel, the mean squared distance
    of two of them, and the scale of the mean: divided by its variance among them, not centred.

    Args:
        direct: see `distances`.
        mirrored: likewise.
        train: the places of the training examples.
    """
    count = mirrored.shape[-1]
    upper = np.triu_indices(count)
    chosen = np.zeros(count)
    chosen[train] = 1
    # Of different clips: the distance of a clip from itself is 0.
    pairs = len(train) * (len(train) - 1) / 2
    widths = np.maximum(direct @ np.outer(chosen, chosen)[upper] / max(pairs, 1), 1e-12)
    # NumPy computes outside Python's lock.
    with ThreadPoolExecutor(2) as pool:
        of_pairs, of_mirrored = pool.map(partial(_summed, widths), (direct, mirrored))
    both = (of_mirrored + of_mirrored.T) / 2
    both[upper] += of_pairs
    both.T[upper] = both[upper]
    both /= 2 * len(direct)
    among = both[np.ix_(train, train)]
    spread = np.trace(among) / len(among) - among.mean()
    return both / (spread if spread > 0 else 1) + 1


def _summed(widths: Array, squared: Array) -> Array:
    """The sum over regions (R, ...) of their kernels, whose widths are (R).

    One region at a time, in place: all at once would not fit into a processor's cache.
    """
    total, exponent = np.zeros(squared.shape[1:]), np.empty(squared.shape[1:])
    for own, width in zip(squared, widths, strict=True):
        np.multiply(own, -1 / width, out=exponent)
        total += np.exp(exponent, out=exponent)
    return total


@lru_cache(maxsize=1)
def distances(examples: Examples) -> tuple[Array, Array]:
    """The squared distances of every two examples in each region, and from the second's mirror.

    Returns:
        The upper triangle of each region's distances, which are symmetric, row by row: (R, P); and
        those from mirrored examples (R, N, N), which are not, as the face's sides are two regions.
    """
    from sklearn.metrics.pairwise import euclidean_distances

    places = motion_channels(examples.values.channels)
    scaled = (examples.scaled(one[..., places]) for one in examples.stored)
    clips = normalised(np.stack([resized(one) for one in scaled]))
    flipped = mirror(clips)
    regions = [
        pair
        for group in GROUPS
        for pair in zip(regions_of(clips, group), regions_of(flipped, group), strict=True)
    ]
    upper = np.triu_indices(len(clips))
    direct = np.empty((len(regions), len(upper[0])))
    mirrored = np.empty((len(regions), len(clips), len(clips)))
    for number, (own, turned) in enumerate(regions):
        direct[number] = euclidean_distances(own, squared=True)[upper]
        mirrored[number] = euclidean_distances(own, turned, squared=True)
    return direct, mirrored


def resized(values: Array) -> Array:
    """A clip (H, W, 3) at the side of the pictures."""
    import cv2

    if values.shape[:2] == (SIDE, SIDE):
        return values
    picture = np.ascontiguousarray(values)
    return np.asarray(cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_AREA))


def normalised(values: Array) -> Array:
    """Clips (N, 28, 28, 3), each made comparable with the others by itself.

    The medians of its horizontal and of its vertical motion, which are the head's, are taken off;
    each channel is blurred and divided by its root mean square.
    """
    from scipy.ndimage import gaussian_filter

    head = np.median(values, axis=(1, 2), keepdims=True)
    head[..., MOTION.index("strain")] = 0
    blurred = gaussian_filter(values - head, BLUR, axes=(1, 2))
    size = np.sqrt((blurred**2).mean(axis=(1, 2), keepdims=True))
    result: Array = blurred / (size + 1e-6)
    return result


def mirror(clips: Array) -> Array:
    """Clips flipped left to right, where motion to the right becomes motion to the left."""
    flipped = clips[:, :, ::-1].copy()
    flipped[..., MOTION.index("horizontal")] *= -1
    return flipped


def regions_of(clips: Array, channels: tuple[int, ...]) -> Array:
    """The regions of clips in some channels as vectors, (regions, N, values)."""
    windows = np.lib.stride_tricks.sliding_window_view(clips, (WINDOW, WINDOW), axis=(1, 2))
    chosen = windows[:, ::STRIDE, ::STRIDE][:, :, :, list(channels)]
    count, rows, columns = chosen.shape[:3]
    return chosen.reshape(count, rows * columns, -1).swapaxes(0, 1)
