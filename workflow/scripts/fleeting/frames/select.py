"""From samples to images on disk: those that a selection asks for.

Each wanted image becomes one row of FRAMES or one row of EXCLUDED.
"""

import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, cast

from fleeting import losses, paths, registry, tsv
from fleeting.databases import reader as reader_module
from fleeting.databases import settings as database_settings
from fleeting.databases.reader import ClipLocation, Reader, normalised_name
from fleeting.databases.settings import DatabaseSettings
from fleeting.errors import Unusable, UserError
from fleeting.frames import diagnosis, search
from fleeting.frames.index import Index, build
from fleeting.frames.search import Clip
from fleeting.frames.wanted import Sample, Selection, Wanted

log = logging.getLogger(__name__)

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
    nearest_within: int,
    accept_losses: bool,
) -> None:
    """Find the frames of a database's samples and write its tables.

    Args:
        database: its name in the config.
        settings: its block of the config.
        selection: the block of the selection, with its `kind`.
        annotations: the table of its samples.
        frames: table of the images that were found, written.
        excluded: table of the images that were not, written.
        substituted: table of the neighbours that stand in for missing frames, written.
        nearest_within: how far away the neighbour of a missing frame may be; 0 allows none.
        accept_losses: go on where most images are not found.
    """
    block = database_settings.load(database, settings)
    want = wanted_by(selection)
    samples = tsv.read_rows(annotations, tsv.ANNOTATIONS)
    index = index_for(samples, want, block.frames_root)
    reader = reader_module.load(block.reader)
    result = select(samples, want, index, reader, block, nearest_within)
    for note in [*index.notes(), *_beside(result)]:
        log.info("%s: %s", database, note)
    warn(result, index, database, block.source, accept_losses)
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


def warn(result: Result, index: Index, database: str, source: str, accepted: bool) -> None:
    """Warn of images that were not found, with the likely cause, and of many neighbours.

    Raises:
        UserError: most are missing, or all, see `losses.check`; or no sample names an image.
    """
    if not result.frames and not result.excluded:
        raise UserError(f"{database}: no sample names a frame; see the annotations")
    if warning := diagnosis.no_pictures(result, database):
        log.warning("Warning: %s", warning)
        return
    lost = [row for row in result.excluded if row["code"] != "no_picture"]
    cause = partial(diagnosis.cause, result, index, database, source)
    losses.check(database, "images", lost, len(result.frames), accepted, cause)
    if len(result.substituted) > losses.FEW * len(result.frames):
        first = result.substituted[0]
        log.warning(
            "Warning: %s: the frames of %d of %d images are missing, and their neighbours are "
            "taken; for example %s: frame %s in place of %s. If it is so in most clips, the files "
            "may be numbered otherwise than the table; with `frames: {nearest_within: 0}` no "
            "neighbour is taken.",
            database,
            len(result.substituted),
            len(result.frames),
            first["image"],
            first["used"],
            first["stated"],
        )


def _beside(result: Result) -> list[str]:
    """The images in the clips' folders that are not used, in a sentence for the log."""
    folders = {folder.path: folder for clip in result.clips for folder in clip.folders}
    paths = [path for name in sorted(folders) for path in folders[name].beside]
    return paths and [
        f"{len(paths)} images beside the frames are not used, since they are not named like the "
        "others of their folder, are empty, or are one of two files of a frame, of which the one "
        f"named more like those beside it is used, or neither: {', '.join(paths)}"
    ]


def wanted_by(selection: dict[str, Any]) -> Want:
    """The images that a selection's block of the config wants of a sample."""
    module = cast(Selection, registry.load("selection", selection["kind"]))
    return partial(module.wanted, settings=module.Settings.model_validate(selection))


