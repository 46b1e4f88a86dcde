"""Out of memory: the message says what a user can change."""

from pathlib import Path
from typing import Any

import pytest
import torch

from fleeting import tsv
from fleeting.errors import UserError
from fleeting.training import loop
from fleeting.training.fit import Fitter
from small_runs import RECIPE, record, small_run, small_split

FULL = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0")


def fail(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def raises(*_: Any) -> None:
        raise error

    monkeypatch.setattr(Fitter, "fit", raises)


@pytest.mark.parametrize(
    "error",
    [
        FULL,
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
        RuntimeError("CUDA error: out of memory\nCUDA kernel errors might be asynchronous"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    ],
)
def test_out_of_memory_says_what_to_change(
    results: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    fail(monkeypatch, error)
    with pytest.raises(UserError, match="^out of memory: small") as raised:
        small_run(results)
    text = str(raised.value)
    for part in ("a batch of 4 examples of 32 pixels", "recipe.accumulation from 1 to 2"):
        assert part in text


def test_no_remedy_that_the_config_would_refuse(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch of 4 has no more than two parts of two examples."""
    fail(monkeypatch, MemoryError())
    with pytest.raises(UserError, match="lower recipe.batch_size from 4") as raised:
        small_run(results, recipe={**RECIPE, "accumulation": 2})
    assert "recipe.accumulation" not in str(raised.value)


def test_a_run_that_may_be_missing_is_recorded_as_failed(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that the others can be evaluated; nothing of it is tested."""
    fail(monkeypatch, FULL)
    run = small_run(results, allow_missing=True)
    kept = record(run)
    assert kept["failed"].startswith("out of memory: small with a batch of 4 examples")
    assert kept["failed"].endswith("(CUDA out of memory)")
    assert kept["tested_epoch"] == {}
    assert tsv.read_rows(run / "history.tsv", tsv.HISTORY) == []
    assert tsv.read_rows(run / "predictions.tsv", tsv.PREDICTIONS) == []
    assert list((run / "models").iterdir()) == []
    assert not (results / "run_checkpoints").exists()


def test_a_run_that_fitted_once_is_not_given_up(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process took the memory: what was trained stays, and a later try resumes."""

    def fills(*_: Any) -> None:
        raise FULL

    monkeypatch.setattr(loop, "predict", fills)
    with pytest.raises(UserError, match="out of memory"):
        small_run(results, allow_missing=True)
    assert not (results / "run").exists()
    assert list((results / "run_checkpoints").glob("fold0001_epoch0002*.pt"))


def test_a_run_with_a_finished_fold_is_not_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_split(tmp_path, folds=3)
    fit, calls = Fitter.fit, []

    def fills(self: Fitter, *arguments: Any) -> Any:
        calls.append(None)
        if len(calls) == 2:
            raise FULL
        return fit(self, *arguments)

    monkeypatch.setattr(Fitter, "fit", fills)
    changes: dict[str, Any] = {"allow_missing": True, "checkpoint_every_minutes": 60}
    with pytest.raises(UserError, match="out of memory"):
        small_run(tmp_path, **changes)
    assert record(small_run(tmp_path, **changes))["resumed"] == [[2, 0]]
    assert len(calls) == 4


def test_another_runtime_error_stays_what_it_is(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail(monkeypatch, RuntimeError("shapes differ"))
    with pytest.raises(RuntimeError, match="shapes differ"):
        small_run(results)
