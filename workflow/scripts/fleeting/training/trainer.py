"""One training run: stochastic gradient descent over the images of one fold."""

import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from math import isfinite
from typing import Any, Protocol

import torch
from torch.nn.functional import cross_entropy

from fleeting.training import generators
from fleeting.training.images import Images, normalised
from fleeting.training.precision import autocast, set_up
from fleeting.training.replay import Replayed, own_stream, shared_memory


@dataclass(frozen=True)
class Recipe:
    """How a run is trained (the config's `recipe` without what only finding weights needs).

    The paper, section 3: SGD, 100 epochs. Momentum, weight decay and batch size are silent there.
    """

    momentum: float
    weight_decay: float
    batch_size: int
    epochs: int
    accumulation: int
    seed: int
    precision: str
    threads: int
    deterministic: bool

    @classmethod
    def of(cls, block: Mapping[str, Any]) -> "Recipe":
        """The recipe in a config's block."""
        return cls(**{key: block[key] for key in cls.__annotations__})


@dataclass(frozen=True)
class Epoch:
    """The means of one epoch over all images of each part of the split."""

    epoch: int
    train_loss: float
    train_accuracy: float
    validation_loss: float
    validation_accuracy: float


def prepare(recipe: Recipe, repeat: int) -> int:
    """Set the process up for a run, before it touches a device; returns the run's seed.

    Repeats differ in the seed alone: the head's (without pretrained weights, every layer's)
    initial values and the order of the images. The thread count comes from the recipe, never from
    Snakemake's `--cores`, since it decides in which order numbers are added.
    """
    torch.set_num_threads(recipe.threads)
    seed = recipe.seed + repeat - 1
    generators.seed(seed)
    # Older cuBLAS is deterministic only with a workspace of fixed size, set before CUDA starts.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(recipe.deterministic)
    # Or every new tensor would be filled before it is written; nothing here reads what it did not
    # write.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.backends.cudnn.benchmark = not recipe.deterministic
    return seed


def batches(order: torch.Tensor, batch_size: int) -> list[torch.Tensor]:
    """Cut an order of images into batches without dropping one.

    The last batch may be smaller. A single image left over joins the batch before it: batch
    normalisation has no variance to divide by for one value a channel.
    """
    cut = list(torch.split(order, batch_size))
    if len(cut) > 1 and len(cut[-1]) == 1:
        cut[-2:] = [torch.cat(cut[-2:])]
    return cut


