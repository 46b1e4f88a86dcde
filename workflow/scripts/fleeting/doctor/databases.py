"""The databases, read as the run will read them: tables, known counts, frames on disk."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from fleeting.config.loading import Config
from fleeting.databases import extract, find, reader, settings
from fleeting.databases.settings import DatabaseSettings
from fleeting.doctor import used
from fleeting.doctor.findings import Finding, fine, guarded, heard, note
from fleeting.doctor.known import KNOWN, differences
from fleeting.frames import diagnosis, select

#: The code of rows that the config itself excludes.
ASKED_FOR = "expression_type_not_wanted"


@dataclass
class Database:
    """What was found of a database.

    `frames` counts the frames on disk by the kind of their selection; a kind is missing where the
    table or the frames cannot be used.
    """

    name: str
    findings: list[Finding] = field(default_factory=list)
    frames: dict[str, int] = field(default_factory=dict)


def look(name: str, config: Config) -> Database:
    """Read a database's table and look for its frames."""
    found = Database(name)
    remedy = f"Or remove {name} from `databases`: what is not listed there is not used."
    with heard() as warnings:
        found.findings = list(guarded(name, lambda: _look(found, config), remedy))
    found.findings += [note(name, text) for text in warnings]
    return found


def _look(found: Database, config: Config) -> Iterator[Finding]:
    name = found.name
    block = settings.load(name, config["databases"][name])
    if not _has_table(block):
        if "synthetic" in config:
            yield note(name, "a synthetic database that is not drawn yet; the run draws it first")
            return
        annotations = Path(config["results"], "annotations", f"{name}.tsv")
        if annotations.is_file():
            yield note(
                name,
                f"its table is missing; {annotations} of an earlier run is kept and used",
                "Mount or restore the database if frames of it are still to be cropped.",
            )
            return
    path = find.table_path(name, block)
    result = extract.extract(name, block, path, config["annotations"]["apex"])
    samples = result.frames()[0].astype(str)
    yield from _of_table(name, path, result, samples)
    yield _comparison(name, block.reader, result, samples, "synthetic" in config)
    rows = [{str(key): str(value) for key, value in row.items()} for row in result.samples]
    for selection in used.selections(config):
        yield from _of_frames(found, block, config, rows, selection)


def _has_table(block: DatabaseSettings) -> bool:
    if block.table is not None:
        return block.table.exists()
    return block.root is not None and find.table(block.root, block.reader) is not None


def _of_table(
    name: str, path: Path, result: extract.Extraction, samples: pd.DataFrame
) -> Iterator[Finding]:
    rows = [row for row in result.excluded if not row["image"]]
    single = [row for row in result.excluded if row["image"]]
    yield fine(
        name,
        f"{path.name}: {result.rows} rows = {len(samples)} samples + {len(rows)} excluded; "
        f"{samples['subject'].nunique()} subjects. Samples: {counts(samples['emotion'])}",
    )
    for kind, records in (("rows excluded", rows), ("single frames excluded", single)):
        codes = Counter(str(row["code"]) for row in records)
        unasked = [row for row in records if row["code"] != ASKED_FOR]
        text = f"{kind}: {counts(codes.elements())}"
        if unasked:
            example = unasked[0]
            yield note(
                name,
                f"{text}; for example row {example['table_row']}: {example['detail']}",
                "Correct these cells if they are typing errors; the run excludes them.",
            )
        elif records:
            yield fine(name, f"{text}, as the config asks")


def _comparison(
    name: str,
    reader_name: str,
    result: extract.Extraction,
    samples: pd.DataFrame,
    synthetic: bool,
) -> Finding:
    known = KNOWN.get(reader_name)
    if known is None:
        return fine(name, f"the reader {reader_name} has no known counts to compare with")
    emotions = {str(key): int(n) for key, n in samples["emotion"].value_counts().items()}
    excluded = result.rows - len(samples)
    found = differences(known, result.rows, excluded, samples["subject"].nunique(), emotions)
    if not found:
        return fine(name, f"the counts are those of {known.versions}")
    if synthetic:
        return note(name, "synthetic: its counts differ from those of the real database")
    return note(
        name,
        f"not the counts of {known.versions}: {', '.join(found)}",
        "Check that the table is complete and the version that you want; the run uses it as it is.",
    )


def _of_frames(
    found: Database,
    block: DatabaseSettings,
    config: Config,
    samples: list[dict[str, str]],
    selection: dict[str, Any],
) -> Iterator[Finding]:
    name, kind = found.name, selection["kind"]
    want = select.wanted_by(selection)
    index = select.index_for(samples, want, find.frames_root(block))
    for text in index.notes():
        yield note(name, text)
    within = config["frames"]["nearest_within"]
    result = select.select(samples, want, index, reader.load(block.reader), block, within)
    warning = diagnosis.check(result, index, name, block.source)
    if warning:
        yield note(name, warning.removeprefix(f"{name}: "))
    wanted = len(result.frames) + len(result.excluded)
    text = f"{kind}: {len(result.frames)} of {wanted} {block.source} frames are below {index.root}"
    if result.substituted:
        text += f", {len(result.substituted)} of them a neighbour of the annotated one"
    yield fine(name, text)
    if result.excluded:
        example = result.excluded[0]
        yield note(
            name,
            f"frames that cannot be used: {counts(str(row['code']) for row in result.excluded)}; "
            f"for example {example['image']}: {example['detail']}",
            "Unpack or copy these if you have them; the run excludes them.",
        )
    found.frames[kind] = len(result.frames)


def counts(values: Iterable[str]) -> str:
    """How often each value occurs: the most frequent first, equal ones by name."""
    counter = Counter(values)
    ordered = sorted(counter.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{value} {count}" for value, count in ordered)
