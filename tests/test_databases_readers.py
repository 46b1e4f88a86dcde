"""Each database's table in its real format with its real quirks."""

from pathlib import Path

import openpyxl
import pytest
import xlwt

from fleeting.databases import reader, settings, workbook
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


def write_xlsx(path: Path, *sheets: tuple[str, list[list[object]]]) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets:
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def write_xls(path: Path, rows: list[list[object]]) -> Path:
    book = xlwt.Workbook()
    sheet = book.add_sheet("Sheet1")
    for y, row in enumerate(rows):
        for x, value in enumerate(row):
            sheet.write(y, x, value)
    book.save(str(path))
    return path


def read(database: str, path: Path, **given: object) -> list[reader.Row]:
    block = {"reader": database, "table": path, "frames": path.parent, **given}
    return list(reader.load(database).rows(workbook.read(path), settings.load(database, block)))


def summary(row: reader.Row) -> list[str]:
    return [row.subject, row.clip, row.onset, row.apex, row.offset, row.emotion, row.action_units]


def test_casme_takes_frames_not_milliseconds(tmp_path):
    rows = [
        CASME_HEADER,
        [1.0, "EP01_12", "", 73.0, 81.0, "\\", 91.0, "", 150.0, 316.67, 4.0, "tense"],
        [1, "EP01_5 ", "", 113, 121, 125, 133, "", 150.0, 350.0, "12", "happiness"],
    ]
    found = read("casme", write_xls(tmp_path / "CASME.xls", rows))
    assert [summary(row) for row in found] == [
        ["sub01", "EP01_12", "73", "81", "91", "tense", "4"],
        ["sub01", "EP01_5", "113", "121", "133", "happiness", "12"],
    ]
    assert [row.table_row for row in found] == [2, 3]


def test_casme_never_takes_the_column_of_milliseconds(tmp_path):
    header = [name for name in CASME_HEADER if name != "OnsetF"]
    with pytest.raises(UserError, match="no column for the onset"):
        read("casme", write_xls(tmp_path / "CASME.xls", [header]))


@pytest.mark.parametrize("version", ["2014", "2019"])
def test_casme2(tmp_path, version):
    header = CASME2_HEADER[: 9 if version == "2014" else 10]
    rows = [
        ["01", "EP02_01f", None, 46, 59, 86, None, 4, "happiness", 1][: len(header)],
        ["26", "EP04_02", None, 21, "/", 76, None, "4+7+L10", "others ", "VII"][: len(header)],
    ]
    path = write_xlsx(
        tmp_path / "t.xlsx", ("Sheet1", [header, *rows]), ("Sheet2", []), ("Sheet3", [])
    )
    found = read("casme2", path)
    assert [summary(row) for row in found] == [
        ["sub01", "EP02_01f", "46", "59", "86", "happiness", "4"],
        ["sub26", "EP04_02", "21", "/", "76", "others", "4+7+L10"],
    ]
    expected = [{}, {}] if version == "2014" else [{"objective_class": c} for c in ("1", "VII")]
    assert [dict(row.extra) for row in found] == expected


def test_columns_in_any_order_with_others_between(tmp_path):
    order = [8, 2, 0, 5, 9, 1, 4, 3, 7]
    row = ["01", "EP02_01f", None, 46, 59, 86, None, 4, "happiness", 1]
    shuffled = [
        [line[i] for i in order] + [extra]
        for line, extra in ((CASME2_HEADER, "Remarks"), (row, "none"))
    ]
    found = read("casme2", write_xlsx(tmp_path / "t.xlsx", ("data", shuffled)))
    assert summary(found[0]) == ["sub01", "EP02_01f", "46", "59", "86", "happiness", "4"]


@pytest.mark.parametrize("preamble", [0, 13])
@pytest.mark.parametrize("subject", ["006", 6, "6"])
def test_samm_with_its_header_in_row_14_or_1(tmp_path, preamble, subject):
    text = [["SAMM micro-movements"], ["Subject", "the number of the participant"], []]
    rows = [*(text * 5)[:preamble], SAMM_HEADER, [subject, *SAMM_ROW[1:]]]
    found = read("samm", write_xlsx(tmp_path / "t.xlsx", ("MICRO ONLY", rows)))
    assert [summary(row) for row in found] == [
        ["006", "006_1_2", "5562", "5588", "5632", "Anger", "4+7"]
    ]
    assert found[0].table_row == preamble + 2
    assert found[0].extra == {"objective_class": "3"}


CAS_ME2_ROWS = [
    [1, "anger1_1", 557, 572, 608, "4+10", "negative", "macro-expression", "anger"],
    [2, "disgust2_12", 10, 20, 30, 4, "negative", "micro-expression", "Disgust"],
    [22, "happy1_2", 10, 20, 30, 12, "positive", "Micro-expression ", "happiness"],
    [23, "happy1_3", 10, 20, 30, 12, "positive", "micro-expression", "happiness"],
]
RULE_1 = [[15, "s15", 1], [16, "s16", 2], [40, "s40", 22]]
RULE_2 = [[101, "disgust1"], ["0102", "disgust2"], ["0401", "anger1"], [599, "happy1"]]


