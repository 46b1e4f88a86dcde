"""From crops to the pool of an experiment: labels, phases, unseen subjects, files pooled once."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from fleeting import tables
from fleeting.databases.emotions import nearest
from fleeting.errors import UserError

#: If one file serves two phases of a sample, it is pooled as the phase that says the most.
PHASE_PREFERENCE = {"apex": 0, "onset": 1, "offset": 2}

UNSEEN = "unseen subject"


@dataclass(frozen=True)
class Pool:
    """The images that an experiment can draw from, and those that it cannot.

    Attributes:
        images: one row a crop with its `label`, sorted by image.
        unused: the other crops, with `label` (empty outside the label map), `reason`, `detail`.
    """

    images: pd.DataFrame
    unused: pd.DataFrame


def read_crops(results: Path, crop: str, databases: Sequence[str]) -> pd.DataFrame:
    """All crops of the databases, one row each, with what their samples' annotations say.

    `file` identifies the frame on disk that a crop was cut from.
    """
    parts = []
    for database in databases:
        samples = tables.read(results / "annotations" / f"{database}.tsv", tables.ANNOTATIONS)
        faces = tables.read(results / "faces" / crop / f"{database}.tsv", tables.FACES)
        for table, names in (("annotations", samples["sample"]), ("crops", faces["image"])):
            if names.duplicated().any():
                raise UserError(
                    f"the {table} of {database} have {names[names.duplicated()].iloc[0]} twice; "
                    "delete the results of this database and run again"
                )
        if faces.empty:
            continue
        faces["sample"] = faces["image"].str.rpartition("/")[0]
        faces["phase"] = faces["image"].str.rpartition("/")[2]
        columns = ["sample", "database", "subject", "emotion", "table", "table_row"]
        merged = faces[["image", "sample", "phase", "file"]].merge(
            samples[columns], on="sample", how="left", validate="m:1"
        )
        if merged.isna().any(axis=None):
            lost = merged.loc[merged.isna().any(axis=1), "image"].iloc[0]
            raise UserError(
                f"the tables of {database} do not belong together: {lost} has a crop but no "
                "annotation; delete the results of this database and run again"
            )
        merged["file"] = f"{database}:" + merged["file"]
        parts.append(merged)
    if not parts:
        raise UserError(f"there is no crop of {', '.join(databases)}; see the excluded rows")
    return pd.concat(parts, ignore_index=True).sort_values("image", ignore_index=True)


def make_pool(
    crops: pd.DataFrame,
    label_map: Mapping[str, Sequence[str]],
    phases: Sequence[str],
    unseen_subjects: Sequence[str],
) -> Pool:
    """Sort crops into those that may be drawn and those that may not.

    Args:
        crops: the table of `read_crops`.
        label_map: the emotions of each class, in lower case.
        phases: the phases that the experiment uses.
        unseen_subjects: `database/subject` names that are kept out of the split altogether.
    """
    label_of = {emotion: label for label, emotions in label_map.items() for emotion in emotions}
    crops = crops.assign(label=crops["emotion"].map(label_of).fillna(""), reason="", detail="")
    _check_subjects(crops, unseen_subjects)

    def leave_out(which: pd.Series, reason: str, detail: pd.Series | str = "") -> None:
        which = which & (crops["reason"] == "")
        crops.loc[which, "reason"] = reason
        crops.loc[which, "detail"] = detail[which] if isinstance(detail, pd.Series) else detail

    leave_out(
        crops["label"] == "", "emotion not in the label map", crops.apply(_unmapped_detail, axis=1)
    )
    leave_out(~crops["phase"].isin(phases), "phase not used")
    usable = crops[crops["reason"] == ""]
    order = usable["phase"].map(PHASE_PREFERENCE)
    kept = usable.assign(order=order).sort_values(["order", "image"]).drop_duplicates("file")
    # Text even if there is none: where no crop is usable, both would be columns of numbers.
    first = crops["file"].map(kept.set_index("file")["image"]).astype("str")
    first_label = crops["file"].map(kept.set_index("file")["label"]).astype("str")
    note = first.where(first_label == crops["label"], first + ", which is labelled " + first_label)
    leave_out(first.notna() & (first != crops["image"]), "same file as another image", note)
    leave_out((crops["database"] + "/" + crops["subject"]).isin(unseen_subjects), UNSEEN)
    pooled = crops["reason"] == ""
    return Pool(crops[pooled].reset_index(drop=True), crops[~pooled].reset_index(drop=True))


def _unmapped_detail(row: pd.Series) -> str:
    near = nearest(row["emotion"])
    if near is None:
        return row["emotion"]
    return (
        f"{row['emotion']!r} in {row['table']}, row {row['table_row']}, is no emotion that these "
        f"databases are known to use; do you mean {near!r}? Correct the cell, or list "
        "it in the label map"
    )


def _check_subjects(crops: pd.DataFrame, subjects: Sequence[str]) -> None:
    known = set(crops["database"] + "/" + crops["subject"])
    for subject in subjects:
        if subject not in known:
            near = difflib.get_close_matches(subject, sorted(known), n=1)
            hint = f"; do you mean {near[0]!r}?" if near else ""
            raise UserError(f"split.unseen_subjects: {subject!r} has no crop{hint}")
