"""What became of every row, image and example of a database; the counts must add up."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from fleeting import tsv
from fleeting.errors import UserError
from fleeting.faces.gather import hits
from fleeting.paths import image_name
from fleeting.tsv import EXCLUDED, PHASES, SUBSTITUTED

ROWS: tsv.Schema = {"database": tsv.NAME, "table": tsv.NAME, "rows": tsv.INTEGER}
STAGES = ("annotations", "frames", "faces", "inputs")
#: The selection of frames that asks for the phases which the annotations name.
BY_PHASE = "phases"
Images = Iterable[str]


@dataclass(frozen=True)
class Counts:
    """A database's row of tables/databases.tsv without its hit rate, and what that is made of."""

    row: dict[str, object]
    handed_to_detector: int
    faces_found: int


def read_excluded(files: Mapping[str, Sequence[Path]], database: int) -> dict[str, pd.DataFrame]:
    """What each stage could not use of a database, given by its place in the lists of files."""
    return {stage: tsv.read(files[f"{stage}_excluded"][database], EXCLUDED) for stage in STAGES}


def count(
    files: Mapping[str, Sequence[Path]],
    place: int,
    database: str,
    selection: str,
    split: pd.DataFrame,
    unused: pd.DataFrame,
) -> Counts:
    """Count a database's rows, images and examples; every sum is asserted and logged.

    Args:
        files: the tables of every stage, in `annotations`, `rows`, `frames`, `faces`, `inputs`,
            `{stage}_excluded` and `{stage}_substituted`, one per database.
        place: the database's place in these lists.
        database: its name.
        selection: the kind of the selection of frames.
        split: the experiment's split.tsv.
        unused: its unused.tsv.

    Raises:
        UserError: a sum does not hold; it names the database, the numbers and an example.
    """
    samples = tsv.read(files["annotations"][place], tsv.ANNOTATIONS)
    read = tsv.read(files["rows"][place], ROWS)
    frames = tsv.read(files["frames"][place], tsv.FRAMES)
    faces = tsv.read(files["faces"][place], tsv.FACES)
    examples = tsv.read(files["inputs"][place], tsv.EXAMPLES)
    excluded = read_excluded(files, place)
    rows = int(read["rows"].astype(int).sum())
    row_exclusions = int((excluded["annotations"]["image"] == "").sum())
    _assert(database, "rows read", rows, {"samples": len(samples), "excluded rows": row_exclusions})

    dropped = _listed(excluded["annotations"])
    lost = {stage: _listed(excluded[stage]) for stage in ("frames", "faces")}
    if selection == BY_PHASE:
        asked = _phases(samples, dropped, database)
    else:
        dropped, asked = [], [*frames["image"], *lost["frames"]]
        _assert_same(
            database,
            "samples",
            samples["sample"],
            pd.concat([frames["sample"], excluded["frames"]["sample"]]),
        )
    _assert(
        database,
        "images expected",
        len(asked) + len(dropped),
        {
            "crops": len(faces),
            "images excluded by annotations": len(dropped),
            **{f"images excluded by {stage}": len(images) for stage, images in lost.items()},
        },
    )
    _assert_same(
        database, "images asked for", asked, [*faces["image"], *lost["frames"], *lost["faces"]]
    )

    parts = split[split["database"] == database]
    used = set(parts["example"])
    left = unused.loc[unused["database"] == database, "example"]
    _assert(
        database,
        "examples",
        len(examples),
        {"examples in the split": len(used), "unused examples": len(left)},
    )
    _assert_same(database, "examples", examples["example"], used.union(left))

    first_fold = parts[parts["fold"] == split["fold"].iloc[0]] if len(split) else parts
    substituted = ("annotations_substituted", "frames_substituted")
    row = {
        "database": database,
        "table": ", ".join(sorted(set(read["table"]))),
        "rows": rows,
        "row_exclusions": row_exclusions,
        "samples": len(samples),
        "subjects": samples["subject"].nunique(),
        "images_expected": len(asked) + len(dropped),
        "excluded_annotations": len(dropped),
        **{f"excluded_{stage}": len(images) for stage, images in lost.items()},
        "crops": len(faces),
        "excluded_inputs": len(excluded["inputs"]),
        "examples": len(examples),
        **{
            part: int((first_fold["split"] == part).sum())
            for part in ("train", "validation", "test")
        },
        "unused": len(left),
        "substituted": sum(len(tsv.read(files[name][place], SUBSTITUTED)) for name in substituted),
    }
    return Counts(row, *hits(faces, excluded["faces"]))


def _listed(excluded: pd.DataFrame) -> list[str]:
    """The images among what a stage could not use; rows without one are whole rows."""
    return [image for image in excluded["image"] if image]


def _phases(samples: pd.DataFrame, dropped: Images, database: str) -> list[str]:
    """The images of the phases that the annotations have; `dropped` lists those they lack.

    A phase that the database never has (a table without a column of apex frames) is not listed.
    """
    asked: list[str] = []
    missing: list[str] = []
    for phase in PHASES:
        images = [image_name(sample, phase) for sample in samples["sample"]]
        there = (samples[phase] != "").tolist()
        asked += [image for image, known in zip(images, there, strict=True) if known]
        if any(there) or not set(images).isdisjoint(dropped):
            missing += [image for image, known in zip(images, there, strict=True) if not known]
    _assert_same(database, "images without a frame number", missing, dropped)
    return asked


def _assert(database: str, name: str, total: int, parts: Mapping[str, int]) -> None:
    added = " + ".join(f"{number} {part}" for part, number in parts.items())
    if total != sum(parts.values()):
        raise _unbalanced(database, f"{total} {name}, but {added} = {sum(parts.values())}")
    logging.info("%s: %d %s = %s", database, total, name, added)


def _assert_same(database: str, name: str, one: Images, other: Images) -> None:
    lost = set(one) ^ set(other)
    if lost:
        raise _unbalanced(database, f"{name}: {min(lost)} is on one side only")


def _unbalanced(database: str, what: str) -> UserError:
    return UserError(
        f"accounting does not hold: {database}: {what}. Rerun with `-R extract_annotations`; if "
        "the error stays, report it: something is lost on the way"
    )
