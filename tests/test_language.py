"""One name for one thing: the words that CONTRIBUTING.md avoids are used nowhere."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ("workflow", "docs", "config", "profiles", "benchmarks", "tests", "envs")
SUFFIXES = {".py", ".smk", ".md", ".yaml", ".rst", ".sh"}
AVOIDED = re.findall(
    r"^\| ([a-z ]+) \| .+ \|$",
    (ROOT / "CONTRIBUTING.md").read_text().partition("| instead of | write |")[2],
    re.MULTILINE,
)


def files() -> list[Path]:
    """Every text that a person reads, but the list of these words itself."""
    found = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*")]
    found += [
        ROOT / name
        for name in ("README.md", "CHANGELOG.md", "config.yaml", "Snakefile", "Makefile")
    ]
    return [path for path in found if path.suffix in SUFFIXES or path.parent == ROOT]


def test_the_list_is_found() -> None:
    assert len(AVOIDED) > 6
    assert len(files()) > 200


@pytest.mark.parametrize("words", AVOIDED)
def test_an_avoided_word_is_not_used(words: str) -> None:
    # A comment may be broken between two words.
    spread = r"\s+(?:#:?\s*)?".join(words.split())
    pattern = re.compile(rf"\b{spread}\b", re.IGNORECASE)
    places = [
        f"{path.relative_to(ROOT)}:{text.count(chr(10), 0, match.start()) + 1}"
        for path in files()
        for text in [path.read_text(encoding="utf-8", errors="replace")]
        for match in pattern.finditer(text)
    ]
    assert not places, f"{words!r}: CONTRIBUTING.md says what to write instead"


def test_no_file_has_more_than_300_lines() -> None:
    code = [path for path in files() if path.suffix in (".py", ".smk")]
    long = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in code}
    assert not {path: lines for path, lines in long.items() if lines > 300}
