"""Runs that fail, through Snakemake: named, in no mean, and listed where the config allows it."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from fleeting import tsv
from fleeting.evaluation import schemas
from pipeline import Project

pytestmark = pytest.mark.slow

EXPERIMENT = "results/experiments/tiny"
#: Appended to a network's module.
TOO_LARGE = """

def build(classes, channels, size):
    raise MemoryError
"""


def test_a_diverging_rate(finished: Project, tmp_path: Path) -> None:
    """With a weight decay that only the largest rate turns into an explosion.

    Of the models of the others, that of the choice is kept, which retrains nothing.
    """
    project = finished.copy(tmp_path / "project")

    def diverge(config: dict[str, Any]) -> None:
        sgd = {"kind": "sgd", "weight_decay": 1e7}
        grid = {"models": ["small"], "lrs": ["1e-02", "1e-08", "3e-09", "1e-09"], "repeats": 1}
        config["experiments"]["tiny"]["recipe"] |= {"optimiser": sgd, "epochs": 3}
        config["experiments"]["tiny"] |= {"keep_models": "chosen", "grid": grid}
        config["experiments"]["tiny"]["baselines"] = ["majority"]

    project.configure(diverge)
    experiment = project.folder / "results/experiments/tiny"
    shutil.rmtree(experiment / "runs/resnet18")
    wanted = [f"{EXPERIMENT}/tables/all_runs.tsv", f"{EXPERIMENT}/evaluation/retained_models.tsv"]
    outcome = project.snakemake(*wanted)
    assert outcome.status != 0
    assert outcome.jobs["train"] == 4
    assert outcome.jobs["summarise_runs"] == 0
    assert "1 of 4 runs failed: small at 1e-02, repeat 1 (" in outcome.text
    assert "Traceback" not in outcome.text
    allowed = project.run(*wanted, "--config", "allow_missing=True")
    assert "train" not in allowed.jobs
    rows = tsv.read_rows(experiment / "tables/all_runs.tsv", {})
    assert [row["repeats"] for row in rows] == ["0", "1", "1", "1"]
    assert rows[0]["lr"] == "1e-02"
    assert "repeat 1: " in rows[0]["failed"]
    assert rows[0]["failed"] in allowed.text, "the summary says so too"
    history = experiment / "runs/small/lr1e-02/repeat1/part1/history.tsv"
    assert tsv.read_rows(history, tsv.HISTORY)
    kept = {path.parts[-5] for path in experiment.rglob("fold*.pt")}
    choices = tsv.read_rows(experiment / "evaluation/choices.tsv", {})
    assert kept == {f"lr{choice['lr']}" for choice in choices}
    assert len(kept) < 3
    again = project.run("-n", "training", *wanted, "--config", "allow_missing=True")
    assert "train" not in again.jobs


def test_a_network_that_does_not_fit(finished: Project, tmp_path: Path) -> None:
    """An error at each of its tries; with `allow_missing`, listed as failed after the last."""
    project = finished.copy(tmp_path / "project")
    network = project.folder / "workflow/scripts/fleeting/training/networks/small.py"
    network.write_text(network.read_text() + TOO_LARGE)
    runs_table = "results/experiments/tiny/evaluation/runs.tsv"
    allowed = project.run(runs_table, "--config", "allow_missing=True")
    assert allowed.text.count("Error in rule train:") == 2, "it was tried twice before"
    assert allowed.text.count("out of memory: small") >= 2
    assert "Traceback" not in allowed.text
    rows = tsv.read_rows(project.folder / runs_table, schemas.RUNS)
    assert [(row["model"], row["epochs"]) for row in rows] == [("resnet18", "2"), ("small", "0")]
    assert rows[1]["failed"].startswith("out of memory: small")
    assert project.run("-n", runs_table, "--config", "allow_missing=True").jobs == {}
