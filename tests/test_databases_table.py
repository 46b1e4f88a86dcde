"""The reader `table`: any table with a header, and templates of paths."""

from collections.abc import Mapping
from pathlib import Path

import openpyxl
import pytest

from fleeting import tsv
from fleeting.databases import extract, find, reader, settings, workbook
from fleeting.databases.reader import fold
from fleeting.errors import UserError

PATH = "{subject}/{clip}/img{frame}.jpg"
LINES = (
    "Subject,Filename,OnsetFrame,ApexFrame,OffsetFrame,Action Units,Emotion",
    "S1,clip_a,46,59,86,4+7,Happiness ",
    "S2,clip b,10,/,30,,fear",
)


def table(folder: Path, *lines: str, name: str = "clips.csv", encoding: str = "utf-8") -> Path:
    (folder / name).write_bytes("\n".join(lines).encode(encoding))
    return folder / name


def block(file: Path, **keys: object) -> settings.DatabaseSettings:
    keys = keys or {"path": PATH}
    return settings.load("mine", {"reader": "table", "table": file, "frames": "/data", **keys})


def run(file: Path, apex: str = "drop", **keys: object) -> extract.Extraction:
    return extract.extract("mine", block(file, **keys), file, apex)


def place(sample: Mapping[str, str], **keys: object) -> tuple[list[str], reader.Place]:
    """The folders at which a sample's frames lie, and the place itself."""
    found = reader.load("table").places(
        sample["subject"], sample["clip"], sample, block(Path("t"), **keys)
    )
    (only,) = found
    assert only.file is not None, "the place is exact"
    return [level.pattern.replace("\\", "") for level in only.levels], only


def frame_of(place: reader.Place, name: str) -> int | None:
    assert place.file is not None
    match = place.file.fullmatch(fold(name))
    return int(match["frame"]) if match else None


def codes(result: extract.Extraction) -> list[object]:
    return [row["code"] for row in result.excluded]


def test_samples(tmp_path):
    result = run(table(tmp_path, *LINES))
    assert result.rows == 2
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


@pytest.mark.parametrize(
    "headings",
    [
        "Subject,Filename,OnsetF,ApexF1,OffsetF,AU,Estimated Emotion",
        "participant,video,onset,apex,offset,action unit,label",
        "Sub,Clip Name,Onset Frame,Apex_Frame,Offset-Frame,AUs,EMOTION",
        "subject_id,sequence,start,peak,end,Action Units,Expression",
    ],
)
def test_columns_are_found_by_their_usual_names(tmp_path, headings):
    (sample,) = run(table(tmp_path, headings, LINES[1])).samples
    assert (sample["onset"], sample["apex"], sample["offset"]) == (46, 59, 86)
    assert (sample["emotion"], sample["action_units"]) == ("happiness", "4+7")


def test_columns_of_the_config(tmp_path):
    path = table(tmp_path, "被试,片段,起始,Emotion (A),Emotion (B)", "一,甲,5,fear,anger")
    columns = {"subject": "被试", "clip": "片段", "onset": "起始", "emotion": "emotion (b)"}
    (sample,) = run(path, path=PATH, columns=columns).samples
    assert (sample["sample"], sample["emotion"]) == ("mine/一/甲/5", "anger")


def test_a_configured_heading_wins_over_a_usual_name(tmp_path):
    path = table(tmp_path, "Subject,Clip,Onset,Emotion,Emotion 3", "S1,a,5,fear,negative")
    (sample,) = run(path, path=PATH, columns={"emotion": "Emotion 3"}).samples
    assert sample["emotion"] == "negative"


@pytest.mark.parametrize(
    ("headings", "columns", "message"),
    [
        ("Subject,Clip,Emotion", {}, "row 1: no column for the onset; accepted headings: 'onsetf"),
        (
            "Subject,Clip,Onset",
            {},
            "no column for the emotion; .*; found: Subject, Clip, Onset; na",
        ),
        ("Who,Clip,Onset,Emotion", {}, "no header row .*; found: Who, Clip, Onset, Emotion; name "),
        (
            "Subject,Clip,Onset,Emotion",
            {"apex": "Peak"},
            "the apex; accepted headings: 'Peak'; found: Subject, .*columns: {subject: Person}",
        ),
        ("Subject,Clip,Onset,Emotion,emotion", {}, "more than one column is headed 'Emotion'"),
    ],
)
def test_a_missing_column_is_named_with_the_headings_found(tmp_path, headings, columns, message):
    path = table(tmp_path, headings, "a,b,3,c")
    with pytest.raises(UserError, match=f"clips.csv.*{message}"):
        run(path, path=PATH, columns=columns)


def test_a_workbook(tmp_path):
    book = openpyxl.Workbook()
    book.create_sheet("clips")
    for row in (["About"], ["Subject", "Clip", "Onset", "Emotion"], [1, "a", 5, "fear"]):
        book["clips"].append(row)
    book.save(tmp_path / "clips.xlsx")
    (sample,) = run(tmp_path / "clips.xlsx").samples
    assert (sample["sample"], sample["table_row"]) == ("mine/1/a/5", 3)


