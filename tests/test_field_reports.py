"""What people met with these databases: the right value is read, or the stated cause is right."""

import logging
import re
import unicodedata
import zipfile
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
import xlwt

from database_tables import extracted, write_text, write_xlsx
from fleeting import losses
from fleeting.databases import extract, table_file
from fleeting.databases.settings import load
from fleeting.errors import UserError
from fleeting.faces.face_of_frame import FaceFinder
from frame_files import sample, select_frames, touch, warning

HEADER = ["Subject", "Filename", "OnsetFrame", "ApexFrame", "OffsetFrame", "Emotion"]
ROWS: list[list[object]] = [
    [f"{number // 4:02d}", f"EP{number:02d}", 40 + number, 50 + number, 60 + number, "disgust"]
    for number in range(4, 16)
]
CLIPS = ("EP01_1", "EP01_2", "EP02_1")


def changed(path: Path, part: str, change: Callable[[str], str]) -> Path:
    """A workbook with one of its parts as another program writes it."""
    with zipfile.ZipFile(path) as source:
        parts = {name: source.read(name).decode() for name in source.namelist()}
    assert change(parts[part]) != parts[part]
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in {**parts, part: change(parts[part])}.items():
            archive.writestr(name, text)
    return path


def strict(text: str) -> str:
    for old, new in (
        ("schemas.openxmlformats.org/spreadsheetml/2006", "purl.oclc.org/ooxml/spreadsheetml"),
        ("schemas.openxmlformats.org/officeDocument/2006", "purl.oclc.org/ooxml/officeDocument"),
    ):
        text = text.replace(f"http://{old}", f"http://{new}")
    return text


STYLES, SHEET, BOOK = "xl/styles.xml", "xl/worksheets/sheet1.xml", "xl/workbook.xml"
DEFINED = '<definedNames><definedName name="a" localSheetId="0">#REF!</definedName></definedNames>'
#: Where a program departs from the format; the values are whole.
PROGRAMS: dict[str, tuple[str, Callable[[str], str]]] = {
    "an empty fill": (
        STYLES,
        lambda text: re.sub("<fills[^>]*>", "<fills><fill/>", text),
    ),
    "a font family": (STYLES, lambda text: re.sub('family val="[0-9]+"', 'family val="34"', text)),
    "no cell styles": (STYLES, lambda text: re.sub("<cellStyles.*?</cellStyles>", "", text)),
    "no styles": (STYLES, lambda text: "<styleSheet/>"),
    "a broken filter": (
        SHEET,
        lambda text: text.replace(
            "</sheetData>",
            '</sheetData><autoFilter ref="A1:B2"><filterColumn colId="1"><customFilters>'
            '<customFilter operator="x"/></customFilters></filterColumn></autoFilter>',
        ),
    ),
    "a name of nothing": (BOOK, lambda text: text.replace("<calcPr", f"{DEFINED}<calcPr")),
    "strict names": (SHEET, strict),
}


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_workbook_is_read_for_its_values(tmp_path: Path, program: str) -> None:
    path = changed(write_xlsx(tmp_path / "t.xlsx", data=[HEADER, *ROWS]), *PROGRAMS[program])
    assert [row["onset"] for row in extracted(path).samples] == [row[2] for row in ROWS]


def test_a_strict_workbook(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "t.xlsx", data=[HEADER, *ROWS])
    for part in (BOOK, SHEET, "xl/_rels/workbook.xml.rels", "_rels/.rels", STYLES):
        changed(path, part, strict)
    assert len(extracted(path).samples) == len(ROWS)


@pytest.mark.parametrize("name", ["t.csv", "t.tsv", "t.xlsx", "t.xls"])
def test_a_text_table_under_any_name(tmp_path: Path, name: str) -> None:
    lines = [",".join(map(str, row)) for row in (HEADER, *ROWS)]
    assert len(extracted(write_text(tmp_path / name, *lines)).samples) == len(ROWS)


def merged_xlsx(path: Path) -> Path:
    book = openpyxl.load_workbook(write_xlsx(path, data=[HEADER, *ROWS]))
    for first in (2, 6, 10):
        book["data"].merge_cells(f"A{first}:A{first + 3}")
    book.save(path)
    return path


def merged_xls(path: Path) -> Path:
    book = xlwt.Workbook()
    sheet = book.add_sheet("data")
    for number, row in enumerate((HEADER, *ROWS)):
        for column, value in enumerate(row):
            if column or not number:
                sheet.write(number, column, value)
    for first in (1, 5, 9):
        sheet.write_merge(first, first + 3, 0, 0, ROWS[first - 1][0])
    book.save(str(path))
    return path


