"""The apexes that were searched for: how many, and how far from those that the tables state."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from fleeting import tsv
from fleeting.evaluation.apex_errors import MEASURES, errors, numbers
from fleeting.evaluation.render import Page
from fleeting.examples.apex import APEXES

SCOPE = "comparison"
CAPTION = (
    "Apexes that were searched for in the frames of the clips, by input and database: how many "
    "clips took the frame that was found, and how far it is from the stated apex of the clips that "
    "have one, beside the error of the frame in the middle of the clip. Nothing was trained for "
    "this table, so there are no repeats. It is empty where no input of the config has an `apex`."
)
READS: dict[str, str] = {}
READS_APEXES = {"apexes": "inputs/{input}/{database}.apexes.tsv"}
SETTINGS = ()
COUNTS = ("clips", "searched", "filled", "replaced", "compared")
COLUMNS = [
    *("input", "database", "method", *COUNTS),
    *(f"{name}_{measure}" for name in ("found", "middle") for measure in MEASURES),
]


def make(files: Mapping[str, list[Path]], settings: Mapping[str, Any]) -> tuple[pd.DataFrame, Page]:
    """One row per input and database.

    `searched` are the clips with frames between onset and offset; `filled` had no apex and took the
    one that was found, `replaced` took it in place of another; `compared` were searched and have a
    stated apex: the errors are those of these. See `apex_errors.errors`.
    """
    rows = []
    for path in files.get("apexes", []):
        table = tsv.read(path, APEXES)
        if len(table):
            rows.append({"input": path.parent.name, **_row(path.name.split(".")[0], table)})
    frame = pd.DataFrame(rows, columns=COLUMNS)
    return frame, _page(frame)


def _row(database: str, table: pd.DataFrame) -> dict[str, object]:
    found = numbers(table)
    has_stated, searched = found["stated"].notna(), found["found"].notna()
    takes_found = found["used"].notna() & (found["used"] != found["stated"])
    compared = found[has_stated & searched]
    row: dict[str, object] = {
        "database": database,
        "method": table["method"].iloc[0],
        "clips": len(found),
        "searched": int(searched.sum()),
        "filled": int((takes_found & ~has_stated).sum()),
        "replaced": int((takes_found & has_stated).sum()),
        "compared": len(compared),
    }
    for name in ("found", "middle"):
        own = errors(compared, name, "stated")
        row |= {f"{name}_{measure}": own[measure] for measure in MEASURES}
    return row


def _page(frame: pd.DataFrame) -> Page:
    """The table for reading."""
    shown = frame[["input", "database", "method", *COUNTS]].rename(
        columns={
            "filled": "had no apex, took the found one",
            "replaced": "took it in place of the stated one",
            "compared": "compared with the stated one",
        }
    )
    for name, title in (("found", "found"), ("middle", "middle frame")):
        shown[f"{title}: mean error"] = frame[f"{name}_mean"].map(_frames)
        shown[f"{title}: median error"] = frame[f"{name}_median"].map(_frames)
        shown[f"{title}: mean error, of the clip"] = frame[f"{name}_share"].map(_percent)
    return Page(
        "Apexes that were searched for",
        "A method looks for the apex between onset and offset. All clips that have frames there "
        "are searched, those with a stated apex as well: on these the method is measured. Errors "
        "are absolute differences from the stated apex in frames, and as a share of the frames "
        "from onset to offset. A method that is not nearer than the frame in the middle of the "
        "clip is not worth its time. Stated apexes are those of the databases' coders, who differ "
        "as well. Nothing was trained for this table, so there are no repeats.",
        [("", shown)],
    )


def _frames(value: float) -> str:
    return "" if pd.isna(value) else f"{value:.1f}"


def _percent(value: float) -> str:
    return "" if pd.isna(value) else f"{100 * value:.0f}%"
