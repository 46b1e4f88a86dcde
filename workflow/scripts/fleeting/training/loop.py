"""The folds of a job: each is fitted, then its test examples are predicted, once."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from fleeting.examples import read
from fleeting.splits.gate import Gate
from fleeting.splits.roles import FoldRoles
from fleeting.training import generators, weights
from fleeting.training.architecture import Architecture
from fleeting.training.checkpoint import State
from fleeting.training.data import Examples, Store
from fleeting.training.fit import Epoch, Fitter, failure
from fleeting.training.keeper import Keeper
from fleeting.training.predict import predict
from fleeting.training.recipe import Recipe
from fleeting.training.weights import Weights


@dataclass(frozen=True)
class Job:
    """What all folds of a job share.

    Attributes:
        gate: the classes and what the examples' arrays hold.
        examples: the tables of the input's examples, one per database.
        architecture: of the network.
        fetched: the pretrained weights as they were when fetched; None: from scratch.
        weights_file: where they lie.
        lr: the learning rate before the schedule.
        repeat: from 1.
        recipe: everything else.
        keep_models: whether a fold's model is part of its result.
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

    def fresh(self) -> Mapping[str, torch.Tensor]:
        """A network's initial state dict; what is random in it is drawn from the generators."""
        classes = len(self.gate.classes)
        if self.fetched is None:
            return self.architecture.build(classes).state_dict()
        assert self.weights_file is not None
        return weights.fresh_state(self.architecture, classes, self.weights_file, self.fetched)


def train(
    job: Job,
    folds: Sequence[FoldRoles],
    current: State | None,
    device: torch.device,
    precision: str,
    keeper: Keeper,
    results: dict[int, State],
) -> str | None:
    """Fit folds and predict their test examples; called inside `replay.own_stream`.

    Args:
        job: what they share.
        folds: those that are not finished, in order.
        current: the state of the first of them if an earlier process began it.
        device: where to compute.
        precision: as `precision.choose` returns it.
        keeper: saves the state.
        results: receives by fold what it came to: its `history` and, unless it failed, the
            `probabilities` of its test examples, (N, classes) float64.

    Returns:
        Why a fold failed, None if none did. The folds after it are not trained.

    Raises:
        Stopped: this process was asked to stop.
    """
    if not folds:
        return None
    recipe, classes = job.recipe, job.gate.classes
    store = _store(job, folds, device)
    training, validation = (
        Examples(max(len(side.examples) for side in sides), store)
        for sides in ([fold.train for fold in folds], [fold.validation for fold in folds])
    )
    network = job.architecture.build(len(classes))
    # Convolutions are faster with the channels last, on the CPU and on tensor cores.
    network.to(device).to(memory_format=torch.channels_last)
    shared = (network, job.architecture, job.gate.input, training, validation)
    fitter = Fitter(*shared, job.lr, recipe, precision)
    for fold in folds:
        seed = generators.fold_seed(recipe.seed, job.repeat, fold.name)
        generators.seed(seed)
        state = current or fitter.start(job.fresh(), seed)
        current = None
        training.fill(store, fold.train, classes)
        validation.fill(store, fold.validation, classes)
        keeper.begin(fold.fold)
        history = fitter.fit(state, _progress(fold.fold), keeper)
        result: State = {"history": [asdict(epoch) for epoch in history]}
        results[fold.fold] = result
        if failed := failure(history):
            return f"fold {fold.fold}, {failed}"
        stored = store.values(fold.test)
        logits = predict(
            network, job.architecture, stored, job.gate.input, recipe.batch_size, precision
        )
        if not logits.isfinite().all():
            return f"fold {fold.fold}: the outputs for the test examples are not finite"
        result["probabilities"] = logits.softmax(1).double().cpu()
        model = {}
        if job.keep_models:
            model["network"] = {
                name: value.detach().cpu().contiguous()
                for name, value in network.state_dict().items()
            }
        keeper.finish(result | model)
    return None


def _store(job: Job, folds: Sequence[FoldRoles], device: torch.device) -> Store:
    names = {
        name
        for fold in folds
        for side in (fold.train, fold.validation, fold.test)
        for name in side.examples
    }
    ordered = sorted(names)
    return Store(ordered, read.load(job.examples, ordered), device)


def _progress(fold: int) -> Callable[[Epoch], None]:
    def report(epoch: Epoch) -> None:
        logging.info(
            "fold %d, epoch %d: train loss %.4f accuracy %.4f, validation loss %.4f accuracy %.4f",
            fold,
            epoch.epoch,
            epoch.train_loss,
            epoch.train_accuracy,
            epoch.validation_loss,
            epoch.validation_accuracy,
        )

    return report
