"""The crop job of a database: every frame becomes a crop, or a row that says why not."""

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import cv2

from fleeting import code_in_use, paths, registry, tsv
from fleeting.errors import UserError
from fleeting.faces import counts, finished
from fleeting.faces.crop_sample import CropJob, Row, crop_sample
from fleeting.faces.detector import Detector
from fleeting.faces.settings import Cropping

log = logging.getLogger(__name__)

#: What detects, cuts and resizes, besides OpenCV.
LIBRARIES = ("numpy", "torch")


def run(
    *,
    results: Path,
    crop: str,
    database: str,
    root: Path,
    source: str,
    settings: dict,
    frames: Path,
    weights: Path | None = None,
    detector_files: list[Path],
    threads: int,
    accept_losses: bool,
    faces: Path,
    excluded: Path,
) -> None:
    """Crop the faces of a database's frames; the crops are written below the results folder.

    Args:
        results: the results folder.
        crop: the name of the block under `crops`.
        database: the database's name.
        root: the folder of the database's frames.
        source: `raw`, or `cropped` where the frames are the provider's crops.
        settings: the block under `crops`; its `frames` have been selected already.
        frames: the database's table of frames.
        weights: the detector's file or folder.
        detector_files: the files and folders whose bytes tell whether the detector changed; none
            where nothing is detected.
        threads: how many samples are cropped at a time.
        accept_losses: go on where most images could not be cropped.
        faces: table of the crops, written.
        excluded: table of the images without a crop, written.

    Raises:
        UserError: the table of frames is not as the frames stage wrote it; most images could not
            be cropped, or none (see `losses.check`).
    """
    block = {key: value for key, value in settings.items() if key != "frames"}
    job = CropJob(results, crop, database, root, source, Cropping.model_validate(block))
    cropped, uncropped = crop_frames(job, frames, weights, detector_files, threads)
    tsv.write_rows(cropped, faces, tsv.FACES)
    tsv.write_rows(uncropped, excluded, tsv.EXCLUDED)
    for row in uncropped:
        log.info("%s: %s, %s", row["image"], row["reason"], row["detail"])
    counts.log_hit_rate(cropped, uncropped, database)
    counts.warn(cropped, uncropped, database, crop, accept_losses)


def crop_frames(
    job: CropJob, frames: Path, weights: Path | None, detector_files: Sequence[Path], threads: int
) -> tuple[list[Row], list[Row]]:
    """Crop the frames of a database, or keep their crops, and remove all other crops of it.

    The arguments are those of `run`.

    Returns:
        The FACES and the EXCLUDED rows, sorted by image.
    """
    samples = read_frames(frames, job.database)
    paths_of_frames = [row["path"] for rows in samples.values() for row in rows]
    if samples and not any((job.root / path).is_file() for path in paths_of_frames):
        # Otherwise no crop would be kept.
        raise UserError(
            f"{job.root}: none of the frames in {frames} is there; mount or restore the database, "
            "and run again"
        )
    workers = min(threads, len(samples)) or 1
    detectors = [_detector(job, weights) for _ in range(workers)]
    shared = finished.digest_of(
        {
            "crop": job.crop,
            "settings": job.settings.model_dump(mode="json"),
            "source": job.source,
            "detector": [paths.sha256(file) for file in _files(detector_files)],
            "code": code_in_use.digests(),
            # Several packages install OpenCV, so that none of them is asked for its version.
            "versions": {"opencv": cv2.__version__, **{name: version(name) for name in LIBRARIES}},
        }
    )
    rows = _crop_samples(job, samples, detectors, shared)
    cropped = [row for row in rows if "path" in row]
    kept = {job.results / row["path"] for row in cropped}
    kept |= {job.folder / sample / finished.FILE_NAME for sample in samples}
    finished.remove_others(job.folder / job.database, kept)
    # The crops' table has no `table_row`: a row added to the database's table would change it.
    table_rows = {row["image"]: row["table_row"] for own in samples.values() for row in own}
    uncropped = [
        {**row, "table_row": table_rows[row["image"]]} for row in rows if "path" not in row
    ]
    return cropped, uncropped


def read_frames(frames: Path, database: str) -> dict[str, list[Row]]:
    """The rows of a database's table of frames by sample, in the order of the phases.

    Raises:
        UserError: an image is there twice, or its name, which becomes a path, is not one that the
            frames stage gives.
    """
    samples: dict[str, list[Row]] = defaultdict(list)
    seen = set()
    for line, row in enumerate(tsv.read_rows(frames, tsv.FRAMES), start=2):
        image, sample = row["image"], row["sample"]
        inside = sample.startswith(f"{database}/") and image.startswith(f"{sample}/")
        if not inside or not all(map(paths.is_safe_name, image.split("/"))) or image in seen:
            raise UserError(
                f"{frames}, line {line}: {image!r} is there twice, or is not the name of an image "
                f"of {database}; rerun with `-R select_frames`"
            )
        seen.add(image)
        samples[sample].append(row)
    for rows in samples.values():
        # Images without a phase stay in the order of their selection.
        rows.sort(key=lambda row: tsv.PHASE_ORDER[row["phase"]])
    return samples


def _crop_samples(
    job: CropJob,
    samples: Mapping[str, list[Row]],
    detectors: Sequence[Detector | None],
    shared: str,
) -> list[Row]:
    """Crop samples, as many at a time as there are detectors; finished ones keep their crops.

    Args:
        job: what all samples share.
        samples: FRAMES rows by sample.
        detectors: each is used by one sample at a time; None where pictures are taken whole.
        shared: the digest of what the crops depend on besides their frames.

    Returns:
        The rows of `crop_sample` for all samples, sorted by image.
    """
    free: SimpleQueue[Detector | None] = SimpleQueue()
    for detector in detectors:
        free.put(detector)

    def rows_of(sample: str) -> list[Row]:
        frames, folder = samples[sample], job.folder / sample
        key = finished.key_of(shared, job.root, frames)
        rows = finished.load(folder, key, job.results)
        if rows is None:
            detector = free.get()
            try:
                rows = crop_sample(job, frames, detector)
            finally:
                free.put(detector)
            finished.save(folder, key, rows)
        return rows

    # Threads suffice, since OpenCV computes outside Python's lock. After an error or Ctrl-C, `map`
    # cancels the samples that have not begun.
    with ThreadPoolExecutor(len(detectors)) as pool:
        found = [row for rows in pool.map(rows_of, samples) for row in rows]
    return sorted(found, key=lambda row: str(row["image"]))


def _files(places: Sequence[Path]) -> list[Path]:
    """The files among these, and those in the folders among these."""
    return [
        file
        for place in places
        for file in (sorted(place.rglob("*")) if place.is_dir() else [place])
        if file.is_file()
    ]


def _detector(job: CropJob, weights: Path | None) -> Detector | None:
    """The detector with its weights; None where pictures are taken whole."""
    if not job.settings.detects(job.source):
        return None
    settings: Any = job.settings.detector
    detector: Detector = registry.load("detector", settings.kind).load(weights, settings)
    return detector
