"""The reader `table`: any table with a header, and templates of paths."""

from collections.abc import Mapping
from pathlib import Path

import openpyxl
import pytest

from database_tables import accounted, block, codes, extracted, write_text
from fleeting.databases import extract, reader, settings
from fleeting.databases.reader import normalised_name
from fleeting.errors import UserError

PATH = "{subject}/{clip}/img{frame}.jpg"
LINES = (
    "Subject,Filename,OnsetFrame,ApexFrame,OffsetFrame,Action Units,Emotion",
    "S1,clip_a,46,59,86,4+7,Happiness ",
    "S2,clip b,10,/,30,,fear",
)


def run(folder: Path, *lines: str, apex: str = "drop", **keys: object) -> extract.Extraction:
    """A text table of these lines; `keys` are those of the database's block, by default a path."""
    path = write_text(folder / "clips.csv", *lines)
    return extracted(path, "table", apex, **(keys or {"path": PATH}))


def location_of(sample: Mapping[str, str], **keys: object) -> tuple[list[str], reader.ClipLocation]:
    """The folders at which a sample's frames lie, and the location itself."""
    given = block("table", Path("t"), **keys)
    (only,) = reader.load("table").clip_locations("", "", sample, given)
    return [level.pattern.replace("\\", "") for level in only.levels], only


def frame_of(location: reader.ClipLocation, name: str) -> int | None:
    match = location.file.fullmatch(normalised_name(name))
    return int(match["frame"]) if match else None


def test_samples(tmp_path):
    result = run(tmp_path, *LINES)
    assert result.samples[0] == {
        "sample": "mine/S1/clip_a/46",
        "database": "mine",
        "subject": "S1",
        "clip": "clip_a",
        "onset": 46,
        "apex": 59,
        "offset": 86,
        "emotion": "happiness",
        "action_units": "4+7",
        "table": "clips.csv",
        "table_row": 2,
        "path": "S1/clip_a/img{frame}.jpg",
    }
    (excluded,) = result.excluded
    assert (excluded["image"], excluded["code"]) == ("mine/S2/clip b/10/apex", "apex_missing")
    accounted(result, tmp_path)


@pytest.mark.parametrize(
    "headings",
    [
        "participant,video,onset,apex,offset,action unit,label",
        "Sub,Clip Name,Onset F,ApexF1,Offset-Frame,AUs,EMOTION",
        "subject_id,sequence,start,peak,end,Action Units,Expression",
    ],
)
def test_columns_are_found_by_their_usual_names(tmp_path, headings):
    (sample,) = run(tmp_path, headings, LINES[1]).samples
    assert (sample["onset"], sample["apex"], sample["offset"]) == (46, 59, 86)
    assert (sample["emotion"], sample["action_units"]) == ("happiness", "4+7")


def test_headings_of_the_config_win(tmp_path):
    columns = {"subject": "被试", "clip": "片段", "onset": "起始", "emotion": "emotion (b)"}
    lines = ("被试,片段,起始,Emotion (A),Emotion (B),Emotion", "一,甲,5,fear,anger,sad")
    (sample,) = run(tmp_path, *lines, path=PATH, columns=columns).samples
    assert (sample["sample"], sample["emotion"]) == ("mine/一/甲/5", "anger")


ALL = "Subject,Clip,Onset,Emotion"


@pytest.mark.parametrize(
    ("headings", "keys", "message"),
    [
        ("Subject,Clip,Emotion", {}, "row 1: no column for the onset; accepted headings: 'onsetf"),
        ("Who,Clip,Onset,Emotion", {}, "no header row .*; found: Who, Clip, Onset, Emotion; give"),
        (
            ALL,
            {"columns": {"apex": "Peak"}},
            "the apex; accepted headings: 'Peak'; found: Subject, .*columns: {subject: Person}",
        ),
        (ALL, {"path": "{Camera}/{frame}.jpg"}, "no column for the Camera; .* found: Subject, Cl"),
        (ALL, {"path": "{clip}_{offset}/{frame}.jpg"}, "no column for the offset"),
    ],
)
def test_a_missing_column_is_named_with_the_headings_found(tmp_path, headings, keys, message):
    with pytest.raises(UserError, match=f"clips.csv.*{message}"):
        run(tmp_path, headings, "a,b,3,c", **{"path": PATH, **keys})


