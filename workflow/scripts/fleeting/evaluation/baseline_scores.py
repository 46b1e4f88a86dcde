"""The scores of an experiment's baselines, as tables and figures show them."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from fleeting.evaluation import schemas
from fleeting.evaluation.intervals import Interval, from_row

#: What a baseline is given, for reading.
GIVEN = {"labels": "annotations alone", "examples": "the examples", "motion": "the examples"}


@dataclass(frozen=True)
class BaselineScore:
    """One score of one baseline, with its interval."""

    name: str
    title: str
    looks_at: str
    repeats: int
    interval: Interval

    @property
    def score(self) -> float:
        """The mean over its repeats, of which those that draw nothing have one."""
        return self.interval.mean


class BaselineScores:
    """The table evaluation/baselines.tsv of an experiment."""

    def __init__(self, path: Path) -> None:
        """Read the table."""
        self._scores: dict[tuple[str, str], list[BaselineScore]] = {}
        for row in schemas.read(path, schemas.BASELINES).to_dict("records"):
            about = row["baseline"], row["title"], row["looks_at"], row["repeats"]
            found = BaselineScore(*about, from_row(row))
            self._scores.setdefault((row["group"], row["metric"]), []).append(found)

    def scores(self, metric: str, group: str = "all") -> list[BaselineScore]:
        """A score of all baselines, in the order of the config; empty for the group of a class."""
        return self._scores.get((group, metric), [])

    def nulls(self, metric: str, group: str = "all") -> list[BaselineScore]:
        """The same of the null models, which are given the annotations alone."""
        return [one for one in self.scores(metric, group) if one.looks_at == "labels"]

    def best(self, metric: str, group: str = "all") -> BaselineScore | None:
        """The baseline with the highest score, among equals the first; None if there is none."""
        return max(self.scores(metric, group), key=lambda one: one.score, default=None)

    def best_null(self, metric: str, group: str = "all") -> BaselineScore | None:
        """The same of the null models."""
        return max(self.nulls(metric, group), key=lambda one: one.score, default=None)

    def highest_nulls(self, metrics: Iterable[str], group: str = "all") -> dict[str, float | None]:
        """The highest score of a null model by metric, None where there is none."""
        found = {metric: self.best_null(metric, group) for metric in metrics}
        return {metric: best.score if best else None for metric, best in found.items()}
