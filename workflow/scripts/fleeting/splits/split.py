"""The job that splits the examples of an experiment into folds."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fleeting import registry, tsv
from fleeting.errors import UserError
from fleeting.examples import read
from fleeting.paths import sha256
from fleeting.splits import gate as gates
from fleeting.splits.base import ROLES, Draw, Fold
from fleeting.splits.pool import Pool, annotate, make_pool

logger = logging.getLogger(__name__)


def run(
    *,
    annotations: list[Path],
    examples: list[Path],
    label_map: dict[str, list[str]],
    exclude_subjects: list[str],
    protocol: dict[str, Any],
    input: dict[str, Any],
    split: Path,
    folds: Path,
    gate: Path,
    unused: Path,
) -> None:
    """Split the examples of an experiment, and write the gate that its runs depend on.

    Args:
        annotations: the tables of annotations of all databases.
        examples: the tables of examples of all databases; the arrays lie beside them (.npy).
        label_map: the emotions of each class, in lower case.
        exclude_subjects: `database/subject` names whose examples are not used.
        protocol: the protocol's block of the config.
        input: the block of the input that the examples were made by.
        split: written, see `tsv.SPLIT`; rows are sorted by fold, then by example.
        folds: written, see `tsv.FOLDS`.
        gate: written, see `fleeting.splits.gate`.
        unused: written, see `tsv.UNUSED`.
    """
    everything = annotate(annotations, examples)
    pool = make_pool(everything, label_map, exclude_subjects)
    draw = divide(pool, list(label_map), protocol)
    left_out = pd.concat([pool.unused, draw.unused]).sort_values("example", ignore_index=True)
    rows, numbered = role_table(draw, pool.examples), fold_table(draw, pool.examples)
    used = everything.loc[everything["example"].isin(rows["example"]), ["example", "sha256"]]
    account(everything["example"], used["example"], left_out["example"])
    arrays = _describe(input, examples)
    _log(draw, pool.examples, left_out, numbered)
    tsv.write(rows, split, tsv.SPLIT)
    tsv.write(numbered, folds, tsv.FOLDS)
    tsv.write(left_out[list(tsv.UNUSED)], unused, tsv.UNUSED)
    named = [{"example": name, "sha256": digest} for name, digest in used.to_numpy()]
    gates.write(
        gates.Gate(
            classes=tuple(sorted(rows["label"].unique())),
            input=arrays,
            folds=len(numbered),
            examples=len(used),
            examples_sha256=gates.examples_digest(named),
            split_sha256=sha256(split),
            folds_sha256=sha256(folds),
        ),
        gate,
    )


def divide(pool: Pool, classes: Sequence[str], protocol: Mapping[str, Any]) -> Draw:
    """Hand the pool to the protocol, check what it promises, and log what fell short.

    Args:
        pool: the experiment's.
        classes: those of the label map; classes without an example are left out.
        protocol: the protocol's block of the config.

    Raises:
        UserError: there are fewer than two classes, a fold lacks a side, or a promise is broken.
    """
    labels = set(pool.examples["label"])
    present = [label for label in classes if label in labels]
    notes = [
        f"class {label}: no listed database has an example of it; left out"
        for label in classes
        if label not in labels
    ]
    _warn(notes)
    if len(present) < 2:
        raise UserError(
            "fewer than two classes of the label map have an example: "
            + "; ".join(notes)
            + ". Add databases, or change label_map or exclude_subjects."
        )
    module = registry.load("protocol", protocol["kind"])
    draw = module.split(pool.examples, present, module.Settings.model_validate(protocol))
    _warn(draw.notes)
    check(draw, protocol["kind"])
    return draw


def check(draw: Draw, protocol: str) -> None:
    """Check what every protocol promises, and what this one promises of its groups.

    Raises:
        UserError: a fold lacks a side or has an example or a group on two sides, or two folds have
            the same name. Only the first can be the fault of the data.
    """
    names = [fold.name for fold in draw.folds]
    if not names or len(set(names)) < len(names):
        raise _broken(protocol, "its folds need names, each another one")
    groups = None if draw.groups is None else np.asarray(draw.groups)
    for fold in draw.folds:
        for role, positions in fold.sides.items():
            # Batch normalisation has no variance to divide by for a single training example.
            if len(positions) < (2 if role == "train" else 1):
                raise UserError(
                    f"fold {fold.name} has {'no' if not len(positions) else 'a single'} {role} "
                    f"example: {'; '.join(draw.notes) or 'the data are too few'}. "
                    "Add databases, or change the experiment's protocol."
                )
        if len(_shared(fold.sides.values())):
            raise _broken(protocol, f"fold {fold.name} has an example twice or on two sides")
        if groups is not None:
            shared = _shared(np.unique(groups[positions]) for positions in fold.sides.values())
            if len(shared):
                raise _broken(protocol, f"fold {fold.name} has {shared[0]} on two sides")


def role_table(draw: Draw, examples: pd.DataFrame) -> pd.DataFrame:
    """The rows of split.tsv: sorted by fold, then by example."""
    columns = [column for column in tsv.SPLIT if column not in ("fold", "split")]
    parts = []
    for number, fold in enumerate(draw.folds, start=1):
        positions = np.concatenate(list(fold.sides.values()))
        roles = np.repeat(ROLES, [len(side) for side in fold.sides.values()])
        # The examples are sorted by name, so that their positions are too.
        order = np.argsort(positions)
        rows = examples[columns].iloc[positions[order]]
        parts.append(rows.assign(fold=number, split=roles[order]))
    return pd.concat(parts, ignore_index=True)


def fold_table(draw: Draw, examples: pd.DataFrame) -> pd.DataFrame:
    """The rows of folds.tsv, with the classes of the split that each training side lacks."""
    labels = examples["label"].to_numpy(dtype=object)
    used = np.unique(np.concatenate([side for fold in draw.folds for side in fold.sides.values()]))
    classes = set(labels[used])
    rows = [
        {
            "fold": number,
            "name": fold.name,
            "repeat": "" if fold.repeat is None else str(fold.repeat),
            "lacks": ",".join(sorted(classes - set(labels[fold.train]))),
        }
        for number, fold in enumerate(draw.folds, start=1)
    ]
    return pd.DataFrame(rows, columns=list(tsv.FOLDS))


def account(everything: pd.Series, used: pd.Series, unused: pd.Series) -> None:
    """Check that every example is in the split or unused, and none is both.

    Raises:
        UserError: an example is lost or counted twice.
    """
    if sorted([*used, *unused]) != sorted(everything):
        odd = set(everything) - set(used) - set(unused) or set(used) & set(unused) or set(unused)
        raise UserError(
            f"accounting: {len(everything)} examples, but {len(used)} in the split + {len(unused)} "
            f"unused (for example {min(odd)}). This is a bug of the protocol: please report it."
        )


def _describe(input: Mapping[str, Any], examples: Sequence[Path]) -> gates.Arrays:
    module = registry.load("input", input["kind"])
    values = module.values(module.Settings.model_validate(input))
    shape, dtype = read.layout(examples)
    return gates.Arrays(
        channels=values.channels, zero=values.zero, unit=values.unit, shape=shape, dtype=dtype
    )


def _shared(sides: Iterable[np.ndarray]) -> np.ndarray:
    """The values that are there more than once over all sides."""
    values, counts = np.unique(np.concatenate(list(sides)), return_counts=True)
    return values[counts > 1]


def _broken(protocol: str, promise: str) -> UserError:
    return UserError(f"protocol {protocol}: {promise}. This is a bug of it: please report it.")


def _warn(notes: Sequence[str]) -> None:
    for note in notes:
        logger.warning("Warning: %s", note)


def _log(draw: Draw, examples: pd.DataFrame, unused: pd.DataFrame, folds: pd.DataFrame) -> None:
    """Say how many examples each side has, and which classes training sides lack."""
    labels = examples["label"].to_numpy(dtype=object)
    logger.info("%s", pd.DataFrame(_ranges(draw.folds, labels)).T.to_string())
    logger.info("folds: %d; unused: %s", len(folds), unused["code"].value_counts().to_dict())
    lacking = folds.loc[folds["lacks"] != "", "lacks"].str.split(",").explode()
    for label, count in lacking.value_counts().sort_index().items():
        _warn([f"class {label}: {count} of {len(folds)} folds have no training example of it"])


def _ranges(folds: Sequence[Fold], labels: np.ndarray) -> dict[str, dict[str, str]]:
    """By class and role the number of examples in a fold, or the fewest and the most."""
    found: dict[str, dict[str, str]] = {}
    for label in sorted(set(labels)):
        for role in ROLES:
            counts = [int((labels[fold.sides[role]] == label).sum()) for fold in folds]
            low, high = min(counts), max(counts)
            found.setdefault(label, {})[role] = str(low) if low == high else f"{low} to {high}"
    return found
