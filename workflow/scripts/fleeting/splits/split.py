"""The split of an experiment as tables: what is used and what is not."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from fleeting import tables
from fleeting.errors import UserError
from fleeting.splits.pool import make_pool, read_crops
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
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Split an experiment's crops.

    Returns:
        The split (`tables.SPLITS`) and the unused crops (`tables.UNUSED`).
    """
    crops = read_crops(results, crop, databases)
    pool = make_pool(crops, label_map, phases, settings["unseen_subjects"])
    drawn = draw(pool.images, list(label_map), settings)
    for note in drawn.notes:
        logging.warning("Warning: %s", note)
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
    return used[list(tables.SPLITS)], unused[list(tables.UNUSED)]
