"""How far searched apexes are from the stated ones, and from the truth of synthetic clips."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from apex_clips import ALL, Clips, five_clips
from fleeting import registry, tsv
from fleeting.controls import apexes as control
from fleeting.errors import UserError
from fleeting.evaluation.apex_errors import errors
from fleeting.examples.apex import APEXES
from fleeting.synthetic.database import TRUTH


def test_errors_in_frames_and_as_a_share_of_the_clip() -> None:
    rows = pd.DataFrame(
        [[10, 12, 0, 20], [30, 25, 20, 30], [5, np.nan, 0, 9], [np.nan, 7, 0, 9]],
        columns=["found", "stated", "onset", "offset"],
    )
    own = errors(rows, "found", "stated")
    assert own == {"mean": 3.5, "median": 3.5, "share": pytest.approx((2 / 20 + 5 / 10) / 2)}


def test_the_table_of_apexes(tmp_path: Path) -> None:
    clips = five_clips(tmp_path)
    clips.search()
    module = registry.load("table", "apexes")
    frame, page = module.make({"apexes": [clips.table]}, {})
    (row,) = frame.to_dict("records")
    assert (row["input"], row["database"], row["method"]) == ("paper", "mine", "middle")
    assert [row[name] for name in module.COUNTS] == [5, 2, 1, 0, 1]
    assert (row["found_mean"], row["found_median"], row["found_share"]) == (3, 3, 0.3)
    assert row["middle_mean"] == row["found_mean"]
    assert page.parts[0][1]["found: mean error, of the clip"].tolist() == ["30%"]
    clips.search(ALL)
    assert module.make({"apexes": [clips.table]}, {})[0]["replaced"].tolist() == [1]


def test_the_table_without_a_stated_apex_and_without_inputs_that_search(tmp_path: Path) -> None:
    module = registry.load("table", "apexes")
    clips = Clips(tmp_path)
    clips.add("none", 30, "", 40, *range(30, 41))
    clips.search()
    frame, page = module.make({"apexes": [clips.table]}, {})
    assert (frame["filled"].tolist(), frame["compared"].tolist()) == ([1], [0])
    assert frame["found_mean"].isna().all()
    assert page.parts[0][1]["found: mean error"].tolist() == [""]
    frame, _ = module.make({}, {})
    assert (len(frame), list(frame)) == (0, module.COLUMNS)


def test_errors_against_the_truth(tmp_path: Path) -> None:
    """Of clips whose table has no apex as well; what is no regular movement does not count."""
    apexes = {"c1": 13, "c2": 17, "c3": 11}
    quirks = {"c1": "", "c2": "apex_slash", "c3": "apex_is_onset"}
    for database, names in {"casme2": ["c1", "c2", "c3"], "samm": ["c1"]}.items():
        clips = Clips(tmp_path, database)
        for name in names:
            clips.add(name, 10, "" if quirks[name] else 13, 20, *range(10, 21))
        rows = clips.search()
        for row in rows:
            row["found"] = str(int(row["middle"]) - 3)
            row["method"] = "motion"
        tsv.write_rows(rows, clips.table, APEXES)
        truth = [
            {
                **dict.fromkeys(TRUTH, "1"),
                "sample": row["sample"],
                "apex": apexes[row["sample"].split("/")[2]],
                "quirk": quirks[row["sample"].split("/")[2]],
            }
            for row in rows
        ]
        tsv.write_rows(truth, tmp_path / f"databases/{database}.tsv", TRUTH)
    found = control.errors(tmp_path, "paper").set_index(["database", "method"])
    assert found.loc["samm", "motion"].to_dict() == {
        "clips": 1,
        "mean": 1,
        "median": 1,
        "share": pytest.approx(0.1),
    }
    assert found.loc["samm", "middle"]["mean"] == 2
    assert found["clips"].to_dict() == {
        (database, method): count
        for database, count in {"casme2": 2, "samm": 1, "all": 3}.items()
        for method in ("middle", "motion")
    }
    assert found.loc["casme2", "motion"]["mean"] == 3
    assert found.loc["all", "middle"]["mean"] == 2
    with pytest.raises(UserError, match="the input other has no tables of apexes"):
        control.errors(tmp_path, "other")


def test_clips_without_frames_between_the_phases_have_no_errors(tmp_path: Path) -> None:
    for database, frames in {"casme2": range(10, 21), "samm": (10, 20)}.items():
        clips = Clips(tmp_path, database)
        clips.add("c1", 10, "", 20, *frames)
        (row,) = clips.search()
        truth = {**dict.fromkeys(TRUTH, "1"), "sample": row["sample"], "apex": 13, "quirk": ""}
        tsv.write_rows([truth], tmp_path / f"databases/{database}.tsv", TRUTH)
    assert set(control.errors(tmp_path, "paper")["database"]) == {"casme2"}
    (tmp_path / "inputs/paper/casme2.apexes.tsv").unlink()
    with pytest.raises(UserError, match="paper has found no apex .* give its crops `frames: clip`"):
        control.errors(tmp_path, "paper")
