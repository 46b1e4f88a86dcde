"""Workbooks that are damaged, lie, or were made to do harm, each by a name."""

import io
import os
import struct
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from xml.sax.saxutils import escape

import xlwt

Maker = Callable[[Path], object]

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>'
FIRST_SHEET = "xl/worksheets/sheet1.xml"

HEADER = ["Subject", "Filename", "OnsetFrame", "ApexFrame", "OffsetFrame", "AU", "Emotion"]
GOOD: list[object] = ["01", "EP1", 46, 59, 86, "4", "happiness"]


def cell(place: str, value: object) -> str:
    if isinstance(value, str):
        return f'<c r="{place}" t="inlineStr"><is><t>{escape(value)}</t></is></c>'
    return f'<c r="{place}"><v>{value}</v></c>'


def row(number: int, values: list[object]) -> str:
    cells = "".join(
        cell(f"{chr(65 + index)}{number}", value)
        for index, value in enumerate(values)
        if value is not None
    )
    return f'<row r="{number}">{cells}</row>'


def sheet(*rows: str, before: str = "", after: str = "") -> str:
    data = f"<sheetData>{''.join(rows)}</sheetData>{after}"
    return f'{DECLARATION}{before}<worksheet xmlns="{MAIN}">{data}</worksheet>'


#: A sheet with a header and one row that is whole, as its XML.
ROWS = (row(1, [*HEADER]), row(2, GOOD))


def parts(first: str | bytes = "", **more: str | bytes) -> dict[str, str | bytes]:
    """The parts of the smallest workbook that holds one sheet; `more` adds or replaces some."""
    kinds = f"{PACKAGE}/content-types"
    book = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
    whole: dict[str, str | bytes] = {
        "[Content_Types].xml": (
            f'{DECLARATION}<Types xmlns="{kinds}"><Default Extension="xml" '
            f'ContentType="application/xml"/><Override PartName="/xl/workbook.xml" '
            f'ContentType="{book}"/></Types>'
        ),
        "_rels/.rels": (
            f'{DECLARATION}<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="r1" '
            f'Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
        ),
        "xl/workbook.xml": (
            f'{DECLARATION}<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets>'
            '<sheet name="data" sheetId="1" r:id="r1"/></sheets></workbook>'
        ),
        "xl/_rels/workbook.xml.rels": (
            f'{DECLARATION}<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="r1" '
            f'Type="{OFFICE}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>'
        ),
        FIRST_SHEET: first or sheet(*ROWS),
    }
    return {**whole, **more}


def packed(contents: Mapping[str, str | bytes]) -> bytes:
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return memory.getvalue()


def of_sheet(xml: str | bytes) -> Maker:
    return lambda path: path.write_bytes(packed(parts(xml)))


def of_rows(*rows: str) -> Maker:
    return of_sheet(sheet(*rows))


def of_bytes(content: bytes) -> Maker:
    return lambda path: path.write_bytes(content)


def without(name: str) -> Maker:
    kept = {key: value for key, value in parts().items() if key != name}
    return of_bytes(packed(kept))


def xls() -> bytes:
    book = xlwt.Workbook()
    data = book.add_sheet("data")
    for number, values in enumerate([HEADER, GOOD]):
        for column, value in enumerate(values):
            data.write(number, column, value)
    memory = io.BytesIO()
    book.save(memory)
    return memory.getvalue()


def with_flag_of_a_password(content: bytes) -> bytes:
    """The bit that says that a part is encrypted, set in every entry of both directories."""
    changed = bytearray(content)
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        position = changed.find(signature)
        while position >= 0:
            changed[position + offset] |= 1
            position = changed.find(signature, position + 1)
    return bytes(changed)


def with_a_smaller_stated_size(content: bytes) -> bytes:
    """The directory states that the first sheet has ten bytes."""
    changed = bytearray(content)
    start = changed.rindex(FIRST_SHEET.encode()) - 46
    struct.pack_into("<I", changed, start + 24, 10)
    return bytes(changed)


def sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.write(b"PK\x03\x04")
        file.truncate(3_000_000_000)


