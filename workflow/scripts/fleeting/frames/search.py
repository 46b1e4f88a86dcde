"""Finding a wanted image on disk: in one of its clip's folders, or at a path."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from fleeting.databases.reader import ClipLocation, normalised_name
from fleeting.errors import Unusable
from fleeting.frames.index import Folder, Index, exact_folders
from fleeting.paths import is_inside

OTHER_SOURCE = {"raw": "cropped", "cropped": "raw"}


@dataclass(eq=False)
class Clip:
    """A clip that samples name, and the folders that may hold its frames.

    Attributes:
        locations: where the reader says that its frames may be, the preferred location first.
        source: the wanted kind of frames (`raw` or `cropped`).
        annotated: the frames that its samples name.
        folders: those with frames of the wanted kind, the best first.
        renumbered: those whose numbers cannot be those of the table (see `reaches`).
        other_source: those with frames of the other kind, the best first; none if `exact`.
    """

    subject: str
    clip: str
    locations: tuple[ClipLocation, ...]
    source: str
    annotated: frozenset[int]
    folders: list[Folder] = field(default_factory=list)
    renumbered: list[Folder] = field(default_factory=list)
    other_source: list[Folder] = field(default_factory=list)

    @property
    def exact(self) -> bool:
        """Whether all locations are exact (see `ClipLocation`)."""
        return all(location.file for location in self.locations)


def reaches(numbers: Collection[int], annotated: Collection[int], within: int) -> bool:
    """Whether the numbers of a folder can be those in which the table counts a clip's frames.

    They can if they reach from the clip's first annotated frame to its last. At either end up to
    `within` frames may be missing on disk, and of several annotated frames that are the whole
    folder any others. Not so if the numbers start at 0 or 1, as those of programs that renumber
    files: then any number that fits does so by chance.
    """
    if not numbers:
        return True
    first, last, low, high = min(annotated), max(annotated), min(numbers), max(numbers)
    if low <= 1:
        return low <= first and last <= high
    chosen = len(numbers) > 1 and set(numbers) <= set(annotated)
    return chosen or (low - within <= first and last <= high + within)


def find_folders(clip: Clip, index: Index, others: set[str], wanted: set[int], within: int) -> None:
    """Look for the folders of a clip.

    They are sorted by the preference of their location, then: the exact name of the clip, the most
    wanted frames, the fewest extra levels, the path.

    Args:
        clip: receives its folders.
        index: the contents of the folder of the database's frames.
        others: the normalised names of the subject's other clips.
        wanted: the numbers of the wanted frames.
        within: how many frames may be missing at either end of the clip.
    """
    if clip.exact:
        _sort_out(
            clip,
            [folder for location in clip.locations for folder in exact_folders(index, location)],
            within,
        )
        return
    ranked = []
    for folder in index.folders:
        for rank, location in enumerate(clip.locations):
            extra = extra_levels(folder.parts, location)
            if extra is None:
                continue
            exact = normalised_name(clip.clip) in folder.parts
            # A folder that matches only with other zeros in its name may be another clip's.
            if not exact and others.intersection(folder.parts):
                continue
            missing = len(wanted.difference(folder.files))
            ranked.append((rank, not exact, missing, extra, folder.path, folder))
            break
    own: list[Folder] = []
    for *_, folder in sorted(ranked, key=lambda entry: entry[:-1]):
        of_source = folder.cropped == (clip.source == "cropped")
        (own if of_source else clip.other_source).append(folder)
    _sort_out(clip, own, within)


def _sort_out(clip: Clip, folders: Sequence[Folder], within: int) -> None:
    """Tell a clip's folders with the table's numbers from those with others."""
    for folder in folders:
        fits = reaches(folder.files, clip.annotated, within)
        (clip.folders if fits else clip.renumbered).append(folder)


def find_frame(root: Path, clip: Clip, number: int, within: int) -> tuple[int, str]:
    """A clip's frame by its number, or else the nearest one at most `within` away.

    Returns:
        The number that was found, and the file's path relative to the root.

    Raises:
        Unusable: `clip_missing`, `clip_renumbered`, `frame_missing`, or what is wrong with the
            file.
    """
    if clip.renumbered and not clip.folders:
        folder = clip.renumbered[0]
        raise Unusable(
            "clip_renumbered",
            f"the files of {folder.path or '.'} are numbered {min(folder.files)} to "
            f"{max(folder.files)}, the clip's frames {min(clip.annotated)} to "
            f"{max(clip.annotated)}: they were renumbered or are not all there, or the table errs",
        )
    if not clip.folders:
        detail = f"no folder {clip.subject}/{clip.clip} with {clip.source} frames"
        if clip.exact:
            detail = f"no file of {clip.subject}/{clip.clip} matches the path in the config"
        if clip.other_source:
            detail += f"; {OTHER_SOURCE[clip.source]} ones exist: {clip.other_source[0].path}"
        raise Unusable("clip_missing", detail)
    candidates = [(folder, number) for folder in clip.folders if number in folder.files]
    for folder in clip.folders:
        close = [other for other in folder.files if abs(other - number) <= within]
        if close:
            # The earlier of two equally near ones.
            neighbour = min(close, key=lambda other: (abs(other - number), other))
            candidates.append((folder, neighbour))
    if not candidates:
        raise Unusable("frame_missing", _what_is_there(clip.folders, number))
    problems = []
    for folder, found in candidates:
        path = f"{folder.path}/{folder.files[found]}".lstrip("/")
        try:
            _check_file(root, path)
            return found, path
        except Unusable as problem:
            problems.append(problem)
    raise problems[0]


def _what_is_there(folders: Sequence[Folder], number: int) -> str:
    """What the folders of a clip hold instead of a frame."""
    for folder in folders:
        for name in folder.others:
            if number in map(int, re.findall("[0-9]{1,9}", name)):
                return (
                    f"frame {number} is not in {folder.path or '.'}; {name} is not taken for it, "
                    "since it is not named like the other frames there, another file may be this "
                    "frame as well, or these are of two series"
                )
    files, place = folders[0].files, folders[0].path or "."
    if not files:
        return f"the names of the images of {place} do not have one form that numbers frames"
    return (
        f"frame {number} is not in {place}, which holds {min(files)} to {max(files)} "
        f"({len(files)} files)"
    )


def find_picture(root: Path, path: str) -> str:
    """The path of a picture that the table names, once it is known to be usable.

    Raises:
        Unusable: `no_picture` where the table names none, `outside_root`, `picture_missing`, or
            what is wrong with the file.
    """
    if not path:
        raise Unusable("no_picture", "the table names no picture")
    relative = PurePosixPath(path)
    try:
        if ".." in relative.parts or not is_inside(root, root / relative):
            raise Unusable("outside_root", f"{path}: not a path below the folder of the frames")
        if not (root / relative).is_file():
            raise Unusable("picture_missing", f"{path}: no such file")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise Unusable("unreadable_file", f"{path}: {reason}") from None
    _check_file(root, str(relative))
    return str(relative)


def extra_levels(parts: tuple[str, ...], location: ClipLocation) -> int | None:
    """How many levels too many a folder has for a location; None if it does not match.

    Any levels may be above the location (`rawpic`, a section). Below its first level, an extra one
    must not have digits in its name: it might be another subject or another clip.
    """
    extra = 0
    position = len(parts) - 1
    for level in reversed(location.levels):
        while position >= 0 and level.fullmatch(parts[position]) is None:
            if any(character.isdigit() for character in parts[position]):
                return None
            position -= 1
            extra += 1
        if position < 0:
            return None
        position -= 1
    return extra


def _check_file(root: Path, path: str) -> None:
    if not path.isprintable() or " ".join(path.split()) != path:
        raise Unusable(
            "unsupported_path",
            f"{ascii(path)} holds white space or characters that a table cannot keep; rename it",
        )
    try:
        size = (root / path).stat().st_size
    except OSError as error:
        raise Unusable("unreadable_file", f"{path}: {error.strerror}") from None
    if not size:
        raise Unusable("empty_file", f"{path} has no bytes")
