"""Action units as an auxiliary target: of a fold's training examples, beside their classes.

Which units is the config's choice, the same in every fold: nothing is learnt from a test clip.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fleeting import tsv
from fleeting.errors import UserError
from fleeting.paths import sha256
from fleeting.splits.folds import FoldSubsets, Subset
from fleeting.tsv import NAME, TEXT, Schema

#: The listed units that a sample shows, joined by `+`. A sample without a row was not coded: which
#: units it shows is not known.
ACTION_UNITS: Schema = {"sample": NAME, "action_units": TEXT}


class ActionUnits:
    """Which of the listed units the examples of a job show."""

    def __init__(self, listed: Sequence[int], table: Path, examples: Sequence[Path]) -> None:
        """Read them.

        Args:
            listed: the recipe's units, in the order of the network's outputs.
            table: `ACTION_UNITS`, see `read_action_units`.
            examples: the tables of the input's examples.

        Raises:
            UserError: a table is missing or corrupt.
        """
        self.listed, self._table = listed, table
        coded = {
            row["sample"]: [float(str(unit) in row["action_units"].split("+")) for unit in listed]
            for row in tsv.read_rows(table, ACTION_UNITS)
        }
        self._coded = {
            row["example"]: coded[row["sample"]]
            for path in examples
            for row in tsv.read_rows(path, tsv.EXAMPLES)
            if row["sample"] in coded
        }

    def targets(self, subset: Subset) -> NDArray[np.float32]:
        """The targets of a subset, (N, U + 1): 1 for each unit that is shown, and 1 if coded.

        An example that was not coded has zeros alone, and counts in no loss of units.
        """
        nothing = [0.0] * (len(self.listed) + 1)
        rows = [
            [*self._coded[example], 1.0] if example in self._coded else nothing
            for example in subset.examples
        ]
        return np.array(rows, np.float32)

    def facts(self, folds: Iterable[FoldSubsets]) -> dict[str, Any]:
        """What run.json says: the units, how many training examples of each fold were coded.

        The table's digest is in it too, so that a run with others never resumes.

        Raises:
            UserError: no training example of a fold shows any of the units.
        """
        counts = {}
        for fold in folds:
            targets = self.targets(fold.train)
            if not targets[:, :-1].any():
                listed = ", ".join(map(str, self.listed))
                raise UserError(
                    f"fold {fold.name}: no training example shows any of the action units "
                    f"{listed}; list others under recipe.auxiliary.action_units, or set "
                    "`auxiliary: null`"
                )
            counts[str(fold.fold)] = int(targets[:, -1].sum())
        return {
            "listed": self.listed,
            "coded_train_examples": counts,
            "sha256": sha256(self._table),
        }
