"""The split by fold and role, as training and evaluation read it."""

from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from fleeting import tsv
from fleeting.errors import UserError
from fleeting.splits.gate import REMEDY


@dataclass(frozen=True)
class Side:
    """One side of a fold: the names of its examples, sorted, and the label of each."""

    examples: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class FoldRoles:
    """One fold: its number, its name, the repeat that it is for (None: all), and its sides."""

    fold: int
    name: str
    repeat: int | None
    train: Side
    validation: Side
    test: Side


def read_roles(split: Path, folds: Path) -> list[FoldRoles]:
    """Read split.tsv and folds.tsv, each once.

    Returns:
        The folds in the order of folds.tsv, that is of their numbers.

    Raises:
        UserError: the two tables do not have the same folds.
    """
    sides: dict[str, dict[str, Side]] = defaultdict(lambda: defaultdict(Side))
    for row in tsv.read_rows(split, tsv.SPLIT):
        side = sides[row["fold"]][row["split"]]
        side.examples.append(row["example"])
        side.labels.append(row["label"])
    named = tsv.read_rows(folds, tsv.FOLDS)
    if sides.keys() != {row["fold"] for row in named}:
        raise UserError(f"{split} and {folds} do not have the same folds; {REMEDY}")
    return [
        FoldRoles(
            fold=int(row["fold"]),
            name=row["name"],
            repeat=int(row["repeat"]) if row["repeat"] else None,
            train=sides[row["fold"]]["train"],
            validation=sides[row["fold"]]["validation"],
            test=sides[row["fold"]]["test"],
        )
        for row in named
    ]
