"""Which device a job takes, with devices that CUDA would list."""

import tempfile
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from fleeting.training import devices


@pytest.fixture
def visible(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[torch.device]:
    """Two devices, as CUDA lists them under CUDA_VISIBLE_DEVICES=1,2; returns what was set."""
    chosen: list[torch.device] = []
    for name in devices.slots.SCHEDULER_JOBS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(
        torch.cuda, "get_device_properties", lambda number: SimpleNamespace(uuid=f"GPU-{number}")
    )
    monkeypatch.setattr(torch.cuda, "set_device", chosen.append)
    return chosen


def test_jobs_take_the_visible_devices_in_turn(visible: list[torch.device]) -> None:
    taken = [devices.take(2) for _ in range(4)]
    assert [one.device.index for one in taken] == [0, 1, 0, 1]
    assert visible == [one.device for one in taken]
    assert [one.slot.slot for one in taken if one.slot] == [0, 0, 1, 1]


def test_a_device_that_is_dropped_is_free_again(visible: list[torch.device]) -> None:
    """As tests in one process need it."""
    for _ in range(4):
        one = devices.take(1)
        assert one.device.index == 0
        del one


def test_a_schedulers_job_uses_the_one_device_that_it_was_given(
    visible: list[torch.device], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    assert [devices.take(1).device.index for _ in range(3)] == [0, 0, 0]


def test_without_a_gpu_it_is_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    one = devices.take(1)
    assert (one.device.type, one.slot, one.peak_bytes) == ("cpu", None, None)
    assert one.name.startswith("cpu (")
