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


def prepare(recipe: Recipe, repeat: int) -> tuple[int, torch.device]:
    """Set the process up for a run; returns its seed and device.

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
    torch.backends.cudnn.benchmark = not recipe.deterministic
    return seed, torch.device("cuda" if torch.cuda.is_available() else "cpu")


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
    seed: int,
    report: Callable[[Epoch], None],
) -> list[Epoch]:
    """Train a network in place; the weights after the last epoch are the run's model.

    Args:
        network: on the device of the images.
        training: the images to learn from. Loss and accuracy are those of the training steps.
        validation: the images to look at after every epoch; they change nothing.
        lr: the learning rate, constant (the paper names no schedule).
        recipe: everything else.
        seed: decides the order of the images.
        report: called after every epoch.
    """
    optimiser = torch.optim.SGD(
        network.parameters(), lr, momentum=recipe.momentum, weight_decay=recipe.weight_decay
    )
    generator = torch.Generator().manual_seed(seed)
    history = []
    for number in range(1, recipe.epochs + 1):
        network.train()
        order = torch.randperm(len(training.labels), generator=generator).to(training.labels.device)
        loss_sum = torch.zeros((), dtype=torch.float64, device=training.labels.device)
        correct = torch.zeros((), dtype=torch.int64, device=training.labels.device)
        for batch in batches(order, recipe.batch_size):
            labels = training.labels[batch]
            logits = network(normalised(training.pixels[batch]))
            loss = cross_entropy(logits, labels)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            loss_sum += loss.detach().double() * len(batch)
            correct += (logits.argmax(1) == labels).sum()
        logits = predict(network, validation.pixels, recipe.batch_size)
        history.append(
            Epoch(
                epoch=number,
                train_loss=loss_sum.item() / len(training.labels),
                train_accuracy=correct.item() / len(training.labels),
                validation_loss=cross_entropy(logits, validation.labels).item(),
                validation_accuracy=(logits.argmax(1) == validation.labels).double().mean().item(),
            )
        )
        report(history[-1])
    return history


def predict(network: torch.nn.Module, pixels: torch.Tensor, batch_size: int) -> torch.Tensor:
    """(N, classes) logits for (N, 3, H, W) uint8 images; the network is left in evaluation mode."""
    network.eval()
    with torch.inference_mode():
        return torch.cat(
            [network(normalised(part)) for part in torch.split(pixels, batch_size)]
        ).clone()
