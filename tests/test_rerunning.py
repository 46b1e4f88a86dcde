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

RUNS = 2
EXPERIMENT = "results/experiments/tiny"
SPLIT_LOG = "results/logs/splits/subjects/draw_split.log"
#: The tables and figures that read of the runs; the others read of the databases and the split.
OF_DATA = ("table_databases", "table_excluded", "table_unused", "table_classes")
OF_DATA += ("table_table1_structure", "figure_databases", "figure_classes", "figure_cropping")
OF_DATA += ("figure_protocol", "table_label_map_counts", "table_near_duplicates", "table_motion")
OF_DATA += ("table_apexes",)
#: Nor has this experiment those of motion.
OF_DATA += ("figure_motion_of_clips", "figure_strain_by_class")
SHOWN = {f"{kind}_{name}": 1 for kind in ("table", "figure") for name in registry.names(kind)}
OF_RUNS = Counter({name: count for name, count in SHOWN.items() if name not in OF_DATA})
DRAWN = Counter(draw_split=1, link_images=1)
AFTER_TRAIN = Counter(summarise_runs=1) + OF_RUNS
#: The job of the baselines, and what shows their scores; the overview has them of a table.
OF_BASELINES = Counter(run_baselines=1, table_overview=1) + Counter(
    {
        f"{kind}_{name}": 1
        for kind in ("table", "figure")
        for name in registry.names(kind)
        if "baselines" in registry.constants(kind, name)["READS"]
    }
)

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


def edited(finished: Project, folder: Path, *names: str) -> Project:
    """A copy with an edit in each of these files of the library."""
    project = finished.copy(folder / "copy")
    for name in names:
        project.edit(f"fleeting/{name}")
    return project


# Which modules a job depends on is shown by test_dependencies; here, that Snakemake honours it.
# Below the last checkpoint nothing can end early: a dry run tells what would run.
@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["training/networks/small.py"], AFTER_TRAIN + Counter(train=1, table_table1_structure=1)),
        (["evaluation/metrics/uf1.py"], AFTER_TRAIN + Counter(run_baselines=1)),
        (["evaluation/baselines/majority.py"], OF_BASELINES),
        (
            # With variants that the config does not name, and what only prints.
            [
                "tables/all_runs.py",
                "figures/losses.py",
                "splits/image_folders.py",
                "databases/readers/table.py",
                "faces/detectors/ssd_mobilenet_v1.py",
                "inputs/onset_apex.py",
                "inputs/flow.py",
                "examples/flows/tvl1.py",
                "protocols/leave_one_out.py",
                "training/optimisers/adamw.py",
                "training/schedules/cosine.py",
                "training/augmentations/shift.py",
                "training/balances/oversample.py",
                "evaluation/final_summary.py",
                "evaluation/baselines/regional_kernel_ridge.py",
            ],
            Counter(table_all_runs=1, figure_losses=1, link_images=1),
        ),
    ],
    ids=["a network", "a metric", "a baseline", "tables and figures and what is not used"],
)
def test_an_edit_below_the_split(
    finished: Project, tmp_path: Path, names: list[str], expected: Counter[str]
) -> None:
    assert edited(finished, tmp_path, *names).run("-n").jobs == expected


def show_faces(config: dict[str, Any]) -> None:
    """With values that no result depends on, explicit defaults and another order of keys."""
    config["show_faces"] = ["casme/sub01"]
    config |= {"gpu_slots_per_device": 4, "checkpoint_every_minutes": 7}
    recipe(optimiser={"kind": "sgd", "momentum": 0.0})(config)
    reverse_keys(config)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (recipe(schedule="cosine"), AFTER_TRAIN + Counter(train=RUNS)),
        (show_faces, Counter(figure_cropping=1, figure_confused_pair=1)),
    ],
    ids=["schedule", "show_faces"],
)
def test_a_parameter_below_the_split(
    finished: Project, tmp_path: Path, change: Change, expected: Counter[str]
) -> None:
    project = finished.copy(tmp_path / "copy")
    project.configure(change)
    assert project.run("-n").jobs == expected


# Above the split, only a run tells: the checkpoint compares what was written with what was there.
# Whether the links and tables of the data are made again does not matter: no run is.
def test_an_edit_that_changes_no_example_retrains_nothing(
    finished: Project, tmp_path: Path
) -> None:
    project = edited(
        finished, tmp_path, "databases/readers/casme2.py", "protocols/random_images.py"
    )
    ran = project.run("splits").jobs
    stages = Counter(extract_annotations=1, select_frames=1, crop=1, pack_inputs=1, draw_split=1)
    assert ran == stages
    for name in ("databases/extract.py", "faces/crop.py", "inputs/image.py"):
        project.edit(f"fleeting/{name}")
    ran = project.run().jobs
    stages = Counter(extract_annotations=4, select_frames=4, crop=4, pack_inputs=4, draw_split=1)
    assert stages.items() <= ran.items()
    assert not {"train", "summarise_runs"} & ran.keys()
    assert project.tables() == finished.tables()
    assert project.run("-n").jobs == {}


