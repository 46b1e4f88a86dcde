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

from fleeting import tsv
from fleeting.paths import sample_name
from fleeting.synthetic.format import Clip, Format, load_format
from fleeting.synthetic.frame import Camera, Image, Scene
from fleeting.synthetic.identity import Identity
from fleeting.synthetic.moment import expressed, frame_generator, shown, side
from fleeting.synthetic.plan import frames_on_disk, plan
from fleeting.synthetic.settings import Settings
from fleeting.synthetic.sheets import write_xls, write_xlsx

#: A file that is no image, as the videos beside the clips of CASME II.
VIDEO = b"RIFF\x04\x00\x00\x00AVI "
#: What is true of each row of the table, whatever the row itself says. By phase: the share of the
#: full expression; the `displacement` by it (see `Scene.displacement`) in pixels of the frame; the
#: head's place (pixels of a 640x480 frame) and roll (degrees, anticlockwise) in comparison with the
#: subject's usual; how far the eyes are closed by a blink; the light as a share of the usual; where
#: the point between the ears, about which the head rolls, lies in the frame (`head_x` and `head_y`,
#: in its pixels). `side` is the side of the picture with the expression: `left`, `right` or `both`.
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
    "side": tsv.NAME,
    **{
        f"{phase}_{name}": tsv.NUMBER
        for phase in tsv.PHASES
        for name in (
            *("displacement", "x", "y", "roll", "eyes_closed", "light"),
            *("head_x", "head_y"),
        )
    },
}


def run(*, database: str, settings: Settings, table: Path, frames: Path, truth: Path) -> None:
    """Job: write one database and the table of its truth; see `write`."""
    cv2.setNumThreads(1)
    rows = write(database, settings, table, frames)
    tsv.write(rows, truth, TRUTH)
    logging.info("%s: %d rows in the table", database, len(rows))


def write_all(root: Path, block: Mapping[str, Any]) -> dict[str, dict[str, Path]]:
    """Write every database that `block["subjects"]` names below `root`, under realistic names.

    Returns by database the paths of its `table`, its `frames` and the table of its `truth`.
    """
    settings = Settings.model_validate(block)
    written = {}
    for database in sorted(settings.subjects):
        form = load_format(database)
        cropped = form.CROPPED if database in settings.provider_crops else None
        written[database] = {
            "table": root / form.TABLE,
            "frames": root / (cropped or form.FRAMES),
            "truth": root / f"{database}.truth.tsv",
        }
        run(database=database, settings=settings, **written[database])
    return written


def write(
    database: str, settings: Settings | Mapping[str, Any], table: Path, frames: Path
) -> pd.DataFrame:
    """Write one database.

    Args:
        database: `casme`, `casme2`, `cas_me2` or `samm`.
        settings: the `synthetic` block of the config.
        table: the table's file; its directory is made.
        frames: the folder of the frames; what it held is removed.

    Returns:
        The truth, one line a row of the table, with the columns of `TRUTH`. `sample` is named by
        the onset that the table states, as the pipeline names it.

    Raises:
        UserError: see `plan.plan`.
    """
    settings = Settings.model_validate(settings)
    form = load_format(database)
    clips = plan(database, settings)
    shutil.rmtree(frames, ignore_errors=True)
    frames.mkdir(parents=True)
    lines = []
    rows = enumerate(clips, start=form.FIRST_ROW)
    for index, of_subject in groupby(rows, key=lambda row: row[1].subject_index):
        lines += _write_subject(form, settings, index, dict(of_subject), frames)
    write_sheets = write_xls if form.TABLE.endswith(".xls") else write_xlsx
    write_sheets(form.sheets(clips), table)
    return pd.DataFrame(lines, columns=list(TRUTH))


def _write_subject(
    form: Format, settings: Settings, index: int, clips: Mapping[int, Clip], frames: Path
) -> list[dict[str, object]]:
    """Write the frames of a subject's clips, by row of the table; returns their truth."""
    first = next(iter(clips.values()))
    database, subject = first.database, first.subject
    cropped = database in settings.provider_crops
    camera = form.camera(index)
    person = Identity(f"{settings.seed}/{database}/{subject}", settings.disturbances.identity)
    scene = Scene(person, _provider_crop(index, camera) if cropped else camera)
    quality = settings.disturbances.jpeg_quality
    for clip in clips.values():
        for number in frames_on_disk(clip, settings.frames_per_clip):
            path = frames / form.frame_path(clip, number, cropped)
            path.parent.mkdir(parents=True, exist_ok=True)
            image = _image(scene, clip, number, settings)
            _, encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
            path.write_bytes(encoded.tobytes())
        if form.VIDEOS and clip.position == 0 and not cropped:
            path = frames / form.frame_path(clip, clip.onset, cropped)
            path.parent.with_suffix(".avi").write_bytes(VIDEO)
    return [_truth(scene, clip, row, settings) for row, clip in clips.items()]


def _provider_crop(index: int, camera: Camera) -> Camera:
    """A view of the face alone, whose size varies a little by subject."""
    width, height = 272 + 3 * (index % 6), 330 + 4 * (index % 5)
    return replace(
        camera, width=width, height=height, face=0.40 * width, x=width / 2, y=0.47 * height
    )


def _image(scene: Scene, clip: Clip, number: int, settings: Settings) -> Image:
    random = frame_generator(clip, number, settings)
    return scene.frame(shown(clip, number, settings, random), settings.noise, random)


def _truth(scene: Scene, clip: Clip, row: int, settings: Settings) -> dict[str, object]:
    frames = {"onset": clip.onset, "apex": clip.apex, "offset": clip.offset}
    shares = {
        f"{phase}_intensity": expressed(clip, frame, settings) for phase, frame in frames.items()
    }
    rendered: dict[str, float] = {}
    for phase, frame in frames.items():
        moment = shown(clip, frame, settings, frame_generator(clip, frame, settings))
        head_x, head_y = scene.place(moment.pose)
        rendered |= {
            f"{phase}_displacement": scene.displacement(moment),
            f"{phase}_x": moment.pose.x,
            f"{phase}_y": moment.pose.y,
            f"{phase}_roll": moment.pose.roll,
            f"{phase}_eyes_closed": moment.closed,
            f"{phase}_light": moment.light,
            f"{phase}_head_x": float(head_x),
            f"{phase}_head_y": float(head_y),
        }
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
        "side": side(clip, settings),
        **rendered,
    }
