"""Runs that failed: named, in no mean, and every mean says how many repeats it has."""

import importlib
import json
import sys
from itertools import product
from math import nan
from pathlib import Path

import pandas as pd
import pytest
from fleeting.evaluation.collected import Collected, of_cell

from fabricated_runs import LABELS, write_run
from fleeting import tsv
from fleeting.errors import UserError
from fleeting.evaluation import all_runs, collect, comparison, grid, keep, metrics, runs, schemas
from fleeting.figures import curves, lines, validation_accuracy
from fleeting.paths import run_folder
from pipeline import Project

REASON = "epoch 2: the train loss is nan"
GRID = {
    "models": ["resnet18", "resnet34"],
    "lrs": ["1e-04", "1e-05"],
    "repeats": 3,
    "folds": ["1"],
}
#: Appended to a model's module.
TOO_LARGE = """

_fitting = build


def build(classes):
    network = _fitting(classes)

    def forward(pixels):
        raise MemoryError

    network.forward = forward
    return network
"""
ONE_WRONG = ("surprise", *LABELS[1:])


def write(
    results: Path, failing: set[tuple[str, str, int]], folds: tuple[str, ...] = ("1",)
) -> None:
    """A grid in which the second model is the better one, but for the runs that fail."""
    for model, lr, repeat, fold in product(GRID["models"], GRID["lrs"], (1, 2, 3), folds):
        fails = (model, lr, repeat) in failing and fold == folds[0]
        write_run(
            results,
            ONE_WRONG if model == "resnet18" else LABELS,
            model=model,
            lr=lr,
            repeat=repeat,
            fold=fold,
            validation=(0.3, 0.5 if model == "resnet18" else 0.9),
            losses=(1.0, nan if fails else 0.5),
            unseen=[("samm/006/006_1_2/1/apex", "others", "others")],
            failed=REASON if fails else None,
        )


def gather(results: Path, allow_missing: bool = True, folds: tuple[str, ...] = ("1",)) -> Collected:
    cells = grid.parse(json.dumps({**GRID, "folds": list(folds)}))
    folder = results / "experiments" / "paper" / "evaluation"
    every = runs.read_all(results, "paper", cells)
    collect.write_all(every, cells, folder, allow_missing)
    return Collected(results, "paper")


def test_a_failed_run_is_an_error_that_names_it(tmp_path: Path) -> None:
    write(tmp_path, {("resnet34", "1e-04", 2)})
    with pytest.raises(UserError) as raised:
        gather(tmp_path, allow_missing=False)
    text = str(raised.value)
    assert f"1 of 12 runs failed: resnet34 at 1e-04, repeat 2 ({REASON})" in text
    assert "allow_missing: true" in text


def test_means_are_over_what_is_left_and_say_so(tmp_path: Path) -> None:
    write(tmp_path, {("resnet34", "1e-04", 2), ("resnet18", "1e-05", 1)})
    found = gather(tmp_path)
    for name, column in (("curves", "repeats"), ("reports", "repeats"), ("confusions", "repeats")):
        frame = pd.read_csv(found.path / f"{name}.tsv", sep="\t", dtype={"lr": str})
        for (model, lr), part in frame.groupby(["model", "lr"]):
            left = 2 if (model, lr) in {("resnet34", "1e-04"), ("resnet18", "1e-05")} else 3
            assert set(part[column]) == {left}, (name, model, lr)
    table = all_runs.table(found)
    row = of_cell(table, "resnet34", "1e-04").iloc[0]
    assert row["repeats"] == 2
    assert row["failed"] == f"repeat 2: {REASON}"
    assert row["test_accuracy_mean"] == 1
    assert row["train_loss_mean"] == 0.5
    assert of_cell(table, "resnet34", "1e-05").iloc[0]["failed"] == ""
    for page in (all_runs.page(table, found), metrics.page(metrics.table(found), found)):
        assert "2 of 12 runs failed" in page.note
        assert f"resnet34 at 1e-04, repeat 2 ({REASON})" in page.note


def test_validation_chooses_among_the_cells_that_are_whole(tmp_path: Path) -> None:
    write(tmp_path, {("resnet34", "1e-04", 1), ("resnet34", "1e-05", 3)})
    choice = gather(tmp_path).choices[1]
    assert (choice.model, choice.lr) == ("resnet18", "1e-04")
    assert "3 repeats" in choice.reason


def test_a_run_that_never_began_is_listed(tmp_path: Path) -> None:
    """As one that did not fit into the device's memory: its history has no epoch."""
    write(tmp_path, set())
    reason = "out of memory: resnet34 does not fit"
    write_run(
        tmp_path,
        LABELS,
        model="resnet34",
        lr="1e-04",
        repeat=2,
        validation=(),
        losses=(),
        failed=reason,
    )
    found = gather(tmp_path)
    row = of_cell(all_runs.table(found), "resnet34", "1e-04").iloc[0]
    assert (row["repeats"], row["failed"]) == (2, f"repeat 2: {reason}")
    (failed,) = found.failed.to_dict("records")
    assert failed["epochs"] == 0
    assert pd.isna(failed["train_loss"])
    assert pd.isna(failed["lowest_validation_loss"])


