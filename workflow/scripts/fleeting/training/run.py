"""One run of the grid, or a part of its folds: history, predictions, metadata and models."""

import logging
import platform
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch

from fleeting.paths import sha256
from fleeting.splits.folds import FoldSubsets, of_part, read_split
from fleeting.training import balancing, checkpoint, cuda_graphs, devices, loop, memory, precision
from fleeting.training import weights as pretrained
from fleeting.training.action_units import ActionUnits
from fleeting.training.architecture import architecture
from fleeting.training.checkpoint import Progress
from fleeting.training.heartbeat import FILE_NAME, beating
from fleeting.training.interruption import STATUS, Stopped, deferred_signals
from fleeting.training.output import Output
from fleeting.training.recipe import Recipe
from fleeting.training.weights import Weights

log = logging.getLogger(__name__)


def run(
    *,
    gate: Path,
    split: Path,
    folds: Path,
    examples: list[Path],
    experiment: str,
    model: str,
    network: str,
    lr: str,
    repeat: int,
    part: int,
    parts: int,
    recipe: Recipe,
    weights: Path | None = None,
    weights_file: Path | None = None,
    action_units: Path | None = None,
    gpu_slots_per_device: int,
    checkpoint_every_minutes: int,
    allow_missing: bool,
    keep_models: bool,
    checkpoints: Path,
    history: Path,
    predictions: Path,
    metadata: Path,
    models: Path,
    trace: Path | None = None,
) -> None:
    """Train one part of a run's folds and predict their test examples.

    The part of fold f is 1 + (f - 1) modulo `parts`. A fold whose loss is not finite fails the run:
    the metadata say `failed`, nothing is predicted, and the folds after it are not trained.

    Args:
        gate: split.json.
        split: split.tsv.
        folds: folds.tsv.
        examples: the tables of the input's examples, each with its arrays (.npy) beside it.
        experiment: its name.
        model: the network's name in the grid.
        network: the same, or `package.module:function` of the user's.
        lr: the learning rate, as its name.
        repeat: from 1; decides the seed.
        part: from 1.
        parts: how many jobs the folds of a run are divided among.
        recipe: how a fold is trained.
        weights: the record of the pretrained weights, made when they were fetched; None: from
            scratch.
        weights_file: the file of the weights; None: the one in torchvision's cache.
        action_units: which samples show which units, for a recipe with `auxiliary`.
        gpu_slots_per_device: how many jobs may share a GPU.
        checkpoint_every_minutes: the state is saved after an epoch if this many minutes have passed
            since the last time.
        allow_missing: whether a run that does not fit into the device's memory is recorded as
            failed too, so that the others can be evaluated. A run with a checkpoint did fit once,
            so it is retried instead.
        keep_models: whether models are written.
        checkpoints: a folder for this job's checkpoints alone, which Snakemake does not know.
        history: receives the history (`tsv.HISTORY`).
        predictions: receives the predictions (`tsv.PREDICTIONS`).
        metadata: receives run.json.
        models: a folder, which is replaced; receives fold{n}.pt with `keep_models`.
        trace: receives the predictions after every epoch (`tsv.TRACE`); None: they are not made.

    Raises:
        SystemExit: the process was asked to stop; its state is saved.
        UserError: an input is missing, changed or corrupt, the run does not fit into memory, or no
            training example of a fold shows an action unit that is to be learnt.
    """
    contents, all_folds = read_split(gate, split, folds, examples)
    own_folds = [
        balancing.balanced_fold(fold, recipe, repeat)
        for fold in all_folds
        if of_part(fold.fold, part, parts) and fold.repeat in (None, repeat)
    ]
    precision.configure_torch(recipe)
    fetched = Weights.read(weights) if weights else None
    size = contents.input.shape[:-1]
    built = architecture(network, contents.input.channels, size, fetched is not None)
    if fetched and not weights_file:
        weights_file = pretrained.cache_folder() / fetched.file
    units = None
    if recipe.auxiliary:
        assert action_units is not None
        units = ActionUnits(recipe.auxiliary.action_units, action_units, examples)
    job = loop.Job(
        *(contents, examples, built, fetched, weights_file, float(lr), repeat, recipe),
        keep_models=keep_models,
        trace=trace is not None,
        action_units=units,
    )
    built.check_own(job.outputs)
    facts = {
        "experiment": experiment,
        "model": model,
        "network": network,
        "lr": lr,
        "repeat": repeat,
        "part": part,
        "parts": parts,
        "settings": recipe.model_dump(mode="json"),
        "seed": recipe.seed + repeat - 1,
        "split_sha256": sha256(gate),
        "weights": fetched.facts() if fetched else None,
        "versions": _versions(),
        "classes": list(contents.classes),
        # The network has an output for each class, then one for each unit.
        "action_units": units.facts(own_folds) if units else None,
        **_counts(own_folds, contents.classes),
        "trace": trace is not None,
    }
    output = Output(history, predictions, metadata, models, trace)
    with checkpoint.exclusive(checkpoints) as waited:
        # An earlier process's, which is dead; this one may wait for a device.
        (checkpoints / FILE_NAME).unlink(missing_ok=True)
        # Signals still end a process that waits for a device: it has nothing to lose yet.
        device = devices.acquire(gpu_slots_per_device)
        arithmetic = precision.choose(recipe.precision, device.device, built.size[-1])
        facts["precision"] = arithmetic
        key = checkpoint.key({**facts, "device": device.device.type, "keep_models": keep_models})
        if waited and output.is_result_of(key):
            log.info("the run is finished")
            return
        saved = checkpoint.Checkpoints(checkpoints, key)
        with deferred_signals() as request:
            every = 60 * checkpoint_every_minutes
            progress = Progress(saved, facts["folds"], device.name, every, request)
            log.info(
                "%s at %s, repeat %d: %d folds, %d classes, on %s, %s",
                *(model, lr, repeat, len(own_folds), len(contents.classes)),
                *(device.name, arithmetic),
            )
            try:
                with (
                    memory.explained(model, recipe, built.size[-1], arithmetic, device.name),
                    cuda_graphs.own_stream(device.device),
                    beating(
                        checkpoints,
                        experiment=experiment,
                        model=model,
                        lr=lr,
                        repeat=repeat,
                        part=part,
                        folds=len(own_folds),
                        epochs=recipe.epochs,
                        device=device.name,
                    ) as heartbeat,
                ):
                    failed = loop.train(
                        job, own_folds, device.device, arithmetic, progress, heartbeat
                    )
            except Stopped:
                log.info("asked to stop: the state is saved, and the next try resumes from it")
                sys.exit(STATUS)
            except memory.OutOfMemory as error:
                if not allow_missing or saved.exist():
                    raise
                log.info("%s", error)
                log.info("to retry, delete %s", metadata)
                failed = error.problem
            if failed:
                log.warning("the run failed: %s", failed)
            outcome = _outcome(failed, facts, progress, recipe, device)
            everything = {**facts, **outcome, "key": key}
            output.write(own_folds, progress.results, everything, saved, keep_models)
            saved.clear()


