"""Fitting: gradient descent over the training examples of one fold after another.

Nothing here is handed a test example. One network serves all folds, and its weights, the
optimiser's state and the examples' memory stay where they are: steps that CUDA recorded in one fold
are replayed in the next.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict
from math import isfinite

import torch
from torch.nn.functional import cross_entropy

from fleeting import registry
from fleeting.splits.gate import ArrayFormat
from fleeting.training import cuda_graphs, epochs, generators, learning_rate
from fleeting.training.architecture import Architecture
from fleeting.training.augment import Augmentation
from fleeting.training.batches import batches, micro_batches
from fleeting.training.checkpoint import Progress, State
from fleeting.training.data import RoleBuffer, scaled
from fleeting.training.epochs import Epoch
from fleeting.training.freezing import freeze
from fleeting.training.loss import training_losses
from fleeting.training.precision import allow_tf32, autocast
from fleeting.training.recipe import Recipe
from fleeting.training.weight_average import WeightAverage


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
        classes: int,
        weighs: bool = False,
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
            classes: K, the network's first outputs; one for each action unit follows, if any.
            weighs: whether classes weigh differently in the training loss; see `weigh`.
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
        self.frozen = freeze(network, architecture.heads, recipe.freeze)
        self.kind_of_optimiser = registry.load("optimiser", recipe.optimiser.kind)
        self.optimiser: torch.optim.Optimizer = self.kind_of_optimiser.make(
            (one for one in network.parameters() if one.requires_grad), self.lr, recipe.optimiser
        )
        self.augment = Augmentation(recipe.augmentations, arrays.channels, classes)
        decay = recipe.weight_average
        self.average = WeightAverage(network, decay) if decay else None
        # Over an epoch, in one tensor, which is read at once: the sum of the losses and the correct
        # answers in training; the sum of the losses and the (K, K) confusion matrix in validation.
        self.sums = torch.zeros(3 + classes**2, dtype=torch.float64, device=self.device)
        self.train_sums, self.validation_sum = self.sums[:2], self.sums[2:3]
        self.confusion = self.sums[3:].view(classes, classes)
        self.classes = torch.arange(classes, device=self.device)
        # What each class weighs in the training loss, if anything; recorded steps read it there.
        self.class_weights = torch.ones(classes, device=self.device) if weighs else None
        pool = cuda_graphs.memory_pool(self.device)
        recordable = getattr(self.kind_of_optimiser, "RECORDABLE", True)
        self.train_step = cuda_graphs.RecordedStep(self._train_step, pool if recordable else None)
        self.validation_step = cuda_graphs.RecordedStep(self._validation_step, pool)
        #: Whether steps may be recorded: once this process has fitted an epoch.
        self.record = False
        self.order = torch.Generator()
        self.history: list[Epoch] = []
        #: A copy of the weights to test, where they may be of an earlier epoch.
        self.best: dict[str, torch.Tensor] | None = None

    def weigh(self, weights: Sequence[float]) -> None:
        """Take the weight of each class (K) in the training loss of a fold."""
        assert self.class_weights is not None, "the fitter was made with `weighs`"
        self.class_weights.copy_(torch.tensor(weights))

    def start(self, weights: Mapping[str, torch.Tensor], seed: int) -> None:
        """Start a fold, in the tensors that recorded steps use.

        Args:
            weights: the network's initial state dict.
            seed: decides the order of the examples. All other random numbers come from the
                generators as they are now.
        """
        self.network.load_state_dict(weights)
        if self.average:
            self.average.start()
        self.order = torch.Generator().manual_seed(seed)
        self.history, self.best = [], None

    def resume(self, state: State) -> None:
        """Continue a fold of another process from its `state` after an epoch.

        On the CPU the fold then ends with the same bytes as if it had never been interrupted. The
        optimiser gets new tensors: only a process's first fold resumes, before anything is
        recorded.
        """
        self.network.load_state_dict(state["network"])
        if self.average:
            self.average.start(state["average"])
        groups = self.optimiser.state_dict()["param_groups"]
        self.optimiser.load_state_dict({"state": state["optimiser"], "param_groups": groups})
        for group in self.optimiser.param_groups:
            group["lr"] = self.lr
        self.order = torch.Generator()
        self.order.set_state(state["order"])
        self.history = [Epoch(**epoch) for epoch in state["history"]]
        self.best = state["best"]
        generators.restore(state["generators"], self.device)

    def state(self) -> State:
        """A copy of all that changes in a fold, as it is between two epochs."""
        return {
            "epoch": len(self.history),
            "network": self._weights(),
            "average": {name: value.clone() for name, value in self.average.mean.items()}
            if self.average
            else {},
            # Never changed in place, so that it needs no copy.
            "best": self.best,
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
        """Fit the fold that was started or resumed; the network then has the weights to be tested.

        A training loss that is not finite ends the fold: its epoch is the history's last.

        Args:
            report: called after every epoch.
            progress: checks before every step whether to stop, and saves the state of an epoch.

        Raises:
            Stopped: the process was asked to stop.
        """
        recipe = self.recipe
        batch_size, last, choice = recipe.batch_size, recipe.epochs, recipe.tested_epoch
        in_order = torch.arange(self.validation.count, device=self.device)
        for number in range(len(self.history) + 1, last + 1):
            if epochs.stopped_early(self.history, recipe.early_stopping):
                break
            self.sums.zero_()

            self.network.train()
            for layer in self.frozen:
                layer.eval()
            shuffled = torch.randperm(self.training.count, generator=self.order).to(self.device)
            training_batches = batches(shuffled, batch_size)
            steps = last * len(training_batches)
            for step, batch in enumerate(training_batches, (number - 1) * len(training_batches)):
                if progress:
                    progress.stop_if_asked()
                self.lr.fill_(self.base_lr * learning_rate.factor(step, steps, recipe))
                if step == 0:
                    self._reset_optimiser()
                self.train_step(batch, self.record)

            self.network.eval()
            with self.average.in_network() if self.average else nullcontext():
                for batch in in_order.split(batch_size):
                    if progress:
                        progress.stop_if_asked()
                    self.validation_step(batch, self.record)

                self.record = True
                self.history.append(self._epoch(number))
                report(self.history[-1])
                if choice != "last" and epochs.tested(self.history, choice) == number:
                    self.best = self._weights()
            if not isfinite(self.history[-1].train_loss):
                break
            if progress:
                progress.end_epoch(self.state())
        if self.best:
            self.network.load_state_dict(self.best)
        elif self.average:
            self.average.put()
        return self.history

    def _reset_optimiser(self) -> None:
        """Give the optimiser the state that it had before the first step of the first fold."""
        first: Mapping[str, float | torch.Tensor] = {}
        if hasattr(self.kind_of_optimiser, "initial_state"):
            first = self.kind_of_optimiser.initial_state(self.lr, self.recipe.optimiser)
        for values in self.optimiser.state.values():
            for name, value in values.items():
                value.fill_(first.get(name, 0))

    def _weights(self) -> dict[str, torch.Tensor]:
        """A copy of the network's weights as they are now."""
        return {name: value.clone() for name, value in self.network.state_dict().items()}

    def _epoch(self, number: int) -> Epoch:
        """The means of an epoch, read from the device at once."""
        sums = self.sums.cpu()
        confusion = sums[3:].view_as(self.confusion)
        train_loss, train_accuracy = (sums[:2] / self.training.count).tolist()
        return Epoch(
            epoch=number,
            train_loss=train_loss,
            train_accuracy=train_accuracy,
            validation_loss=float(sums[2] / self.validation.count),
            validation_accuracy=float(confusion.trace() / self.validation.count),
            validation_uf1=epochs.uf1(confusion),
        )

    def _train_step(self, batch: torch.Tensor) -> None:
        self.optimiser.zero_grad()
        for micro_batch in micro_batches(batch, self.recipe.accumulation):
            targets, units, (outputs, *auxiliary) = self._forward(self.training, micro_batch)
            loss, of_classes = self._losses(outputs, targets, units)
            # Of mixed examples, the label of the larger share.
            labels = targets.argmax(1) if self.augment.mixes else targets
            self.train_sums[0].add_(of_classes.detach().double() * len(micro_batch))
            self.train_sums[1].add_((self._logits(outputs).argmax(1) == labels).sum())
            if auxiliary:
                for weight, other in zip(self.architecture.aux_weights, auxiliary, strict=True):
                    loss = loss + weight * self._losses(other, targets, units)[0]
            if len(micro_batch) < len(batch):
                # The gradients add up to that of the mean over the whole batch.
                loss = loss * (len(micro_batch) / len(batch))
            loss.backward()
        self.optimiser.step()
        if self.average:
            self.average.update()

    def _validation_step(self, batch: torch.Tensor) -> None:
        with torch.no_grad():
            labels, _, (outputs, *_) = self._forward(self.validation, batch)
            logits = self._logits(outputs)
            self.validation_sum.add_(cross_entropy(logits.float(), labels).double() * len(batch))
            # As a product of matrices, which no order of additions can change.
            true, named = (
                (places[:, None] == self.classes).double() for places in (labels, logits.argmax(1))
            )
            self.confusion.addmm_(true.T, named)

    def _forward(
        self, examples: RoleBuffer, batch: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor | None, Sequence[torch.Tensor]]:
        """The labels (B) of a batch, its units, its outputs (B, K + U), and those of other heads.

        In training examples are augmented; where these are mixed, labels are (B, K) probabilities.
        """
        values, labels = scaled(examples.values[batch], self.arrays), examples.labels[batch]
        units = None if examples.units is None else examples.units[batch]
        if self.network.training:
            values, labels, units = self.augment(values, labels, units)
        values = self.architecture.prepare(values)
        with autocast(self.precision, self.device):
            outputs = self.network(values)
        return labels, units, outputs if isinstance(outputs, tuple) else (outputs,)

    def _logits(self, outputs: torch.Tensor) -> torch.Tensor:
        return outputs[:, : len(self.classes)] if self.recipe.auxiliary else outputs

    def _losses(
        self, outputs: torch.Tensor, targets: torch.Tensor, units: torch.Tensor | None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        return training_losses(outputs, targets, units, self.class_weights, self.recipe)
