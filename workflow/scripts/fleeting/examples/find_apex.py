"""The apex of each clip of a database, searched for in its crops."""

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType

import cv2

from fleeting import tsv
from fleeting.examples.apex import APEXES, ApexSettings, in_time, middle
from fleeting.examples.arrays import describe
from fleeting.examples.input import Crop, crops_by_sample
from fleeting.examples.pictures import decode, differing
from fleeting.settings import variant

log = logging.getLogger(__name__)

Row = dict[str, str]


def run(
    *,
    name: str,
    database: str,
    settings: dict,
    annotations: Path,
    faces: Path,
    results: Path,
    threads: int,
    apexes: Path,
) -> None:
    """Search for the apex in all clips of a database, those with a stated apex included.

    Args:
        name: the name of the block under `inputs`.
        database: the database's name.
        settings: the block under its `apex`.
        annotations: the database's samples.
        faces: the database's crops.
        results: the folder that the crops' paths are relative to.
        threads: how many clips are searched at a time; what is written does not depend on it.
        apexes: table of what was found (`APEXES`), written.
    """
    module, block = variant("apex", settings)
    samples = tsv.read_rows(annotations, tsv.ANNOTATIONS)
    crops = crops_by_sample([faces])
    # OpenCV's own threads would be more than those of the job.
    cv2.setNumThreads(1)

    def row(sample: Row) -> Row:
        found, halfway = search(crops.get(sample["sample"], []), results, module, block)
        stated = sample["apex"]
        takes_found = found and (not stated or block.replace == "all")
        return {
            "sample": sample["sample"],
            "method": block.kind,
            "stated": stated,
            "found": found,
            "middle": halfway,
            "onset": sample["onset"],
            "offset": sample["offset"],
            "used": found if takes_found else stated,
        }

    # Threads suffice, since OpenCV computes outside Python's lock.
    with ThreadPoolExecutor(threads) as pool:
        rows = list(pool.map(row, sorted(samples, key=lambda sample: sample["sample"])))
    tsv.write_rows(rows, apexes, APEXES)
    log.info(
        "%s, %s: %d of %d clips searched, %d of them had no apex",
        *(name, database, sum(bool(row["found"]) for row in rows), len(rows)),
        sum(bool(row["found"]) and not row["stated"] for row in rows),
    )


def search(
    crops: Sequence[Crop], results: Path, module: ModuleType, settings: ApexSettings
) -> tuple[str, str]:
    """The numbers of the frame that a method finds in a clip, and of the middle one.

    Both are empty where the crop of the onset or offset is missing, or there is none between.

    Args:
        crops: of one clip, rows of FACES, sorted as `crops_by_sample` does.
        results: the folder that their paths are relative to.
        module: the method's.
        settings: the method's.

    Raises:
        UserError: a crop is missing, changed, or not of the size of the others.
    """
    clip = in_time(crops)
    if len(clip) < 3:
        return "", ""
    frames = [int(crop["frame"]) for crop in clip]
    pictures = [decode(results, crop) for crop in clip]
    for crop, picture in zip(clip, pictures, strict=True):
        if picture.shape != pictures[0].shape:
            sizes = describe(pictures[0]), describe(picture)
            raise differing(results, clip[0], crop, sizes)
    found = module.apex(pictures, frames, settings)
    return str(frames[found]), str(frames[middle(frames)])
