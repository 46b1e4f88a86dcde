"""The nested choice: each fold's own validation examples choose what is tested there."""

import json
from itertools import product

import pytest

from fabricated_runs import (
    ALL_HAPPY,
    LABELS,
    ONE_WRONG,
    SETTINGS,
    declared,
    experiment_folder,
    make_table,
    summarise,
    write_run,
    write_split,
)
from fleeting import registry, tsv
from fleeting.evaluation import retain_models, schemas, verdict
from fleeting.evaluation.choices import NOT_INDEPENDENT
from fleeting.evaluation.runs import Grid

MODELS, LRS = ["resnet18", "resnet34"], ["1e-04", "1e-05"]
GRID = list(product(MODELS, LRS))
WORST, STEADY, FIRST, SECOND = GRID
#: Validation UF1 in folds 1 and 2. The mean chooses STEADY, the folds FIRST and SECOND.
UF1 = {WORST: (0.1, 0.1), STEADY: (0.8, 0.8), FIRST: (0.9, 0.2), SECOND: (0.3, 0.9)}
#: FIRST is right in fold 1 alone and SECOND in fold 2 alone; STEADY makes one mistake in each.
PREDICTED = {
    WORST: (ALL_HAPPY, ALL_HAPPY),
    STEADY: (ONE_WRONG, ONE_WRONG),
    FIRST: (LABELS, ALL_HAPPY),
    SECOND: (ALL_HAPPY, LABELS),
}


def write(results, repeats=(1,), folds=(1, 2), **changes):
    for (model, lr), repeat, fold in product(GRID, repeats, folds):
        uf1 = UF1[model, lr][fold - 1]
        keys = {"uf1": (0.0, uf1), "validation": (0.0, uf1), **changes}
        predicted = PREDICTED[model, lr][fold - 1]
        write_run(results, predicted, model=model, lr=lr, repeat=repeat, fold=fold, **keys)


def chosen(results):
    path = experiment_folder(results) / "evaluation" / "nested.tsv"
    rows = tsv.read_rows(path, schemas.NESTED)
    return [(int(row["repeat"]), int(row["fold"]), (row["model"], row["lr"])) for row in rows]


def accuracy(summary, choice):
    return summary.values(choice.model, choice.lr)["all", "accuracy"]


def test_folds_choose_for_themselves_and_their_tests_are_pooled(tmp_path):
    write(tmp_path)
    summary = summarise(tmp_path, MODELS, LRS)
    assert chosen(tmp_path) == [(1, 1, FIRST), (1, 2, SECOND)]
    names = [choice.name for choice in summary.choices]
    assert names == ["paper", "validation", "nested"]
    pooled, nested = summary.choice("validation"), summary.choice("nested")
    assert (pooled.model, pooled.lr) == STEADY
    assert pooled.reason.endswith(f"; {NOT_INDEPENDENT}")
    assert accuracy(summary, pooled) == {1: pytest.approx(10 / 12)}
    assert accuracy(summary, nested) == {1: 1.0}
    assert summary.interval(nested.model, nested.lr, "uar").mean == 1
    assert nested.title == "nested: chosen inside each fold"
    assert nested.reason.endswith("by fold and repeat (ResNet34 at 1e-04 in 1 of 2)")
    assert summary.models == MODELS
    assert summary.lrs == LRS
    run = summary.finished.iloc[-1]
    assert (run["model"], run["folds"], run["test_examples"]) == ("chosen", 2, 12)
    assert run["validation_accuracy"] == pytest.approx(0.9)
    counts = schemas.read(
        experiment_folder(tmp_path) / "evaluation" / "subject_counts.tsv", schemas.SUBJECT_COUNTS
    )
    own = counts[counts["model"] == "chosen"]
    assert (own["label"] == own["predicted"]).all()
    assert own["count"].sum() == 12


@pytest.mark.parametrize(
    ("uf1", "losses", "expected"),
    [
        ({}, {STEADY: 0.5, FIRST: 0.7}, STEADY),
        ({}, {}, WORST),
        ({SECOND: 0.5}, {STEADY: 0.5}, SECOND),
        ({WORST: "", STEADY: "", FIRST: ""}, {}, SECOND),
    ],
    ids=["loss", "grid order", "UF1 first", "without UF1 last"],
)
def test_equal_uf1_is_decided_by_the_loss_then_by_the_grid(tmp_path, uf1, losses, expected):
    for (model, lr), fold in product(GRID, (1, 2)):
        keys = {"model": model, "lr": lr, "fold": fold, "validation": (0.0, 0.4)}
        own = uf1.get((model, lr), 0.4)
        loss = losses.get((model, lr), 0.9)
        write_run(tmp_path, LABELS, **keys, uf1=(0.0, own), losses=(1.0, loss))
    summarise(tmp_path, MODELS, LRS)
    assert [configuration for _, _, configuration in chosen(tmp_path)] == [expected] * 2


def test_a_fold_is_chosen_by_its_tested_epoch(tmp_path):
    """The last epochs of FIRST and SECOND are good; tested was another one."""
    write(tmp_path, tested=1)
    summarise(tmp_path, MODELS, LRS)
    assert {configuration for _, _, configuration in chosen(tmp_path)} == {WORST}


