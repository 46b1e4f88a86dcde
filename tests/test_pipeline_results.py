"""What a finished project holds: every file of the contract, and numbers that add up."""

import json

import pandas as pd
import pytest

from fleeting import tsv
from fleeting.config.models import BASELINES
from fleeting.controls import motion, projects
from fleeting.evaluation import schemas
from fleeting.synthetic.database import TRUTH
from pipeline import CONFIG, Project

pytestmark = pytest.mark.slow

EXPERIMENT = "results/experiments/tiny"


def test_every_file_of_the_contract_is_there(finished: Project) -> None:
    results = finished.folder / "results"
    experiment = finished.folder / EXPERIMENT
    for database in CONFIG["databases"]:
        for path in (
            *("annotations/{}.tsv", "frames/phases/{}.tsv", "faces/tiny/{}.tsv"),
            *("inputs/tiny/{}.tsv", "inputs/tiny/{}.npy", "inputs/tiny/{}.hashes.tsv"),
            "inputs/tiny/{}.excluded.tsv",
        ):
            assert (results / path.format(database)).is_file()
    for name in ("split.tsv", "folds.tsv", "split.json", "unused.tsv", "scores.tsv"):
        assert (experiment / name).is_file(), name
    for table in (
        *("databases", "classes", "near_duplicates", "compare_models", "baselines"),
        *("paper_comparison", "all_runs", "scores_by_group"),
    ):
        assert (experiment / "tables" / f"{table}.tsv").is_file(), table
    for table in ("table1_structure", "table2_test_metrics", "table3_confused_pairs"):
        for ending in ("tsv", "md", "tex"):
            assert (experiment / "tables" / f"{table}.{ending}").is_file(), table
    for figure in (
        *("databases", "classes", "cropping", "validation_accuracy_lr1e-02"),
        *("learning_rates", "losses", "confusion", "confused_pair", "scores"),
    ):
        for ending in ("svg", "png"):
            assert (experiment / "figures" / f"{figure}.{ending}").stat().st_size > 1000, figure
    for name in ("experiments.tsv", "experiments.html", "experiments.svg", "experiments.png"):
        assert (results / "comparison" / name).stat().st_size > 100
    meter = schemas.read(results / "comparison/leak_meter.tsv", schemas.LEAK_METER)
    measures = [
        "validation_choice",
        "best_of_runs",
        "epoch_best_for_all",
        "epoch_best_for_each",
        "recognised",
    ]
    assert list(dict.fromkeys(meter["measure"])) == measures
    log = (results / "logs/training/tiny/estimate_grid.log").read_text()
    assert "Note: tiny: 2 of 2 training jobs remain" in log, "estimated before the first run"
    for model in CONFIG["experiments"]["tiny"]["grid"]["models"]:
        run = experiment / "runs" / model / "lr1e-02" / "repeat1" / "part1"
        assert len(tsv.read(run / "history.tsv", tsv.HISTORY)) == 2
        assert json.loads((run / "run.json").read_text())["threads"] == 1
        least = 40e6 if model == "resnet18" else 10e3
        assert (run / "models/fold1.pt").stat().st_size > least


def test_baselines_stand_beside_the_networks(finished: Project) -> None:
    experiment = finished.folder / EXPERIMENT
    written = (experiment / "baselines").glob("*/predictions.tsv")
    assert {path.parent.name for path in written} == set(BASELINES)
    tests = tsv.read(experiment / "split.tsv", tsv.SPLIT)
    tests = tests[tests["split"] == "test"].set_index("example")["label"]
    for name in BASELINES:
        path = experiment / "baselines" / name / "predictions.tsv"
        predictions = tsv.read(path, tsv.BASELINE_PREDICTIONS)
        own = predictions[predictions["repeat"] == "1"].set_index("example")
        assert own["label"].to_dict() == tests.to_dict()
    rows = tsv.read(experiment / "tables/baselines.tsv", {})
    assert set(rows["predictor"]) == {*BASELINES, "paper", "validation"}
    assert rows["uar"].astype(float).is_monotonic_decreasing
    majority = rows.set_index("predictor").loc["majority"]
    assert float(majority["uar"]) == pytest.approx(1 / tests.nunique(), abs=1e-6)
    page = (experiment / "tables/all_runs.html").read_text()
    assert "Of 7 null models, which are given annotations alone, the best is" in page


def test_the_controls_read_what_was_predicted(finished: Project, monkeypatch) -> None:
    monkeypatch.chdir(finished.folder)
    found = motion.predictions(projects.Project({**CONFIG, "results": "results"}), "tiny", True)
    counts = schemas.read(
        finished.folder / EXPERIMENT / "evaluation/subject_counts.tsv", schemas.SUBJECT_COUNTS
    )
    model = CONFIG["experiments"]["tiny"]["grid"]["models"][0]
    own = counts[counts["model"] == model]
    assert len(found[model]) == own["count"].sum()
    right = found[model]["label"] == found[model]["predicted"]
    assert right.sum() == own.loc[own["label"] == own["predicted"], "count"].sum()
    assert found[model].set_index(["sample", "example", "repeat"]).index.is_unique


def test_the_accounting_holds(finished: Project) -> None:
    """Checked here from the stages' own tables, not from the table that asserts it."""
    results = finished.folder / "results"
    split = tsv.read(results / "experiments/tiny/split.tsv", tsv.SPLIT)
    unused = tsv.read(results / "experiments/tiny/unused.tsv", tsv.UNUSED)
    for name in CONFIG["databases"]:
        rows = pd.read_csv(results / f"annotations/{name}.rows.tsv", sep="\t")["rows"].sum()
        samples = tsv.read(results / f"annotations/{name}.tsv", tsv.ANNOTATIONS)
        crops = tsv.read(results / f"faces/tiny/{name}.tsv", tsv.FACES)
        examples = tsv.read(results / f"inputs/tiny/{name}.tsv", tsv.EXAMPLES)
        excluded = pd.concat(
            tsv.read(results / f"{stage}/{name}.excluded.tsv", tsv.EXCLUDED)
            for stage in ("annotations", "frames/phases", "faces/tiny")
        )
        whole_rows = (excluded["image"] == "").sum()
        assert rows == len(samples) + whole_rows
        assert 3 * len(samples) == len(crops) + len(excluded) - whole_rows
        assert len(examples) == len(crops)
        used = split[split["database"] == name]["example"].nunique()
        assert len(examples) == used + (unused["database"] == name).sum()


def test_the_truth_is_found_again(finished: Project) -> None:
    """What the synthetic databases hold is what the readers say, but for the rows they exclude."""
    for name in CONFIG["databases"]:
        truth = tsv.read(finished.folder / f"databases/{name}.truth.tsv", TRUTH)
        samples = tsv.read(finished.folder / f"results/annotations/{name}.tsv", tsv.ANNOTATIONS)
        merged = samples.merge(truth.astype(str), on="sample", suffixes=("", "_true"))
        merged = merged[merged["quirk"] == ""]
        assert len(merged) > 5
        assert (merged["emotion"].str.rstrip("s") == merged["emotion_true"].str.rstrip("s")).all()
        for phase in tsv.PHASES:
            assert (merged[phase] == merged[f"{phase}_true"]).all()


def test_tables_hold_no_absolute_path(finished: Project) -> None:
    for path, content in finished.tables().items():
        assert str(finished.folder).encode() not in content, path
