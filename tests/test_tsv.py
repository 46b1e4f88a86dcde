"""The shared tables: what is written can be read, and a wrong cell is named."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleeting import tsv
from fleeting.dependencies import SCRIPTS
from fleeting.errors import UserError
from fleeting.paths import is_safe_name

#: A column of each kind that callers hand over; the last one is beyond the schema.
IMAGES: tsv.Schema = {
    "image": tsv.NAME,
    "label": tsv.NAME,
    "split": tsv.ROLE,
    "path": tsv.NAME,
    "sha256": tsv.SHA256,
}
MIXED: tsv.Schema = {"text": tsv.TEXT, "count": tsv.INTEGER, "share": tsv.NUMBER}
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
    tsv.write(rows.assign(fold=1), path, tsv.HISTORY)
    found = tsv.read(path, tsv.HISTORY)
    assert list(found.columns) == [*tsv.HISTORY, "note"]
    assert found.iloc[0].to_list() == [
        "1",
        "1",
        "0.333333",
        "0.500000",
        "",
        "inf",
        'a "quoted" cell',
    ]
    assert list(path.parent.iterdir()) == [path], "nothing unfinished is left"


def test_an_empty_table_keeps_its_header(tmp_path: Path) -> None:
    tsv.write(pd.DataFrame(), tmp_path / "empty.tsv", tsv.EXCLUDED)
    assert list(tsv.read(tmp_path / "empty.tsv", tsv.EXCLUDED)) == list(tsv.EXCLUDED)


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
    for read in (tsv.read, tsv.read_rows):
        with pytest.raises(UserError, match=message) as error:
            read(path, IMAGES)
        assert "images.tsv" in str(error.value)


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    (tmp_path / "t.tsv").write_bytes(b"text\n\xff\n")
    with pytest.raises(UserError, match="t.tsv: not a whole table.*utf-8"):
        tsv.read_rows(tmp_path / "t.tsv", {})


def test_line_breaks_of_other_systems(tmp_path: Path) -> None:
    (tmp_path / "t.tsv").write_bytes(b"\xef\xbb\xbftext\tcount\r\n a\t1\r\n\t2\r\n")
    rows = tsv.read_rows(tmp_path / "t.tsv", {"text": tsv.TEXT, "count": tsv.INTEGER})
    assert rows == [{"text": " a", "count": "1"}, {"text": "", "count": "2"}]


def test_a_row_of_one_empty_cell_is_a_row(tmp_path: Path) -> None:
    rows = [{"text": ""}, {"text": "a"}, {"text": ""}]
    tsv.write_rows(rows, tmp_path / "t.tsv", {"text": tsv.TEXT})
    assert tsv.read_rows(tmp_path / "t.tsv", {"text": tsv.TEXT}) == rows


@settings(deadline=None)
@given(ROWS)
def test_rows_and_frames_are_the_same_bytes(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, Any]]
) -> None:
    folder = tmp_path_factory.mktemp("tables")
    tsv.write_rows(rows, folder / "rows.tsv", MIXED)
    tsv.write(pd.DataFrame(rows), folder / "frame.tsv", MIXED)
    assert (folder / "rows.tsv").read_bytes() == (folder / "frame.tsv").read_bytes()
    found = tsv.read_rows(folder / "rows.tsv", MIXED)
    frame = tsv.read(folder / "rows.tsv", MIXED)
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
    tsv.write_rows(rows, path, MIXED)
    whole = path.read_bytes()
    found = tsv.read_rows(path, MIXED)
    tsv.write_rows(found, path, MIXED)
    assert path.read_bytes() == whole
    tsv.write(tsv.read(path, MIXED), path, MIXED)
    assert path.read_bytes() == whole
    part = whole[: cut % len(whole)]
    if part[-1:] != b"\n":
        path.write_bytes(part)
        with pytest.raises(UserError, match="not a whole table"):
            tsv.read_rows(path, MIXED)


def test_a_row_without_a_column_is_not_written(tmp_path: Path) -> None:
    rows = [{"text": "a", "more": "b"}, {"text": "c"}]
    with pytest.raises(KeyError, match="more"):
        tsv.write_rows(rows, tmp_path / "t.tsv", {"text": tsv.TEXT})


@pytest.mark.parametrize(
    "module",
    ["fleeting.tsv", "fleeting.faces.crop", "fleeting.faces.gather", "fleeting.examples.pack"],
)
def test_rows_need_no_pandas(module: str) -> None:
    program = f"import sys, {module}; sys.exit('pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], cwd=SCRIPTS).returncode == 0


def test_a_missing_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="images.tsv: the table is missing"):
        tsv.read(tmp_path / "images.tsv", IMAGES)


def test_a_wrong_cell_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="line 2, column 'fold': 'one'"):
        tsv.write(
            pd.DataFrame([dict.fromkeys(tsv.HISTORY, "one")]),
            tmp_path / "history.tsv",
            tsv.HISTORY,
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
