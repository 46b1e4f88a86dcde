"""What a network gains over each baseline: both are scored on the same resampled subjects."""

from fleeting.evaluation.metrics import uar
from fleeting.evaluation.paired import Difference, counts_of, difference, subjects_of
from fleeting.evaluation.summary import Choice, Summary, of_configuration


def gains(summary: Summary, choice: Choice) -> dict[str, Difference]:
    """The UAR of a choice minus that of each baseline, by its name; empty without a run.

    Where each repeat has a split of its own, it has so for the baselines: only their repeats of
    that number have the same test examples.
    """
    own = of_configuration(summary.counts, choice.model, choice.lr)
    subjects = subjects_of(own)
    found = {}
    for name, of_baseline in summary.baseline_counts.groupby("baseline", sort=False):
        if own.empty:
            continue
        if summary.redrawn:
            of_baseline = of_baseline[of_baseline["repeat"].isin(own["repeat"])]
        one, other = (counts_of(table, subjects, summary.classes) for table in (own, of_baseline))
        found[str(name)] = difference(
            one,
            other,
            [database for database, _ in subjects],
            uar.score,
            paired_repeats=summary.redrawn,
        )
    return found
