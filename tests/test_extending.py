"""docs/extending.md: each example is one file, reruns nothing else, and all of them run."""

import json
import re
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest

from fleeting import registry, tsv
from fleeting.examples.apex import APEXES
from pipeline import ROOT, Project

pytestmark = pytest.mark.slow

PAGE = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"```python\n# (\S+)\n(.*?)```", PAGE, re.DOTALL))
SUBJECTS, CLIPS = 8, 4
FIGURE = "figures/subjects.png"


def add_files(project: Project) -> None:
    for path, text in FILES.items():
        place = project.folder / path
        assert place.parent.is_dir(), path
        assert not place.exists(), path
        place.write_text(text)


def write_database(folder: Path) -> None:
    """`ratings.csv` with times in seconds, and frames at 100 a second."""
    random = np.random.default_rng(1)
    lines = ["Participant;Trial;Start;Peak;End;Felt"]
    for subject in range(1, SUBJECTS + 1):
        for clip in range(1, CLIPS + 1):
            felt = ["amused", "annoyed", "sad", "amused"][clip - 1]
            lines.append(f"P{subject:02d};t{clip};0.01;0.05;0.09;{felt}")
            place = folder / f"P{subject:02d}" / f"t{clip}"
            place.mkdir(parents=True)
            for number in (1, 5, 9):
                picture = random.integers(0, 256, (48, 64, 3), dtype=np.uint8)
                cv2.imwrite(str(place / f"{number:04d}.png"), picture)
    (folder / "ratings.csv").write_text("\n".join(lines) + "\n")


def test_there_is_an_example_for_each_seam() -> None:
    folders = {path.rpartition("/")[0].removeprefix("workflow/scripts/fleeting/") for path in FILES}
    # Selections are frames' own, and synthetic databases are for the demo and tests alone.
    assert folders == set(registry.FOLDERS.values()) - {"frames/selections", "synthetic/writers"}


def test_every_example_is_one_file_that_reruns_nothing_else(
    finished: Project, tmp_path: Path
) -> None:
    project = finished.copy(tmp_path / "copy")
    add_files(project)
    assert project.run("-n").jobs == Counter(table_subjects=1, figure_subjects=1)


def test_all_examples_run(finished: Project, tmp_path: Path) -> None:
    project = finished.copy(tmp_path / "copy")
    add_files(project)
    write_database(project.folder / "lab")
    (config,) = re.findall(r"```yaml\n(results: results/lab.*?)```", PAGE, re.DOTALL)
    (project.folder / "tiny.yaml").write_text(config)
    results = "results/lab/experiments/lab"
    tables = ("tables/subjects.tsv", "tables/label_map_counts.tsv", "evaluation/baselines.tsv")
    motion = "results/lab/inputs/motion/lab.tsv"
    project.run(motion, *(f"{results}/{name}" for name in ("scores.tsv", *tables, FIGURE)))
    arrays = np.load((project.folder / motion).with_suffix(".npy"))
    assert arrays.shape == (SUBJECTS * CLIPS, 28, 28, 3)
    assert np.allclose(arrays, arrays[:, :1, :1], atol=1e-5), "one motion for the whole face"
    assert arrays[..., :2].any()
    apexes = tsv.read_rows((project.folder / motion).with_suffix(".apexes.tsv"), APEXES)
    assert {(row["method"], row["found"], row["used"]) for row in apexes} == {
        ("correlation", "5", "5")
    }
    experiment = project.folder / results
    scores = tsv.read_rows(experiment / "scores.tsv", tsv.SCORES)
    assert {row["metric"] for row in scores} >= {"accuracy", "uf1", "uar", "kappa"}
    assert {row["repeat"] for row in scores} == {"1", "2"}
    assert {row["model"] for row in scores} == {"linear", "chosen"}, "the nested choice as well"
    for path in experiment.glob("runs/**/run.json"):
        by_class = json.loads(path.read_text())["train_examples_by_class"]
        assert all(counts["negative"] == counts["positive"] > 0 for counts in by_class.values())
    folds = tsv.read_rows(experiment / "folds.tsv", tsv.FOLDS)
    assert [row["name"] for row in folds] == ["half 1", "half 2"]
    folder = experiment / "baselines/class_means"
    predicted = tsv.read_rows(folder / "predictions.tsv", tsv.BASELINE_PREDICTIONS)
    assert len(predicted) == SUBJECTS * CLIPS
    subjects = tsv.read_rows(experiment / "tables/subjects.tsv", {})
    assert len(subjects) == SUBJECTS
    assert all(row["test"] == str(CLIPS) for row in subjects)
    counts = tsv.read_rows(experiment / "tables/label_map_counts.tsv", {})
    assert [(row["label"], row["found"], row["difference"]) for row in counts] == [
        ("negative", "16", "0"),
        ("positive", "16", "-1"),
    ]
    assert (experiment / FIGURE).stat().st_size > 1000