def _counts(folds: Sequence[FoldSubsets], classes: Sequence[str]) -> dict[str, Any]:
    """The numbers of the folds, and how many examples each has; those in training are balanced."""
    return {
        "folds": [fold.fold for fold in folds],
        "train_examples": {str(fold.fold): len(fold.train.examples) for fold in folds},
        "train_examples_by_class": {
            str(fold.fold): {label: fold.train.labels.count(label) for label in classes}
            for fold in folds
        },
        "validation_examples": {str(fold.fold): len(fold.validation.examples) for fold in folds},
        "test_examples": {str(fold.fold): len(fold.test.examples) for fold in folds},
    }


def _outcome(
    failed: str | None,
    facts: dict[str, Any],
    progress: Progress,
    recipe: Recipe,
    device: devices.Device,
) -> dict[str, Any]:
    """The part of a run's metadata that says how it went."""
    # Not counting epochs that were lost between a checkpoint and the end of a process.
    trained = sum(
        facts["train_examples"][str(fold)] * len(result["history"])
        for fold, result in progress.results.items()
    )
    seconds = progress.seconds
    return {
        "epochs": {str(fold): len(result["history"]) for fold, result in progress.results.items()},
        "tested_epoch": {
            str(fold): result["tested_epoch"]
            for fold, result in progress.results.items()
            if not failed
        },
        "weights_moved": {
            str(fold): result["moved"]
            for fold, result in progress.results.items()
            if "moved" in result
        },
        "failed": failed,
        "device": ", ".join(progress.devices),
        "threads": torch.get_num_threads(),
        "deterministic": device.device.type == "cpu" or recipe.deterministic,
        "seconds": round(seconds, 3),
        "images_per_second": round(trained / seconds, 3),
        "peak_device_bytes": device.peak_bytes,
        "resumed": progress.resumed,
    }


def _versions() -> dict[str, str]:
    """The versions that a result depends on."""
    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        # Not imported: that takes seconds, and networks of our own do without.
        "torchvision": version("torchvision"),
        "numpy": np.__version__,
        "cuda": torch.version.cuda or "",
    }
