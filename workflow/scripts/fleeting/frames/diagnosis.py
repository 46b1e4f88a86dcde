"""The likely causes, in words, where clips of a table are not on disk.

Each cause that the disk shows is named with the number of clips that it explains, the one that
explains most first.
"""

import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from fleeting.databases.reader import ClipLocation, normalised_name
from fleeting.frames.index import Index
from fleeting.frames.numbering import parse
from fleeting.frames.search import OTHER_SOURCE, Clip, extra_levels

if TYPE_CHECKING:
    from fleeting.frames.select import Result

#: How many missing clips, found folders and causes are named.
EXAMPLES = 3
VIDEOS = (".avi", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".webm", ".wmv")

#: The clips that a cause explains, and the sentence that says so.
Cause = tuple[Sequence[Clip], str]


def no_pictures(result: "Result", database: str) -> str:
    """What to say where a table names no pictures, as a selection needs; empty otherwise."""
    codes = {row["code"] for row in result.excluded}
    if result.frames or codes != {"no_picture"}:
        return ""
    return (
        f"{database}: its table names no pictures, so a crop with `frames: pictures` gives no "
        "example of it. Where it has some, use `reader: table` and say under "
        f"databases.{database}.picture where they lie"
    )


def cause(result: "Result", index: Index, database: str, source: str, code: str) -> str:
    """The likely causes of what was not found, and what to do; empty where nothing is known.

    Args:
        result: what was found and what was not.
        index: the contents of the folder of the database's frames.
        database: its name in the config.
        source: `raw` or `cropped`: which kind of frames was searched.
        code: the most frequent code of what was not found.
    """
    if code == "picture_missing":
        return (
            f"Correct databases.{database}.frames ({index.root}) or .picture: the one says where "
            "the other's paths start."
        )
    if code == "clip_renumbered":
        return (
            "If the files were renumbered (for example when clips were resampled to one number of "
            "frames), no number tells which frame a file is, so none is used: take the frames as "
            "they were distributed. If files are missing, unpack the clips again; if the table's "
            "numbers are wrong, correct them."
        )
    missing = [clip for clip in result.clips if not clip.folders and not clip.renumbered]
    if not missing:
        return ""
    wanted = ", ".join(f"{clip.subject}/{clip.clip}" for clip in missing[:EXAMPLES])
    found = ", ".join(folder.path or "." for folder in index.folders[:EXAMPLES])
    causes = [
        (len(clips), text)
        for clips, text in (find(missing, index, database, source) for find in _CAUSES)
        if clips and text
    ]
    causes.sort(key=lambda entry: -entry[0])
    texts = [f"{count} of them: {text}" for count, text in causes[:EXAMPLES]]
    if not texts:
        texts = [_otherwise(missing, result.clips, index, source)]
    return (
        f"{len(missing)} of {len(result.clips)} clips of the table have no folder with {source} "
        f"frames below {index.root}. {' '.join(texts)} Wanted, for example: {wanted}. Found: "
        f"{found or 'no folder with images'}."
    )


def _elsewhere(missing: Sequence[Clip], index: Index, database: str, source: str) -> Cause:
    other = OTHER_SOURCE[source]
    return (
        [clip for clip in missing if clip.other_source],
        f"they are there as {other} frames; set databases.{database}.source to {other}, or point "
        f"to the {source} frames.",
    )


def _template(missing: Sequence[Clip], index: Index, database: str, source: str) -> Cause:
    return (
        [clip for clip in missing if clip.exact],
        f"no file there matches databases.{database}.path for them; correct it.",
    )


def _links(missing: Sequence[Clip], index: Index, database: str, source: str) -> Cause:
    """Links that were passed over may lead to any clip without a folder."""
    targets = {name: Path(os.path.realpath(index.root / name)) for name in index.outside_links}
    leading = [name for name, target in targets.items() if target.is_dir() or parse(name)]
    if not leading:
        return (), ""
    target = targets[leading[0]]
    place = target if target.is_dir() and not index.folders else target.parent
    return missing, (
        f"links that lead out of that folder are not followed ({len(leading)} there), "
        f"for example {leading[0]} -> {target}. Set databases.{database}.frames (and "
        f".table) to where the files are, as it seems {place}, or put the files themselves in "
        "place of the links."
    )


def _backslashes(missing: Sequence[Clip], index: Index, database: str, source: str) -> Cause:
    names = [name for files in index.listing.values() for _, name in files if "\\" in name]
    texts = [normalised_name(name) for name in names]
    clips = [clip for clip in missing if any(_names(clip, text) for text in texts)]
    return clips, (
        f"{len(names)} files have backslashes in their names, such as {names[0] if names else ''}:"
        " a program unpacked folders of Windows as names. Unpack the archive again, for example "
        "with `7z x`."
    )


def _videos(missing: Sequence[Clip], index: Index, database: str, source: str) -> Cause:
    videos = [
        f"{path}/{name}".lstrip("/")
        for path, files in index.listing.items()
        for _, name in files
        if PurePosixPath(name).suffix.casefold() in VIDEOS
    ]
    own = {
        clip: [
            video
            for video in videos
            if normalised_name(PurePosixPath(video).stem) == normalised_name(clip.clip)
            and _may_be_of(clip, missing, PurePosixPath(video).parts[:-1])
        ]
        for clip in missing
    }
    clips = [clip for clip in missing if own[clip]]
    if not clips:
        return (), ""
    video = own[clips[0]][0]
    folder = f"{clips[0].subject}/{clips[0].clip}"
    return clips, (
        "they are there as videos. Extract the frames of each into a folder of its clip, here "
        f'with `cd "{index.root}" && mkdir -p "{folder}" && ffmpeg -i "{video}" -start_number 1 '
        f'-qscale:v 1 "{folder}/img%d.jpg"`, with the number from which the table counts.'
    )