def bomb(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in parts().items():
            archive.writestr(name, content)
        with archive.open("xl/worksheets/sheet2.xml", "w") as part:
            for _ in range(200):
                part.write(bytes(1_000_000))


def wide_rows(path: Path) -> None:
    cells = (f'<c r="XFD{n}" t="inlineStr"><is><t>x</t></is></c>' for n in range(1, 200))
    rows = (f'<row r="{n}">{last}</row>' for n, last in enumerate(cells, start=1))
    path.write_bytes(packed(parts(sheet(*rows))))


NO_TYPES = f'<Types xmlns="{PACKAGE}/content-types"/>'
LAUGHS = "".join(f'<!ENTITY l{level} "{f"&l{level - 1};" * 10}">' for level in range(1, 10))
BILLION_LAUGHS = f'<!DOCTYPE w [<!ENTITY l0 "lol">{LAUGHS}]>'
EXTERNAL = '<!DOCTYPE w [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
ENTITY_ROW = '<row r="2"><c r="A2" t="inlineStr"><is><t>&{};</t></is></c></row>'
STRINGS = f'{DECLARATION}{BILLION_LAUGHS}<sst xmlns="{MAIN}"><si><t>&l9;</t></si></sst>'

#: What is refused as a whole: what makes it, and what the message says of it.
REFUSED: dict[str, tuple[Maker, str]] = {
    "zero_bytes": (of_bytes(b""), "the file is empty"),
    "text": (of_bytes(b"Subject Filename"), "no header row .* found: Subject Filename;"),
    "csv_utf8": (of_bytes("Subject,Filename\n01,Ä\n".encode()), "no column for the onset"),
    "csv_utf16": (of_bytes("Subject,Filename\n01,Ä\n".encode("utf-16")), "found: Subject, Filen"),
    "csv_latin1": (of_bytes("Subject;Filename\n01;Ä\n".encode("latin-1")), "no column for the ons"),
    "csv_of_other_columns": (of_bytes(b"a,b\n1,2\n"), "no header row .* found: a, b; give the"),
    "csv_without_clips": (of_bytes(b"Subject,b\n1,2\n"), "no header row .* found: Subject, b;"),
    "csv_header_alone": (of_bytes(",".join(HEADER).encode()), "no row of casme2 is usable"),
    "csv_with_a_nul": (of_bytes(b"Subject,Filename\n01,\0\n" * 3), "not a readable"),
    "utf16_cut_off": (of_bytes("Subject,Filename".encode("utf-16")[:-1]), "truncated data"),
    "html_called_xls": (of_bytes(b"<html><table><tr><td>Subject"), "a web page or XML"),
    "json": (of_bytes(b'{"Subject": 1}'), "no header row"),
    "picture": (of_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"), "not a readable"),
    "pk_and_no_more": (of_bytes(b"PK"), "no header row"),
    **{
        f"xlsx_cut_at_{share}_percent": (
            of_bytes(packed(parts())[: len(packed(parts())) * share // 100]),
            "BadZipFile",
        )
        for share in (10, 50, 90, 99)
    },
    **{
        f"xls_cut_at_{share}_percent": (of_bytes(xls()[: len(xls()) * share // 100]), "xls")
        for share in (1, 10, 40, 70)
    },
    "xls_header_only": (of_bytes(xls()[:512]), "not a readable"),
    "xls_directory_wiped": (of_bytes(xls()[:512] + bytes(len(xls()) - 512)), "not a readable"),
    "encrypted_container": (
        of_bytes(bytes.fromhex("d0cf11e0a1b11ae1") + bytes(504) + b"\xff" * 1024),
        "without a password",
    ),
    "password_on_the_parts": (of_bytes(with_flag_of_a_password(packed(parts()))), "password"),
    "size_understated": (of_bytes(with_a_smaller_stated_size(packed(parts()))), "CRC-32"),
    "bomb": (bomb, "unpacked it has 2000"),
    "bomb_of_wide_rows": (wide_rows, "more than 2000000 cells"),
    "row_of_20000_cells": (of_rows(f'<row r="1">{"<c/>" * 20_000}</row>'), "20000 cells"),
    "row_beyond_the_last": (of_rows(*ROWS, row(99_999_999_999, GOOD)), "out of place"),
    "cell_beyond_the_last_column": (of_rows('<row r="1"><c r="ZZZ1"><v>1</v></c></row>'), "row 1"),
    "rows_out_of_order": (of_rows(ROWS[0], row(3, GOOD), row(2, GOOD)), "row 2 stands below row 3"),
    "row_number_twice": (of_rows(*ROWS, row(2, GOOD)), "row 2 stands below row 2"),
    "cell_twice": (of_rows(f'<row r="1">{cell("A1", 1)}{cell("A1", 2)}</row>'), "row 1 has cells"),
    "cell_of_another_row": (of_rows(f'<row r="1">{cell("A7", 1)}</row>'), "row 1 has cells"),
    "cell_without_a_column": (of_rows('<row r="1"><c r="7"><v>1</v></c></row>'), "cell 7"),
    "row_number_a_fraction": (of_rows('<row r="1.5"/>'), "not a valid row number"),
    "number_of_5000_digits": (
        of_rows(*ROWS, f'<row r="3"><c r="C3"><v>{"9" * 5000}</v></c></row>'),
        "cell C3",
    ),
    "number_that_is_none": (of_rows('<row r="1"><c r="A1"><v>4x</v></c></row>'), "cell A1"),
    "string_that_is_not_there": (
        of_rows('<row r="1"><c r="B1" t="s"><v>7</v></c></row>'),
        "cell B1",
    ),
    "date_that_is_none": (of_rows('<row r="1"><c r="A1" t="d"><v>x</v></c></row>'), "cell A1"),
    "xml_cut_off": (of_sheet(sheet(*ROWS)[:-40]), "not a readable"),
    "xml_of_no_encoding": (of_sheet(sheet(*ROWS).encode() + b"\xff\xfe"), "not a readable"),
    "billion_laughs": (
        of_sheet(sheet(ENTITY_ROW.format("l9"), before=BILLION_LAUGHS)),
        "declares a document type",
    ),
    "external_entity": (
        of_sheet(sheet(ENTITY_ROW.format("x"), before=EXTERNAL)),
        "declares a document type",
    ),
    "laughs_in_utf16": (
        of_sheet(
            sheet(ENTITY_ROW.format("l9"), before=BILLION_LAUGHS)
            .replace("UTF-8", "UTF-16")
            .encode("utf-16")
        ),
        "declares a document type",
    ),
    "laughs_in_the_strings": (
        of_bytes(packed({**parts(), "xl/sharedStrings.xml": STRINGS})),
        "declares a document type",
    ),
    "no_sheets": (
        of_bytes(packed(parts(**{"xl/workbook.xml": f'<workbook xmlns="{MAIN}"/>'}))),
        "no sheet",
    ),
    **{
        f"without_{name.rpartition('/')[2]}": (without(name), "not a readable|no sheet")
        for name in parts()
        if name != "_rels/.rels"
    },
    "open_document": (
        of_bytes(packed({"mimetype": "application/vnd.oasis.opendocument.spreadsheet"})),
        "not a readable",
    ),
    "word_document": (
        of_bytes(packed({**parts(), "[Content_Types].xml": NO_TYPES})),
        "not a readable",
    ),
    "no_header": (of_rows(row(1, GOOD)), "no sheet .* has a header row"),
    "empty_sheet": (of_rows(), "no sheet .* has a header row"),
    "header_alone": (of_rows(ROWS[0]), "no row of casme2 is usable"),
    **{
        f"without_the_column_{name.lower()}": (
            of_rows(row(1, [h for h in HEADER if h != name]), ROWS[1]),
            "no column for|no sheet .* has a header row",
        )
        for name in HEADER
        if name != "AU"
    },
    **{
        f"column_{name.lower()}_twice": (
            of_rows(row(1, [*HEADER, name]), row(2, [*GOOD, "x"])),
            f"more than one column is headed '{name}'",
        )
        for name in HEADER
    },
    "column_renamed": (
        of_rows(row(1, [h.replace("OnsetFrame", "Beginn") for h in HEADER]), ROWS[1]),
        "no column for the onset",
    ),
    "folder": (lambda path: path.mkdir(), "not a file"),
    "pipe": (lambda path: os.mkfifo(path), "not a file"),
    "device": (lambda path: path.symlink_to("/dev/zero"), "not a file"),
    "dangling_link": (lambda path: path.symlink_to("nowhere"), "missing"),
    "link_to_itself": (lambda path: path.symlink_to(path.name), "cannot be read"),
    "three_gigabytes": (sparse, "more than 32000000 bytes"),
    "not_there": (lambda path: None, "missing"),
}
