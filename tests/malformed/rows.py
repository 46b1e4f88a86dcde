"""Tables of CASME II that can be read, with rows that cannot be used, each by a name."""

import datetime
from pathlib import Path

import openpyxl

from malformed.workbooks import (
    DECLARATION,
    FIRST_SHEET,
    GOOD,
    HEADER,
    MAIN,
    OFFICE,
    ROWS,
    Maker,
    cell,
    packed,
    parts,
    row,
    sheet,
)

COLUMNS = {name.lower(): index for index, name in enumerate(HEADER)}


def changed(**cells: object) -> list[object]:
    """The good row with other cells; its clip is another one."""
    values = [*GOOD]
    for name, value in {"filename": "EP2", **cells}.items():
        values[COLUMNS[name]] = value
    return values


def below(*rows: str) -> Maker:
    """A whole table with further rows below."""
    return lambda path: path.write_bytes(packed(parts(sheet(*ROWS, *rows))))


def with_cells(**cells: object) -> Maker:
    """A whole table and a further row that differs from the good one by these cells."""
    return below(row(3, changed(**cells)))


def of_text(*lines: str, encoding: str = "utf-8") -> Maker:
    """A text table of the header, the good row and further lines."""
    good = ",".join(map(str, GOOD))
    return lambda path: path.write_bytes(
        "\n".join([",".join(HEADER), good, *lines]).encode(encoding)
    )


def formula(stored: str) -> str:
    """A row whose onset is a formula that reads another file, with the value stored for it."""
    cells = "".join(
        cell(f"{chr(65 + index)}3", value)
        for index, value in enumerate(changed())
        if index != COLUMNS["onsetframe"]
    )
    onset = f'<c r="C3"><f>[1]Sheet1!A1+WEBSERVICE(&quot;http://127.0.0.1:9&quot;)</f>{stored}</c>'
    return f'<row r="3">{cells}{onset}</row>'


def external_link(path: Path) -> None:
    """A workbook that links to another file, which must not be opened, and to a picture of it."""
    link = f'{DECLARATION}<externalLink xmlns="{MAIN}"><broken'
    references = '<externalReferences><externalReference r:id="r2"/></externalReferences>'
    book = str(parts()["xl/workbook.xml"]).replace("</sheets>", f"</sheets>{references}")
    relations = str(parts()["xl/_rels/workbook.xml.rels"]).replace(
        "</Relationships>",
        f'<Relationship Id="r2" Type="{OFFICE}/externalLink" '
        'Target="externalLinks/externalLink1.xml"/></Relationships>',
    )
    more = {
        "xl/workbook.xml": book,
        "xl/_rels/workbook.xml.rels": relations,
        "xl/externalLinks/externalLink1.xml": link,
        FIRST_SHEET: sheet(*ROWS, formula("<v>46</v>")),
    }
    path.write_bytes(packed(parts(**more)))


def spreadsheet(path: Path, change: str) -> None:
    """A workbook of openpyxl's with something that spreadsheet programs put into one."""
    book = openpyxl.Workbook()
    data = book.active
    for values in (HEADER, GOOD, changed()):
        data.append(values)
    if change == "hidden_sheet":
        data.sheet_state = "hidden"
        book.create_sheet("notes")
    elif change == "hidden_row":
        data.row_dimensions[3].hidden = True
    elif change == "merged":
        data.merge_cells("A2:A3")
    elif change == "hyperlink":
        data["B3"].hyperlink = "file:///etc/passwd"
    elif change == "other_sheet":
        book.create_sheet("Subject").append(["Subject", "x"])
    elif change == "onset_a_date":
        data["C3"] = datetime.date(2019, 4, 7)
    elif change == "clip_a_date":
        data["B3"] = datetime.date(2019, 4, 7)
    elif change == "wide":
        data.cell(1, 16_384, "last")
        data.cell(3, 16_384, "last")
    book.save(path)


def of_spreadsheet(change: str) -> Maker:
    return lambda path: spreadsheet(path, change)


def empty_rows_to_the_end(path: Path) -> None:
    """A sheet that says it is one cell large and has empty rows to the last one of all."""
    xml = sheet(*ROWS, *(f'<row r="{number}"/>' for number in range(3, 1_048_577, 5)))
    path.write_bytes(packed(parts(xml.replace("<sheetData>", '<dimension ref="A1"/><sheetData>'))))


def hidden(path: Path) -> None:
    """A workbook whose only sheet is one that no menu shows."""
    book = str(parts()["xl/workbook.xml"]).replace("sheetId", 'state="veryHidden" sheetId')
    rows = sheet(*ROWS, row(3, changed()))
    path.write_bytes(packed(parts(rows, **{"xl/workbook.xml": book})))


