"""The psychometric curve of a classifier: its UAR against how far the face moves.

UAR = 1/K + (1 - 1/K - lapse) x Phi(a log dose + b), with the normal distribution function Phi. The
threshold is the dose halfway up the curve, where a log dose + b = 0.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import curve_fit
from scipy.stats import norm

from fleeting.evaluation.intervals import QUANTILES

Array = NDArray[np.float64]
#: The slopes that are tried, per factor e of the dose: from flatter than any range of doses shows
#: to a step between two doses.
SLOPES = (0.3, 10.0)
#: How far outside the doses, as a factor, the midpoint of a curve is looked for.
BEYOND = 20.0


@dataclass(frozen=True)
class Curve:
    """A fitted curve; `slope` is a, `intercept` b."""

    classes: int
    slope: float
    intercept: float
    lapse: float

    @property
    def threshold(self) -> float:
        """The dose at which the UAR is halfway between chance and the most that is reached."""
        return float(np.exp(-self.intercept / self.slope))

    def score(self, doses: Array) -> Array:
        """The UAR at each dose."""
        logs = np.log(doses)
        return _score(logs, self.slope, -self.intercept / self.slope, self.lapse, self.classes)


@dataclass(frozen=True)
class Threshold:
    """A threshold with its 95% interval, in the unit of the doses.

    Nothing is known outside the doses: a threshold or an end of its interval that lies there is
    given as the smallest or largest dose.

    Attributes:
        value: the threshold.
        low: the lower end of its interval.
        high: the upper end.
        outside: `below` or `above` where the threshold is outside the doses, else empty.
    """

    value: float
    low: float
    high: float
    outside: str


def fit(doses: Array, scores: Array, classes: int) -> Curve:
    """The curve with the least squares.

    A curve climbs to halfway from chance to 1 at least (the lapse is bounded): scores that stay
    lower have their threshold above the doses.

    Args:
        doses: the rendered movement at each dose, above 0 (D).
        scores: the UAR at each dose (D).
        classes: K.

    Raises:
        RuntimeError: the search for the curve did not end.
    """
    logs = np.log(doses)
    reach = np.log(BEYOND)
    low = (SLOPES[0], logs.min() - reach, 0.0)
    high = (SLOPES[1], logs.max() + reach, (1 - 1 / classes) / 2)

    def curve(x: Array, slope: float, middle: float, lapse: float) -> Array:
        return _score(x, slope, middle, lapse, classes)

    halfway = (1 + 1 / classes) / 2
    first = next((log for log, score in zip(logs, scores, strict=True) if score > halfway), high[1])
    start = (2.0, min(first, logs.max() + 1), 0.02)
    (slope, middle, lapse), _ = curve_fit(curve, logs, scores, p0=start, bounds=(low, high))
    return Curve(classes, float(slope), float(-slope * middle), float(lapse))


def threshold(doses: Array, scores: Array, resampled: Array, classes: int) -> Threshold:
    """The threshold, with the percentile interval over resampled subjects.

    A resample whose curve is not found counts as one whose threshold is above the doses.

    Args:
        doses: as in `fit` (D).
        scores: the UAR at each dose (D).
        resampled: the UAR at each dose for every resample of the subjects (B, D).
        classes: K.
    """
    found = fit(doses, scores, classes).threshold
    values = [_threshold_or_above(doses, row, classes) for row in resampled]
    ends = doses.min(), doses.max()
    low, high = np.clip(np.quantile(values, QUANTILES), *ends)
    outside = "below" if found < ends[0] else "above" if found > ends[1] else ""
    return Threshold(float(np.clip(found, *ends)), float(low), float(high), outside)


def _threshold_or_above(doses: Array, scores: Array, classes: int) -> float:
    try:
        return fit(doses, scores, classes).threshold
    except RuntimeError:
        return float(BEYOND * doses.max())


def _score(logs: Array, slope: float, middle: float, lapse: float, classes: int) -> Array:
    chance = 1 / classes
    return np.asarray(chance + (1 - chance - lapse) * norm.cdf(slope * (logs - middle)))
