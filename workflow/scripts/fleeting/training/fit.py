"""Fitting: gradient descent over the training examples of one fold after another.

Nothing here is handed a test example. One network serves all folds, and its weights, the
optimiser's state and the examples' memory stay where they are: steps that CUDA recorded in one fold
are replayed in the next.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from math import isfinite

import torch
from torch.nn.functional import cross_entropy

from fleeting import registry
from fleeting.splits.gate import ArrayFormat
from fleeting.training import cuda_graphs, generators
from fleeting.training.architecture import Architecture
from fleeting.training.checkpoint import Progress, State
from fleeting.training.data import RoleBuffer, scaled
from fleeting.training.precision import allow_tf32, autocast
from fleeting.training.recipe import Recipe


@dataclass(frozen=True)
class Epoch:
    """The means of one epoch over all training and all validation examples."""

    epoch: int
    train_loss: float
    train_accuracy: float
    validation_loss: float
    validation_accuracy: float


class Fitter:
    """Fits the folds of one run, one after the other, with one network.

    Only the sums of an epoch are read from the device, once per epoch: no step waits for Python.
    """

    def __init__(
        self,
        network: torch.nn.Module,
        architecture: Architecture,
        arrays: ArrayFormat,
        training: RoleBuffer,
        validation: RoleBuffer,
        lr: float,
        recipe: Recipe,
        precision: str,
    ) -> None:
        """Take what all folds share; called inside `cuda_graphs.own_stream`.

        Args:
            network: on the device of the examples, its weights in float32.
            architecture: prepares values for the network.
            arrays: what the examples' stored values stand for.
            training: the examples to learn from; the caller fills it for each fold.
            validation: the examples to evaluate after every epoch; they change nothing.
            lr: the learning rate before the schedule.
            recipe: everything else.
            precision: `fp32`, `tf32` or `bf16`, as `precision.choose` returns it.
        """
        self.network, self.architecture, self.arrays = network, architecture, arrays
        self.training, self.validation = training, validation
        self.base_lr, self.recipe, self.precision = lr, recipe, precision
        self.device = training.labels.device
        allow_tf32(precision == "tf32")
        # On the device, since a recorded step would freeze a Python number. The CPU's kernel takes
        # float64, as Python's numbers are; CUDA's takes float32.
        dtype = torch.float64 if self.device.type == "cpu" else torch.float32
        self.lr = torch.tensor(lr, dtype=dtype, device=self.device)
        self.optimiser: torch.optim.Optimizer = registry.load(
            "optimiser", recipe.optimiser.kind
        ).make(network.parameters(), self.lr, recipe.optimiser)
        self.schedule = registry.load("schedule", recipe.schedule.kind)
        self.augmentations = [
            (registry.load("augmentation", settings.kind).apply, settings)
            for settings in recipe.augmentations
        ]
        # Over an epoch: the sum of the losses and the correct answers, in training, in validation.
        self.sums = torch.zeros((2, 2), dtype=torch.float64, device=self.device)
        pool = cuda_graphs.memory_pool(self.device)
        self.train_step = cuda_graphs.RecordedStep(self._train_step, pool)
        self.validation_step = cuda_graphs.RecordedStep(self._validation_step, pool)
        #: Whether steps may be recorded: once this process has fitted an epoch.
        self.record = False
        self.order = torch.Generator()
        self.history: list[Epoch] = []

    def start(self, weights: Mapping[str, torch.Tensor], seed: int) -> None:
        """Start a fold, in the tensors that recorded steps use.

        Args:
            weights: the network's initial state dict.
            seed: decides the order of the examples. All other random numbers come from the
                generators as they are now.
        """
        self.network.load_state_dict(weights)
        for values in self.optimiser.state.values():
            for value in values.values():
                value.zero_()
        self.order = torch.Generator().manual_seed(seed)
        self.history = []

    def resume(self, state: State) -> None:
        """Continue a fold of another process from its `state` after an epoch.

        On the CPU the fold then ends with the same bytes as if it had never been interrupted. The
        optimiser gets new tensors: only a process's first fold resumes, before anything is
        recorded.
        """
        self.network.load_state_dict(state["network"])
        groups = self.optimiser.state_dict()["param_groups"]
        self.optimiser.load_state_dict({"state": state["optimiser"], "param_groups": groups})
        for group in self.optimiser.param_groups:
            group["lr"] = self.lr
        self.order = torch.Generator()
        self.order.set_state(state["order"])
        self.history = [Epoch(**epoch) for epoch in state["history"]]
        generators.restore(state["generators"], self.device)

    def state(self) -> State:
        """A copy of all that changes in a fold, as it is between two epochs."""
        return {
            "epoch": len(self.history),
            "network": {name: value.clone() for name, value in self.network.state_dict().items()},
            # PyTorch's groups hold settings and the rate: neither is state.
            "optimiser": {
                parameter: {name: value.clone() for name, value in values.items()}
                for parameter, values in self.optimiser.state_dict()["state"].items()
            },
            "history": [asdict(epoch) for epoch in self.history],
            "order": self.order.get_state(),
            "generators": generators.states(self.device),
        }

    def fit(self, report: Callable[[Epoch], None], progress: Progress | None = None) -> list[Epoch]:
        """Fit the fold that was started or resumed; the weights after the last epoch are its model.

        A training loss that is not finite ends the fold: its epoch is the history's last.

        Args:
            report: called after every epoch.
            progress: checks before every step whether to stop, and saves the state of an epoch.

        Raises:
            Stopped: the process was asked to stop.
        """
        batch_size, epochs = self.recipe.batch_size, self.recipe.epochs
        in_order = torch.arange(self.validation.count, device=self.device)
        for number in range(len(self.history) + 1, epochs + 1):
            self.sums.zero_()

            self.network.train()
            shuffled = torch.randperm(self.training.count, generator=self.order).to(self.device)
            training_batches = batches(shuffled, batch_size)
            steps = epochs * len(training_batches)
            for step, batch in enumerate(training_batches, (number - 1) * len(training_batches)):
                if progress:
                    progress.stop_if_asked()
                factor = self.schedule.factor(step, steps, self.recipe.schedule)
                self.lr.fill_(self.base_lr * factor)
                self.train_step(batch, self.record)

            self.network.eval()
            for batch in in_order.split(batch_size):
                if progress:
                    progress.stop_if_asked()
                self.validation_step(batch, self.record)

            self.record = True
            counts = torch.tensor([[self.training.count], [self.validation.count]])
            means = self.sums.cpu() / counts
            self.history.append(Epoch(number, *means.flatten().tolist()))
            report(self.history[-1])
            if not isfinite(self.history[-1].train_loss):
                break
            if progress:
                progress.end_epoch(self.state())
        return self.history

    def _train_step(self, batch: torch.Tensor) -> None:
        self.optimiser.zero_grad()
        for micro_batch in micro_batches(batch, self.recipe.accumulation):
            loss = self._forward(self.training, micro_batch, self.sums[0])
            if len(micro_batch) < len(batch):
                # The gradients add up to that of the mean over the whole batch.
                loss = loss * (len(micro_batch) / len(batch))
            loss.backward()
        self.optimiser.step()

    def _validation_step(self, batch: torch.Tensor) -> None:
        with torch.no_grad():
            self._forward(self.validation, batch, self.sums[1])

    def _forward(
        self, examples: RoleBuffer, batch: torch.Tensor, sums: torch.Tensor
    ) -> torch.Tensor:
        """The mean loss of a batch, auxiliary heads included; `sums` take the logits' own."""
        labels = examples.labels[batch]
        values = scaled(examples.values[batch], self.arrays)
        if self.network.training:
            for augment, settings in self.augmentations:
                values = augment(values, self.arrays.channels, settings)
        values = self.architecture.prepare(values)
        with autocast(self.precision, self.device):
            outputs = self.network(values)
        logits, *auxiliary = outputs if isinstance(outputs, tuple) else (outputs,)
        loss = cross_entropy(logits.float(), labels)
        sums[0].add_(loss.detach().double() * len(batch))
        sums[1].add_((logits.argmax(1) == labels).sum())
        if auxiliary:
            for weight, other in zip(self.architecture.aux_weights, auxiliary, strict=True):
                loss = loss + weight * cross_entropy(other.float(), labels)
        return loss


def batches(order: torch.Tensor, batch_size: int) -> list[torch.Tensor]:
    """Cut an order of examples into batches without dropping one.

    The last batch may be smaller. A single example left over joins the batch before it: batch
    normalisation has no variance to divide by for one value per channel.
    """
    found = list(torch.split(order, batch_size))
    if len(found) > 1 and len(found[-1]) == 1:
        found[-2:] = [torch.cat(found[-2:])]
    return found


def micro_batches(batch: torch.Tensor, accumulation: int) -> tuple[torch.Tensor, ...]:
    """Cut a batch into `accumulation` equal ones; into fewer if one would be a single example."""
    return torch.tensor_split(batch, max(1, min(accumulation, len(batch) // 2)))


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
