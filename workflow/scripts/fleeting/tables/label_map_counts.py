"""The clips that the list of a published label map has, beside those that there are."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from fleeting import tsv
from fleeting.databases.emotions import likely_emotion
from fleeting.evaluation.accounting import read_excluded
from fleeting.evaluation.render import Page
from fleeting.losses import ASKED_FOR
from fleeting.splits import labels
from fleeting.splits.labels import Count, LabelMap
from fleeting.splits.pool import REASONS

CAPTION = (
    "The clips of each database and class that the list of a published label map has, beside those "
    "that the split can draw from, with the clips and rows that may be behind a difference. The "
    "table is empty where the label map is the config's own. Counts of one draw, which all repeats "
    "share."
)
READS = {
    "split": "experiments/{experiment}/split.tsv",
    "unused": "experiments/{experiment}/unused.tsv",
    "annotations": "annotations/{database}.tsv",
    "annotations_excluded": "annotations/{database}.excluded.tsv",
    "frames_excluded": "frames/{selection}/{database}.excluded.tsv",
    "faces_excluded": "faces/{crop}/{database}.excluded.tsv",
    "inputs_excluded": "inputs/{input}/{database}.excluded.tsv",
}
SETTINGS = ("databases", "label_map")
COLUMNS = "database label stated found difference values candidates"
#: A clip or row that may be behind a difference, and why.
Candidate = tuple[str, str]


def make(files: Mapping[str, list[Path]], settings: Mapping[str, Any]) -> tuple[pd.DataFrame, Page]:
    """One row per database and class of the published list.

    `values` counts the clips found by the value that decided their class, and `candidates` lists
    the clips and rows that may be behind a difference, each with its reason.
    """
    label_map = LabelMap(**settings["label_map"])
    split = tsv.read(files["split"][0], tsv.SPLIT)
    unused = tsv.read(files["unused"][0], tsv.UNUSED)
    pooled = pd.concat([split, unused[~unused["code"].isin(REASONS)]])
    places = {name: place for place, name in enumerate(settings["databases"])}
    # The split's labels may be permuted; those of the annotations are the published list's.
    annotated = {}
    for name, place in places.items():
        samples = tsv.read(files["annotations"][place], tsv.ANNOTATIONS)
        values = samples.get(label_map.column, pd.Series("", samples.index))
        annotated[name] = samples.assign(
            value=values,
            label=values.map(label_map.label_of(name)).fillna(""),
            pooled=samples["sample"].isin(pooled["sample"]),
        )
    every = pd.concat(annotated.values())
    clips = every.loc[every["pooled"], ["database", "label", "sample"]]
    rows, listed = [], []
    for count in labels.counts(label_map, clips.itertuples(index=False, name=None)):
        samples = annotated[count.database]
        excluded = pd.concat(read_excluded(files, places[count.database]).values())
        found = samples[samples["pooled"] & (samples["label"] == count.label)]
        candidates: list[Candidate] = []
        if count.difference > 0:
            candidates = list(_in_excess(found, samples))
        elif count.difference < 0:
            candidates = list(_missing(count, samples, unused, excluded, label_map))
        rows.append(
            {
                "database": count.database,
                "label": count.label,
                "stated": count.stated,
                "found": count.found,
                "difference": count.difference,
                "values": ", ".join(f"{value} {n}" for value, n in Counter(found["value"]).items()),
                "candidates": "; ".join(f"{name} ({reason})" for name, reason in candidates),
            }
        )
        listed += [(count.database, count.label, *candidate) for candidate in candidates]
    frame = pd.DataFrame(rows, columns=COLUMNS.split())
    return frame, _page(frame, listed, label_map)


def _in_excess(found: pd.DataFrame, samples: pd.DataFrame) -> Iterator[Candidate]:
    """The clips of a class that a published list is likely to lack."""
    twice = samples.duplicated(["subject", "clip"], keep=False)
    for row in found.assign(twice=twice).to_dict("records"):
        if not row["apex"]:
            yield row["sample"], "no usable apex in the table"
        elif row["twice"]:
            yield row["sample"], "another row of the table has the same clip"


def _missing(
    count: Count,
    samples: pd.DataFrame,
    unused: pd.DataFrame,
    excluded: pd.DataFrame,
    label_map: LabelMap,
) -> Iterator[Candidate]:
    """The clips of a class that are not in the pool, and rows that would be in some class."""
    label_of = label_map.label_of(count.database)
    for row in samples[~samples["pooled"]].to_dict("records"):
        own = [table[table["sample"] == row["sample"]]["reason"] for table in (unused, excluded)]
        if row["label"] == count.label:
            yield row["sample"], ", ".join(dict.fromkeys(pd.concat(own))) or "no example"
        elif label_of.get(likely_emotion(row["value"], label_of) or "") == count.label:
            yield row["sample"], f"{row['value']!r} is not in the label map"
    whole = excluded[(excluded["image"] == "") & (excluded["stage"] == "annotations")]
    for row in whole[whole["code"] != ASKED_FOR].to_dict("records"):
        yield f"row {row['table_row']} of the table, of whatever class", row["reason"]


def _page(frame: pd.DataFrame, listed: Sequence[tuple[str, ...]], label_map: LabelMap) -> Page:
    """The table for reading, and below it one candidate a line."""
    if not label_map.name:
        note = "The label map is the config's own: there is no published list to compare with."
        return Page("Clips of a published label map", note, [("", frame)])
    columns = ["database", "class", "clips or rows", "reason"]
    return Page(
        f"Clips of the label map {label_map.title}",
        f"Clips of the published list, and clips that the split can draw from; nothing varied "
        f"between repeats. {label_map.source} Candidates are what may be behind a difference: "
        "where clips are missing, those that were left out; where there are more than in the "
        "list, those that it is likely to lack. If none is named, it may be any of the class.",
        [
            ("", frame.drop(columns="candidates").rename(columns={"label": "class"})),
            ("Candidates", pd.DataFrame(listed, columns=columns)),
        ],
    )
