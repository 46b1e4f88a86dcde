"""The images of a fold in memory: packed once for all runs, moved to the device once a run."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import torch

from fleeting import tables
from fleeting.errors import UserError
from fleeting.training import packed

#: torchvision's normalisation of ImageNet, red, green and blue, of values from 0 to 1.
MEAN = (0.485, 0.456, 0.406)
STANDARD_DEVIATION = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Images:
    """Images of one part of a split.

    Attributes:
        names: the N image names, in the order of the split's table.
        pixels: (N, 3, H, W) uint8, red, green and blue; the channels are last in memory.
        labels: (N,) int64, positions in the list of classes.
    """

    names: list[str]
    pixels: torch.Tensor
    labels: torch.Tensor

    def to(self, device: torch.device) -> "Images":
        """The same images on a device."""
        return Images(self.names, self.pixels.to(device), self.labels.to(device))


def classes_of(table: Path) -> list[str]:
    """The classes of a fold, sorted: the labels in its table of training images."""
    return sorted({row["label"] for row in tables.read_rows(table, tables.IMAGES)})


def load(table: Path, required: Sequence[str], classes: Sequence[str]) -> dict[str, Images]:
    """Read the images that a table lists, by part of the split.

    Args:
        table: a table of images (`tables.IMAGES`); their packed pixels lie beside it.
        required: the parts that must have an image: `train`, `validation`, `test` or `unseen`.
        classes: the labels in the order of the network's outputs.
    """
    rows = tables.read_rows(table, tables.IMAGES)
    pixels = packed.read(table)
    places: dict[str, list[int]] = {}
    for place, row in enumerate(rows):
        places.setdefault(row["split"], []).append(place)
    for part in required:
        if part not in places:
            raise UserError(f"{table}: the split has no {part} image")
    return {
        part: Images(
            names=[rows[place]["image"] for place in wanted],
            pixels=torch.from_numpy(pixels[wanted]).permute(0, 3, 1, 2),
            labels=torch.tensor([list(classes).index(rows[place]["label"]) for place in wanted]),
        )
        for part, wanted in places.items()
    }


def normalised(pixels: torch.Tensor) -> torch.Tensor:
    """(N, 3, H, W) uint8 as float32 with ImageNet's mean and standard deviation."""
    mean, deviation = _statistics(pixels.device)
    return (pixels.float() / 255 - mean) / deviation


@cache
def _statistics(device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and deviation on a device; moved once, since a recorded step can't wait for the host."""
    mean = torch.tensor(MEAN, device=device).view(1, 3, 1, 1)
    deviation = torch.tensor(STANDARD_DEVIATION, device=device).view(1, 3, 1, 1)
    return mean, deviation
