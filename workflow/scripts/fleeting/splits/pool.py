"""From examples to the pool of an experiment: labels, excluded subjects, each source once."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from fleeting import tsv
from fleeting.databases.emotions import likely_emotion
from fleeting.errors import UserError
from fleeting.splits.labels import LabelMap
from fleeting.splits.people import persons, recordings, refuse_unknown

#: Of examples that are the same picture, the one with the most telling phase is used.
PHASE_PREFERENCE = {"apex": 0, "onset": 1, "offset": 2, "": 3}
REASONS = {
    "emotion_unmapped": "emotion not in the label map",
    "objective_class_unmapped": "objective class not in the label map",
    "database_unmapped": "database not in the label map",
    "same_source": "same source as another example",
    "excluded_subject": "excluded subject",
}
Row = dict[Hashable, Any]


@dataclass(frozen=True)
class Pool:
    """The examples that an experiment can draw from, and those that it cannot.

    Attributes:
        examples: sorted by example; the columns of `tsv.EXAMPLES`, `clip`, `recording`, `person`,
            `emotion`, `label`.
        unused: the others, with `label` (empty outside the label map), `code`, `reason`, `detail`.
    """

    examples: pd.DataFrame
    unused: pd.DataFrame


def annotate(
    annotations: Sequence[Path],
    examples: Sequence[Path],
    same_person: Sequence[Sequence[str]] = (),
) -> pd.DataFrame:
    """All examples, sorted by name, with what their samples' annotations say, and their persons.

    The column `objective_class` is empty where a database's table has none.

    Args:
        annotations: the tables of annotations of all databases.
        examples: the tables of examples of all databases.
        same_person: see `people.persons`.

    Raises:
        UserError: there is no example, a name appears twice, an example has no annotation, or
            no example is of a subject that `same_person` names.
    """
    samples = _read(annotations, tsv.ANNOTATIONS, "sample", "extract_annotations")
    rows = _read(examples, tsv.EXAMPLES, "example", "pack_inputs")
    if rows.empty:
        raise UserError(
            "no database has an example; the tables `.excluded.tsv` of the stages say why"
        )
    samples["recording"] = recordings(samples)
    columns = ["sample", "clip", "recording", "emotion", "objective_class", "table", "table_row"]
    annotated = samples.reindex(columns=columns, fill_value="").fillna({"objective_class": ""})
    merged = rows.merge(annotated, on="sample", how="left")
    merged["person"] = persons(merged, same_person)
    lost = merged.loc[merged["emotion"].isna(), "example"]
    if len(lost):
        raise UserError(
            f"{lost.iloc[0]} is an example of a sample that no table of annotations has; rerun "
            "with `-R pack_inputs`"
        )
    return merged.sort_values("example", ignore_index=True)


def make_pool(
    examples: pd.DataFrame,
    label_map: LabelMap,
    exclude_subjects: Sequence[str],
) -> Pool:
    """Sort examples into those that may be drawn and those that may not.

    Args:
        examples: as `annotate` gives them.
        label_map: the experiment's.
        exclude_subjects: `database/subject` names.

    Raises:
        UserError: no example is of one of these subjects.
    """
    subjects = examples["database"] + "/" + examples["subject"]
    refuse_unknown("exclude_subjects", exclude_subjects, subjects)
    label_of = {name: label_map.label_of(name) for name in examples["database"].unique()}
    decisive = zip(examples["database"], examples[label_map.column], strict=True)
    labels = [label_of[database].get(value, "") for database, value in decisive]
    rows = examples.assign(label=labels, code="", reason="", detail="").to_dict("records")
    # An unmapped example takes no source from a mapped one: only those with a label compete.
    used: dict[str, Row] = {}
    for row in sorted((row for row in rows if row["label"]), key=_preference):
        used.setdefault(row["source"], row)
    for row in rows:
        if not row["label"]:
            row["code"], row["detail"] = _unmapped(row, label_map)
        elif used[row["source"]] is not row:
            row["code"], row["detail"] = "same_source", _used_instead(used[row["source"]], row)
        elif f"{row['database']}/{row['subject']}" in exclude_subjects:
            row["code"] = "excluded_subject"
        row["reason"] = REASONS.get(row["code"], "")
    judged = pd.DataFrame(rows)
    pooled = judged["code"] == ""
    columns = [*tsv.EXAMPLES, "clip", "recording", "person", "emotion", "label"]
    return Pool(
        judged.loc[pooled, columns].reset_index(drop=True),
        judged.loc[~pooled, [*columns, "code", "reason", "detail"]].reset_index(drop=True),
    )


def _read(paths: Sequence[Path], schema: tsv.Schema, key: str, rule: str) -> pd.DataFrame:
    """The tables of all databases as one, in which each name must be unique."""
    frame = pd.concat([tsv.read(path, schema) for path in paths], ignore_index=True)
    twice = frame.loc[frame[key].duplicated(), key]
    if len(twice):
        raise UserError(
            f"the {key} {twice.iloc[0]} appears twice in {', '.join(map(str, paths))}; rerun with "
            f"`-R {rule}`"
        )
    return frame


def _used_instead(used: Row, row: Row) -> str:
    if used["label"] == row["label"]:
        return str(used["example"])
    return f"{used['example']}, which is labelled {used['label']}"


def _unmapped(row: Row, label_map: LabelMap) -> tuple[str, str]:
    """Code and detail of an example without a label."""
    if row["database"] not in label_map.databases:
        return "database_unmapped", label_map.name
    if label_map.column == "objective_class":
        return "objective_class_unmapped", row["objective_class"] or "the table has none"
    return "emotion_unmapped", _unmapped_detail(row, label_map)


def _unmapped_detail(row: Row, label_map: LabelMap) -> str:
    meant = likely_emotion(row["emotion"], label_map.label_of(row["database"]))
    if meant is None:
        return str(row["emotion"])
    own = "a label map of your own in place of " if label_map.name else "the label map"
    return (
        f"{row['emotion']!r} in {row['table']}, row {row['table_row']}, is no emotion that these "
        f"databases are known to use; do you mean {meant!r}? Correct the cell, or list it in "
        f"{own}{label_map.name}"
    )


def _preference(row: Row) -> tuple[int, str]:
    return PHASE_PREFERENCE[row["phase"]], row["example"]
