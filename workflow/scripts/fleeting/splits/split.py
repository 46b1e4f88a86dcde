"""The split of an experiment as tables: what is used, what is not, and the bytes behind it."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from fleeting import tables
from fleeting.errors import UserError
from fleeting.paths import sha256
from fleeting.splits.pool import UNSEEN, make_pool, read_crops
from fleeting.splits.random_images import draw

#: The paper's split has one fold; a run's name holds it all the same.
FOLD = "1"


def split(
    results: Path,
    crop: str,
    databases: Sequence[str],
    label_map: Mapping[str, Sequence[str]],
    phases: Sequence[str],
    settings: Mapping[str, Any],
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Split an experiment's crops.

    Returns:
        The split (`tables.SPLITS`), the unused crops (`tables.UNUSED`) and the images with their
        hashes (`tables.IMAGES`, a row for each image of the split, and for each apex frame of the
        unseen subjects).
    """
    crops = read_crops(results, crop, databases)
    pool = make_pool(crops, label_map, phases, settings["unseen_subjects"])
    drawn = draw(pool.images, list(label_map), settings)
    for note in drawn.notes:
        logging.warning("%s", note)
    over = drawn.over.assign(reason="over the cap", detail="")
    unused = pd.concat([pool.unused, over]).sort_values("image", ignore_index=True)
    used = drawn.split.assign(fold=FOLD)
    if len(used) + len(unused) != len(crops):
        raise UserError(
            f"accounting: {len(crops)} crops, but {len(used)} in the split + {len(unused)} unused"
        )
    counts = used.groupby(["label", "split"]).size().unstack(fill_value=0)
    logging.info("%s", counts[["train", "validation", "test"]].to_string())
    logging.info("unused: %s", unused["reason"].value_counts().to_dict())
    unseen = unused[
        (unused["reason"] == UNSEEN)
        & (unused["phase"] == "apex")
        & unused["label"].isin(used["label"])
    ].assign(split="unseen")
    images = pd.concat([used, unseen]).sort_values("image", ignore_index=True)
    images["sha256"] = [_hash(results / path) for path in images["path"]]
    return (
        used[list(tables.SPLITS)],
        unused[list(tables.UNUSED)],
        images[list(tables.IMAGES)],
    )


def save(
    used: pd.DataFrame,
    unused: pd.DataFrame,
    images: pd.DataFrame,
    split_table: Path,
    unused_table: Path,
    folds: Path,
) -> None:
    """Write the tables; `folds/{fold}/` holds what training and testing may each see.

    training.tsv lists training and validation images, test.tsv the test images and those of
    unseen subjects: a trainer that is given the first cannot look at the second.
    """
    tables.write(used, split_table, tables.SPLITS)
    tables.write(unused, unused_table, tables.UNUSED)
    trained = images["split"].isin(["train", "validation"])
    tables.write(images[trained], folds / FOLD / "training.tsv", tables.IMAGES)
    tables.write(images[~trained], folds / FOLD / "test.tsv", tables.IMAGES)


def _hash(path: Path) -> str:
    if not path.is_file():
        raise UserError(f"{path}: the crop is missing; run `snakemake -R crop`")
    return sha256(path)
