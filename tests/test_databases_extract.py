"""What becomes of each row of a table."""

import json
import subprocess
import sys
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fleeting import tsv
from fleeting.databases import extract, find, sheets
from fleeting.databases import settings as blocks
from fleeting.databases.sheets import Sheet, Workbook
from fleeting.errors import UserError

HEADER = ["Subject", "Filename", "OnsetFrame", "ApexFrame", "OffsetFrame", "AU", "Emotion"]
GOOD = ["01", "EP1", 46, 59, 86, "4", "Happiness "]
COLUMNS = {"subject": 0, "clip": 1, "onset": 2, "apex": 3, "offset": 4, "au": 5, "emotion": 6}
SCRIPTS = Path(find.__file__).parents[2]


def block(reader: str, path: Path, **keys: object) -> blocks.DatabaseSettings:
    return blocks.load(reader, {"reader": reader, "table": path, "frames": path.parent, **keys})


def table(tmp_path: Path, *rows: list[object], name: str = "CASME2.xlsx") -> Path:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(tmp_path / name)
    return tmp_path / name


def with_cells(**changed: object) -> list[object]:
    row = [*GOOD]
    for name, value in changed.items():
        row[COLUMNS[name]] = value
    return row


def run(tmp_path: Path, *rows: list[object], apex: str = "drop") -> extract.Extraction:
    path = table(tmp_path, HEADER, *rows)
    return extract.extract("casme2", block("casme2", path), path, apex)


def row_exclusions(result: extract.Extraction) -> list[dict[str, object]]:
    return [row for row in result.excluded if not row["image"]]


def test_a_sample(tmp_path):
    result = run(tmp_path, GOOD)
    assert result.samples == [
        {
            "sample": "casme2/sub01/EP1/46",
            "database": "casme2",
            "subject": "sub01",
            "clip": "EP1",
            "onset": 46,
            "apex": 59,
            "offset": 86,
            "emotion": "happiness",
            "action_units": "4",
            "table": "CASME2.xlsx",
            "table_row": 2,
        }
    ]
    assert (result.rows, result.excluded, result.substituted) == (1, [], [])


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"subject": None}, "subject_missing"),
        ({"subject": "/"}, "subject_missing"),
        ({"subject": "total"}, "subject_unknown"),
        ({"clip": "\\"}, "clip_name_missing"),
        ({"clip": "../../etc"}, "unsafe_name"),
        ({"clip": "/etc/passwd"}, "unsafe_name"),
        ({"clip": ".."}, "unsafe_name"),
        ({"clip": "a\\b"}, "unsafe_name"),
        ({"onset": 0}, "onset_missing"),
        ({"onset": "x"}, "onset_not_a_number"),
        ({"onset": 46.5}, "onset_not_a_number"),
        ({"onset": -4}, "onset_not_a_number"),
        ({"emotion": "NaN"}, "emotion_missing"),
        ({"offset": 45, "apex": 45}, "offset_before_onset"),
    ],
)
def test_a_row_that_cannot_be_used(tmp_path, changed, reason):
    result = run(tmp_path, with_cells(clip="EP9"), with_cells(**changed))
    assert len(result.samples) == 1
    (excluded,) = result.excluded
    assert (excluded["code"], excluded["table_row"], excluded["image"]) == (reason, 3, "")
    assert excluded["reason"] == reason.replace("_", " ")
    assert excluded["stage"] == "annotations"
    assert result.rows == 2


@pytest.mark.parametrize(
    ("changed", "phase", "reason"),
    [
        ({"apex": "/"}, "apex", "apex_missing"),
        ({"apex": "5x"}, "apex", "apex_not_a_number"),
        ({"apex": 45}, "apex", "apex_out_of_order"),
        ({"apex": 87}, "apex", "apex_out_of_order"),
        ({"offset": 0}, "offset", "offset_missing"),
        ({"offset": "?"}, "offset", "offset_not_a_number"),
    ],
)
def test_an_image_that_cannot_be_used_leaves_the_sample(tmp_path, changed, phase, reason):
    result = run(tmp_path, with_cells(**changed))
    (excluded,) = result.excluded
    assert (excluded["image"], excluded["code"]) == (f"casme2/sub01/EP1/46/{phase}", reason)
    assert result.samples[0][phase] == ""
    assert result.substituted == []


@pytest.mark.parametrize(("apex", "stated"), [("/", "/"), (99, "99"), ("5x", "5x")])
def test_midpoint(tmp_path, apex, stated):
    result = run(tmp_path, with_cells(onset=46, offset=87, apex=apex), apex="midpoint")
    assert result.samples[0]["apex"] == 66
    assert result.excluded == []
    (row,) = result.substituted
    assert (row["stated"], row["used"], row["image"]) == (stated, 66, "casme2/sub01/EP1/46/apex")


