"""Folders, tables and clips with the names that shells and patterns expand: a real run."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from fleeting import tsv
from malformed.pictures import PNG
from malformed.workbooks import HEADER, packed, parts, row, sheet
from pipeline import PARTS, ROOT

pytestmark = pytest.mark.slow

ODD = 'it\'s a "x" $(touch pwned) `touch pwned`; & # % ^ (y) $HOME ü'
CLIPS = ["$(touch pwned)", "it's", "a; touch pwned & b", "`touch pwned`", "100% #1", "ü^(1)"]


def table(folder: Path, clips: list[str]) -> Path:
    emotions = ["happiness", "surprise"]
    rows = [
        row(number + 2, ["01", clip, 1, 2, 3, "4", emotions[number % 2]])
        for number, clip in enumerate(clips)
    ]
    path = folder / f"CASME2 {ODD}.xlsx"
    folder.mkdir(parents=True, exist_ok=True)
    path.write_bytes(packed(parts(sheet(row(1, [*HEADER]), *rows))))
    return path


def project(folder: Path, **changes: Any) -> Path:
    """A folder with the workflow, a database of provider's crops, and its config."""
    folder.mkdir(parents=True)
    for name in PARTS:
        if (ROOT / name).is_dir():
            ignore = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / name, folder / name, ignore=ignore)
        else:
            shutil.copy(ROOT / name, folder / name)
    frames = folder / ODD / "Cropped"
    for clip in CLIPS:
        (frames / "sub01" / clip).mkdir(parents=True)
        for number in (1, 2, 3):
            (frames / "sub01" / clip / f"reg_img{number}.png").write_bytes(PNG)
    place = table(folder / ODD, [*CLIPS, "../../x", "-rf", "<script>alert(1)</script>"])
    config = {
        "results": f"out {ODD}",
        "databases": {
            "casme2": {
                "table": str(place.relative_to(folder)),
                "frames": str(frames.relative_to(folder)),
                "source": "cropped",
            }
        },
        "crops": {"paper": {"size": 32}},
        "experiments": {"paper": {"recipe": {"weights": "none"}}},
        **changes,
    }
    (folder / "odd.yaml").write_text(yaml.safe_dump(config, allow_unicode=True))
    return folder


def snakemake(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "snakemake", *arguments, "--configfile", "odd.yaml"]
    return subprocess.run(
        [*command, "--cores", "2"], cwd=folder, capture_output=True, text=True, timeout=300
    )


def test_odd_names_work_and_run_nothing(tmp_path: Path) -> None:
    folder = project(tmp_path / ODD)
    done = snakemake(folder, "annotations", "frames", "faces", "splits")
    assert done.returncode == 0, done.stdout + done.stderr
    results = folder / f"out {ODD}"
    samples = tsv.read(results / "annotations/casme2.tsv", tsv.ANNOTATIONS)
    assert samples["clip"].tolist() == CLIPS
    excluded = tsv.read(results / "annotations/casme2.excluded.tsv", tsv.EXCLUDED)
    assert excluded["code"].tolist() == ["unsafe_name"] * 3
    faces = tsv.read(results / "faces/paper/casme2.tsv", tsv.FACES)
    assert len(faces) == 3 * len(CLIPS)
    assert all((results / path).is_file() for path in faces["path"])
    links = list((results / "experiments/paper/images").rglob("*.png"))
    assert len(links) == 3 * len(CLIPS)
    assert all(link.resolve().is_relative_to(results) for link in links)
    again = snakemake(folder, "-n", "annotations", "frames", "faces", "splits")
    assert "Nothing to be done" in again.stdout + again.stderr
    strangers = {path.name for path in folder.iterdir()}
    assert strangers == {*PARTS, ".snakemake", "odd.yaml", ODD, results.name}
    assert not [path for path in tmp_path.rglob("*") if path.name == "pwned"]


def test_a_database_without_its_table_is_one_message(tmp_path: Path) -> None:
    folder = project(tmp_path / "project", databases={"casme2": {"root": "envs"}})
    done = snakemake(folder, "annotations")
    shown = done.stdout + done.stderr
    assert done.returncode != 0
    assert "envs: no table of casme2 there" in shown, shown
    assert "Traceback" not in shown


def test_a_key_that_is_given_twice_is_one_message(tmp_path: Path) -> None:
    folder = project(tmp_path / "project")
    with (folder / "odd.yaml").open("a") as file:
        file.write("results: elsewhere\n")
    done = snakemake(folder, "-n", "annotations")
    assert done.returncode != 0
    shown = done.stdout + done.stderr
    assert "odd.yaml, line 1 and below: the key 'results'" in shown
    assert "Traceback" not in shown


@pytest.mark.parametrize("target", ["doctor", "progress", "report"])
def test_a_configs_name_is_no_command_of_makes(tmp_path: Path, target: str) -> None:
    """Neither make nor its shell expands it; a pretended environment says what it was given."""
    name = "a`touch pwned` $(touch pwned) $HOME $$x \"c\" 'd'.yaml"
    folder = tmp_path / "project"
    (folder / "envs").mkdir(parents=True)
    (folder / "envs" / "requirements.txt").touch()
    shutil.copy(ROOT / "Makefile", folder)
    commands = folder / ".venv" / "bin"
    commands.mkdir(parents=True)
    # Each notes what it was given; what asks for the results' folder gets one, and what makes a
    # report makes one.
    note = '#!/bin/sh\nprintf "%s\\n" "$@" >> said\n'
    (commands / "python").write_text(f"{note}echo 'the $results'\n")
    (commands / "snakemake").write_text(f'{note}echo made > "$4"\n')
    for command in commands.iterdir():
        command.chmod(0o755)
    (folder / "the $results").mkdir()
    (folder / ".venv" / ".ready").touch()
    subprocess.run(["make", target, f"CONFIG={name}"], cwd=folder, check=True)
    said = (folder / "said").read_text().splitlines()
    assert said.count(name) == {"doctor": 1, "progress": 1, "report": 2}[target]
    assert not list(folder.rglob("pwned"))
    if target == "report":
        assert [path.name for path in (folder / "the $results").iterdir()] == ["report.html"]
