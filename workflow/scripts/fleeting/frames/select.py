"""From samples to images on disk: those that a selection wants of every sample.

Each wanted image becomes one row of FRAMES or one row of EXCLUDED.
"""

import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, cast

from fleeting import paths, registry, tsv
from fleeting.databases import find
from fleeting.databases import reader as reader_module
from fleeting.databases import settings as database_settings
from fleeting.databases.reader import Place, Reader, fold
from fleeting.databases.settings import DatabaseSettings
from fleeting.errors import UserError
from fleeting.frames import diagnosis, search
from fleeting.frames.index import Index, build
from fleeting.frames.search import Clip, NotFound
from fleeting.frames.wanted import Sample, Selection, Wanted

log = logging.getLogger(__name__)

STAGE = "frames"

Record = dict[str, object]
#: The images that a sample should have: a selection's `wanted` with its settings.
Want = Callable[[Sample], Sequence[Wanted]]


@dataclass
class Result:
    """The rows of the stage's tables, and the clips that were searched for them."""

    frames: list[Record] = field(default_factory=list)
    excluded: list[Record] = field(default_factory=list)
    substituted: list[Record] = field(default_factory=list)
    clips: list[Clip] = field(default_factory=list)


def run(
    *,
    database: str,
    settings: dict,
    selection: dict,
    annotations: Path,
    frames: Path,
    excluded: Path,
    substituted: Path,
    subjects: Path,
    nearest_within: int,
) -> None:
    """Find the frames of a database's samples; write its tables, and one table per subject.

    Args:
        database: its name in the config.
        settings: its block of the config.
        selection: the block of the selection, with its `kind`.
        annotations: the table of its samples.
        frames: table of the images that were found, written.
        excluded: table of the images that were not, written.
        substituted: table of the neighbours that were taken for missing frames, written.
        subjects: folder of the subjects' tables, written.
        nearest_within: how far a neighbour of a missing frame may be; 0 takes none.
    """
    block = database_settings.load(database, settings)
    reader = reader_module.load(block.reader)
    want = wanted_by(selection)
    samples = tsv.read_rows(annotations, tsv.ANNOTATIONS)
    index = index_for(samples, want, find.frames_root(block))
    for note in index.notes():
        log.info("%s: %s", database, note)
    result = select(samples, want, index, reader, block, nearest_within)
    warning = diagnosis.check(result, index, database, block.source)
    if warning:
        log.warning("Warning: %s", warning)
    codes = Counter(str(row["code"]) for row in result.excluded)
    log.info(
        "%s: %d samples, %d images found (%d of them neighbours), %d excluded: %s",
        database,
        len(samples),
        len(result.frames),
        len(result.substituted),
        len(result.excluded),
        ", ".join(f"{count} {code}" for code, count in sorted(codes.items())) or "none",
    )
    tsv.write_rows(result.frames, frames, tsv.FRAMES)
    tsv.write_rows(result.excluded, excluded, tsv.EXCLUDED)
    tsv.write_rows(result.substituted, substituted, tsv.SUBSTITUTED)
    write_subjects(result, samples, subjects)


def wanted_by(selection: dict[str, Any]) -> Want:
    """The images that a selection's block of the config wants of a sample."""
    module = cast(Selection, registry.load("selection", selection["kind"]))
    return partial(module.wanted, settings=module.Settings.model_validate(selection))


def index_for(samples: Sequence[Sample], want: Want, root: Path) -> Index:
    """What lies below the folder of a database's frames, where anything is searched by number.

    Pictures that a table names by their paths need no search; then the index is empty.
    """
    if any(image.frame is not None for sample in samples for image in want(sample)):
        return build(root)
    if not root.is_dir():
        raise UserError(f"{root}: no such folder; correct the database's root or frames")
    return Index(root)


def select(
    samples: Sequence[Sample],
    want: Want,
    index: Index,
    reader: Reader,
    settings: DatabaseSettings,
    within: int,
) -> Result:
    """Find the images of all samples.

    Args:
        samples: the ANNOTATIONS rows of one database.
        want: the images that a sample should have (see `wanted_by`).
        index: what lies below the folder of its frames (see `index_for`).
        reader: the database's reader.
        settings: the database's settings; `source` is the kind of frames that is taken.
        within: how far a neighbour of a missing frame may be; 0 takes none.

    Raises:
        UserError: a sample's name is not the one that the annotations stage gives it.
    """
    _check(samples)
    result = Result()
    by_clip: dict[tuple[str, str], list[Sample]] = defaultdict(list)
    for sample in samples:
        by_clip[sample["subject"], sample["clip"]].append(sample)
    clips_of: dict[str, set[str]] = defaultdict(set)
    for subject, name in by_clip:
        clips_of[subject].add(fold(name))
    for subject, name in sorted(by_clip):
        of_clip = sorted(by_clip[subject, name], key=lambda sample: int(sample["onset"]))
        others = clips_of[subject] - {fold(name)}
        clips = _clips(of_clip, want, index, reader, settings, others)
        result.clips += dict.fromkeys(clips.values())
        for sample in of_clip:
            for image in want(sample):
                clip = clips.get(sample["sample"])
                _find(result, index.root, sample, image, clip, settings.source, within)
    return result