def test_parameters_above_the_split(finished: Project, tmp_path: Path) -> None:
    project = finished.copy(tmp_path / "copy")
    split = Counter(crop=4, pack_inputs=4, draw_split=1)
    project.configure(lambda config: config["crops"]["tiny"].update(size=40))
    assert project.run("-n", f"{EXPERIMENT}/split.json").jobs == split
    # Two subjects a database have an apex that is missing or out of order.
    project.configure(lambda config: config.update(annotations={"apex": "midpoint"}))
    ran = project.run(f"{EXPERIMENT}/split.json").jobs
    assert ran == split + Counter(extract_annotations=4, select_frames=4)
    assert project.run("-n", "training").jobs == {"train": RUNS}


def test_another_rate_trains_its_own_runs_and_packs_what_is_gone(
    finished: Project, tmp_path: Path
) -> None:
    project = finished.copy(tmp_path / "copy")
    (project.folder / "results/inputs/tiny/samm.npy").unlink()
    grid = {"models": ["small"], "lrs": ["1e-02", "1e-03"], "repeats": 1}
    project.configure(lambda config: config["experiments"]["tiny"].update(grid=grid))
    assert project.run("training").jobs == {"pack_inputs": 1, "draw_split": 1, "train": 1}


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
    places = write_all(project.folder / "databases", {**SYNTHETIC, "subjects": {"casme2": 3}})
    move_last_subject_to_the_top(places["casme2"]["table"])
    before = times(project, "faces/*/*/**/*")
    outcome = project.run("faces")
    assert outcome.jobs == Counter(extract_annotations=1, select_frames=1, crop=1)
    written = {
        path for path, time in times(project, "faces/*/*/**/*").items() if before.get(path) != time
    }
    assert before
    assert {path.relative_to(project.folder).parts[4] for path in written} == {"sub03"}


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

    def add(config: dict[str, Any]) -> None:
        config["inputs"]["pair"] = {"kind": "onset_apex", "crop": "tiny"}
        block = {**config["experiments"]["tiny"], "input": "pair", "metrics": ["accuracy", "uf1"]}
        block["grid"] = {"models": ["small"], "lrs": ["1e-02"], "repeats": 1}
        config["experiments"]["pairs"] = block
        permuted = {"permute_labels": {"unit": "subject"}, "protocol": "leave_one_out"}
        config["experiments"]["subjects"] = {**block, **permuted, "parts": 2}

    project.configure(add)
    assert project.run("splits").jobs == Counter(pack_inputs=4, draw_split=2, link_images=1)
    assert "labels permuted by subject" in (project.folder / SPLIT_LOG).read_text()
    assert project.run("-n", "training").jobs == {"train": 3}

    project.configure()
    assert "train" not in project.run("-n").jobs
    assert "crop" not in project.run("-n").jobs
    # A database less is another split: what is left of the others stays as it is.
    project.configure(lambda config: config["databases"].pop("samm") and without_samm(config))
    assert project.run("splits").jobs == DRAWN
    assert project.run("-n", "training").jobs == {"train": RUNS}
    now = times(project, "faces/**/*", "inputs/**/*")
    assert {path: time for path, time in kept.items() if path in now} == {
        path: time for path, time in now.items() if path in kept
    }
    assert set(now) >= {path for path in kept if "/runs/" not in str(path)}


def test_an_input_of_motion_recrops_nothing(finished: Project, tmp_path: Path) -> None:
    """And it is packed and measured again after an edit of its own algorithm, not of another."""
    project = finished.copy(tmp_path / "copy")
    kept = times(project, "faces/**/*", "inputs/**/*")

    def add(config: dict[str, Any]) -> None:
        block = {"kind": "flow", "crop": "tiny", "algorithm": "farneback", "size": 28}
        config["inputs"]["motion"] = block

    project.configure(add)
    measured = "results/inputs/motion/samm.motion.tsv"
    both = {"pack_inputs": 1, "measure_motion": 1}
    assert project.run(measured).jobs == both
    assert kept.items() <= times(project, "faces/**/*", "inputs/**/*").items()
    project.edit("fleeting/examples/flows/dis.py")
    assert not project.run("-n", measured).jobs
    project.edit("fleeting/examples/flows/farneback.py")
    assert project.run("-n", measured).jobs == both
    # An input of pictures measures nothing.
    assert not list((project.folder / "results/inputs/tiny").glob("*.motion.tsv"))


def without_samm(config: dict[str, Any]) -> None:
    config["experiments"]["tiny"]["exclude_subjects"] = []


def test_a_run_depends_on_the_weights_of_its_own_model(finished: Project, tmp_path: Path) -> None:
    """Fetching the same ones again retrains nothing, and another model trains its own runs."""
    import torch
    import torchvision

    from fleeting.training.networks import small

    project = finished.copy(tmp_path / "copy")
    for name, network in (
        ("small", small.build(6, 3, (32, 32))),
        ("squeezenet1_1", torchvision.models.squeezenet1_1()),
    ):
        torch.save(network.state_dict(), project.folder / f"{name}.pth")

    def models(*names: str) -> Change:
        def change(config: dict[str, Any]) -> None:
            recipe(weights="{model}.pth", epochs=1)(config)
            config["experiments"]["tiny"]["grid"]["models"] = list(names)

        return change

    project.configure(models("small"))
    assert project.run("training").jobs["train"] == 1
    project.configure(models("small", "squeezenet1_1"))
    fetched = [f"results/weights/tiny/{name}.json" for name in ("small", "squeezenet1_1")]
    assert project.run(*fetched, "-R", "fetch_weights").jobs == {"fetch_weights": 2}
    assert project.run("-n", "training").jobs == {"train": 1}
