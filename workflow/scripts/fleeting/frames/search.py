"""Where a wanted image is on disk: in which of a clip's folders, or at which path."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from fleeting.databases.reader import Place, fold
from fleeting.frames.index import Folder, Index, at_place
from fleeting.frames.numbers import nearest

SOURCES = ("raw", "cropped")


class NotFound(Exception):
    """A wanted image that cannot be used: `code` for code to decide by, `detail` for people."""

    def __init__(self, code: str, detail: str) -> None:
        """Keep the code and the detail."""
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


@dataclass(eq=False)
class Clip:
    """A clip that samples name, where its frames may lie, and the folders that may hold it.

    `folders` are those of the wanted source (raw or cropped), `other_kind` those of the other one;
    the best come first. Exact places (see `Place`) have folders of the wanted source only.
    """

    subject: str
    clip: str
    places: tuple[Place, ...]
    folders: list[Folder] = field(default_factory=list)
    other_kind: list[Folder] = field(default_factory=list)

    @property
    def exact(self) -> bool:
        """Whether the config says where the frames lie, file by file."""
        return all(place.file for place in self.places)


def clip_of(
    index: Index,
    subject: str,
    clip: str,
    places: tuple[Place, ...],
    others: set[str],
    wanted: set[int],
    source: str,
) -> Clip:
    """Look for the folders of a clip.

    Args:
        index: what lies below the folder of the database's frames.
        subject: the subject's name.
        clip: the clip's name.
        places: where the reader says that the clip may lie, the preferred place first.
        others: the folded names of the subject's other clips.
        wanted: the numbers of the wanted frames.
        source: `raw` or `cropped`: which kind of frames is taken.
    """
    found = Clip(subject, clip, places)
    if found.exact:
        found.folders = [folder for place in places for folder in at_place(index, place)]
        return found
    for folder in _candidates(index.folders, places, clip, others, wanted):
        right = folder.cropped == (source == "cropped")
        (found.folders if right else found.other_kind).append(folder)
    return found


def frame(root: Path, clip: Clip, number: int, source: str, within: int) -> tuple[int, str]:
    """The frame of a clip with a number, or else the nearest one at most `within` away.

    Returns:
        The number that was taken, and the file's path relative to the root.

    Raises:
        NotFound: `clip_missing`, `frame_missing`, or what is wrong with the file.
    """
    if not clip.folders:
        detail = f"no folder {clip.subject}/{clip.clip} with {source} frames"
        if clip.exact:
            detail = f"no file of {clip.subject}/{clip.clip} matches the path in the config"
        if clip.other_kind:
            detail += f"; {_other(source)} ones exist: {clip.other_kind[0].path}"
        raise NotFound("clip_missing", detail)
    candidates = [(folder, number) for folder in clip.folders if number in folder.files]
    for folder in clip.folders:
        neighbour = nearest(sorted(folder.files), number, within)
        if neighbour is not None:
            candidates.append((folder, neighbour))
    if not candidates:
        folder = clip.folders[0]
        raise NotFound(
            "frame_missing",
            f"frame {number} is not in {folder.path or '.'}, which holds {min(folder.files)} to "
            f"{max(folder.files)} ({len(folder.files)} files)",
        )
    problems = []
    for folder, taken in candidates:
        path = f"{folder.path}/{folder.files[taken]}".lstrip("/")
        try:
            _check(root, path)
            return taken, path
        except NotFound as problem:
            problems.append(problem)
    raise problems[0]


def picture(root: Path, path: str) -> str:
    """The path of a picture that the table names, once it is known to be usable.

    Raises:
        NotFound: `no_picture` where the table names none, `outside_root`, `picture_missing`, or
            what is wrong with the file.
    """
    if not path:
        raise NotFound("no_picture", "the table names no picture")
    inside = PurePosixPath(path)
    if inside.is_absolute() or ".." in inside.parts:
        raise NotFound("outside_root", f"{path}: not a path below the folder of the frames")
    place = root / inside
    try:
        if not place.is_file():
            raise NotFound("picture_missing", f"{path}: no such file")
        if not Path(os.path.realpath(place)).is_relative_to(os.path.realpath(root)):
            raise NotFound("outside_root", f"{path}: a link that leads out of {root}")
    except (OSError, ValueError) as error:
        raise NotFound(
            "unreadable_file", f"{path}: {getattr(error, 'strerror', None) or error}"
        ) from None
    _check(root, str(inside))
    return str(inside)


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


def _candidates(
    folders: Iterable[Folder],
    places: Sequence[Place],
    clip: str,
    others: set[str],
    wanted: set[int],
) -> list[Folder]:
    """Folders that may hold a clip, best first.

    The order: the place that the reader prefers, the exact name of the clip, the most wanted
    frames, the fewest extra levels, the path.
    """
    ranked = []
    for folder in folders:
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


def _check(root: Path, path: str) -> None:
    if not path.isprintable() or " ".join(path.split()) != path:
        raise NotFound(
            "unsupported_path",
            f"{ascii(path)} holds white space or characters that a table cannot keep; rename it",
        )
    try:
        size = (root / path).stat().st_size
    except OSError as error:
        raise NotFound("unreadable_file", f"{path}: {error.strerror}") from None
    if not size:
        raise NotFound("empty_file", f"{path} has no bytes")


def _other(source: str) -> str:
    return next(other for other in SOURCES if other != source)