def test_a_table_without_apex_or_offset(tmp_path, caplog):
    caplog.set_level("INFO")
    result = run(tmp_path, ALL, "S1,a,5,fear", "S1,b,7,fear")
    assert [(s["onset"], s["apex"], s["offset"]) for s in result.samples] == [
        (5, "", ""),
        (7, "", ""),
    ]
    assert (result.excluded, result.substituted) == ([], [])
    assert caplog.text.count("clips.csv: has no column for the apex") == 1


def test_a_midpoint_that_cannot_be_taken_is_accounted_for(tmp_path):
    lines = ("Subject,Clip,Onset,Offset,Emotion", "S1,a,5,9,fear", "S1,b,5,,fear")
    result = run(tmp_path, *lines, apex="midpoint")
    assert [sample["apex"] for sample in result.samples] == [7, ""]
    assert [(row["image"], row["code"]) for row in result.excluded] == [
        ("mine/S1/b/5/offset", "offset_missing"),
        ("mine/S1/b/5/apex", "apex_missing"),
    ]


@pytest.mark.parametrize(
    ("names", "alike"),
    [
        (("s1", "S1", "s2"), "'S1' and 's1'"),
        (("1", "01", "001", "10"), "'001' and '01' and '1'"),
        (("p 1", "p  01", "p1"), "'p 01' and 'p 1'"),
        (("s1", "s10", "s100", "1s"), None),
    ],
)
def test_subjects_that_are_spelt_alike_are_said(tmp_path, caplog, names, alike):
    lines = [f"{name},c,{place},fear" for place, name in enumerate(names, start=5)]
    extract.warn(run(tmp_path, ALL, *lines), accepted=False)
    said = "subjects whose names differ only in case or leading zeros are taken for different"
    assert (said in caplog.text) == bool(alike)
    assert f"people: {alike}. If" in caplog.text or not alike


def test_frames_and_labels_may_be_numbered_from_zero(tmp_path):
    result = run(tmp_path, ALL, "0,0,0,0", "0,0,,0", "/,1,2,0", "0,,1,0", "0,1,2,", "0,..,2,0")
    (sample,) = result.samples
    assert (sample["sample"], sample["emotion"]) == ("mine/0/0/0", "0")
    assert codes(result) == [
        *("onset_missing", "subject_missing", "clip_name_missing", "emotion_missing"),
        "unsafe_name",
    ]


@pytest.mark.parametrize(
    ("template", "folders", "name"),
    [
        (PATH, ["s1", "clip_a"], "IMG00046.JPG"),
        ("{clip}_{frame}.png", [], "clip_a_046.PNG"),
        ("{Camera}/s{Nr:03}/{frame:05}x.jpg", ["side view", "s007"], "00046X.jpg"),
        ("{AU}/{frame}", ["4+7"], "46"),
    ],
)
def test_templates(tmp_path, template, folders, name):
    lines = (f"{LINES[0]},Camera,Nr,AU", f"{LINES[1]},Side  View,7,4+7")
    keys = {"path": template, "columns": {"action_units": "Action Units"}}
    found, location = location_of(run(tmp_path, *lines, **keys).samples[0], **keys)
    assert found == folders
    assert frame_of(location, name) == 46


def test_only_names_of_the_template_are_frames():
    _, location = location_of({"path": "S1/a/img{frame}.jpg"}, path=PATH)
    assert frame_of(location, "img046.jpg") == 46
    for name in ("img46.png", "reg_img46.jpg", "img.jpg", "img46_2.jpg", "img46.jpg.jpg", "46.jpg"):
        assert frame_of(location, name) is None, name


