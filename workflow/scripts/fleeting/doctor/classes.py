"""The classes of an experiment: images on disk against what its split asks for."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from fleeting.doctor.databases import Database, counts
from fleeting.doctor.findings import Finding, fine, guarded, note
from fleeting.splits.pool import UNSEEN, Pool, make_pool
from fleeting.splits.random_images import draw

REMEDY = (
    "List more databases or use more phases; or change split.images_per_class, test_fraction or "
    "validation."
)


@dataclass(frozen=True)
class Sizes:
    """How many images an experiment trains on, validates on and tests on (unseen ones included).

    `counted` is false where they are not those on disk but those of full classes.
    """

    classes: int
    train: int
    validation: int
    test: int
    counted: bool


def look(
    name: str, block: dict[str, Any], databases: Sequence[Database]
) -> tuple[Sizes | None, list[Finding]]:
    """Count an experiment's images, and say what falls short.

    Args:
        name: the experiment's.
        block: its block of the config.
        databases: all of the config's.

    Returns:
        The sizes of its split, None where it has none, and the findings.
    """
    assumed: list[Sizes] = []
    impossible = list(guarded(name, lambda: _assume(block, assumed), REMEDY))
    if impossible:
        return None, impossible
    usable = [database for database in databases if database.images is not None]
    absent = ", ".join(database.name for database in databases if database.images is None)
    if not usable:
        text = f"not counted: no images of {absent}; full classes are assumed below"
        return assumed[0], [note(name, text, "See what is said of the databases.")]
    found: list[Sizes] = []
    crops = pd.concat([database.images for database in usable], ignore_index=True)
    # A subject of a database that cannot be read is not a wrong name.
    names = tuple(f"{database.name}/" for database in usable)
    unseen = [name for name in block["split"]["unseen_subjects"] if name.startswith(names)]
    images = crops.sort_values("image", ignore_index=True)
    findings = list(guarded(name, lambda: _look(name, block, images, unseen, found), REMEDY))
    if absent:
        findings.insert(0, note(name, f"counted without {absent}", "See the databases."))
        return assumed[0], findings
    return (found[0] if found else None), findings


def _assume(block: dict[str, Any], found: list[Sizes]) -> Iterator[Finding]:
    """The sizes where every class has as many images as its split can take."""
    classes, wanted = list(block["label_map"]), 2 * block["split"]["images_per_class"]
    labels = pd.Series(classes).repeat(wanted)
    images = pd.DataFrame({"image": range(len(labels)), "label": labels.to_numpy()})
    found.append(_sizes(draw(images, classes, block["split"]).split, 0, False))
    yield from ()


def _look(
    name: str,
    block: dict[str, Any],
    crops: pd.DataFrame,
    unseen: Sequence[str],
    found: list[Sizes],
) -> Iterator[Finding]:
    pool = make_pool(crops, block["label_map"], block["phases"], unseen)
    classes = list(block["label_map"])
    on_disk = pool.images["label"].value_counts()
    yield fine(
        name,
        "images on disk, each file counted once: "
        + ", ".join(f"{label} {on_disk.get(label, 0)}" for label in classes)
        + f"; at most {block['split']['images_per_class']} of each are taken",
    )
    if len(pool.unused):
        yield fine(name, f"left out of its split: {counts(pool.unused['reason'])}")
    for detail in sorted(set(_typing_errors(pool))):
        yield note(name, detail)
    drawn = draw(pool.images, classes, block["split"])
    for text in drawn.notes:
        yield note(name, text, REMEDY)
    apart = (pool.unused["reason"] == UNSEEN) & (pool.unused["phase"] == "apex")
    sizes = _sizes(drawn.split, int(apart.sum()), True)
    found.append(sizes)
    yield fine(
        name,
        f"its split, if a face is found in every frame: {sizes.train} images to train on, "
        f"{sizes.validation} to validate on, {sizes.test} to test on, {sizes.classes} classes",
    )


def _typing_errors(pool: Pool) -> list[str]:
    unmapped = pool.unused[pool.unused["label"] == ""]
    return [detail for detail in unmapped["detail"] if "do you mean" in detail]


def _sizes(split: pd.DataFrame, unseen: int, counted: bool) -> Sizes:
    parts = split["split"].value_counts()
    return Sizes(
        classes=split["label"].nunique(),
        train=int(parts["train"]),
        validation=int(parts["validation"]),
        test=int(parts["test"]) + unseen,
        counted=counted,
    )
