"""Every row, image and example that a stage could not use."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from fleeting.evaluation.accounting import read_excluded
from fleeting.evaluation.render import Page, count_by

CAPTION = (
    "Every row, image and example that a stage could not use, with its reason: first counted by "
    "reason, then one by one with the row of the database's table as a spreadsheet program numbers "
    "it."
)
READS = {
    "annotations_excluded": "annotations/{database}.excluded.tsv",
    "frames_excluded": "frames/{selection}/{database}.excluded.tsv",
    "faces_excluded": "faces/{crop}/{database}.excluded.tsv",
    "inputs_excluded": "inputs/{input}/{database}.excluded.tsv",
}
SETTINGS = ("databases",)


def make(files: Mapping[str, list[Path]], settings: Mapping[str, Any]) -> tuple[pd.DataFrame, Page]:
    """Every exclusion, by database and then in the order of the stages (`tsv.EXCLUDED`)."""
    frame = pd.concat(
        [
            stage
            for place in range(len(settings["databases"]))
            for stage in read_excluded(files, place).values()
        ],
        ignore_index=True,
    )
    return frame, _page(frame)


def _page(frame: pd.DataFrame) -> Page:
    """Exclusions for reading: counts by reason, then every one."""
    named = frame["image"] != ""
    of_input = frame["stage"] == "inputs"
    counted = frame.assign(what=named.map({True: "image", False: "row"}))
    counted.loc[of_input, "what"] = "example"
    shown = pd.DataFrame(
        {
            "database": frame["database"],
            "table row": frame["table_row"],
            "excluded": frame["image"].where(
                named, frame["sample"].where(of_input, "the whole row")
            ),
            "stage": frame["stage"],
            "reason": frame["reason"],
            "detail": frame["detail"],
        }
    )
    return Page(
        "Excluded rows and images",
        "Everything that a stage could not use, with the row of the database's table as a "
        "spreadsheet program numbers it. A row without an image excludes all images of the "
        "expression; the other images of an excluded image's sample stay.",
        [
            ("By reason", count_by(counted, ["database", "stage", "what", "reason"])),
            ("Every exclusion", shown),
        ],
    )
