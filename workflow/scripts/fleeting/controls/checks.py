"""What a control must show, and whether it did."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from fleeting import tsv
from fleeting.evaluation.intervals import BOOTSTRAP, Bootstrap, Interval, draw
from fleeting.evaluation.metrics import uar
from fleeting.evaluation.paired import Difference, counts_of, difference, subjects_of

#: How far from chance a score without any skill may be, with its whole interval.
MARGIN = 0.05
CHECKS: tsv.Schema = {
    "control": tsv.NAME,
    "of": tsv.NAME,
    "measure": tsv.NAME,
    "value": tsv.NUMBER,
    "interval_low": tsv.NUMBER,
    "interval_high": tsv.NUMBER,
    "above": tsv.NUMBER,
    "below": tsv.NUMBER,
    "passed": tsv.INTEGER,
}


@dataclass(frozen=True)
class Check:
    """A measured interval, and the bounds that all of it must lie between.

    Attributes:
        control: `positive`, `negative` or `leak`.
        of: the experiment, and what was done to it.
        measure: what was measured.
        found: its value and interval; a range over single subjects passes no check.
        above: the lower bound.
        below: the upper bound.
    """

    control: str
    of: str
    measure: str
    found: Interval | Difference
    above: float
    below: float

    @property
    def passed(self) -> bool:
        """Whether the whole interval lies between the bounds."""
        found = self.found
        return found.kind == BOOTSTRAP and self.above < found.low and found.high < self.below

    @property
    def text(self) -> str:
        """One line for reading."""
        found = self.found
        wanted = [f"above {self.above:.3f}"] if np.isfinite(self.above) else []
        wanted += [f"below {self.below:.3f}"] if np.isfinite(self.below) else []
        return (
            f"{'passed' if self.passed else 'FAILED'}  {self.control}, {self.of}: {self.measure} "
            f"{found.mean:.3f} [{found.low:.3f}, {found.high:.3f}], wanted {' and '.join(wanted)}"
        )

    def row(self) -> dict[str, object]:
        """The check as a row of `CHECKS`."""
        bounds = [bound if np.isfinite(bound) else np.nan for bound in (self.above, self.below)]
        return {
            "control": self.control,
            "of": self.of,
            "measure": self.measure,
            "value": self.found.mean,
            "interval_low": self.found.low,
            "interval_high": self.found.high,
            "above": bounds[0],
            "below": bounds[1],
            "passed": int(self.passed),
        }


def learnt(experiment: str, counts: pd.DataFrame) -> Check:
    """The positive control: the UAR of subjects never trained on is well above chance."""
    found, chance = _pooled([counts])
    return Check("positive", experiment, "UAR", found, chance + MARGIN, np.inf)


def not_learnt(experiment: str, unit: str, counts: Sequence[pd.DataFrame]) -> Check:
    """The negative control: the mean UAR over permutations of the labels is chance.

    Each permutation was trained and tested for itself. The interval is over subjects and
    permutations.

    Args:
        experiment: whose labels were permuted.
        unit: what kept its labels together.
        counts: of each permutation.
    """
    found, chance = _pooled(counts)
    of = f"{experiment} with {len(counts)} permutations by {unit}"
    return Check("negative", of, "mean UAR", found, chance - MARGIN, chance + MARGIN)


def leaks(apart: pd.DataFrame, mixed: pd.DataFrame) -> Check:
    """The leak: the same folds with their subjects mixed have a higher UAR."""
    subjects, classes = subjects_of(apart), sorted(set(apart["label"]))
    databases = [database for database, _ in subjects]
    first, second = (counts_of(counts, subjects, classes) for counts in (mixed, apart))
    found = difference(first, second, databases, uar.score)
    return Check(
        "leak", "subjects mixed against subjects apart", "UAR difference", found, 0, np.inf
    )


def _pooled(tables: Sequence[pd.DataFrame]) -> tuple[Interval, float]:
    """The UAR of some tables of counts, their repeats taken together, and chance."""
    subjects = subjects_of(tables[0])
    classes = sorted(set(tables[0]["label"]))
    counts = np.concatenate([counts_of(table, subjects, classes) for table in tables])
    resamples = draw([database for database, _ in subjects], len(counts))
    interval = Bootstrap(counts, resamples).interval(uar.score, range(len(classes)))
    return interval, 1 / len(classes)
