"""Text tables: delimiters, encodings, quotes, whatever exported them."""

import contextlib
import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from database_tables import codes, extracted, write_text
from fleeting.databases import delimited, workbook
from fleeting.errors import UserError
from malformed.workbooks import GOOD, HEADER

ROWS = [
    ["01", "EP1", "46", "59", "86", "4,7", "happiness"],
    ["01", "EP2", "46", "59", "86", "4;7", "disgust"],
    ["02", "EP1", "46", "", "86", "L4|R7", "others"],
]


def text(delimiter: str, rows: list[list[str]]) -> str:
    memory = io.StringIO()
    csv.writer(memory, delimiter=delimiter).writerows([HEADER, *rows])
    return memory.getvalue()


def read(content: bytes | str) -> list[list[str]]:
    return delimited.read("t.csv", content.encode() if isinstance(content, str) else content)


@pytest.mark.parametrize("delimiter", delimited.DELIMITERS)
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_delimiters_and_line_endings(delimiter, ending):
    assert read(text(delimiter, ROWS).replace("\r\n", ending)) == [HEADER, *ROWS]


def test_decimal_commas_are_no_delimiters():
    rows = [["01", "EP1", "1,5", "2,5", "3,5", "4", "fear"]] * 3
    assert read(text(";", rows).replace('"', "")) == [HEADER, *rows]


def test_a_preamble_does_not_hide_the_delimiter():
    preamble = "Micro-expressions, coded by two persons; see the manual, page 3\n\n"
    assert read(preamble + text("\t", ROWS))[-4:] == [HEADER, *ROWS]


WESTERN = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "latin-1"]
CHINESE = ["utf-8", "utf-8-sig", "utf-16", "gbk", "gb18030", "gb2312"]


@pytest.mark.parametrize(
    ("name", "encoding"),
    [
        *((name, code) for name in ("Größe", "dégoût", "niño", "Müller é") for code in WESTERN),
        *((name, code) for name in ("厌恶", "受试者一", "情绪（估计）") for code in CHINESE),
    ],
)
def test_encodings(name, encoding):
    rows = [*ROWS, ["03", name, "1", "2", "3", "4", "fear"]]
    assert read(text("\t", rows).encode(encoding)) == [HEADER, *rows]


def test_a_guessed_encoding_is_a_warning(caplog):
    read(text(",", ROWS))
    assert not caplog.text
    read((text(",", ROWS) + "03,é,1\n").encode("cp1252"))
    assert "t.csv is not in UTF-8; read as cp1252. If names in it look wrong" in caplog.text


def test_records_are_numbered_as_a_spreadsheet_program_does(tmp_path):
    """Whatever the name says, a text file is known by its content."""
    path = write_text(tmp_path / "really_text.xlsx", 'a,b\n\n"x\ny",c\n,\nd,e', encoding="utf-16")
    (sheet,) = workbook.read(path).sheets
    assert sheet.name == ""
    assert sheet.rows == ((1, ("a", "b")), (3, ("x y", "c")), (5, ("d", "e")))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("01,EP2,46,59,86,4,happiness,x,y,z", []),
        ('"01","EP2",46,59,86,"4,7","happiness"', []),
        ("01,EP2,46,59,86,4,x\n\x1a", []),
        ("01,EP2,46", ["emotion_missing"]),
        ("total", ["subject_unknown"]),
        # An unclosed quotation mark takes no other line.
        ('01,"EP2,46,59,86,4,happiness\n01,EP3,46,59,86,4,x', ["unsafe_name"]),
    ],
)
def test_lines_below_a_good_one(tmp_path, line, expected):
    path = write_text(tmp_path / "t.csv", ",".join(HEADER), ",".join(map(str, GOOD)), line)
    result = extracted(path)
    assert codes(result) == expected
    assert result.samples[0]["sample"] == "mine/sub01/EP1/46"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\x00\x01\x02\x03", "neither an Excel workbook nor text"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "neither"),
        (b"a,\x81\x01,b", "neither"),
        (b" <html><table>", "a web page or XML"),
        ("a,b".encode("utf-16")[:-1], "truncated"),
        (b"a,b\n" * 6, "more than 10 cells"),
    ],
)
def test_what_is_no_text_table_is_refused(tmp_path, monkeypatch, content, reason):
    monkeypatch.setattr("fleeting.databases.sheets.MOST_CELLS", 10)
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(UserError, match=rf"t\.csv: not a readable table \(.*{reason}"):
        workbook.read(tmp_path / "t.csv")


@given(st.binary(max_size=200))
def test_any_bytes_are_a_table_or_refused(content):
    with contextlib.suppress(ValueError):
        read(content)
