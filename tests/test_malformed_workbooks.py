"""Workbooks that are damaged, lie or do harm: a message with their name, or rows accounted for."""

import datetime
import os
import random
from collections.abc import Callable
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
    ROWS,
    bomb,
    book,
    cell,
    changed,
    packed,
    parts,
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
MERGED = "<mergeCells>{}</mergeCells>".format('<mergeCell ref="I1:I1000000"/>' * 3)
#: What is refused as a whole, and what the message says of it.
REFUSED: dict[str, tuple[bytes | Callable[[], bytes], str]] = {
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
    "bomb": (bomb, "unpacked it has 2000"),
    "bomb_of_wide_rows": (
        xlsx(*(f'<row r="{n}">{cell(f"XFD{n}", 1)}</row>' for n in range(1, 130))),
        "more than 2000000 cells",
    ),
    "cells_far_apart": (
        xlsx(*ROWS, f'<row r="1048576">{cell("XFD1048576", 1)}</row>'),
        "cells in rows 1 and 1048576 lie too far apart",
    ),
    "cells_far_apart_by_their_rows": (
        xlsx(
            f'<row r="1">{cell("XFD1", 1)}</row>',
            '<row r="1048576"><c t="n"><v>1</v></c></row>',
        ),
        "lie too far apart",
    ),
    "a_place_with_zeros": (
        xlsx(f'<row r="1">{cell("A1", 1)}{cell("XFD001048576", 1)}</row>'),
        "lie too far apart",
    ),
    "a_place_beyond": (xlsx(f'<row r="1">{cell("A19000000", 1)}</row>'), "a cell at 'A19000000'"),
    "no_place": (xlsx(f'<row r="1">{cell("A-1", 1)}</row>'), "a cell at 'A-1'"),
    "an_unknown_entity": (of_cells("<c><v>&nbsp;</v></c>"), "is damaged: undefined entity"),
    "number_of_5000_digits": (of_cells(f'<c r="A1"><v>{"9" * 5000}</v></c>'), "no sheet"),
    "number_that_is_none": (of_cells('<c r="A1"><v>4x</v></c>'), "found: 4x"),
    "string_that_is_not_there": (of_cells('<c r="B1" t="s"><v>7</v></c>'), "index not found"),
    "xml_cut_off": (book(sheet(*ROWS)[:-40]), "not a readable"),
    "xml_of_no_encoding": (book(sheet(*ROWS).encode() + b"\xff\xfe"), "not a readable"),
    "laughs": (book(LAUGHS), "not a readable|found: nothing"),
    "laughs_in_utf16": (
        book(LAUGHS.replace("UTF-8", "UTF-16").encode("utf-16")),
        "not a readable|found: nothing",
    ),
    "laughs_in_the_strings": (book(**{"xl/sharedStrings.xml": LAUGHS}), "not a readable"),
    "external_entity": (book(EXTERNAL), "not a readable|found: nothing"),
    "no_sheets": (book(**{"xl/workbook.xml": f'<workbook xmlns="{MAIN}"/>'}), "no header row"),
    "without_the_sheet": (without("xl/worksheets/sheet1.xml"), "no header row|not a readable"),
    "without_the_book": (without("xl/workbook.xml"), "no header row|not a readable"),
    "word_document": (
        book(**{"xl/workbook.xml": '<w:document xmlns:w="http://a"/>'}),
        "not a readable",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_workbook_that_is_refused(tmp_path: Path, name: str) -> None:
    content, reason = REFUSED[name]
    (tmp_path / TABLE).write_bytes(content if isinstance(content, bytes) else content())
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
        (lambda data: data.merge_cells("A2:A3"), []),
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
        book(sheet(*ROWS).replace("</worksheet>", f"{MERGED}</worksheet>")),
        xls(),
    ],
    ids=["empty_rows_to_the_end", "only_a_hidden_sheet", "external_link", "merged_column", "xls"],
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