@pytest.mark.parametrize(("make", "name"), [(merged_xlsx, "t.xlsx"), (merged_xls, "t.xls")])
def test_merged_cells_hold_their_value_in_every_row(
    tmp_path: Path, make: Callable[[Path], Path], name: str
) -> None:
    subjects = [row["subject"] for row in extracted(make(tmp_path / name)).samples]
    assert subjects == ["sub01"] * 4 + ["sub02"] * 4 + ["sub03"] * 4


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        (lambda row: ["" if int(row[2]) % 4 else row[0], *row[1:]], "subject missing.*merge"),
        (lambda row: [*row[:2], f"{row[2]} f", *row[3:]], "onset not a number.*a unit or a time"),
        (lambda row: [*row[:3], "x", "x", row[5]], "images of the other rows.*another form"),
        (lambda row: [*row[:4], 1, row[5]], "offset before onset.*frame numbers"),
    ],
    ids=["subject once", "onset with a unit", "two columns of text", "durations"],
)
def test_a_table_that_loses_most_rows_stops(
    tmp_path: Path, change: Callable[[list[object]], list[object]], cause: str
) -> None:
    rows = [HEADER, *ROWS[:1], *map(change, ROWS[1:])]
    result = extracted(write_xlsx(tmp_path / "t.xlsx", data=rows))
    with pytest.raises(UserError, match=f"mine: .*{cause}.*accept_losses: true"):
        extract.warn(result, accepted=False)
    extract.warn(result, accepted=True)


def lost(count: int, code: str = "no_face") -> list[dict[str, object]]:
    return [{"image": f"a/{n}", "sample": "a", "code": code, "detail": "d"} for n in range(count)]


@pytest.mark.parametrize(
    ("rows", "kept", "level"),
    [
        (lost(5), 95, 0),
        (lost(6), 94, logging.WARNING),
        (lost(50), 50, logging.WARNING),
        (lost(90, losses.ASKED_FOR), 10, 0),
        ([], 0, 0),
    ],
)
def test_a_few_losses_are_normal_and_more_are_said(
    caplog: pytest.LogCaptureFixture, rows: list[dict[str, object]], kept: int, level: int
) -> None:
    losses.check("d", "images", rows, kept, False, lambda code: f"Look at {code}.")
    assert [record.levelno for record in caplog.records] == [level] * bool(level)
    if level:
        assert "are left out" in caplog.text
        assert "for example a/0: d. Look at no_face." in caplog.text


def test_all_lost_is_never_accepted() -> None:
    losses.check("d", "images", lost(9), 1, True)
    with pytest.raises(UserError, match=r"^d: 9 of 9 images are left out \(9 no face\)"):
        losses.check("d", "images", lost(9), 0, True)


def told(root: Path, reader: str = "casme2", subject: str = "sub01") -> str:
    """The message for three clips of one subject."""
    samples = [sample("d", subject, clip, 3, 5, 7) for clip in CLIPS]
    result, index = select_frames(samples, reader=reader, root=root)
    try:
        return warning(result, index, "d")
    except UserError as error:
        return str(error)


def frames(root: Path, pattern: str) -> None:
    touch(root, *(pattern.format(clip=clip, frame=n) for clip in CLIPS for n in range(3, 8)))


def link(root: Path) -> None:
    frames(root.parent / "disk", "sub01/{clip}/img{frame}.jpg")
    root.mkdir()
    (root / "sub01").symlink_to(root.parent / "disk/sub01")


@pytest.mark.parametrize(
    ("make", "cause"),
    [
        (
            link,
            r"3 of them: links .* sub01 -> \S+/disk/sub01. Set databases.d.frames .* \S+/disk",
        ),
        (
            lambda root: frames(root, "sub01\\{clip}\\img{frame}.jpg"),
            r"3 of them: 15 files have backslashes .*EP01_1\\img.*7z x",
        ),
        (
            lambda root: touch(root, *(f"video/sub01/{clip}.avi" for clip in CLIPS)),
            r'3 of them: they are there as videos.*ffmpeg -i "video/sub01/EP01_1.avi"',
        ),
        (
            lambda root: frames(root, "all/{clip}-{frame}.png"),
            r'3 of them: files begin .* `path: "all/\{clip\}-\{frame\}.png"`',
        ),
        (lambda root: frames(root, "{clip}/img{frame}.jpg"), "without their subject's folder"),
        (
            lambda root: touch(root, *(f"sub01/{clip}f/img3.jpg" for clip in CLIPS)),
            "of sub01 there are sub01/EP01_1f, sub01/EP01_2f.*renamed",
        ),
    ],
    ids=["links", "backslashes", "videos", "one folder", "no subjects", "other names"],
)
def test_the_cause_that_the_disk_shows_is_named(
    tmp_path: Path, make: Callable[[Path], None], cause: str
) -> None:
    make(tmp_path / "root")
    text = told(tmp_path / "root")
    assert re.search(cause, text), text


