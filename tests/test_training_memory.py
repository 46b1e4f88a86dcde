"""Out of memory: an error that says what to change or, where the config allows it, a failed run."""

from pathlib import Path
from typing import Any

import pytest
import torch

from fleeting import tsv
from fleeting.training import loop, memory
from fleeting.training.fit import Fitter
from fleeting.training.memory import OutOfMemory
from fleeting.training.recipe import Recipe
from small_runs import RECIPE, metadata, small_run, small_split

FULL = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0")


def explained(error: Exception, device: str = "a GPU", **changes: Any) -> None:
    recipe = Recipe.model_validate(RECIPE | changes)
    with memory.explained("small", recipe, 32, "fp32", device):
        raise error


def fail(*_: Any) -> None:
    raise FULL


@pytest.mark.parametrize(
    "error",
    [
        FULL,
        MemoryError(),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
        RuntimeError("CUDA error: out of memory\nCUDA kernel errors might be asynchronous"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    ],
)
def test_out_of_memory_says_what_to_change(error: Exception) -> None:
    with pytest.raises(OutOfMemory, match="^out of memory: small") as raised:
        explained(error)
    for part in ("a batch of 4 examples of 32 pixels", "accumulation from 1 to 2", "to bf16"):
        assert part in str(raised.value)


def test_no_remedy_that_would_not_help() -> None:
    """A batch of 4 has no more than two parts of two examples."""
    with pytest.raises(OutOfMemory, match=r"lower recipe.batch_size from 4.*--cores") as raised:
        explained(MemoryError(), "cpu (x86)", accumulation=2)
    assert "recipe.accumulation" not in str(raised.value)
    assert "bf16" not in str(raised.value)


def test_another_runtime_error_stays_what_it_is() -> None:
    with pytest.raises(RuntimeError, match="shapes differ"):
        explained(RuntimeError("shapes differ"))


def test_a_run_that_may_be_missing_is_recorded_as_failed(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that the others can be evaluated; nothing of it is tested."""
    monkeypatch.setattr(Fitter, "fit", fail)
    with pytest.raises(OutOfMemory):
        small_run(results)
    assert not (results / "run").exists()
    run = small_run(results, allow_missing=True)
    found = metadata(run)
    assert found["failed"].startswith("out of memory: small with a batch of 4 examples")
    assert found["failed"].endswith("(CUDA out of memory)")
    assert found["tested_epoch"] == {}
    assert tsv.read_rows(run / "history.tsv", tsv.HISTORY) == []
    assert tsv.read_rows(run / "predictions.tsv", tsv.PREDICTIONS) == []
    assert list((run / "models").iterdir()) == []
    assert not (results / "run_checkpoints").exists()


def test_a_run_that_fitted_once_is_not_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process took the memory: what was trained stays, and a later try resumes."""
    small_split(tmp_path, folds=3)
    with monkeypatch.context() as patch:
        patch.setattr(loop, "predict", fail)
        with pytest.raises(OutOfMemory):
            small_run(tmp_path, allow_missing=True)
    assert not (tmp_path / "run").exists()
    assert metadata(small_run(tmp_path, allow_missing=True))["resumed"] == [[1, 2]]
