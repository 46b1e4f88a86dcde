"""Out of memory: the message says what a user can change."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from fleeting import tables
from fleeting.errors import UserError
from fleeting.evaluation.predict import predict
from fleeting.training.models import resnet18
from fleeting.training.trainer import train
from small_runs import RECIPE, small_network, small_run


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """What trains in this process is small; jobs of their own train the real network."""
    monkeypatch.setattr(resnet18, "build", small_network)


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
        RuntimeError("CUDA error: out of memory\nCUDA kernel errors might be asynchronous"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    ],
)
def test_out_of_memory_says_what_to_change(
    results: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*_: Any) -> None:
        raise error

    monkeypatch.setattr("fleeting.training.run.train", fail)
    with pytest.raises(UserError, match="^out of memory: resnet18") as raised:
        small_run(results)
    text = str(raised.value)
    for part in ("a batch of 4 images of 32 pixels", "recipe.accumulation from 1 to 2"):
        assert part in text


def test_no_remedy_that_the_config_would_refuse(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch of 4 has no more than two parts of two images."""

    def fail(*_: Any) -> None:
        raise MemoryError

    monkeypatch.setattr("fleeting.training.run.train", fail)
    with pytest.raises(UserError, match="lower recipe.batch_size from 4") as raised:
        small_run(results, recipe={**RECIPE, "accumulation": 2})
    assert "recipe.accumulation" not in str(raised.value)


def test_a_run_that_may_be_missing_is_recorded_as_failed(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that the others can be evaluated; nothing of it is tested."""

    def fail(*_: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0")

    monkeypatch.setattr("fleeting.training.run.train", fail)
    run = small_run(results, allow_missing=True)
    record = json.loads((run / "run.json").read_text())
    assert record["failed"].startswith("out of memory: resnet18 with a batch of 4 images")
    assert record["failed"].endswith("(CUDA out of memory)")
    assert record["tested_epoch"] is None
    assert tables.read_rows(run / "history.tsv", tables.HISTORY) == []
    assert torch.load(run / "model.pt", weights_only=True) == {}
    assert not (results / "run_checkpoints").exists()
    found = predict(run / "run.json", run / "model.pt", results / "test.tsv")
    assert found == {"test": [], "unseen": []}


def test_a_run_that_fitted_once_is_not_given_up(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process took the memory: what was trained stays, and a later try goes on."""

    def fill(network: torch.nn.Module, *rest: Any) -> Any:
        trained = train(network, *rest)
        assert trained
        raise torch.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr("fleeting.training.run.train", fill)
    with pytest.raises(UserError, match="out of memory"):
        small_run(results, allow_missing=True)
    assert not (results / "run").exists()
    assert list((results / "run_checkpoints").glob("epoch0002*.pt"))


def test_a_test_that_runs_out_of_memory_asks_for_no_other_recipe(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another recipe would train the whole grid again."""
    run = small_run(results)

    def fail(*_: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0")

    monkeypatch.setattr("fleeting.training.trainer.predict", fail)
    with pytest.raises(UserError, match="^out of memory: testing resnet18") as raised:
        predict(run / "run.json", run / "model.pt", results / "test.tsv")
    assert "recipe." not in str(raised.value)
    assert "fewer jobs" in str(raised.value)


def test_another_runtime_error_stays_what_it_is(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("shapes differ")

    monkeypatch.setattr("fleeting.training.run.train", fail)
    with pytest.raises(RuntimeError, match="shapes differ"):
        small_run(results)
