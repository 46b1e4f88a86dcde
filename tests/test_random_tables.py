"""Tables made at random from the quirks of real copies: no wrong value, no row lost, no crash."""

import csv
import io
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleeting import tsv
from fleeting.databases import extract
from fleeting.databases.readers.cas_me2 import INDEX_TO_SUBJECT
from fleeting.errors import UserError

MISSING = ["", None, "/", "\\", "NaN", " "]
NO_NUMBER = ["#N/A", "46a", "1:30", "46-59", "-5", "about 46", "4.5"]
CLIPS = ["EP02_01f", "EP1", "EP12_2_10", "anger (1)", "抑制 1"]
HEADINGS = {
    "subject": ["Subject", "subject", " SUBJECT ", "Subjects"],
    "clip": ["Filename", "FileName", "File name"],
    "onset": ["OnsetFrame", "Onset Frame", "onset_frame", "OnsetF"],
    "apex": ["ApexFrame", "Apex Frame", "ApexF1"],
    "offset": ["OffsetFrame", "Offset Frame", "OffsetF"],
    "emotion": ["Estimated Emotion", "Emotion", "emotion "],
}
#: Columns and lines that are nothing to the pipeline.
OTHERS = [("Onset", "150.0"), ("", ""), ("Total", 316.67), ("Notes", "see the video"), ("AU", 12)]
NOTES = ["Note: the apex was coded by two coders", "Total", "* not coded"]

Cells = dict[str, Any]


@dataclass(frozen=True)
class Line:
    """A clip's line: its cells by column, and the values of the sample that it must become.

    Without a sample, the row must be excluded.
    """

    cells: Cells
    sample: Cells | None


@dataclass(frozen=True)
class Database:
    """How a reader's tables name subjects: those that there are, their spellings, their names."""

    block: Cells
    subjects: range
    spelled: Callable[[int], list[object]]
    name: Callable[[int], str]


NUMBERED = range(1, 31)
DATABASES = {
    "casme": Database({}, NUMBERED, lambda n: [n, f"{n:02}", f"sub{n}"], "sub{:02d}".format),
    "casme2": Database({}, NUMBERED, lambda n: [n, f"{n:02}", float(n)], "sub{:02d}".format),
    "samm": Database({}, NUMBERED, lambda n: [n, f"{n:03}", f" {n}"], "{:03d}".format),
    "cas_me2": Database(
        {}, range(1, 23), lambda n: [n, float(n)], lambda n: INDEX_TO_SUBJECT[str(n)]
    ),
    "table": Database(
        {"path": "{subject}/{clip}/{frame}.jpg"}, NUMBERED, lambda n: [f"p{n}"], "p{}".format
    ),
}


def written(number: int) -> st.SearchStrategy[object]:
    """The ways in which people and their programs write a whole number."""
    ways = [number, float(number), str(number), f" {number} ", f"0{number}", f"{number}.0"]
    return st.sampled_from(ways)


def rarely(draw: st.DrawFn) -> bool:
    return draw(st.integers(0, 7)) == 0


@st.composite
def lines(draw: st.DrawFn, reader: str) -> Line:
    """A clip's line, sound or with a fault."""
    database = DATABASES[reader]
    subject, onset = draw(st.sampled_from(database.subjects)), draw(st.integers(2, 6000))
    apex = onset + draw(st.integers(0, 40))
    offset = apex + draw(st.integers(0, 40))
    clip = draw(st.sampled_from(["anger1_1", "happy4_12"] if reader == "cas_me2" else CLIPS))
    emotion = draw(st.sampled_from(["happiness", "Others", " disgust", "TENSE", "surprise "]))
    cells: Cells = {"subject": draw(st.sampled_from(database.spelled(subject))), "clip": clip}
    cells |= {"emotion": emotion, "kind": draw(st.sampled_from(["micro-expression", "Micro"]))}
    sample: Cells | None = {
        "subject": database.name(subject),
        "clip": clip,
        "onset": str(onset),
        "apex": str(apex),
        "offset": str(offset),
        "emotion": emotion.strip().casefold(),
    }
    for phase in tsv.PHASES:
        cells[phase] = draw(written(int(sample[phase])))
    # A column without headings that is wholly blank is told from no column by nothing.
    signs = [sign for sign in MISSING if reader != "cas_me2" or str(sign or "").strip()]
    # These leave out an image.
    if rarely(draw):
        cells["apex"] = draw(st.sampled_from([*signs, *NO_NUMBER, onset - 1, offset + 1]))
        sample["apex"] = ""
    if rarely(draw):
        # An apex that only this offset would refuse is one again.
        cells["offset"], cells["apex"] = draw(st.sampled_from([*signs, *NO_NUMBER])), apex
        sample |= {"offset": "", "apex": str(apex)}
    # These leave out the row.
    if rarely(draw):
        field = draw(st.sampled_from(["subject", "clip", "onset", "emotion", "offset", "kind"]))
        faults: dict[str, Sequence[object]] = {
            "offset": [onset - 1],
            "onset": [*MISSING, *NO_NUMBER],
            "kind": ["macro-expression", "Macro", "?"],
        }
        cells[field] = draw(st.sampled_from(faults.get(field, MISSING)))
        if field != "kind" or reader == "cas_me2":
            sample = None
    return Line(cells, sample)


