"""The likely cause, in words, where clips of a table are not on disk."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from fleeting.databases.reader import ClipLocation
from fleeting.errors import UserError
from fleeting.frames.index import Index
from fleeting.frames.search import OTHER_SOURCE, Clip, extra_levels

if TYPE_CHECKING:
    from fleeting.frames.select import Result

#: Above this share of clips without a folder, something is wrong beyond single missing clips.
SHARE = 0.05
#: How many missing clips and found folders are named.
EXAMPLES = 3


def check(result: "Result", index: Index, database: str, source: str) -> str:
    """What to tell the user about images that were not found; empty where few are missing.

    Args:
        result: what was found and what was not.
        index: the contents of the folder of the database's frames.
        database: its name in the config.
        source: `raw` or `cropped`: which kind of frames was searched.

    Raises:
        UserError: with the same diagnosis, where images are named but not one was found.
    """
    codes = {row["code"] for row in result.excluded}
    if not result.frames and codes == {"no_picture"}:
        return (
            f"{database}: its table names no pictures, so a crop with `frames: pictures` gives no "
            "example of it. Where it has some, use `reader: table` and say under "
            f"databases.{database}.picture where they lie"
        )
    missing = [clip for clip in result.clips if not clip.folders]
    text = ""
    if len(missing) > SHARE * len(result.clips):
        wanted = ", ".join(f"{clip.subject}/{clip.clip}" for clip in missing[:EXAMPLES])
        found = ", ".join(folder.path or "." for folder in index.folders[:EXAMPLES])
        text = (
            f"{database}: {len(missing)} of {len(result.clips)} clips of the table have no "
            f"folder with {source} frames below {index.root}. "
            f"{_cause(missing, result.clips, index, database, source)} "
            f"Wanted, for example: {wanted}. Found: {found or 'nothing'}."
        )
    if result.frames:
        return text
    details = [
        row["detail"]
        for row in result.excluded
        if row["code"] not in ("clip_missing", "no_picture")
    ]
    if details and result.clips:
        text += (
            f" {database}: none of the frames of the clips that are below {index.root} can be "
            f"used, for example: {details[0]}. The likely cause: the files were renumbered, or the "
            "table belongs to other files."
        )
    elif details:
        text = (
            f"{database}: none of the pictures that the table names can be used below "
            f"{index.root}, for example: {details[0]}. Correct databases.{database}.frames or "
            ".picture: the one says where the other's paths start."
        )
    raise UserError(text.strip() or f"{database}: no sample names a frame; see the annotations")


def _cause(
    missing: Sequence[Clip], clips: Sequence[Clip], index: Index, database: str, source: str
) -> str:
    if not index.folders:
        others = ", ".join(ending or "no ending" for ending, _ in index.other_files.most_common(3))
        return (
            "There are no images at all"
            + (f" (but files with the ending {others})" if others else "")
            + ": unpack the frames there, or correct the path."
        )
    if any(clip.exact for clip in missing):
        return f"No file there matches databases.{database}.path for them: correct it."
    elsewhere = [clip for clip in missing if clip.other_source]
    if 2 * len(elsewhere) > len(missing):
        other = OTHER_SOURCE[source]
        return (
            f"{len(elsewhere)} of them are there as {other} frames: set "
            f"databases.{database}.source to {other}, or point to the {source} frames."
        )
    of_subject = {clip.subject: clip for clip in reversed(missing)}
    absent = [name for name, clip in of_subject.items() if not _has_subject(index, clip)]
    if len(missing) == len(clips) and len(absent) == len(of_subject):
        if any(_has_clip_alone(index, clip) for clip in missing):
            return (
                "Folders with the clips' names are there without their subject's folder above "
                "them: the path is probably one level too deep; give the folder above."
            )
        return (
            "None of their subjects has a folder: the path is probably one level off, or leads to "
            "another database."
        )
    cause = (
        "The provider's crops lack clips in some packages"
        if source == "cropped"
        else "The likely cause is an older table with newer folders (or the reverse), or folders "
        "that were not unpacked whole"
    )
    if absent:
        cause += f"; whole subjects are absent: {', '.join(sorted(absent)[:10])}"
    return cause + "."


def _has_subject(index: Index, clip: Clip) -> bool:
    pattern = clip.locations[0].levels[0]
    return any(pattern.fullmatch(part) for folder in index.folders for part in folder.parts)


def _has_clip_alone(index: Index, clip: Clip) -> bool:
    alone = ClipLocation(clip.locations[0].levels[-1:])
    return any(extra_levels(folder.parts, alone) is not None for folder in index.folders)
