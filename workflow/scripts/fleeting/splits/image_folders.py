"""The split as folders of links, `fold{n}/{split}/{class}/*.png`: what ImageFolder and others read.

A view for people and other programs; nothing of the pipeline depends on it.
"""

import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fleeting import paths, tsv
from fleeting.errors import UserError
from fleeting.examples.apex import with_found
from fleeting.examples.input import crops_by_sample
from fleeting.settings import variant

log = logging.getLogger(__name__)


def run(
    *,
    split: Path,
    faces: list[Path],
    apexes: list[Path],
    input: dict[str, Any],
    results: Path,
    output: Path,
) -> None:
    """Link the crops of every example of a split below `output/fold{fold}/{split}/{class}/`.

    Args:
        split: the experiment's split.tsv.
        faces: the tables of crops of all databases.
        apexes: the tables of the apexes that were searched for in them, if the input has `apex`.
        input: the block of the input that says which crops an example is made of.
        results: the results folder, to which the paths of crops are relative.
        output: written; links are relative, so that the results can be moved.
    """
    rows = tsv.read_rows(split, tsv.SPLIT)
    links = links_of_examples(faces, apexes, input)
    for row in rows:
        if not all(map(paths.is_safe_name, (*row["example"].split("/"), row["label"]))):
            raise UserError(
                f"{split}: {row['example']!r}, label {row['label']!r} lead out of the results; "
                "rerun with `-R draw_split`"
            )
        if row["example"] not in links:
            raise UserError(f"{split}: no crops make {row['example']}; rerun with `-R pack_inputs`")
    output.mkdir(parents=True, exist_ok=True)
    if reason := no_links(output):
        log.warning(
            "Warning: %s stays empty: symbolic links cannot be made there (%s). Nothing else needs "
            "them",
            *(output, reason),
        )
        return
    for row in rows:
        folder = output / f"fold{row['fold']}" / row["split"] / row["label"]
        folder.mkdir(parents=True, exist_ok=True)
        for name, path in links[row["example"]].items():
            crop = results / path
            if not crop.is_file():
                raise UserError(f"{crop}: the crop is missing; rerun with `-R crop`")
            (folder / name).symlink_to(os.path.relpath(crop.resolve(), folder.resolve()))
    log.info("%d examples linked in %s", len(rows), output)


def no_links(folder: Path) -> str | None:
    """Why no symbolic link can be made in a folder, as on some file systems; None: they can."""
    trial = folder / ".link"
    try:
        trial.symlink_to("nowhere")
        trial.unlink()
    except OSError as error:
        return error.strerror
    return None


def links_of_examples(
    faces: Sequence[Path], apexes: Sequence[Path], input: dict[str, Any]
) -> dict[str, dict[str, str]]:
    """The links of each example: their names, each with the path of the crop that it points to.

    The only crop of an example is named after the example; one of several, after the example and
    its phase or, without one, its frame.
    """
    module, settings = variant("input", input)
    links = {}
    for crops in with_found(crops_by_sample(faces), apexes).values():
        for example in module.examples(crops, settings)[0]:
            name = example.name.replace("/", "__")
            if len(example.crops) == 1:
                links[example.name] = {f"{name}.png": example.crops[0]["path"]}
            else:
                links[example.name] = {
                    f"{name}__{crop['phase'] or crop['frame']}.png": crop["path"]
                    for crop in example.crops
                }
    return links
