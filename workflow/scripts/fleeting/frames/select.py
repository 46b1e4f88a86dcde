"""From samples to images on disk: onset, apex and offset of every sample.

Each phase that annotations kept becomes one row of FRAMES or one row of EXCLUDED.
"""

import logging
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import pandas as pd

from fleeting import paths, tables
from fleeting.databases.reader import Place, Reader, fold
from fleeting.errors import UserError
from fleeting.frames.index import Folder, Index
from fleeting.frames.numbers import nearest

log = logging.getLogger(__name__)

STAGE = "frames"
SOURCES = ("raw", "cropped")

Sample = Mapping[str, str]
Record = dict[str, object]


@dataclass
class Clip:
    """A clip that samples name, and the folders of either kind that may hold it, best first."""

    subject: str
    clip: str
    folders: list[Folder] = field(default_factory=list)
    other_kind: list[Folder] = field(default_factory=list)


@dataclass
class Selection:
    """The rows of the stage's tables, and the clips that they were searched in."""

    frames: list[Record] = field(default_factory=list)
    excluded: list[Record] = field(default_factory=list)
    substituted: list[Record] = field(default_factory=list)
    clips: list[Clip] = field(default_factory=list)


def select(
    samples: pd.DataFrame, index: Index, reader: Reader, source: str, within: int
) -> Selection:
    """Find the images of all samples.

    Args:
        samples: ANNOTATIONS of one database.
        index: what lies below the folder of its frames.
        reader: the database's reader.
        source: `raw` or `cropped`: which kind of frames is taken.
        within: how far a neighbour of a missing frame may be; 0 takes none.

    Raises a `UserError` where a sample is not what the annotations stage names so.
    """
    _check(samples, reader)
    result = Selection()
    by_clip: dict[tuple[str, str], list[Sample]] = defaultdict(list)
    for sample in cast(list[Sample], samples.to_dict("records")):
        by_clip[sample["subject"], sample["clip"]].append(sample)
    clips_of: dict[str, set[str]] = defaultdict(set)
    for subject, clip in by_clip:
        clips_of[subject].add(fold(clip))
    for subject, clip in sorted(by_clip):
        of_clip = sorted(by_clip[subject, clip], key=lambda sample: int(sample["onset"]))
        places = reader.places(subject, clip, of_clip[0])
        others = clips_of[subject] - {fold(clip)}
        wanted = {int(sample[phase]) for sample in of_clip for phase in _phases(sample)}
        found = _candidates(index, places, clip, others, wanted)
        entry = Clip(
            subject,
            clip,
            [folder for folder in found if folder.cropped == (source == "cropped")],
            [folder for folder in found if folder.cropped != (source == "cropped")],
        )
        result.clips.append(entry)
        for sample in of_clip:
            for phase in _phases(sample):
                _find(result, index, sample, phase, entry, source, within)
    return result


def write_subjects(result: Selection, samples: pd.DataFrame, folder: Path) -> None:
    """Write `{subject}.tsv` with the FRAMES rows of each subject that has any, and no other.

    These tables have no `table_row`: a row put into the middle of the database's table would
    change it for every subject below, and all of them would be cropped anew.
    """
    subject_of = dict(zip(samples["sample"], samples["subject"], strict=True))
    by_subject: dict[str, list[Record]] = defaultdict(list)
    for row in result.frames:
        by_subject[subject_of[row["sample"]]].append(row)
    folder.mkdir(parents=True, exist_ok=True)
    # A table of an earlier run would become a crop job of its own.
    for stale in folder.glob("*.tsv"):
        stale.unlink()
    for subject, rows in sorted(by_subject.items()):
        own = pd.DataFrame(rows, columns=list(tables.FRAMES))
        tables.write(own, folder / f"{subject}.tsv", tables.FRAMES)


def match(parts: tuple[str, ...], place: Place) -> int | None:
    """How many levels too many a folder has for a place; None if it does not match.

    Levels above the place are free (`rawpic`, a section). Below its first level, a further one may
    only be a name without digits: with digits it might be another subject or another clip.
    """
    extra = 0
    position = len(parts) - 1
    for level in reversed(place.levels):
        while position >= 0 and level.fullmatch(parts[position]) is None:
            if any(sign.isdigit() for sign in parts[position]):
                return None
            position -= 1
            extra += 1
        if position < 0:
            return None
        position -= 1
    return extra


