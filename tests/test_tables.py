"""The shared tables: what is written can be read, and a wrong cell is named."""

from pathlib import Path

import pandas as pd
import pytest

from fleeting import tables
from fleeting.errors import UserError
from fleeting.paths import is_safe_name


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


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("image\tlabel\n", "the column 'split' is missing"),
        ("image\tlabel\tsplit\tpath\tsha256\na\tb\ttrain\tc\tnot a hash\n", "line 2.*'sha256'"),
        ("image\tlabel\tsplit\tpath\tsha256\na\tb\tteach\tc\t" + "0" * 64 + "\n", "'split'.*train"),
        ("a\tb\n1\t2\t3\t4\n5\t6\n7\t8\t9\t1\t2\t3\n", "not a whole table|missing"),
        ("", "not a whole table"),
    ],
)
def test_a_wrong_table_is_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "images.tsv"
    path.write_text(text)
    with pytest.raises(UserError, match=message) as error:
        tables.read(path, tables.IMAGES)
    assert "images.tsv" in str(error.value)


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
