"""Cells, workbooks and header rows, whatever a spreadsheet program made of them."""

import datetime
import zipfile
from pathlib import Path

import openpyxl
import pytest
import xlwt
from hypothesis import given
from hypothesis import strategies as st

from fleeting.databases import cells, header, workbook
from fleeting.errors import UserError

REQUIRED = {"subject": ("subject",), "clip": ("filename",), "onset": ("onsetframe", "onset")}


def write_xlsx(path: Path, **sheets: list[list[object]]) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


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


@pytest.mark.parametrize("cell", ["", "/", "\\", "//", "0", "0.0", "000", "nan", "NaN"])
def test_signs_for_missing(cell):
    assert cells.is_missing(cell)


@pytest.mark.parametrize("cell", ["46", "10", "o", "4+7", "-1", "/46", "none"])
def test_other_cells_are_not_missing(cell):
    assert not cells.is_missing(cell)


@pytest.mark.parametrize(
    ("cell", "number"),
    [("46", 46), ("046", 46), ("46.0", 46), ("46.", 46), ("46.5", None), ("-3", None)]
    + [("4e3", None), ("٣", None), ("1" * 40, None), ("", None), ("46 47", None)],
)
def test_whole_numbers(cell, number):
    assert cells.integer(cell) == number


@given(st.integers(0, 999_999_999), st.integers(0, 5))
def test_whole_numbers_survive_padding_and_floats(number, zeros):
    assert cells.integer("0" * zeros + str(number)) == number
    assert cells.integer(cells.text(float(number))) == number


@pytest.mark.parametrize(
    ("cell", "number"),
    [("1", 1), ("01", 1), ("sub01", 1), ("Sub_1", 1), ("1.0", 1), ("x1", None), ("1000", None)],
)
def test_subject_numbers(cell, number):
    assert cells.numbered(cell, "sub") == number


def test_rows_keep_the_numbers_that_a_spreadsheet_program_shows(tmp_path):
    rows = [[None], ["a"], [None, " "], [None, "b", None]]
    book = workbook.read(write_xlsx(tmp_path / "t.xlsx", empty=[], data=rows))
    assert [sheet.name for sheet in book.sheets] == ["empty", "data"]
    assert book.sheets[0].rows == ()
    assert book.sheets[1].rows == ((2, ("a",)), (4, ("", "b")))


def test_xls_and_the_wrong_ending(tmp_path):
    book = xlwt.Workbook()
    sheet = book.add_sheet("data")
    sheet.write(1, 0, 46.0)
    sheet.write(1, 1, "x")
    sheet.write(1, 2, True)
    date = xlwt.easyxf(num_format_str="yyyy-mm-dd")
    sheet.write(1, 3, datetime.date(2014, 5, 8), date)
    book.save(str(tmp_path / "really_xls.xlsx"))
    read = workbook.read(tmp_path / "really_xls.xlsx")
    assert read.sheets[0].rows == ((2, ("46", "x", "True", "(a date: 2014-05-08)")),)
    write_xlsx(tmp_path / "t.xlsx", data=[["a"]]).rename(tmp_path / "really_xlsx.xls")
    assert workbook.read(tmp_path / "really_xlsx.xls").sheets[0].rows == ((1, ("a",)),)


def test_a_wrongly_stated_size_does_not_cut_a_sheet(tmp_path):
    path = write_xlsx(tmp_path / "t.xlsx", data=[["a", "b"], ["c", "d"]])
    broken = tmp_path / "broken.xlsx"
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(broken, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if "sheet1.xml" in name:
                assert b'ref="A1:B2"' in content
                content = content.replace(b'ref="A1:B2"', b'ref="A1:A1"')
            target.writestr(name, content)
    assert workbook.read(broken).sheets[0].rows == ((1, ("a", "b")), (2, ("c", "d")))


def test_formulas_are_not_evaluated(tmp_path):
    path = write_xlsx(tmp_path / "t.xlsx", data=[["=1+1", "a"]])
    assert workbook.read(path).sheets[0].rows == ((1, ("", "a")),)


@pytest.mark.parametrize(
    "content", [b"", b"<html><table>", b"PK\x03\x04 cut", b"\xd0\xcf\x11", b"a,\x00\x01\x02,b"]
)
def test_a_file_that_is_no_table_is_named(tmp_path, content):
    path = tmp_path / "table.xlsx"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"table\.xlsx: not a readable table"):
        workbook.read(path)


def test_a_truncated_workbook_is_named(tmp_path):
    path = write_xlsx(tmp_path / "t.xlsx", data=[["a"]])
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(UserError, match="not a readable table"):
        workbook.read(path)


def test_a_missing_workbook_is_named(tmp_path):
    with pytest.raises(UserError, match="none.xlsx: the table is missing"):
        workbook.read(tmp_path / "none.xlsx")
    with pytest.raises(UserError, match="cannot be read"):
        workbook.read(tmp_path)


def test_the_header_is_found_on_any_sheet_in_any_row(tmp_path):
    data = [
        ["Preamble"],
        ["Subject: who is seen"],
        [],
        [None, "extra", " ONSET  frame", "Filename", "Subject"],
        ["x", 1, 46, "EP1", "01"],
        [],
        [None, None, None, "EP2"],
    ]
    book = workbook.read(write_xlsx(tmp_path / "t.xlsx", notes=[["Subject", "x"]], data=data))
    assert header.rows(book, REQUIRED, {"au": ("au",)}) == [
        (5, {"subject": "01", "clip": "EP1", "onset": "46"}),
        (7, {"subject": "", "clip": "EP2", "onset": ""}),
    ]


def test_the_sheet_with_rows_is_taken_and_the_other_is_told(tmp_path, caplog):
    head = ["Subject", "Filename", "Onset"]
    path = write_xlsx(
        tmp_path / "t.xlsx",
        template=[head],
        short=[head, ["02", "EP1", 4]],
        long=[head, ["01", "EP1", 4], ["01", "EP2", 4]],
    )
    found = header.rows(workbook.read(path), REQUIRED, {})
    assert [row["clip"] for _, row in found] == ["EP1", "EP2"]
    assert "took sheet 'long'; sheet 'short' has a header too, and 1 rows" in caplog.text
    assert "template" not in caplog.text


def test_the_preferred_heading_wins(tmp_path):
    data = [["Onset", "Subject", "Filename", "OnsetFrame"], [150.0, 1, "EP1", 46]]
    book = workbook.read(write_xlsx(tmp_path / "t.xlsx", data=data))
    assert header.rows(book, REQUIRED, {})[0][1]["onset"] == "46"


def test_a_missing_column_is_named_with_sheet_and_row(tmp_path):
    book = workbook.read(write_xlsx(tmp_path / "t.xlsx", data=[[], ["Subject", "Filename", "AU"]]))
    with pytest.raises(UserError, match=r"t\.xlsx, sheet 'data', row 2: no column for the onset"):
        header.rows(book, REQUIRED, {})


def test_a_workbook_without_a_header_is_named(tmp_path):
    book = workbook.read(write_xlsx(tmp_path / "t.xlsx", first=[["a"]], second=[]))
    with pytest.raises(UserError, match=r"t\.xlsx: no sheet \('first', 'second'\) has a header"):
        header.rows(book, REQUIRED, {})
