"""The device of a job: a slot on one of the visible GPUs, or the CPU."""

import ctypes
import platform
from dataclasses import dataclass

import torch

from fleeting.training import slots

#: Parameters of glibc's `mallopt`.
TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3


@dataclass(frozen=True)
class Device:
    """A device, and the slot on it that this process holds for as long as it keeps this object."""

    device: torch.device
    slot: slots.Slot | None

    @property
    def name(self) -> str:
        """The maker's name of a GPU; for a CPU, the instruction set that PyTorch uses."""
        if self.device.type == "cuda":
            return torch.cuda.get_device_name(self.device)
        return f"cpu ({platform.machine()} {torch.backends.cpu.get_cpu_capability()})"

    @property
    def peak_bytes(self) -> int | None:
        """The peak memory that PyTorch reserved on the GPU, in bytes; None on the CPU."""
        if self.device.type == "cuda":
            return torch.cuda.max_memory_reserved(self.device)
        return None


def acquire(slots_per_device: int) -> Device:
    """Take a slot on a GPU, waiting for one if all are taken; without a GPU, the CPU.

    CUDA lists only the devices in `CUDA_VISIBLE_DEVICES`, so only those are shared out.

    Args:
        slots_per_device: the config's `gpu_slots_per_device`.
    """
    if not torch.cuda.is_available():
        keep_freed_memory()
        return Device(torch.device("cpu"), None)
    visible = range(torch.cuda.device_count())
    uuids = [str(torch.cuda.get_device_properties(number).uuid) for number in visible]
    slot = slots.acquire(uuids, slots_per_device)
    device = torch.device("cuda", slot.device)
    torch.cuda.set_device(device)
    return Device(device, slot)


def keep_freed_memory() -> None:
    """Let the C library keep what is freed for the next tensor, where it is glibc.

    It would give large tensors back to the system, which clears their pages again in every step:
    keeping them made ResNet18 at 224 pixels a tenth faster, for a quarter more memory in ResNet50.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        # glibc up to 2.34 takes at most 2**25 here; the second call alone would make things worse.
        mallopt(MMAP_THRESHOLD, 2**31 - 1) or mallopt(MMAP_THRESHOLD, 2**25)
        mallopt(TRIM_THRESHOLD, 2**31 - 1)
