"""Workbooks that are damaged, lie or do harm: a message with their name, or rows accounted for."""

import datetime
import os
import random
from pathlib import Path

import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet

from database_tables import accounted, extracted, write_xlsx
from fleeting.errors import UserError
from malformed.workbooks import (
    EXTERNAL,
    GOOD,
    HEADER,
    LAUGHS,
    MAIN,
    PACKAGE,
    ROWS,
    bomb,
    book,
    cell,
    changed,
    packed,
    parts,
    row,
    sheet,
    with_a_smaller_stated_size,
    with_external_link,
    with_flag_of_a_password,
    xls,
    xlsx,
)

#: A path that a shell or a pattern might trip over.
TABLE = "it's a (table) $(touch pwned).xlsx"


def of_cells(*cells: str) -> bytes:
    return xlsx(f'<row r="1">{"".join(cells)}</row>')


def without(name: str) -> bytes:
    return packed({key: value for key, value in parts().items() if key != name})


WHOLE = book()
#: What is refused as a whole, and what the message says of it.
REFUSED: dict[str, tuple[bytes, str]] = {
    "zero_bytes": (b"", "the file is empty"),
    **{f"xlsx_cut_at_{size}": (WHOLE[:size], "BadZipFile") for size in (4, 500, -20)},
    **{f"xls_cut_at_{size}": (xls()[:size], "not a readable") for size in (20, 512, 2000)},
    "xls_directory_wiped": (xls()[:512] + bytes(len(xls()) - 512), "not a readable"),
    "encrypted_container": (
        bytes.fromhex("d0cf11e0a1b11ae1") + bytes(504) + b"\xff" * 1024,
        "without a password",
    ),
    "password_on_the_parts": (with_flag_of_a_password(), "password"),
    "size_understated": (with_a_smaller_stated_size(), "CRC-32"),
    "bomb": (bomb(), "unpacked it has 2000"),
    "bomb_of_wide_rows": (
        xlsx(*(f'<row r="{n}">{cell(f"XFD{n}", 1)}</row>' for n in range(1, 200))),
        "more than 2000000 cells",
    ),
    "row_of_20000_cells": (of_cells("<c/>" * 20_000), "out of place or too many"),
    "row_of_other_elements": (of_cells("<x/>" * 400_000), "row 1 has more than 327680 elements"),
    "row_beyond_the_last": (xlsx(*ROWS, row(99_999_999_999, GOOD)), "row 99999999999 stands"),
    "rows_out_of_order": (xlsx(ROWS[0], row(3, GOOD), row(2, GOOD)), "row 2 stands below row 3"),
    "row_number_twice": (xlsx(*ROWS, row(2, GOOD)), "row 2 stands below row 2"),
    "row_number_a_fraction": (xlsx('<row r="1.5"/>'), "not a valid row number"),
    "cell_beyond_the_last_column": (of_cells('<c r="ZZZ1"><v>1</v></c>'), "row 1 has cells out"),
    "cells_out_of_order": (of_cells(cell("B1", 1), cell("A1", 2)), "row 1 has cells out of"),
    "cell_twice": (of_cells(cell("A1", 1), cell("A1", 2)), "row 1 has cells out of place"),
    "cell_of_another_row": (of_cells(cell("A7", 1)), "row 1 has cells out of place"),
    "number_of_5000_digits": (
        xlsx(*ROWS, f'<row r="4"><c r="C4"><v>{"9" * 5000}</v></c></row>'),
        "'data', below row 2: Exceeds",
    ),
    "number_that_is_none": (of_cells('<c r="A1"><v>4x</v></c>'), "'data', below row 0"),
    "string_that_is_not_there": (of_cells('<c r="B1" t="s"><v>7</v></c>'), "'data', below row 0"),
    "xml_cut_off": (book(sheet(*ROWS)[:-40]), "not a readable"),
    "xml_of_no_encoding": (book(sheet(*ROWS).encode() + b"\xff\xfe"), "not a readable"),
    "laughs": (book(LAUGHS), "declares a document type"),
    "laughs_in_utf16": (
        book(LAUGHS.replace("UTF-8", "UTF-16").encode("utf-16")),
        "declares a document type",
    ),
    "laughs_in_the_strings": (
        book(**{"xl/sharedStrings.xml": LAUGHS}),
        "declares a document type",
    ),
    "external_entity": (book(EXTERNAL), "declares a document type"),
    "no_sheets": (book(**{"xl/workbook.xml": f'<workbook xmlns="{MAIN}"/>'}), "no header row"),
    "without_the_sheet": (without("xl/worksheets/sheet1.xml"), "no header row|not a readable"),
    "without_the_book": (without("xl/workbook.xml"), "not a readable"),
    "word_document": (
        book(**{"[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types"/>'}),
        "not a readable",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_workbook_that_is_refused(tmp_path: Path, name: str) -> None:
    content, reason = REFUSED[name]
    (tmp_path / TABLE).write_bytes(content)
    with pytest.raises(UserError, match=reason) as error:
        extracted(tmp_path / TABLE)
    assert str(tmp_path / TABLE) in str(error.value)
    assert len(str(error.value)) < 1000


def sparse(path: Path) -> None:
    path.write_bytes(b"PK\x03\x04")
    os.truncate(path, 3_000_000_000)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda path: path.mkdir(), "not a file"),
        (os.mkfifo, "not a file"),
        (lambda path: path.symlink_to("/dev/zero"), "not a file"),
        (lambda path: path.symlink_to("nowhere"), "missing"),
        (lambda path: path.symlink_to(path.name), "cannot be read"),
        (lambda path: None, "missing"),
        (sparse, "more than 32000000 bytes"),
    ],
    ids=["folder", "pipe", "device", "dangling", "loop", "not_there", "three_gigabytes"],
)
def test_a_path_that_is_no_table(tmp_path: Path, make, reason: str) -> None:
    make(tmp_path / TABLE)
    with pytest.raises(UserError, match=reason) as error:
        extracted(tmp_path / TABLE)
    assert str(tmp_path / TABLE) in str(error.value)


def hide(data: Worksheet) -> None:
    data.sheet_state = "hidden"
    data.row_dimensions[3].hidden = True
    data.parent.create_sheet("notes").append(["Subject", "x"])


@pytest.mark.parametrize(
    ("change", "codes"),
    [
        (hide, []),
        (lambda data: data.cell(3, 16_384, "last"), []),
        (lambda data: data.merge_cells("A2:A3"), ["subject_missing"]),
        (lambda data: data.cell(3, 3, datetime.date(2019, 4, 7)), ["onset_not_a_number"]),
        (lambda data: data.cell(3, 3, "=1+1"), ["onset_missing"]),
    ],
    ids=["hidden", "last_column", "merged_subject", "onset_a_date", "onset_a_formula"],
)
def test_what_people_do_to_a_table(tmp_path: Path, change, codes: list[str]) -> None:
    path = write_xlsx(tmp_path / "t.xlsx", data=[HEADER, GOOD, changed()])
    file = openpyxl.load_workbook(path)
    change(file["data"])
    file.save(path)
    result = extracted(path)
    assert [row["code"] for row in result.excluded] == codes
    assert len(result.samples) == 2 - len(codes)


VERY_HIDDEN = str(parts()["xl/workbook.xml"]).replace("sheetId", 'state="veryHidden" sheetId')


@pytest.mark.parametrize(
    "content",
    [
        xlsx(*ROWS, *(f'<row r="{n}"/>' for n in range(76, 1_048_577, 500))),
        book(**{"xl/workbook.xml": VERY_HIDDEN}),
        with_external_link(),
        xls(),
    ],
    ids=["empty_rows_to_the_end", "only_a_hidden_sheet", "external_link", "xls"],
)
def test_a_workbook_that_is_read(tmp_path: Path, content: bytes) -> None:
    (tmp_path / TABLE).write_bytes(content)
    result = extracted(tmp_path / TABLE)
    assert (result.excluded, {sample["onset"] for sample in result.samples}) == ([], {46})


@pytest.mark.parametrize("make", [xls, book])
@pytest.mark.parametrize("seed", range(10))
def test_bytes_that_flipped(tmp_path: Path, make, seed: int) -> None:
    """Some damage makes a workbook unreadable, other only changes a cell."""
    whole = bytearray(make())
    chance = random.Random(seed)
    for _ in range(chance.choice([1, 4, 40])):
        whole[chance.randrange(len(whole))] = chance.randrange(256)
    path = tmp_path / "t.xlsx"
    path.write_bytes(whole)
    message = str(path)
    try:
        accounted(extracted(path), tmp_path)
    except UserError as error:
        message = str(error)
    assert str(path) in message