SAMPLE: tuple[str, ...] = ()
LONG = "EP" + "1" * 998
#: What makes a table with one good row and another: the reasons for which rows and images of the
#: other are left out; none where it is a sample as well.
READ: dict[str, tuple[Maker, tuple[str, ...]]] = {
    **{
        f"onset_{name}": (with_cells(onsetframe=value), ("onset_not_a_number",))
        for name, value in {
            "error": "#REF!",
            "infinite": "inf",
            "exponent": "1e2",
            "negative": -5,
            "fraction": 46.5,
            "huge": 10**12,
            "full_width_digits": "\uff14\uff16",
            "other_digits": "\u0664\u0666",
            "decimal_comma": "46,5",
            "space_inside": "4 6",
            "word": "forty-six",
            "32767_signs": "4" * 32_767,
            "formula_as_text": "=1+1",
            "percent": "46%",
        }.items()
    },
    **{
        f"onset_{name}": (with_cells(onsetframe=value), ("onset_missing",))
        for name, value in {
            "nan": "NaN",
            "zero": 0,
            "slash": "/",
            "empty": None,
            "space": " ",
        }.items()
    },
    "onset_a_formula_without_a_value": (below(formula("")), ("onset_missing",)),
    "onset_a_formula_with_a_value": (below(formula("<v>46</v>")), SAMPLE),
    "onset_as_text_with_spaces": (with_cells(onsetframe=" 46\u00a0"), SAMPLE),
    "onset_with_zeros": (with_cells(onsetframe="00046.00"), SAMPLE),
    "onset_after_offset": (with_cells(onsetframe=90, apexframe=95), ("offset_before_onset",)),
    "apex_before_onset": (with_cells(apexframe=45), ("apex_out_of_order",)),
    "apex_after_offset": (with_cells(apexframe=87), ("apex_out_of_order",)),
    "apex_an_error": (with_cells(apexframe="#DIV/0!"), ("apex_not_a_number",)),
    "apex_and_offset_wrong": (
        with_cells(apexframe="x", offsetframe="y"),
        ("offset_not_a_number", "apex_not_a_number"),
    ),
    "emotion_an_error": (with_cells(emotion="#N/A"), SAMPLE),
    "emotion_missing": (with_cells(emotion=None), ("emotion_missing",)),
    "emotion_32767_signs": (with_cells(emotion="x" * 32_767), SAMPLE),
    "emotion_markup": (with_cells(emotion="<script>alert(1)</script>"), SAMPLE),
    **{
        f"clip_{name}": (with_cells(filename=value), ("unsafe_name",))
        for name, value in {
            "dots": "..",
            "dot": ".",
            "up": "../x",
            "absolute": "/etc",
            "two_levels": "a/b",
            "backslash": "a\\b",
            "option": "-rf",
            "home": "~",
            "other_home": "~root",
            "wildcard": "{subject}",
            "stars": "*",
            "markup": "<b>",
            "double_quotes": 'a"b',
            "drive": "C:x",
            "pipe": "a|b",
            "1000_signs": LONG,
            "32767_signs": "a" * 32_767,
        }.items()
    },
    **{
        f"clip_{name}": (with_cells(filename=value), SAMPLE)
        for name, value in {
            "reserved_on_windows": "CON",
            "line_break": "EP\n2",
            "quote": "it's",
            "command": "$(touch pwned)",
            "backtick": "`touch pwned`",
            "semicolon": "a; touch pwned &",
            "percent_and_hash": "100% #1",
            "right_to_left": "EP\u202e2",
            "zero_width": "EP\u200b2",
            "combining": "e\u0301",
            "emoji": "\U0001f600",
        }.items()
    },
    "clip_missing": (with_cells(filename="/"), ("clip_name_missing",)),
    **{
        f"subject_{name}": (with_cells(subject=value), ("subject_unknown",))
        for name, value in {
            "up": "../1",
            "word": "one",
            "command": "$(touch pwned)",
            "negative": -1,
            "5000_digits": "1" * 5000,
            "too_large": 1000,
            "fraction": 1.5,
        }.items()
    },
    "subject_missing": (with_cells(subject=None), ("subject_missing",)),
    "row_twice": (below(row(3, GOOD)), ("duplicated_key",)),
    "row_twice_in_other_case": (below(row(3, changed(filename="ep1"))), ("duplicated_key",)),
    "header_twice": (below(row(3, [*HEADER])), ("subject_unknown",)),
    "row_of_one_cell": (
        below(row(3, [None, None, None, None, None, None, "fear"])),
        ("subject_missing",),
    ),
    "empty_rows_to_the_end": (empty_rows_to_the_end, SAMPLE),
    "external_link": (external_link, SAMPLE),
    "only_a_hidden_sheet": (hidden, SAMPLE),
    "onset_a_date": (of_spreadsheet("onset_a_date"), ("onset_not_a_number",)),
    "clip_a_date": (of_spreadsheet("clip_a_date"), ("unsafe_name",)),
    **{
        name: (of_spreadsheet(name), SAMPLE)
        for name in ("hidden_sheet", "hidden_row", "hyperlink", "wide")
    },
    "other_sheet": (of_spreadsheet("other_sheet"), SAMPLE),
    "merged": (of_spreadsheet("merged"), ("subject_missing",)),
    **{
        f"text_{name}": (of_text(line), reasons)
        for name, (line, reasons) in {
            "cut_off": ("01,EP2,46", ("emotion_missing",)),
            "more_cells": ("01,EP2,46,59,86,4,happiness,x,y,z", SAMPLE),
            "one_cell": ("total", ("subject_unknown",)),
            "quote_not_closed": ('01,"EP2,46,59,86,4,happiness', ("unsafe_name",)),
            "quotes": ('"01","EP2",46,59,86,"4,7","happiness"', SAMPLE),
            "formula": ("01,EP2,=1+1,59,86,4,happiness", ("onset_not_a_number",)),
            "32767_characters": (f"01,EP2,{'4' * 32_767},59,86,4,fear", ("onset_not_a_number",)),
        }.items()
    },
    "text_utf16": (of_text("01,EP2,46,59,86,4,x", encoding="utf-16"), SAMPLE),
    "text_dos_end": (of_text("01,EP2,46,59,86,4,x", "\x1a"), SAMPLE),
}
