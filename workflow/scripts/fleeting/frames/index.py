"""An index of the folder of a database's frames."""

import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from fleeting.databases.reader import ClipLocation, normalised_name
from fleeting.errors import UserError
from fleeting.paths import is_inside

#: An image that `fleeting.faces.images` can read, with the last number of its stem.
_NUMBERED_IMAGE = re.compile(r".*?([0-9]+)[^0-9]*?(\.(jpe?g|png|bmp))+", re.IGNORECASE | re.DOTALL)
#: A provider's crops are recognised by a folder's name (`Cropped`, but not `uncropped`), ...
_CROPPED_FOLDER = re.compile(r"(?<!un)(?<!non)(?<!non[ _-])(?<!not[ _-])crop")
#: ... or by the names of their files.
_CROPPED_FILE = "reg_"


@dataclass(frozen=True)
class Folder:
    """The frames of one kind in one folder.

    `path` is relative to the root, with `/`; `parts` are its normalised names, a name that repeats
    the one above it (`Cropped/Cropped`) left out; `files` maps numbers to file names.
    """

    path: str
    parts: tuple[str, ...]
    cropped: bool
    files: Mapping[int, str]


@dataclass
class Index:
    """All folders below `root` that hold frames, sorted, and what was skipped.

    `listing` has all files of every folder: path -> (normalised name, name).
    """

    root: Path
    folders: list[Folder] = field(default_factory=list)
    listing: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    outside_links: int = 0
    unreadable: list[str] = field(default_factory=list)
    same_number: list[str] = field(default_factory=list)
    other_files: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        """Raise a `UserError` where the root is missing."""
        if not self.root.is_dir():
            raise UserError(f"{self.root}: no such folder; correct the database's root or frames")

    def notes(self) -> list[str]:
        """What was skipped, in sentences for the log."""
        first = [paths[0] if paths else "" for paths in (self.unreadable, self.same_number)]
        notes = [
            (self.outside_links, f"links that lead out of {self.root} are not followed"),
            (len(self.unreadable), f"folders or files cannot be read, for example {first[0]}"),
            (
                len(self.same_number),
                "files have the number of another file in their folder, which is used since its "
                f"name comes first or the other is empty; for example {first[1]}",
            ),
        ]
        return [f"{count} {text}" for count, text in notes if count]


def frame_number(name: str) -> int | None:
    """The value of the last run of digits in an image file's stem.

    Prefix, padding, case of the ending and doubled endings do not matter: `img2977.jpg.jpg` is
    2977. None for a name without digits or without an image's ending.
    """
    match = _NUMBERED_IMAGE.fullmatch(name)
    return int(match[1]) if match else None


def build(root: Path) -> Index:
    """Walk the root once.

    Folders and files that begin with a dot and links that lead out of the root are skipped.
    Raises a `UserError` where the root is missing or cannot be read.
    """
    index = Index(root)
    top = os.path.realpath(root)
    seen = {top}
    waiting = [(top, "")]
    while waiting:
        folder, relative = waiting.pop()
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as error:
            if folder == top:
                raise UserError(f"{root}: cannot be read ({error.strerror})") from None
            index.unreadable.append(relative)
            continue
        names = []
        for entry in entries:
            if entry.name.startswith(".") or entry.name == "__MACOSX":
                continue
            path = f"{relative}/{entry.name}".lstrip("/")
            try:
                if entry.is_symlink() and not is_inside(root, Path(entry.path)):
                    index.outside_links += 1
                elif entry.is_dir():
                    # A link within the root may lead back up.
                    real = os.path.realpath(entry)
                    if real not in seen:
                        seen.add(real)
                        waiting.append((entry.path, path))
                elif entry.is_file():
                    names.append(entry.name)
            except OSError:
                # For example a link to itself.
                index.unreadable.append(path)
        _add_folder(index, relative, names)
    # `CASME2 raw and cropped` may hold both kinds: its folders say more than its own name.
    root_is_cropped = _is_cropped_name(root.name) or _is_cropped_name(Path(top).name)
    if root_is_cropped and not any(folder.cropped for folder in index.folders):
        index.folders = [replace(folder, cropped=True) for folder in index.folders]
    index.folders.sort(key=lambda entry: (entry.path, entry.cropped))
    return index


def exact_folders(index: Index, location: ClipLocation) -> list[Folder]:
    """The folders at an exact location (one with `file`), each with the files that it names."""
    assert location.file is not None, "only an exact location names its files"
    found = []
    for path, names in sorted(index.listing.items()):
        parts = tuple(normalised_name(name) for name in path.split("/")) if path else ()
        if len(parts) != len(location.levels):
            continue
        if all(level.fullmatch(part) for level, part in zip(location.levels, parts, strict=True)):
            matches = [(location.file.fullmatch(normalised), name) for normalised, name in names]
            numbered = [(int(match["frame"]), name) for match, name in matches if match]
            if files := _by_number(index, path, numbered):
                found.append(Folder(path, parts, False, files))
    return found


def _is_cropped_name(name: str) -> bool:
    return _CROPPED_FOLDER.search(name.casefold()) is not None


def _add_folder(index: Index, path: str, names: list[str]) -> None:
    """Add a folder and its files to the index."""
    levels = path.split("/") if path else []
    in_cropped_folder = any(map(_is_cropped_name, levels))
    frames: dict[bool, list[tuple[int, str]]] = {False: [], True: []}
    for name in names:
        number = frame_number(name)
        if number is None:
            index.other_files[Path(name).suffix.casefold()] += 1
        else:
            cropped = in_cropped_folder or name.casefold().startswith(_CROPPED_FILE)
            frames[cropped].append((number, name))
    parts: list[str] = []
    for part in map(normalised_name, levels):
        if parts[-1:] != [part]:
            parts.append(part)
    for cropped, numbered in frames.items():
        if files := _by_number(index, path, numbered):
            index.folders.append(Folder(path, tuple(parts), cropped, files))
    index.listing[path] = [(normalised_name(name), name) for name in names]


def _by_number(index: Index, path: str, numbered: Iterable[tuple[int, str]]) -> dict[int, str]:
    """The files of a folder by their numbers; of two with one number, the first that has bytes."""
    files: dict[int, str] = {}
    for number, name in numbered:
        first = files.setdefault(number, name)
        if first != name:
            folder = index.root / path
            if not (folder / first).stat().st_size and (folder / name).stat().st_size:
                files[number] = name
            index.same_number.append(f"{path}/{name}".lstrip("/"))
    return files
