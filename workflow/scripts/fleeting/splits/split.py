"""The job that splits the examples of an experiment into folds."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fleeting import tsv
from fleeting.errors import UserError
from fleeting.examples import arrays
from fleeting.paths import sha256
from fleeting.settings import variant
from fleeting.splits import gate as gates
from fleeting.splits import labels, permute
from fleeting.splits.labels import LabelMap
from fleeting.splits.pool import Pool, annotate, make_pool
from fleeting.splits.protocol import ROLES, Draw, group_names

log = logging.getLogger(__name__)


def run(
    *,
    annotations: list[Path],
    examples: list[Path],
    label_map: LabelMap,
    exclude_subjects: list[str],
    same_person: list[list[str]],
    protocol: dict[str, Any],
    repeats: int,
    input: dict[str, Any],
    permute_labels: dict[str, Any] | None = None,
    split: Path,
    folds: Path,
    gate: Path,
    unused: Path,
) -> None:
    """Split the examples of an experiment, and write the gate that its runs depend on.

    Args:
        annotations: the tables of annotations of all databases.
        examples: the tables of examples of all databases; the arrays are beside them (.npy).
        label_map: the experiment's.
        exclude_subjects: `database/subject` names whose examples are not used.
        same_person: lists of `database/subject` names that are one person each.
        protocol: the protocol's block of the config.
        repeats: how many repeats have a split of their own, should the protocol redraw it.
        input: the block of the input that the examples were made by.
        permute_labels: the config's block; None: examples keep their labels.
        split: written, see `tsv.SPLIT`; rows are sorted by fold, then by example.
        folds: written, see `tsv.FOLDS`.
        gate: written, see `fleeting.splits.gate`.
        unused: written, see `tsv.UNUSED`.
    """
    everything = annotate(annotations, examples, same_person)
    pool = make_pool(everything, label_map, exclude_subjects)
    _warn(label_map_notes(label_map, pool))
    if permute_labels is not None:
        pool = permuted_pool(pool, permute.PermuteLabels.model_validate(permute_labels))
    draw = apply_protocol(pool, label_map.classes, protocol, repeats)
    rows = split_table(draw, pool.examples)
    numbered = fold_table(draw, rows)
    left_out = unused_table(draw, pool, rows)
    used = everything.loc[everything["example"].isin(rows["example"]), ["example", "sha256"]]
    module, settings = variant("input", input)
    shape, dtype = arrays.shape_and_dtype(examples)
    described = gates.ArrayFormat(**asdict(module.values(settings)), shape=shape, dtype=dtype)
    _log(rows, numbered, left_out)
    tsv.write(rows, split, tsv.SPLIT)
    tsv.write(numbered, folds, tsv.FOLDS)
    tsv.write(left_out, unused, tsv.UNUSED)
    gates.write(
        gates.Gate(
            classes=tuple(sorted(rows["label"].unique())),
            apart=draw.apart,
            input=described,
            folds=len(numbered),
            examples=len(used),
            examples_sha256=gates.examples_digest(used.to_dict("records")),
            split_sha256=sha256(split),
            folds_sha256=sha256(folds),
        ),
        gate,
    )


def label_map_notes(label_map: LabelMap, pool: Pool) -> list[str]:
    """Which databases a published label map is not about, and where its counts differ."""
    databases = {*pool.examples["database"], *pool.unused["database"]}
    notes = [
        f"database {database}: the label map {label_map.name} is not about it; left out"
        for database in sorted(databases - label_map.databases.keys())
    ]
    clips = pool.examples[["database", "label", "sample"]].itertuples(index=False, name=None)
    notes += [
        f"label map {label_map.name}: {one.database}: {one} clips; the table label_map_counts has "
        "candidates"
        for one in labels.counts(label_map, clips)
        if one.difference
    ]
    return notes


def permuted_pool(pool: Pool, settings: permute.PermuteLabels) -> Pool:
    """The pool with permuted labels, and a warning: what follows looks like any other split."""
    _warn([f"{permute.describe(settings.unit)} (seed {settings.seed}): they have no meaning"])
    return replace(pool, examples=permute.permuted(pool.examples, settings))


def apply_protocol(
    pool: Pool, classes: Sequence[str], protocol: Mapping[str, Any], repeats: int
) -> Draw:
    """Let the protocol split the pool, check what it promises, and log what fell short.

    Args:
        pool: the experiment's.
        classes: those of the label map; classes without an example are left out.
        protocol: the protocol's block of the config.
        repeats: how many repeats there are.

    Raises:
        UserError: there are fewer than two classes, a role of a fold has no example, or a promise
            is broken.
    """
    held = set(pool.examples["label"])
    present = [label for label in classes if label in held]
    notes = [
        f"class {label}: no listed database has an example of it; left out"
        for label in classes
        if label not in held
    ]
    _warn(notes)
    if len(present) < 2:
        raise UserError(
            "fewer than two classes of the label map have an example: "
            + "; ".join(notes)
            + ". Add databases, or change label_map or exclude_subjects."
        )
    module, settings = variant("protocol", dict(protocol))
    draw: Draw = module.split(pool.examples, present, settings, repeats)
    _warn(draw.notes)
    check(draw, pool.examples, protocol["kind"])
    return draw


def check(draw: Draw, examples: pd.DataFrame, protocol: str) -> None:
    """Check what every protocol promises, and what this one promises of its groups.

    Args:
        draw: what the protocol drew.
        examples: those that it drew from.
        protocol: its name.

    Raises:
        UserError: a role of a fold has too few examples, an example or a group has two roles in a
            fold, or two folds have the same name. Only the first can be the fault of the data.
    """
    names = [fold.name for fold in draw.folds]
    if not names or len(set(names)) < len(names):
        raise _broken(protocol, "it needs folds, each with a name of its own")
    for fold in draw.folds:
        for role, positions in fold.by_role.items():
            # Batch normalisation has no variance to divide by for a single training example.
            if len(positions) < (2 if role == "train" else 1):
                raise UserError(
                    f"fold {fold.name} has {'no' if not len(positions) else 'a single'} {role} "
                    f"example: {'; '.join(draw.notes) or 'the data are too few'}. "
                    "Add databases, or change the experiment's protocol."
                )
        if len(_repeated(list(fold.by_role.values()))):
            raise _broken(protocol, f"fold {fold.name} has an example twice or in two roles")
        if draw.apart is not None:
            groups = group_names(examples, draw.apart)
            shared = _repeated([np.unique(groups[at]) for at in fold.by_role.values()])
            if len(shared):
                raise _broken(protocol, f"fold {fold.name} has {shared[0]} in two roles")


def split_table(draw: Draw, examples: pd.DataFrame) -> pd.DataFrame:
    """The rows of split.tsv: sorted by fold, then by example."""
    kept = examples[[column for column in tsv.SPLIT if column not in ("fold", "split")]]
    parts = [
        kept.iloc[positions].assign(fold=number, split=role)
        for number, fold in enumerate(draw.folds, start=1)
        for role, positions in fold.by_role.items()
    ]
    return pd.concat(parts).sort_values(["fold", "example"], ignore_index=True)


def fold_table(draw: Draw, rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of folds.tsv, with the classes of the split that have no training example."""
    classes = set(rows["label"])
    trained = rows[rows["split"] == "train"].groupby("fold")["label"].agg(set)
    return pd.DataFrame(
        [
            {
                "fold": number,
                "name": fold.name,
                "repeat": "" if fold.repeat is None else str(fold.repeat),
                "lacks": ",".join(sorted(classes - trained[number])),
            }
            for number, fold in enumerate(draw.folds, start=1)
        ]
    )


