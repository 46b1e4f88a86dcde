"""Write a synthetic database: table and frames in the real database's format, and the truth."""

import logging
import shutil
from collections.abc import Mapping
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any

import cv2
import pandas as pd

from fleeting import registry, tsv
from fleeting.paths import sample_name
from fleeting.synthetic.action_units import action_units
from fleeting.synthetic.dynamics import intensity
from fleeting.synthetic.format import Clip, Format
from fleeting.synthetic.frame import Camera, Image, Pose, Scene
from fleeting.synthetic.identity import identity
from fleeting.synthetic.plan import frames_on_disk, plan
from fleeting.synthetic.seeds import generator
from fleeting.synthetic.settings import Settings, settings

JPEG_QUALITY = 92
#: A file that is no image, as the videos beside the clips of CASME II.
VIDEO = b"RIFF\x04\x00\x00\x00AVI "
#: What is true of each row of the table, whatever the row itself says.
TRUTH: tsv.Schema = {
    "sample": tsv.NAME,
    "database": tsv.NAME,
    "subject": tsv.NAME,
    "clip": tsv.NAME,
    "table_row": tsv.INTEGER,
    "emotion": tsv.NAME,
    "quirk": tsv.TEXT,
    "onset": tsv.INTEGER,
    "apex": tsv.INTEGER,
    "offset": tsv.INTEGER,
    "onset_intensity": tsv.NUMBER,
    "apex_intensity": tsv.NUMBER,
    "offset_intensity": tsv.NUMBER,
    "action_units": tsv.NAME,
}


def run(*, database: str, settings: dict[str, Any], table: Path, frames: Path, truth: Path) -> None:
    """Job: write one database and the table of its truth; see `write`."""
    cv2.setNumThreads(1)
    rows = write(database, settings, table, frames)
    tsv.write(rows, truth, TRUTH)
    logging.info("%s: %d rows in the table", database, len(rows))


def write_all(root: Path, block: Mapping[str, Any]) -> dict[str, dict[str, Path]]:
    """Write every database that `block["subjects"]` names below `root`, under realistic names.

    Returns by database the paths of its `table` and its `frames`.
    """
    chosen = settings(block)
    places = {}
    for database in sorted(chosen.subjects):
        form = _form(database)
        frames = form.cropped if database in chosen.provider_crops else form.frames
        place = {"table": root / form.table, "frames": root / (frames or form.frames)}
        write(database, block, place["table"], place["frames"])
        places[database] = place
    return places


def write(database: str, block: Mapping[str, Any], table: Path, frames: Path) -> pd.DataFrame:
    """Write one database.

    Args:
        database: `casme`, `casme2`, `cas_me2` or `samm`.
        block: the `synthetic` block of the config; see `fleeting.synthetic.settings`.
        table: the table's file; its directory is made.
        frames: the folder of the frames; it is written anew, what it held is removed.

    Returns:
        The truth, one line a row of the table, with the columns of `TRUTH`. `sample` is named by
        the onset that the table states, as the pipeline names it.
    """
    chosen = settings(block)
    form = _form(database)
    clips = plan(form, chosen)
    shutil.rmtree(frames, ignore_errors=True)
    frames.mkdir(parents=True)
    for index, of_subject in groupby(clips, key=lambda clip: clip.subject_index):
        _write_subject(form, chosen, index, list(of_subject), frames)
    rows = form.write_table(table, clips)
    lines = [_truth(clip, row, chosen) for clip, row in zip(clips, rows, strict=True)]
    return pd.DataFrame(lines, columns=list(TRUTH))


def _form(database: str) -> Format:
    form = registry.load("synthetic", database).FORMAT
    assert isinstance(form, Format)
    return form


def _write_subject(
    form: Format, chosen: Settings, index: int, clips: list[Clip], frames: Path
) -> None:
    cropped = form.database in chosen.provider_crops
    person = identity(f"{chosen.seed}/{form.database}/{form.subject(index)}")
    camera = form.camera(index)
    scene = Scene(person, _provider_crop(index, camera) if cropped else camera)
    for clip in clips:
        for number in frames_on_disk(clip, chosen.frames_per_clip):
            path = frames / form.frame_path(clip, number, cropped)
            path.parent.mkdir(parents=True, exist_ok=True)
            _write_image(_image(scene, clip, number, chosen), path)
        video = form.video(clip)
        if video is not None and not cropped:
            (frames / video).write_bytes(VIDEO)


def _provider_crop(index: int, camera: Camera) -> Camera:
    """A view of the face alone, whose size varies a little by subject."""
    width, height = 272 + 3 * (index % 6), 330 + 4 * (index % 5)
    return replace(
        camera, width=width, height=height, face=0.40 * width, x=width / 2, y=0.47 * height
    )


def _image(scene: Scene, clip: Clip, number: int, chosen: Settings) -> Image:
    """One frame: the expression of that moment on a head that is never quite still."""
    key = (chosen.seed, clip.database, clip.subject, clip.name)
    still, moving = generator("pose", *key), generator("frame", *key, number)
    pose = Pose(
        x=float(still.uniform(-5, 5) + moving.uniform(-0.6, 0.6)),
        y=float(still.uniform(-4, 4) + moving.uniform(-0.6, 0.6)),
        roll=float(still.uniform(-1, 1) + moving.uniform(-0.15, 0.15)),
        size=float(still.uniform(0.98, 1.02)),
    )
    share = _share(clip, number, chosen)
    units = action_units({unit: level * share for unit, level in clip.expression.items()})
    return scene.frame(units, pose, chosen.noise, moving)


def _share(clip: Clip, number: int, chosen: Settings) -> float:
    """The share of the full expression that a frame of a clip shows."""
    return float(intensity(number, clip.onset, clip.apex, clip.offset, chosen.intensity))


def _write_image(image: Image, path: Path) -> None:
    _, encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    path.write_bytes(encoded.tobytes())


def _truth(clip: Clip, row: int, chosen: Settings) -> dict[str, object]:
    frames = {"onset": clip.onset, "apex": clip.apex, "offset": clip.offset}
    shares = {f"{phase}_intensity": _share(clip, frame, chosen) for phase, frame in frames.items()}
    return {
        "sample": sample_name(clip.database, clip.subject, clip.name, clip.stated_onset),
        "database": clip.database,
        "subject": clip.subject,
        "clip": clip.name,
        "table_row": row,
        "emotion": clip.emotion,
        "quirk": clip.quirk,
        **frames,
        **shares,
        "action_units": " ".join(
            f"{number}={level:.3f}" for number, level in sorted(clip.expression.items())
        ),
    }
