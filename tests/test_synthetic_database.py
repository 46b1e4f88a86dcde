"""Synthetic databases: formats, oddities, truth, and what stays when something is added."""

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
import xlrd
from openpyxl import load_workbook

from fleeting import registry, tsv
from fleeting.errors import UserError
from fleeting.synthetic.database import TRUTH, write, write_all
from fleeting.synthetic.format import QUIRKS
from fleeting.synthetic.plan import plan
from fleeting.synthetic.settings import settings

DATABASES = ("cas_me2", "casme", "casme2", "samm")
CLASSES = {"disgust", "happiness", "others", "repression", "surprise", "tense"}
TINY = {
    "subjects": dict.fromkeys(DATABASES, 2),
    "clips_per_subject": 2,
    "frames_per_clip": 3,
}
ONE = {**TINY, "subjects": dict.fromkeys(DATABASES, 1), "clips_per_subject": 1}


@pytest.fixture(scope="module")
def databases(tmp_path_factory):
    return write_all(tmp_path_factory.mktemp("databases"), TINY)


def planned(database, block):
    return plan(registry.load("synthetic", database).FORMAT, settings(block))


def contents(folder: Path) -> dict[str, bytes]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def raw(table: Path, sheet: int = 0) -> list[list[object]]:
    """The cells of a sheet as they are stored, formulas as text."""
    if table.suffix == ".xls":
        cells = xlrd.open_workbook(table).sheet_by_index(sheet)
        return [[cell or None for cell in cells.row_values(row)] for row in range(cells.nrows)]
    return [list(row) for row in load_workbook(table).worksheets[sheet].iter_rows(values_only=True)]


def test_names_of_tables_and_folders_are_those_of_the_real_copies(databases):
    tables_ = {name: place["table"].name for name, place in databases.items()}
    assert tables_ == {
        "cas_me2": "CAS(ME)^2code_final.xlsx",
        "casme": "CASME-coded-20190721.xls",
        "casme2": "CASME2-coding-20190701.xlsx",
        "samm": "SAMM_Micro_FACS_Codes_v2.xlsx",
    }
    for place in databases.values():
        assert place["table"].is_file()
        assert not place["table"].is_relative_to(place["frames"])


def test_casme_table(databases):
    header, *rows = raw(databases["casme"]["table"])
    assert [title for title in header if title] == (
        "Subject Filename OnsetF ApexF1 ApexF2 OffsetF Onset Total AU Emotion".split()
    )
    assert header[2] is None
    assert header[7] is None
    for row, clip in zip(rows, planned("casme", TINY), strict=True):
        assert row[0] == clip.subject_index + 1
        assert row[8] == round((clip.apex - clip.onset + 1) * 1000 / 60, 2)
        assert row[9] == round((clip.offset - clip.onset + 1) * 1000 / 60, 2)
    assert "\\" in [row[5] for row in rows]
    names = [(row[0], row[1]) for row in rows]
    assert len(set(names)) < len(names)


def test_casme2_table(databases):
    header, *rows = raw(databases["casme2"]["table"])
    assert header[0] == "Subject"
    assert header[2] is None
    assert header[-1] == "Objective Classes"
    assert {row[0] for row in rows} == {"01", "02"}
    assert {"/", "\\"} <= {row[4] for row in rows}
    assert {type(row[7]) for row in rows} == {int, str}
    workbook = load_workbook(databases["casme2"]["table"])
    assert workbook.sheetnames == ["Sheet1", "Sheet2", "Sheet3"]
    assert [sheet.max_row for sheet in workbook.worksheets[1:]] == [1, 1]


def test_cas_me2_table(databases):
    table = databases["cas_me2"]["table"]
    rows = raw(table)
    assert rows[0][0] == 1
    assert {len(row) for row in rows} == {9}
    assert {row[7] for row in rows} == {"micro-expression", "macro-expression"}
    assert [row[7] for row in rows if row[4] == 0] == ["macro-expression"]
    subjects, videos = raw(table, 1), raw(table, 2)
    assert [row[0] for row in subjects] == [
        *(15, 16, 19, 20, 21, 22, 23, 24, 25, 26, 27, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 40)
    ]
    assert subjects[1] == [16, "s16", 2]
    assert videos[0] == [101, "disgust1"]
    assert len(videos) == 9


def test_samm_table(databases):
    rows = raw(databases["samm"]["table"])
    assert rows[13][:3] == ["Subject", "Filename", "Inducement Code"]
    data = rows[14:]
    assert {row[0] for row in data} == {"006", "007"}
    assert data[0][6] == "=F15-D15+1"
    assert {"Other", "Happiness"} <= {row[9] for row in data}