def test_no_midpoint_without_an_offset(tmp_path):
    result = run(tmp_path, with_cells(apex="/", offset=0), apex="midpoint")
    assert {row["code"] for row in result.excluded} == {"apex_missing", "offset_missing"}
    assert (result.samples[0]["apex"], result.samples[0]["offset"]) == ("", "")


def test_a_stated_apex_is_kept_without_an_offset(tmp_path):
    assert run(tmp_path, with_cells(offset=0)).samples[0]["apex"] == 59


@pytest.mark.parametrize("apex", [46, 86])
def test_an_apex_on_the_onset_or_offset_is_in_order(tmp_path, apex):
    assert run(tmp_path, with_cells(apex=apex)).samples[0]["apex"] == apex


def test_an_offset_on_the_onset_is_in_order(tmp_path):
    assert run(tmp_path, with_cells(apex=46, offset=46)).samples[0]["offset"] == 46


def test_one_clip_can_hold_several_expressions(tmp_path):
    assert len(run(tmp_path, GOOD, with_cells(onset=50)).samples) == 2


@pytest.mark.parametrize(
    ("emotion", "told"), [("happiness", "both happiness"), ("fear", "happiness there, fear here")]
)
def test_a_duplicated_key_names_the_first_row(tmp_path, emotion, told):
    result = run(tmp_path, GOOD, with_cells(emotion=emotion, subject=1, clip="ep1"))
    (excluded,) = result.excluded
    assert excluded["code"] == "duplicated_key"
    assert "as row 2" in excluded["detail"]
    assert told in excluded["detail"]


def test_a_row_that_was_left_out_blocks_no_later_one(tmp_path):
    result = run(tmp_path, with_cells(offset=1), GOOD)
    assert [sample["table_row"] for sample in result.samples] == [3]


def test_blank_rows_are_no_rows(tmp_path):
    result = run(tmp_path, [None], GOOD, [" ", None])
    assert (result.rows, result.samples[0]["table_row"]) == (1, 3)


def test_an_unknown_emotion_stays_a_sample(tmp_path):
    assert run(tmp_path, with_cells(emotion="Hapiness")).samples[0]["emotion"] == "hapiness"


def test_missing_action_units_are_empty(tmp_path):
    assert run(tmp_path, with_cells(au="/")).samples[0]["action_units"] == ""


def test_no_usable_row_is_an_error_with_counts(tmp_path):
    with pytest.raises(UserError, match=r"no row of casme2 is usable.*1 emotion_missing, 1 onset"):
        run(tmp_path, with_cells(onset=0), with_cells(emotion=""))
    with pytest.raises(UserError, match="no row of casme2 is usable. Rows excluded: none"):
        run(tmp_path)


def cas_me2(tmp_path: Path, rows: list[list[object]], **options: object) -> extract.Extraction:
    path = table(tmp_path, *rows, name="CAS(ME)^2code_final.xlsx")
    return extract.extract("cas_me2", block("cas_me2", path, **options), path, "drop")


CAS_ME2_ROWS: list[list[object]] = [
    [1, "anger1_1", 557, 572, 0, "4", "negative", "macro-expression", "anger"],
    [1, "anger1_2", 557, 572, 608, "4", "negative", "micro-expression", "disgust"],
    [23, "anger1_3", 557, 572, 608, "4", "negative", "micro-expression", "disgust"],
    [2, "anger1_4", 557, 572, 608, "4", "negative", "neither", "disgust"],
]


def test_cas_me2_expression_types_and_subjects(tmp_path):
    result = cas_me2(tmp_path, CAS_ME2_ROWS)
    assert [sample["sample"] for sample in result.samples] == ["cas_me2/s15/anger1_2/557"]
    assert [row["code"] for row in result.excluded] == [
        "expression_type_not_wanted",
        "subject_unknown",
        "expression_type_unknown",
    ]
    sample = result.samples[0]
    assert (sample["emotion"], sample["estimated"]) == ("disgust", "negative")
    assert (sample["self_reported"], sample["expression_type"]) == ("disgust", "micro")


def test_cas_me2_macro_rows_on_demand(tmp_path):
    result = cas_me2(tmp_path, CAS_ME2_ROWS, expression_types=["micro", "macro"], label="estimated")
    assert [sample["emotion"] for sample in result.samples] == ["negative", "negative"]
    assert result.samples[0]["offset"] == ""


