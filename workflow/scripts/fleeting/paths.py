"""The names of samples and files, and checks that keep names from tables inside their folders."""

import hashlib
import os
from pathlib import Path

#: No name of a subject or clip may hold these: separators, what shells and Snakemake expand.
UNSAFE = frozenset('/\\:*?"<>|{}\0')

#: The folder of one part of a run, below its experiment's folder.
RUN = "runs/{model}/lr{lr}/repeat{repeat}/part{part}"


def is_safe_name(name: str) -> bool:
    """Whether a name from a table may become one component of a path."""
    return (
        name.strip() == name
        and name not in ("", ".", "..")
        and not name.startswith(("-", "~"))
        and not UNSAFE.intersection(name)
        and name.isprintable()
        and len(name.encode()) <= 200
    )


def is_inside(root: Path, path: Path) -> bool:
    """Whether a path, with all links and `..` resolved, is below a folder."""
    return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(root))


def database_and_subject(person: str) -> tuple[str, str]:
    """The two parts of a person's name, `{database}/{subject}`; neither holds a `/`."""
    database, _, subject = person.partition("/")
    return database, subject


def sample_name(database: str, subject: str, clip: str, onset: int) -> str:
    """The unique, readable name of a sample, for example `casme2/sub01/EP02_01f/46`."""
    return f"{database}/{subject}/{clip}/{onset}"


def image_name(sample: str, phase: str) -> str:
    """The name of one image of a sample: the sample's, then the phase."""
    return f"{sample}/{phase}"


def crop_path(crop: str, image: str) -> str:
    """The path of an image's crop, relative to the results folder."""
    return f"faces/{crop}/{image}.png"


def run_folder(results: Path, experiment: str, model: str, lr: str, repeat: int, part: int) -> Path:
    """The folder of one part of one run."""
    folder = RUN.format(model=model, lr=lr, repeat=repeat, part=part)
    return results / "experiments" / experiment / folder


def sha256(path: Path) -> str:
    """The sha256 of a file, as 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
