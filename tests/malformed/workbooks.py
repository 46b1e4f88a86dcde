"""Workbooks as XML, so that a test can damage one or make one do harm."""

import io
import struct
import zipfile
from collections.abc import Mapping
from xml.sax.saxutils import escape

import xlwt

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>'
FIRST_SHEET = "xl/worksheets/sheet1.xml"

HEADER = ["Subject", "Filename", "OnsetFrame", "ApexFrame", "OffsetFrame", "AU", "Emotion"]
GOOD: list[object] = ["01", "EP1", 46, 59, 86, "4", "happiness"]


def changed(**cells: object) -> list[object]:
    """The good row with other cells, by the headings in lower case; its clip is another one."""
    values = dict(zip(map(str.lower, HEADER), GOOD, strict=True))
    return list({**values, "filename": "EP2", **cells}.values())


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


def sheet(*rows: str, before: str = "") -> str:
    data = f"<sheetData>{''.join(rows)}</sheetData>"
    return f'{DECLARATION}{before}<worksheet xmlns="{MAIN}">{data}</worksheet>'


#: A header and a row that is whole.
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


def book(first: str | bytes = "", **more: str | bytes) -> bytes:
    """A workbook of these parts, by default with the good rows (see `parts`)."""
    return packed(parts(first, **more))


def xlsx(*rows: str) -> bytes:
    """A workbook of one sheet with these rows."""
    return book(sheet(*rows))


def xls() -> bytes:
    file = xlwt.Workbook()
    data = file.add_sheet("data")
    for number, values in enumerate([HEADER, GOOD]):
        for column, value in enumerate(values):
            data.write(number, column, value)
    memory = io.BytesIO()
    file.save(memory)
    return memory.getvalue()


def with_external_link() -> bytes:
    """A formula with a stored value that reads another file, which must not be opened."""
    references = '<externalReferences><externalReference r:id="r2"/></externalReferences>'
    workbook = str(parts()["xl/workbook.xml"]).replace("</sheets>", f"</sheets>{references}")
    relations = str(parts()["xl/_rels/workbook.xml.rels"]).replace(
        "</Relationships>",
        f'<Relationship Id="r2" Type="{OFFICE}/externalLink" '
        'Target="externalLinks/externalLink1.xml"/></Relationships>',
    )
    formula = "<f>[1]Sheet1!A1+WEBSERVICE(&quot;http://127.0.0.1:9&quot;)</f><v>46</v>"
    second = row(3, changed()).replace("<v>46</v>", formula)
    more = {
        "xl/workbook.xml": workbook,
        "xl/_rels/workbook.xml.rels": relations,
        "xl/externalLinks/externalLink1.xml": f'<externalLink xmlns="{MAIN}"><broken',
    }
    return book(sheet(*ROWS, second), **more)


def with_flag_of_a_password() -> bytes:
    """The bit that says that a part is encrypted, set in every entry of both directories."""
    content = bytearray(book())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        position = content.find(signature)
        while position >= 0:
            content[position + offset] |= 1
            position = content.find(signature, position + 1)
    return bytes(content)


def with_a_smaller_stated_size() -> bytes:
    """The directory states that the first sheet has ten bytes."""
    content = bytearray(book())
    start = content.rindex(FIRST_SHEET.encode()) - 46
    struct.pack_into("<I", content, start + 24, 10)
    return bytes(content)


def bomb() -> bytes:
    """Little packed, 200 million bytes unpacked."""
    memory = io.BytesIO(book())
    with (
        zipfile.ZipFile(memory, "a", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("xl/worksheets/sheet2.xml", "w") as part,
    ):
        for _ in range(200):
            part.write(bytes(1_000_000))
    return memory.getvalue()


ENTITIES = "".join(f'<!ENTITY l{level} "{f"&l{level - 1};" * 10}">' for level in range(1, 10))
#: Sheets with a cell that holds an entity: a long text (a billion laughs), and a file.
LAUGHS = sheet(row(1, ["X"]), before=f'<!DOCTYPE w [<!ENTITY l0 "lol">{ENTITIES}]>')
LAUGHS = LAUGHS.replace("<t>X<", "<t>&l9;<")
EXTERNAL = sheet(row(1, ["X"]), before='<!DOCTYPE w [<!ENTITY x SYSTEM "file:///etc/passwd">]>')
EXTERNAL = EXTERNAL.replace("<t>X<", "<t>&x;<")
