"""Action units that an experiment learns: what a change of them trains again, and nothing else."""

from collections import Counter
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from pipeline import Project

pytestmark = pytest.mark.slow

UNITS = "results/experiments/units/action_units.tsv"


def add(config: dict[str, Any]) -> None:
    """An experiment that learns units, beside one that does not."""
    config["experiments"]["units"] = {
        "based_on": "tiny",
        "recipe": {"auxiliary": {"action_units": [1, 4, 12]}},
        "grid": {"models": ["small"]},
    }


def write_cells(project: Project, unit: str, column: str = "Action Units") -> None:
    """Add a unit to every cell of CASME II's action units, or write a column of them."""
    (table,) = (project.folder / "databases" / "CASME2").glob("*.xlsx")
    workbook = openpyxl.load_workbook(table)
    sheet = workbook.worksheets[0]
    header = [cell.value for cell in sheet[1]]
    place = header.index(column) + 1 if column in header else len(header) + 1
    sheet.cell(1, place).value = column
    for row in range(2, sheet.max_row + 1):
        held = sheet.cell(row, place).value
        sheet.cell(row, place).value = f"{held}+{unit}" if held else unit
    workbook.save(table)


def test_only_another_listed_unit_trains_again(finished: Project, tmp_path: Path) -> None:
    project = finished.copy(tmp_path / "copy")
    project.configure(add)
    ran = project.run("training").jobs
    assert ran == Counter(draw_split=1, read_action_units=1, train=1)
    assert project.run("-n", "training").jobs == {}
    read = (project.folder / UNITS).read_bytes()

    # What says the same in other words or code: read again, and nothing more.
    write_cells(project, "L9A")
    write_cells(project, "4", column="Another")
    for name in ("databases/action_units.py", "databases/readers/samm.py"):
        project.edit(f"fleeting/{name}")
    ran = project.run("training").jobs
    assert ran["read_action_units"] == 1
    assert ran["extract_annotations"] == 2
    assert "train" not in ran
    assert (project.folder / UNITS).read_bytes() == read
    assert project.run("-n", "training").jobs == {}

    # Another listed unit, and the run that learns it.
    write_cells(project, "12")
    assert project.run("training").jobs["train"] == 1
    assert (project.folder / UNITS).read_bytes() != read
    assert project.run("-n", "training").jobs == {}

    def another_list(config: dict[str, Any]) -> None:
        add(config)
        config["experiments"]["units"]["recipe"]["auxiliary"]["action_units"] = [4, 12]

    project.configure(another_list)
    assert project.run("training").jobs == Counter(read_action_units=1, train=1)
