"""The command lines of the evaluation, in the process of the tests."""

import importlib
import json
import sys
from itertools import product

import pandas as pd
import pytest

from fabricated_runs import LABELS, write_run
from fleeting import tables
from fleeting.errors import UserError

SETTINGS = json.dumps(
    {
        "label_map": {"happiness": ["happiness"], "others": ["other"], "surprise": ["surprise"]},
        "phases": ["onset"],
        "split": {"images_per_class": 100, "validation": {"from": "train", "fraction": 0.2}},
    }
)
GRID = {"models": ["resnet18", "resnet34"], "lrs": ["1e-02", "1e-03"], "repeats": 2, "folds": ["1"]}


def call(monkeypatch, script, results, *arguments, experiment="demo"):
    line = [script, "--results", str(results), "--experiment", experiment, *map(str, arguments)]
    monkeypatch.setattr(sys, "argv", line)
    importlib.import_module(script).main()


@pytest.fixture
def results(tmp_path, monkeypatch):
    """The demo's grid: neither ResNet18 at 1e-05 nor three of the models."""
    for model, lr, repeat in product(GRID["models"], GRID["lrs"], (1, 2)):
        write_run(
            tmp_path,
            ("surprise", *LABELS[1:]),
            model=model,
            lr=lr,
            repeat=repeat,
            experiment="demo",
            unseen=[("samm/006/006_1_2/1/apex", "others", "others")],
        )
    parts = ["train", "test"] * 3
    rows = [
        [f"casme/sub01/EP0{n}/1/onset", f"casme/sub01/EP0{n}/1", "casme", "sub01", "onset"]
        + [label, "1", part]
        for n, (label, part) in enumerate(zip(LABELS, parts, strict=True))
    ]
    folder = tmp_path / "experiments" / "demo"
    tables.write(
        pd.DataFrame(rows, columns=list(tables.SPLITS)), folder / "split.tsv", tables.SPLITS
    )
    nothing = pd.DataFrame(columns=list(tables.UNUSED))
    tables.write(nothing, folder / "unused.tsv", tables.UNUSED)
    call(monkeypatch, "collect_runs", tmp_path, "--grid", json.dumps(GRID))
    return tmp_path


MORE = {
    "table_all_runs": [],
    "table_classes": ["--databases", "casme", "--settings", SETTINGS],
    "table_confused_pairs": [],
    "table_paper_comparison": ["--databases", "casme", "--settings", SETTINGS, "--size", "64"],
    "table_structure": ["--models", "resnet18,resnet34", "--size", "64"],
    "table_test_metrics": [],
    "table_unseen_subjects": [],
    "table_unused": [],
}
PRINTED = ("table_structure", "table_test_metrics", "table_confused_pairs")


@pytest.mark.parametrize("script", MORE)
def test_each_table_is_written_for_a_grid_without_the_papers_cells(results, monkeypatch, script):
    output = results / "tables" / f"{script}.tsv"
    call(monkeypatch, script, results, *MORE[script], "--output", output)
    endings = {".tsv", ".html", ".md", ".tex"} if script in PRINTED else {".tsv", ".html"}
    assert {path.suffix for path in output.parent.iterdir()} == endings
    assert str(results) not in output.read_text() + output.with_suffix(".html").read_text()
    first = {path: path.read_bytes() for path in output.parent.iterdir()}
    call(monkeypatch, script, results, *MORE[script], "--output", output)
    assert first == {path: path.read_bytes() for path in output.parent.iterdir()}


@pytest.mark.parametrize("script", ["table_all_runs", "table_confused_pairs"])
def test_runs_that_were_not_gathered_are_named(tmp_path, monkeypatch, script):
    with pytest.raises(UserError, match=r"evaluation/runs.tsv: the table is missing"):
        call(monkeypatch, script, tmp_path, "--output", tmp_path / "out.tsv")
