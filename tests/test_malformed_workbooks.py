"""Tables that are damaged: each ends in a message with its name, or its rows are accounted for."""

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleeting import tsv
from fleeting.databases import cells, extract, header, settings, sheets
from fleeting.databases.sheets import Workbook
from fleeting.errors import UserError
from malformed import rows, workbooks

RUNNER = Path(extract.__file__).parents[2] / "job.py"
#: A path that a shell or a pattern might trip over.
TABLE = "it's a (table) $(touch pwned).xlsx"


def extracted(path: Path, reader: str = "casme2") -> extract.Extraction:
    block = {"reader": reader, "table": path, "frames": path.parent}
    return extract.extract(reader, settings.load(reader, block), path, "drop")


def accounted(result: extract.Extraction, folder: Path) -> None:
    """Every row is a sample or an exclusion, every image as well; the tables can be written."""
    whole_rows = [row for row in result.excluded if not row["image"]]
    assert result.rows == len(result.samples) + len(whole_rows)
    images = sum(sample[phase] != "" for sample in result.samples for phase in tsv.PHASES)
    assert 3 * len(result.samples) == images + len(result.excluded) - len(whole_rows)
    for frame, schema in zip(
        result.frames(), (tsv.ANNOTATIONS, tsv.EXCLUDED, tsv.SUBSTITUTED), strict=True
    ):
        tsv.write(frame, folder / "table.tsv", schema)
        assert len(tsv.read(folder / "table.tsv", schema)) == len(frame)


@pytest.mark.parametrize("name", workbooks.REFUSED)
def test_a_workbook_that_is_refused(tmp_path: Path, name: str) -> None:
    make, reason = workbooks.REFUSED[name]
    path = tmp_path / TABLE
    make(path)
    with pytest.raises(UserError, match=reason) as error:
        extracted(path)
    assert str(path) in str(error.value)
    assert len(str(error.value)) < 1000


@pytest.mark.parametrize("name", rows.READ)
def test_a_row_that_is_accounted_for(tmp_path: Path, name: str) -> None:
    make, reasons = rows.READ[name]
    make(tmp_path / TABLE)
    result = extracted(tmp_path / TABLE)
    accounted(result, tmp_path)
    assert tuple(str(row["code"]) for row in result.excluded) == reasons
    assert all(row["table_row"] == 3 for row in result.excluded)
    assert result.samples[0]["sample"] == "casme2/sub01/EP1/46"
    assert all(len(str(row["detail"])) < 400 for row in result.excluded)
    assert [path.name for path in tmp_path.iterdir() if "pwned" in path.name] == [TABLE]


@pytest.mark.parametrize("kind", ["xls", "xlsx"])
@pytest.mark.parametrize("seed", range(25))
def test_bytes_that_flipped(tmp_path: Path, kind: str, seed: int) -> None:
    """Some damage makes a workbook unreadable, other only changes a cell."""
    whole = bytearray(workbooks.xls() if kind == "xls" else workbooks.packed(workbooks.parts()))
    chance = random.Random(seed)
    for _ in range(chance.choice([1, 4, 40])):
        whole[chance.randrange(len(whole))] = chance.randrange(256)
    path = tmp_path / f"table.{kind}"
    path.write_bytes(whole)
    message = str(path)
    try:
        accounted(extracted(path), tmp_path)
    except UserError as error:
        message = str(error)
    assert str(path) in message


@given(st.text() | st.floats() | st.integers() | st.none() | st.booleans() | st.dates())
def test_any_cell_is_text_that_a_table_keeps(value: object) -> None:
    text = cells.text(value)
    assert text.isprintable() or not text
    assert text == " ".join(text.split())
    assert cells.integer(text) is None or cells.integer(text) >= 0
    assert cells.numbered(text, "sub") is None or 0 < cells.numbered(text, "sub") <= 999
    assert isinstance(cells.is_missing(text), bool)


HEADINGS = st.sampled_from([*workbooks.HEADER, "subject ", "FILE NAME", "Onset", "\x00", ""])


@given(st.lists(st.lists(HEADINGS | st.text(max_size=5), max_size=9), max_size=6))
def test_any_sheet_has_a_header_or_is_named(lines: list[list[str]]) -> None:
    found = sheets.sheet("data", enumerate(lines, start=1))
    wanted = {"subject": ("subject",), "clip": ("filename",), "onset": ("onsetframe", "onset")}
    below, message = [], "t.xlsx"
    try:
        below = header.rows(Workbook(Path("t.xlsx"), (found,)), wanted, {"au": ("au",)})
    except UserError as error:
        message = str(error)
    assert "t.xlsx" in message
    assert [number for number, _ in below] == [n for n, _ in found.rows][-len(below) or 99 :]
    assert all(set(wanted) <= set(fields) for _, fields in below)


@pytest.mark.parametrize(
    ("column", "value"), [(0, "s" + "1" * 5000), (1, "1" * 5000), (7, "micro" * 9000)]
)
def test_long_cells_of_a_sheet_without_header(tmp_path: Path, column: int, value: str) -> None:
    good: list[object] = [1, "anger1_1", 5, 6, 7, "4", "negative", "micro-expression", "fear"]
    wrong = [value if index == column else cell for index, cell in enumerate(good)]
    path = tmp_path / "CAS(ME)^2code_final.xlsx"
    path.write_bytes(
        workbooks.packed(
            workbooks.parts(
                workbooks.sheet(
                    *(workbooks.row(n, good) for n in range(1, 4)), workbooks.row(4, wrong)
                )
            )
        )
    )
    result = extracted(path, "cas_me2")
    accounted(result, tmp_path)
    assert result.excluded[-1]["table_row"] == 4


@pytest.mark.parametrize("name", ["billion_laughs", "pipe", "header_alone"])
def test_the_job_prints_no_traceback(tmp_path: Path, name: str) -> None:
    workbooks.REFUSED[name][0](tmp_path / TABLE)
    outputs = [
        part
        for option in ("--samples", "--excluded", "--substituted", "--rows")
        for part in (option, str(tmp_path / f"{option}.tsv"))
    ]
    block = {"reader": "casme2", "table": str(tmp_path / TABLE), "frames": str(tmp_path)}
    command = [sys.executable, str(RUNNER), "databases.extract", "--database", "casme2", *outputs]
    done = subprocess.run(
        [*command, "--apex", "drop", "--settings", json.dumps(block)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("Error: ")
    assert TABLE in done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert [path.name for path in tmp_path.iterdir()] == [TABLE]