def index_for(samples: Sequence[Sample], want: Want, root: Path) -> Index:
    """The contents of the folder of a database's frames, if any image is searched by its number.

    Pictures that a table names by their paths need no search; then the index is empty.
    """
    by_number = any(image.frame is not None for sample in samples for image in want(sample))
    return build(root) if by_number else Index(root)


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
        index: the contents of the folder of its frames (see `index_for`).
        reader: the database's reader.
        settings: the database's settings; `source` is the kind of frames that is used.
        within: how far away the neighbour of a missing frame may be; 0 allows none.

    Raises:
        UserError: a sample's name is not the one that the annotations stage gives it.
    """
    result = Result()
    seen: set[str] = set()
    by_clip: dict[tuple[str, str], list[Sample]] = defaultdict(list)
    clips_of: dict[str, set[str]] = defaultdict(set)
    for sample in samples:
        _check_name(sample, seen)
        by_clip[sample["subject"], sample["clip"]].append(sample)
        clips_of[sample["subject"]].add(normalised_name(sample["clip"]))
    for subject, clip in sorted(by_clip):
        of_clip = sorted(by_clip[subject, clip], key=lambda sample: int(sample["onset"]))
        others = clips_of[subject] - {normalised_name(clip)}
        # One place for all samples, unless the reader gives them different ones.
        together: dict[tuple[ClipLocation, ...] | None, list[Sample]] = defaultdict(list)
        for sample in of_clip:
            numbered = any(image.frame is not None for image in want(sample))
            place = _locations(sample, reader, settings) if numbered else None
            together[place].append(sample)
        for locations, there in together.items():
            found = None
            if locations is not None:
                found = Clip(subject, clip, locations, settings.source, _annotated(there))
                images = [image for sample in there for image in want(sample)]
                numbers = {image.frame for image in images if image.frame is not None}
                search.find_folders(found, index, others, numbers, within)
                result.clips.append(found)
            for sample in there:
                for image in want(sample):
                    _add_image(result, index.root, sample, image, found, within)
    return result


def _annotated(samples: Sequence[Sample]) -> frozenset[int]:
    """The frames that the table names of samples."""
    return frozenset(
        int(sample[phase]) for sample in samples for phase in tsv.PHASES if sample[phase]
    )


def _check_name(sample: Sample, seen: set[str]) -> None:
    """Check a name again, since names become paths and somebody may have edited the table."""
    parts = sample["database"], sample["subject"], sample["clip"]
    name = paths.sample_name(*parts, int(sample["onset"]))
    if not all(map(paths.is_safe_name, parts)) or sample["sample"] != name or name in seen:
        raise _misnamed(sample)
    seen.add(name)


def _misnamed(sample: Sample) -> UserError:
    return UserError(
        f"the annotations of {sample['database']}: {sample['sample']!r} is there twice, or is not "
        "the name (database/subject/clip/onset) of its row; rerun with `-R extract_annotations`"
    )


def _locations(
    sample: Sample, reader: Reader, settings: DatabaseSettings
) -> tuple[ClipLocation, ...]:
    try:
        return reader.clip_locations(sample["subject"], sample["clip"], sample, settings)
    except ValueError:
        raise _misnamed(sample) from None


def _add_image(
    result: Result,
    root: Path,
    sample: Sample,
    image: Wanted,
    clip: Clip | None,
    within: int,
) -> None:
    """Find one image and add its row."""
    name = paths.image_name(sample["sample"], image.name)
    row: Record = {
        "database": sample["database"],
        "table_row": sample["table_row"],
        "sample": sample["sample"],
        "image": name,
        "stage": "frames",
    }
    number = None
    try:
        if image.frame is None:
            path = search.find_picture(root, image.path)
        else:
            assert clip is not None, "a frame is searched in its clip"
            reach = 0 if image.exact else within
            number, path = search.find_frame(root, clip, image.frame, reach)
    except Unusable as problem:
        result.excluded.append({**row, **problem.exclusion()})
        return
    if number != image.frame:
        result.substituted.append(
            {**row, "stated": image.frame, "used": number, "reason": "nearest_frame_taken"}
        )
    result.frames.append(
        {
            "image": name,
            "sample": sample["sample"],
            "phase": image.phase,
            "frame": number,
            "path": path,
            "table_row": sample["table_row"],
        }
    )
