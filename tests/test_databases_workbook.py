"""Cells, workbooks and header rows, whatever a spreadsheet program made of them."""

import datetime
import zipfile
from pathlib import Path

import pytest
import xlwt
from hypothesis import given
from hypothesis import strategies as st

from database_tables import write_xlsx
from fleeting.databases import cells, header, sheets, workbook
from fleeting.databases.sheets import Workbook
from fleeting.errors import UserError
from malformed.workbooks import ROWS, book, sheet


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (46.0, "46"),
        (46.5, "46.5"),
        (46, "46"),
        (float("nan"), ""),
        ("  EP02_01f \n", "EP02_01f"),
        ("a\tb\u00a0c\x00d\ud800e\ufeff", "a b c d e"),
        (True, "True"),
        (datetime.datetime(2019, 4, 7), "(a date: 2019-04-07)"),
    ],
)
def test_a_cell_is_text_on_one_line(value, text):
    assert cells.text(value) == text


def test_signs_for_missing():
    assert all(map(cells.is_missing, ["", "/", "\\", "//", "0", "0.0", "000", "nan", "NaN"]))
    assert not any(map(cells.is_missing, ["46", "10", "o", "4+7", "-1", "/46", "none"]))


@pytest.mark.parametrize(
    ("cell", "number"),
    [("46", 46), ("046", 46), ("46.0", 46), ("46.", 46), ("46.5", None), ("-3", None)]
    + [("4e3", None), ("٣", None), ("１", None), ("1" * 40, None), ("", None), ("46 47", None)],
)
def test_whole_numbers(cell, number):
    assert cells.integer(cell) == number


@pytest.mark.parametrize(
    ("cell", "number"),
    [("1", 1), ("01", 1), ("sub01", 1), ("Sub_1", 1), ("1.0", 1), ("x1", None), ("1000", None)],
)
def test_subject_numbers(cell, number):
    assert cells.subject_number(cell) == number


@given(st.text() | st.floats() | st.integers() | st.none() | st.booleans() | st.dates())
def test_any_cell_is_text_that_a_table_keeps(value):
    text = cells.text(value)
    assert text.isprintable()
    assert text == " ".join(text.split())
    assert (cells.integer(text) or 0) >= 0
    assert cells.subject_number(text) in (None, *range(1, 1000))


def test_rows_keep_the_numbers_that_a_spreadsheet_program_shows(tmp_path):
    rows = [[None], ["a"], [None, " "], [None, "b", None]]
    book = workbook.read(write_xlsx(tmp_path / "t.xlsx", empty=[], data=rows))
    assert [(sheet.name, sheet.rows) for sheet in book.sheets] == [
        ("empty", ()),
        ("data", ((2, ("a",)), (4, ("", "b")))),
    ]


def test_the_kind_of_workbook_is_known_by_its_content(tmp_path):
    book = xlwt.Workbook()
    data = book.add_sheet("data")
    for column, value in enumerate([46.0, "x", True]):
        data.write(1, column, value)
    date = xlwt.easyxf(num_format_str="yyyy-mm-dd")
    data.write(1, 3, datetime.date(2014, 5, 8), date)
    book.save(str(tmp_path / "really_xls.xlsx"))
    read = workbook.read(tmp_path / "really_xls.xlsx")
    assert read.sheets[0].rows == ((2, ("46", "x", "True", "(a date: 2014-05-08)")),)
    write_xlsx(tmp_path / "t.xlsx", data=[["a"]]).rename(tmp_path / "really_xlsx.xls")
    assert workbook.read(tmp_path / "really_xlsx.xls").sheets[0].rows == ((1, ("a",)),)


def test_a_size_that_is_stated_too_small_does_not_cut_a_sheet(tmp_path):
    xml = sheet(*ROWS).replace("<sheetData>", '<dimension ref="A1"/><sheetData>')
    (tmp_path / "t.xlsx").write_bytes(book(xml))
    (found,) = workbook.read(tmp_path / "t.xlsx").sheets
    assert [len(row) for _, row in found.rows] == [7, 7]


REQUIRED = {"subject": ("subject",), "clip": ("filename",), "onset": ("onsetframe", "onset")}
HEAD = ["Subject", "Filename", "Onset"]


def rows(**tables: list[list[object]]) -> list[tuple[int, dict[str, str]]]:
    """The rows below the header of a workbook with these sheets."""
    found = tuple(sheets.make_sheet(name, lines) for name, lines in tables.items())
    return header.rows(Workbook(Path("t.xlsx"), found), REQUIRED, {"au": ("au",)})


def test_the_header_is_found_on_any_sheet_in_any_row():
    data = [
        ["Preamble"],
        ["Subject: who is seen"],
        [],
        [None, "extra", " ONSET  frame", "Filename", "Subject"],
        ["x", 1, 46, "EP1", "01"],
        [],
        [None, None, None, "EP2"],
    ]
    assert rows(notes=[["Subject", "x"]], data=data) == [
        (5, {"subject": "01", "clip": "EP1", "onset": "46"}),
        (7, {"subject": "", "clip": "EP2", "onset": ""}),
    ]


def test_the_sheet_with_most_rows_is_taken_and_the_other_is_named(caplog):
    good = ["01", "EP1", 4]
    found = rows(template=[HEAD], short=[HEAD, good], long=[HEAD, good, good])
    assert len(found) == 2
    assert "took sheet 'long'; sheet 'short' has a header too, and 1 rows" in caplog.text
    assert "template" not in caplog.text


def test_the_preferred_heading_wins():
    assert rows(data=[[*HEAD, "OnsetFrame"], [1, "EP1", 150.0, 46]])[0][1]["onset"] == "46"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ([[], ["Subject", "Filename", "AU"]], "sheet 'data', row 2: no column for the onset"),
        ([["a"]], "no sheet \\('data'\\) has a header row .*; found: a;"),
        ([], "no sheet \\('data'\\) has a header row .*; found: nothing;"),
        ([[*HEAD, "filename"]], "more than one column is headed 'Filename'"),
        ([[*HEAD, "AU", "au"]], "more than one column is headed 'AU'"),
    ],
)
def test_a_table_without_the_columns_is_named(data, reason):
    with pytest.raises(UserError, match=rf"t\.xlsx.*{reason}"):
        rows(data=data)


HEADINGS = st.sampled_from([*HEAD, "subject ", "FILE NAME", "OnsetFrame", "\x00", ""])


@given(st.lists(st.lists(HEADINGS | st.text(max_size=5), max_size=9), max_size=6))
def test_any_sheet_has_a_header_or_is_named(lines):
    below, message = [], "t.xlsx"
    try:
        below = rows(data=lines)
    except UserError as error:
        message = str(error)
    assert "t.xlsx" in message
    numbers = [number for number, _ in sheets.make_sheet("data", lines).rows]
    assert [number for number, _ in below] == numbers[len(numbers) - len(below) :]
    assert all(set(REQUIRED) <= set(fields) for _, fields in below)


def test_an_error_value_is_text(tmp_path):
    """As in `.xls`: an empty cell would mean that nothing was annotated."""
    path = write_xlsx(tmp_path / "t.xlsx", data=[["a", "#REF!"], ["#N/A"]])
    assert b't="e"' in zipfile.ZipFile(path).read("xl/worksheets/sheet1.xml")
    assert workbook.read(path).sheets[0].rows == ((1, ("a", "#REF!")), (2, ("#N/A",)))