def test_frames_look_like_those_of_the_real_copies(databases):
    shapes = {
        name: {
            cv2.imread(str(path), cv2.IMREAD_UNCHANGED).shape
            for path in place["frames"].rglob("*.jpg")
        }
        for name, place in databases.items()
    }
    assert shapes == {
        "cas_me2": {(480, 640, 3)},
        "casme": {(480, 640, 3), (720, 1280, 3)},
        "casme2": {(480, 640, 3)},
        "samm": {(1088, 2040)},
    }
    assert all(file.stat().st_size < 400_000 for file in databases["samm"]["frames"].rglob("*.jpg"))
    names = {
        name: {path.relative_to(place["frames"]).as_posix() for path in files(place["frames"])}
        for name, place in databases.items()
    }
    assert any(name.startswith("Section B/sub01/EP01_12/EP01_12-") for name in names["casme"])
    assert "sub01/EP02_01f.avi" in names["casme2"]
    assert any(name.startswith("sub01/EP02_01f/img") for name in names["casme2"])
    assert any(name.startswith("selectedpic/s16/") for name in names["cas_me2"])
    assert any(name.startswith("rawpic/rawpic/s15/15_0") for name in names["cas_me2"])
    stems = {len(Path(name).stem) for name in names["samm"]}
    assert stems == {8, 9}


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize("database", DATABASES)
def test_sound_rows_have_their_frames_and_odd_rows_what_their_oddity_says(databases, database):
    form = registry.load("synthetic", database).FORMAT
    for clip in planned(database, TINY):
        numbers = {"onset": clip.onset, "apex": clip.apex, "offset": clip.offset}
        found = {
            phase: (databases[database]["frames"] / form.frame_path(clip, number, False)).is_file()
            for phase, number in numbers.items()
        }
        stated = (clip.stated_onset, clip.stated_apex, clip.stated_offset, clip.stated_emotion)
        true = (*numbers.values(), clip.emotion)
        if clip.quirk in ("clip_missing", "order_violation"):
            assert not any(found.values())
        elif clip.quirk in ("frame_missing", "frame_near"):
            assert found == {"onset": True, "apex": False, "offset": True}
        else:
            assert all(found.values()), clip
        if clip.quirk in ("", "clip_missing", "frame_missing", "frame_near", "macro"):
            assert stated == true


def test_every_oddity_occurs_somewhere():
    assert {clip.quirk for name in DATABASES for clip in planned(name, {})} == {"", *QUIRKS}


def test_truth_has_a_line_for_each_row_of_the_table(tmp_path):
    table, frames = tmp_path / "samm.xlsx", tmp_path / "frames"
    truth = write("samm", ONE, table, frames)
    cells = raw(table)
    for line in truth.itertuples():
        row = cells[line.table_row - 1]
        assert row[1] == line.clip
        assert line.sample == f"samm/{line.subject}/{line.clip}/{row[3]}"
    assert truth["apex_intensity"].eq(1.0).all()
    assert truth["onset_intensity"].eq(0.4).all()
    tsv.write(truth, tmp_path / "truth.tsv", TRUTH)
    assert len(tsv.read(tmp_path / "truth.tsv", TRUTH)) == len(truth)


def test_the_same_settings_give_the_same_bytes(tmp_path):
    for name in ("first", "second"):
        write("casme", ONE, tmp_path / name / "table.xls", tmp_path / name / "frames")
    assert contents(tmp_path / "first") == contents(tmp_path / "second")
    write("casme", {**ONE, "seed": 2}, tmp_path / "third" / "table.xls", tmp_path / "third/frames")
    assert contents(tmp_path / "third") != contents(tmp_path / "first")


@pytest.mark.parametrize("database", DATABASES)
def test_one_more_subject_leaves_the_planned_rows_of_the_others(database):
    more = {"subjects": {database: 8}}
    fewer = planned(database, {"subjects": {database: 5}})
    assert planned(database, more)[: len(fewer)] == fewer


def test_one_more_subject_leaves_the_frames_of_the_others(tmp_path):
    small = write("casme2", ONE, tmp_path / "a" / "casme2.xlsx", tmp_path / "a" / "frames")
    two = {**ONE, "subjects": {"casme2": 2}}
    large = write("casme2", two, tmp_path / "b" / "casme2.xlsx", tmp_path / "b" / "frames")
    before, after = contents(tmp_path / "a" / "frames"), contents(tmp_path / "b" / "frames")
    assert {name: after[name] for name in before} == before
    assert {Path(name).parts[0] for name in set(after) - set(before)} == {"sub02"}
    assert large.head(len(small)).equals(small)


