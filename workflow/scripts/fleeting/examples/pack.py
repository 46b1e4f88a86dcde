"""The examples of an input and a database: their table, and their arrays in one file beside it."""

import logging
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

import cv2
from numpy.typing import NDArray

from fleeting import losses, tsv
from fleeting.errors import UserError, exclusion
from fleeting.examples.apex import with_found
from fleeting.examples.arrays import describe, write
from fleeting.examples.hashes import difference_hash
from fleeting.examples.input import Crop, Example, Missing, crops_by_sample
from fleeting.examples.pictures import decode, differing
from fleeting.settings import variant

log = logging.getLogger(__name__)

Row = Mapping[str, str]
_Made = TypeVar("_Made")


def run(
    *,
    name: str,
    database: str,
    settings: dict,
    annotations: Path,
    faces: Path,
    apexes: list[Path],
    results: Path,
    threads: int,
    accept_losses: bool,
    table: Path,
    arrays: Path,
    hashes: Path,
    excluded: Path,
) -> None:
    """Make the examples of an input from the crops of a database.

    Args:
        name: the name of the block under `inputs`.
        database: the database's name.
        settings: the block under `inputs`.
        annotations: the database's samples.
        faces: the database's crops.
        apexes: the table of the apexes that were searched for in them, if the input has `apex`.
        results: the folder that the crops' paths are relative to.
        threads: how many examples are made at a time; what is written does not depend on it.
        accept_losses: go on where most examples cannot be made.
        table: table of the examples, written.
        arrays: their arrays in the same order, (N, ..., C), written in NumPy's format.
        hashes: table of the hashes of their pictures, written (`tsv.HASHES`).
        excluded: table of the examples that cannot be made, written.
    """
    module, block = variant("input", settings)
    samples = tsv.read_rows(annotations, tsv.ANNOTATIONS)
    crops = with_found(read_crops(faces, samples), apexes)
    made, missing = examples_of(samples, crops, module, block)
    lost = [_excluded(*pair) for pair in missing]
    losses.check(database, f"examples of the input {name}", lost, len(made), accept_losses)
    examples = [example for _, example in made]
    hashed: list[Row] = []
    # OpenCV's own threads would be more than those of the job.
    cv2.setNumThreads(1)
    found = arrays_of(examples, results, module, block, hashed, threads)
    digests = write(arrays, found, len(examples))
    rows = [example_row(*pair, digest) for pair, digest in zip(made, digests, strict=True)]
    tsv.write_rows(rows, table, tsv.EXAMPLES)
    tsv.write_rows(hashed, hashes, tsv.HASHES)
    tsv.write_rows(lost, excluded, tsv.EXCLUDED)
    used = {crop["image"] for example in examples for crop in example.crops}
    log.info(
        "%s, %s: %d examples of %d crops, %d excluded",
        *(name, database, len(made), len(used), len(missing)),
    )


def read_crops(faces: Path, samples: Sequence[Row]) -> dict[str, list[Crop]]:
    """The crops of each sample in the order of their phases.

    Raises:
        UserError: the sample of a crop is not in the annotations.
    """
    crops = crops_by_sample([faces])
    unknown = crops.keys() - {sample["sample"] for sample in samples}
    if unknown:
        raise UserError(
            f"{faces}: {min(unknown)} is no sample of the annotations; rerun with "
            "`-R select_frames`"
        )
    return crops


def examples_of(
    samples: Sequence[Row], crops: Mapping[str, list[Crop]], module: ModuleType, settings: Any
) -> tuple[list[tuple[Row, Example]], list[tuple[Row, Missing]]]:
    """The examples with their samples, sorted by name, and those that cannot be made, by sample.

    Raises:
        UserError: two examples have the same name.
    """
    made: dict[str, tuple[Row, Example]] = {}
    missing = []
    for sample in sorted(samples, key=lambda sample: sample["sample"]):
        own, lacking = module.examples(crops.get(sample["sample"], []), settings)
        for example in own:
            if example.name in made:
                raise UserError(
                    f"the input {settings.kind} makes two examples named {example.name}"
                )
            made[example.name] = sample, example
        missing += [(sample, entry) for entry in lacking]
    return [made[name] for name in sorted(made)], missing


def arrays_of(
    examples: Sequence[Example],
    results: Path,
    module: ModuleType,
    settings: Any,
    hashed: list[Row],
    threads: int,
) -> Iterator[NDArray]:
    """The array of each example; `hashed` receives a row of `tsv.HASHES` for each of its pictures.

    Examples are made on `threads` threads, and few of them are held at a time.

    Raises:
        UserError: a crop is missing, changed, or not of the size of the others.
    """
    if not examples:
        return
    first = examples[0].crops[0]
    like = decode(results, first)

    def make(example: Example) -> tuple[NDArray, list[Row]]:
        pictures = [decode(results, crop) for crop in example.crops]
        for crop, picture in zip(example.crops, pictures, strict=True):
            if picture.shape != like.shape:
                raise differing(results, first, crop, (describe(like), describe(picture)))
        hashes = map(difference_hash, pictures)
        rows: list[Row] = [
            {"example": example.name, "picture": str(number), "hash": hash_of}
            for number, hash_of in enumerate(hashes, start=1)
        ]
        return module.array(example, pictures, settings), rows

    for array, rows in in_order(make, examples, threads):
        hashed += rows
        yield array


def in_order(
    make: Callable[[Example], _Made], examples: Sequence[Example], threads: int
) -> Iterator[_Made]:
    """What `make` returns for each example, made on threads.

    Threads suffice, since OpenCV computes outside Python's lock. At most two results a thread wait
    to be taken or are being made: unlike here, `map` of a pool would hold all of them.
    """
    waiting: deque[Future[_Made]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        try:
            for example in examples:
                waiting.append(pool.submit(make, example))
                if len(waiting) == 2 * threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            # After an error or Ctrl-C, those that have not begun.
            for future in waiting:
                future.cancel()


def example_row(sample: Row, example: Example, digest: str) -> Row:
    """An example's row of `tsv.EXAMPLES`, with the sha256 of its array."""
    files = (f"{sample['database']}:{crop['file']}" for crop in example.crops)
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
        "stage": "inputs",
        **exclusion(missing.code, missing.detail),
    }