def test_encoding_and_delimiter_are_found(tmp_path):
    lines = [line.replace(",", ";") for line in LINES]
    path = table(tmp_path, *lines, "张三;片段;3;4;5;;厌恶", encoding="gbk")
    assert run(path).samples[-1]["sample"] == "mine/张三/片段/3"


def test_a_table_without_apex_or_offset(tmp_path, caplog):
    caplog.set_level("INFO")
    path = table(tmp_path, "Subject,Clip,Onset,Emotion", "S1,a,5,fear", "S1,b,7,fear")
    result = run(path)
    assert [(s["onset"], s["apex"], s["offset"]) for s in result.samples] == [
        (5, "", ""),
        (7, "", ""),
    ]
    assert (result.excluded, result.substituted) == ([], [])
    assert caplog.text.count("clips.csv: has no column for the apex") == 1
    assert caplog.text.count("clips.csv: has no column for the offset") == 1


def test_the_midpoint_is_taken_where_the_config_says_so(tmp_path):
    path = table(tmp_path, "Subject,Clip,Onset,Offset,Emotion", "S1,a,5,9,fear")
    assert run(path).samples[0]["apex"] == ""
    result = run(path, apex="midpoint")
    assert (result.samples[0]["apex"], result.excluded) == (7, [])
    (row,) = result.substituted
    assert (row["stated"], row["used"], row["reason"]) == (None, 7, "apex_missing_midpoint_taken")


def test_a_midpoint_that_cannot_be_taken_is_accounted_for(tmp_path):
    lines = ("S1,a,5,9,fear", "S1,b,5,,fear")
    path = table(tmp_path, "Subject,Clip,Onset,Offset,Emotion", *lines)
    result = run(path, apex="midpoint")
    assert [sample["apex"] for sample in result.samples] == [7, ""]
    assert [(row["image"], row["code"]) for row in result.excluded] == [
        ("mine/S1/b/5/offset", "offset_missing"),
        ("mine/S1/b/5/apex", "apex_missing"),
    ]


def test_frames_and_labels_may_be_numbered_from_zero(tmp_path):
    path = table(tmp_path, "Subject,Clip,Onset,Apex,Emotion", "0,0,0,4,0", "0,0,,4,0", "/,1,2,3,0")
    result = run(path)
    (sample,) = result.samples
    assert (sample["sample"], sample["emotion"]) == ("mine/0/0/0", "0")
    assert codes(result) == ["onset_missing", "subject_missing"]


@pytest.mark.parametrize(
    ("cells", "code"),
    [
        ("../x,a,5,fear", "unsafe_name"),
        ("S1,a/b,5,fear", "unsafe_name"),
        ("S1,..,5,fear", "unsafe_name"),
        ("S1,{frame},5,fear", "unsafe_name"),
        (",a,5,fear", "subject_missing"),
        ("S1,,5,fear", "clip_name_missing"),
        ("S1,a,x,fear", "onset_not_a_number"),
        ("S1,a,5,", "emotion_missing"),
        ("S1,OK,5,anger", "duplicated_key"),
    ],
)
def test_a_row_that_cannot_be_used(tmp_path, cells, code):
    path = table(tmp_path, "Subject,Clip,Onset,Emotion", "S1,ok,5,fear", cells)
    result = run(path)
    assert (len(result.samples), codes(result)) == (1, [code])


def test_frames_of_a_template(tmp_path):
    sample = run(table(tmp_path, *LINES)).samples[0]
    folders, found = place(sample)
    assert folders == ["s1", "clip_a"]
    numbers = {name: frame_of(found, name) for name in ("img46.jpg", "IMG00046.JPG", "img046.jpg")}
    assert set(numbers.values()) == {46}
    for name in ("img46.png", "reg_img46.jpg", "img.jpg", "img46_2.jpg", "img46.jpg.jpg", "46.jpg"):
        assert frame_of(found, name) is None, name


@pytest.mark.parametrize(
    ("template", "folders", "name"),
    [
        ("{clip}_{frame}.png", [], "clip_a_046.PNG"),
        (
            "HS/{subject}/micro/{emotion}/{clip}/{frame}.bmp",
            "hs s1 micro happiness clip_a",
            "46.bmp",
        ),
        ("{Camera}/s{Nr:03}/{frame:05}x.jpg", ["side view", "s007"], "00046X.jpg"),
        ("{AU}/{frame}", ["4+7"], "46"),
    ],
)
def test_templates(tmp_path, template, folders, name):
    path = table(tmp_path, f"{LINES[0]},Camera,Nr,AU", f"{LINES[1]},Side  View,7,4+7")
    columns = {"action_units": "Action Units"}
    sample = run(path, path=template, columns=columns).samples[0]
    found, where = place(sample, path=template)
    assert found == (folders.split() if isinstance(folders, str) else folders)
    assert frame_of(where, name) == 46


