"""Synthetic databases: formats, oddities, truth, and what stays when something is added."""

import hashlib
import json
import re
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
import xlrd
from openpyxl import load_workbook
from pydantic import ValidationError

from conftest import made_once
from fleeting import jobs, tsv
from fleeting.errors import UserError
from fleeting.synthetic.database import TRUTH, run, write, write_all
from fleeting.synthetic.format import QUIRKS, load_format
from fleeting.synthetic.plan import frames_on_disk, plan
from fleeting.synthetic.settings import Settings

DATABASES = ("cas_me2", "casme", "casme2", "samm")
CLASSES = {"disgust", "happiness", "others", "repression", "surprise", "tense"}
TINY = {"subjects": dict.fromkeys(DATABASES, 2), "clips_per_subject": 2, "frames_per_clip": 3}
ONE = {**TINY, "subjects": dict.fromkeys(DATABASES, 1), "clips_per_subject": 1}


@pytest.fixture(scope="module")
def databases(tmp_path_factory):
    session = tmp_path_factory.getbasetemp()
    root = made_once(session, "tiny databases", lambda folder: write_all(folder, TINY))
    forms = {name: load_format(name) for name in DATABASES}
    return {
        name: {"table": root / form.TABLE, "frames": root / form.FRAMES}
        for name, form in forms.items()
    }


def planned(database, block):
    return plan(database, Settings(**block))


def contents(folder: Path) -> dict[str, bytes]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def raw(table: Path, sheet: int = 0) -> list[list[object]]:
    """The cells of a sheet as they are stored, formulas as text."""
    if table.suffix == ".xls":
        cells = xlrd.open_workbook(table).sheet_by_index(sheet)
        return [cells.row_values(row) for row in range(cells.nrows)]
    return [list(row) for row in load_workbook(table).worksheets[sheet].iter_rows(values_only=True)]


@pytest.mark.parametrize(
    ("database", "place", "expected"),
    [
        ("casme", (0, 0), "Subject Filename  OnsetF ApexF1 ApexF2 OffsetF  Onset Total AU Emotion"),
        ("casme", (0, 2), "1.0 EP01_5  44.0 53.0 55.0 65.0  166.67 366.67 15.0 repression"),
        ("casme", (0, 5), "1.0 EP03  89.0 \\ 99.0 109.0  150.0 350.0 1+2+5+26 surprise"),
        ("casme2", (0, 1), "01 EP02_01f  139 167 213  4 others 3"),
        ("casme2", (0, 3), "01 EP02_03  84 / 154  9 disgust 4"),
        ("cas_me2", (0, 0), "1 disgust1_1 628 635 643 9 negative micro-expression disgust"),
        ("cas_me2", (0, 8), "2 happy4_9 789 795 0 1+2+5+26 surprise macro-expression surprise"),
        ("cas_me2", (1, 1), "16 s16 2"),
        ("cas_me2", (2, 0), "101 disgust1"),
        ("samm", (0, 14), "006 006_1_1 1 5802 5837 5883 =F15-D15+1 Micro_-_1/2 4 Other 7 "),
    ],
)
def test_rows_look_like_those_of_the_real_tables(databases, database, place, expected):
    sheet, row = place
    cells = raw(databases[database]["table"], sheet)[row]
    texts = ["" if cell is None else str(cell).replace(" ", "_") for cell in cells]
    assert " ".join(texts) == expected


def test_files_and_headers_are_named_as_in_the_real_copies(databases):
    assert {name: paths["table"].name for name, paths in databases.items()} == {
        "cas_me2": "CAS(ME)^2code_final.xlsx",
        "casme": "CASME-coded-20190721.xls",
        "casme2": "CASME2-coding-20190701.xlsx",
        "samm": "SAMM_Micro_FACS_Codes_v2.xlsx",
    }
    assert raw(databases["casme2"]["table"])[0][-2:] == ["Estimated Emotion", "Objective Classes"]
    assert raw(databases["samm"]["table"])[13][:3] == ["Subject", "Filename", "Inducement Code"]
    assert load_workbook(databases["casme2"]["table"]).sheetnames == ["Sheet1", "Sheet2", "Sheet3"]
    assert len(raw(databases["cas_me2"]["table"], 1)) == 22


