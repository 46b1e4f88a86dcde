"""The databases' tables and frames, examined by running the stages that read them.

The stages write into a temporary folder, and log as in a run.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from fleeting import layout, losses, tsv
from fleeting.databases import extract, settings, table_file
from fleeting.databases.settings import DatabaseSettings
from fleeting.doctor.findings import Finding, fine, note
from fleeting.doctor.reference_counts import REFERENCE, differences
from fleeting.frames import select
from fleeting.layout import Config
from fleeting.splits import labels

Row = Mapping[str, str]


def examine(
    name: str, config: Config, frames: dict[str, Counter[str]], folder: Path
) -> Iterator[Finding]:
    """Run a database's stages up to its frames, and say what to do about what they exclude.

    Args:
        name: the database's.
        config: complete.
        frames: filled in: the frames on disk by database and selection; a database that cannot be
            read is missing.
        folder: filled in: `samples_table` and `frames_table`.

    Raises:
        UserError: as the stages do.
    """
    block = settings.load(name, config["databases"][name])
    annotations = Path(config["results"], "annotations", f"{name}.tsv")
    if not _has_table(block) and "synthetic" in config:
        yield note("a synthetic database that is not drawn yet", "Start the run, which draws it.")
    elif not _has_table(block) and annotations.is_file():
        yield note(
            f"its table is missing; {annotations} of an earlier run is kept and used",
            "Mount or restore the database if frames of it are still to be cropped.",
        )
    else:
        yield from _stages(name, config, frames, folder)


def samples_table(folder: Path, database: str) -> Path:
    """Where the doctor keeps a database's annotations, below its folder."""
    return folder / database / "samples.tsv"


def frames_table(folder: Path, database: str, selection: str) -> Path:
    """Where the doctor keeps a database's frames of a selection, below its folder."""
    return folder / database / f"{selection}.frames.tsv"


def _has_table(block: DatabaseSettings) -> bool:
    if block.table is not None:
        return block.table.exists()
    return block.root is not None and table_file.newest(block.root, block.reader) is not None


def _stages(
    name: str, config: Config, frames: dict[str, Counter[str]], folder: Path
) -> Iterator[Finding]:
    block, accepted = config["databases"][name], config["accept_losses"]
    own, samples_path = folder / name, samples_table(folder, name)
    tables = {key: own / f"{key}.tsv" for key in ("excluded", "substituted", "rows")}
    extract.run(
        database=name,
        settings=block,
        apex=config["annotations"]["apex"],
        accept_losses=accepted,
        samples=samples_path,
        **tables,
    )
    samples = tsv.read_rows(samples_path, tsv.ANNOTATIONS)
    excluded = tsv.read_rows(tables["excluded"], tsv.EXCLUDED)
    rows = int(tsv.read_rows(tables["rows"], tsv.ROW_COUNT)[0]["rows"])
    yield from _counts(block["reader"], rows, samples, "synthetic" in config)
    yield from _label_maps(name, config, samples)
    unasked = [row for row in excluded if row["code"] != losses.ASKED_FOR]
    yield from _exclusions(unasked, "Correct these rows if they are typing errors")
    frames[name] = Counter()
    for crop in layout.crops(config):
        selection = layout.selection_label(config, crop)
        if selection in frames[name]:
            continue
        frames_path = frames_table(folder, name, selection)
        tables = {key: own / f"{key}.tsv" for key in ("excluded", "substituted")}
        select.run(
            database=name,
            settings=block,
            selection=config["crops"][crop]["frames"],
            annotations=samples_path,
            nearest_within=config["frames"]["nearest_within"],
            accept_losses=accepted,
            frames=frames_path,
            **tables,
        )
        frames[name][selection] = len(tsv.read_rows(frames_path, tsv.FRAMES))
        excluded = tsv.read_rows(tables["excluded"], tsv.EXCLUDED)
        yield from _exclusions(excluded, "Unpack or copy these frames if you have them")


def _counts(reader: str, rows: int, samples: Sequence[Row], synthetic: bool) -> Iterator[Finding]:
    """The counts of a database, and whether they are those of its known versions."""
    subjects = len({row["subject"] for row in samples})
    emotions = Counter(row["emotion"] for row in samples)
    shown = ", ".join(f"{emotion} {count}" for emotion, count in emotions.most_common())
    yield fine(f"{subjects} subjects; samples by emotion: {shown}")
    if synthetic or reader not in REFERENCE:
        return
    reference = REFERENCE[reader]
    if found := differences(reference, rows, rows - len(samples), subjects, emotions):
        yield note(
            f"not the counts of {reference.versions}: {', '.join(found)}",
            "Check that the table is complete and the version that you want; the run uses it as "
            "it is.",
        )
    else:
        yield fine(f"the counts are those of {reference.versions}")


def _label_maps(name: str, config: Config, samples: Sequence[Row]) -> Iterator[Finding]:
    """Where the clips are not those of the published label maps that experiments name."""
    if "synthetic" in config:
        return
    given = (experiment["label_map"] for experiment in config["experiments"].values())
    for published in sorted({one for one in given if isinstance(one, str)}):
        label_map = labels.resolve(published, {name: config["databases"][name]})
        label_of = label_map.label_of(name)
        clips = (
            (name, label_of.get(row.get(label_map.column, ""), ""), row["sample"])
            for row in samples
        )
        if found := [str(one) for one in labels.counts(label_map, clips) if one.difference]:
            yield note(
                f"not the clips of the label map {published}: {', '.join(found)}",
                "The run uses those that there are; its table label_map_counts has candidates.",
            )


def _exclusions(excluded: Sequence[Row], remedy: str) -> Iterator[Finding]:
    if excluded:
        first = excluded[0]
        yield note(
            f"rows and images excluded: {len(excluded)}, for example row {first['table_row']} "
            f"{first['image']}: {first['detail'] or first['reason']}",
            f"{remedy}; the run excludes them.",
        )
