"""The split as folders of links, `{split}/{class}/*.png`: what ImageFolder and others read."""

import os
from pathlib import Path

from fleeting import paths, tables
from fleeting.errors import UserError


def link(split_table: Path, crop_folder: Path, output: Path) -> int:
    """Link every image of a split below `output/fold{fold}/{split}/{class}/`.

    Args:
        split_table: the experiment's split.tsv.
        crop_folder: the folder of its crops, `faces/{crop}`.
        output: made anew; links are relative, so that the results can be moved.

    Returns:
        The number of links.
    """
    rows = tables.read(split_table, tables.SPLITS)
    for image, fold, split, label in rows[["image", "fold", "split", "label"]].values:
        if not all(map(paths.is_safe_name, (*image.split("/"), fold, label))):
            raise UserError(
                f"{split_table}: {image!r}, fold {fold!r}, label {label!r} lead out of the "
                "results; give your command again with `-R split_images`"
            )
        folder = output / f"fold{fold}" / split / label
        folder.mkdir(parents=True, exist_ok=True)
        crop = crop_folder / f"{image}.png"
        if not crop.is_file():
            raise UserError(f"{crop}: the crop is missing; give your command again with `-R crop`")
        target = os.path.relpath(crop.resolve(), folder.resolve())
        (folder / f"{image.replace('/', '__')}.png").symlink_to(target)
    return len(rows)
