"""Leave one subject out with 374 examples of 17 subjects: a split of more than a megabyte.

Snakemake compares no file above 1 MB by checksum, so the gate (split.json) has to do it.
"""

from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml

from fleeting import tsv
from pipeline import Outcome, Project

pytestmark = pytest.mark.slow

SUBJECTS, CLIPS, SIDE = 17, 374, 8
#: Long, so that few rows make a large table.
CLIP = "an_expression_of_the_second_session_of_recordings_{:03d}"
EXPERIMENT = "results/experiments/composite"


def picture(number: int) -> np.ndarray:
    return np.random.default_rng(number).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)


def place(folder: Path, number: int) -> Path:
    return folder / f"s{number % SUBJECTS:02d}" / f"{CLIP.format(number)}.png"


@pytest.fixture
def project(finished: Project, tmp_path: Path) -> Project:
    """A project with ready pictures that a CSV table names, trained for one epoch in each fold."""
    project = finished.fresh(tmp_path / "project")
    folder = project.folder / "pictures"
    lines = ["Subject,Clip,Emotion"]
    for number in range(CLIPS):
        label = ("negative", "positive", "surprise")[number % 7 % 3]
        lines.append(f"s{number % SUBJECTS:02d},{CLIP.format(number)},{label}")
        place(folder, number).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(place(folder, number)), picture(number))
    (folder / "clips.csv").write_text("\n".join(lines) + "\n")
    block = {
        "input": "flow",
        "label_map": {name: [name] for name in ("negative", "positive", "surprise")},
        "protocol": "leave_one_out",
        "recipe": {"weights": "none", "epochs": 1, "threads": 1, "batch_size": 64},
        "grid": {"models": ["small"], "lrs": ["1e-02"], "repeats": 1},
    }
    without = {**block, "exclude_subjects": ["mine/s00"]}
    config = {
        "databases": {
            "mine": {
                "reader": "table",
                "table": "pictures/clips.csv",
                "frames": "pictures",
                "picture": "{subject}/{clip}.png",
            }
        },
        "crops": {"ready": {"frames": "pictures", "detector": "none", "size": None}},
        "inputs": {
            "flow": {
                "kind": "image",
                "crop": "ready",
                "channels": ["horizontal", "vertical", "strain"],
                "zero": 128,
                "unit": 127,
            }
        },
        "experiments": {"composite": block, "without": without},
    }
    (project.folder / "tiny.yaml").write_text(yaml.safe_dump(config))
    return project


def training(project: Project, *arguments: str) -> Outcome:
    return project.run("training", *arguments)


def test_an_upstream_edit_retrains_exactly_what_it_changes(project: Project) -> None:
    assert training(project).jobs["train"] == 2
    split = project.folder / EXPERIMENT / "split.tsv"
    assert split.stat().st_size > 1_000_000, "above what Snakemake compares"
    assert (project.folder / EXPERIMENT / "split.json").stat().st_size < 5_000
    rows = tsv.read_rows(
        project.folder / EXPERIMENT / "runs/small/lr1e-02/repeat1/part1/predictions.tsv",
        tsv.PREDICTIONS,
    )
    assert len(rows) == CLIPS, "every example is tested once"
    assert len({row["fold"] for row in rows}) == SUBJECTS
    project.edit("fleeting/databases/readers/table.py")
    ran = training(project).jobs
    assert ran["extract_annotations"] == 1
    assert ran["draw_split"] == 2
    assert ran["train"] == 0, "a comment in a reader retrains nothing"
    # Another picture of s00, whom the second experiment excludes.
    cv2.imwrite(str(place(project.folder / "pictures", 0)), 255 - picture(0))
    ran = training(project, "-R", "crop").jobs
    assert ran["crop"] == 1
    assert ran["train"] == 1, "a changed crop retrains exactly what uses it"