def test_an_ordering_without_a_common_repeat_says_so(tmp_path: Path) -> None:
    write(tmp_path, {("resnet18", "1e-05", 1), ("resnet34", "1e-05", 2), ("resnet34", "1e-05", 3)})
    needs = tuple(("test_accuracy", model, "1e-05") for model in ("resnet18", "resnet34"))
    ordering = comparison.Ordering(
        where="",
        claim="",
        needs=needs,
        holds=lambda value: True,
        decided_by="",
        by_chance=None,
    )
    row = comparison._ordering(ordering, comparison.Measured(gather(tmp_path)))
    assert (row["repeats"], row["this_run"], row["holds_in"]) == ("0", "", "")
    assert row["status"].startswith("no repeat")


def test_where_no_cell_is_whole_validation_chooses_among_all(tmp_path: Path) -> None:
    write(tmp_path, set(product(GRID["models"], GRID["lrs"], (2,))))
    choice = gather(tmp_path).choices[1]
    assert (choice.model, choice.lr) == ("resnet34", "1e-04")
    assert "2 repeats" in choice.reason


def test_a_cell_without_any_repeat_left_is_listed(tmp_path: Path) -> None:
    write(tmp_path, {("resnet34", "1e-04", repeat) for repeat in (1, 2, 3)})
    found = gather(tmp_path)
    row = of_cell(all_runs.table(found), "resnet34", "1e-04").iloc[0]
    assert row["repeats"] == 0
    assert row["failed"].count(REASON) == 3
    assert pd.isna(row["test_accuracy_mean"])
    assert curves.curve(frame(found), "resnet34", "1e-04", "train_loss") is None


def test_the_fixed_choice_never_moves(tmp_path: Path) -> None:
    write(tmp_path, {("resnet18", "1e-05", repeat) for repeat in (1, 2, 3)})
    with pytest.raises(UserError, match="No repeat is left of resnet18 at 1e-05"):
        gather(tmp_path)


def test_a_repeat_with_one_failed_fold_is_in_no_mean(tmp_path: Path) -> None:
    write(tmp_path, {("resnet34", "1e-04", 2)}, folds=("a", "b"))
    found = gather(tmp_path, folds=("a", "b"))
    assert len(of_cell(found.runs, "resnet34", "1e-04")) == 4
    assert "1 of 24 runs failed" in found.provenance()
    assert "repeat 2, fold a" in str(
        runs.read_all(tmp_path, "paper", grid.parse(json.dumps({**GRID, "folds": ["a", "b"]})))[
            8
        ].name
    )


def test_no_model_of_a_failed_run_is_kept(tmp_path: Path) -> None:
    write(tmp_path, {("resnet18", "1e-05", 2)})
    gather(tmp_path)
    for folder in (tmp_path / "experiments/paper/runs").rglob("fold1"):
        (folder / "model.pt").touch()
    keep.keep(tmp_path, "paper", GRID, tmp_path / "kept")
    # The paper's choice, and validation's first among equals.
    fixed = {f"resnet18_lr1e-05_repeat{repeat}_fold1.pt" for repeat in (1, 3)}
    chosen = {f"resnet34_lr1e-04_repeat{repeat}_fold1.pt" for repeat in (1, 2, 3)}
    assert {path.name for path in (tmp_path / "kept").iterdir()} == fixed | chosen


def test_orderings_compare_the_same_repeats(tmp_path: Path) -> None:
    """Repeat 1 of one model is never set against repeat 2 of another."""
    write(tmp_path, {("resnet18", "1e-05", 1), ("resnet34", "1e-05", 3)})
    measured = comparison.Measured(gather(tmp_path))
    assert set(measured.by_repeat["test_accuracy", "resnet18", "1e-05"]) == {2, 3}
    assert set(measured.by_repeat["test_accuracy", "resnet34", "1e-05"]) == {1, 2}
    ordering = comparison.Ordering(
        where="here",
        claim="the second is better",
        needs=(("test_accuracy", "resnet18", "1e-05"), ("test_accuracy", "resnet34", "1e-05")),
        holds=lambda value: (
            value(("test_accuracy", "resnet34", "1e-05"))
            > value(("test_accuracy", "resnet18", "1e-05"))
        ),
        decided_by="",
        by_chance=None,
    )
    row = comparison._ordering(ordering, measured)
    assert (row["repeats"], row["holds_in"]) == ("1", "1 of 1")
    measured.by_repeat["test_accuracy", "resnet18", "1e-05"][3] = 0.123
    assert comparison._ordering(ordering, measured)["this_run"] == row["this_run"]


def frame(found: Collected) -> pd.DataFrame:
    from fleeting.evaluation.collected import read

    from fleeting.evaluation import schemas

    return read(found.path / "curves.tsv", schemas.CURVES)