@pytest.mark.parametrize(
    ("database", "shapes", "patterns"),
    [
        ("cas_me2", {(480, 640, 3)}, ["selectedpic/s16/", r"rawpic/rawpic/s15/15_0.*/img\d+\.jpg"]),
        ("casme", {(480, 640, 3), (720, 1280, 3)}, [r"Section B/sub01/EP01_12/EP01_12-\d{3}\.jpg"]),
        ("casme2", {(480, 640, 3)}, [r"sub01/EP02_01f\.avi", r"sub01/EP02_01f/img\d+\.jpg"]),
        ("samm", {(1088, 2040)}, [r"006/006_1_1/006_\d{4}\.jpg", r"007/007_2_1/007_\d{5}\.jpg"]),
    ],
)
def test_frames_look_like_those_of_the_real_copies(databases, database, shapes, patterns):
    folder = databases[database]["frames"]
    frames = list(folder.rglob("*.jpg"))
    assert {cv2.imread(str(path), cv2.IMREAD_UNCHANGED).shape for path in frames} == shapes
    assert all(path.stat().st_size < 400_000 for path in frames)
    for pattern in patterns:
        assert any(re.match(pattern, name) for name in contents(folder)), pattern


@pytest.mark.parametrize("database", DATABASES)
def test_sound_rows_have_their_frames_and_odd_rows_what_their_oddity_says(databases, database):
    form = load_format(database)
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


def test_all_frames_are_those_of_the_movement_but_for_oddities_of_the_frames():
    for database in DATABASES:
        for clip in planned(database, {**TINY, "frames_per_clip": "all"}):
            numbers = frames_on_disk(clip, "all")
            if clip.quirk in ("frame_missing", "frame_near", "clip_missing"):
                assert numbers == frames_on_disk(clip, 3)
            elif clip.quirk not in ("duplicated_key", "order_violation"):
                assert numbers == list(range(clip.onset, clip.offset + 1))


@pytest.mark.parametrize("value", [2, 9, "some", [3]])
def test_numbers_of_frames_that_no_clip_has(value):
    with pytest.raises(ValidationError, match="is not all, or a number from 3 to 8"):
        Settings(frames_per_clip=value)


@pytest.mark.parametrize(
    ("database", "table", "frame", "pixels"),
    [
        (
            "casme2",
            "3838643d258172cd",
            "sub01/EP02_01f/img167.jpg",
            [[118, 146, 151, 153, 160], [119, 19, 127, 151, 73], [115, 134, 122, 149, 147]],
        ),
        (
            "samm",
            "129a44200ea60cde",
            "006/006_1_1/006_5837.jpg",
            [[45, 68, 92, 92, 29], [132, 108, 103, 73, 82], [101, 106, 102, 67, 88]],
        ),
    ],
)
def test_what_is_drawn_by_default_stays(databases, database, table, frame, pixels):
    """New settings leave the demo as it is: recorded before disturbances were added."""
    cells = json.dumps(load_format(database).sheets(planned(database, {})))
    assert hashlib.sha256(cells.encode()).hexdigest()[:16] == table
    image = cv2.imread(str(databases[database]["frames"] / frame), cv2.IMREAD_GRAYSCALE)
    y, x = image.shape[0] // 2, image.shape[1] // 2
    # Whole files would say more, but processors round the last digit of a float in several ways.
    # Other noise, of a standard deviation of 1.5, would be seen.
    found = image[y - 40 : y + 32 : 24, x - 60 : x + 60 : 24].astype(int)
    assert np.abs(found - pixels).max() <= 1


def test_every_oddity_occurs_somewhere():
    assert {clip.quirk for name in DATABASES for clip in planned(name, {})} == {"", *QUIRKS}