def unused_table(draw: Draw, pool: Pool, rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of unused.tsv, sorted by example: all that are not in the split."""
    rest = pool.examples[~pool.examples["example"].isin(rows["example"])]
    code, reason = draw.unused
    parts = [pool.unused, rest.assign(code=code, reason=reason, detail="")]
    return pd.concat(parts).sort_values("example", ignore_index=True)[list(tsv.UNUSED)]


def _repeated(parts: Sequence[np.ndarray]) -> np.ndarray:
    """The values that occur more than once in all parts together."""
    values, counts = np.unique(np.concatenate(parts), return_counts=True)
    return values[counts > 1]


def _broken(protocol: str, promise: str) -> UserError:
    return UserError(f"protocol {protocol}: {promise}. This is a bug in it: please report it.")


def _warn(notes: Sequence[str]) -> None:
    for note in notes:
        log.warning("Warning: %s", note)


def _log(rows: pd.DataFrame, folds: pd.DataFrame, unused: pd.DataFrame) -> None:
    """Log the examples of each class in a fold by role, and the classes that are not trained."""
    counts = rows.groupby(["label", "split", "fold"]).size().unstack(fill_value=0)
    fewest, most = counts.min(axis=1).astype(str), counts.max(axis=1).astype(str)
    ranges = fewest.where(fewest == most, fewest + " to " + most)
    log.info("%s", ranges.unstack(fill_value="0")[list(ROLES)].to_string())
    log.info("folds: %d; unused: %s", len(folds), unused["code"].value_counts().to_dict())
    lacking = folds.loc[folds["lacks"] != "", "lacks"].str.split(",").explode()
    for label, count in lacking.value_counts().sort_index().items():
        _warn([f"class {label}: {count} of {len(folds)} folds have no training example of it"])
