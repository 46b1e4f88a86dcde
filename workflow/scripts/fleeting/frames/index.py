"""An index of the folder of a database's frames."""

import os
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from fleeting.databases.reader import ClipLocation, normalised_name
from fleeting.errors import UserError
from fleeting.frames.numbering import Name, Numbering, numbering, parse
from fleeting.paths import is_inside

#: A provider's crops are recognised by a folder's name (`Cropped`, but not `uncropped`), ...
_CROPPED_FOLDER = re.compile(r"(?<!un)(?<!non)(?<!non[ _-])(?<!not[ _-])crop")
#: ... or by the names of their files.
_CROPPED_FILE = "reg_"


@dataclass(frozen=True)
class Folder:
    """The frames of one kind in one folder.

    `path` is relative to the root, with `/`; `parts` are its normalised names, a name that repeats
    the one above it (`Cropped/Cropped`) left out; `files` maps numbers to file names. `others` are
    the names of images that are no frames by their names, `doubles` have the number of one that is.
    """

    path: str
    parts: tuple[str, ...]
    cropped: bool
    files: Mapping[int, str]
    others: Sequence[str] = ()
    doubles: Sequence[str] = ()

    @property
    def beside(self) -> list[str]:
        """The paths of its images that are not used as frames, sorted."""
        names = [*self.others, *self.doubles]
        return sorted(f"{self.path}/{name}".lstrip("/") for name in names)


@dataclass
class Index:
    """All folders below `root` that hold frames, sorted, and what was skipped.

    `listing` has all files of every folder: path -> (normalised name, name).
    """

    root: Path
    folders: list[Folder] = field(default_factory=list)
    listing: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    outside_links: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    other_files: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        """Raise a `UserError` where the root is missing."""
        if not self.root.is_dir():
            raise UserError(f"{self.root}: no such folder; correct the database's root or frames")

    def notes(self) -> list[str]:
        """What was skipped, in sentences for the log."""
        notes = [
            (self.outside_links, f"links lead out of {self.root} and are not followed"),
            (self.unreadable, "folders or files cannot be read"),
        ]
        return [f"{len(paths)} {text}: {', '.join(paths[:100])}" for paths, text in notes if paths]


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
                    index.outside_links.append(path)
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
            named = [
                Name(name, int(match["frame"]), match["frame"], ("", ""), Path(name).suffix)
                for match, name in matches
                if match
            ]
            if (of_folder := _numbering(index, path, named, any_name=True)).files:
                doubles = of_folder.doubles
                found.append(Folder(path, parts, False, of_folder.files, doubles=doubles))
    return found


def _is_cropped_name(name: str) -> bool:
    return _CROPPED_FOLDER.search(name.casefold()) is not None


def _add_folder(index: Index, path: str, names: list[str]) -> None:
    """Add a folder and its files to the index."""
    levels = path.split("/") if path else []
    in_cropped_folder = any(map(_is_cropped_name, levels))
    images: dict[bool, list[Name]] = {False: [], True: []}
    for name in names:
        if parsed := parse(name):
            cropped = in_cropped_folder or name.casefold().startswith(_CROPPED_FILE)
            images[cropped].append(parsed)
        else:
            index.other_files[Path(name).suffix.casefold()] += 1
    parts: list[str] = []
    for part in map(normalised_name, levels):
        if parts[-1:] != [part]:
            parts.append(part)
    for cropped, named in images.items():
        if named:
            found = _numbering(index, path, named)
            others = [image.name for image in found.others]
            index.folders.append(
                Folder(path, tuple(parts), cropped, found.files, others, found.doubles)
            )
    index.listing[path] = [(normalised_name(name), name) for name in names]


def _numbering(
    index: Index, path: str, images: Sequence[Name], any_name: bool = False
) -> Numbering:
    """The frames among the images of a folder."""
    folder = index.root / path
    counts = Counter(image.number for image in images)
    same = [image.name for image in images if counts[image.number] > 1]
    empty = [name for name in same if not (folder / name).stat().st_size]
    return numbering(images, empty, any_name)
