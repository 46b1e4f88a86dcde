"""The best score that the pictures of a phase allow, where it is known what each shows.

The paper gives a clip's emotion to its onset and offset as well, at which a face may be nearly
neutral. In a synthetic database the truth is known: which action units an annotated frame shows, if
any. A perfect reader of pictures knows three things: the database; the action units, unless their
intensity is 0; and the clip or subject, which helps only if other images of it are trained on.
Pictures that agree in all three must get one class, the one that scores best. The ceiling is that
score: the Bayes accuracy, or UAR, of this labelling under this protocol, noise aside, with the
class shares taken from the tested pictures themselves.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from fleeting import tsv

#: The columns that are read of a synthetic database's truth.
TRUTH: tsv.Schema = {
    "sample": tsv.NAME,
    **{f"{phase}_intensity": tsv.NUMBER for phase in tsv.PHASES},
    "action_units": tsv.NAME,
}
#: The metrics that have a ceiling; the best UF1 has no such formula.
METRICS = ("accuracy", "uar")


def with_seen(tested: pd.DataFrame, split: pd.DataFrame, truth: pd.DataFrame) -> pd.DataFrame:
    """The test examples of a phase, with the column `seen`: all that a picture tells.

    Args:
        tested: the rows of split.tsv that are tested; those without a phase are left out.
        split: split.tsv.
        truth: `TRUTH`, of all databases.
    """
    of_phase = tested[tested["phase"] != ""]
    trained = split[split["split"] == "train"]
    clips = set(_rows(trained, "fold", "sample"))
    subjects = set(_rows(trained, "fold", "database", "subject"))
    rendered: dict[str, Mapping[Any, str]] = {
        row["sample"]: row for row in truth.to_dict("records")
    }
    seen = []
    for fold, database, subject, sample, phase in _rows(
        of_phase, "fold", "database", "subject", "sample", "phase"
    ):
        known = rendered[sample]
        parts = [database]
        if float(known[f"{phase}_intensity"]) > 0:
            parts += [level.partition("=")[0] for level in known["action_units"].split()]
        if (fold, sample) in clips:
            parts.append(sample)
        elif (fold, database, subject) in subjects:
            parts.append(f"{database}/{subject}")
        seen.append(" ".join(parts))
    return of_phase.assign(seen=seen)


def ceiling(members: pd.DataFrame, metric: str) -> float:
    """The highest accuracy or UAR that pictures with these labels can reach.

    Args:
        members: test examples with `seen` and `label`.
        metric: `accuracy`, or `uar` over the classes that they have.
    """
    counts = pd.crosstab(members["seen"], members["label"])
    total = len(members) if metric == "accuracy" else counts.sum() * len(counts.columns)
    # An example counts 1 / total of its class: the best label of pictures that are alike is the one
    # whose examples among them count most.
    return float((counts / total).max(axis=1).sum())


def _rows(frame: pd.DataFrame, *columns: str) -> Iterable[tuple[str, ...]]:
    return frame[list(columns)].itertuples(index=False, name=None)
