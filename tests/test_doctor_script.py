"""The doctor as it is called: what it prints and its status; and what `make report` is told."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from fleeting.dependencies import RUNNER
from fleeting.doctor import examine
from fleeting.doctor.findings import Finding, findings_of, fine, note, problem

CONFIG: dict[str, Any] = {
    "databases": {"samm": {"root": "databases/nowhere"}},
    "results": "out $HOME 'x'",
    "crops": {"paper": {"detector": "none"}},
    "experiments": {"e": {"recipe": {"weights": "none"}, "grid": {"models": ["small"]}}},
}


def run(folder: Path, job: str, text: str) -> subprocess.CompletedProcess[str]:
    (folder / "mine.yaml").write_text(text)
    command = [sys.executable, str(RUNNER), job, "--config", "mine.yaml"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert "Traceback" not in done.stdout + done.stderr
    return done


def test_problems_come_last_and_give_status_1(tmp_path: Path) -> None:
    done = run(tmp_path, "doctor.examine", yaml.safe_dump(CONFIG))
    lines = done.stdout.splitlines()
    assert (done.returncode, done.stderr) == (1, "")
    headings = [line for line in lines if line and not line.startswith(" ")]
    assert headings[:-1] == ["config", "database samm", "splits", "weights", "machine", "disk"]
    assert "1 model x 3 rates x 10 repeats = 30 runs of 100 epochs" in done.stdout
    assert "databases/nowhere: no such folder" in lines[-3]
    assert "what is not listed there is not used" in lines[-2]
    assert [path.name for path in tmp_path.iterdir()] == ["mine.yaml"], "nothing is written"


def test_without_problems_the_end_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(examine, "examine", lambda _: [("one", [fine("a"), note("b", "do this")])])
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(CONFIG))
    examine.run(config=tmp_path / "mine.yaml")
    printed = capsys.readouterr().out
    assert "  fine  a\n  note  b\n    -> do this\n" in printed
    assert "No problems" in printed.splitlines()[-1]


@pytest.mark.parametrize(
    ("job", "text", "word"),
    [
        ("config.show", "results: [", "line 1"),
        ("doctor.examine", "results: a\n", "databases: this key is required"),
    ],
)
def test_a_config_that_cannot_be_used_is_all_that_is_said(
    tmp_path: Path, job: str, text: str, word: str
) -> None:
    done = run(tmp_path, job, text)
    assert (done.returncode, done.stdout) == (1, "")
    assert word in done.stderr


def test_make_report_is_told_the_results_folder(tmp_path: Path) -> None:
    done = run(tmp_path, "config.show", yaml.safe_dump(CONFIG))
    assert (done.returncode, done.stdout, done.stderr) == (0, "out $HOME 'x'\n", "")


def test_an_error_is_the_last_finding() -> None:
    def stopped():  # type: ignore[no-untyped-def]
        yield fine("before")
        raise PermissionError(13, "Permission denied", "/data/x")

    first, last = findings_of(stopped, "do this")
    assert first == fine("before")
    assert last == problem(last.text, "do this")
    assert "/data/x: Permission denied" in last.text
    assert isinstance(last, Finding)
