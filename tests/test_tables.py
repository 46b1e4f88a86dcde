"""The shared tables: what is written can be read, and a wrong cell is named."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleeting import tables
from fleeting.dependencies import SCRIPTS
from fleeting.errors import UserError
from fleeting.paths import is_safe_name

#: A column of each kind that callers hand over; the last one is beyond the schema.
MIXED: tables.Schema = {"text": tables.TEXT, "count": tables.INTEGER, "share": tables.NUMBER}
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "text": st.text(),
            "count": st.integers(1 - 10**18, 10**18 - 1),
            "share": st.floats(),
            "beyond": st.none() | st.text(),
        }
    )
)


def test_written_tables_are_read_back(tmp_path: Path) -> None:
    rows = pd.DataFrame(
        [{"epoch": 1, "train_loss": 1 / 3, "train_accuracy": 0.5, "note": 'a "quoted"\tcell\n'}]
    ).assign(validation_loss=float("nan"), validation_accuracy=float("inf"))
    path = tmp_path / "deep" / "history.tsv"
    tables.write(rows, path, tables.HISTORY)
    found = tables.read(path, tables.HISTORY)
    assert list(found.columns) == [*tables.HISTORY, "note"]
    assert found.iloc[0].to_list() == ["1", "0.333333", "0.500000", "", "inf", 'a "quoted" cell']
    assert list(path.parent.iterdir()) == [path], "nothing unfinished is left"


def test_an_empty_table_keeps_its_header(tmp_path: Path) -> None:
    tables.write(pd.DataFrame(), tmp_path / "empty.tsv", tables.EXCLUDED)
    assert list(tables.read(tmp_path / "empty.tsv", tables.EXCLUDED)) == list(tables.EXCLUDED)


HEADER = "image\tlabel\tsplit\tpath\tsha256"
HASH = "0" * 64


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("image\tlabel\n", "the column 'split' is missing"),
        ("image\tlabel\tsplit\tpath\tsha256\na\tb\ttrain\tc\tnot a hash\n", "line 2.*'sha256'"),
        ("image\tlabel\tsplit\tpath\tsha256\na\tb\tteach\tc\t" + "0" * 64 + "\n", "'split'.*train"),
        ("a\tb\n1\t2\t3\t4\n5\t6\n7\t8\t9\t1\t2\t3\n", "not a whole table|missing"),
        ("", "not a whole table"),
        # A part of a table, as a copy that broke off leaves it.
        (f"{HEADER}\na\tb\ttrain\n", "not a whole table.*line 2: 3, in the header 5"),
        (f"{HEADER}\na\tb\ttrain\tc\t{HASH}\tmore\n", "not a whole table.*line 2: 6"),
        (f"{HEADER}\na\tb\ttrain\tc\t{HASH}", "not a whole table.*cut off"),
        (f"{HEADER}\na\tb\ttrain\tc\t{HASH}\n\n", "not a whole table.*line 3: 1"),
        (f"{HEADER}\timage\n", "'image' is there more than once"),
    ],
)
def test_a_wrong_table_is_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "images.tsv"
    path.write_text(text)
    for read in (tables.read, tables.read_rows):
        with pytest.raises(UserError, match=message) as error:
            read(path, tables.IMAGES)
        assert "images.tsv" in str(error.value)


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    (tmp_path / "t.tsv").write_bytes(b"text\n\xff\n")
    with pytest.raises(UserError, match="t.tsv: not a whole table.*utf-8"):
        tables.read_rows(tmp_path / "t.tsv", {})


def test_line_breaks_of_other_systems(tmp_path: Path) -> None:
    (tmp_path / "t.tsv").write_bytes(b"\xef\xbb\xbftext\tcount\r\n a\t1\r\n\t2\r\n")
    rows = tables.read_rows(tmp_path / "t.tsv", {"text": tables.TEXT, "count": tables.INTEGER})
    assert rows == [{"text": " a", "count": "1"}, {"text": "", "count": "2"}]


def test_a_row_of_one_empty_cell_is_a_row(tmp_path: Path) -> None:
    rows = [{"text": ""}, {"text": "a"}, {"text": ""}]
    tables.write_rows(rows, tmp_path / "t.tsv", {"text": tables.TEXT})
    assert tables.read_rows(tmp_path / "t.tsv", {"text": tables.TEXT}) == rows


@settings(deadline=None)
@given(ROWS)
def test_rows_and_frames_are_the_same_bytes(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, Any]]
) -> None:
    folder = tmp_path_factory.mktemp("tables")
    tables.write_rows(rows, folder / "rows.tsv", MIXED)
    tables.write(pd.DataFrame(rows), folder / "frame.tsv", MIXED)
    assert (folder / "rows.tsv").read_bytes() == (folder / "frame.tsv").read_bytes()
    found = tables.read_rows(folder / "rows.tsv", MIXED)
    frame = tables.read(folder / "rows.tsv", MIXED)
    assert frame.to_dict("records") == found
    assert [str(kind) for kind in frame.dtypes] == ["str"] * len(frame.columns)
    assert len(found) == len(rows)
    for row, written in zip(found, rows, strict=True):
        for column in ("text", "beyond"):
            assert row[column].split() == (written[column] or "").split()
        assert row["count"] == str(written["count"])
        if row["share"]:
            assert float(row["share"]) == pytest.approx(written["share"], abs=1e-6)


@settings(deadline=None)
@given(ROWS, st.integers(min_value=0))
def test_a_table_read_and_written_again_is_the_same(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, Any]], cut: int
) -> None:
    path = tmp_path_factory.mktemp("tables") / "table.tsv"
    tables.write_rows(rows, path, MIXED)
    whole = path.read_bytes()
    found = tables.read_rows(path, MIXED)
    tables.write_rows(found, path, MIXED)
    assert path.read_bytes() == whole
    tables.write(tables.read(path, MIXED), path, MIXED)
    assert path.read_bytes() == whole
    part = whole[: cut % len(whole)]
    if part[-1:] != b"\n":
        path.write_bytes(part)
        with pytest.raises(UserError, match="not a whole table"):
            tables.read_rows(path, MIXED)


def test_a_row_without_a_column_is_not_written(tmp_path: Path) -> None:
    rows = [{"text": "a", "more": "b"}, {"text": "c"}]
    with pytest.raises(KeyError, match="more"):
        tables.write_rows(rows, tmp_path / "t.tsv", {"text": tables.TEXT})


@pytest.mark.parametrize(
    "module",
    ["fleeting.tables", "crop", "fleeting.faces.detectors.blazeface", "gather_faces"],
)
def test_rows_need_no_pandas(module: str) -> None:
    program = f"import sys, {module}; sys.exit('pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], cwd=SCRIPTS).returncode == 0


def test_a_missing_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="images.tsv: the table is missing"):
        tables.read(tmp_path / "images.tsv", tables.IMAGES)


def test_a_wrong_cell_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="line 2, column 'epoch': 'one'"):
        tables.write(
            pd.DataFrame([dict.fromkeys(tables.HISTORY, "one")]),
            tmp_path / "history.tsv",
            tables.HISTORY,
        )
    assert not (tmp_path / "history.tsv").exists()


@pytest.mark.parametrize("name", ["sub01", "EP02_01f", "CAS(ME)^2 x", "日本", "a.b"])
def test_names_that_folders_may_have(name: str) -> None:
    assert is_safe_name(name)


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../x", "/etc", "a/b", "a\\b", "a\0", "a\nb", " a", "-rf", "~", "a{b}"]
)
def test_names_that_would_lead_elsewhere(name: str) -> None:
    assert not is_safe_name(name)