def test_each_repeat_chooses_among_its_own_runs_that_finished(tmp_path):
    write(tmp_path, repeats=(1, 2))
    keys = {"model": FIRST[0], "lr": FIRST[1], "repeat": 2, "fold": 1}
    write_run(tmp_path, LABELS, **keys, failed="epoch 2: the train loss is nan")
    write_split(tmp_path)
    summary = summarise(tmp_path, MODELS, LRS, 2, allow_missing=True)
    assert chosen(tmp_path) == [(1, 1, FIRST), (1, 2, SECOND), (2, 1, STEADY), (2, 2, SECOND)]
    assert accuracy(summary, summary.choice("nested")) == {1: 1.0, 2: pytest.approx(11 / 12)}
    assert len(summary.failed) == 1
    assert len(summary.every) == 8


def test_folds_of_one_repeat_each_are_several(tmp_path):
    """With a split of its own in each repeat, the test of one validates in another."""
    for (model, lr), fold in product(GRID, (1, 2)):
        uf1 = UF1[model, lr][fold - 1]
        keys = {"repeat": fold, "fold": fold, "uf1": (0.0, uf1), "validation": (0.0, uf1)}
        write_run(tmp_path, PREDICTED[model, lr][fold - 1], model=model, lr=lr, **keys)
    write_split(tmp_path, repeats={1: 1, 2: 2})
    summary = summarise(tmp_path, MODELS, LRS, 2)
    assert chosen(tmp_path) == [(1, 1, FIRST), (2, 2, SECOND)]
    assert NOT_INDEPENDENT in summary.choice("validation").reason


@pytest.mark.parametrize(("folds", "grid"), [((1,), GRID), ((1, 2), [STEADY])])
def test_without_several_folds_and_configurations_nothing_is_nested(tmp_path, folds, grid):
    for (model, lr), fold in product(grid, folds):
        write_run(tmp_path, LABELS, model=model, lr=lr, fold=fold)
    models, lrs = (list(dict.fromkeys(names)) for names in zip(*grid, strict=True))
    summary = summarise(tmp_path, models, lrs)
    assert [choice.name for choice in summary.choices] == ["paper", "validation"]
    assert NOT_INDEPENDENT not in summary.choice("validation").reason
    assert chosen(tmp_path) == []
    assert len(summary.finished) == len(summary.every) == len(grid)


def test_the_verdict_says_which_epoch_it_is_about(tmp_path):
    write(tmp_path)
    summary = summarise(tmp_path, MODELS, LRS)
    said = verdict.sentence(summary, summary.choice("nested"))
    assert said.startswith("nested: chosen inside each fold: UAR 1.000")
    assert "After the last epoch 0.900 of its training examples are right" in said
    for path in (experiment_folder(tmp_path) / "runs").rglob("run.json"):
        written = json.loads(path.read_text())
        written["tested_epoch"] = dict.fromkeys(written["tested_epoch"], 1)
        path.write_text(json.dumps(written))
    summary = summarise(tmp_path, MODELS, LRS)
    said = verdict.sentence(summary, summary.choice("nested"))
    assert "After the tested epoch 0.000 of its training examples are right" in said


def test_tables_of_choices_show_it(tmp_path):
    write(tmp_path)
    summarise(tmp_path, MODELS, LRS)
    for name, column in (("table2_test_metrics", "mean"), ("table3_confused_pairs", "rate_mean")):
        frame, _ = make_table(name, tmp_path)
        own = frame[frame["choice"] == "nested"]
        assert set(zip(own["model"], own["lr"], strict=True)) == {("chosen", "by fold")}
        # All that it predicts is right: every metric is 1, and nothing is confused.
        if column == "mean":
            assert (own.loc[own["metric"] != "support", column] == 1).all()
        else:
            # Of the paper's pair; no other pair is confused more.
            assert (own[column] == 0).all()
    frame, page = make_table("all_runs", tmp_path)
    assert list(zip(frame["model"], frame["lr"], strict=True)) == GRID
    assert "chosen by nested: highest validation UF1 of the fold" in page.note


def test_the_models_that_made_its_predictions_stay(tmp_path):
    write(tmp_path)
    summarise(tmp_path, MODELS, LRS)
    folder = experiment_folder(tmp_path)
    for part in (folder / "runs").rglob("part1"):
        (part / "models").mkdir()
        for fold in (1, 2):
            (part / "models" / f"fold{fold}.pt").touch()
    evaluation = folder / "evaluation"
    retain_models.run(
        results=tmp_path,
        experiment="paper",
        grid=Grid(models=MODELS, lrs=LRS, repeats=1),
        parts=1,
        choices=evaluation / "choices.tsv",
        nested=evaluation / "nested.tsv",
        output=tmp_path / "retained.tsv",
    )
    rows = tsv.read_rows(tmp_path / "retained.tsv", retain_models.RETAINED)
    left = {((row["model"], row["lr"]), row["path"].rpartition("/")[2]) for row in rows}
    # The paper's choice is resnet18 at 1e-05, which is validation's here as well.
    both = {(STEADY, "fold1.pt"), (STEADY, "fold2.pt")}
    assert left == both | {(FIRST, "fold1.pt"), (SECOND, "fold2.pt")}
    assert len(list(folder.rglob("*.pt"))) == len(left)


@pytest.mark.parametrize("name", ["confusion", "scores", "experiments"])
def test_figures_of_choices_draw_it(tmp_path, name):
    write(tmp_path, repeats=(1, 2))
    summarise(tmp_path, MODELS, LRS, 2)
    files = declared("figure", name, tmp_path)
    figure = registry.load("figure", name).draw(files, SETTINGS | {"input.kind": "image"})
    figure.canvas.draw()
    shown = [text.get_text() for legend in figure.legends for text in legend.get_texts()]
    shown += [axes.get_title() for axes in figure.axes]
    assert any("nested choice" in text for text in shown)
