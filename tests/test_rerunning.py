"""What an edit runs again: all that it touches, and nothing else."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from fleeting.synthetic.database import write_all
from pipeline import SYNTHETIC, Project

pytestmark = pytest.mark.slow

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


def reverse_keys(block: dict[str, Any]) -> None:
    """Put the keys of every block into the opposite order."""
    for key in list(reversed(block)):
        value = block.pop(key)
        if isinstance(value, dict):
            reverse_keys(value)
        block[key] = value


def recipe(**changes: object) -> Callable[[dict[str, Any]], None]:
    return lambda config: config["experiments"]["tiny"]["recipe"].update(changes)


# Below the last checkpoint nothing can end early: a dry run tells what would run.
@pytest.mark.parametrize(
    ("edited", "expected"),
    [
        ("train.py", AFTER_TRAIN + Counter(train=RUNS)),
        ("fleeting/training/images.py", AFTER_TRAIN + Counter(train=RUNS)),
        ("fleeting/training/packed.py", AFTER_TRAIN + Counter(train=RUNS, pack_images=2)),
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
        (recipe(precision="auto"), AFTER_TRAIN + Counter(train=RUNS)),
        (lambda config: config.update(gpu_slots_per_device=4), Counter()),
        (lambda config: config.update(checkpoint_every_minutes=7), Counter()),
        (
            lambda config: config["experiments"]["tiny"]["grid"].update(lrs=["1e-02", "1e-03"]),
            AFTER_TEST + Counter(train=RUNS, test=RUNS, figure_validation_accuracy=1),
        ),
        (lambda config: reverse_keys(config), Counter()),
        (recipe(momentum=0.0), Counter()),
        (
            lambda config: config.update(show_faces=["casme/sub01"]),
            Counter(figure_cropping=1, figure_confused_pair=1),
        ),
    ],
    ids=[
        "epochs",
        "precision",
        "slots",
        "checkpoints",
        "another rate",
        "order of keys",
        "a default written out",
        "show_faces",
    ],
)
def test_a_parameter_below_the_split(
    finished: Project, tmp_path: Path, change: object, expected: Counter[str]
) -> None:
    project = finished.copy(tmp_path / "copy")
    project.configure(change)
    assert project.run("-n").jobs == expected


#: The gate: it runs whenever anything above it did, and ends what has not changed.
GATE = Counter(split_images=1)
RETRAINED = Counter(pack_images=1, train=RUNS)
FACES = Counter(crop=SUBJECTS, gather_faces=4) + GATE


# Above the split, only a run tells: the checkpoint compares what was written with what was there.
@pytest.mark.parametrize(
    ("edited", "expected"),
    [
        (
            "fleeting/databases/readers/casme2.py",
            Counter(extract_annotations=1, select_frames=1) + GATE,
        ),
        ("extract_annotations.py", Counter(extract_annotations=4, select_frames=4) + GATE),
        ("fleeting/databases/extract.py", Counter(extract_annotations=4, select_frames=4) + GATE),
        ("select_frames.py", Counter(select_frames=4) + GATE),
        ("fleeting/frames/index.py", Counter(select_frames=4) + GATE),
        ("crop.py", FACES),
        ("fleeting/faces/finder.py", FACES),
        ("fleeting/faces/detectors/ssd_mobilenet_v1.py", Counter()),
        ("gather_faces.py", Counter(gather_faces=4) + GATE),
        ("split_images.py", GATE),
        ("fleeting/splits/random_images.py", GATE),
        ("pack_images.py", Counter(pack_images=2)),
        ("fleeting/training/pack.py", Counter(pack_images=2)),
    ],
)
def test_an_edit_that_changes_no_image_retrains_nothing(
    finished: Project, tmp_path: Path, edited: str, expected: Counter[str]
) -> None:
    project = finished.copy(tmp_path / "copy")
    project.edit(edited)
    assert project.run().jobs == expected
    assert project.tables() == finished.tables()
    assert project.run("-n").jobs == {}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            # Two subjects a database have an apex that is missing or out of order.
            lambda config: config.update(annotations={"apex": "midpoint"}),
            Counter(extract_annotations=4, select_frames=4, crop=4, gather_faces=4) + RETRAINED,
        ),
        (
            lambda config: config.update(frames={"nearest_within": 0}),
            Counter(select_frames=4, crop=2, gather_faces=2) + RETRAINED,
        ),
        (
            lambda config: config["crops"]["tiny"].update(size=40),
            Counter(crop=SUBJECTS, gather_faces=4) + RETRAINED,
        ),
        (
            lambda config: config["experiments"]["tiny"]["split"].update(seed=2),
            RETRAINED,
        ),
        (
            lambda config: config["databases"]["cas_me2"].update(label="estimated"),
            Counter(extract_annotations=1, select_frames=1) + RETRAINED,
        ),
    ],
    ids=["apex", "nearest_within", "size", "split seed", "label"],
)
def test_a_parameter_above_the_split(
    finished: Project, tmp_path: Path, change: object, expected: Counter[str]
) -> None:
    project = finished.copy(tmp_path / "copy")
    project.configure(change)
    assert project.run("training").jobs == expected + GATE


def test_packed_pixels_that_are_gone_are_packed_for_new_runs_only(
    finished: Project, tmp_path: Path
) -> None:
    project = finished.copy(tmp_path / "copy")
    (project.folder / "results/experiments/tiny/folds/1/training.npy").unlink()
    assert project.run().jobs == Counter()
    project.configure(
        lambda config: config["experiments"]["tiny"]["grid"].update(lrs=["1e-02", "1e-03"])
    )
    assert project.run("training").jobs == Counter(pack_images=1, train=RUNS)


def move_last_subject_to_the_top(table: Path) -> None:
    """As in a sorted table: every other row moves down."""
    workbook = openpyxl.load_workbook(table)
    sheet = workbook.worksheets[0]
    header, *rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
    last = rows[-1][0]
    rows.sort(key=lambda row: row[0] != last)
    for number, row in enumerate([header, *rows], start=1):
        for column, value in enumerate(row, start=1):
            sheet.cell(number, column).value = value
    workbook.save(table)


def test_one_added_subject_crops_only_itself(finished: Project, tmp_path: Path) -> None:
    project = finished.copy(tmp_path / "copy")
    subjects = {**SYNTHETIC["subjects"], "casme2": 3}
    places = write_all(project.folder / "databases", {**SYNTHETIC, "subjects": subjects})
    move_last_subject_to_the_top(places["casme2"]["table"])
    before = project.tables()
    outcome = project.run("faces")
    assert outcome.jobs == Counter(extract_annotations=1, select_frames=1, crop=1, gather_faces=1)
    new = {path for path in project.tables() if path not in before}
    assert {path.split("/")[-1].split(".")[0] for path in new} == {"sub03"}


def test_fetching_the_weights_again_retrains_nothing(finished: Project, tmp_path: Path) -> None:
    """With weights of the user's own: the record keeps its bytes, so nothing else runs."""
    import torch

    from fleeting import registry

    project = finished.copy(tmp_path / "copy")
    for name in ("resnet18", "resnet34"):
        state = registry.load("model", name).build(1000).state_dict()
        torch.save(state, project.folder / f"{name}.pth")
    project.configure(recipe(weights="{model}.pth"))
    project.run()
    project.edit("fetch_weights.py")
    assert project.run().jobs == Counter(fetch_weights=2)
