"""Fitting: gradient descent over the training examples of one fold after another.

Nothing here is handed a test example. One network serves all folds, and its weights, the
optimiser's state and the examples' memory stay where they are: steps that CUDA recorded in one fold
are replayed in the next.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from math import isfinite
from typing import Any, Protocol

import torch
from torch.nn.functional import cross_entropy

from fleeting import registry
from fleeting.splits.gate import Arrays
from fleeting.training import generators, replay
from fleeting.training.architecture import Architecture
from fleeting.training.data import Examples, scaled
from fleeting.training.precision import autocast, set_up
from fleeting.training.recipe import Recipe

State = dict[str, Any]


@dataclass(frozen=True)
class Epoch:
    """The means of one epoch over all training and all validation examples."""

    epoch: int
    train_loss: float
    train_accuracy: float
    validation_loss: float
    validation_accuracy: float


class Keeper(Protocol):
    """Keeps a fold's state, so that another process can resume from it."""

    def check(self) -> None:
        """Called before every step; raises `Stopped` if the process was asked to stop."""

    def keep(self, state: State) -> None:
        """Called after every epoch with a copy of the state."""


def prepare(recipe: Recipe) -> None:
    """Set the process up for a recipe, before it touches a device.

    The thread count comes from the recipe, never from Snakemake's `--cores`, since it decides in
    which order numbers are added.
    """
    torch.set_num_threads(recipe.threads)
    # Older cuBLAS is deterministic only with a workspace of fixed size, set before CUDA starts.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(recipe.deterministic)
    # Otherwise every new tensor would be filled first; nothing here reads uninitialised memory.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.backends.cudnn.benchmark = not recipe.deterministic


def batches(order: torch.Tensor, batch_size: int) -> list[torch.Tensor]:
    """Cut an order of examples into batches without dropping one.

    The last batch may be smaller. A single example left over joins the batch before it: batch
    normalisation has no variance to divide by for one value per channel.
    """
    cut = list(torch.split(order, batch_size))
    if len(cut) > 1 and len(cut[-1]) == 1:
        cut[-2:] = [torch.cat(cut[-2:])]
    return cut


