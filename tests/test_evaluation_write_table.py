"""The job that writes a table, for every table, with the files that its module declares."""

from itertools import product
from pathlib import Path

import pytest

from fabricated_runs import LABELS, SETTINGS, declared, summarise, write_run, write_table_job
from fleeting import registry
from fleeting.errors import UserError
from fleeting.evaluation.write_table import by_name

MODELS, LRS = ["resnet18", "resnet34"], ["1e-02", "1e-03"]
BLOCK = {"input": "paper", "protocol": SETTINGS["experiment.protocol"]}
#: Those that need nothing but the split and the runs; the accounting has tests of its own.
NAMES = [
    "all_runs",
    "classes",
    "confused_pairs",
    "experiments",
    "paper_comparison",
    "scores",
    "test_metrics",
    "unused",
]


@pytest.fixture
def results(tmp_path):
    """The demo's grid: neither ResNet18 at 1e-05 nor three of the models."""
    for model, lr, repeat in product(MODELS, LRS, (1, 2)):
        write_run(tmp_path, ("surprise", *LABELS[1:]), model=model, lr=lr, repeat=repeat)
    summarise(tmp_path, MODELS, LRS, 2)
    return tmp_path


@pytest.mark.parametrize("name", NAMES)
def test_each_table_is_written_for_a_grid_without_the_papers_choice(results, name):
    output = results / "tables" / f"{name}.tsv"
    settings = SETTINGS | {"experiments": {"paper": BLOCK}}
    wanted = {key: settings[key] for key in registry.constants("table", name)["SETTINGS"]}
    write_table_job(name, results, output, wanted)
    endings = {".tsv", ".html"}
    if registry.constants("table", name).get("PRINTED"):
        endings |= {".md", ".tex"}
    assert {path.suffix for path in output.parent.iterdir()} == endings
    assert str(results) not in output.read_text() + output.with_suffix(".html").read_text()
    first = {path: path.read_bytes() for path in output.parent.iterdir()}
    write_table_job(name, results, output, wanted)
    assert first == {path: path.read_bytes() for path in output.parent.iterdir()}


@pytest.mark.parametrize("name", ["all_runs", "confused_pairs"])
def test_runs_that_were_not_summarised_are_named(tmp_path, name):
    with pytest.raises(UserError, match=r"evaluation/runs.tsv: the table is missing"):
        write_table_job(name, tmp_path, tmp_path / "out.tsv")


@pytest.mark.parametrize("name", registry.names("table"))
def test_each_table_says_what_it_reads_and_shows(name):
    constants = registry.constants("table", name)
    assert constants["CAPTION"]
    assert isinstance(constants["SETTINGS"], tuple)
    assert constants.get("SCOPE") in (None, "comparison")
    for paths in declared("table", name, Path("results")).values():
        assert all("{" not in str(path) for path in paths)


def test_files_of_one_name_follow_each_other():
    files = by_name(["a=/x/1=2.tsv", "b=/y", "a=/z"])
    assert files == {"a": [Path("/x/1=2.tsv"), Path("/z")], "b": [Path("/y")]}
