"""Why clips of a table are not on disk: the likely cause, in words."""

from fleeting.databases.reader import Place, Reader
from fleeting.errors import UserError
from fleeting.frames.index import Index
from fleeting.frames.select import Clip, Selection, match

#: Above this share of clips without a folder, something is wrong beyond single missing clips.
SHARE = 0.05
EXAMPLES = 3


def check(selection: Selection, index: Index, reader: Reader, database: str, source: str) -> str:
    """What to tell the user about clips that were not found; empty where few are missing.

    Raises a `UserError` with the same diagnosis where no clip or no frame was found at all.
    """
    missing = [clip for clip in selection.clips if not clip.folders]
    text = ""
    if len(missing) > SHARE * len(selection.clips):
        text = (
            f"{database}: {len(missing)} of {len(selection.clips)} clips of the table have no "
            f"folder with {source} frames below {index.root}. "
            f"{_cause(selection, index, reader, database, source)} "
            f"Wanted, for example: {_wanted(missing)}. Found: {_found(index)}."
        )
    if selection.frames:
        return text
    details = [str(row["detail"]) for row in selection.excluded if row["reason"] != "clip_missing"]
    if details:
        text += (
            f" {database}: none of the frames of the clips that are below {index.root} can be "
            f"used, for example: {details[0]}. The likely cause: the files were renumbered, or the "
            "table belongs to other files."
        )
    raise UserError(text.strip() or f"{database}: no sample names a frame; see the annotations")


def _cause(selection: Selection, index: Index, reader: Reader, database: str, source: str) -> str:
    if not index.folders:
        others = ", ".join(ending or "no ending" for ending, _ in index.other_files.most_common(3))
        return (
            "There are no images at all"
            + (f" (but files with the ending {others})" if others else "")
            + ": unpack the frames there, or correct the path."
        )
    missing = [clip for clip in selection.clips if not clip.folders]
    other_kind = [clip for clip in missing if clip.other_kind]
    if 2 * len(other_kind) > len(missing):
        other = "cropped" if source == "raw" else "raw"
        return (
            f"{len(other_kind)} of them are there as {other} frames: set "
            f"databases.{database}.source to {other}, or point to the {source} frames."
        )
    subjects = {clip.subject for clip in missing}
    absent = {subject for subject in subjects if not _has_subject(index, reader, subject, missing)}
    if len(missing) == len(selection.clips) and absent == subjects:
        if any(_has_clip_alone(index, reader, clip) for clip in missing):
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


def _has_subject(index: Index, reader: Reader, subject: str, missing: list[Clip]) -> bool:
    clip = next(clip for clip in missing if clip.subject == subject)
    pattern = reader.places(subject, clip.clip, {})[0].levels[0]
    return any(pattern.fullmatch(part) for folder in index.folders for part in folder.parts)


def _has_clip_alone(index: Index, reader: Reader, clip: Clip) -> bool:
    alone = Place(reader.places(clip.subject, clip.clip, {})[0].levels[-1:])
    return any(match(folder.parts, alone) is not None for folder in index.folders)


def _wanted(missing: list[Clip]) -> str:
    return ", ".join(f"{clip.subject}/{clip.clip}" for clip in missing[:EXAMPLES])


def _found(index: Index) -> str:
    return ", ".join(folder.path or "." for folder in index.folders[:EXAMPLES]) or "nothing"
