"""One training run: stochastic gradient descent over the images of one fold."""

import os
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from fleeting.training.images import Images, normalised
from fleeting.training.precision import autocast, set_up
from fleeting.training.replay import Replayed, own_stream


@dataclass(frozen=True)
class Recipe:
    """How a run is trained (the config's `recipe` without what only finding weights needs).

    The paper, section 3: SGD, 100 epochs. Momentum, weight decay and batch size are silent there.
    """

    momentum: float
    weight_decay: float
    batch_size: int
    epochs: int
    seed: int
    precision: str
    threads: int
    deterministic: bool

    @classmethod
    def of(cls, block: dict[str, Any]) -> "Recipe":
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
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    # cuBLAS is deterministic only with a workspace of fixed size, set before CUDA starts.
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


def train(
    network: torch.nn.Module,
    training: Images,
    validation: Images,
    lr: float,
    recipe: Recipe,
    precision: str,
    seed: int,
    report: Callable[[Epoch], None],
) -> list[Epoch]:
    """Train a network in place; the weights after the last epoch are the run's model.

    Nothing is asked of the device but the sums of an epoch, once: no step waits for Python.

    Args:
        network: on the device of the images, its weights in float32.
        training: the images to learn from. Loss and accuracy are those of the training steps.
        validation: the images to look at after every epoch; they change nothing.
        lr: the learning rate, constant (the paper names no schedule).
        recipe: everything else.
        precision: `fp32`, `tf32` or `bf16`, as `precision.choose` returns it.
        seed: decides the order of the images.
        report: called after every epoch.
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
        loss = look(training, batch, 0)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()

    def validate(batch: torch.Tensor) -> None:
        with torch.no_grad():
            look(validation, batch, 2)

    generator = torch.Generator().manual_seed(seed)
    in_order = torch.arange(len(validation.labels), device=device).split(recipe.batch_size)
    history = []
    with own_stream(device):
        learn_replayed, validate_replayed = Replayed(learn), Replayed(validate)
        for number in range(1, recipe.epochs + 1):
            sums.zero_()
            network.train()
            order = torch.randperm(len(training.labels), generator=generator).to(device)
            for batch in batches(order, recipe.batch_size):
                learn_replayed(batch, record=number > 1)
            network.eval()
            for batch in in_order:
                validate_replayed(batch, record=number > 1)
            train_loss, train_correct, validation_loss, validation_correct = sums.tolist()
            history.append(
                Epoch(
                    epoch=number,
                    train_loss=train_loss / len(training.labels),
                    train_accuracy=train_correct / len(training.labels),
                    validation_loss=validation_loss / len(validation.labels),
                    validation_accuracy=validation_correct / len(validation.labels),
                )
            )
            report(history[-1])
    return history


def predict(
    network: torch.nn.Module, pixels: torch.Tensor, batch_size: int, precision: str
) -> torch.Tensor:
    """(N, classes) logits for (N, 3, H, W) uint8 images; the network is left in evaluation mode."""
    network.eval()
    set_up(precision)
    with torch.inference_mode(), autocast(precision, pixels.device):
        parts = [network(normalised(part)) for part in torch.split(pixels, batch_size)]
        return torch.cat(parts).float()
