"""Cells of action units as the databases' tables have them, and the job that reads them."""

from pathlib import Path

import pytest

from fleeting import tsv
from fleeting.databases.action_units import parse
from fleeting.errors import UserError
from fleeting.training.read_action_units import run


@pytest.mark.parametrize(
    ("cell", "units"),
    [
        ("", set()),
        ("4", {4}),
        ("12.0", {12}),
        ("04", {4}),
        ("1+2", {1, 2}),
        ("+12", {12}),
        ("4 + 7", {4, 7}),
        ("4,7;10&14 1", {1, 4, 7, 10, 14}),
        ("4+10+14+15", {4, 10, 14, 15}),
        ("4+7+L10", {4, 7, 10}),
        ("L4+R12", {4, 12}),
        ("R12+l12", {12}),
        ("14L+U14", {14}),
        ("B25+T23", {23, 25}),
        ("12A", {12}),
        ("L12a+14BR+R15b+1LD", {1, 12, 14, 15}),
        ("4+7?", {4, 7}),
        ("AU 4", {4}),
        ("AU4+AU7", {4, 7}),
        ("au1 AU2 AUL4", {1, 2, 4}),
        ("AUs 1, 2", {1, 2}),
    ],
)
def test_units_are_read_without_sides_and_intensities(cell: str, units: set[int]) -> None:
    assert parse(cell) == (units, [])


@pytest.mark.parametrize(
    ("cell", "units", "unreadable"),
    [
        ("?", set(), ["?"]),
        ("none", set(), ["none"]),
        ("4+x+7", {4, 7}, ["x"]),
        ("4-7", set(), ["4-7"]),
        ("4/7", set(), ["4/7"]),
        ("0+4", {4}, ["0"]),
        ("123", set(), ["123"]),
        ("12F", set(), ["12F"]),
        ("LR4", set(), ["LR4"]),
        ("4.5", set(), ["4.5"]),
        ("(a date: 2020-04-07)", set(), ["(a", "date:", "2020-04-07)"]),
        ("\u0664", set(), ["\u0664"]),
    ],
)
def test_what_cannot_be_read_is_returned(cell: str, units: set[int], unreadable: list[str]) -> None:
    assert parse(cell) == (units, unreadable)


def annotations(folder: Path, database: str, *cells: str) -> Path:
    """A table with a sample for each cell of action units."""
    rows = [
        {
            **dict.fromkeys(tsv.ANNOTATIONS, "1"),
            "sample": f"{database}/s1/c{number}/1",
            "action_units": cell,
        }
        for number, cell in enumerate(cells)
    ]
    path = folder / f"{database}.tsv"
    tsv.write_rows(rows, path, tsv.ANNOTATIONS)
    return path


def test_samples_have_the_listed_units_and_none_where_nothing_is_known(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """An empty cell says nothing, and so does one with a part that cannot be read."""
    caplog.set_level("INFO")
    tables = [
        annotations(tmp_path, "one", "L4+R12", "", "9", "4+x+?"),
        annotations(tmp_path, "other", "12A+1+4?"),
        annotations(tmp_path, "third", "", ""),
    ]
    run(annotations=tables, units=[12, 4, 17], output=tmp_path / "units.tsv")
    assert (tmp_path / "units.tsv").read_text().splitlines() == [
        "sample\taction_units",
        "one/s1/c0/1\t4+12",
        "one/s1/c2/1\t",
        "other/s1/c0/1\t4+12",
    ]
    assert caplog.messages == [
        "one: 2 of 4 samples have action units, 1 none",
        "Warning: one: 2 parts of the action units of 1 samples cannot be read, for example 'x' in "
        "'4+x+?'; their units do not count",
        "other: 1 of 1 samples have action units, 0 none",
        "third: 0 of 2 samples have action units, 2 none",
        "Warning: third: no sample has action units: its clips are trained on their classes alone",
        "action unit 12: 2 samples",
        "action unit 4: 2 samples",
        "action unit 17: 0 samples",
    ]


def test_a_unit_outside_the_list_changes_nothing(tmp_path: Path) -> None:
    """Nor does how a cell is written."""
    for folder, cells in (("before", ("4+12", "1")), ("after", ("L12+9+4B", "7"))):
        (tmp_path / folder).mkdir()
        table = annotations(tmp_path / folder, "d", *cells)
        run(annotations=[table], units=[4, 12], output=tmp_path / f"{folder}.tsv")
    assert (tmp_path / "before.tsv").read_bytes() == (tmp_path / "after.tsv").read_bytes()


def test_databases_without_action_units_are_refused(tmp_path: Path) -> None:
    tables = [annotations(tmp_path, "cas_me2", "", "?"), annotations(tmp_path, "mine", "")]
    with pytest.raises(UserError, match="no sample of the databases cas_me2, mine has action"):
        run(annotations=tables, units=[4], output=tmp_path / "units.tsv")
    assert not (tmp_path / "units.tsv").exists()