def test_the_frames_folder_is_written_anew(tmp_path):
    stale = tmp_path / "frames" / "sub01" / "img1.jpg"
    stale.parent.mkdir(parents=True)
    stale.write_bytes(b"")
    write("casme2", ONE, tmp_path / "table.xlsx", tmp_path / "frames")
    assert not stale.exists()


def test_the_default_plan_is_enough_to_learn_six_classes():
    rows = pd.DataFrame(
        [
            (name, clip.subject, clip.subject_index, clip.emotion)
            for name in DATABASES
            for clip in planned(name, {})
            if clip.quirk == ""
        ],
        columns=["database", "subject", "index", "emotion"],
    )
    counts = rows["emotion"].value_counts()
    assert all(counts[name] >= 16 for name in CLASSES)
    assert set(counts.index) > CLASSES
    offers = rows.groupby("emotion")["database"].unique().map(set)
    assert offers["tense"] == {"casme"}
    assert offers["repression"] == {"casme", "casme2"}
    for _, subjects in rows[rows["emotion"].isin(CLASSES)].groupby(["database", "emotion"]):
        assert subjects["subject"].nunique() >= 2
    # One subject of each database, held out, shows all six classes.
    assert set(rows.loc[rows["index"] == 1, "emotion"]) >= CLASSES


def test_an_expression_is_seen_in_the_frames(tmp_path):
    still = {**ONE, "noise": 0, "intensity": {"onset": 0.0, "apex": 0.0, "offset": 0.0}}
    changes = []
    for name, block in (("still", still), ("moving", {**ONE, "noise": 0})):
        write("cas_me2", block, tmp_path / f"{name}.xlsx", tmp_path / name)
        paths = sorted((tmp_path / name).glob("selectedpic/s15/disgust1_1/*.jpg"), key=number)
        images = [cv2.imread(str(path)).astype(float) for path in paths]
        changes.append(np.abs(images[1] - images[0])[150:350, 220:430].mean())
    assert changes[1] > 1.2 * changes[0]


def number(path: Path) -> int:
    return int("".join(filter(str.isdigit, path.stem)))


def test_provider_crops(tmp_path):
    block = {
        **ONE,
        "provider_crops": ["casme2", "cas_me2"],
        "subjects": {"casme2": 1, "cas_me2": 1},
    }
    places = write_all(tmp_path, block)
    assert places["casme2"]["frames"] == tmp_path / "CASME2" / "Cropped"
    crop = next(places["casme2"]["frames"].rglob("reg_img*.jpg"))
    height, width = cv2.imread(str(crop)).shape[:2]
    assert 250 < width < 300 < height < 360
    assert next((tmp_path / "CAS(ME)^2" / "cropped" / "15").rglob("img*.jpg"))
    with pytest.raises(UserError, match="'casme', 'casme2' or 'cas_me2'"):
        write("samm", {"provider_crops": ["samm"]}, tmp_path / "t.xlsx", tmp_path / "frames")


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ({"subject": {}}, "unknown key 'subject'"),
        ({"frames_per_clip": 2}, "frames_per_clip"),
        ({"clips_per_subject": 0}, "clips_per_subject"),
        ({"intensity": {"apex": 1.0}}, "intensity"),
        ({"noise": -1}, "noise"),
        ({"subjects": {}}, "no number of subjects for cas_me2"),
        ({"subjects": {"cas_me2": 23}}, "at most 22"),
    ],
)
def test_wrong_settings_are_named(tmp_path, block, message):
    with pytest.raises(UserError, match=message):
        write("cas_me2", block, tmp_path / "table.xlsx", tmp_path / "frames")
    assert not (tmp_path / "frames").exists()


def test_script(tmp_path):
    script = Path(__file__).parents[1] / "workflow" / "scripts" / "job.py"
    command = [sys.executable, str(script), "synthetic.database"]
    command += ["--database", "cas_me2", "--settings"]
    places = ["--table", "t (1).xlsx", "--frames", "CAS(ME)^2 frames", "--truth", "truth.tsv"]
    block = '{"subjects": {"cas_me2": 1}, "clips_per_subject": 1, "frames_per_clip": 3}'
    subprocess.run([*command, block, *places], cwd=tmp_path, check=True)
    truth = tsv.read(tmp_path / "truth.tsv", TRUTH)
    assert list((tmp_path / "CAS(ME)^2 frames" / "selectedpic").iterdir())
    assert len(truth) == len(raw(tmp_path / "t (1).xlsx"))
    failed = subprocess.run(
        [*command, '{"seeds": 1}', *places], cwd=tmp_path, capture_output=True, text=True
    )
    assert failed.returncode == 1
    assert "unknown key 'seeds'" in failed.stderr
    assert "Traceback" not in failed.stderr