def test_cas_me2_without_a_header(tmp_path):
    path = write_xlsx(
        tmp_path / "t.xlsx",
        ("CASFEcode_final", CAS_ME2_ROWS),
        ("naming rule1", RULE_1),
        ("naming rule2", RULE_2),
    )
    found = read("cas_me2", path)
    assert [summary(row) for row in found] == [
        ["s15", "anger1_1", "557", "572", "608", "anger", "4+10"],
        ["s16", "disgust2_12", "10", "20", "30", "Disgust", "4"],
        ["s40", "happy1_2", "10", "20", "30", "happiness", "12"],
        ["", "happy1_3", "10", "20", "30", "happiness", "12"],
    ]
    assert [row.table_row for row in found] == [1, 2, 3, 4]
    assert found[1].extra == {
        "self_reported": "disgust",
        "estimated": "negative",
        "expression_type": "micro",
        "video_code": "0102",
    }
    # The sheet wins over what is built in.
    assert found[2].extra["video_code"] == "0599"
    assert found[0].extra["expression_type"] == "macro"


def test_cas_me2_label_is_a_choice(tmp_path):
    path = write_xlsx(tmp_path / "t.xlsx", ("CASMEcode_final", CAS_ME2_ROWS))
    assert read("cas_me2", path, label="estimated")[1].emotion == "negative"


def test_cas_me2_without_naming_rules_blank_columns_and_sheets_first(tmp_path):
    spread = [[None, row[0], None, *row[1:]] for row in CAS_ME2_ROWS]
    path = write_xlsx(tmp_path / "t.xlsx", ("empty", []), ("notes", [["x"]]), ("data", spread))
    found = read("cas_me2", path)
    assert summary(found[1]) == ["s16", "disgust2_12", "10", "20", "30", "Disgust", "4"]
    assert found[0].extra["video_code"] == "0401"


def test_cas_me2_naming_rule_of_the_file_wins(tmp_path):
    path = write_xlsx(
        tmp_path / "t.xlsx", ("data", CAS_ME2_ROWS), ("naming rule1", [["15", "s15", 2]])
    )
    assert [row.subject for row in read("cas_me2", path)] == ["", "s15", "", ""]


def test_cas_me2_contradicting_naming_rule_is_named(tmp_path):
    rule = [[15, "s15", 1], [16, "s16", 1]]
    path = write_xlsx(tmp_path / "t.xlsx", ("data", CAS_ME2_ROWS), ("naming rule1", rule))
    with pytest.raises(UserError, match="'naming rule1', row 2: index 1 is s15"):
        read("cas_me2", path)


def test_cas_me2_has_22_subjects():
    module = reader.load("cas_me2")
    assert [int(index) for index in module.INDEX_TO_SUBJECT] == list(range(1, 23))
    numbers = [int(subject[1:]) for subject in module.INDEX_TO_SUBJECT.values()]
    assert numbers == [
        *(15, 16, 19, 20, 21, 22, 23, 24, 25, 26, 27),
        *(29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 40),
    ]


def test_cas_me2_other_tables_are_named(tmp_path):
    path = write_xlsx(tmp_path / "t.xlsx", ("a", [["01", "EP02_01f", 46]]))
    with pytest.raises(UserError, match=r"t\.xlsx: no sheet has a column of micro-expression"):
        read("cas_me2", path)
    path = write_xlsx(tmp_path / "t.xlsx", ("a", [row[:8] for row in CAS_ME2_ROWS]))
    with pytest.raises(UserError, match=r"t\.xlsx, sheet 'a': the columns are not those"):
        read("cas_me2", path)


@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_published_tables_exported_as_text(tmp_path, delimiter):
    """Subjects have lost their zeros, as an export leaves them."""
    for database, header, row in (
        ("samm", SAMM_HEADER, ["6", *SAMM_ROW[1:]]),
        ("casme2", CASME2_HEADER, ["1", "EP1", "", 46, 59, 86, "", "4", "happiness", 1]),
        ("casme", CASME_HEADER, [1, "EP1", "", 73, 81, "", 91, "", 150.0, 316.67, 4, "tense"]),
    ):
        path = tmp_path / f"{database}.csv"
        lines = [[str(cell or "") for cell in line] for line in (header, row)]
        path.write_text("".join(delimiter.join(line) + "\n" for line in lines))
        (found,) = read(database, path)
        assert found.subject in ("006", "sub01")
        assert found.table_row == 2


def test_cas_me2_exported_as_text(tmp_path):
    path = tmp_path / "CAS(ME)^2code_final.csv"
    lines = [",".join(map(str, row)) for row in CAS_ME2_ROWS]
    path.write_text("\r\n".join(lines))
    assert [row.clip for row in read("cas_me2", path)] == [row[1] for row in CAS_ME2_ROWS]
