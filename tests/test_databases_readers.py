"""Each published database's table in its real format with its real quirks."""

from pathlib import Path

import pytest
import xlwt

from database_tables import block, write_text, write_xlsx
from fleeting import registry
from fleeting.databases import emotions, reader, settings, workbook
from fleeting.errors import UserError

CASME_HEADER = [
    *("Subject", "Filename", "", "OnsetF", "ApexF1", "ApexF2", "OffsetF"),
    *("", "Onset", "Total", "AU", "Emotion"),
]
CASME2_HEADER = [
    *("Subject", "Filename", None, "OnsetFrame", "ApexFrame", "OffsetFrame", None),
    *("Action Units", "Estimated Emotion", "Objective Classes"),
]
SAMM_HEADER = [
    *("Subject", "Filename", "Inducement Code", "Onset Frame", "Apex Frame", "Offset Frame"),
    *("Duration", "Micro", "Action Units", "Estimated Emotion", "Objective Classes", "Notes"),
]
SAMM_ROW = ["006", "006_1_2", 1, 5562, 5588, 5632, 71, "Micro - 1/2", "4+7", "Anger", 3]


def read(database: str, path: Path, **keys: object) -> list[reader.Row]:
    rows = reader.load(database).rows(workbook.read(path), block(database, path, **keys))
    return list(rows)


def summary(row: reader.Row) -> list[str]:
    fields = ("clip", "onset", "apex", "offset", "emotion", "action_units")
    return [row.subject, *(row.cells[field] for field in fields)]


def test_all_readers_offer_the_interface():
    assert registry.names("reader") == ["cas_me2", "casme", "casme2", "samm", "table"]
    for name in registry.names("reader"):
        module = reader.load(name)
        for attribute in [*reader.Reader.__annotations__, "rows", "clip_locations"]:
            assert hasattr(module, attribute), (name, attribute)
        assert issubclass(module.Settings, settings.DatabaseSettings)


def test_casme_takes_frames_not_milliseconds(tmp_path):
    rows = [
        CASME_HEADER,
        [1.0, "EP01_12", "", 73.0, 81.0, "\\", 91.0, "", 150.0, 316.67, 4.0, "tense"],
        [1, "EP01_5 ", "", 113, 121, 125, 133, "", 150.0, 350.0, "12", "happiness"],
    ]
    book = xlwt.Workbook()
    sheet = book.add_sheet("Sheet1")
    for y, row in enumerate(rows):
        for x, value in enumerate(row):
            sheet.write(y, x, value)
    book.save(str(tmp_path / "CASME.xls"))
    found = read("casme", tmp_path / "CASME.xls")
    assert [summary(row) for row in found] == [
        ["sub01", "EP01_12", "73", "81", "91", "tense", "4"],
        ["sub01", "EP01_5", "113", "121", "133", "happiness", "12"],
    ]
    header = ",".join(name for name in CASME_HEADER if name != "OnsetF")
    with pytest.raises(UserError, match="no column for the onset"):
        read("casme", write_text(tmp_path / "t.csv", header))


@pytest.mark.parametrize("columns", [range(9), range(10), [8, 2, 0, 5, 9, 1, 4, 3, 7]])
def test_casme2_of_2014_and_2019_and_in_another_order(tmp_path, columns):
    lines = [
        CASME2_HEADER,
        ["01", "EP02_01f", None, 46, 59, 86, None, 4, "happiness", 1],
        ["26", "EP04_02", None, 21, "/", 76, None, "4+7+L10", "others ", "VII"],
    ]
    data = [[line[column] for column in columns] for line in lines]
    found = read("casme2", write_xlsx(tmp_path / "t.xlsx", Sheet1=data, Sheet2=[], Sheet3=[]))
    assert [summary(row) for row in found] == [
        ["sub01", "EP02_01f", "46", "59", "86", "happiness", "4"],
        ["sub26", "EP04_02", "21", "/", "76", "others", "4+7+L10"],
    ]
    classes = [row.cells.get("objective_class") for row in found]
    assert classes == (["1", "VII"] if 9 in columns else [None, None])


