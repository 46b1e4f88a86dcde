"""What lies below the folder of a database's frames."""

import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from fleeting.databases.reader import Place, fold
from fleeting.errors import UserError
from fleeting.frames.numbers import frame_number

#: A provider's crops are recognised by a folder's name (`Cropped`, but not `uncropped`) ...
_CROPPED_FOLDER = re.compile(r"(?<!un)(?<!non)(?<!non[ _-])(?<!not[ _-])crop")
#: ... or by the names of their files.
_CROPPED_FILE = "reg_"


@dataclass(frozen=True)
class Folder:
    """The frames of one kind in one folder.

    `path` is relative to the root, with `/`; `parts` are its names as `fold` gives them, a name
    that repeats the one above it (`Cropped/Cropped`) left out; `files` maps numbers to file names.
    """

    path: str
    parts: tuple[str, ...]
    cropped: bool
    files: Mapping[int, str]


@dataclass
class Index:
    """All folders below `root` that hold frames, sorted, and what was skipped.

    `listing` has all files of every folder: path -> (name as `fold` gives it, name).
    """

    root: Path
    folders: list[Folder] = field(default_factory=list)
    listing: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    outside_links: int = 0
    unreadable: list[str] = field(default_factory=list)
    same_number: list[str] = field(default_factory=list)
    other_files: Counter[str] = field(default_factory=Counter)

    def notes(self) -> list[str]:
        """What was skipped, in sentences for the log."""
        notes = []
        if self.outside_links:
            notes.append(
                f"{self.outside_links} links that lead out of {self.root} are not followed"
            )
        if self.unreadable:
            notes.append(
                f"{len(self.unreadable)} folders or files cannot be read, for example "
                f"{self.unreadable[0]}"
            )
        if self.same_number:
            notes.append(
                f"{len(self.same_number)} files have the number of another file in their folder, "
                "which is taken since its name comes first or the other is empty; for example "
                f"{self.same_number[0]}"
            )
        return notes


def build(root: Path) -> Index:
    """Walk the root once.

    Folders and files that begin with a dot and links that lead out of the root are skipped.
    Raises a `UserError` where the root is missing or cannot be read.
    """
    if not root.is_dir():
        raise UserError(f"{root}: no such folder; correct the database's root or frames")
    index = Index(root)
    inside = os.path.realpath(root)
    seen = {inside}
    waiting = [(inside, "")]
    while waiting:
        folder, relative = waiting.pop()
        names: list[str] = []
        try:
            with os.scandir(folder) as entries:
                found = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            if not relative:
                raise UserError(f"{root}: cannot be read ({error.strerror})") from None
            index.unreadable.append(relative)
            continue
        for entry in found:
            if entry.name.startswith(".") or entry.name == "__MACOSX":
                continue
            path = f"{relative}/{entry.name}".lstrip("/")
            try:
                if entry.is_symlink() and not Path(os.path.realpath(entry)).is_relative_to(inside):
                    index.outside_links += 1
                elif entry.is_dir():
                    # A link inside the root may lead back up.
                    real = os.path.realpath(entry)
                    if real not in seen:
                        seen.add(real)
                        waiting.append((entry.path, path))
                elif entry.is_file():
                    names.append(entry.name)
            except OSError:
                # Such as a link that leads to itself.
                index.unreadable.append(path)
        _add(index, relative, names)
    # `CASME2 raw and cropped` may hold both kinds: what lies below says more than the root's name.
    root_is_cropped = is_cropped_name(root.name) or is_cropped_name(Path(inside).name)
    if root_is_cropped and not any(folder.cropped for folder in index.folders):
        index.folders = [replace(folder, cropped=True) for folder in index.folders]
    index.folders.sort(key=lambda entry: (entry.path, entry.cropped))
    return index


def is_cropped_name(name: str) -> bool:
    """Whether a folder's name says that it holds a provider's crops."""
    return _CROPPED_FOLDER.search(name.casefold()) is not None


def at_place(index: Index, place: Place) -> list[Folder]:
    """The folders at an exact place (one with `file`), each with the files that the place names."""
    assert place.file is not None, "only an exact place names its files"
    found = []
    for path, names in sorted(index.listing.items()):
        parts = tuple(fold(name) for name in path.split("/")) if path else ()
        if len(parts) != len(place.levels):
            continue
        if all(level.fullmatch(part) for level, part in zip(place.levels, parts, strict=True)):
            matches = [(place.file.fullmatch(folded), name) for folded, name in names]
            numbered = [(int(match["frame"]), name) for match, name in matches if match]
            if files := _by_number(index, path, numbered):
                found.append(Folder(path, parts, False, files))
    return found


def _add(index: Index, relative: str, names: list[str]) -> None:
    path_names = relative.split("/") if relative else []
    cropped_folder = any(map(is_cropped_name, path_names))
    kinds: dict[bool, list[tuple[int, str]]] = {False: [], True: []}
    for name in names:
        number = frame_number(name)
        if number is None:
            index.other_files[Path(name).suffix.casefold()] += 1
        else:
            cropped = cropped_folder or name.casefold().startswith(_CROPPED_FILE)
            kinds[cropped].append((number, name))
    folded = [fold(name) for name in path_names]
    parts = [name for above, name in zip(["", *folded], folded, strict=False) if name != above]
    for cropped, numbered in kinds.items():
        if files := _by_number(index, relative, numbered):
            index.folders.append(Folder(relative, tuple(parts), cropped, files))
    index.listing[relative] = [(fold(name), name) for name in names]


def _by_number(index: Index, relative: str, numbered: Iterable[tuple[int, str]]) -> dict[int, str]:
    """The files of a folder by their numbers; of two with one number, the first that has bytes."""
    files: dict[int, str] = {}
    for number, name in numbered:
        taken = files.setdefault(number, name)
        if taken != name:
            folder = index.root / relative
            if not (folder / taken).stat().st_size and (folder / name).stat().st_size:
                files[number] = name
            index.same_number.append(f"{relative}/{name}".lstrip("/"))
    return files
