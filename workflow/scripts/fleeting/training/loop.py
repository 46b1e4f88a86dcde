"""The folds of a job: each is fitted, then its test examples are predicted, once."""

import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import torch

from fleeting.examples import arrays
from fleeting.splits.folds import FoldSubsets
from fleeting.splits.gate import Gate
from fleeting.training import balancing, epochs, generators, weights
from fleeting.training.action_units import ActionUnits
from fleeting.training.architecture import Architecture
from fleeting.training.checkpoint import Progress, State
from fleeting.training.data import JobExamples, RoleBuffer
from fleeting.training.epochs import Epoch
from fleeting.training.fit import Fitter
from fleeting.training.heartbeat import Heartbeat
from fleeting.training.predict import predict
from fleeting.training.recipe import Recipe
from fleeting.training.trace import Trace
from fleeting.training.weights import Weights

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Job:
    """Everything that the folds of a job share.

    Attributes:
        gate: the classes and what the examples' arrays hold.
        examples: the tables of the input's examples, one per database.
        architecture: of the network.
        fetched: the pretrained weights as they were when fetched; None: from scratch.
        weights_file: their file.
        lr: the learning rate before the schedule.
        repeat: from 1.
        recipe: everything else.
        keep_models: whether a fold's model is part of its result.
        trace: whether the test examples are also predicted after every epoch.
        action_units: what is learnt beside the classes, as the recipe says; None: nothing.
    """

    gate: Gate
    examples: Sequence[Path]
    architecture: Architecture
    fetched: Weights | None
    weights_file: Path | None
    lr: float
    repeat: int
    recipe: Recipe
    keep_models: bool
    trace: bool = False
    action_units: ActionUnits | None = None

    @property
    def outputs(self) -> int:
        """The network's: the classes, and the action units after them."""
        units = self.action_units.listed if self.action_units else ()
        return len(self.gate.classes) + len(units)

    def fresh(self) -> Mapping[str, torch.Tensor]:
        """A network's initial state dict; what is random in it is drawn from the generators."""
        if self.fetched is None:
            return self.architecture.build(self.outputs).state_dict()
        assert self.weights_file is not None
        return weights.fresh_state(self.architecture, self.outputs, self.weights_file, self.fetched)


def train(
    job: Job,
    folds: Sequence[FoldSubsets],
    device: torch.device,
    precision: str,
    progress: Progress,
    heartbeat: Heartbeat,
) -> str | None:
    """Fit folds and predict their test examples; called inside `cuda_graphs.own_stream`.

    Args:
        job: what they share.
        folds: all of the job, in order, their training examples balanced; finished ones are left
            out.
        device: where to compute.
        precision: as `precision.choose` returns it.
        progress: its `results` receive the result of each fold: its `history` and, unless it
            failed, the `tested_epoch`, the `probabilities` of its test examples, (N, classes)
            float64, how far the tested weights `moved`, and with `job.trace` what `trace.Trace`
            found.
        heartbeat: receives the folds and epochs.

    Returns:
        Why a fold failed, None if none did. The folds after it are not trained.

    Raises:
        Stopped: this process was asked to stop.
    """
    folds = [fold for fold in folds if fold.fold not in progress.results]
    if not folds:
        return None
    recipe, classes = job.recipe, job.gate.classes
    subsets = [subset for fold in folds for subset in (fold.train, fold.validation, fold.test)]
    names = sorted({name for subset in subsets for name in subset.examples})
    examples = JobExamples(names, arrays.load(job.examples, names), device)
    units = job.action_units
    largest = max(len(fold.train.examples) for fold in folds)
    training = RoleBuffer(largest, examples, len(units.listed) if units else 0)
    validation = RoleBuffer(max(len(fold.validation.examples) for fold in folds), examples)
    network = job.architecture.build(job.outputs)
    # Convolutions are faster with the channels last, on the CPU and on tensor cores.
    network.to(device).to(memory_format=torch.channels_last)
    shared = (network, job.architecture, job.gate.input, training, validation)
    weighs = balancing.weighs(recipe.balance)
    fitter = Fitter(*shared, job.lr, recipe, precision, len(classes), weighs)
    for fold in folds:
        seed = generators.fold_seed(recipe.seed, job.repeat, fold.name)
        generators.seed(seed)
        # Drawn again where a fold resumes, to tell how far its weights moved.
        initial = job.fresh()
        predict_tests = partial(_predict_tests, job, network, precision, examples, fold)
        trace = Trace(predict_tests, device) if job.trace else None
        if progress.current:
            fitter.resume(progress.current)
            if trace:
                trace.resume(progress.current["trace"])
        else:
            fitter.start(initial, seed)
        targets = units.targets(fold.train) if units else None
        training.fill(examples, fold.train, classes, targets)
        validation.fill(examples, fold.validation, classes)
        if weighs:
            fitter.weigh(balancing.class_weights(fold.train, classes, recipe.balance))
        heartbeat.begin_fold(fold.fold, len(progress.results), len(fitter.history))
        progress.begin_fold(fold.fold)
        if trace:
            progress.beside["trace"] = trace.epochs
        report = partial(_report, fold, heartbeat, trace)
        history = fitter.fit(report, progress)
        result: State = {"history": [asdict(epoch) for epoch in history]}
        progress.results[fold.fold] = result
        if failed := epochs.failure(history, recipe.tested_epoch):
            return f"fold {fold.fold}, {failed}"
        logits = predict_tests()
        if not logits.isfinite().all():
            return f"fold {fold.fold}: the outputs for the test examples are not finite"
        result["tested_epoch"] = epochs.tested(history, recipe.tested_epoch)
        result["moved"] = moved(network, initial)
        result["probabilities"] = logits.softmax(1).double().cpu()
        if trace:
            result["trace"] = trace.epochs
        model = {}
        if job.keep_models:
            model["network"] = {
                name: value.detach().cpu().contiguous()
                for name, value in network.state_dict().items()
            }
        progress.finish_fold(result | model)
    return None


def _predict_tests(
    job: Job,
    network: torch.nn.Module,
    precision: str,
    examples: JobExamples,
    fold: FoldSubsets,
) -> torch.Tensor:
    """The logits (N, classes) of a fold's test examples.

    These are copied to the device for this call alone: fitting needs the memory.
    """
    tested = examples.values(fold.test)
    recipe = job.recipe
    shared = (network, job.architecture, tested, job.gate.input)
    outputs = predict(*shared, recipe.batch_size, precision, recipe.mirrored_test)
    return outputs[:, : len(job.gate.classes)]


def moved(network: torch.nn.Module, initial: Mapping[str, torch.Tensor]) -> float:
    """How far the weights of a network are from where they started.

    Returns:
        The length of the difference of all parameters, over that of the initial parameters.
    """
    distance, length = 0.0, 0.0
    for name, parameter in network.named_parameters():
        start = initial[name].to(parameter.device, torch.float64)
        distance += float((parameter.detach().double() - start).square().sum())
        length += float(start.square().sum())
    return math.sqrt(distance / length)


def _report(fold: FoldSubsets, heartbeat: Heartbeat, trace: Trace | None, epoch: Epoch) -> None:
    log.info(
        "fold %d, epoch %d: train loss %.4f accuracy %.4f, validation loss %.4f accuracy %.4f",
        fold.fold,
        epoch.epoch,
        epoch.train_loss,
        epoch.train_accuracy,
        epoch.validation_loss,
        epoch.validation_accuracy,
    )
    if trace:
        trace.end_epoch()
    heartbeat.end_epoch(
        epoch.epoch, epoch.train_loss, epoch.validation_loss, len(fold.train.examples)
    )