@pytest.mark.parametrize(("preamble", "subject"), [(0, "006"), (13, 6)])
def test_samm_with_its_header_in_row_14_or_1(tmp_path, preamble, subject):
    text = [["SAMM micro-movements"], ["Subject", "the number of the participant"], []]
    rows = [*(text * 5)[:preamble], SAMM_HEADER, [subject, *SAMM_ROW[1:]]]
    (found,) = read("samm", write_xlsx(tmp_path / "t.xlsx", data=rows))
    assert summary(found) == ["006", "006_1_2", "5562", "5588", "5632", "Anger", "4+7"]
    assert (found.table_row, found.cells["objective_class"]) == (preamble + 2, "3")


CAS_ME2_ROWS = [
    [1, "anger1_1", 557, 572, 608, "4+10", "negative", "macro-expression", "anger"],
    [2, "disgust2_12", 10, 20, 30, 4, "negative", "micro-expression", "Disgust"],
    [22, "happy1_2", 10, 20, 30, 12, "positive", "Micro-expression ", "happiness"],
    [23, "happy1_3", 10, 20, 30, 12, "positive", "neither", "happiness"],
]
RULE_1 = [[15, "s15", 1], [16, "s16", 2], [40, "s40", 22]]
RULE_2 = [[101, "disgust1"], ["0102", "disgust2"], ["0401", "anger1"], [599, "happy1"]]


def test_cas_me2_without_a_header(tmp_path):
    sheets = {"data": CAS_ME2_ROWS, "naming rule1": RULE_1, "naming rule2": RULE_2}
    found = read("cas_me2", write_xlsx(tmp_path / "t.xlsx", **sheets))
    assert [summary(row) for row in found] == [
        ["s15", "anger1_1", "557", "572", "608", "anger", "4+10"],
        ["s16", "disgust2_12", "10", "20", "30", "Disgust", "4"],
        ["s40", "happy1_2", "10", "20", "30", "happiness", "12"],
        ["", "happy1_3", "10", "20", "30", "happiness", "12"],
    ]
    assert [row.excluded and row.excluded[0] for row in found] == [
        *("expression_type_not_wanted", None, None, "expression_type_unknown"),
    ]
    assert [row.table_row for row in found] == [1, 2, 3, 4]
    extra = {name: found[1].cells[name] for name in found[1].extra}
    assert extra == {
        "self_reported": "disgust",
        "estimated": "negative",
        "expression_type": "micro",
        "video_code": "0102",
        "recording": "disgust2",
    }
    # The sheet wins over what is built in.
    assert found[2].cells["video_code"] == "0599"


def test_cas_me2_label_and_expressions_are_a_choice(tmp_path):
    path = write_xlsx(tmp_path / "t.xlsx", data=CAS_ME2_ROWS)
    found = read("cas_me2", path, label="estimated", expression_types=["macro"])
    assert found[1].cells["emotion"] == "negative"
    assert [row.excluded is None for row in found] == [True, False, False, False]


def test_cas_me2_without_naming_rules_blank_columns_and_sheets_first(tmp_path):
    spread = [[None, row[0], None, *row[1:]] for row in CAS_ME2_ROWS]
    found = read("cas_me2", write_xlsx(tmp_path / "t.xlsx", a=[], notes=[["x"]], data=spread))
    assert summary(found[1]) == ["s16", "disgust2_12", "10", "20", "30", "Disgust", "4"]
    assert found[0].cells["video_code"] == "0401"


def test_cas_me2_naming_rule_of_the_file_wins(tmp_path):
    path = write_xlsx(tmp_path / "t.xlsx", data=CAS_ME2_ROWS, rule=[["15", "s15", 2]])
    assert [row.subject for row in read("cas_me2", path)] == ["", "s15", "", ""]
    path = write_xlsx(tmp_path / "t.xlsx", data=CAS_ME2_ROWS, rule=[*RULE_1, [16, "s16", 1]])
    with pytest.raises(UserError, match="'rule', row 4: index 1 is s15"):
        read("cas_me2", path)


