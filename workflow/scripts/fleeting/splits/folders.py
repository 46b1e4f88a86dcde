"""The split as folders of links, `fold{n}/{split}/{class}/*.png`: what ImageFolder and others read.

A view for people and other programs; nothing of the pipeline depends on it.
"""

import logging
import os
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from fleeting import paths, registry, tsv
from fleeting.errors import UserError

logger = logging.getLogger(__name__)


def run(
    *, split: Path, faces: list[Path], input: dict[str, Any], results: Path, output: Path
) -> None:
    """Link the crops of every example of a split below `output/fold{fold}/{split}/{class}/`.

    Args:
        split: the experiment's split.tsv.
        faces: the tables of crops of all databases.
        input: the block of the input that says which crops an example is made of.
        results: the results folder, to which the paths of crops are relative.
        output: made anew; links are relative, so that the results can be moved.
    """
    rows = tsv.read_rows(split, tsv.SPLIT)
    crops = crops_of_examples(faces, input, {row["sample"] for row in rows})
    for row in rows:
        if not all(map(paths.is_safe_name, (*row["example"].split("/"), row["label"]))):
            raise UserError(
                f"{split}: {row['example']!r}, label {row['label']!r} lead out of the results; "
                "rerun with `-R draw_split`"
            )
        if row["example"] not in crops:
            raise UserError(f"{split}: no crops make {row['example']}; rerun with `-R pack_inputs`")
        folder = output / f"fold{row['fold']}" / row["split"] / row["label"]
        folder.mkdir(parents=True, exist_ok=True)
        for name, path in crops[row["example"]].items():
            _link(folder / f"{name}.png", results / path)
    logger.info("%d examples linked in %s", len(rows), output)


def crops_of_examples(
    faces: Sequence[Path], input: Mapping[str, Any], samples: set[str]
) -> dict[str, dict[str, str]]:
    """By example the crops that it is made of: the name of the link and the crop's path.

    The only crop of an example is named after the example; of several, each is named after the
    example and its phase.
    """
    module = registry.load("input", input["kind"])
    settings = module.Settings.model_validate(input)
    found = {}
    for images in _by_sample(faces, samples):
        for example in module.examples(images, settings)[0]:
            name = example.name.replace("/", "__")
            single = len(example.images) == 1
            found[example.name] = {
                name if single else f"{name}__{image['phase']}": image["path"]
                for image in example.images
            }
    return found


def _by_sample(faces: Sequence[Path], samples: set[str]) -> Iterable[list[dict[str, str]]]:
    """The rows of each sample's crops in the order of the phases."""
    found = defaultdict(list)
    for path in faces:
        for row in tsv.read_rows(path, tsv.FACES):
            if row["sample"] in samples:
                found[row["sample"]].append(row)
    order = {phase: number for number, phase in enumerate(tsv.PHASES)}
    for rows in found.values():
        yield sorted(rows, key=lambda row: (order.get(row["phase"], len(order)), row["image"]))


def _link(link: Path, crop: Path) -> None:
    if not crop.is_file():
        raise UserError(f"{crop}: the crop is missing; rerun with `-R crop`")
    link.symlink_to(os.path.relpath(crop.resolve(), link.parent.resolve()))
