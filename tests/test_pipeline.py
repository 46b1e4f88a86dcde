"""The whole pipeline through Snakemake, on tiny synthetic databases."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from fleeting import tsv
from fleeting.evaluation import schemas
from pipeline import MARKUP, ROOT, Project

pytestmark = pytest.mark.slow

EXPERIMENT = "results/experiments/tiny"


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


@pytest.mark.parametrize(
    ("config", "runs"),
    [
        ("config.yaml", 150),
        ("config/review.yaml", 660),
    ],
)
def test_what_ready_configs_train(config: str, runs: int) -> None:
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
        block["baselines"] = ["majority"]
        mixed = {**block, "protocol": {"kind": "matched", "to": "whole"}}
        config["experiments"] |= {"whole": block, "shared": {**block, "parts": 2}, "mixed": mixed}

    project.configure(add)
    scores = [f"results/experiments/{name}/scores.tsv" for name in ("whole", "shared")]
    matched = "results/comparison/matched.tsv"
    near = [f"results/experiments/{name}/tables/near_duplicates.tsv" for name in ("whole", "mixed")]
    assert project.run(*scores, matched, *near).jobs["train"] == 4
    rows = tsv.read_rows(project.folder / matched, {})
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