def write_subjects(result: Result, samples: Sequence[Sample], folder: Path) -> None:
    """Write `{subject}.tsv` with the FRAMES rows of each subject that has any, and no other.

    These tables have no `table_row`: a row put into the middle of the database's table would
    change it for every subject below, and all of them would be cropped anew.
    """
    subject_of = {sample["sample"]: sample["subject"] for sample in samples}
    by_subject: dict[str, list[Record]] = defaultdict(list)
    for row in result.frames:
        own = {column: row[column] for column in tsv.FRAMES}
        by_subject[subject_of[str(row["sample"])]].append(own)
    folder.mkdir(parents=True, exist_ok=True)
    # A table of an earlier run would become a crop job of its own.
    for stale in folder.glob("*.tsv"):
        stale.unlink()
    for subject, rows in sorted(by_subject.items()):
        tsv.write_rows(rows, folder / f"{subject}.tsv", tsv.FRAMES)


def _check(samples: Sequence[Sample]) -> None:
    """Names become paths, so those of a table that somebody has edited are checked again."""
    seen: set[str] = set()
    for sample in samples:
        database, subject, clip = sample["database"], sample["subject"], sample["clip"]
        name = paths.sample_name(database, subject, clip, int(sample["onset"]))
        safe = all(map(paths.is_safe_name, (database, subject, clip)))
        if not safe or sample["sample"] != name or name in seen:
            raise _misnamed(sample)
        seen.add(name)


def _misnamed(sample: Sample) -> UserError:
    return UserError(
        f"the annotations of {sample['database']}: {sample['sample']!r} is there twice, or is not "
        "the name (database/subject/clip/onset) of its row; rerun with `-R extract_annotations`"
    )


def _clips(
    samples: Sequence[Sample],
    want: Want,
    index: Index,
    reader: Reader,
    settings: DatabaseSettings,
    others: set[str],
) -> dict[str, Clip]:
    """The clip in which each sample's frames are searched; samples that want none have none.

    All samples share one clip, unless the reader gives them different places.
    """
    places_of: dict[str, tuple[Place, ...]] = {}
    numbers: dict[tuple[Place, ...], set[int]] = defaultdict(set)
    for sample in samples:
        frames = {image.frame for image in want(sample) if image.frame is not None}
        if not frames:
            continue
        try:
            places = reader.places(sample["subject"], sample["clip"], sample, settings)
        except ValueError:
            raise _misnamed(sample) from None
        places_of[sample["sample"]] = places
        numbers[places] |= frames
    subject, clip, source = samples[0]["subject"], samples[0]["clip"], settings.source
    clips = {
        places: search.clip_of(index, subject, clip, places, others, wanted, source)
        for places, wanted in numbers.items()
    }
    return {name: clips[places] for name, places in places_of.items()}


def _find(
    result: Result,
    root: Path,
    sample: Sample,
    image: Wanted,
    clip: Clip | None,
    source: str,
    within: int,
) -> None:
    common: Record = {
        "database": sample["database"],
        "table_row": sample["table_row"],
        "sample": sample["sample"],
        "image": paths.image_name(sample["sample"], image.name),
        "stage": STAGE,
    }
    number = None
    try:
        if image.frame is None:
            path = search.picture(root, image.path)
        else:
            assert clip is not None, "a frame is searched in its clip"
            number, path = search.frame(root, clip, image.frame, source, within)
    except NotFound as problem:
        reason = problem.code.replace("_", " ")
        result.excluded.append(
            {**common, "code": problem.code, "reason": reason, "detail": problem.detail}
        )
        return
    if number != image.frame:
        result.substituted.append(
            {**common, "stated": image.frame, "used": number, "reason": "nearest_frame_taken"}
        )
    result.frames.append(
        {
            "image": common["image"],
            "sample": sample["sample"],
            "phase": image.phase,
            "frame": number,
            "path": path,
            "table_row": sample["table_row"],
        }
    )
