"""The examples of an input and a database: their table, and their arrays in one file beside it."""

import hashlib
import logging
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from fleeting import registry, tsv
from fleeting.errors import UserError
from fleeting.examples.base import Crop, Example, Input, Missing, Picture
from fleeting.faces import images
from fleeting.files import whole

log = logging.getLogger(__name__)

STAGE = "inputs"

Row = dict[str, str]


def run(
    *,
    name: str,
    database: str,
    settings: dict,
    annotations: Path,
    faces: Path,
    results: Path,
    table: Path,
    arrays: Path,
    excluded: Path,
) -> None:
    """Make the examples of an input from the crops of a database.

    Args:
        name: the name of the block under `inputs`.
        database: the database's name.
        settings: the block under `inputs`.
        annotations: the database's samples.
        faces: the database's crops.
        results: the folder that the crops' paths are relative to.
        table: table of the examples, written.
        arrays: their arrays in the same order, (N, ..., C), written in NumPy's format.
        excluded: table of the examples that cannot be made, written.
    """
    module = cast(Input, registry.load("input", settings["kind"]))
    block = module.Settings.model_validate(settings)
    samples = tsv.read_rows(annotations, tsv.ANNOTATIONS)
    made, missing = examples_of(samples, read_crops(faces, samples), module, block)
    digests = write(arrays, made, results, module, block)
    tsv.write_rows(
        [_row(example, sample, digests[example.name]) for sample, example in made],
        table,
        tsv.EXAMPLES,
    )
    tsv.write_rows([_excluded(*pair) for pair in missing], excluded, tsv.EXCLUDED)
    used = {crop["image"] for _, example in made for crop in example.images}
    log.info(
        "%s, %s: %d examples of %d crops, %d excluded",
        name,
        database,
        len(made),
        len(used),
        len(missing),
    )


def read_crops(faces: Path, samples: Sequence[Row]) -> dict[str, list[Row]]:
    """The crops of each sample in the order of their phases.

    Raises:
        UserError: a crop is there twice, or its sample is not in the annotations.
    """
    order = {phase: place for place, phase in enumerate(tsv.PHASES)}
    known = {sample["sample"] for sample in samples}
    crops: dict[str, list[Row]] = defaultdict(list)
    seen = set()
    for row in tsv.read_rows(faces, tsv.FACES):
        if row["image"] in seen:
            raise UserError(f"{faces}: {row['image']} is there twice; rerun with `-R gather_faces`")
        if row["sample"] not in known:
            raise UserError(
                f"{faces}: {row['image']} is of no sample in the annotations; rerun with "
                "`-R select_frames`"
            )
        seen.add(row["image"])
        crops[row["sample"]].append(row)
    for rows in crops.values():
        rows.sort(key=lambda row: (order.get(row["phase"], len(order)), row["image"]))
    return crops


def examples_of(
    samples: Sequence[Row], crops: dict[str, list[Row]], module: Input, settings: Any
) -> tuple[list[tuple[Row, Example]], list[tuple[Row, Missing]]]:
    """The examples with their samples, sorted by name, and what cannot be made, by sample.

    Raises:
        UserError: two examples have one name.
    """
    made, missing = [], []
    for sample in samples:
        own, lacking = module.examples(crops.get(sample["sample"], []), settings)
        made += [(sample, example) for example in own]
        missing += [(sample, entry) for entry in lacking]
    made.sort(key=lambda pair: pair[1].name)
    missing.sort(key=lambda pair: pair[0]["sample"])
    names = [example.name for _, example in made]
    for name, following in zip(names, names[1:], strict=False):
        if name == following:
            raise UserError(f"the input {settings.kind} makes two examples named {name}")
    return made, missing


