"""The trace: predictions of the test examples between epochs, which change nothing else."""

import re
from pathlib import Path
from typing import Any

import pytest
import torch

from fleeting import tsv
from fleeting.paths import sha256
from fleeting.training import loop
from fleeting.training.fit import Fitter
from small_runs import CLASSES, files, metadata, small_run, small_split
from test_training_resuming import EPOCHS, FOLDS, RANDOM, STEPS, run_until

LIBRARY = Path(loop.__file__).parents[1]


@pytest.fixture
def results(tmp_path: Path) -> Path:
    small_split(tmp_path, folds=FOLDS)
    return tmp_path


def traced(results: Path, name: str = "traced", **changes: Any) -> Path:
    return small_run(results, name, trace=results / name / "trace.tsv", recipe=RANDOM, **changes)


def test_a_trace_has_every_test_example_after_every_epoch(results: Path) -> None:
    run = traced(results)
    trace = tsv.read_rows(run / "trace.tsv", tsv.TRACE)
    predictions = tsv.read_rows(run / "predictions.tsv", tsv.PREDICTIONS)
    keys = [(row["fold"], row["epoch"], row["example"], row["label"]) for row in trace]
    assert len(set(keys)) == len(keys) == EPOCHS * len(predictions)
    last = [row["predicted"] for row in trace if row["epoch"] == str(EPOCHS)]
    assert last == [row["predicted"] for row in predictions]
    assert {row["predicted"] for row in trace} <= set(CLASSES)
    assert metadata(run)["trace_sha256"] == sha256(run / "trace.tsv")


def test_a_trace_changes_no_other_file(results: Path) -> None:
    """With augmentations, so that every step draws random numbers, and batch normalisation."""
    without = small_run(results, "without", recipe=RANDOM)
    found = files(traced(results))
    del found["trace.tsv"]
    assert found == files(without)
    assert "trace_sha256" not in metadata(without)
    assert metadata(without).keys() == metadata(results / "traced").keys() - {"trace_sha256"}


def test_a_trace_of_an_earlier_run_does_not_stay(results: Path) -> None:
    run = traced(results)
    small_run(results, "traced", recipe=RANDOM)
    assert not (run / "trace.tsv").exists()
    assert metadata(run)["trace"] is False


def test_predicting_leaves_random_numbers_and_the_network_as_they_were(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even if predicting drew numbers, as a network might that is random when evaluated."""
    predict = loop.predict

    def drawing(*arguments: Any) -> torch.Tensor:
        torch.rand(3)
        return predict(*arguments)

    expected = files(small_run(results, "without", recipe=RANDOM))
    monkeypatch.setattr(loop, "predict", drawing)
    found = files(traced(results))
    del found["trace.tsv"]
    assert found == expected


def test_fitting_is_handed_no_test_example(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What predicts them is in the report's callback, not in the network's fitter."""
    fit = Fitter.fit
    # Sums and a confusion matrix; a single example has more values.
    most = 3 + len(CLASSES) ** 2

    def examined(self: Fitter, *arguments: Any) -> Any:
        for value in vars(self).values():
            assert not isinstance(value, loop.JobExamples)
            assert not isinstance(value, torch.Tensor) or value.numel() <= most
        return fit(self, *arguments)

    monkeypatch.setattr(Fitter, "fit", examined)
    traced(results)


@pytest.mark.parametrize(("asked", "minutes"), [(True, 60), (False, 60), (False, 0)])
def test_a_killed_job_resumes_with_the_trace_of_the_epochs_done(
    results: Path, asked: bool, minutes: int
) -> None:
    whole = files(traced(results, "whole"))
    for at in (5, 7, 8, 2 * EPOCHS * STEPS - 1):
        name = f"stopped{at}"
        more = {"trace": results / name / "trace.tsv", "checkpoint_every_minutes": minutes}
        run_until(at, results, name, asked, **more)
        assert files(traced(results, name, checkpoint_every_minutes=minutes)) == whole


def test_a_run_without_a_trace_is_not_taken_for_one_with_it(results: Path) -> None:
    run_until(2 * STEPS, results, "run", asked=True)
    run = traced(results, "run")
    assert metadata(run)["resumed"] == []
    assert len(tsv.read_rows(run / "trace.tsv", tsv.TRACE)) > 0


def test_only_the_leak_meter_reads_traces() -> None:
    """Nothing may be chosen by them, not even by accident."""
    readers = {
        str(path.relative_to(LIBRARY))
        for path in LIBRARY.rglob("*.py")
        if re.search(r"trace\.tsv|tsv\.TRACE|read_trace", path.read_text())
    }
    written = {"training/output.py", "training/trace.py", "training/run.py"}
    assert readers - written == {"evaluation/best_epochs.py"}
    users = {
        str(path.relative_to(LIBRARY))
        for path in LIBRARY.rglob("*.py")
        if re.search(r"best_epochs|BEST_EPOCHS|best_epoch_table", path.read_text())
    }
    assert users == {
        "tsv.py",
        "evaluation/best_epochs.py",
        "evaluation/schemas.py",
        "evaluation/summarise_runs.py",
        "tables/leak_meter.py",
    }