def parts(batch: torch.Tensor, accumulation: int) -> tuple[torch.Tensor, ...]:
    """Cut a batch into equal parts; into fewer ones if a part would be a single example."""
    return torch.tensor_split(batch, max(1, min(accumulation, len(batch) // 2)))


class Fitter:
    """Fits the folds of one run, one after the other, with one network.

    Only the sums of an epoch are read from the device, once per epoch: no step waits for Python.
    """

    def __init__(
        self,
        network: torch.nn.Module,
        architecture: Architecture,
        arrays: Arrays,
        training: Examples,
        validation: Examples,
        lr: float,
        recipe: Recipe,
        precision: str,
    ) -> None:
        """Take what all folds share; called inside `replay.own_stream`.

        Args:
            network: on the device of the examples, its weights in float32.
            architecture: prepares values for the network.
            arrays: what the examples' stored values stand for.
            training: the examples to learn from; the caller fills it for each fold.
            validation: the examples to look at after every epoch; they change nothing.
            lr: the learning rate before the schedule.
            recipe: everything else.
            precision: `fp32`, `tf32` or `bf16`, as `precision.choose` returns it.
        """
        self.network, self.architecture, self.arrays = network, architecture, arrays
        self.training, self.validation = training, validation
        self.lr, self.recipe, self.precision = lr, recipe, precision
        self.device = training.labels.device
        set_up(precision)
        # On the device, since a recorded step would freeze a Python number. The CPU's kernel takes
        # float64, which is the Python number; CUDA's takes float32.
        kind = torch.float64 if self.device.type == "cpu" else torch.float32
        self.rate = torch.tensor(lr, dtype=kind, device=self.device)
        self.optimiser: torch.optim.Optimizer = registry.load(
            "optimiser", recipe.optimiser.kind
        ).make(network.parameters(), self.rate, recipe.optimiser)
        self.schedule = registry.load("schedule", recipe.schedule.kind)
        self.augmentations = [
            (registry.load("augmentation", block.kind).apply, block)
            for block in recipe.augmentations
        ]
        # Sums over an epoch: loss and correct answers in training, then in validation.
        self.sums = torch.zeros(4, dtype=torch.float64, device=self.device)
        memory = replay.shared_memory(self.device)
        self._learn_replayed = replay.Replayed(self._learn, memory)
        self._validate_replayed = replay.Replayed(self._validate, memory)
        #: Whether this process has seen an epoch, so that steps may be recorded.
        self.warm = False

    def start(self, weights: Mapping[str, torch.Tensor], seed: int) -> State:
        """The state of a fold before its first epoch.

        Args:
            weights: the network's initial state dict.
            seed: decides the order of the examples. All other random numbers come from the
                generators as they are now.
        """
        order = torch.Generator().manual_seed(seed).get_state()
        return self._state(0, weights, {}, [], order)

    def fit(
        self, state: State, report: Callable[[Epoch], None], keeper: Keeper | None = None
    ) -> list[Epoch]:
        """Fit one fold; the weights after the last epoch are its model.

        A training loss that is not finite ends the fold: its epoch is the history's last.

        Args:
            state: that of `start`, or one that a keeper kept: on the CPU the fold then ends with
                the same bytes as if it had never been interrupted.
            report: called after every epoch.
            keeper: gets the state after every epoch.

        Raises:
            Stopped: the keeper raised it.
        """
        batch_size, epochs = self.recipe.batch_size, self.recipe.epochs
        self._load(state)
        order = torch.Generator()
        order.set_state(state["order"])
        history = [Epoch(**epoch) for epoch in state["history"]]
        in_order = torch.arange(self.validation.count, device=self.device).split(batch_size)
        for number in range(state["epoch"] + 1, epochs + 1):
            self.sums.zero_()
            shuffled = torch.randperm(self.training.count, generator=order).to(self.device)
            cut = batches(shuffled, batch_size)
            self.network.train()
            for step, batch in enumerate(cut, (number - 1) * len(cut)):
                if keeper:
                    keeper.check()
                factor = self.schedule.factor(step, epochs * len(cut), self.recipe.schedule)
                self.rate.fill_(self.lr * factor)
                self._learn_replayed(batch, self.warm)
            self.network.eval()
            for batch in in_order:
                if keeper:
                    keeper.check()
                self._validate_replayed(batch, self.warm)
            self.warm = True
            history.append(self._epoch(number))
            report(history[-1])
            if not isfinite(history[-1].train_loss):
                break
            if keeper:
                weights = self.network.state_dict()
                # PyTorch's groups hold settings and the rate: neither is state.
                optimiser = self.optimiser.state_dict()["state"]
                kept = self._state(number, weights, optimiser, history, order.get_state())
                keeper.keep(_cloned(kept))
        return history

    def _state(
        self,
        epoch: int,
        weights: Mapping[str, torch.Tensor],
        optimiser: Mapping[int, Any],
        history: list[Epoch],
        order: torch.Tensor,
    ) -> State:
        return {
            "epoch": epoch,
            "network": weights,
            "optimiser": optimiser,
            "history": [asdict(epoch) for epoch in history],
            "order": order,
            "generators": generators.states(self.device),
        }

    def _load(self, state: State) -> None:
        """Put a state into the tensors that recorded steps use."""
        self.network.load_state_dict(state["network"])
        generators.restore(state["generators"], self.device)
        if not state["optimiser"]:
            for values in self.optimiser.state.values():
                for value in values.values():
                    value.zero_()
            return
        # This makes new tensors, which is safe: only a process's first fold resumes, and nothing is
        # recorded before it.
        groups = self.optimiser.state_dict()["param_groups"]
        self.optimiser.load_state_dict({"state": state["optimiser"], "param_groups": groups})
        for group in self.optimiser.param_groups:
            group["lr"] = self.rate

    def _learn(self, batch: torch.Tensor) -> None:
        self.optimiser.zero_grad()
        for part in parts(batch, self.recipe.accumulation):
            loss = self._look(self.training, part, 0)
            # The mean over the batch, whatever the parts it is computed in.
            (loss if len(part) == len(batch) else loss * (len(part) / len(batch))).backward()
        self.optimiser.step()

    def _validate(self, batch: torch.Tensor) -> None:
        with torch.no_grad():
            self._look(self.validation, batch, 2)

    def _look(self, examples: Examples, batch: torch.Tensor, place: int) -> torch.Tensor:
        """The loss of a batch, auxiliary heads included; the sums take the logits' own."""
        labels = examples.labels[batch]
        values = scaled(examples.values[batch], self.arrays)
        if examples is self.training:
            for apply, block in self.augmentations:
                values = apply(values, self.arrays.channels, block)
        values = self.architecture.prepare(values)
        with autocast(self.precision, self.device):
            outputs = self.network(values)
        logits, *auxiliary = outputs if isinstance(outputs, tuple) else (outputs,)
        loss = cross_entropy(logits.float(), labels)
        self.sums[place] += loss.detach().double() * len(batch)
        self.sums[place + 1] += (logits.argmax(1) == labels).sum()
        if auxiliary:
            for weight, other in zip(self.architecture.aux_weights, auxiliary, strict=True):
                loss = loss + weight * cross_entropy(other.float(), labels)
        return loss

    def _epoch(self, number: int) -> Epoch:
        train_loss, train_correct, validation_loss, validation_correct = self.sums.tolist()
        return Epoch(
            epoch=number,
            train_loss=train_loss / self.training.count,
            train_accuracy=train_correct / self.training.count,
            validation_loss=validation_loss / self.validation.count,
            validation_accuracy=validation_correct / self.validation.count,
        )


def failure(history: list[Epoch]) -> str | None:
    """Why a fold failed: its training loss, or its last validation loss, is not finite.

    A validation loss that overflows earlier may come back: batch normalisation's running means
    start far off. It stays a gap in the history.
    """
    last = history[-1]
    for name, loss in (("train", last.train_loss), ("validation", last.validation_loss)):
        if not isfinite(loss):
            return f"epoch {last.epoch}: the {name} loss is {loss}"
    return None


def _cloned(tree: Any) -> Any:
    """A copy of nested dicts with their tensors cloned, where they are."""
    if isinstance(tree, Mapping):
        return {key: _cloned(value) for key, value in tree.items()}
    return tree.clone() if isinstance(tree, torch.Tensor) else tree
