"""Where a detector's weights come from, and checks that a file is the published one."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fleeting.errors import UserError
from fleeting.paths import sha256


@dataclass(frozen=True)
class WeightFile:
    """One file inside a package: `member` is its path there, `size` its bytes."""

    member: str
    size: int
    sha256: str

    @property
    def name(self) -> str:
        """The file's own name, which it keeps outside the package."""
        return self.member.rpartition("/")[2]


@dataclass(frozen=True)
class Source:
    """A pinned package of a registry (`client`: pip or npm); the first file holds the weights."""

    client: str
    package: str
    version: str
    files: tuple[WeightFile, ...]

    def describe(self) -> str:
        """The package and its files with their checksums, for a message."""
        files = ", ".join(f"{file.name} (sha256 {file.sha256})" for file in self.files)
        return f"{files} of the {self.client} package {self.package} {self.version}"


def checked(path: Path, source: Source) -> Mapping[str, Path]:
    """The source's files by name, each with the right bytes.

    Args:
        path: the folder that holds the files, or the first of them (the others are beside it).
        source: what the files must be.

    Raises:
        UserError: a file is missing, or is not the published one.
    """
    folder = path if path.is_dir() else path.parent
    found = {file.name: folder / file.name for file in source.files}
    if not path.is_dir():
        found[source.files[0].name] = path
    for file in source.files:
        check(found[file.name], file, source)
    return found


def check(path: Path, file: WeightFile, source: Source) -> None:
    """Raise a `UserError` unless `path` holds exactly the bytes of the published file."""
    if not path.is_file():
        raise UserError(
            f"{path}: the detector's weights are missing; they are {source.describe()}. Point "
            "crops.<name>.detector.weights at a copy, or leave it null to have it fetched."
        )
    if path.stat().st_size != file.size or sha256(path) != file.sha256:
        raise UserError(
            f"{path}: not the published weights; they are {source.describe()}. Replace the file, "
            "or use the detector opencv_ssd for your own weights."
        )
