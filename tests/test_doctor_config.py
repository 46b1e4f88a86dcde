"""What the doctor says of a config file, and how findings are shown."""

from pathlib import Path

import pytest

from fleeting.doctor import config, units
from fleeting.doctor.findings import Finding, fine, guarded, heard, note, problem
from fleeting.doctor.show import show
from fleeting.errors import UserError

GOOD = "databases:\n  samm: {root: data/SAMM}\n"


def look(tmp_path: Path, text: str | bytes) -> tuple[bool, list[Finding]]:
    path = tmp_path / "mine.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    found, findings = config.look(path)
    return found is not None, findings


def problems(findings: list[Finding]) -> list[str]:
    return [finding.text for finding in findings if finding.level == "problem"]


def test_a_good_config_is_completed_and_its_grid_counted(tmp_path: Path) -> None:
    usable, findings = look(tmp_path, GOOD)
    assert usable
    assert {finding.level for finding in findings} == {"fine"}
    assert (
        "5 models x 3 rates x 10 repeats = 150 runs of 100 epochs a fold (random_images)"
        in findings[1].text
    )


def test_every_wrong_key_is_said(tmp_path: Path) -> None:
    usable, findings = look(tmp_path, GOOD + "resluts: x\nkeep_models: some\n")
    assert not usable
    (text,) = problems(findings)
    assert "'resluts' (do you mean 'results'?)" in text
    assert "keep_models: 'some'" in text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("databases:\n  samm: {root: data\nresults: x\n", "line 3"),
        ("databases:\n\tsamm: 1\n", "line 2"),
        ("a: 1\n---\na: 2\n", "line 2"),
        ("databases: {samm: {root: \x07}}\n", "not YAML"),
        ("date: 2026-13-45\n", "not YAML"),
        (b"databases:\n  samm: {root: \xe9}\n", "line 2: not UTF-8"),
        ("", "holds no keys"),
        ("- a\n- b\n", "holds no keys"),
        ("&a [*a]", "holds no keys"),
        ("databases: [samm]\n", "databases"),
    ],
)
def test_a_file_that_is_not_a_config_is_one_problem_with_its_place(
    tmp_path: Path, text: str | bytes, said: str
) -> None:
    usable, findings = look(tmp_path, text)
    assert not usable
    assert len(problems(findings)) == 1
    assert said in findings[-1].text
    assert findings[-1].remedy


def test_a_file_that_is_missing_or_a_folder(tmp_path: Path) -> None:
    for path, said in ((tmp_path / "none.yaml", "no such file"), (tmp_path, "cannot be read")):
        found, (finding,) = config.look(path)
        assert found is None
        assert str(path) in finding.text
        assert said in finding.text


def test_a_key_that_appears_twice_is_a_problem_and_the_rest_is_looked_at(tmp_path: Path) -> None:
    text = GOOD + "keep_models: all\nfrmes: {}\nkeep_models: none\n"
    usable, findings = look(tmp_path, text.replace("frmes: {}\n", ""))
    assert usable
    (said,) = problems(findings)
    assert "'keep_models' appears 2 times" in said
    usable, findings = look(tmp_path, text)
    assert not usable
    assert len(problems(findings)) == 2


def test_equal_keys_of_different_blocks_are_no_repetition(tmp_path: Path) -> None:
    _, findings = look(tmp_path, GOOD + "  casme: {root: data/CASME}\n")
    assert {finding.level for finding in findings} == {"fine"}


def test_whatever_stops_a_look_is_its_last_finding() -> None:
    def stopped(error: Exception):  # type: ignore[no-untyped-def]
        yield fine("a", "before")
        raise error

    errors = {
        "the row 3": UserError("the row 3"),
        "/data/x: cannot be read": PermissionError(13, "Permission denied", "/data/x"),
        "ZeroDivisionError": ZeroDivisionError("by zero"),
    }
    for said, error in errors.items():
        first, last = guarded("a", lambda error=error: stopped(error), "do this")  # type: ignore[misc]
        assert first.text == "before"
        assert (last.level, last.subject) == ("problem", "a")
        assert said in last.text
        assert "do this" in last.remedy


def test_warnings_of_the_library_are_heard_and_not_printed(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    import logging

    logger = logging.getLogger("fleeting.databases.readers.samm")
    with heard() as lines:
        logger.info("a column is empty")
        logger.warning("Warning: took sheet %r", "Sheet1")
    assert lines == ["took sheet 'Sheet1'"]
    assert caplog.records == []
    logger.warning("afterwards")
    assert [record.getMessage() for record in caplog.records] == ["afterwards"]


def test_sections_come_with_problems_and_their_count_at_the_end(
    capsys: pytest.CaptureFixture[str],
) -> None:
    long = "a word " * 40
    sections = [
        ("one", [fine("x", "is there"), problem("x", "is broken:\n  here\n  there", "fix it")]),
        ("two", [note("y", long + "/data/" + 100 * "p", "look at it")]),
    ]
    assert show(sections) == 1
    printed = capsys.readouterr().out
    lines = printed.splitlines()
    assert lines[0] == "one"
    assert lines[1] == "  fine  is there"
    assert "1 problem: see the end" in lines[2]
    assert printed.index("problem 1  x: is broken:") > printed.index("look at it")
    assert "             - there" in lines
    assert lines[-1] == "1 fine, 1 note, 1 problem: fix these before a run."
    assert 100 * "p" in printed, "a path is never broken"
    assert all(len(line) <= 100 for line in lines if 100 * "p" not in line)


def test_a_subject_that_the_text_names_is_not_named_twice(
    capsys: pytest.CaptureFixture[str],
) -> None:
    show([("one", [problem("samm", "samm: no frames"), problem("samm", "samma is short")])])
    printed = capsys.readouterr().out
    assert "problem 1  samm: no frames" in printed
    assert "problem 2  samm: samma is short" in printed


def test_without_problems_the_end_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert show([("one", [fine("x", "is there")])]) == 0
    ending = "1 fine, 0 notes, 0 problems: nothing will stop a run."
    assert capsys.readouterr().out.splitlines()[-1] == ending


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0 bytes"), (999, "999 bytes"), (1000, "1 kB"), (4.55e6, "4.5 MB"), (1.88e10, "19 GB")],
)
def test_bytes(number: float, text: str) -> None:
    assert units.size(number) == text
