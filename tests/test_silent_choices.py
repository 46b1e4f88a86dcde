"""The paper's numbers over all experiments of a config, and the config of its silent choices."""

from pathlib import Path

import pytest

from fabricated_runs import ALL_HAPPY, LABELS, ONE_WRONG, make_table, summarise, write_run
from fleeting.config.loading import read
from fleeting.databases.emotions import VOCABULARY

ROOT = Path(__file__).parents[1]
ACCURACY = "test accuracy, ResNet18 at 1e-05"


def experiment(results: Path, name: str, predicted: tuple[str, ...], **options: object) -> None:
    for repeat, guesses in enumerate((predicted, predicted), start=1):
        write_run(results, guesses, repeat=repeat, experiment=name, **options)
    summarise(results, repeats=2, experiment=name)


@pytest.fixture
def frame_and_page(tmp_path: Path) -> tuple:
    """Three experiments with the paper's configuration, one of them named as a column is."""
    experiment(tmp_path, "paper", ONE_WRONG)
    experiment(tmp_path, "batch_4", ALL_HAPPY, validation=(0.1, 0.18))
    experiment(tmp_path, "low", ("others",) * 6)
    write_run(tmp_path, LABELS, lr="1e-02", experiment="fast")
    summarise(tmp_path, lrs=["1e-02"], experiment="fast")
    return make_table("silent_choices", tmp_path, {}, ["paper", "batch_4", "low", "fast"])


def test_each_number_has_its_range(frame_and_page: tuple) -> None:
    frame, _ = frame_and_page
    rows = frame.set_index("claim")
    accuracy = rows.loc[ACCURACY]
    assert accuracy["paper"] == 0.17
    means = accuracy[["mean_paper", "mean_batch_4", "mean_low"]]
    assert list(means) == pytest.approx([5 / 6, 1 / 3, 1 / 3])
    assert accuracy["mean_fast"] != accuracy["mean_fast"], "not the paper's rate"
    assert (accuracy["low"], accuracy["high"]) == pytest.approx((1 / 3, 5 / 6))
    assert (accuracy["experiments"], accuracy["inside"]) == (3, "no")
    # 0.19 is between 0.18 and 0.40.
    validation = rows.loc["validation accuracy of ResNet18 at 1e-05"]
    assert (validation["low"], validation["high"]) == pytest.approx((0.18, 0.4))
    assert validation["inside"] == "yes"
    # No experiment has disgust, repression or tense.
    assert len(rows) == 2 + 3 * 3
    assert rows.loc["recall of surprise on the test images, ResNet18 at 1e-05", "inside"] == "yes"


def test_the_page_names_each_experiment(frame_and_page: tuple) -> None:
    shown = frame_and_page[1].parts[0][1]
    names = ["the paper", "paper", "batch_4", "low", "fast", "lowest", "highest"]
    assert list(shown)[2:-2] == names
    assert list(shown.iloc[1])[2:-2] == ["0.17", "0.833", "0.333", "0.333", "", "0.333", "0.833"]


def test_without_the_papers_configuration_the_table_is_empty(tmp_path: Path) -> None:
    write_run(tmp_path, LABELS, lr="1e-02")
    summarise(tmp_path, lrs=["1e-02"])
    frame, page = make_table("silent_choices", tmp_path, {})
    assert frame.empty
    assert list(page.parts[0][1])[3] == "paper"


def test_each_silent_choice_changes_one_value() -> None:
    config = read(ROOT / "config/silent.yaml")
    experiments = config["experiments"]
    paper = experiments.pop("paper")
    assert paper == read(ROOT / "config/config.yaml")["experiments"]["paper"]

    def changed(one: object, other: object, path: str = "") -> list[str]:
        if isinstance(one, dict) and isinstance(other, dict):
            keys = sorted(one.keys() | other.keys())
            return [
                place
                for key in keys
                for place in changed(one.get(key), other.get(key), f"{path}.{key}")
            ]
        return [] if one == other else [path.removeprefix(".")]

    found = {}
    for name, block in experiments.items():
        grid = block["grid"]
        assert (grid["models"], grid["lrs"], grid["repeats"]) == (["resnet18"], ["1e-05"], 10)
        found[name] = changed({**paper, "grid": 0}, {**block, "grid": 0})
    assert found == {
        "batch_4": ["recipe.batch_size"],
        "batch_64": ["recipe.batch_size"],
        "momentum": ["recipe.optimiser.momentum"],
        "surplus": ["protocol.validation.fraction", "protocol.validation.from"],
        "unmapped": ["label_map.others"],
        "box": ["input"],
        "epoch": ["recipe.tested_epoch"],
    }
    mapped = {
        emotion for found in experiments["unmapped"]["label_map"].values() for emotion in found
    }
    # Of the tables' emotions, those two are of the column that is not read.
    assert VOCABULARY - mapped == {"positive", "negative"}