def _flat(missing: Sequence[Clip], index: Index, database: str, source: str) -> Cause:
    files = [
        (text, f"{path}/{name}".lstrip("/"), name)
        for path, names in index.listing.items()
        for text, name in names
        if "\\" not in name
    ]
    begins = {clip: _beginning(clip, missing, files) for clip in missing}
    clips = [clip for clip in missing if begins[clip]]
    if not clips:
        return (), ""
    clip, path = clips[0], PurePosixPath(begins[clips[0]])
    rest = re.sub(r"[0-9]+(?=[^0-9]*$)", "{frame}", path.name[len(clip.clip) :])
    parent = ["{subject}" if part == clip.subject else part for part in path.parts[:-1]]
    template = PurePosixPath(*parent, "{clip}" + rest.replace(clip.subject, "{subject}"))
    return clips, (
        f"files begin with the clip's name instead, such as {path}. Read them with "
        f'`reader: table` and `path: "{template}"` (docs/data.md).'
    )


def _may_be_of(clip: Clip, missing: Sequence[Clip], folders: Sequence[str]) -> bool:
    """Whether a file in these folders may be of a clip: clips of several subjects share names."""
    if clip.exact:
        return False
    if any(clip.locations[0].levels[0].fullmatch(normalised_name(part)) for part in folders):
        return True
    same = {other.subject for other in missing if other.clip == clip.clip}
    subjects = [other.locations[0].levels[0] for other in missing if not other.exact]
    of_another = any(
        subject.fullmatch(normalised_name(part)) for subject in subjects for part in folders
    )
    return len(same) == 1 and not of_another


def _beginning(clip: Clip, missing: Sequence[Clip], files: Sequence[tuple[str, str, str]]) -> str:
    """The path of the first file whose name begins with a clip's, or nothing."""
    start = normalised_name(clip.clip)
    for text, path, name in files:
        rest = text.removeprefix(start)
        begins = rest != text and rest[:1] in ("_", "-", " ") and parse(name) is not None
        if begins and _may_be_of(clip, missing, PurePosixPath(path).parts[:-1]):
            return path
    return ""


def _without_subject(missing: Sequence[Clip], index: Index, database: str, source: str) -> Cause:
    subjects = [clip.locations[0].levels[0] for clip in missing if not clip.exact]
    clips = [
        clip
        for clip in missing
        if not _has_subject(index, clip) and _has_clip_alone(index, clip, subjects)
    ]
    return clips, (
        "folders with the clips' names are there without their subject's folder above them: the "
        "path is probably one level too deep; give the folder above."
    )


def _other_names(missing: Sequence[Clip], index: Index, database: str, source: str) -> Cause:
    """Their subjects are there, with other clips."""
    clips = [clip for clip in missing if _has_subject(index, clip)]
    if not clips:
        return (), ""
    of_subject = [
        folder.path
        for folder in index.folders
        if any(clips[0].locations[0].levels[0].fullmatch(part) for part in folder.parts)
    ]
    return clips, (
        f"their subjects are there without them; of {clips[0].subject} there are "
        f"{', '.join(of_subject[:EXAMPLES])}. "
        + (
            "The provider's crops lack clips in some packages."
            if source == "cropped"
            else "The likely cause is an older table with newer folders (or the reverse), or "
            "folders that were renamed or not unpacked whole."
        )
    )


_CAUSES: tuple[Callable[[Sequence[Clip], Index, str, str], Cause], ...] = (
    _elsewhere,
    _template,
    _backslashes,
    _videos,
    _links,
    _flat,
    _without_subject,
    _other_names,
)


def _otherwise(missing: Sequence[Clip], clips: Sequence[Clip], index: Index, source: str) -> str:
    """Where no cause is known: no images at all, or none of the subjects."""
    if not index.folders:
        others = ", ".join(ending or "no ending" for ending, _ in index.other_files.most_common(3))
        return (
            "There are no images at all"
            + (f" (but files with the ending {others})" if others else "")
            + ": unpack the frames there, or correct the path."
        )
    absent = sorted({clip.subject for clip in missing})
    if len(missing) == len(clips):
        return (
            "None of their subjects has a folder: the path is probably one level off, or leads to "
            "another database."
        )
    return f"Whole subjects are absent: {', '.join(absent[:10])}."


def _names(clip: Clip, text: str) -> bool:
    """Whether a name with backslashes has a clip's folder among its levels."""
    levels = text.split("\\")
    return not clip.exact and any(clip.locations[0].levels[-1].fullmatch(level) for level in levels)


def _has_subject(index: Index, clip: Clip) -> bool:
    levels = clip.locations[0].levels
    return not clip.exact and any(
        levels[0].fullmatch(part) for folder in index.folders for part in folder.parts
    )


def _has_clip_alone(index: Index, clip: Clip, subjects: Sequence[re.Pattern[str]]) -> bool:
    """Whether there is a folder of a clip's name that is not in a subject's."""
    if clip.exact:
        return False
    alone = ClipLocation(clip.locations[0].levels[-1:])
    return any(
        extra_levels(folder.parts, alone) is not None
        and not any(subject.fullmatch(part) for subject in subjects for part in folder.parts)
        for folder in index.folders
    )
