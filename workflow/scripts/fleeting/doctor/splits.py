"""The splits of the experiments, drawn as if each frame on disk showed a face.

Folds that the data cannot fill would otherwise be refused when all faces are cropped.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from fleeting import layout, tsv
from fleeting.config import folds
from fleeting.doctor.databases import frames_table, samples_table
from fleeting.doctor.findings import Finding, fine, problem
from fleeting.errors import UserError
from fleeting.examples import pack
from fleeting.examples.input import Crop, by_phase_and_frame
from fleeting.layout import Config
from fleeting.settings import variant
from fleeting.splits import labels
from fleeting.splits.pool import annotate, make_pool
from fleeting.splits.split import apply_protocol


def examine(config: Config, folder: Path) -> Iterator[Finding]:
    """Split the examples of each experiment, but for those whose apex is still to be searched for.

    Args:
        config: complete.
        folder: what `databases.examine` wrote; nothing is split where a database lacks a table.
    """
    for name, experiment in config["experiments"].items():
        block = config["inputs"][experiment["input"]]
        tables = [samples_table(folder, database) for database in config["databases"]]
        tables += [
            frames_table(folder, database, layout.selection_label(config, block["crop"]))
            for database in config["databases"]
        ]
        if block.get("apex") is None and all(table.is_file() for table in tables):
            yield _split(name, config, folder)


def _split(name: str, config: Config, folder: Path) -> Finding:
    block = config["experiments"][name]
    label_map = labels.resolve(block["label_map"], config["databases"])
    databases = config["databases"]
    samples = [samples_table(folder, database) for database in databases]
    examples = [_examples(block["input"], database, config, folder) for database in databases]
    protocol = folds.protocol(config, block)
    try:
        pool = make_pool(
            annotate(samples, examples, block["same_person"]),
            label_map,
            block["exclude_subjects"],
        )
        draw = apply_protocol(pool, label_map.classes, protocol, repeats=1)
    except UserError as error:
        return problem(f"experiment {name}: {error}", "")
    return fine(
        f"experiment {name}: {len(pool.examples)} examples can be split, if each frame shows a "
        f"face; folds: {len(draw.folds)}"
    )


def _examples(name: str, database: str, config: Config, folder: Path) -> Path:
    """Write the table of the examples that an input makes of a database's frames."""
    module, settings = variant("input", config["inputs"][name])
    selection = layout.selection_label(config, settings.crop)
    crops: dict[str, list[Crop]] = defaultdict(list)
    for row in tsv.read_rows(frames_table(folder, database, selection), tsv.FRAMES):
        crops[row["sample"]].append({**row, "file": row["path"]})
    for own in crops.values():
        own.sort(key=by_phase_and_frame)
    samples = tsv.read_rows(samples_table(folder, database), tsv.ANNOTATIONS)
    made, _ = pack.examples_of(samples, crops, module, settings)
    # There are no arrays, and so no digests of them.
    rows = [
        pack.example_row(*pair, hashlib.sha256(pair[1].name.encode()).hexdigest()) for pair in made
    ]
    path = folder / database / f"{name}.examples.tsv"
    tsv.write_rows(rows, path, tsv.EXAMPLES)
    return path
