"""What becomes of each row of a table."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from database_tables import accounted, codes, extracted, write_xlsx
from fleeting import tsv
from fleeting.databases import extract, sheets
from fleeting.databases.sheets import Workbook
from fleeting.errors import UserError
from malformed.workbooks import GOOD, HEADER, changed, row, xlsx

RUNNER = Path(extract.__file__).parents[2] / "job.py"


def run(folder: Path, *rows: list[object], apex: str = "drop") -> extract.Extraction:
    """A table of CASME II with a header and these rows."""
    lines = [row(number, [*values]) for number, values in enumerate([HEADER, *rows], start=1)]
    (folder / "CASME2.xlsx").write_bytes(xlsx(*lines))
    return extracted(folder / "CASME2.xlsx", "casme2", apex)


def test_a_sample(tmp_path):
    result = run(tmp_path, changed(emotion="Happiness ", au="/"))
    assert result.samples == [
        {
            "sample": "mine/sub01/EP2/46",
            "database": "mine",
            "subject": "sub01",
            "clip": "EP2",
            "onset": 46,
            "apex": 59,
            "offset": 86,
            "emotion": "happiness",
            "action_units": "",
            "table": "CASME2.xlsx",
            "table_row": 2,
        }
    ]
    assert (result.rows, result.excluded, result.substituted) == (1, [], [])


NOT_A_NUMBER = ["x", "#REF!", "inf", "1e2", -5, 46.5, 10**12, "46,5", "4 6", "=1+1", "4" * 32_767]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        *(({"subject": cell}, "subject_missing") for cell in (None, "/")),
        *(
            ({"subject": cell}, "subject_unknown")
            for cell in ("total", "../1", "$(touch pwned)", -1, 1000, 1.5, "1" * 5000)
        ),
        ({"filename": "\\"}, "clip_name_missing"),
        *(({"filename": cell}, "unsafe_name") for cell in ("../x", "{subject}", "a" * 32_767)),
        *(({"onsetframe": cell}, "onset_missing") for cell in (0, "NaN", "/", None, " ")),
        *(({"onsetframe": cell}, "onset_not_a_number") for cell in NOT_A_NUMBER),
        ({"emotion": None}, "emotion_missing"),
        ({"onsetframe": 90, "apexframe": 95}, "offset_before_onset"),
        ({"subject": 1, "filename": "ep1"}, "duplicated_key"),
        (dict(zip(map(str.lower, HEADER), HEADER, strict=True)), "subject_unknown"),
    ],
)
def test_a_row_that_cannot_be_used(tmp_path, changes, code):
    result = run(tmp_path, GOOD, changed(**changes))
    accounted(result, tmp_path)
    (excluded,) = result.excluded
    assert (excluded["code"], excluded["table_row"], excluded["image"]) == (code, 3, "")
    assert (excluded["reason"], excluded["stage"]) == (code.replace("_", " "), "annotations")
    assert len(excluded["detail"]) < 400
    assert [sample["table_row"] for sample in result.samples] == [2]


@pytest.mark.parametrize(
    "changes",
    [
        {"onsetframe": " 46\u00a0"},
        {"onsetframe": "00046.00"},
        {"filename": "EP1", "onsetframe": 50},
        {"apexframe": 46},
        {"apexframe": 86},
        {"apexframe": 46, "offsetframe": 46},
        *({"emotion": cell} for cell in ("Hapiness", "#N/A", "x" * 32_767, "<script>")),
        *({"filename": cell} for cell in ("EP\n2", "it's", "$(touch x)", "100% #1", "EP\u202e2")),
    ],
)
def test_a_row_that_is_unusual_but_a_sample(tmp_path, changes):
    result = run(tmp_path, GOOD, changed(**changes))
    accounted(result, tmp_path)
    assert (len(result.samples), result.excluded) == (2, [])


@pytest.mark.parametrize(
    ("changes", "phase", "code"),
    [
        ({"apexframe": "/"}, "apex", "apex_missing"),
        ({"apexframe": "#DIV/0!"}, "apex", "apex_not_a_number"),
        ({"apexframe": 45}, "apex", "apex_out_of_order"),
        ({"apexframe": 87}, "apex", "apex_out_of_order"),
        ({"offsetframe": 0}, "offset", "offset_missing"),
        ({"offsetframe": "?"}, "offset", "offset_not_a_number"),
    ],
)
def test_an_image_that_cannot_be_used_leaves_the_sample(tmp_path, changes, phase, code):
    result = run(tmp_path, changed(**changes))
    accounted(result, tmp_path)
    (excluded,) = result.excluded
    assert (excluded["image"], excluded["code"]) == (f"mine/sub01/EP2/46/{phase}", code)
    other = {"apex": "offset", "offset": "apex"}[phase]
    assert (result.samples[0][phase], bool(result.samples[0][other])) == ("", True)
    assert result.substituted == []


@pytest.mark.parametrize("apex", ["/", "99", "5x"])
def test_midpoint(tmp_path, apex):
    result = run(tmp_path, changed(offsetframe=87, apexframe=apex), apex="midpoint")
    assert (result.samples[0]["apex"], result.excluded) == (66, [])
    (replaced,) = result.substituted
    assert (replaced["stated"], replaced["used"]) == (apex, 66)
    assert replaced["image"] == "mine/sub01/EP2/46/apex"


def test_no_midpoint_without_an_offset(tmp_path):
    result = run(tmp_path, changed(apexframe="/", offsetframe=0), apex="midpoint")
    assert codes(result) == ["offset_missing", "apex_missing"]
    assert (result.samples[0]["apex"], result.samples[0]["offset"]) == ("", "")


@pytest.mark.parametrize(
    ("emotion", "labels"), [("happiness", "both happiness"), ("fear", "happiness there, fear here")]
)
def test_a_duplicate_names_the_first_row(tmp_path, emotion, labels):
    (excluded,) = run(tmp_path, GOOD, changed(filename="EP1", emotion=emotion)).excluded
    assert excluded["detail"].endswith(f"as row 2; labels: {labels}")


def test_a_row_that_was_excluded_blocks_no_later_one(tmp_path):
    result = run(tmp_path, changed(offsetframe=1), [None], changed())
    assert (result.rows, result.samples[0]["table_row"]) == (2, 4)


def test_no_usable_row_is_an_error_with_counts(tmp_path):
    with pytest.raises(UserError, match=r"no row of mine is usable.*1 emotion_missing, 1 onset"):
        run(tmp_path, changed(onsetframe=0), changed(emotion=None))
    with pytest.raises(UserError, match="no row of mine is usable. Rows excluded: none"):
        run(tmp_path)


CELLS = st.one_of(
    st.text(max_size=8),
    st.sampled_from(["", "/", "\\", "0", "46", "46.0", "sub01", "1", "EP1", "..", "fear", "nan"]),
    st.sampled_from(["micro-expression", "macro", "negative", "anger1_1", "s15", "\ud800", "\x00"]),
    st.integers(-5, 100),
    st.floats(),
    st.none(),
    st.booleans(),
)
CAS_ME2_ROW = [1, "anger1_9", 5, 6, 7, "4", "negative", "micro-expression", "fear"]


@pytest.mark.parametrize(
    ("database", "apex", "first_rows"),
    [("casme2", "midpoint", [HEADER]), ("cas_me2", "drop", [CAS_ME2_ROW] * 7)],
)
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(rows=st.lists(st.lists(CELLS, min_size=7, max_size=9), max_size=6))
def test_garbage_ends_in_rows_or_a_named_error(
    tmp_path, monkeypatch, database: str, apex: str, first_rows: Sequence, rows
):
    book = Workbook(tmp_path / "t.xlsx", (sheets.make_sheet("data", [*first_rows, *rows]),))
    monkeypatch.setattr(extract.workbook, "read", lambda path: book)
    message = "t.xlsx"
    try:
        result = extracted(book.path, database, apex)
    except UserError as error:
        message = str(error)
    else:
        accounted(result, tmp_path)
        assert result.rows == len(book.sheets[0].rows) - (first_rows == [HEADER])
    assert "t.xlsx" in message


def job(folder: Path, **settings: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, RUNNER, "databases.extract", "--database", "mine", "--apex", "drop"]
    for name in ("samples", "excluded", "substituted", "rows"):
        command += [f"--{name}", folder / f"{name}.tsv"]
    command += ["--accept-losses", "False", "--settings", json.dumps(settings)]
    return subprocess.run([str(part) for part in command], capture_output=True, text=True)


def test_the_job(tmp_path):
    rows = [CAS_ME2_ROW, [2, *CAS_ME2_ROW[1:7], "macro-expression", "fear"]]
    write_xlsx(tmp_path / "CAS(ME)^2code_final.xlsx", data=rows)
    shown = job(tmp_path / "out", reader="cas_me2", root=str(tmp_path))
    assert shown.returncode == 0, shown.stderr
    assert "2 rows read = 1 samples + 1 excluded" in shown.stdout
    (sample,) = tsv.read_rows(tmp_path / "out/samples.tsv", tsv.ANNOTATIONS)
    assert sample["sample"] == "mine/s15/anger1_9/5"
    extra = ("self_reported", "estimated", "expression_type", "video_code", "recording")
    assert [*sample] == [*tsv.ANNOTATIONS, *extra]
    assert len(tsv.read_rows(tmp_path / "out/excluded.tsv", tsv.EXCLUDED)) == 1
    assert tsv.read_rows(tmp_path / "out/substituted.tsv", tsv.SUBSTITUTED) == []
    (count,) = tsv.read_rows(tmp_path / "out/rows.tsv", tsv.ROW_COUNT)
    assert count == {"database": "mine", "table": "CAS(ME)^2code_final.xlsx", "rows": "2"}


def test_the_job_ends_in_one_message(tmp_path):
    shown = job(tmp_path, reader="samm", root=str(tmp_path / "none"))
    assert shown.returncode == 1
    assert shown.stderr.startswith("Error: ")
    assert "no such folder" in shown.stderr
    assert "Traceback" not in shown.stderr


def test_a_table_of_another_database_is_said_whose_it_is(tmp_path):
    table = write_xlsx(tmp_path / "CAS(ME)^2code_final.xlsx", data=[CAS_ME2_ROW])
    shown = job(tmp_path, reader="casme2", table=str(table), frames=str(tmp_path))
    assert shown.returncode == 1
    assert "no sheet ('data') has a header row" in shown.stderr
    assert shown.stderr.strip().endswith("if it is that one, set its `reader: cas_me2`.")