def test_a_video_of_another_subject_is_not_named(tmp_path: Path) -> None:
    """Clips of several subjects share their names."""
    touch(tmp_path, "sub01/EP01_1.avi", "sub03/EP01_2-3.jpg")
    samples = [sample("d", subject, CLIPS[0], 3, 5, 7) for subject in ("sub01", "sub02")]
    samples.append(sample("d", "sub02", CLIPS[1], 3, 5, 7))
    result, index = select_frames(samples, reader="casme2", root=tmp_path)
    with pytest.raises(UserError) as error:
        warning(result, index, "d")
    assert "1 of them: they are there as videos" in str(error.value)
    assert '"sub01/EP01_1.avi"' in str(error.value)


def test_a_link_to_something_else_is_no_cause(tmp_path: Path) -> None:
    frames(tmp_path / "root", "{clip}/img{frame}.jpg")
    (tmp_path / "notes").touch()
    (tmp_path / "root/notes.txt").symlink_to(tmp_path / "notes")
    assert "links" not in told(tmp_path / "root")


def test_two_causes_are_weighed(tmp_path: Path) -> None:
    touch(tmp_path, "EP01_1.avi", "EP01_2.mp4", "sub01/other/img3.jpg")
    text = told(tmp_path)
    assert text.index("3 of them: their subjects are there") < text.index("2 of them: they are")


def test_a_clip_that_names_its_subject_needs_no_folder_of_it(tmp_path: Path) -> None:
    clips = [sample("samm", "006", f"006_1_{number}", 3, 5, 7) for number in (1, 2)]
    touch(tmp_path, *(f"006_1_{n}/006_{i:05}.jpg" for n in (1, 2) for i in range(3, 8)))
    touch(tmp_path, *(f"007_1_{n}/007_{i:05}.jpg" for n in (1, 2) for i in range(3, 8)))
    result, _ = select_frames(clips, reader="samm", root=tmp_path)
    assert {str(row["path"]).split("/")[0] for row in result.frames} == {"006_1_1", "006_1_2"}
    assert len(result.frames) == 6


def test_a_root_whose_table_is_a_link(tmp_path: Path) -> None:
    """The advice is to name the place, not to put the link where it is."""
    store = write_xlsx(tmp_path / "CASME2-coding-20190701.xlsx", data=[HEADER, *ROWS])
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / store.name).symlink_to(store)
    with pytest.raises(UserError, match=rf"are not followed \({store.name} -> {store}\): give"):
        table_file.locate("casme2", load("casme2", {"reader": "casme2", "root": tmp_path / "root"}))


def test_a_picture_that_is_nearly_black(tmp_path: Path) -> None:
    """Ten bits in a file of sixteen: the upper eight are nearly all that is read."""
    import cv2
    import numpy as np

    from fleeting.errors import Unusable

    class Detector:
        def detect(self, image: np.ndarray) -> np.ndarray:
            return np.zeros((0, 5), np.float32)

    for name, values in (("dark.png", 1023), ("grey.png", 65535)):
        picture = np.random.default_rng(1).integers(0, values, (40, 40)).astype(np.uint16)
        cv2.imwrite(str(tmp_path / name), picture)
    finder = FaceFinder(tmp_path, Detector(), 0.5)
    for name, code in (("dark.png", "dark_picture"), ("grey.png", "no_face")):
        with pytest.raises(Unusable, match=f"^{code}"):
            finder.face(name)
        assert finder.was_missed(name)


@pytest.mark.parametrize(("table", "disk"), [("NFC", "NFD"), ("NFD", "NFC")])
def test_accents_as_a_mac_writes_them(tmp_path: Path, table: str, disk: str) -> None:
    folder, name = unicodedata.normalize(disk, "Jörg/séance"), "img{frame}.jpg"
    touch(tmp_path, *(f"{folder}/{name.format(frame=number)}" for number in (1, 2, 3)))
    place = unicodedata.normalize(table, "Jörg/séance")
    one = sample("mine", *place.split("/"), 1, 2, 3, path=f"{place}/{name}")
    keys = {"table": "t.csv", "frames": tmp_path, "path": f"{{subject}}/{{clip}}/{name}"}
    result, _ = select_frames([one], reader="table", **keys)
    assert [row["path"] for row in result.frames] == [f"{folder}/img{n}.jpg" for n in (1, 2, 3)]