def test_workbooks_hold_no_times(databases):
    with zipfile.ZipFile(databases["samm"]["table"]) as workbook:
        assert {entry.date_time for entry in workbook.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert b"modified" not in workbook.read("docProps/core.xml")


def test_the_same_settings_give_the_same_bytes(tmp_path):
    for name, seed in (("first", 1), ("second", 1), ("third", 2)):
        folder = tmp_path / name
        write("casme", {**ONE, "seed": seed}, folder / "table.xls", folder / "frames")
    first, second, third = (contents(tmp_path / name) for name in ("first", "second", "third"))
    assert first == second
    assert first != third
    assert planned("casme", ONE) != planned("casme", {**ONE, "seed": 2})


@pytest.mark.parametrize("database", DATABASES)
def test_one_more_subject_leaves_the_planned_rows_of_the_others(database):
    more = {"subjects": {database: 8}}
    fewer = planned(database, {"subjects": {database: 5}})
    assert planned(database, more)[: len(fewer)] == fewer


def test_one_more_subject_leaves_the_frames_of_the_others(tmp_path):
    stale = tmp_path / "a" / "sub01" / "img1.jpg"
    stale.parent.mkdir(parents=True)
    stale.write_bytes(b"")
    small = write("casme2", ONE, tmp_path / "a.xlsx", tmp_path / "a")
    assert not stale.exists()
    two = {**ONE, "subjects": {"casme2": 2}}
    large = write("casme2", two, tmp_path / "b.xlsx", tmp_path / "b")
    before, after = contents(tmp_path / "a"), contents(tmp_path / "b")
    assert {name: after[name] for name in before} == before
    assert {Path(name).parts[0] for name in set(after) - set(before)} == {"sub02"}
    assert large.head(len(small)).equals(small)


def test_the_default_plan_is_enough_to_learn_six_classes():
    rows = pd.DataFrame(
        [clip for name in DATABASES for clip in planned(name, {}) if clip.quirk == ""]
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
    assert set(rows.loc[rows["subject_index"] == 1, "emotion"]) >= CLASSES


def test_an_expression_is_seen_in_the_frames(tmp_path):
    still = {"onset": 0.0, "apex": 0.0, "offset": 0.0}
    changes = []
    for name, block in (("still", {"intensity": still}), ("moving", {})):
        write("cas_me2", {**ONE, "noise": 0, **block}, tmp_path / "t.xlsx", tmp_path / name)
        paths = (tmp_path / name).glob("selectedpic/s15/disgust1_1/*.jpg")
        frames = sorted(paths, key=lambda path: int(path.stem.removeprefix("img")))
        onset, apex, _ = (cv2.imread(str(path)).astype(float) for path in frames)
        changes.append(np.abs(apex - onset)[150:350, 220:430].mean())
    assert changes[1] > 1.2 * changes[0]


def test_provider_crops(tmp_path):
    subjects = {"casme2": 1, "cas_me2": 1}
    block = {**ONE, "provider_crops": ["casme2", "cas_me2"], "subjects": subjects}
    places = write_all(tmp_path, block)
    assert places["casme2"]["frames"] == tmp_path / "CASME2" / "Cropped"
    crop = next(places["casme2"]["frames"].rglob("reg_img*.jpg"))
    height, width = cv2.imread(str(crop)).shape[:2]
    assert 250 < width < 300 < height < 360
    assert next((tmp_path / "CAS(ME)^2" / "cropped" / "15").rglob("img*.jpg"))


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ('{"subjects": {}}', "no number of subjects for cas_me2"),
        ('{"subjects": {"cas_me2": 23}}', "at most 22"),
        ('{"seeds": 1}', "unknown key 'seeds'"),
        ('{"provider_crops": ["samm"]}', "'casme', 'casme2' or 'cas_me2'"),
        ('{"intensity": {"apex": 1.0}}', "intensity"),
    ],
)
def test_wrong_settings_are_named(tmp_path, block, message):
    with pytest.raises(UserError, match=message):
        job(tmp_path, block)
    assert not (tmp_path / "CAS(ME)^2 frames").exists()


def job(folder: Path, block: str) -> None:
    """The job as its rule calls it, in place of CAS(ME)^2."""
    places = {"table": "t (1).xlsx", "frames": "CAS(ME)^2 frames", "truth": "truth.tsv"}
    files = [part for name, path in places.items() for part in (f"--{name}", str(folder / path))]
    jobs.call(run, ["--database", "cas_me2", "--settings", block, *files])


def test_the_job_writes_a_line_of_truth_for_each_row_of_the_table(tmp_path):
    job(tmp_path, '{"subjects": {"cas_me2": 1}, "clips_per_subject": 1, "frames_per_clip": 3}')
    assert list((tmp_path / "CAS(ME)^2 frames" / "selectedpic").iterdir())
    truth = tsv.read_rows(tmp_path / "truth.tsv", TRUTH)
    cells = raw(tmp_path / "t (1).xlsx")
    assert len(truth) == len(cells)
    for line in truth:
        row = cells[int(line["table_row"]) - 1]
        assert row[1] == line["clip"]
        assert line["sample"] == f"cas_me2/{line['subject']}/{line['clip']}/{row[2]}"
    intensities = {(line["onset_intensity"], line["apex_intensity"]) for line in truth}
    assert intensities == {("0.400000", "1.000000")}
