"""How much moves in the clips of a database, beside their noise floor."""

from pathlib import Path

import numpy as np

from fleeting.evaluation import schemas
from fleeting.examples.motion import MOTION, NEUTRAL
from fleeting.tsv import INTEGER, NAME, NUMBER, Schema

#: comparison/motion.tsv: one row per input of motion and database. `motion` and `floor` are medians
#: over clips of the 95th percentile over pixels, in pixels of the crop, with `eye_` in eye
#: distances; `ratio` is the first to the second. `floor_clips` have a neutral frame. `above` is the
#: share of the clips whose motion is above the noise floor of 95% of those. What is not known is
#: empty.
COMPARED: Schema = {
    "input": NAME,
    "database": NAME,
    "clips": INTEGER,
    "floor_clips": INTEGER,
    "motion": NUMBER,
    "floor": NUMBER,
    "ratio": NUMBER,
    "above": NUMBER,
    "eye_motion": NUMBER,
    "eye_floor": NUMBER,
}
#: A movement is above the noise floor if it is larger than that of so many percent of the clips.
PERCENTILE = 95


def compare(table: Path) -> dict[str, object] | None:
    """The row of `COMPARED` for a table of `examples.motion.MOTION`; None if it has no clip.

    The table's folder is named after its input.
    """
    rows = schemas.read(table, MOTION)
    if rows.empty:
        return None
    is_floor = rows["pair"] == NEUTRAL
    clips, floors = rows[~is_floor], rows[is_floor]
    motion, floor = clips["motion_p95"], floors["motion_p95"]
    found = {
        "input": table.parent.name,
        "database": rows["database"].iloc[0],
        "clips": len(clips),
        "floor_clips": len(floors),
        "motion": motion.median(),
        "floor": floor.median(),
        "ratio": motion.median() / floor.median() if floor.median() > 0 else np.nan,
        "above": np.nan,
        "eye_motion": clips["eye_motion_p95"].median(),
        "eye_floor": floors["eye_motion_p95"].median(),
    }
    if len(floors):
        found["above"] = (motion > np.percentile(floor, PERCENTILE)).mean()
    return found
