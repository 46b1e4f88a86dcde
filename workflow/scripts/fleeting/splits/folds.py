"""The split by fold and role, for training, checked against split.json."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fleeting import tsv
from fleeting.errors import UserError
from fleeting.paths import sha256
from fleeting.splits import gate as gates
from fleeting.splits.gate import REMEDY, Gate


@dataclass(frozen=True)
class Subset:
    """The examples of one role in a fold: their names, sorted, and the label of each."""

    examples: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class FoldSubsets:
    """One fold: its number, its name, the repeat that it is for (None: all), and its examples."""

    fold: int
    name: str
    repeat: int | None
    train: Subset
    validation: Subset
    test: Subset


def of_part(fold: int, part: int, parts: int) -> bool:
    """Whether a part of a run trains a fold: number `part`, and each `parts`-th one after it."""
    return fold % parts == part % parts


def read_split(
    gate: Path, split: Path, folds: Path, examples: Sequence[Path]
) -> tuple[Gate, list[FoldSubsets]]:
    """Read a split, and make sure that its files are those that split.json describes.

    Args:
        gate: split.json.
        split: split.tsv.
        folds: folds.tsv.
        examples: the tables of the examples of all databases.

    Returns:
        The contents of split.json, and the folds in the order of their numbers.

    Raises:
        UserError: a file is missing or corrupt, was changed, or is of another split.
    """
    stated = gates.read(gate)
    for path, digest in ((split, stated.split_sha256), (folds, stated.folds_sha256)):
        if not path.is_file():
            raise UserError(f"{path} is missing; {REMEDY}")
        if sha256(path) != digest:
            raise UserError(f"{path} is not the file that {gate} describes; {REMEDY}")
    rows = tsv.read_rows(split, tsv.SPLIT)
    named = {row["example"] for row in rows}
    packed = [row for table in examples for row in tsv.read_rows(table, tsv.EXAMPLES)]
    digest = gates.examples_digest(row for row in packed if row["example"] in named)
    if digest != stated.examples_sha256:
        raise UserError(
            f"the examples in {', '.join(map(str, examples))} are not those that {gate} "
            f"describes; {REMEDY}"
        )
    subsets: dict[tuple[str, str], Subset] = defaultdict(Subset)
    for row in rows:
        subset = subsets[row["fold"], row["split"]]
        subset.examples.append(row["example"])
        subset.labels.append(row["label"])
    return stated, [
        FoldSubsets(
            fold=int(row["fold"]),
            name=row["name"],
            repeat=int(row["repeat"]) if row["repeat"] else None,
            train=subsets[row["fold"], "train"],
            validation=subsets[row["fold"], "validation"],
            test=subsets[row["fold"], "test"],
        )
        for row in tsv.read_rows(folds, tsv.FOLDS)
    ]
