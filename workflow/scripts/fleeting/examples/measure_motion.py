"""The job that measures how much moves in the clips of a database, and their noise floor."""

import logging
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fleeting import tsv
from fleeting.examples import arrays
from fleeting.examples.apex import with_found
from fleeting.examples.input import Crop, Example, crops_by_sample
from fleeting.examples.motion import MOTION, NEUTRAL, measured
from fleeting.examples.optical_flow import FlowSettings, eye_distance
from fleeting.examples.pack import arrays_of
from fleeting.examples.phases import after_onset
from fleeting.settings import variant

log = logging.getLogger(__name__)

Row = dict[str, object]


def run(
    *,
    name: str,
    database: str,
    settings: dict,
    faces: Path,
    apexes: list[Path],
    examples: Path,
    results: Path,
    threads: int,
    motion: Path,
) -> None:
    """Measure the motion in each example of an input, and from each onset to its neutral frame.

    A clip without a crop of a neutral frame has no noise floor, and no row of one.

    Args:
        name: the name of the block under `inputs`.
        database: the database's name.
        settings: the block under `inputs`; its module says `BETWEEN`.
        faces: the database's crops.
        apexes: the table of the apexes that were searched for in them, if the input has `apex`.
        examples: table of the examples, with their arrays beside it.
        results: the folder that the crops' paths are relative to.
        threads: how many pairs of neutral frames are compared at a time.
        motion: table of the motion (`motion.MOTION`), written.
    """
    module, block = variant("input", settings)
    crops = with_found(crops_by_sample([faces]), apexes)
    rows, neutral = [], []
    for row, array in arrays.each(examples):
        own = crops[row["sample"]]
        by_phase = {crop["phase"]: crop for crop in own if crop["phase"]}
        first, last = module.BETWEEN
        pair = (by_phase[first], by_phase[last])
        rows.append(_row(database, "_".join(module.BETWEEN), *pair, array, block))
        if (after := after_onset(own)) is not None:
            neutral.append(Example(row["sample"], "", (by_phase[first], after)))
    # OpenCV's own threads would be more than those of the job.
    cv2.setNumThreads(1)
    found = arrays_of(neutral, results, module, block, [], threads)
    for example, array in zip(neutral, found, strict=True):
        onset, after = example.crops
        rows.append(_row(database, NEUTRAL, onset, after, array, block))
    log.info(
        "%s, %s: the motion of %d clips measured; %d of them have a noise floor",
        *(name, database, len(rows) - len(neutral), len(neutral)),
    )
    # A clip's noise floor follows its motion.
    tsv.write_rows(sorted(rows, key=lambda row: str(row["sample"])), motion, MOTION)


def _row(
    database: str,
    pair: str,
    first: Crop,
    last: Crop,
    array: NDArray[np.float32],
    settings: FlowSettings,
) -> Row:
    """A row of `MOTION`."""
    return {
        "sample": first["sample"],
        "database": database,
        "pair": pair,
        "frames": int(last["frame"]) - int(first["frame"]),
        **measured(array, settings.measured_in, eye_distance(first)),
    }
