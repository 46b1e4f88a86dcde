"""What a protocol keeps apart, checked on the predictions that runs saved."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from fleeting.errors import UserError
from fleeting.splits.protocol import GROUPS

#: The values of `unit`: what a run is chosen for.
SUBJECT, EXAMPLE = "subject", "example"


@dataclass(frozen=True)
class KeptApart:
    """Which groups the networks of each fold have seen: none of them may be tested in it.

    Attributes:
        apart: what the protocol keeps apart, a key of `splits.protocol.GROUPS`.
        seen: the (fold, group) pairs that have a training or validation example.
    """

    apart: str
    seen: pd.MultiIndex

    @classmethod
    def of(cls, split: pd.DataFrame, apart: str) -> "KeptApart":
        """Take the groups from the rows of split.tsv, in which `fold` is a number."""
        return cls(apart, _pairs(split[split["split"] != "test"], apart).unique())

    def check(self, predictions: pd.DataFrame, path: Path) -> None:
        """Check that no prediction is of a group that its fold's network was fitted on.

        Args:
            predictions: fold, example, and the columns of split.tsv that name groups.
            path: their file, for the message.

        Raises:
            UserError: one is; it names the fold, the example and the group of the first.
        """
        wrong = predictions[_pairs(predictions, self.apart).isin(self.seen)]
        if wrong.empty:
            return
        first = wrong.iloc[0]
        raise UserError(
            f"{path}: the protocol keeps each {self.apart} apart, but {len(wrong)} of "
            f"{len(predictions)} predictions are of one that the network was fitted on: in fold "
            f"{first['fold']}, {first['example']} is tested, and other examples of the "
            f"{self.apart} {first[GROUPS[self.apart]]} train or validate. Rerun with "
            "`-R draw_split`; if the error stays, please report it"
        )


def unit_of(split: pd.DataFrame) -> str:
    """What a best run is chosen for: `subject`, or `example` where a fold has one on both sides.

    Args:
        split: the rows of split.tsv.
    """
    seen = KeptApart.of(split, "subject").seen
    tested = _pairs(split[split["split"] == "test"], "subject")
    return EXAMPLE if tested.isin(seen).any() else SUBJECT


def _pairs(rows: pd.DataFrame, apart: str) -> pd.MultiIndex:
    return pd.MultiIndex.from_frame(rows[["fold", GROUPS[apart]]])
