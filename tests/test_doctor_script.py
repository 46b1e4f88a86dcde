"""The doctor as it is called: what it prints, its status, and that it writes nothing."""

import os
import subprocess
import sys
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from fleeting.dependencies import RUNNER
from fleeting.synthetic.database import write_all
from pipeline import CONFIG, ROOTS, SYNTHETIC


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("it's a (doctor) ^1")
    write_all(folder / "databases", {**SYNTHETIC, "subjects": {"casme": 2, "samm": 2}})
    return folder


def config(**more: Any) -> dict[str, Any]:
    """The tiny config on two databases, with one small network."""
    tiny = deepcopy(CONFIG)
    experiment = tiny["experiments"]["tiny"]
    grid = {"models": ["resnet18"], "lrs": ["1e-02"], "repeats": 2}
    return {
        **tiny,
        "databases": {name: {"root": f"databases/{ROOTS[name]}"} for name in ("casme", "samm")},
        "experiments": {"tiny": {**experiment, "grid": grid}},
        **more,
    }


def doctor(folder: Path, text: str) -> tuple[int, str]:
    """Status and output; whatever it is, it is no traceback."""
    (folder / "mine.yaml").write_text(text)
    command = [sys.executable, str(RUNNER), "doctor.examine", "--config", "mine.yaml"]
    environment = {**os.environ, "TORCH_HOME": str(folder / "torch"), "COLUMNS": "80"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert "Traceback" not in done.stdout + done.stderr
    assert done.stderr == ""
    return done.returncode, done.stdout


def tree(folder: Path) -> dict[str, int]:
    """Every path below a folder with the time of its last change."""
    return {
        str(path.relative_to(folder)): path.stat().st_mtime_ns
        for path in sorted(folder.rglob("*"))
        if path.name != "mine.yaml"
    }


def test_all_sections_come_and_nothing_is_written(project: Path) -> None:
    before = tree(project)
    status, text = doctor(project, yaml.safe_dump(config()))
    assert status == 0, text
    headings = [line for line in text.splitlines() if line and not line.startswith(" ")]
    assert headings[:-1] == [
        "config",
        "database casme",
        "database samm",
        "weights",
        "machine",
        "disk",
    ]
    assert "1 model x 1 rate x 2 repeats = 2 runs of 2 epochs a fold" in text
    assert "0 problems: nothing will stop a run." in headings[-1]
    assert tree(project) == before


def test_problems_give_status_1_and_the_rest_is_looked_at(project: Path) -> None:
    places = {"casme": {"root": "databases/CASME"}, "samm": {"root": "databases/nowhere"}}
    block = config(databases={**places, "casme2": {"root": "databases/neither"}})
    block["experiments"]["tiny"]["exclude_subjects"] = []
    status, text = doctor(project, yaml.safe_dump(block))
    assert status == 1
    assert "databases/nowhere: no such folder" in text
    assert "databases/neither: no such folder" in text
    assert "disk" in text.splitlines()
    assert text.splitlines()[-1].endswith("2 problems: fix these before a run.")


@pytest.mark.parametrize("text", ["databases: {samm: {root: x}", "databases: {samm: {rot: x}}"])
def test_a_config_that_cannot_be_used_is_the_only_section(project: Path, text: str) -> None:
    status, printed = doctor(project, text)
    assert status == 1
    assert printed.startswith("config\n")
    assert "machine" not in printed
    assert "0 fine, 0 notes, 1 problem" in printed


def results_folder(folder: Path, text: str) -> subprocess.CompletedProcess[str]:
    (folder / "mine.yaml").write_text(text)
    command = [sys.executable, str(RUNNER), "config.show", "--config", "mine.yaml"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def test_make_report_is_told_the_results_folder(project: Path) -> None:
    done = results_folder(project, yaml.safe_dump(config(results="out $HOME 'x'")))
    assert (done.returncode, done.stdout, done.stderr) == (0, "out $HOME 'x'\n", "")


@pytest.mark.parametrize(
    ("text", "message"),
    [("results: [", "mine.yaml, line 1"), ("results: a\n", "databases: this key is required")],
    ids=["no YAML", "no databases"],
)
def test_make_report_is_told_what_is_wrong(project: Path, text: str, message: str) -> None:
    done = results_folder(project, text)
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stdout + done.stderr
