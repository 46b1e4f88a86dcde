"""The machine: cores, memory, and whether PyTorch can use a GPU that is there."""

import os
import re
import subprocess
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import torch

from fleeting.config.loading import Config
from fleeting.doctor.findings import Finding, fine, guarded, note, problem
from fleeting.doctor.units import size

SUBJECT = "machine"
#: `nvidia-smi` answers within this time, or is not asked.
PATIENCE = 20
#: The oldest driver on Linux for a version of CUDA (NVIDIA, CUDA Toolkit release notes, table 2).
OLDEST_DRIVER = {11: 450, 12: 525, 13: 580}


@dataclass(frozen=True)
class Devices:
    """The GPUs that training can use, by name and memory in bytes; none on a CPU."""

    gpus: tuple[tuple[str, int], ...] = ()


def look(config: Config) -> tuple[Devices, list[Finding]]:
    """The GPUs, and what there is to say of them, the cores and the memory."""
    seen: list[Devices] = []

    def gpus() -> Iterator[Finding]:
        devices, warned = _devices()
        seen.append(devices)
        yield from _gpus(devices) if devices.gpus else _no_gpu(warned)

    findings = [*guarded(SUBJECT, partial(_cores, config)), *guarded(SUBJECT, gpus)]
    return (seen[0] if seen else Devices()), findings


def cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def memory() -> int:
    """The machine's memory in bytes."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def driver() -> list[tuple[str, str]]:
    """The GPUs that NVIDIA's own program lists, each with the driver; empty without the program."""
    command = ["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    except (OSError, subprocess.TimeoutExpired):
        return []
    if done.returncode:
        return []
    lines = (line.rpartition(",") for line in done.stdout.splitlines() if "," in line)
    return [(name.strip(), version.strip()) for name, _, version in lines]


def jobs_at_once(config: Config, devices: Devices, threads: int) -> int:
    """How many runs train at once at most: a GPU's slots, or the cores' shares."""
    if devices.gpus:
        return len(devices.gpus) * int(config["gpu_slots_per_device"])
    return max(1, cores() // threads)


def _devices() -> tuple[Devices, str]:
    """The GPUs that PyTorch can use, and what it warned of while it looked."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        gpus = []
        if torch.cuda.is_available():
            for number in range(torch.cuda.device_count()):
                properties = torch.cuda.get_device_properties(number)
                gpus.append((torch.cuda.get_device_name(number), properties.total_memory))
    return Devices(tuple(gpus)), " ".join(str(warning.message) for warning in caught)


def _cores(config: Config) -> Iterator[Finding]:
    count = cores()
    yield fine(SUBJECT, f"{count} cores, {size(memory())} of memory")
    for name, block in config["experiments"].items():
        threads = block["recipe"]["threads"]
        if threads > count:
            yield note(
                SUBJECT,
                f"experiment {name} trains with {threads} threads on {count} cores: slower than "
                f"with {count}",
                f"Set recipe.threads to {count} or fewer; it is part of the results, so decide "
                "before the first run.",
            )


def _gpus(devices: Devices) -> Iterator[Finding]:
    versions = sorted({version for _, version in driver()})
    with_driver = f", driver {', '.join(versions)}" if versions else ""
    for number, (name, total) in enumerate(devices.gpus):
        yield fine(
            SUBJECT,
            f"GPU {number}: {name}, {size(total)}{with_driver}, PyTorch {torch.__version__} with "
            f"CUDA {torch.version.cuda}",
        )
        capability = torch.cuda.get_device_capability(number)
        built_for = torch.cuda.get_arch_list()
        if built_for and not _runs_on(capability, built_for):
            yield problem(
                SUBJECT,
                f"GPU {number}: {name} has compute capability {capability[0]}.{capability[1]}, and "
                f"this PyTorch is built for {', '.join(built_for)}: nothing will run on it",
                "Install a PyTorch for an older CUDA (https://pytorch.org/get-started/"
                "previous-versions), or hide the GPU: CUDA_VISIBLE_DEVICES= snakemake ...",
            )


def _runs_on(capability: tuple[int, int], built_for: list[str]) -> bool:
    """Whether a build has code for a GPU: of its generation, or of any older for translation."""
    for name in built_for:
        if match := re.fullmatch(r"(sm|compute)_(\d+)(\d)[a-z]?", name):
            built = int(match[2]), int(match[3])
            same = built[0] == capability[0] and built[1] <= capability[1]
            if same or (match[1] == "compute" and built <= capability):
                return True
    return False


def _no_gpu(warned: str) -> Iterator[Finding]:
    listed = driver()
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES")
    if not listed:
        yield note(
            SUBJECT,
            "no NVIDIA GPU is found: training runs on the CPU",
            "If there is one, install its driver (nvidia-smi must list it).",
        )
        return
    names = ", ".join(sorted({name for name, _ in listed}))
    version = listed[0][1]
    text = f"{names} with driver {version} is there, and PyTorch cannot use it: "
    if torch.version.cuda is None:
        yield note(
            SUBJECT,
            f"{text}this PyTorch ({torch.__version__}) is built without CUDA",
            "Install the build with CUDA: https://pytorch.org/get-started/locally",
        )
    elif hidden is not None and not hidden.strip():
        yield note(
            SUBJECT,
            f"{text}CUDA_VISIBLE_DEVICES is empty, which hides all GPUs",
            "Unset it, or list the devices to use: CUDA_VISIBLE_DEVICES=0.",
        )
    else:
        cuda = torch.version.cuda
        oldest = OLDEST_DRIVER.get(int(cuda.split(".")[0]))
        number = int(re.match(r"\d*", version)[0] or 0)  # type: ignore[index]
        if oldest and number < oldest:
            why = f"the driver is too old for CUDA {cuda}, which needs {oldest} or later"
        else:
            why = warned or f"CUDA {cuda} does not find it (CUDA_VISIBLE_DEVICES={hidden})"
        yield note(
            SUBJECT,
            text + why,
            "Update the driver and restart, or install a PyTorch for an older CUDA "
            "(https://pytorch.org/get-started/previous-versions). Until then it trains on the CPU.",
        )