def parts(batch: torch.Tensor, accumulation: int) -> tuple[torch.Tensor, ...]:
    """Cut a batch into so many parts of about one size, fewer if one would be a single image."""
    return torch.tensor_split(batch, max(1, min(accumulation, len(batch) // 2)))


class Stopped(Exception):
    """Somebody asked the run to stop; its state is in a checkpoint."""


class Keeper(Protocol):
    """Whoever keeps a run's state, so that it can go on in another process."""

    def stop(self) -> bool:
        """Whether the run has to stop now; asked before every step."""

    def due(self) -> bool:
        """Whether the state after an epoch is to be saved; asked when it is done."""

    def save(self, state: dict[str, Any]) -> None:
        """Save a state."""


def train(
    network: torch.nn.Module,
    training: Images,
    validation: Images,
    lr: float,
    recipe: Recipe,
    precision: str,
    seed: int,
    report: Callable[[Epoch], None],
    keeper: Keeper | None = None,
    state: dict[str, Any] | None = None,
) -> list[Epoch]:
    """Train a network in place; the weights after the last epoch are the run's model.

    Nothing is asked of the device but the sums of an epoch, once: no step waits for Python. A
    training loss that is no finite number ends the run: its epoch is the history's last.

    Args:
        network: on the device of the images, its weights in float32.
        training: the images to learn from. Loss and accuracy are those of the training steps.
        validation: the images to look at after every epoch; they change nothing.
        lr: the learning rate, constant (the paper names no schedule).
        recipe: everything else.
        precision: `fp32`, `tf32` or `bf16`, as `precision.choose` returns it.
        seed: decides the order of the images.
        report: called after every epoch.
        keeper: what is asked whether to save or to stop; None: neither.
        state: a state that a keeper saved, to go on from: on the CPU the run ends with the same
            bytes as if it had never been interrupted.

    Raises:
        Stopped: the keeper asked for it, and has the state.
    """
    device = training.labels.device
    set_up(precision)
    # One kernel updates all weights.
    optimiser = torch.optim.SGD(
        network.parameters(),
        lr,
        momentum=recipe.momentum,
        weight_decay=recipe.weight_decay,
        fused=True,
    )
    # Sums over an epoch: loss and correct answers in training, then in validation.
    sums = torch.zeros(4, dtype=torch.float64, device=device)

    def look(images: Images, batch: torch.Tensor, place: int) -> torch.Tensor:
        labels = images.labels[batch]
        with autocast(precision, device):
            logits = network(normalised(images.pixels[batch]))
        loss = cross_entropy(logits.float(), labels)
        sums[place] += loss.detach().double() * len(batch)
        sums[place + 1] += (logits.argmax(1) == labels).sum()
        return loss

    def learn(batch: torch.Tensor) -> None:
        optimiser.zero_grad()
        for part in parts(batch, recipe.accumulation):
            loss = look(training, part, 0)
            # The mean over the batch, whatever the parts it is computed in.
            (loss if len(part) == len(batch) else loss * (len(part) / len(batch))).backward()
        optimiser.step()

    def validate(batch: torch.Tensor) -> None:
        with torch.no_grad():
            look(validation, batch, 2)

    generator = torch.Generator().manual_seed(seed)
    history: list[Epoch] = []
    first, done = 1, 0
    if state:
        network.load_state_dict(state["network"])
        optimiser.load_state_dict(state["optimiser"])
        sums.copy_(state["sums"])
        history = [Epoch(**epoch) for epoch in state["history"]]
        first, done = state["epoch"] + 1, state["step"]
        generator.set_state(state["order"])
        generators.restore(state["generators"], device)

    def snapshot(epoch: int, step: int, order: torch.Tensor) -> dict[str, Any]:
        return {
            "epoch": epoch,
            "step": step,
            "network": network.state_dict(),
            "optimiser": optimiser.state_dict(),
            "sums": sums,
            "history": [asdict(epoch) for epoch in history],
            "order": order,
            "generators": generators.states(device),
        }

    in_order = torch.arange(len(validation.labels), device=device).split(recipe.batch_size)
    with own_stream(device):
        memory = shared_memory(device)
        learn_replayed, validate_replayed = Replayed(learn, memory), Replayed(validate, memory)
        # Steps are recorded once this process met every size of batch.
        eager = first + (1 if done else 0)
        for number in range(first, recipe.epochs + 1):
            if not done:
                sums.zero_()
            before = generator.get_state()
            order = torch.randperm(len(training.labels), generator=generator).to(device)
            step = 0
            for learns, replayed, cut in (
                (True, learn_replayed, batches(order, recipe.batch_size)),
                (False, validate_replayed, in_order),
            ):
                network.train(learns)
                for batch in cut:
                    if step >= done:
                        if keeper and keeper.stop():
                            keeper.save(snapshot(number - 1, step, before))
                            raise Stopped
                        replayed(batch, record=number > eager)
                    step += 1
            done = 0
            history.append(_epoch(number, sums.tolist(), training, validation))
            report(history[-1])
            if not isfinite(history[-1].train_loss):
                break
            if keeper and keeper.due():
                keeper.save(snapshot(number, 0, generator.get_state()))
    return history


def failure(history: list[Epoch]) -> str | None:
    """Why a run is no result: its training loss, or its last validation loss, is no finite number.

    A validation loss that overflows earlier may come back: batch normalisation's running means
    start far off. It stays a gap in the history.
    """
    last = history[-1]
    for name, loss in (("train", last.train_loss), ("validation", last.validation_loss)):
        if not isfinite(loss):
            return f"epoch {last.epoch}: the {name} loss is {loss}"
    return None


def _epoch(number: int, sums: list[float], training: Images, validation: Images) -> Epoch:
    train_loss, train_correct, validation_loss, validation_correct = sums
    return Epoch(
        epoch=number,
        train_loss=train_loss / len(training.labels),
        train_accuracy=train_correct / len(training.labels),
        validation_loss=validation_loss / len(validation.labels),
        validation_accuracy=validation_correct / len(validation.labels),
    )


def predict(
    network: torch.nn.Module, pixels: torch.Tensor, batch_size: int, precision: str
) -> torch.Tensor:
    """(N, classes) logits for (N, 3, H, W) uint8 images; the network is left in evaluation mode."""
    network.eval()
    set_up(precision)
    with torch.inference_mode(), autocast(precision, pixels.device):
        parts = [network(normalised(part)) for part in torch.split(pixels, batch_size)]
        return torch.cat(parts).float()
