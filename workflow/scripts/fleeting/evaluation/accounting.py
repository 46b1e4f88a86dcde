"""What became of every row and image of every database: tables/databases.tsv.

The counts must add up, or the table is not written: rows read = samples + excluded rows; three
images a sample = crops + excluded images; crops = images in the split + unused crops.
"""

import logging
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from fleeting import tables
from fleeting.errors import UserError
from fleeting.evaluation.collected import experiment_folder
from fleeting.evaluation.render import Page
from fleeting.evaluation.schemas import DATABASES
from fleeting.faces.gather import hits
from fleeting.tables import EXCLUDED, SUBSTITUTED

ROWS: tables.Schema = {"database": tables.NAME, "table": tables.NAME, "rows": tables.INTEGER}
STAGES = ("annotations", "frames", "faces")
#: Columns that are not counts to be summed up.
_NOT_SUMMED = ("database", "table", "hit_rate")


@dataclass(frozen=True)
class Places:
    """Where the tables of a crop and an experiment lie below the results folder."""

    results: Path
    crop: str
    experiment: str

    def stage(self, stage: str) -> Path:
        """The folder of a stage's tables."""
        return self.results / stage / self.crop if stage == "faces" else self.results / stage

    def split(self, name: str) -> Path:
        """A table of the experiment's split."""
        return experiment_folder(self.results, self.experiment) / f"{name}.tsv"

    def excluded(self, database: str) -> dict[str, pd.DataFrame]:
        """What each stage could not use of a database."""
        return {
            stage: tables.read(self.stage(stage) / f"{database}.excluded.tsv", EXCLUDED)
            for stage in STAGES
        }


def table(places: Places, databases: list[str]) -> pd.DataFrame:
    """The table, a row a database and a row `total`; every sum asserted and logged.

    Raises a `UserError` that names the database, the numbers and an example of what is lost.
    """
    split = tables.read(places.split("split"), tables.SPLITS)
    unused = tables.read(places.split("unused"), tables.UNUSED)
    rows = []
    handed, hits = 0, 0
    for database in databases:
        row, seen, found = _count(places, database, split, unused)
        rows.append({**row, "hit_rate": found / seen if seen else float("nan")})
        handed, hits = handed + seen, hits + found
    frame = pd.DataFrame(rows, columns=list(DATABASES))
    summed = [column for column in DATABASES if column not in _NOT_SUMMED]
    total = {**{column: int(frame[column].sum()) for column in summed}, "database": "total"}
    total |= {"table": "", "hit_rate": hits / handed if handed else float("nan")}
    return pd.concat([frame, pd.DataFrame([total])], ignore_index=True)


def _count(
    places: Places, database: str, split: pd.DataFrame, unused: pd.DataFrame
) -> tuple[dict[str, object], int, int]:
    """One database's row, the images handed to the detector, and those with a face."""
    annotations = places.stage("annotations")
    samples = tables.read(annotations / f"{database}.tsv", tables.ANNOTATIONS)
    read = tables.read(annotations / f"{database}.rows.tsv", ROWS)
    faces = tables.read(places.stage("faces") / f"{database}.tsv", tables.FACES)
    excluded = places.excluded(database)
    every = pd.concat(excluded.values())
    images = {stage: int((frame["image"] != "").sum()) for stage, frame in excluded.items()}
    rows, row_exclusions = int(read["rows"].astype(int).sum()), int((every["image"] == "").sum())
    parts = split[split["database"] == database]
    used = set(parts["image"])
    left = unused[unused["database"] == database]["image"]

    _assert(database, "rows read", rows, {"samples": len(samples), "excluded rows": row_exclusions})
    _assert(
        database,
        "images expected (three a sample)",
        3 * len(samples),
        {"crops": len(faces), **{f"images excluded by {s}": n for s, n in images.items()}},
    )
    _assert(
        database,
        "crops",
        len(faces),
        {"images in the split": len(used), "unused crops": len(left)},
        used.union(left).symmetric_difference(faces["image"]),
    )
    first_fold = parts[parts["fold"] == split["fold"].iloc[0]] if len(split) else parts
    seen, found = hits(faces, excluded["faces"])
    row = {
        "database": database,
        "table": ", ".join(sorted(set(read["table"]))),
        "rows": rows,
        "row_exclusions": row_exclusions,
        "samples": len(samples),
        "subjects": samples["subject"].nunique(),
        "images_expected": 3 * len(samples),
        **{f"excluded_{stage}": number for stage, number in images.items()},
        "crops": len(faces),
        **{
            part: int((first_fold["split"] == part).sum())
            for part in ("train", "validation", "test")
        },
        "unused": len(left),
        "substituted": sum(
            len(tables.read(places.stage(stage) / f"{database}.substituted.tsv", SUBSTITUTED))
            for stage in ("annotations", "frames")
        ),
    }
    return row, seen, found


def _assert(
    database: str, name: str, whole: int, parts: dict[str, int], lost: set[str] | None = None
) -> None:
    added = " + ".join(f"{number} {part}" for part, number in parts.items())
    if whole != sum(parts.values()) or lost:
        example = f"; for example {min(lost)} stands on one side only" if lost else ""
        raise UserError(
            f"accounting does not hold: {database}: {whole} {name}, but {added} = "
            f"{sum(parts.values())}{example}. Run the stages again from the annotations "
            "(snakemake --forcerun); if it stays so, report it: something is lost on the way"
        )
    logging.info("%s: %d %s = %s", database, whole, name, added)


def page(frame: pd.DataFrame) -> Page:
    """The table for reading: databases as columns, what happened as rows."""
    shown = frame.drop(columns="table")
    shown["hit_rate"] = [f"{100 * rate:.1f}%" if rate == rate else "" for rate in frame["hit_rate"]]
    shown = shown.rename(columns=_READABLE).set_index("database").T.reset_index(names="")
    tables_read = "; ".join(
        f"{row['database']}: {row['table']}" for row in frame.to_dict("records") if row["table"]
    )
    return Page(
        "Databases: from table rows to the split",
        "Counts, asserted for each database before this table is written: rows read = samples + "
        "excluded rows; three images a sample = crops + excluded images of all stages; crops = "
        "images in the split + unused. A substituted frame number was not taken as the table "
        "states it. The hit rate is the share of the images handed to the detector in which it "
        "found a face; an image that takes another frame's box at once is not handed to it. "
        f"Tables read: {tables_read}.",
        [("", shown)],
    )


_READABLE = {
    "rows": "rows read",
    "row_exclusions": "rows excluded",
    "images_expected": "images expected (3 x samples)",
    "excluded_annotations": "images excluded: annotations",
    "excluded_frames": "images excluded: frames",
    "excluded_faces": "images excluded: faces",
    "train": "images to train on",
    "validation": "images to validate on",
    "test": "images to test on",
    "unused": "crops unused",
    "substituted": "frame numbers substituted",
    "hit_rate": "face found (hit rate)",
}
