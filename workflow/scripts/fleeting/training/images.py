"""The images of a split in memory: decoded once, checked against the hashes of the split."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch

from fleeting import tables
from fleeting.errors import UserError
from fleeting.paths import sha256

#: torchvision's normalisation of ImageNet, red, green and blue, of values from 0 to 1.
MEAN = (0.485, 0.456, 0.406)
STANDARD_DEVIATION = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Images:
    """Images of one part of a split.

    Attributes:
        names: the N image names, in the order of the split's table.
        pixels: (N, 3, H, W) uint8, red, green and blue.
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
    return sorted(set(tables.read(table, tables.IMAGES)["label"]))


def load(table: Path, split: str, classes: Sequence[str], results: Path) -> Images:
    """Read the images that a table lists for one part of the split.

    Args:
        table: a table of images with their hashes (`tables.IMAGES`).
        split: `train`, `validation`, `test` or `unseen`.
        classes: the labels in the order of the network's outputs.
        results: the folder that the table's paths are relative to.
    """
    rows = tables.read(table, tables.IMAGES)
    rows = rows[rows["split"] == split]
    if rows.empty:
        raise UserError(f"{table}: the split has no {split} image")
    decoded = [_decode(results / path, digest) for path, digest in rows[["path", "sha256"]].values]
    for path, image in zip(rows["path"], decoded, strict=True):
        if image.shape != decoded[0].shape:
            raise UserError(f"{results / path}: not of the other crops' size; run `-R crop`")
    return Images(
        names=list(rows["image"]),
        pixels=torch.from_numpy(np.stack(decoded)).permute(0, 3, 1, 2).contiguous(),
        labels=torch.tensor([list(classes).index(label) for label in rows["label"]]),
    )


def normalised(pixels: torch.Tensor) -> torch.Tensor:
    """(N, 3, H, W) uint8 as float32 with ImageNet's mean and standard deviation."""
    mean = torch.tensor(MEAN, device=pixels.device).view(1, 3, 1, 1)
    deviation = torch.tensor(STANDARD_DEVIATION, device=pixels.device).view(1, 3, 1, 1)
    return (pixels.float() / 255 - mean) / deviation


def _decode(path: Path, digest: str) -> np.ndarray:
    """An (H, W, 3) uint8 image in red, green and blue."""
    if not path.is_file():
        raise UserError(f"{path}: the crop is missing; run `snakemake -R crop`")
    if sha256(path) != digest:
        raise UserError(f"{path}: the crop changed after it was made; run `snakemake -R crop`")
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise UserError(f"{path}: not a readable image; delete its folder and run again")
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