def test_a_line_of_fewer_repeats_says_so(tmp_path: Path) -> None:
    write(tmp_path, {("resnet34", "1e-04", 1), ("resnet34", "1e-04", 2)})
    drawn = frame(gather(tmp_path))
    figure = validation_accuracy.draw(drawn, "1e-04", 3)
    labels = figure.axes[0].get_legend_handles_labels()[1]
    assert labels[:2] == ["ResNet18", "ResNet34 (1 repeat)"]
    curve = curves.curve(drawn, "resnet34", "1e-04", "train_loss")
    assert curve is not None
    assert lines.repeats_label([curve]) == "1 repeat, no band"


@pytest.mark.parametrize("script", ["table_all_runs", "table_test_metrics", "table_confused_pairs"])
def test_every_table_is_made_without_the_failed_runs(
    tmp_path: Path, script: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, {("resnet34", "1e-04", 2)})
    gather(tmp_path)
    line = [script, "--results", str(tmp_path), "--experiment", "paper"]
    monkeypatch.setattr(sys, "argv", [*line, "--output", str(tmp_path / "out.tsv")])
    importlib.import_module(script).main()
    assert REASON in (tmp_path / "out.html").read_text()


def test_a_diverging_rate_through_snakemake(finished: Project, tmp_path: Path) -> None:
    """With a weight decay that only the larger rate turns into an explosion."""
    project = finished.copy(tmp_path / "project")

    def diverge(config: dict) -> None:
        config["experiments"] = {"tiny": config["experiments"]["tiny"]}
        config["experiments"]["tiny"]["recipe"] |= {"weight_decay": 1e7, "epochs": 3}
        config["experiments"]["tiny"]["grid"] |= {"models": ["resnet18"], "lrs": ["1e-02", "1e-09"]}

    project.configure(diverge)
    outcome = project.snakemake()
    assert outcome.status != 0
    assert outcome.jobs["train"] == 2
    assert outcome.jobs["collect_runs"] == 0
    assert "1 of 2 runs failed: resnet18 at 1e-02, repeat 1 (epoch" in outcome.text
    assert "Traceback" not in outcome.text
    allowed = project.run("--config", "allow_missing=True")
    assert "train" not in allowed.jobs
    experiment = project.folder / "results" / "experiments" / "tiny"
    rows = tsv.read_rows(experiment / "tables" / "all_runs.tsv", all_runs.ALL_RUNS)
    assert [(row["lr"], row["repeats"]) for row in rows] == [("1e-02", "0"), ("1e-09", "1")]
    assert "repeat 1: epoch" in rows[0]["failed"]
    assert rows[0]["failed"] in allowed.text, "the summary says so too"
    history = experiment / "runs/resnet18/lr1e-02/repeat1/fold1/history.tsv"
    assert tsv.read_rows(history, tsv.HISTORY)


@pytest.mark.slow
def test_a_model_that_does_not_fit_through_snakemake(finished: Project, tmp_path: Path) -> None:
    """An error at each of its tries; with `allow_missing`, listed as failed after the last."""
    project = finished.copy(tmp_path / "project")
    model = project.folder / "workflow/scripts/fleeting/training/models/resnet34.py"
    model.write_text(model.read_text() + TOO_LARGE)
    runs_table = "results/experiments/tiny/evaluation/runs.tsv"
    outcome = project.snakemake(runs_table)
    assert outcome.status != 0
    assert "out of memory: resnet34 with a batch of 8 images of 32 pixels" in outcome.text
    assert "Traceback" not in outcome.text
    allowed = project.run(runs_table, "--config", "allow_missing=True")
    assert allowed.text.count("Error in rule train:") == 2, "it was tried twice before"
    rows = tsv.read_rows(project.folder / runs_table, schemas.RUNS)
    assert [(row["model"], row["epochs"]) for row in rows] == [("resnet18", "2"), ("resnet34", "0")]
    assert rows[1]["failed"].startswith("out of memory: resnet34")
    assert project.run("-n", runs_table, "--config", "allow_missing=True").jobs == {}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("predictions.tsv", "5 images, though the runs of this fold together have 6"),
        ("unseen_predictions.tsv", "1 images, though the runs of this fold together have 2"),
        ("history.tsv", "its epochs are not 1 to 2"),
    ],
)
def test_a_table_that_lost_its_last_line_is_named(tmp_path: Path, name: str, message: str) -> None:
    """Cut where a line ends, a table looks whole, and a number would change in silence."""
    unseen = [(f"samm/006/006_1_{number}/1/apex", "others", "others") for number in (1, 2)]
    for repeat in (1, 2):
        write_run(tmp_path, ONE_WRONG, repeat=repeat, unseen=unseen)
    cells = grid.parse(
        json.dumps({"models": ["resnet18"], "lrs": ["1e-05"], "repeats": 2, "folds": ["1"]})
    )
    assert len(runs.read_all(tmp_path, "paper", cells)) == 2
    path = run_folder(tmp_path, "paper", "resnet18", "1e-05", 2, "1") / name
    lines_of = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines_of[:-1]))
    with pytest.raises(UserError, match=rf"repeat2/fold1/{name}: {message}"):
        runs.read_all(tmp_path, "paper", cells)
