"""What an edit runs again: all that it touches, and nothing else."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from fleeting import registry
from fleeting.synthetic.database import write_all
from pipeline import SYNTHETIC, Project

pytestmark = pytest.mark.slow

SUBJECTS = 8
RUNS = 2
#: The tables and figures that read of the runs; the others read of the databases and the split.
OF_DATA = ("table_databases", "table_excluded", "table_unused", "table_classes", "table_structure")
OF_DATA += ("figure_databases", "figure_classes", "figure_cropping")
SHOWN = {f"{kind}_{name}": 1 for kind in ("table", "figure") for name in registry.names(kind)}
OF_RUNS = Counter({name: count for name, count in SHOWN.items() if name not in OF_DATA})
AFTER_TRAIN = Counter(summarise_runs=1) + OF_RUNS

Change = Callable[[dict[str, Any]], Any]


def reverse_keys(block: dict[str, Any]) -> None:
    """Put the keys of every block into the opposite order."""
    for key in list(reversed(block)):
        value = block.pop(key)
        if isinstance(value, dict):
            reverse_keys(value)
        block[key] = value


def recipe(**changes: object) -> Change:
    return lambda config: config["experiments"]["tiny"]["recipe"].update(changes)


# Below the last checkpoint nothing can end early: a dry run tells what would run.
@pytest.mark.parametrize(
    ("edited", "expected"),
    [
        ("training/run.py", AFTER_TRAIN + Counter(train=RUNS)),
        ("training/data.py", AFTER_TRAIN + Counter(train=RUNS)),
        ("training/optimisers/sgd.py", AFTER_TRAIN + Counter(train=RUNS)),
        ("training/networks/small.py", AFTER_TRAIN + Counter(train=1, table_structure=1)),
        ("training/optimisers/adamw.py", Counter()),
        ("training/augmentations/shift.py", Counter()),
        ("training/schedules/cosine.py", Counter()),
        ("evaluation/summary.py", AFTER_TRAIN),
        ("evaluation/metrics/uf1.py", AFTER_TRAIN),
        ("tables/all_runs.py", Counter(table_all_runs=1)),
        ("figures/losses.py", Counter(figure_losses=1)),
        ("splits/folders.py", Counter(link_images=1)),
        ("evaluation/final_summary.py", Counter()),
    ],
)
def test_an_edit_below_the_split(
    finished: Project, tmp_path: Path, edited: str, expected: Counter[str]
) -> None:
    project = finished.copy(tmp_path / "copy")
    project.edit(f"fleeting/{edited}")
    assert project.run("-n").jobs == expected


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (recipe(epochs=3), AFTER_TRAIN + Counter(train=RUNS)),
        (recipe(schedule="cosine"), AFTER_TRAIN + Counter(train=RUNS)),
        (lambda config: config.update(gpu_slots_per_device=4), Counter()),
        (lambda config: config.update(checkpoint_every_minutes=7), Counter()),
        (lambda config: reverse_keys(config), Counter()),
        (recipe(optimiser={"kind": "sgd", "momentum": 0.0}), Counter()),
        (
            lambda config: config.update(show_faces=["casme/sub01"]),
            Counter(figure_cropping=1, figure_confused_pair=1),
        ),
    ],
    ids=["epochs", "schedule", "slots", "checkpoints", "order of keys", "a default", "show_faces"],
)
def test_a_parameter_below_the_split(
    finished: Project, tmp_path: Path, change: Change, expected: Counter[str]
) -> None:
    project = finished.copy(tmp_path / "copy")
    project.configure(change)
    assert project.run("-n").jobs == expected


def test_another_rate_trains_only_its_own_runs(finished: Project, tmp_path: Path) -> None:
    project = finished.copy(tmp_path / "copy")
    project.configure(
        lambda config: config["experiments"]["tiny"]["grid"].update(lrs=["1e-02", "1e-03"])
    )
    planned = project.run("-n").jobs
    assert planned["train"] == RUNS
    assert planned["figure_validation_accuracy"] == 2 - (planned["figure_losses"] == 0)


#: The gate: it runs whenever anything above it did, and ends what has not changed.
GATE = Counter(draw_split=1)
PACKED = Counter(pack_inputs=4) + GATE
FACES = Counter(crop=SUBJECTS, gather_faces=4) + PACKED


# Above the split, only a run tells: the checkpoint compares what was written with what was there.
@pytest.mark.parametrize(
    ("edited", "expected"),
    [
        (
            "databases/readers/casme2.py",
            Counter(extract_annotations=1, select_frames=1, pack_inputs=1) + GATE,
        ),
        ("databases/extract.py", Counter(extract_annotations=4, select_frames=4) + PACKED),
        ("frames/index.py", Counter(select_frames=4, pack_inputs=4) + GATE),
        ("faces/finder.py", FACES),
        ("faces/detectors/ssd_mobilenet_v1.py", Counter()),
        ("faces/gather.py", Counter(gather_faces=4) + PACKED),
        ("inputs/image.py", PACKED),
        ("inputs/onset_apex.py", Counter()),
        ("protocols/random_images.py", GATE),
        ("protocols/leave_one_out.py", Counter()),
    ],
)
def test_an_edit_that_changes_no_example_retrains_nothing(
    finished: Project, tmp_path: Path, edited: str, expected: Counter[str]
) -> None:
    project = finished.copy(tmp_path / "copy")
    project.edit(f"fleeting/{edited}")
    ran = project.run().jobs
    # Whether the links and tables of the data are made again does not matter: no run is.
    assert not {"train", "summarise_runs"} & set(ran)
    for name, count in expected.items():
        assert ran[name] == count, (name, ran)
    assert (
        not {name for name in ran if name not in expected}
        - set(OF_DATA)
        - {*("gather_faces", "link_images", "figure_confused_pair")}
    )
    assert project.tables() == finished.tables()
    assert project.run("-n").jobs == {}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            # Two subjects a database have an apex that is missing or out of order.
            lambda config: config.update(annotations={"apex": "midpoint"}),
            Counter(extract_annotations=4, select_frames=4, crop=4, gather_faces=4, pack_inputs=4),
        ),
        (
            lambda config: config["crops"]["tiny"].update(size=40),
            Counter(crop=SUBJECTS, gather_faces=4, pack_inputs=4),
        ),
        (
            lambda config: config["experiments"]["tiny"]["protocol"].update(seed=2),
            Counter(),
        ),
    ],
    ids=["apex", "size", "split seed"],
)
def test_a_parameter_above_the_split(
    finished: Project, tmp_path: Path, change: Change, expected: Counter[str]
) -> None:
    project = finished.copy(tmp_path / "copy")
    project.configure(change)
    assert project.run("training").jobs == expected + GATE + Counter(train=RUNS)


def test_a_changed_crop_retrains_exactly_what_uses_it(finished: Project, tmp_path: Path) -> None:
    """Two experiments share their input; a crop of SAMM's excluded subject is in one split only."""
    project = finished.copy(tmp_path / "copy")

    def add(config: dict[str, Any]) -> None:
        block = config["experiments"]["tiny"]
        block["grid"]["models"] = ["small"]
        other = {**block, "protocol": {"kind": "leave_one_out"}, "exclude_subjects": []}
        config["experiments"]["everyone"] = other

    project.configure(add)
    project.run("training")
    # What a re-coded frame on the disk would do: other pixels in one crop of samm/007.
    frames = sorted((project.folder / "databases/SAMM").rglob("007/*/*.jpg"))
    assert frames
    for frame in frames:
        frame.write_bytes(frame.read_bytes() + b"\0")
    import cv2

    picture = cv2.imread(str(frames[0]))
    for frame in frames:
        cv2.imwrite(str(frame), 255 - (255 - cv2.imread(str(frame))) // 2)
    assert picture is not None
    crops = list((project.folder / "results/faces/tiny/samm/007").rglob("*.png"))
    assert crops
    ran = project.run("training", "-R", "crop").jobs
    assert ran["crop"] == SUBJECTS
    assert ran["train"] == 1, "the experiment that uses the subject, and no other"


def test_examples_that_are_gone_are_packed_for_new_runs_only(
    finished: Project, tmp_path: Path
) -> None:
    project = finished.copy(tmp_path / "copy")
    (project.folder / "results/inputs/tiny/samm.npy").unlink()
    project.configure(
        lambda config: config["experiments"]["tiny"]["grid"].update(lrs=["1e-02", "1e-03"])
    )
    ran = project.run("training").jobs
    assert ran["pack_inputs"] == 1
    assert ran["train"] == RUNS


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


def times(project: Project, *patterns: str) -> dict[Path, int]:
    results = project.folder / "results"
    return {
        path: path.stat().st_mtime_ns
        for pattern in patterns
        for path in sorted(results.glob(pattern))
        if path.is_file()
    }


def test_inputs_experiments_and_databases_come_and_go(finished: Project, tmp_path: Path) -> None:
    """Adding one and removing it again recrops and retrains nothing else."""
    project = finished.copy(tmp_path / "copy")
    kept = times(project, "faces/**/*", "inputs/**/*", "experiments/tiny/runs/**/*")
    assert kept

    def add_input(config: dict[str, Any]) -> None:
        config["inputs"]["pair"] = {"kind": "onset_apex", "crop": "tiny"}
        block = {**config["experiments"]["tiny"], "input": "pair", "metrics": ["accuracy", "uf1"]}
        grid = {"models": ["small"], "lrs": ["1e-02"], "repeats": 1}
        config["experiments"]["pairs"] = {**block, "grid": grid}

    project.configure(add_input)
    ran = project.run("training").jobs
    assert ran == Counter(pack_inputs=4, draw_split=1, train=1)

    def add_experiment(config: dict[str, Any]) -> None:
        add_input(config)
        block = {**config["experiments"]["pairs"], "protocol": "leave_one_out", "parts": 2}
        config["experiments"]["unseen"] = block

    project.configure(add_experiment)
    ran = project.run("training").jobs
    assert ran == Counter(draw_split=1, train=2)

    project.configure()
    assert "train" not in project.run("-n").jobs
    assert "crop" not in project.run("-n").jobs
    # A database less is another split: what is left of the others stays as it is.
    project.configure(lambda config: config["databases"].pop("samm") and without_samm(config))
    ran = project.run("training").jobs
    assert ran == Counter(draw_split=1, train=RUNS)
    now = times(project, "faces/**/*", "inputs/**/*")
    assert {path: time for path, time in kept.items() if path in now} == {
        path: time for path, time in now.items() if path in kept
    }
    assert set(now) >= {path for path in kept if "/runs/" not in str(path)}


def without_samm(config: dict[str, Any]) -> None:
    config["experiments"]["tiny"]["exclude_subjects"] = []


def test_fetching_the_weights_again_retrains_nothing(finished: Project, tmp_path: Path) -> None:
    """With weights of the user's own: the record keeps its bytes, so nothing else runs."""
    import torch
    import torchvision

    project = finished.copy(tmp_path / "copy")
    torch.save(torchvision.models.resnet18().state_dict(), project.folder / "resnet18.pth")

    def own_weights(config: dict[str, Any]) -> None:
        recipe(weights="{model}.pth")(config)
        config["experiments"]["tiny"]["grid"]["models"] = ["resnet18"]

    project.configure(own_weights)
    project.run()
    assert project.run("-R", "fetch_weights").jobs == Counter(fetch_weights=1)


def test_another_model_trains_only_its_own_runs(finished: Project, tmp_path: Path) -> None:
    """With pretrained weights each run depends on the weights of its own model."""
    import torch
    import torchvision

    project = finished.copy(tmp_path / "copy")
    for name in ("resnet18", "squeezenet1_1"):
        state = torchvision.models.get_model(name).state_dict()
        torch.save(state, project.folder / f"{name}.pth")

    def models(*names: str) -> Change:
        def change(config: dict[str, Any]) -> None:
            recipe(weights="{model}.pth", epochs=1)(config)
            config["experiments"]["tiny"]["grid"]["models"] = list(names)

        return change

    project.configure(models("resnet18"))
    assert project.run("training").jobs["train"] == 1
    project.configure(models("resnet18", "squeezenet1_1"))
    ran = project.run("training").jobs
    assert ran == Counter(fetch_weights=1, train=1)
