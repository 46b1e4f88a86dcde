"""Text tables: delimiters, encodings, quotes, whatever exported them."""

import contextlib
import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleeting.databases import delimited, workbook
from fleeting.errors import UserError

HEADER = ["Subject", "Filename", "OnsetFrame", "ApexFrame", "OffsetFrame", "AU", "Emotion"]
ROWS = [
    ["01", "EP1", "46", "59", "86", "4,7", "happiness"],
    ["01", "EP2", "46", "59", "86", "4;7", "disgust"],
    ["02", "EP1", "46", "", "86", "L4|R7", "others"],
]


def text(delimiter: str, rows: list[list[str]] | None = None) -> str:
    memory = io.StringIO()
    csv.writer(memory, delimiter=delimiter).writerows([HEADER, *(rows or ROWS)])
    return memory.getvalue()


def read(content: bytes | str) -> list[list[str]]:
    content = content.encode() if isinstance(content, str) else content
    return [list(row) for _, row in delimited.read("t.csv", content).rows]


@pytest.mark.parametrize("delimiter", delimited.DELIMITERS)
def test_the_delimiter_is_found(delimiter):
    assert read(text(delimiter)) == [HEADER, *ROWS]


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_line_endings(ending):
    assert read(text(",").replace("\r\n", ending)) == [HEADER, *ROWS]


def test_decimal_commas_are_no_delimiters():
    rows = [["01", "EP1", "1,5", "2,5", "3,5", "4", "fear"]] * 3
    assert read(text(";", rows).replace('"', "")) == [HEADER, *rows]


def test_a_preamble_does_not_hide_the_delimiter():
    preamble = "Micro-expressions, coded by two persons; see the manual, page 3\n\n"
    assert read(preamble + text("\t"))[-4:] == [HEADER, *ROWS]


ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "latin-1"]


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("name", ["Größe", "dégoût", "Ärger", "niño", "surprise", "Müller é"])
def test_western_encodings(encoding, name):
    rows = [*ROWS, ["03", name, "1", "2", "3", "4", "fear"]]
    assert read(text("\t", rows).encode(encoding)) == [HEADER, *rows]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gbk", "gb18030", "gb2312"])
@pytest.mark.parametrize("name", ["厌恶", "高兴", "惊讶", "受试者一", "片段01", "情绪（估计）"])
def test_chinese_encodings(encoding, name):
    rows = [*ROWS, ["03", name, "1", "2", "3", "4", "fear"]]
    assert read(text(",", rows).encode(encoding)) == [HEADER, *rows]


def test_a_guessed_encoding_is_told(caplog):
    read(text(",").encode())
    assert not caplog.text
    read((text(",") + "03,é,1\n").encode("cp1252"))
    assert "t.csv is not in UTF-8; read as cp1252. If names in it look wrong" in caplog.text


def test_rows_have_the_numbers_of_a_spreadsheet_program():
    content = b'a,b\n\n"x\ny",c\n,\nd,e'
    assert delimited.read("t", content).rows == (
        (1, ("a", "b")),
        (3, ("x y", "c")),
        (5, ("d", "e")),
    )


def test_a_quotation_mark_that_is_not_closed_takes_no_other_line():
    rows = [["01", '"EP1', "1", "2", "3", "4", "fear"], *ROWS[2:]]
    content = "\n".join("\t".join(row) for row in [HEADER, *rows])
    assert read(content) == [HEADER, *rows]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\x00\x01\x02\x03", "neither an Excel workbook nor text"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "neither"),
        (b" <html><table>", "a web page or XML"),
        (b"a,\x81\x00b", "neither"),
        ("a,b".encode("utf-16")[:-1], "truncated"),
        (b"a,\x81\x01,b", "neither"),
    ],
)
def test_what_is_no_text_is_refused(tmp_path, content, reason):
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    with pytest.raises(UserError, match=rf"t\.csv: not a readable table \(.*{reason}"):
        workbook.read(path)


def test_too_many_cells_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("fleeting.databases.sheets.MOST_CELLS", 10)
    path = tmp_path / "t.csv"
    path.write_text(text(","))
    with pytest.raises(UserError, match="more than 10 cells"):
        workbook.read(path)


def test_a_text_file_is_told_by_its_content(tmp_path):
    path = tmp_path / "really_text.xlsx"
    path.write_bytes(text("\t").encode("utf-16"))
    (sheet,) = workbook.read(path).sheets
    assert (sheet.name, sheet.rows[0]) == ("", (1, tuple(HEADER)))


CELLS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=8)


@given(st.lists(st.lists(CELLS, min_size=2, max_size=6), max_size=6), st.sampled_from(",;\t|"))
def test_any_table_is_read(rows, delimiter):
    memory = io.StringIO()
    csv.writer(memory, delimiter=delimiter).writerows(rows)
    content = memory.getvalue()
    if not content.lstrip().startswith("<"):
        assert len(delimited.read("t", content.encode()).rows) <= len(rows)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_table_or_refused(content):
    with contextlib.suppress(ValueError):
        delimited.read("t", content)
