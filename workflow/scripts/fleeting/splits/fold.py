"""What training and testing may each see of a fold: images by name, place and hash."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from fleeting import tables
from fleeting.errors import UserError
from fleeting.splits.pool import UNSEEN


def fold_images(
    split: pd.DataFrame, unused: pd.DataFrame, faces: Sequence[Path], fold: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """List the images of one fold with the hashes of their bytes.

    Args:
        split: the images of all folds (`tables.SPLITS`).
        unused: the crops outside the split (`tables.UNUSED`).
        faces: the tables of crops of all databases.
        fold: its name.

    Returns:
        Two tables (`tables.IMAGES`). The first has the training and validation images, the second
        the test images and the apex frames of unseen subjects: a trainer that is given the first
        cannot look at the second.
    """
    classes = set(split["label"])
    unseen = unused[
        (unused["reason"] == UNSEEN) & (unused["phase"] == "apex") & unused["label"].isin(classes)
    ].assign(split="unseen")
    if unseen.empty and (unused["reason"] == UNSEEN).any():
        raise UserError(
            "split.unseen_subjects: none of these subjects has an apex frame of a class of the "
            f"split ({', '.join(sorted(classes))}); choose others"
        )
    rows = pd.concat([split[split["fold"] == fold], unseen])
    crops = pd.concat([tables.read(path, tables.FACES) for path in faces])
    rows = rows.merge(crops[["image", "path", "sha256"]], on="image", how="left", validate="m:1")
    if rows["path"].isna().any():
        lost = rows.loc[rows["path"].isna(), "image"].iloc[0]
        raise UserError(
            f"{lost} is in the split but has no crop; give your command again with "
            "`-R split_images`"
        )
    rows = rows.sort_values("image", ignore_index=True)[list(tables.IMAGES)]
    trained = rows["split"].isin(["train", "validation"])
    return rows[trained], rows[~trained]
