"""Out of memory: the message says what a user can change."""

from pathlib import Path
from typing import Any

import pytest
import torch

from fleeting.errors import UserError
from small_runs import small_run


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


def test_another_runtime_error_stays_what_it_is(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("shapes differ")

    monkeypatch.setattr("fleeting.training.run.train", fail)
    with pytest.raises(RuntimeError, match="shapes differ"):
        small_run(results)
