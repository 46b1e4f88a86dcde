"""What an edit runs again: all that it touches, and nothing else."""

from collections import Counter
from pathlib import Path

import pytest

from fleeting.synthetic.database import write_all
from pipeline import SYNTHETIC, Project

pytestmark = pytest.mark.slow

DATABASES = SUBJECTS_OF = 4
SUBJECTS = 8
RUNS = 2
#: What depends on the runs.
AFTER_TEST = Counter(
    collect_runs=1,
    table_all_runs=1,
    table_test_metrics=1,
    table_confused_pairs=1,
    table_unseen_subjects=1,
    table_paper_comparison=1,
    figure_validation_accuracy=1,
    figure_learning_rates=1,
    figure_losses=1,
    figure_confusion=1,
    figure_confused_pair=1,
)
AFTER_TRAIN = AFTER_TEST + Counter(test=RUNS)


def recipe(**changes: object):  # type: ignore[no-untyped-def]
    return lambda config: config["experiments"]["tiny"]["recipe"].update(changes)


# Below the last checkpoint nothing can end early: a dry run tells what would run.
@pytest.mark.parametrize(
    ("edited", "expected"),
    [
        ("train.py", AFTER_TRAIN + Counter(train=RUNS)),
        ("fleeting/training/run.py", AFTER_TRAIN + Counter(train=RUNS)),
        ("fleeting/training/trainer.py", AFTER_TRAIN + Counter(train=RUNS)),
        (
            "fleeting/training/models/resnet34.py",
            AFTER_TEST + Counter(train=1, test=1, table_structure=1),
        ),
        ("fleeting/training/models/resnet50.py", Counter()),
        ("predict.py", AFTER_TRAIN),
        ("fleeting/evaluation/predict.py", AFTER_TRAIN),
        ("collect_runs.py", AFTER_TEST),
        ("fleeting/evaluation/collect.py", AFTER_TEST),
        ("table_all_runs.py", Counter(table_all_runs=1)),
        ("fleeting/evaluation/all_runs.py", Counter(table_all_runs=1)),
        ("figure_losses.py", Counter(figure_losses=1)),
        ("fleeting/figures/losses.py", Counter(figure_losses=1)),
        ("link_images.py", Counter(link_images=1)),
        ("print_summary.py", Counter()),
    ],
)
def test_an_edit_below_the_split(
    finished: Project, tmp_path: Path, edited: str, expected: Counter[str]
) -> None:
    project = finished.copy(tmp_path / "copy")
    project.edit(edited)
    assert project.run("-n").jobs == expected


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (recipe(epochs=3), AFTER_TRAIN + Counter(train=RUNS)),
        (
            lambda config: config["experiments"]["tiny"]["grid"].update(lrs=["1e-02", "1e-03"]),
            AFTER_TEST + Counter(train=RUNS, test=RUNS, figure_validation_accuracy=1),
        ),
        (
            lambda config: config.update(show_faces=["casme/sub01"]),
            Counter(figure_cropping=1, figure_confused_pair=1),
        ),
    ],
    ids=["epochs", "another rate", "show_faces"],
)
def test_a_parameter_below_the_split(
    finished: Project, tmp_path: Path, change: object, expected: Counter[str]
) -> None:
    project = finished.copy(tmp_path / "copy")
    project.configure(change)
    assert project.run("-n").jobs == expected


def frames_on(databases: int) -> Counter[str]:
    return Counter(select_frames=databases, gather_faces=databases, split_images=1)


# Above it, only a run tells: checkpoints compare what was written with what was there.
@pytest.mark.parametrize(
    ("edited", "expected"),
    [
        ("fleeting/databases/readers/casme2.py", frames_on(1) + Counter(extract_annotations=1)),
        ("extract_annotations.py", frames_on(4) + Counter(extract_annotations=4)),
        ("fleeting/databases/extract.py", frames_on(4) + Counter(extract_annotations=4)),
        ("select_frames.py", frames_on(4)),
        ("fleeting/frames/index.py", frames_on(4)),
        ("crop.py", Counter(crop=SUBJECTS, gather_faces=4, split_images=1)),
        ("fleeting/faces/finder.py", Counter(crop=SUBJECTS, gather_faces=4, split_images=1)),
        ("fleeting/faces/detectors/ssd_mobilenet_v1.py", Counter()),
        ("gather_faces.py", Counter(gather_faces=4, split_images=1)),
        ("split_images.py", Counter(split_images=1)),
        ("fleeting/splits/random_images.py", Counter(split_images=1)),
        ("fetch_weights.py", Counter()),
    ],
)
def test_an_edit_that_changes_no_image_retrains_nothing(
    finished: Project, tmp_path: Path, edited: str, expected: Counter[str]
) -> None:
    project = finished.copy(tmp_path / "copy")
    project.edit(edited)
    assert project.run("training").jobs == expected
    assert project.run("-n", "training").jobs == {}
    project.run()
    assert project.tables() == finished.tables()


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            lambda config: config.update(annotations={"apex": "midpoint"}),
            frames_on(4) + Counter(extract_annotations=4),
        ),
        (lambda config: config.update(frames={"nearest_within": 1}), frames_on(4)),
        (
            lambda config: config["crops"]["tiny"].update(size=40),
            Counter(crop=SUBJECTS, gather_faces=4, split_images=1, train=RUNS),
        ),
        (
            lambda config: config["experiments"]["tiny"]["split"].update(seed=2),
            Counter(split_images=1, train=RUNS),
        ),
        (
            lambda config: config["databases"]["cas_me2"].update(label="estimated"),
            frames_on(1) + Counter(extract_annotations=1, train=RUNS),
        ),
    ],
    ids=["apex", "nearest_within", "size", "split seed", "label"],
)
def test_a_parameter_above_the_split(
    finished: Project, tmp_path: Path, change: object, expected: Counter[str]
) -> None:
    project = finished.copy(tmp_path / "copy")
    project.configure(change)
    jobs = project.run("training").jobs
    if "crop" not in expected:
        # Images may come or go; then just their subjects are cropped anew.
        jobs.pop("crop", None)
    if "train" not in expected:
        jobs.pop("train", None)
    assert jobs == expected


def test_one_added_subject_crops_only_itself(finished: Project, tmp_path: Path) -> None:
    project = finished.copy(tmp_path / "copy")
    subjects = {**SYNTHETIC["subjects"], "casme2": 3}
    write_all(project.folder / "databases", {**SYNTHETIC, "subjects": subjects})
    before = project.tables()
    outcome = project.run("faces")
    assert outcome.jobs == Counter(extract_annotations=1, select_frames=1, crop=1, gather_faces=1)
    after = project.tables()
    new = {path for path in after if path not in before}
    assert {path.split("/")[-1].split(".")[0] for path in new} == {"sub03"}
