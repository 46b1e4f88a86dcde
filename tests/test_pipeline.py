"""The whole pipeline through Snakemake, on tiny synthetic databases."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from fleeting import tsv
from fleeting.config.models import BASELINES
from fleeting.evaluation import schemas
from fleeting.synthetic.database import TRUTH
from pipeline import CONFIG, MARKUP, ROOT, Project

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
        "told",
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


def test_a_finished_project_is_idle_wherever_it_lies(finished: Project, tmp_path: Path) -> None:
    """Copied with times in any order, and moved besides."""
    project = Project(tmp_path / "copy")
    shutil.copytree(finished.folder, project.folder, symlinks=True)
    project.shuffle_times()
    moved = Project(project.folder.rename(tmp_path / "elsewhere"))
    assert moved.run("-n").jobs == {}


def test_another_working_directory(finished: Project, tmp_path: Path) -> None:
    project = finished.copy(tmp_path / "copy")
    data = tmp_path / "data"
    data.mkdir()
    for name in ("databases", "results", ".snakemake", "tiny.yaml"):
        (project.folder / name).rename(data / name)
    (project.folder / "tiny.yaml").write_text((data / "tiny.yaml").read_text())
    # Scripts lie elsewhere as seen from there, so everything is planned; nothing is missing.
    assert project.run("-n", "--directory", str(data), "annotations").status == 0


def test_the_same_bytes_on_one_core(finished: Project, tmp_path: Path) -> None:
    project = finished.fresh(tmp_path / "again")
    project.run("--cores", "1", f"{EXPERIMENT}/runs/small/lr1e-02/repeat1/part1/predictions.tsv")
    tables = project.tables()
    assert len(tables) > 40
    assert tables == {path: finished.tables()[path] for path in tables}


@pytest.mark.parametrize(("config", "runs"), [("config.yaml", 150), ("config/silent.yaml", 210)])
def test_what_the_paper_and_its_silent_choices_train(config: str, runs: int) -> None:
    """In a clone without databases, weights or network."""
    command = [sys.executable, "-m", "snakemake", "-n", "--configfile", config]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    lines = (done.stdout + done.stderr).splitlines()
    assert ["train", str(runs)] in [line.split() for line in lines]


def test_the_report(finished: Project, tmp_path: Path) -> None:
    finished.copy(tmp_path / "copy").run("--report", str(tmp_path / "report.html"))
    text = (tmp_path / "report.html").read_text()
    for name in ("confusion.svg", "all_runs.html", "excluded.html", "unused.html"):
        assert name in text
    for name in ("runs/resnet18", "faces/tiny/casme/", "apex.png", "fold1.pt"):
        assert name not in text
    assert len(text) < 50e6
    assert MARKUP not in text
    shown = MARKUP.replace("<", "u003c")
    assert shown in text.replace("\\", ""), "the emotion is in the parameters"


def test_a_missing_database_says_what_to_do(finished: Project, tmp_path: Path) -> None:
    project = finished.copy(tmp_path / "copy")
    shutil.rmtree(project.folder / "results")
    project.configure(lambda config: config["databases"]["samm"].update(root="nowhere"))
    outcome = project.snakemake("annotations")
    assert outcome.status != 0
    assert "Error: " in outcome.text
    assert "nowhere" in outcome.text
    assert "Traceback" not in outcome.text


def test_a_database_that_is_away_costs_nothing(finished: Project, tmp_path: Path) -> None:
    project = finished.copy(tmp_path / "copy")
    (project.folder / "databases").rename(project.folder / "unmounted")
    idle = project.run("-n")
    assert idle.jobs == {}
    assert "Note: no table of samm in databases/SAMM" in idle.text
    for path in (project.folder / EXPERIMENT / "figures").glob("losses.*"):
        path.unlink()
    assert project.run().jobs == {"figure_losses": 1}


def test_warnings_reach_the_user(finished: Project, tmp_path: Path) -> None:
    project = finished.copy(tmp_path / "copy")
    shown = project.run("-R", "link_images").text
    assert "1 of 14 clips of the table have no folder" in shown


def test_kept_provider_crops_need_no_detector(tmp_path: Path, finished: Project) -> None:
    project = finished.copy(tmp_path / "copy")
    project.configure(
        lambda config: config.update(
            databases={"casme2": {"root": "x", "source": "cropped"}},
            experiments={"e": {"input": "tiny"}},
        )
    )
    assert "fetch_detector" not in project.run("-n", "faces").jobs


def test_missing_weights_show_before_anything_else(finished: Project, tmp_path: Path) -> None:
    project = finished.fresh(tmp_path / "project")

    def pretrained(config: dict[str, Any]) -> None:
        config["experiments"]["tiny"]["recipe"]["weights"] = "imagenet"
        config["experiments"]["tiny"]["grid"]["models"] = ["resnet18"]

    project.configure(pretrained)
    proxy = dict.fromkeys(
        ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9"
    )
    environment = {**proxy, "TORCH_HOME": str(tmp_path / "cache")}
    outcome = project.snakemake("--cores", "1", environment=environment)
    assert outcome.status != 0
    assert "resnet18-f37072fd.pth" in outcome.text
    assert str(tmp_path / "cache") in outcome.text
    assert "Traceback" not in outcome.text
    assert outcome.jobs == {}, "nothing ran before the weights were there"


def test_many_folds_in_one_job_and_in_parts(finished: Project, tmp_path: Path) -> None:
    """Leave one subject out: a job a run, the same bytes whatever the parts, no models kept.

    Beside it the same folds with their subjects mixed.
    """
    project = finished.copy(tmp_path / "copy")

    def add(config: dict[str, Any]) -> None:
        block = {**config["experiments"]["tiny"], "protocol": "leave_one_out"}
        block["grid"] = {"models": ["small"], "lrs": ["1e-02"], "repeats": 1}
        mixed = {**block, "protocol": {"kind": "matched", "to": "whole"}}
        config["experiments"] |= {"whole": block, "shared": {**block, "parts": 2}, "mixed": mixed}

    project.configure(add)
    scores = [f"results/experiments/{name}/scores.tsv" for name in ("whole", "shared")]
    leaks = "results/comparison/leaks.tsv"
    near = [f"results/experiments/{name}/tables/near_duplicates.tsv" for name in ("whole", "mixed")]
    assert project.run(*scores, leaks, *near).jobs["train"] == 4
    rows = tsv.read_rows(project.folder / leaks, {})
    assert [(row["matched"], row["to"], row["metric"]) for row in rows] == [
        ("mixed", "whole", "uf1"),
        ("mixed", "whole", "uar"),
    ]
    apart, mixed = (tsv.read_rows(project.folder / path, {})[-1] for path in near)
    assert (apart["database"], apart["test_examples"]) == ("total", mixed["test_examples"])
    assert (apart["same_subject"], apart["same_subject_median"]) == ("0", "")
    assert int(mixed["same_subject"]) > 0.5 * int(mixed["test_examples"])
    results = project.folder / "results/experiments"
    runs = {name: results / name / "runs/small/lr1e-02/repeat1" for name in ("whole", "shared")}
    for name, schema in (("predictions", tsv.PREDICTIONS), ("history", tsv.HISTORY)):
        whole, shared = (
            [
                row
                for part in sorted(folder.glob("part*"))
                for row in tsv.read_rows(part / f"{name}.tsv", schema)
            ]
            for folder in runs.values()
        )
        assert len(list(runs["shared"].glob("part*"))) == 2
        assert sorted(map(str, whole)) == sorted(map(str, shared))
        assert {row["fold"] for row in whole} == {str(fold) for fold in range(1, 8)}
    for name in ("scores.tsv", "evaluation/best_of_runs.tsv", "evaluation/best_epochs.tsv"):
        table = results / "whole" / name
        assert table.read_bytes() == (results / "shared" / name).read_bytes()
    for name, unit in (("whole", "subject"), ("mixed", "example")):
        by_epoch = tsv.read_rows(results / name / "evaluation/best_epochs.tsv", schemas.BEST_EPOCHS)
        assert {row["unit"] for row in by_epoch} == {unit}
    assert not list((results / "whole").rglob("*.pt"))
    assert not (results / "whole/images").exists()


def test_the_workflow_is_a_module(finished: Project, tmp_path: Path) -> None:
    """Another workflow takes it over with its rules prefixed, and plans what it would itself.

    By the path that snakedeploy gives.
    """
    outer = tmp_path / "outer"
    outer.mkdir()
    (outer / "Snakefile").write_text(
        "configfile: 'ours.yaml'\n"
        "module fleeting:\n"
        f"    snakefile: {str(finished.folder / 'workflow/Snakefile')!r}\n"
        "    config: config['fleeting']\n"
        "use rule * from fleeting as fleeting_*\n"
        "rule all:\n"
        "    default_target: True\n"
        "    input: rules.fleeting_all.input\n"
    )
    config = yaml.safe_load((finished.folder / "tiny.yaml").read_text())
    for block in config["databases"].values():
        block["root"] = str(finished.folder / block["root"])
    (outer / "ours.yaml").write_text(yaml.safe_dump({"fleeting": config}))
    command = [sys.executable, "-m", "snakemake", "-n", "--cores", "1"]
    done = subprocess.run(command, cwd=outer, capture_output=True, text=True)
    text = done.stdout + done.stderr
    assert done.returncode == 0, text
    assert re.search(r"^fleeting_train +2$", text, re.MULTILINE), text
