"""Baselines that look at the examples, the scores of all, and the job that writes them."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.metrics import f1_score, recall_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from baseline_folds import CLASSES, NAMES, PIXELS, composite, pictures, run, said
from fleeting import tsv
from fleeting.evaluation import run_baselines, schemas
from fleeting.evaluation.baseline import Examples
from fleeting.evaluation.baseline_scores import BaselineScores
from fleeting.evaluation.run_baselines import DRAWN, score_table
from small_runs import small_split


def test_points_have_the_distances_and_products_of_the_values() -> None:
    """Fewer examples than values: the axes are turned; as many: they are the values."""
    examples = pictures(composite())
    values = examples.scaled(examples.stored).reshape(len(examples.stored), -1)
    assert values.max() == (examples.stored.max() - 10.0) / 50
    assert (examples.points == values).all()
    few = Examples(list("uvwxyz"), lambda: examples.stored[:6], PIXELS)
    assert few.points.shape == (6, 6)
    assert few.points @ few.points.T == pytest.approx(values[:6] @ values[:6].T)


@pytest.mark.parametrize("subjects", [9, 30])
def test_baselines_of_the_examples_are_scikit_learns_on_their_values(subjects: int) -> None:
    """Turned axes (of 9 subjects) change nothing."""
    table = composite(subjects=subjects)
    examples = pictures(table)
    values = examples.scaled(examples.stored).reshape(len(table), -1)
    assert (len(table) < values.shape[1]) == (subjects == 9)
    tested = (table["database"] == "z").to_numpy()
    train, test = table[~tested], table[tested]
    for name, model in (
        ("nearest_neighbour", KNeighborsClassifier(1)),
        (
            "pca_svm",
            make_pipeline(PCA(min(len(train), 60)), LinearSVC(class_weight="balanced", dual=False)),
        ),
    ):
        model.fit(values[~tested], train["label"])
        assert said(name, train, test, examples) == model.predict(values[tested]).tolist()


def test_large_folds_draw_no_components_at_random() -> None:
    """Above 500 examples and values, scikit-learn's choice would be a randomised solver."""
    table = composite(subjects=150)
    assert len(table) > 600
    tested = (table["database"] == "z").to_numpy()
    values = np.random.default_rng(3).integers(0, 256, (len(table), 600, 1, 1), dtype=np.uint8)
    examples = Examples(table["example"].tolist(), lambda: values, PIXELS)
    one, other = (said("pca_svm", table, table[tested], examples, seed) for seed in (1, 2))
    assert one == other


@pytest.mark.parametrize(("baseline", "least"), [("nearest_neighbour", 0.5), ("pca_svm", 0.6)])
def test_baselines_of_the_examples_learn_what_is_there(baseline: str, least: float) -> None:
    table = composite(subjects=60)
    shuffled = table.assign(label=np.random.default_rng(2).permutation(table["label"]))
    examples = pictures(table)
    found, control = (run(baseline, one, examples) for one in (table, shuffled))
    assert recall_score(found["label"], found["predicted"], average="macro") > least
    uar = recall_score(control["label"], control["predicted"], average="macro")
    assert uar == pytest.approx(1 / 3, abs=0.1)


def test_scores_are_those_of_scikit_learn_in_every_group() -> None:
    table = composite()
    found = {name: run(name, table) for name in ("database_only", "uniform")}
    scores = score_table(found, CLASSES, ["uf1"]).set_index(["baseline", "group", "metric"])
    assert set(scores.index.get_level_values("group")) == {
        *("all", "database/x", "database/y", "database/z", "phase/apex")
    }
    assert set(scores.index.get_level_values("metric")) == {"accuracy", "uf1", "uar", "precision"}
    own = found["database_only"]
    for group, part in (("all", own), ("database/x", own[own["database"] == "x"])):
        pair = part["label"], part["predicted"]
        expected = f1_score(*pair, average="macro", labels=sorted(set(pair[0])), zero_division=0)
        row = scores.loc["database_only", group, "uf1"]
        assert row["mean"] == pytest.approx(expected, abs=1e-12)
        assert row["low"] <= row["mean"] <= row["high"]
    row = scores.loc["uniform", "all", "uar"]
    by_draw = [
        recall_score(part["label"], part["predicted"], average="macro")
        for _, part in found["uniform"].groupby("repeat")
    ]
    assert (row["mean"], row["repeats"]) == (pytest.approx(np.mean(by_draw)), DRAWN)


def test_the_best_of_the_nulls_and_of_all(tmp_path: Path) -> None:
    table = composite()
    examples = pictures(table, noise=1)
    names = ("majority", "database_only_balanced", "database_only", "pca_svm")
    found = {name: run(name, table, examples) for name in names}
    path = tmp_path / "baselines.tsv"
    tsv.write(score_table(found, CLASSES, []), path, schemas.BASELINES)
    baselines = BaselineScores(path)
    null, best = baselines.best_null("uar"), baselines.best("uar")
    assert null is not None
    assert best is not None
    assert (null.name, best.name) == ("database_only_balanced", "pca_svm")
    assert best.score > 0.95 > null.score
    assert baselines.best("uar", "class/a") is None
    assert baselines.highest_nulls(["uar"], "class/a") == {"uar": None}


def test_the_job_writes_every_baseline_but_those_of_motion(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    small_split(tmp_path, folds=3)
    caplog.set_level("INFO")
    written = []
    for name in ("one", "again"):
        folder = tmp_path / name
        run_baselines.run(
            gate=tmp_path / "split.json",
            split=tmp_path / "split.tsv",
            folds=tmp_path / "folds.tsv",
            examples=[tmp_path / "input" / "d.tsv"],
            baselines=[*NAMES, "regional_kernel_ridge"],
            metrics=["uf1"],
            predictions=tmp_path / name,
            scores=tmp_path / name / "scores.tsv",
            counts=tmp_path / name / "counts.tsv",
        )
        written.append({path.parent.name: path.read_bytes() for path in folder.glob("*/*.tsv")})
    one, again = ((tmp_path / name / "scores.tsv").read_bytes() for name in ("one", "again"))
    assert one == again
    assert {path.parent.name for path in tmp_path.glob("one/*/*.tsv")} == set(NAMES)
    assert written[0] == written[1]
    assert "regional_kernel_ridge is left out: it looks at motion, and the input" in caplog.text
    tests = tsv.read(tmp_path / "split.tsv", tsv.SPLIT)
    tests = tests[tests["split"] == "test"]
    for name in NAMES:
        table = tsv.read(tmp_path / f"one/{name}/predictions.tsv", tsv.BASELINE_PREDICTIONS)
        for _, own in table.groupby("repeat"):
            pairs = set(zip(own["fold"], own["example"], own["label"], strict=True))
            assert pairs == set(zip(tests["fold"], tests["example"], tests["label"], strict=True))
            assert len(own) == len(pairs)
    # Dark and bright pictures are told apart by their values alone.
    baselines = BaselineScores(tmp_path / "one/scores.tsv")
    scores = {one.name: one.score for one in baselines.scores("accuracy")}
    assert scores["nearest_neighbour"] == scores["pca_svm"] == 1
    assert scores["clip_only"] < 1
