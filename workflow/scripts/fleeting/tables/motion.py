"""How much moves in the clips of each input of motion, beside their noise floor."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from fleeting.evaluation.motion import COMPARED, PERCENTILE, compare
from fleeting.evaluation.render import Page
from fleeting.evaluation.repeats import number_text

SCOPE = "comparison"
CAPTION = (
    "How much moves in the clips of each database, by input of motion, beside the noise floor: "
    "what the same optical flow finds from the onset to the frame after it. The table is empty "
    "where no experiment uses motion. Measured once on each clip, so there are no repeats."
)
READS: dict[str, str] = {}
READS_MOTION = {"motion": "inputs/{input}/{database}.motion.tsv"}
SETTINGS = ()
NO_MOTION = "No experiment uses motion (an input such as `flow`), so there is nothing to measure."
NO_FLOOR = (
    "The noise floor is not known: no crops are of neutral frames. Write "
    "`frames: {kind: phases, neutral: true}` in the block of the crops to have it."
)


def make(files: Mapping[str, list[Path]], settings: Mapping[str, Any]) -> tuple[pd.DataFrame, Page]:
    """One row per input of motion and database that has examples of it, see `COMPARED`."""
    rows = [row for path in files.get("motion", []) if (row := compare(path))]
    frame = pd.DataFrame(rows, columns=list(COMPARED))
    return frame, _page(frame)


def _page(frame: pd.DataFrame) -> Page:
    """The table for reading; eye distances only where they are known."""
    shown = pd.DataFrame(
        {
            "input": frame["input"],
            "database": frame["database"],
            "clips": frame["clips"],
            "with a neutral frame": frame["floor_clips"],
            "motion (pixels)": _numbers(frame["motion"]),
            "noise floor (pixels)": _numbers(frame["floor"]),
            "ratio": [number_text(value, 1) for value in frame["ratio"]],
            "clips above the noise floor": [
                "" if pd.isna(value) else f"{value:.1%}" for value in frame["above"]
            ],
        }
    )
    if frame["eye_motion"].notna().any():
        shown["motion (eye distances)"] = _numbers(frame["eye_motion"], decimals=4)
        shown["noise floor (eye distances)"] = _numbers(frame["eye_floor"], decimals=4)
    return Page("Motion and its noise floor", _note(frame), [("", shown)])


def _note(frame: pd.DataFrame) -> str:
    if frame.empty:
        return NO_MOTION
    note = (
        "How far the pixels of a crop move beyond the head, whose motion is taken to be their "
        "median: the 95th percentile over a crop, and the median of it over clips. The noise floor "
        "is the same of two neutral frames, the onset and the one after it, and a movement below "
        f"it is not measured: a clip is above if more moves in it than between these frames in "
        f"{PERCENTILE}% of the clips of its database."
    )
    return note if frame["floor_clips"].any() else f"{note} {NO_FLOOR}"


def _numbers(values: pd.Series, decimals: int = 3) -> list[str]:
    return [number_text(value, decimals) for value in values]
