"""The shared tables: what is written can be read, and a wrong cell is named."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleeting import tsv
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
    ).assign(validation_loss=float("nan"), validation_accuracy=float("inf"), validation_uf1=1)
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
        "1",
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
        (f"{HEADER}\na\tb\ttrain\tc\tnot a hash\n", "line 2.*'sha256'"),
        (f"{HEADER}\na\tb\tteach\tc\t{HASH}\n", "'split'.*train"),
        (f"{HEADER}\timage\n", "'image' is there more than once"),
        ("", "not a whole table"),
        ("image\n\udcff\n", "not a whole table.*utf-8"),
        # A part of a table, as a copy that was interrupted leaves it.
        (f"{HEADER}\na\tb\ttrain\n", "not a whole table.*line 2: 3, in the header 5"),
        (f"{HEADER}\na\tb\ttrain\tc\t{HASH}\tmore\n", "not a whole table.*line 2: 6"),
        (f"{HEADER}\na\tb\ttrain\tc\t{HASH}", "not a whole table.*cut off"),
        (f"{HEADER}\na\tb\ttrain\tc\t{HASH}\n\n", "not a whole table.*line 3: 1"),
    ],
)
def test_a_wrong_table_is_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "images.tsv"
    path.write_bytes(text.encode(errors="surrogateescape"))
    for read in (tsv.read, tsv.read_rows):
        with pytest.raises(UserError, match=f"images.tsv.*{message}"):
            read(path, IMAGES)
        with pytest.raises(UserError, match=r"other.tsv: the table is missing"):
            read(tmp_path / "other.tsv", IMAGES)


def test_line_breaks_of_other_systems(tmp_path: Path) -> None:
    (tmp_path / "t.tsv").write_bytes(b"\xef\xbb\xbftext\tcount\r\n a\t1\r\n\t2\r\n")
    rows = tsv.read_rows(tmp_path / "t.tsv", {"text": tsv.TEXT, "count": tsv.INTEGER})
    assert rows == [{"text": " a", "count": "1"}, {"text": "", "count": "2"}]


def test_a_row_of_one_empty_cell_is_a_row(tmp_path: Path) -> None:
    rows = [{"text": ""}, {"text": "a"}, {"text": ""}]
    tsv.write_rows(rows, tmp_path / "t.tsv", {"text": tsv.TEXT})
    assert tsv.read_rows(tmp_path / "t.tsv", {"text": tsv.TEXT}) == rows


@settings(deadline=None)
@given(ROWS, st.integers(min_value=0))
def test_what_is_written_is_read_and_no_part_of_it(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, Any]], cut: int
) -> None:
    path = tmp_path_factory.mktemp("tables") / "table.tsv"
    tsv.write_rows(rows, path, MIXED)
    whole = path.read_bytes()
    found = tsv.read_rows(path, MIXED)
    for row, written in zip(found, rows, strict=True):
        for column in ("text", "beyond"):
            assert row[column].split() == (written[column] or "").split()
        assert row["count"] == str(written["count"])
        if row["share"]:
            assert float(row["share"]) == pytest.approx(written["share"], abs=1e-6)
    frame = tsv.read(path, MIXED)
    assert frame.to_dict("records") == found
    for write, content in (
        (tsv.write, pd.DataFrame(rows)),
        (tsv.write, frame),
        (tsv.write_rows, found),
    ):
        write(content, path, MIXED)
        assert path.read_bytes() == whole
    part = whole[: cut % len(whole)]
    if part[-1:] != b"\n":
        path.write_bytes(part)
        with pytest.raises(UserError, match="not a whole table"):
            tsv.read_rows(path, MIXED)


def test_a_wrong_row_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "history.tsv"
    with pytest.raises(UserError, match="line 2, column 'fold': 'one'"):
        tsv.write(pd.DataFrame([dict.fromkeys(tsv.HISTORY, "one")]), path, tsv.HISTORY)
    with pytest.raises(KeyError, match="more"):
        tsv.write_rows([{"text": "a", "more": "b"}, {"text": "c"}], path, {"text": tsv.TEXT})
    assert not path.exists()


@pytest.mark.parametrize("name", ["sub01", "EP02_01f", "CAS(ME)^2 x", "日本", "a.b"])
def test_names_that_folders_may_have(name: str) -> None:
    assert is_safe_name(name)


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../x", "/etc", "a/b", "a\\b", "a\0", "a\nb", " a", "-rf", "~", "a{b}"]
)
def test_names_that_would_lead_elsewhere(name: str) -> None:
    assert not is_safe_name(name)
