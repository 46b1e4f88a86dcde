"""Which device a job takes, with devices that CUDA would list."""

from collections.abc import Sequence
from types import SimpleNamespace

import pytest
import torch

from fleeting.training import devices, slots


def test_a_job_computes_on_the_device_of_its_slot(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two devices, as CUDA lists them under CUDA_VISIBLE_DEVICES=1,2."""
    current: list[torch.device] = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(
        torch.cuda, "get_device_properties", lambda number: SimpleNamespace(uuid=f"GPU-{number}")
    )
    monkeypatch.setattr(torch.cuda, "set_device", current.append)

    def acquire(uuids: Sequence[str], slots_per_device: int) -> slots.Slot:
        assert (list(uuids), slots_per_device) == (["GPU-0", "GPU-1"], 3)
        return slots.Slot(1, None)

    monkeypatch.setattr(slots, "acquire", acquire)
    taken = devices.acquire(3)
    assert current == [taken.device] == [torch.device("cuda", 1)]
    assert taken.slot is not None, "dropping it would release the slot"


def test_without_a_gpu_it_is_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    taken = devices.acquire(1)
    assert (taken.device.type, taken.slot, taken.peak_bytes) == ("cpu", None, None)
    assert taken.name.startswith("cpu (")