def test_cas_me2_has_22_subjects():
    subjects = reader.load("cas_me2").INDEX_TO_SUBJECT
    assert (len(subjects), subjects["1"], subjects["11"], subjects["12"], subjects["22"]) == (
        *(22, "s15", "s27", "s29", "s40"),
    )


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([["01", "EP02_01f", 46]], r"t\.xlsx: no sheet has a column of micro-expression"),
        ([row[:8] for row in CAS_ME2_ROWS], r"t\.xlsx, sheet 'a': the columns are not those"),
    ],
)
def test_cas_me2_other_tables_are_named(tmp_path, rows, message):
    with pytest.raises(UserError, match=message):
        read("cas_me2", write_xlsx(tmp_path / "t.xlsx", a=rows))


@pytest.mark.parametrize(
    ("column", "value"), [(0, "s" + "1" * 5000), (1, "1" * 5000), (7, "micro" * 6000)]
)
def test_long_cells_of_a_sheet_without_header(tmp_path, column, value):
    wrong = [value if index == column else cell for index, cell in enumerate(CAS_ME2_ROWS[1])]
    path = write_xlsx(tmp_path / "t.xlsx", data=[*CAS_ME2_ROWS, wrong])
    assert [row.table_row for row in read("cas_me2", path)] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("database", "subject", "folders"),
    [
        ("casme", "sub01", ("sub01", "01", "s_1")),
        ("casme2", "sub01", ("sub01", "01", "s1")),
        ("samm", "006", ("006", "6")),
        ("cas_me2", "s15", ("s15", "15")),
    ],
)
def test_the_clip_locations_of_the_published_databases(database, subject, folders):
    given = block(database, Path("t"))
    location, *videos = reader.load(database).clip_locations(
        subject, "anger1_1", {"video_code": "0401"}, given
    )
    assert location.file is None
    assert all(map(location.levels[0].fullmatch, folders))
    assert not any(map(location.levels[0].fullmatch, ("sub11", "160", "x15")))
    assert location.levels[1].fullmatch("anger01_01")
    assert not location.levels[1].fullmatch("anger1_11")
    videos = [video for video in videos if video.levels[1].fullmatch("15_0401girlcrashing")]
    assert len(videos) == (database == "cas_me2")


@pytest.mark.parametrize(
    ("reader_name", "given", "message"),
    [
        ("casme", {}, "give either `root`, or both `table` and `frames`"),
        ("casme", {"root": "r", "frames": "f"}, "give either `root`, or both"),
        ("casme", {"root": "r", "label": "estimated"}, "'label' .*known: reader, root"),
        ("casme", {"root": "r", "source": "x"}, "source"),
        ("cas_me2", {"root": "r", "expression_types": []}, "expression_types"),
    ],
)
def test_wrong_settings_are_named(reader_name, given, message):
    with pytest.raises(UserError, match=message):
        settings.load(reader_name, {"reader": reader_name, **given})


def test_settings_are_completed():
    complete = settings.load("mine", {"reader": "cas_me2", "root": "r", "label": "estimated"})
    assert (complete.expression_types, complete.source) == (["micro"], "raw")
    assert complete.frames_root == Path("r")
    assert block("casme", Path("d/t.xls")).frames_root == Path("d")


@pytest.mark.parametrize(
    ("emotion", "meant"),
    [("suprise", "surprise"), ("hapiness", "happiness"), ("dsgust", "disgust")]
    + [("sadness", None), ("helpness", None), ("zzz", None)],
)
def test_typing_errors_are_known_from_other_emotions(emotion, meant):
    assert emotions.likely_emotion(emotion) == meant


def test_the_label_map_counts_as_known_emotions():
    assert emotions.likely_emotion("smlie", ["smile"]) == "smile"
    assert emotions.likely_emotion("smile", ["smile"]) is None