def test_samples_of_a_clip_may_lie_in_different_folders(tmp_path):
    path = table(tmp_path, "Subject,Clip,Onset,Emotion,Take", "S1,a,5,fear,1", "S1,a,9,fear,2")
    samples = run(path, path="{Take}/{clip}{frame}.jpg").samples
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
    path = table(
        tmp_path, "Subject,Clip,Onset,Emotion,In", "S1,a,5,fear,x/y", f"S1,b,5,fear,{cell}"
    )
    result = run(path, path="{In}/{clip}/{frame}.jpg")
    assert [sample["path"] for sample in result.samples] == ["x/y/a/{frame}.jpg"]
    assert codes(result) == [code]


def test_a_column_of_a_template_is_required(tmp_path):
    path = table(tmp_path, *LINES)
    with pytest.raises(UserError, match="no column for the Camera; .* found: Subject, Filename"):
        run(path, path="{Camera}/{frame}.jpg")
    path = table(tmp_path, "Subject,Clip,Onset,Emotion", "S1,a,5,fear")
    with pytest.raises(UserError, match="no column for the offset"):
        run(path, path="{clip}_{offset}/{frame}.jpg")


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
        ({"path": "{clip:x}/{frame}.jpg"}, "placeholders look like"),
        ({"path": "{clip:0999}/{frame}.jpg"}, "placeholders look like"),
        ({"path": "{clip/{frame}.jpg"}, "expected"),
        ({"picture": "{clip}/{frame}.jpg"}, "one picture of a clip has no {frame}"),
        ({"path": PATH, "columns": {"subjekt": "x"}}, "do you mean 'subject'"),
        ({"path": PATH, "columns": {"subject": ""}}, "at least 1 character"),
        ({"path": PATH, "root": "/data"}, "give either `root`, or both"),
    ],
)
def test_wrong_settings_are_named(keys, message):
    with pytest.raises(UserError) as error:
        block(Path("t.csv"), **keys)
    assert message in str(error.value)


def test_table_and_frames_are_required():
    with pytest.raises(UserError, match="table\n  Field required"):
        settings.load("mine", {"reader": "table", "root": "/data", "path": PATH})
    assert find.table(Path("/"), "table") is None


def test_settings_survive_json():
    complete = block(Path("t.csv"), path=PATH, columns={"subject": "Who"})
    assert settings.load("mine", complete.model_dump(mode="json")) == complete


def test_pictures_need_no_frame_numbers(tmp_path):
    path = table(tmp_path, "subject,clip,label", "s01,s01_po_01,positive", "s02,x,negative")
    result = run(path, picture="flow/{subject}/{clip}.PNG")
    sample = result.samples[0]
    assert (sample["sample"], sample["onset"]) == ("mine/s01/s01_po_01/0", 0)
    assert (sample["apex"], sample["offset"]) == ("", "")
    assert sample["picture"] == "flow/s01/s01_po_01.PNG"
    assert "path" not in sample
    assert result.excluded == []
    samples = result.frames()[0]
    tsv.write(samples, tmp_path / "a.tsv", tsv.ANNOTATIONS)
    assert list(tsv.read(tmp_path / "a.tsv", tsv.ANNOTATIONS))[-1] == "picture"
    with pytest.raises(UserError, match="has ready pictures and no frames; give .* `path`"):
        place(sample, picture="flow/{subject}/{clip}.PNG")


def test_pictures_keep_an_onset_that_is_stated(tmp_path):
    path = table(tmp_path, "subject,clip,onset,label", "s01,a,5,x", "s01,b,,x", "s01,c,?,x")
    result = run(path, picture="{clip}.png")
    assert [sample["onset"] for sample in result.samples] == [5, 0]
    assert codes(result) == ["onset_not_a_number"]


def test_a_column_may_name_the_picture(tmp_path):
    path = table(
        tmp_path, "subject,clip,label,file name", "s01,a,x,s01/a 1.png", "s01,b,x,../a.png"
    )
    result = run(path, picture="{File Name}", columns={"clip": "clip"})
    assert [sample["picture"] for sample in result.samples] == ["s01/a 1.png"]
    assert codes(result) == ["unsafe_name"]


def test_frames_and_pictures(tmp_path):
    (sample, _) = run(table(tmp_path, *LINES), path=PATH, picture="{clip}.png").samples
    assert (sample["path"], sample["picture"]) == ("S1/clip_a/img{frame}.jpg", "clip_a.png")


def test_the_readers_of_published_databases_take_their_columns_only(tmp_path):
    path = table(tmp_path, "Sub,Clip,Start,Emotion", "1,a,5,fear")
    published = settings.load("x", {"reader": "casme2", "table": path, "frames": "/data"})
    with pytest.raises(UserError, match="found: Sub, Clip, Start, Emotion; give the coding file"):
        list(reader.load("casme2").rows(workbook.read(path), published))
