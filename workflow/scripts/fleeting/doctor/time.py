"""How long the grids will take, from a few measured steps of each model."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from fleeting.config import Config
from fleeting.doctor.classes import Sizes
from fleeting.doctor.findings import Finding, fine, guarded, note, problem
from fleeting.doctor.grid import Grid
from fleeting.doctor.machine import CONTEXT_BYTES, Devices, cores, memory
from fleeting.doctor.measure import Case, Speed, measure, operations
from fleeting.doctor.units import duration, size

SUBJECT = "time"
#: Measuring takes about so many seconds at most; what does not fit in is estimated.
BUDGET = 120.0
#: From so many seconds of training on a CPU on, it is worth to be told of other ways.
LONG = 24 * 3600
#: A measurement lasts about so many steps on a CPU.
STEPS = 3


@dataclass
class Measured:
    """The speeds by case, and which of them were estimated from which other model."""

    speeds: dict[tuple[object, ...], Speed]
    estimated_from: dict[tuple[object, ...], str]
    findings: list[Finding]


def look(config: Config, sizes: Mapping[str, Sizes], devices: Devices) -> Iterator[Finding]:
    """Measure, and project each experiment's grid.

    Args:
        config: complete.
        sizes: of the experiments' splits, by name.
        devices: what the runs train on; the first is measured.
    """
    cases = {
        (name, model): _case(config, name, model, counts)
        for name, counts in sizes.items()
        for model in config["experiments"][name]["grid"]["models"]
    }
    measured = _measure({case.key(): case for case in cases.values()}, devices)
    yield from measured.findings
    for name, counts in sizes.items():
        grid = Grid.of(config["results"], name, config["experiments"][name])
        own = {model: cases[name, model] for model in grid.models}
        if all(case.key() in measured.speeds for case in own.values()):
            yield from _projection(grid, counts, own, measured, devices)
    if measured.speeds:
        yield _memory(config, cases, measured, devices)
        yield fine(
            SUBJECT,
            "this rests on a few steps on pictures of noise, and leaves out cropping, the start of "
            "each job (some seconds), testing, figures, and what else the machine does meanwhile",
        )


def _case(config: Config, name: str, model: str, counts: Sizes) -> Case:
    block = config["experiments"][name]
    side = config["crops"][block["crop"]]["size"]
    return Case(model, side, counts.classes, counts.validation / counts.train, block["recipe"])


def _measure(cases: Mapping[tuple[object, ...], Case], devices: Devices) -> Measured:
    """Measure the cases, the smallest first; what no longer fits into the budget is estimated."""
    done = Measured({}, {}, [])
    start = time.perf_counter()
    last: Case | None = None
    for key, case in sorted(cases.items(), key=lambda item: _work(item[1])):
        if last is not None:
            speed = done.speeds[last.key()]
            scale = _work(case) / _work(last)
            seconds = speed.seconds * scale * STEPS * int(last.recipe["batch_size"])
            if time.perf_counter() - start + seconds > BUDGET and not devices.gpus:
                done.speeds[key] = Speed(
                    speed.seconds * _per_image(case) / _per_image(last), 0, speed.precision
                )
                done.estimated_from[key] = last.model
                continue
        measured: list[Speed] = []
        failed = [*guarded(SUBJECT, partial(_one, case, devices, measured))]
        done.findings += [finding for finding in failed if finding not in done.findings]
        if measured:
            done.speeds[key] = measured[0]
            last = case
    return done


def _one(case: Case, devices: Devices, measured: list[Speed]) -> Iterator[Finding]:
    measured.append(measure(case, devices.device))
    yield from ()


def _per_image(case: Case) -> int:
    return operations(case.model, case.size)


def _work(case: Case) -> int:
    """The operations of a step, in no unit: enough to compare cases."""
    return _per_image(case) * int(case.recipe["batch_size"])


def _projection(
    grid: Grid,
    counts: Sizes,
    cases: Mapping[str, Case],
    measured: Measured,
    devices: Devices,
) -> Iterator[Finding]:
    total = 0.0
    lines = []
    for model, case in cases.items():
        speed = measured.speeds[case.key()]
        one = speed.seconds * counts.train * grid.epochs
        total += one * grid.runs_a_model
        other = measured.estimated_from.get(case.key())
        source = f", estimated from {other} by its operations" if other else ""
        lines.append(
            f"{model}: {1 / speed.seconds:.{0 if speed.seconds < 0.1 else 1}f} images a second, "
            f"{duration(one)} a run{source}"
        )
    precision = measured.speeds[next(iter(cases.values())).key()].precision
    side = next(iter(cases.values())).size
    yield fine(
        SUBJECT,
        "\n".join(
            [f"experiment {grid.experiment} on {devices.name}, {precision}, {side} pixels:", *lines]
        ),
    )
    images = f"{counts.train} training images" + ("" if counts.counted else " (full classes)")
    text = (
        f"experiment {grid.experiment}: {grid.describe()} over {images} take about "
        f"{duration(total)} of training, one run after another"
    )
    done = sum((folder / "run.json").is_file() for model in cases for folder in grid.folders(model))
    if done:
        text += f"; {done} of the {grid.runs} runs are there, and are kept if nothing changed"
    if devices.gpus:
        share = "" if len(devices.gpus) == 1 else f"; {len(devices.gpus)} GPUs share it"
        yield fine(SUBJECT, text + share)
    elif total > LONG:
        yield note(
            SUBJECT,
            text,
            "Use a machine with a GPU; or fewer grid.models, lrs or repeats, or smaller images, "
            "for a first look.",
        )
    else:
        yield fine(SUBJECT, text)


def _memory(
    config: Config,
    cases: Mapping[tuple[str, str], Case],
    measured: Measured,
    devices: Devices,
) -> Finding:
    """What the largest run needs, against what there is for all that run at once."""
    key = max(measured.speeds, key=lambda key: measured.speeds[key].peak_bytes)
    peak = measured.speeds[key].peak_bytes
    model = next(case.model for case in cases.values() if case.key() == key)
    if devices.gpus:
        slots = config["gpu_slots_per_device"]
        name, total = min(devices.gpus, key=lambda gpu: gpu[1])
        each = peak + CONTEXT_BYTES
        text = f"the largest run ({model}) needs {size(each)} of {name}'s {size(total)}"
        if slots * each <= total:
            return fine(SUBJECT, f"{text}; gpu_slots_per_device is {slots}")
        return problem(
            SUBJECT,
            f"{text}, and gpu_slots_per_device lets {slots} of them share it",
            f"Set gpu_slots_per_device to {max(1, total // each)}.",
        )
    threads = max(case.recipe["threads"] for case in cases.values())
    at_once = max(1, cores() // threads)
    text = f"the largest measured run ({model}) needs {size(peak)} of memory"
    if at_once * peak <= memory():
        return fine(SUBJECT, text)
    return note(
        SUBJECT,
        f"{text}; {at_once} of them at once, as --cores {cores()} would start, need more than the "
        f"machine's {size(memory())}",
        f"Start snakemake with --cores {max(1, memory() // peak) * threads} or fewer.",
    )