def accounted(result: extract.Extraction, tmp_path: Path) -> None:
    kept = result.samples
    assert result.rows == len(kept) + len(row_exclusions(result))
    names = [sample["sample"] for sample in kept]
    assert len(set(names)) == len(names)
    images = sum(bool(sample[phase]) for sample in kept for phase in tsv.PHASES)
    excluded = sum(bool(row["image"]) for row in result.excluded)
    assert 3 * len(kept) == images + excluded
    for sample in kept:
        for number in (sample["apex"], sample["offset"]):
            assert number == "" or number >= sample["onset"]
    for frame, schema in zip(
        result.frames(), (tsv.ANNOTATIONS, tsv.EXCLUDED, tsv.SUBSTITUTED), strict=True
    ):
        tsv.write(frame, tmp_path / "table.tsv", schema)
        assert len(tsv.read(tmp_path / "table.tsv", schema)) == len(frame)


CELLS = st.one_of(
    st.text(max_size=8),
    st.sampled_from(["", "/", "\\", "0", "46", "46.0", "sub01", "1", "EP1", "..", "fear", "nan"]),
    st.sampled_from(["micro-expression", "macro", "negative", "anger1_1", "s15", "\ud800", "\x00"]),
    st.integers(-5, 100),
    st.floats(),
    st.none(),
    st.booleans(),
)


def sheet_of(rows: list[list[object]]) -> Sheet:
    return sheets.sheet("data", enumerate(rows, start=1))


@pytest.mark.parametrize("policy", extract.APEX_POLICIES)
@pytest.mark.parametrize(
    ("database", "header"),
    [
        ("casme", ["Subject", "Filename", "OnsetF", "ApexF1", "OffsetF", "AU", "Emotion"]),
        ("casme2", HEADER),
        ("samm", HEADER),
        ("cas_me2", None),
    ],
)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(rows=st.lists(st.lists(CELLS, min_size=7, max_size=9), max_size=6))
def test_garbage_ends_in_rows_or_a_named_error(
    tmp_path, monkeypatch, database, header, policy, rows
):
    good: list[list[object]] = (
        [[1, "anger1_9", 5, 6, 7, "4", "negative", "micro-expression", "fear"]] * 7
        if header is None
        else [header]
    )
    book = Workbook(tmp_path / "t.xlsx", (sheet_of([*good, *rows]),))
    monkeypatch.setattr(extract.workbook, "read", lambda path: book)
    try:
        result = extract.extract(database, block(database, book.path), book.path, policy)
    except UserError as error:
        message = str(error)
    else:
        message = ""
        accounted(result, tmp_path)
        assert result.rows == len(book.sheets[0].rows) - (header is not None)
    assert not message or "t.xlsx" in message


def job(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, SCRIPTS / "job.py", "databases.extract", *arguments]
    return subprocess.run([str(part) for part in command], capture_output=True, text=True)


def outputs(folder: Path) -> list[object]:
    pairs = [(f"--{name}", folder / f"{name}.tsv") for name in ("samples", "excluded")]
    pairs += [(f"--{name}", folder / f"{name}.tsv") for name in ("substituted", "rows")]
    return [part for pair in pairs for part in pair]


def test_the_job(tmp_path):
    table(tmp_path, *CAS_ME2_ROWS, name="CAS(ME)^2code_final.xlsx")
    settings = json.dumps({"reader": "cas_me2", "root": str(tmp_path), "label": "self_reported"})
    out = tmp_path / "out"
    shown = job(
        *("--database", "mine", "--settings", settings, "--apex", "drop"),
        *outputs(out),
    )
    assert shown.returncode == 0, shown.stderr
    assert "4 rows read = 1 samples + 3 excluded" in shown.stdout
    samples = tsv.read(out / "samples.tsv", tsv.ANNOTATIONS)
    assert samples["sample"].tolist() == ["mine/s15/anger1_2/557"]
    assert [*samples.columns] == [
        *tsv.ANNOTATIONS,
        *("self_reported", "estimated", "expression_type", "video_code"),
    ]
    assert len(tsv.read(out / "excluded.tsv", tsv.EXCLUDED)) == 3
    assert tsv.read(out / "substituted.tsv", tsv.SUBSTITUTED).empty
    rows = pd.read_csv(out / "rows.tsv", sep="\t").to_dict("records")
    assert rows == [{"database": "mine", "table": "CAS(ME)^2code_final.xlsx", "rows": 4}]


def test_the_job_ends_in_one_message(tmp_path):
    settings = json.dumps({"reader": "samm", "root": str(tmp_path / "none")})
    shown = job(
        *("--database", "samm", "--settings", settings, "--apex", "drop"), *outputs(tmp_path)
    )
    assert shown.returncode == 1
    assert shown.stderr.startswith("Error: ")
    assert "Traceback" not in shown.stderr
    assert "no such folder" in shown.stderr