def write(
    path: Path,
    made: Sequence[tuple[Row, Example]],
    results: Path,
    module: Input,
    settings: Any,
) -> dict[str, str]:
    """Write the arrays of sorted examples, whole or not at all, one after the other.

    Returns:
        The sha256 of each array's bytes, by example.

    Raises:
        UserError: a crop is missing or changed, or the arrays differ in shape or data type.
    """
    digests = {}
    first: tuple[Example, NDArray] | None = None
    with whole(path) as unfinished, unfinished.open("wb") as file:
        for example, array in _arrays([example for _, example in made], results, module, settings):
            if first is None:
                first = example, array
                _header(file, (len(made), *array.shape), array.dtype)
            _check_same(first, (example, array), results)
            content = array.tobytes()
            file.write(content)
            digests[example.name] = hashlib.sha256(content).hexdigest()
        if first is None:
            _header(file, (0,), np.dtype(np.uint8))
    return digests


def _arrays(
    examples: Sequence[Example], results: Path, module: Input, settings: Any
) -> Iterator[tuple[Example, NDArray]]:
    """The array of each example; a crop is decoded once and kept while examples need it."""
    last_use = {
        crop["path"]: place for place, example in enumerate(examples) for crop in example.images
    }
    decoded: dict[str, Picture] = {}
    first: tuple[Crop, Picture] | None = None
    for place, example in enumerate(examples):
        for crop in example.images:
            if crop["path"] not in decoded:
                decoded[crop["path"]] = picture = decode(results, crop)
                first = first or (crop, picture)
                if picture.shape != first[1].shape:
                    raise _differ(
                        (results / first[0]["path"], first[1]), (results / crop["path"], picture)
                    )
        yield example, module.array([decoded[crop["path"]] for crop in example.images], settings)
        for crop in example.images:
            if last_use[crop["path"]] == place:
                decoded.pop(crop["path"], None)


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
    except images.Unusable as error:
        raise UserError(
            f"{path}: not a readable image ({error.detail}); rerun with `-R crop`"
        ) from None
    # OpenCV decodes to blue, green and red.
    return np.ascontiguousarray(image[..., ::-1])


def _check_same(
    first: tuple[Example, NDArray], other: tuple[Example, NDArray], results: Path
) -> None:
    """The arrays of all examples are of one shape and data type: a network's input is."""
    (example, array), (another, found) = first, other
    if (array.shape, array.dtype) != (found.shape, found.dtype):
        raise _differ(
            (results / example.images[0]["path"], array),
            (results / another.images[0]["path"], found),
        )


def _differ(first: tuple[Path, NDArray], other: tuple[Path, NDArray]) -> UserError:
    (path, array), (another, found) = first, other
    sizes = [" x ".join(map(str, each.shape)) + f" {each.dtype}" for each in (array, found)]
    return UserError(
        f"{path} gives {sizes[0]}, but {another} gives {sizes[1]}: all examples of an input must "
        "have one size. Set `size` of its block under `crops` in the config, which resizes them"
    )


def _header(file: BinaryIO, shape: tuple[int, ...], dtype: np.dtype) -> None:
    # Not `np.save`: on a full disk it raises an error without an errno.
    description = {
        "descr": np.lib.format.dtype_to_descr(dtype),
        "fortran_order": False,
        "shape": shape,
    }
    np.lib.format.write_array_header_1_0(file, description)


def _row(example: Example, sample: Row, digest: str) -> Row:
    files = (f"{sample['database']}:{crop['file']}" for crop in example.images)
    return {
        "example": example.name,
        "sample": sample["sample"],
        "database": sample["database"],
        "subject": sample["subject"],
        "phase": example.phase,
        "sha256": digest,
        "source": " + ".join(files),
    }


def _excluded(sample: Row, missing: Missing) -> Row:
    return {
        "database": sample["database"],
        "table_row": sample["table_row"],
        "sample": sample["sample"],
        "image": "",
        "stage": STAGE,
        "code": missing.code,
        "reason": missing.code.replace("_", " "),
        "detail": missing.detail,
    }
