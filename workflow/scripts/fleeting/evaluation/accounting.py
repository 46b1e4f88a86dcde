"""What became of every row, image and example of a database; the counts must add up."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from fleeting import tsv
from fleeting.errors import UserError
from fleeting.faces.outcomes import hits
from fleeting.frames.neutral import NEUTRAL, neutral_frame
from fleeting.paths import image_name
from fleeting.tsv import EXCLUDED, PHASES, SUBSTITUTED

STAGES = ("annotations", "frames", "faces", "inputs")
#: The selection of frames that asks for the phases which the annotations name.
BY_PHASE = "phases"


def read_excluded(files: Mapping[str, Sequence[Path]], database: int) -> dict[str, pd.DataFrame]:
    """What each stage could not use of a database, given by its place in the lists of files."""
    return {stage: tsv.read(files[f"{stage}_excluded"][database], EXCLUDED) for stage in STAGES}


def count(
    files: Mapping[str, Sequence[Path]],
    place: int,
    database: str,
    selection: Mapping[str, Any],
    split: pd.DataFrame,
    unused: pd.DataFrame,
) -> dict[str, object]:
    """Count a database's rows, images and examples; every sum is asserted and logged.

    Args:
        files: the tables of every stage, in `annotations`, `rows`, `frames`, `faces`, `inputs`,
            `{stage}_excluded` and `{stage}_substituted`, one per database.
        place: the database's place in these lists.
        database: its name.
        selection: the config's block of the selection of frames.
        split: the experiment's split.tsv.
        unused: its unused.tsv.

    Returns:
        Its row of tables/databases.tsv, with `handed` (images handed to the detector) and `found`
        (faces found in them) in place of the hit rate.

    Raises:
        UserError: a sum does not hold; it names the database, the numbers and an example.
    """
    samples = tsv.read(files["annotations"][place], tsv.ANNOTATIONS)
    read = tsv.read(files["rows"][place], tsv.ROW_COUNT)
    frames = tsv.read(files["frames"][place], tsv.FRAMES)
    faces = tsv.read(files["faces"][place], tsv.FACES)
    examples = tsv.read(files["inputs"][place], tsv.EXAMPLES)
    excluded = read_excluded(files, place)
    # Of what the annotations exclude, rows without an image are whole rows.
    images = {stage: frame.loc[frame["image"] != "", "image"] for stage, frame in excluded.items()}
    rows = int(read["rows"].astype(int).sum())
    row_exclusions = len(excluded["annotations"]) - len(images["annotations"])
    _assert(database, "rows read", rows, {"samples": len(samples), "excluded rows": row_exclusions})

    if selection["kind"] == BY_PHASE:
        dropped = list(images["annotations"])
        asked = _phases(samples, dropped, database)
        if selection["neutral"]:
            asked += _neutral(samples)
    else:
        dropped, asked = [], [*frames["image"], *images["frames"]]
        of_frames = [*frames["sample"], *excluded["frames"]["sample"]]
        _assert_same(database, "samples", samples["sample"], of_frames)
    lost = {stage: len(images[stage]) for stage in ("frames", "faces")}
    _assert(
        database,
        "images expected",
        len(asked) + len(dropped),
        {
            "crops": len(faces),
            "images excluded by annotations": len(dropped),
            **{f"images excluded by {stage}": number for stage, number in lost.items()},
        },
    )
    cropped = [*faces["image"], *images["frames"], *images["faces"]]
    _assert_same(database, "images asked for", asked, cropped)

    roles = split[split["database"] == database]
    used = set(roles["example"])
    left = unused.loc[unused["database"] == database, "example"]
    _assert(
        database,
        "examples",
        len(examples),
        {"examples in the split": len(used), "unused examples": len(left)},
    )
    _assert_same(database, "examples", examples["example"], used.union(left))

    first_fold = roles.loc[roles["fold"] == split["fold"].iloc[0], "split"]
    substituted = [
        tsv.read(files[f"{stage}_substituted"][place], SUBSTITUTED)
        for stage in ("annotations", "frames")
    ]
    handed, found = hits(faces["detector"], faces["outcome"], excluded["faces"]["code"])
    return {
        "database": database,
        "table": ", ".join(sorted(set(read["table"]))),
        "rows": rows,
        "row_exclusions": row_exclusions,
        "samples": len(samples),
        "subjects": samples["subject"].nunique(),
        "images_expected": len(asked) + len(dropped),
        "excluded_annotations": len(dropped),
        **{f"excluded_{stage}": number for stage, number in lost.items()},
        "crops": len(faces),
        "excluded_inputs": len(excluded["inputs"]),
        "examples": len(examples),
        **{role: int((first_fold == role).sum()) for role in ("train", "validation", "test")},
        "unused": len(left),
        "substituted": sum(map(len, substituted)),
        "handed": handed,
        "found": found,
    }


def _phases(samples: pd.DataFrame, dropped: list[str], database: str) -> list[str]:
    """The images of the phases that the annotations have; `dropped` lists those they lack.

    A phase that the database never has (a table without a column of apex frames) is not listed.
    """
    asked: list[str] = []
    missing: list[str] = []
    for phase in PHASES:
        images = samples["sample"].map(lambda sample, phase=phase: image_name(sample, phase))
        known = samples[phase] != ""
        asked += images[known].tolist()
        if known.any() or images.isin(dropped).any():
            missing += images[~known].tolist()
    _assert_same(database, "images without a frame number", missing, dropped)
    return asked


def _neutral(samples: pd.DataFrame) -> list[str]:
    """The images of the neutral frames of those samples that have one."""
    has_one = [neutral_frame(dict(row)) is not None for _, row in samples.iterrows()]
    return [image_name(sample, NEUTRAL) for sample in samples.loc[has_one, "sample"]]


def _assert(database: str, name: str, total: int, parts: Mapping[str, int]) -> None:
    added = " + ".join(f"{number} {part}" for part, number in parts.items())
    if total != sum(parts.values()):
        raise _unbalanced(database, f"{total} {name}, but {added} = {sum(parts.values())}")
    logging.info("%s: %d %s = %s", database, total, name, added)


def _assert_same(database: str, name: str, one: Iterable[str], other: Iterable[str]) -> None:
    lost = set(one) ^ set(other)
    if lost:
        raise _unbalanced(database, f"{name}: {min(lost)} is on one side only")


def _unbalanced(database: str, what: str) -> UserError:
    return UserError(
        f"accounting does not hold: {database}: {what}. Rerun with `-R extract_annotations`; if "
        "the error stays, report it: something is lost on the way"
    )