def _check(samples: pd.DataFrame, reader: Reader) -> None:
    """Names become paths, so those of a table that somebody has edited are looked at again."""
    seen: set[str] = set()
    for sample in cast(list[Sample], samples.to_dict("records")):
        database, subject, clip = sample["database"], sample["subject"], sample["clip"]
        try:
            reader.places(subject, clip, sample)
            onset, *_ = (int(sample[phase]) for phase in _phases(sample))
            name = paths.sample_name(database, subject, clip, onset)
        except ValueError:
            name = ""
        safe = all(map(paths.is_safe_name, (database, subject, clip)))
        if not safe or sample["sample"] != name or name in seen:
            raise UserError(
                f"the annotations of {database}: {sample['sample']!r} stands there twice, or is "
                "not the name (database/subject/clip/onset) of its row; "
                "give your command again with `-R extract_annotations`"
            )
        seen.add(name)


def _candidates(
    index: Index, places: tuple[Place, ...], clip: str, others: set[str], wanted: set[int]
) -> list[Folder]:
    """Folders that may hold a clip, best first.

    The order: the place that the reader prefers, the exact name of the clip, the most wanted
    frames, the fewest extra levels, the path.
    """
    ranked = []
    for folder in index.folders:
        for rank, place in enumerate(places):
            extra = match(folder.parts, place)
            if extra is None:
                continue
            exact = fold(clip) in folder.parts
            # With other zeros in its name the folder may be that of another clip of the table.
            if not exact and others.intersection(folder.parts):
                continue
            missing = len(wanted.difference(folder.files))
            ranked.append((rank, not exact, missing, extra, folder.path, folder))
            break
    return [folder for *_, folder in sorted(ranked, key=lambda entry: entry[:-1])]


def _find(
    result: Selection,
    index: Index,
    sample: Sample,
    phase: str,
    clip: Clip,
    source: str,
    within: int,
) -> None:
    wanted = int(sample[phase])
    image = paths.image_name(sample["sample"], phase)
    common: Record = {
        "database": sample["database"],
        "table_row": sample["table_row"],
        "sample": sample["sample"],
        "image": image,
        "stage": STAGE,
    }

    def leave_out(reason: str, detail: str) -> None:
        result.excluded.append({**common, "reason": reason, "detail": detail})

    if not clip.folders:
        detail = f"no folder {clip.subject}/{clip.clip} with {source} frames"
        if clip.other_kind:
            detail += f"; {_other(source)} ones exist: {clip.other_kind[0].path}"
        leave_out("clip_missing", detail)
        return
    places = [(folder, wanted) for folder in clip.folders if wanted in folder.files]
    for folder in clip.folders:
        neighbour = nearest(sorted(folder.files), wanted, within)
        if neighbour is not None:
            places.append((folder, neighbour))
    if not places:
        folder = clip.folders[0]
        leave_out(
            "frame_missing",
            f"frame {wanted} is not in {folder.path}, which holds {min(folder.files)} to "
            f"{max(folder.files)} ({len(folder.files)} files)",
        )
        return
    usable = None
    problems = []
    for folder, number in places:
        path = f"{folder.path}/{folder.files[number]}".lstrip("/")
        problem = _problem(index, path)
        if problem is None:
            usable = (number, path)
            break
        problems.append(problem)
    if usable is None:
        leave_out(*problems[0])
        return
    number, path = usable
    if number != wanted:
        result.substituted.append(
            {**common, "stated": wanted, "used": number, "reason": "nearest_frame_taken"}
        )
    result.frames.append(
        {
            "image": image,
            "sample": sample["sample"],
            "phase": phase,
            "frame": number,
            "path": path,
            "table_row": sample["table_row"],
        }
    )


def _problem(index: Index, path: str) -> tuple[str, str] | None:
    if not path.isprintable() or " ".join(path.split()) != path:
        return (
            "unsupported_path",
            f"{ascii(path)} holds white space or signs that a table cannot keep; rename it",
        )
    try:
        size = (index.root / path).stat().st_size
    except OSError as error:
        return "unreadable_file", f"{path}: {error.strerror}"
    return None if size else ("empty_file", f"{path} has no bytes")


def _phases(sample: Sample) -> list[str]:
    return [phase for phase in tables.PHASES if sample[phase]]


def _other(source: str) -> str:
    return next(other for other in SOURCES if other != source)