@dataclass(frozen=True)
class Table:
    """A file, and its clips' lines by the number of their row; other rows are no clips."""

    name: str
    content: bytes
    lines: dict[int, Line]


@st.composite
def tables(draw: st.DrawFn, reader: str) -> Table:
    """A table with lines between, other headings, other orders, merged cells, in some format."""
    found = draw(st.lists(lines(reader), min_size=1, max_size=12))
    merged = draw(st.booleans())
    if merged:
        found.sort(key=lambda line: str(line.cells["subject"]))
    columns: list[str] = draw(st.permutations(list(HEADINGS)))
    for heading, _ in draw(st.lists(st.sampled_from(OTHERS), unique=True)):
        columns.insert(draw(st.integers(0, len(columns))), heading)
    rows: list[list[object]] = [[note] for note in draw(st.lists(st.sampled_from(NOTES)))]
    if reader == "cas_me2":
        # Its columns have no headings but an order.
        columns = ["subject", "clip", *tsv.PHASES, "AU", "estimated", "kind", "emotion"]
        rows = []
    else:
        rows.append([draw(st.sampled_from(HEADINGS.get(name, [name]))) for name in columns])
    by_row: dict[int, Line] = {}
    for line in without_repeated(found):
        if rarely(draw):
            rows.append(draw(st.sampled_from([[], ["", None]])))
        cells = {**dict(OTHERS), "estimated": "negative", **line.cells}
        rows.append([cells[column] for column in columns])
        by_row[len(rows)] = line
    rows += [[note] for note in draw(st.lists(st.sampled_from(NOTES)))]
    if merged or draw(st.booleans()):
        return Table("table.xlsx", workbook(rows, by_row, columns, merged), by_row)
    text = io.StringIO()
    csv.writer(text, delimiter=draw(st.sampled_from(",;\t"))).writerows(rows)
    encoding = draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "gb18030"]))
    return Table("table.csv", text.getvalue().encode(encoding), by_row)


def without_repeated(found: Sequence[Line]) -> Iterator[Line]:
    """The lines; of those with the same subject, clip and onset, only the first has a sample."""
    seen: set[tuple[object, ...]] = set()
    for line in found:
        key = line.sample and tuple(line.sample[name] for name in ("subject", "clip", "onset"))
        yield Line(line.cells, None if key in seen else line.sample)
        if key:
            seen.add(key)


def workbook(
    rows: Sequence[Sequence[object]], by_row: Mapping[int, Line], columns: list[str], merged: bool
) -> bytes:
    """A sheet beside an empty one; with `merged`, lines of one subject share a cell."""
    book = openpyxl.Workbook()
    for number, row in enumerate(rows, start=1):
        for column, value in enumerate(row, start=1):
            book.active.cell(number, column).value = value
    book.create_sheet("Sheet2")
    column = columns.index("subject") + 1
    last = 0
    for number, line in by_row.items() if merged else ():
        subject = line.cells["subject"]
        together = number
        while together + 1 in by_row and by_row[together + 1].cells["subject"] == subject:
            together += 1
        if number > last and together > number:
            book.active.merge_cells(None, number, column, together, column)
            last = together
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def run(folder: Path, reader: str, table: Table) -> dict[str, list[dict[str, str]]]:
    """The tables that the stage writes for a table."""
    path = folder / table.name
    path.write_bytes(table.content)
    (folder / "frames").mkdir()
    block = {"reader": reader, "table": str(path), "frames": str(folder / "frames")}
    schemas = {
        "samples": tsv.ANNOTATIONS,
        "excluded": tsv.EXCLUDED,
        "substituted": tsv.SUBSTITUTED,
        "rows": tsv.ROW_COUNT,
    }
    outputs = {name: folder / f"{name}.tsv" for name in schemas}
    block |= DATABASES[reader].block
    extract.run(database="mine", settings=block, apex="drop", accept_losses=True, **outputs)
    return {name: tsv.read_rows(path, schemas[name]) for name, path in outputs.items()}


@pytest.mark.parametrize("reader", DATABASES)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_no_value_is_wrong_and_no_row_is_lost(reader: str, data: st.DataObject) -> None:
    table = data.draw(tables(reader))
    expected = {number: line.sample for number, line in table.lines.items() if line.sample}
    with tempfile.TemporaryDirectory() as folder:
        try:
            found = run(Path(folder), reader, table)
        except UserError:
            assert not expected
            return
    samples = {int(row["table_row"]): row for row in found["samples"]}
    assert {
        number: {name: row[name] for name in expected.get(number, row)}
        for number, row in samples.items()
    } == expected
    excluded = [int(row["table_row"]) for row in found["excluded"] if not row["image"]]
    assert len(samples) + len(set(excluded)) == int(found["rows"][0]["rows"])
    assert len(excluded) == len(set(excluded))
    assert samples.keys() | set(excluded) >= table.lines.keys()
    assert not samples.keys() & set(excluded)
    images = {row["image"] for row in found["excluded"] if row["image"]}
    assert images == {
        f"{row['sample']}/{phase}"
        for row in samples.values()
        for phase in tsv.PHASES
        if not row[phase]
    }
