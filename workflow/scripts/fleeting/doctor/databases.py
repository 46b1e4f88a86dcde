"""The databases, read as the run will read them: tables, known counts, frames on disk."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from fleeting.config import Config
from fleeting.databases import extract, find, reader, settings
from fleeting.doctor.findings import Finding, fine, guarded, heard, note
from fleeting.doctor.known import KNOWN, differences
from fleeting.frames import diagnosis, index, select

#: Keys of a database's block that its reader does not get.
SHARED = ("root", "table", "frames", "source")
#: The reason of rows that the config itself leaves out.
ASKED_FOR = "expression_type_not_wanted"


@dataclass
class Database:
    """What was found of a database.

    `images` has a row for each annotated frame that is on disk, with the columns of
    `fleeting.splits.pool.read_crops`; None where the table or the frames cannot be used.
    """

    name: str
    findings: list[Finding] = field(default_factory=list)
    images: pd.DataFrame | None = None


def look(name: str, config: Config) -> Database:
    """Read a database's table and look for its frames."""
    found = Database(name)
    remedy = f"Or take {name} out of `databases`: what is not listed there is not used."
    with heard() as warnings:
        found.findings = list(guarded(name, lambda: _look(found, config), remedy))
    found.findings += [note(name, text) for text in warnings]
    return found


def _look(found: Database, config: Config) -> Iterator[Finding]:
    name, block = found.name, config["databases"][found.name]
    if not _has_table(name, block):
        if "synthetic" in config:
            yield note(name, "a synthetic database that is not drawn yet; the run draws it first")
            return
        annotations = Path(config["results"], "annotations", f"{name}.tsv")
        if annotations.is_file():
            yield note(
                name,
                f"its table is away; {annotations} of an earlier run is kept and used",
                "Mount or restore the database if frames of it are still to be cropped.",
            )
            return
    path = settings.table_path(
        name,
        Path(block["table"]) if "table" in block else None,
        Path(block["root"]) if "root" in block else None,
    )
    options = {key: block[key] for key in block if key not in SHARED}
    result = extract.extract(name, path, options, config["annotations"]["apex"])
    samples = result.frames()[0].astype(str)
    yield from _of_table(name, path, result, samples)
    yield _comparison(name, result, samples, "synthetic" in config)
    yield from _of_frames(found, config, samples)


def _has_table(name: str, block: dict[str, str]) -> bool:
    if "table" in block:
        return Path(block["table"]).exists()
    return find.table(Path(block["root"]), name) is not None


def _of_table(
    name: str, path: Path, result: extract.Extraction, samples: pd.DataFrame
) -> Iterator[Finding]:
    rows = [row for row in result.excluded if not row["image"]]
    single = [row for row in result.excluded if row["image"]]
    yield fine(
        name,
        f"{path.name}: {result.rows} rows = {len(samples)} samples + {len(rows)} left out; "
        f"{samples['subject'].nunique()} subjects. Samples: {counts(samples['emotion'])}",
    )
    for kind, records in (("rows left out", rows), ("single frames left out", single)):
        reasons = Counter(str(row["reason"]) for row in records)
        unasked = [row for row in records if row["reason"] != ASKED_FOR]
        text = f"{kind}: {counts(reasons.elements())}"
        if unasked:
            example = unasked[0]
            yield note(
                name,
                f"{text}; for example row {example['table_row']}: {example['detail']}",
                "Correct these cells if they are typing errors; the run goes on without them.",
            )
        elif records:
            yield fine(name, f"{text}, as the config asks")


def _comparison(
    name: str, result: extract.Extraction, samples: pd.DataFrame, synthetic: bool
) -> Finding:
    known = KNOWN.get(name)
    if known is None:
        return note(name, "no version of this database is known here to compare with")
    emotions = {str(key): int(n) for key, n in samples["emotion"].value_counts().items()}
    left_out = result.rows - len(samples)
    found = differences(known, result.rows, left_out, samples["subject"].nunique(), emotions)
    if not found:
        return fine(name, f"the counts are those of {known.versions}")
    if synthetic:
        return note(
            name, "synthetic: its counts are not, and need not be, those of the real database"
        )
    return note(
        name,
        f"not the counts of {known.versions}: {', '.join(found)}",
        "Check that the table is whole and the version that you mean; the run takes it as it is.",
    )


def _of_frames(found: Database, config: Config, samples: pd.DataFrame) -> Iterator[Finding]:
    name, block = found.name, config["databases"][found.name]
    files = index.build(find.frames_root(block))
    for text in files.notes():
        yield note(name, text)
    within, source = config["frames"]["nearest_within"], block["source"]
    result = select.select(samples, files, reader.load(name), source, within)
    warning = diagnosis.check(result, files, reader.load(name), name, source)
    if warning:
        yield note(name, warning.removeprefix(f"{name}: "))
    named = len(result.frames) + len(result.excluded)
    text = f"{len(result.frames)} of {named} named {source} frames are below {files.root}"
    if result.substituted:
        text += f", {len(result.substituted)} of them a neighbour of the named one"
    yield fine(name, text)
    if result.excluded:
        example = result.excluded[0]
        yield note(
            name,
            f"frames that cannot be used: {counts(str(row['reason']) for row in result.excluded)}; "
            f"for example {example['image']}: {example['detail']}",
            "Unpack or copy these if you have them; the run goes on without them.",
        )
    found.images = _as_crops(name, result, samples)


def _as_crops(name: str, result: select.Selection, samples: pd.DataFrame) -> pd.DataFrame:
    """The frames on disk as the table of crops that a split is drawn from."""
    frames = pd.DataFrame(result.frames)[["image", "sample", "phase", "path"]]
    columns = ["sample", "database", "subject", "emotion", "table", "table_row"]
    images = frames.merge(samples[columns], on="sample", validate="m:1")
    images["file"] = f"{name}:" + images.pop("path")
    return images.sort_values("image", ignore_index=True)


def counts(values: Iterable[str]) -> str:
    """How often each value is there: the most frequent first, equal ones by name."""
    counter = Counter(values)
    ordered = sorted(counter.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{value} {count}" for value, count in ordered)
