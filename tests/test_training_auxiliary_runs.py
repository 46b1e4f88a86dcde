"""A job whose network also learns action units: its files, and how it resumes."""

from pathlib import Path
from typing import Any

import pytest
import torch

from fleeting import tsv
from fleeting.errors import UserError
from fleeting.paths import sha256
from fleeting.training import weights
from fleeting.training.action_units import ACTION_UNITS
from fleeting.training.checkpoint import Progress
from fleeting.training.networks import small
from small_runs import COUNT, RECIPE, files, metadata, small_run, small_split

UNITS = [4, 12]
RECIPE_OF_UNITS = {
    **RECIPE,
    "auxiliary": {"action_units": UNITS},
    "augmentations": ["mixup", "shift"],
    "optimiser": "adamw",
    "accumulation": 2,
    "mirrored_test": True,
}


def write_units(results: Path, shown: int = 12, coded: range = range(5, COUNT)) -> Path:
    """A table in which every fourth sample shows a unit."""
    rows = [
        {"sample": f"sample{number:02}", "action_units": "" if number % 4 else str(shown)}
        for number in coded
    ]
    tsv.write_rows(rows, results / "action_units.tsv", ACTION_UNITS)
    return results / "action_units.tsv"


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Data of three folds, and their action units."""
    small_split(tmp_path, folds=3)
    write_units(tmp_path)
    return tmp_path


def run(results: Path, name: str = "run", **changes: Any) -> Path:
    return small_run(
        results,
        name,
        **{"recipe": RECIPE_OF_UNITS, "action_units": results / "action_units.tsv", **changes},
    )


def test_predictions_and_history_are_of_the_classes_and_models_have_all_outputs(
    results: Path,
) -> None:
    folder = run(results)
    rows = tsv.read_rows(folder / "predictions.tsv", tsv.PREDICTIONS)
    assert [*rows[0]] == ["fold", "example", "label", "predicted", "p_bright", "p_dark"]
    for row in rows:
        assert float(row["p_bright"]) + float(row["p_dark"]) == pytest.approx(1, abs=1e-5)
    history = tsv.read_rows(folder / "history.tsv", tsv.HISTORY)
    assert [*history[0]] == [*tsv.HISTORY]
    state = torch.load(folder / "models" / "fold1.pt", weights_only=True)
    assert state["head.bias"].shape == (2 + 2,)
    found = metadata(folder)
    assert found["classes"] == ["bright", "dark"]
    split = tsv.read_rows(results / "split.tsv", tsv.SPLIT)
    counts = {
        fold: sum(
            row["fold"] == fold and row["split"] == "train" and int(row["sample"][-2:]) >= 5
            for row in split
        )
        for fold in ("1", "2", "3")
    }
    assert found["action_units"] == {
        "listed": UNITS,
        "coded_train_examples": counts,
        "sha256": sha256(results / "action_units.tsv"),
    }
    assert metadata(small_run(results, "plain"))["action_units"] is None


def test_units_of_examples_that_are_not_trained_on_change_nothing(tmp_path: Path) -> None:
    """In one fold: what only validates or is tested is never looked up."""
    small_split(tmp_path)
    write_units(tmp_path)
    before = files(run(tmp_path, "before"))
    split = tsv.read_rows(tmp_path / "split.tsv", tsv.SPLIT)
    others = {row["sample"] for row in split if row["split"] != "train"}
    rows = tsv.read_rows(tmp_path / "action_units.tsv", ACTION_UNITS)
    kept = [row for row in rows if row["sample"] not in others]
    assert len(kept) < len(rows)
    changed = [{"sample": sample, "action_units": "4+12"} for sample in sorted(others)]
    tsv.write_rows([*kept, *changed], tmp_path / "action_units.tsv", ACTION_UNITS)
    assert files(run(tmp_path, "after")) == before
    write_units(tmp_path, shown=4)
    assert files(run(tmp_path, "other")) != before


def test_a_job_that_was_killed_ends_with_the_same_bytes_in_any_part(results: Path) -> None:
    whole = run(results, "whole")
    for at in (3, 14, 22):
        left = at

        def stop(progress: Progress) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                raise KeyboardInterrupt

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Progress, "stop_if_asked", stop)
            with pytest.raises(KeyboardInterrupt):
                run(results, f"killed{at}")
        torch.rand(100)
        again = run(results, f"killed{at}")
        assert files(again) == files(whole)
        assert bool(metadata(again)["resumed"]) is (at > 3)
    parts = [run(results, f"part{part}", part=part, parts=2) for part in (1, 2)]
    for fold in (1, 2, 3):
        name = f"models/fold{fold}.pt"
        assert files(parts[(fold - 1) % 2])[name] == files(whole)[name]


def test_a_checkpoint_of_other_units_is_not_used(
    results: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Progress, "finish_fold", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            run(results)
    write_units(results, shown=4)
    assert metadata(run(results))["resumed"] == []
    assert any("the checkpoints are of other settings" in text for text in caplog.messages)


def test_pretrained_weights_are_loaded_below_all_outputs(results: Path) -> None:
    torch.manual_seed(0)
    pretrained = small.build(6, 3, (32, 32)).state_dict()
    torch.save(pretrained, results / "small.pth")
    weights.run(network="small", file=results / "small.pth", output=results / "small.json")
    frozen = {"weights": str(results / "small.pth"), "freeze": "all_but_head"}
    folder = run(
        results,
        recipe={**RECIPE_OF_UNITS, **frozen},
        weights=results / "small.json",
        weights_file=results / "small.pth",
    )
    state = torch.load(folder / "models" / "fold2.pt", weights_only=True)
    assert state["head.weight"].shape[0] == 4
    assert all(
        torch.equal(value, pretrained[name])
        for name, value in state.items()
        if not name.startswith("head.")
    )


@pytest.mark.parametrize(("shown", "coded"), [(4, range(1)), (12, range(1, 3)), (7, range(COUNT))])
def test_a_fold_that_shows_none_of_the_units_is_refused(
    tmp_path: Path, shown: int, coded: range
) -> None:
    """Where its only coded examples are tested, show none, or show others."""
    small_split(tmp_path, folds=11)
    write_units(tmp_path, shown, coded)
    with pytest.raises(
        UserError, match=r"fold \d+: no training example shows .* units 4, 12; list"
    ):
        run(tmp_path)
    assert not (tmp_path / "run").exists()