def test_samples_of_a_clip_may_lie_in_different_folders(tmp_path):
    lines = (f"{ALL},Take", "S1,a,5,fear,1", "S1,a,9,fear,2")
    samples = run(tmp_path, *lines, path="{Take}/{clip}{frame}.jpg").samples
    assert [sample["path"] for sample in samples] == ["1/a{frame}.jpg", "2/a{frame}.jpg"]


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("", "path_incomplete"),
        ("/", "path_incomplete"),
        ("..", "unsafe_name"),
        ("/etc", "unsafe_name"),
        ("{frame}", "unsafe_name"),
    ],
)
def test_a_cell_that_leads_elsewhere(tmp_path, cell, code):
    lines = (f"{ALL},In", "S1,a,5,fear,x/y", f"S1,b,5,fear,{cell}")
    result = run(tmp_path, *lines, path="{In}/{clip}/{frame}.jpg")
    assert [sample["path"] for sample in result.samples] == ["x/y/a/{frame}.jpg"]
    assert codes(result) == [code]


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"columns": {}}, "give `path`, `picture` or both"),
        ({"path": "{subject}/{clip}.jpg"}, "{frame} must stand once, in the file's name"),
        ({"path": "{frame}/{clip}.jpg"}, "{frame} must stand once"),
        ({"path": "{frame}{frame}.jpg"}, "{frame} must stand once"),
        ({"path": "/data/{frame}.jpg"}, "give a path relative to `frames`"),
        ({"path": "../{frame}.jpg"}, "give a path relative to `frames`"),
        ({"path": "{subject}\\{frame}.jpg"}, "with / between the folders"),
        ({"path": "{}/{frame}.jpg"}, "placeholders look like"),
        ({"path": "{clip!r}/{frame}.jpg"}, "placeholders look like"),
        ({"path": "{clip:0999}/{frame}.jpg"}, "placeholders look like"),
        ({"path": "{clip/{frame}.jpg"}, "expected"),
        ({"picture": "{clip}/{frame}.jpg"}, "one picture of a clip has no {frame}"),
        ({"path": PATH, "columns": {"subjekt": "x"}}, "do you mean 'subject'"),
        ({"path": PATH, "columns": {"subject": ""}}, "at least 1 character"),
        ({"path": PATH, "root": "/data"}, "give either `root`, or both"),
        ({"path": PATH, "table": None}, "table"),
    ],
)
def test_wrong_settings_are_named(keys, message):
    with pytest.raises(UserError) as error:
        settings.load("mine", {"reader": "table", "table": "t.csv", "frames": "f", **keys})
    assert message in str(error.value)


def test_settings_survive_json():
    complete = block("table", Path("t.csv"), path=PATH, columns={"subject": "Who"})
    assert settings.load("mine", complete.model_dump(mode="json")) == complete


def test_pictures_need_no_frame_numbers(tmp_path):
    keys = {"picture": "flow/{subject}/{clip}.PNG"}
    lines = ("subject,clip,label", "s01,s01_po_01,positive", "s02,x,negative")
    result = run(tmp_path, *lines, **keys)
    sample = result.samples[0]
    assert (sample["sample"], sample["onset"]) == ("mine/s01/s01_po_01/0", 0)
    assert (sample["apex"], sample["offset"]) == ("", "")
    assert sample["picture"] == "flow/s01/s01_po_01.PNG"
    assert "path" not in sample
    assert result.excluded == []
    with pytest.raises(UserError, match="has ready pictures and no frames; give .* `path`"):
        location_of(sample, **keys)


def test_pictures_keep_an_onset_that_is_stated(tmp_path):
    lines = ("subject,clip,onset,label", "s01,a,5,x", "s01,b,,x", "s01,c,?,x")
    result = run(tmp_path, *lines, picture="{clip}.png")
    assert [sample["onset"] for sample in result.samples] == [5, 0]
    assert codes(result) == ["onset_not_a_number"]


def test_a_column_may_name_the_picture(tmp_path):
    lines = ("subject,clip,label,file name", "s01,a,x,s01/a 1.png", "s01,b,x,../a.png")
    result = run(tmp_path, *lines, picture="{File Name}", columns={"clip": "clip"})
    assert [sample["picture"] for sample in result.samples] == ["s01/a 1.png"]
    assert codes(result) == ["unsafe_name"]


def test_a_row_may_name_frames_and_a_picture(tmp_path):
    (sample, _) = run(tmp_path, *LINES, path=PATH, picture="{clip}.png").samples
    assert (sample["path"], sample["picture"]) == ("S1/clip_a/img{frame}.jpg", "clip_a.png")


def test_a_workbook(tmp_path):
    book = openpyxl.Workbook()
    book.create_sheet("clips")
    for row in (["About"], ["Subject", "Clip", "Onset", "Emotion"], [1, "a", 5, "fear"]):
        book["clips"].append(row)
    book.save(tmp_path / "clips.xlsx")
    (sample,) = extracted(tmp_path / "clips.xlsx", "table", path=PATH).samples
    assert (sample["sample"], sample["table_row"]) == ("mine/1/a/5", 3)


def test_the_readers_of_published_databases_take_only_their_own_headings(tmp_path):
    path = write_text(tmp_path / "clips.csv", "Sub,Clip,Start,Emotion", "1,a,5,fear")
    with pytest.raises(UserError, match="found: Sub, Clip, Start, Emotion"):
        extracted(path, "casme2")
