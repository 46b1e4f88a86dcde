"""How sure a score is: the bootstrap over subjects, the trained models held fixed.

Subjects are drawn, not clips: the clips of one subject are alike, and an interval over clips is too
narrow. They are drawn within their database, and the same draw holds for all repeats; the repeats
are drawn as well. An interval says nothing of networks that other subjects would have trained.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fleeting.evaluation.confusion import Counts, true_counts

if TYPE_CHECKING:
    import pandas as pd

    from fleeting.evaluation.paired import Difference

#: What a page says of its intervals.
NOTE = (
    "A 95% interval is the percentile bootstrap over subjects, drawn within their database, and "
    "over repeats; it holds the trained models fixed, so it says how the score might differ on "
    "other subjects, not what training on others would give. Where the effective number of "
    "subjects, (sum n)² / sum n², is below ten, the range of the "
    "scores without one subject is given instead."
)

#: A metric: of matrices (..., K, K) and the classes that count, the value of each (...).
Score = Callable[[Counts, Sequence[int]], NDArray[np.float64]]

#: How many resamples an interval is made of.
RESAMPLES = 2000
#: The shares of resamples below an interval and below its upper end.
QUANTILES = (0.025, 0.975)
#: With fewer effective subjects than this there is no interval but a range.
FEWEST = 10
#: The values of `kind`.
BOOTSTRAP, RANGE = "bootstrap", "range"


@dataclass(frozen=True)
class Interval:
    """The mean of a score over repeats, and what it might have been.

    Attributes:
        mean: over the repeats.
        low: the lower end.
        high: the upper end.
        kind: `BOOTSTRAP`: the 95% percentile interval over resampled subjects and repeats;
            `RANGE`: the smallest and largest score without one of the subjects, where these are
            too few (NaN where there is one at most).
        subjects: how many subjects the group has, or have an example of its one class.
        effective_subjects: see `effective_number`.
        lacking: the share of the resamples in which a class has no example; its score counts as 0.
    """

    mean: float
    low: float
    high: float
    kind: str
    subjects: int
    effective_subjects: float
    lacking: float


def from_row(row: Mapping[Any, Any]) -> Interval:
    """The interval in a row of a table of scores (`schemas.SCORED`)."""
    return Interval(**{field.name: row[field.name] for field in fields(Interval)})


def text(low: float, high: float, kind: str) -> str:
    """The ends of an interval for reading, for example `[0.205, 0.301]`; empty if undefined."""
    if np.isnan(low):
        return ""
    if kind == RANGE:
        return f"({low:.3f} to {high:.3f}, range)"
    return f"[{low:.3f}, {high:.3f}]"


def columns(found: "Interval | Difference | None", prefix: str = "") -> dict[str, Any]:
    """An interval, or that of a difference, as columns of a table; None leaves them empty."""
    low, high, kind = (found.low, found.high, found.kind) if found else (np.nan, np.nan, "")
    return {
        f"{prefix}interval_low": low,
        f"{prefix}interval_high": high,
        f"{prefix}interval": kind,
    }


def texts(frame: "pd.DataFrame", prefix: str = "") -> list[str]:
    """The intervals of a table that has them as `columns` for reading."""
    return [
        text(*ends) for ends in zip(*(frame[name] for name in columns(None, prefix)), strict=True)
    ]


@dataclass(frozen=True)
class Resamples:
    """How often each resample (B) has each subject (S) and each repeat (R), which add up to R."""

    subjects: NDArray[np.float64]
    repeats: NDArray[np.float64]


def draw(strata: Sequence[str], repeats: int, seed: int = 1, count: int = RESAMPLES) -> Resamples:
    """Draw subjects with replacement, within their stratum, and repeats.

    Args:
        strata: the database of each subject (S).
        repeats: how many repeats there are.
        seed: decides the draw.
        count: B.
    """
    generator = np.random.default_rng(seed)
    names = np.asarray(strata)
    subjects = np.zeros((count, len(names)))
    for stratum in sorted(set(strata)):
        members = np.flatnonzero(names == stratum)
        shares = np.full(len(members), 1 / len(members))
        subjects[:, members] = generator.multinomial(len(members), shares, size=count)
    drawn = generator.multinomial(repeats, np.full(repeats, 1 / repeats), size=count)
    return Resamples(subjects, drawn.astype(float))


def effective_number(sizes: NDArray[np.float64]) -> float:
    """(sum n)^2 / sum n^2: as many subjects of one size would give as sure a mean.

    Args:
        sizes: the examples of each subject.
    """
    return float(sizes.sum() ** 2 / (sizes**2).sum())


class Bootstrap:
    """The resamples of a group of predictions, for any metric."""

    def __init__(self, counts: Counts, resamples: Resamples) -> None:
        """Pool the subjects of every resample: one matrix product.

        Args:
            counts: the confusion matrix of each repeat and subject (R, S, K, K).
            resamples: of these subjects and repeats.
        """
        self.counts, self.resamples = counts, resamples
        #: (B, R, K, K)
        self.pooled = np.tensordot(resamples.subjects, counts, axes=(1, 1))

    def present(self, classes: Sequence[int]) -> NDArray[np.intp]:
        """The subjects with examples of `classes`: a class is scored on those that have it."""
        return np.flatnonzero(self._sizes(classes))

    def effective_subjects(self, classes: Sequence[int]) -> float:
        """The effective number of these subjects, see `effective_number`."""
        sizes = self._sizes(classes)
        return effective_number(sizes) if sizes.any() else 0.0

    def kind(self, classes: Sequence[int]) -> str:
        """`RANGE` where the subjects are too few for an interval, or else `BOOTSTRAP`."""
        return RANGE if self.effective_subjects(classes) < FEWEST else BOOTSTRAP

    def mean(self, score: Score, classes: Sequence[int]) -> float:
        """The mean over repeats of a score."""
        return float(self._by_repeat(score, self.counts.sum(axis=1), classes).mean())

    def values(self, score: Score, classes: Sequence[int]) -> NDArray[np.float64]:
        """What the mean over repeats might have been: in every resample, or without each subject.

        Args:
            score: the metric.
            classes: those that the whole group has, also in resamples that lack one.
        """
        if self.kind(classes) == RANGE:
            own = self.counts[:, self.present(classes)].swapaxes(0, 1)
            return self._by_repeat(score, self.counts.sum(axis=1) - own, classes).mean(axis=-1)
        by_repeat = self._by_repeat(score, self.pooled, classes)
        return (by_repeat * self.resamples.repeats).sum(axis=1) / self.counts.shape[0]

    def interval(self, score: Score, classes: Sequence[int]) -> Interval:
        """The mean over repeats of a score, with its interval; see `values`."""
        kind = self.kind(classes)
        low, high = ends(self.values(score, classes), kind)
        return Interval(
            mean=self.mean(score, classes),
            low=low,
            high=high,
            kind=kind,
            subjects=len(self.present(classes)),
            effective_subjects=self.effective_subjects(classes),
            lacking=self._lacking(classes),
        )

    def _by_repeat(
        self, score: Score, counts: Counts, classes: Sequence[int]
    ) -> NDArray[np.float64]:
        """The scores of matrices (..., R, K, K), each over the classes that its repeat has.

        With a split of its own, a repeat may lack a class that others have; its score is that of
        scores.tsv. Of a class against the rest, every repeat has a score.
        """
        has = true_counts(self.counts.sum(axis=1), classes) > 0
        if has.all():
            return score(counts, classes)
        own = [np.asarray(classes)[row] if row.any() else classes for row in has]
        by_repeat = [score(counts[..., place, :, :], one) for place, one in enumerate(own)]
        return np.stack(by_repeat, axis=-1)

    def _sizes(self, classes: Sequence[int]) -> NDArray[np.float64]:
        return true_counts(self.counts, classes).sum(axis=(0, 2))

    def _lacking(self, classes: Sequence[int]) -> float:
        examples = true_counts(self.pooled, classes).sum(axis=1)
        return float((examples == 0).any(axis=-1).mean())


def ends(values: NDArray[np.float64], kind: str) -> tuple[float, float]:
    """The ends of an interval, or of a range, which needs two subjects at least."""
    if kind == BOOTSTRAP:
        low, high = np.quantile(values, QUANTILES)
    else:
        low, high = (values.min(), values.max()) if len(values) > 1 else (np.nan, np.nan)
    return float(low), float(high)
