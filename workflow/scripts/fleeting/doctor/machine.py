"""The machine: cores, memory, and whether PyTorch can compute on the GPUs that it finds."""

import os
import warnings
from collections.abc import Iterator
from pathlib import Path

import torch

from fleeting.doctor.findings import Finding, fine, note, problem, readable_size
from fleeting.layout import Config
from fleeting.preflight import foreign_encoding, unwritable

INSTALL = (
    "install the PyTorch that fits the GPU and its driver "
    "(https://pytorch.org/get-started/previous-versions)"
)


def examine(config: Config) -> Iterator[Finding]:
    """The cores, the memory and the GPUs."""
    count = cores()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    yield fine(f"{count} cores, {readable_size(memory)} of memory")
    for name, block in config["experiments"].items():
        if (threads := block["recipe"]["threads"]) > count:
            yield note(
                f"experiment {name} trains with {threads} threads, which is slower than with "
                f"{count}",
                f"Set recipe.threads to {count} or fewer; it is part of the results, so decide "
                "before the first run.",
            )
    yield from account()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    for number in range(gpus):
        yield _gpu(number)
    if not gpus:
        reasons = "".join(f"; {warning.message}" for warning in caught)
        yield note(
            f"PyTorch {torch.__version__} finds no GPU: training runs on the CPU{reasons}",
            f"If nvidia-smi lists one, {INSTALL}; CUDA_VISIBLE_DEVICES may hide it.",
        )


def account() -> Iterator[Finding]:
    """What Snakemake needs of the user and of the locale, tried here."""
    # Unlike that of pathlib it raises no error where a user has no home.
    home = os.path.expanduser("~")  # noqa: PTH111
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path(home) / ".cache").absolute()
    if unwritable(cache):
        yield problem(
            f"Snakemake keeps a cache in {cache}, which this user cannot write to",
            "Name another folder before the command: `export XDG_CACHE_HOME=/a/folder`.",
        )
    if found := foreign_encoding():
        yield problem(found, "")


def cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def jobs_at_once(config: Config, threads: int) -> int:
    """How many runs can train at the same time: by the slots of the GPUs, or by the cores."""
    if torch.cuda.is_available():
        return torch.cuda.device_count() * int(config["gpu_slots_per_device"])
    return max(1, cores() // threads)


def _gpu(number: int) -> Finding:
    try:
        # PyTorch also finds GPUs that it is not built for; they fail at the first computation.
        torch.ones(1, device=f"cuda:{number}").sum().item()
        total = torch.cuda.get_device_properties(number).total_memory
    except RuntimeError as error:
        reason = str(error).partition("\n")[0]
        return problem(
            f"GPU {number} cannot compute with PyTorch {torch.__version__}: {reason}",
            f"Either {INSTALL}, or hide the GPU: CUDA_VISIBLE_DEVICES= snakemake ...",
        )
    return fine(
        f"GPU {number}: {torch.cuda.get_device_name(number)}, {readable_size(total)}, PyTorch "
        f"{torch.__version__}"
    )
