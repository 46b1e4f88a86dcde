"""The drawing of a protocol, from splits made by hand."""

import pandas as pd
import pytest

from figure_tables import draw, texts
from fleeting import tsv
from fleeting.figures.protocol import KINDS


def split(*rows: tuple[str, str, int, str]) -> pd.DataFrame:
    """Examples of (database, subject, fold, role)."""
    full = [
        (
            *(f"e{number}", f"e{number}", database, subject, "apex", "a", str(fold), role),
            *(f"{database}/{subject}", f"{database}/{subject}/c{number}"),
        )
        for number, (database, subject, fold, role) in enumerate(rows)
    ]
    return pd.DataFrame(full, columns=list(tsv.SPLIT))


def squares(figure) -> list[list[str]]:
    (mesh,) = figure.axes[0].collections
    kinds = list(KINDS)
    return [[kinds[int(value)] for value in row] for row in mesh.get_array()]


def test_each_square_says_what_a_subject_does_in_a_fold(tmp_path):
    table = split(
        ("casme", "s1", 1, "train"),
        ("casme", "s1", 1, "validation"),
        ("casme", "s1", 2, "test"),
        ("casme", "s2", 1, "train"),
        ("casme", "s2", 1, "test"),
        ("samm", "s1", 1, "validation"),
        ("samm", "s1", 2, "validation"),
        ("samm", "s1", 2, "test"),
    )
    figure = draw("protocol", tmp_path, {"split": table})
    assert squares(figure) == [
        ["train, validation", "test"],
        ["mixed", "none"],
        ["validation", "mixed"],
    ]
    assert texts(figure.axes[0].get_yticklabels()) == ["CASME s1", "CASME s2", "SAMM s1"]
    assert texts(figure.axes[0].get_xticklabels()) == ["1", "2"]
    assert texts(figure.legends[0].get_texts()) == [
        "not used",
        "validated on",
        "trained and validated on",
        "tested",
        "tested, and trained or validated on",
    ]


@pytest.mark.parametrize("subjects", [3, 68])
def test_leave_one_out_is_a_diagonal(tmp_path, subjects):
    rows = [
        (
            "samm" if subject < 2 else "casme",
            f"s{subject:02}",
            fold,
            "test" if subject == fold else "train",
        )
        for subject in range(subjects)
        for fold in range(subjects)
    ]
    figure = draw("protocol", tmp_path, {"split": split(*rows)})
    found = squares(figure)
    assert all(row.count("test") == 1 for row in found)
    assert {kind for row in found for kind in row} == {"train", "test"}
    names = texts(figure.axes[0].get_yticklabels())
    assert len(names) == (subjects if subjects <= 40 else 2)
