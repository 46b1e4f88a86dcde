"""What became of every row, image and example of every database.

The counts must add up, or the table is not written: rows read = samples + excluded rows; images
expected = crops + excluded images; examples = those in the split + unused ones.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from fleeting import tsv
from fleeting.evaluation.accounting import count
from fleeting.evaluation.render import Page
from fleeting.evaluation.schemas import DATABASES

CAPTION = (
    "What became of every row, image and example, by database: rows read = samples + excluded "
    "rows; images expected = crops + images excluded by all stages; examples = examples in the "
    "split + unused ones. The pipeline stops if one of these does not hold. The hit rate is the "
    "share of the images handed to the detector in which it found a face."
)
READS = {
    "annotations": "annotations/{database}.tsv",
    "annotations_excluded": "annotations/{database}.excluded.tsv",
    "annotations_substituted": "annotations/{database}.substituted.tsv",
    "rows": "annotations/{database}.rows.tsv",
    "frames": "frames/{selection}/{database}.tsv",
    "frames_excluded": "frames/{selection}/{database}.excluded.tsv",
    "frames_substituted": "frames/{selection}/{database}.substituted.tsv",
    "faces": "faces/{crop}/{database}.tsv",
    "faces_excluded": "faces/{crop}/{database}.excluded.tsv",
    "inputs": "inputs/{input}/{database}.tsv",
    "inputs_excluded": "inputs/{input}/{database}.excluded.tsv",
    "split": "experiments/{experiment}/split.tsv",
    "unused": "experiments/{experiment}/unused.tsv",
}
SETTINGS = ("databases", "crop.frames")
READABLE = {
    "rows": "rows read",
    "row_exclusions": "rows excluded",
    "images_expected": "images expected",
    "excluded_annotations": "images excluded: annotations",
    "excluded_frames": "images excluded: frames",
    "excluded_faces": "images excluded: faces",
    "excluded_inputs": "examples excluded: inputs",
    "train": "examples to train on",
    "validation": "examples to validate on",
    "test": "examples to test on",
    "unused": "examples unused",
    "substituted": "frame numbers substituted",
    "hit_rate": "face found (hit rate)",
}


def make(files: Mapping[str, list[Path]], settings: Mapping[str, Any]) -> tuple[pd.DataFrame, Page]:
    """One row per database and a row `total`; every sum asserted and logged.

    Raises:
        UserError: a sum does not hold; it names the database, the numbers and an example.
    """
    split = tsv.read(files["split"][0], tsv.SPLIT)
    unused = tsv.read(files["unused"][0], tsv.UNUSED)
    counts = pd.DataFrame(
        count(files, place, database, settings["crop.frames"], split, unused)
        for place, database in enumerate(settings["databases"])
    )
    total = {**counts.drop(columns=["database", "table"]).sum(), "database": "total", "table": ""}
    frame = pd.concat([counts, pd.DataFrame([total])], ignore_index=True)
    frame["hit_rate"] = frame["found"] / frame["handed"]
    frame = frame[list(DATABASES)]
    return frame, _page(frame)


def _page(frame: pd.DataFrame) -> Page:
    """The table for reading: databases as columns, what happened as rows."""
    shown = frame.drop(columns="table")
    shown["hit_rate"] = [f"{100 * rate:.1f}%" if rate == rate else "" for rate in frame["hit_rate"]]
    shown = shown.rename(columns=READABLE).set_index("database").T.reset_index(names="")
    tables_read = "; ".join(
        f"{row['database']}: {row['table']}" for row in frame.to_dict("records") if row["table"]
    )
    return Page(
        "Databases: from table rows to the split",
        "Counts, asserted for each database before this table is written: rows read = samples + "
        "excluded rows; images expected = crops + excluded images of all stages; examples = "
        "those in the split + unused. Examples to train, validate and test on are those of the "
        "first fold. A substituted frame number was not taken as the table states it. The hit rate "
        "is the share of the images handed to the detector in which it found a face; an image that "
        f"takes another frame's box at once is not handed to it. Tables read: {tables_read}.",
        [("", shown)],
    )
