"""The pictures of crops, read and checked."""

import hashlib
from pathlib import Path, PurePosixPath

import numpy as np

from fleeting.errors import Unusable, UserError
from fleeting.examples.input import Crop, Picture
from fleeting.faces import images


def decode(results: Path, crop: Crop) -> Picture:
    """(H, W, 3) uint8 in red, green and blue; nothing outside the results is read.

    Raises:
        UserError: the file is missing, or not the one that FACES describes.
    """
    path = results / crop["path"]
    inside = PurePosixPath(crop["path"])
    if inside.is_absolute() or ".." in inside.parts or not path.is_file():
        raise UserError(f"{path}: the crop is missing; rerun with `-R crop`")
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != crop["sha256"]:
        raise UserError(f"{path}: the crop changed after it was made; rerun with `-R crop`")
    try:
        image = images.decode(content)
    except Unusable as error:
        raise UserError(
            f"{path}: not a readable image ({error.detail}); rerun with `-R crop`"
        ) from None
    # OpenCV decodes to blue, green and red.
    return np.ascontiguousarray(image[..., ::-1])


def differing(results: Path, one: Crop, other: Crop, sizes: tuple[str, str]) -> UserError:
    """The error of two crops of an input whose sizes, as `describe` says them, differ."""
    return UserError(
        f"{results / one['path']} is {sizes[0]}, but {results / other['path']} is {sizes[1]}: the "
        "crops of an input must have one size. Set `size` of its block under `crops` in the config"
    )
