"""Images of each class before and after balancing, by database: tables/classes.tsv."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from fleeting import tables
from fleeting.errors import UserError
from fleeting.evaluation.collected import experiment_folder
from fleeting.evaluation.render import Page
from fleeting.evaluation.schemas import CLASSES

#: How reasons in unused.tsv begin for crops that balancing never had to choose from.
SAME_FILE, UNSEEN = "same file", "unseen"
#: What only a class's `all` row says.
_NOT_HERE: dict[str, object] = {"cap": "", "short_by": "", "left_out": ""}


@dataclass(frozen=True)
class Settings:
    """What the table needs of an experiment's block of the config."""

    label_map: dict[str, list[str]]
    phases: list[str]
    cap: int
    #: Whether validation images come from beyond the cap instead of from the training images.
    surplus: bool

    @classmethod
    def of(cls, block: dict[str, Any]) -> "Settings":
        """Take them from the block (label_map, phases, and images_per_class and validation)."""
        try:
            split = block["split"]
            surplus = split["validation"]["from"] == "surplus"
            return cls(block["label_map"], block["phases"], split["images_per_class"], surplus)
        except (KeyError, TypeError) as error:
            raise UserError(f"the experiment's settings lack {error}") from None


def table(results: Path, experiment: str, databases: list[str], settings: Settings) -> pd.DataFrame:
    """The table: by class a row a database, then the row `all`. Counts are of the first fold."""
    folder = experiment_folder(results, experiment)
    split = tables.read(folder / "split.tsv", tables.SPLITS)
    unused = tables.read(folder / "unused.tsv", tables.UNUSED)
    kept = split.drop_duplicates("image")
    available = pd.concat([kept, unused[~unused["reason"].str.startswith(SAME_FILE)]])
    available = available[available["phase"].isin(settings.phases)].fillna({"reason": ""})
    parts = split[split["fold"] == split["fold"].iloc[0]] if len(split) else split
    rows: list[dict[str, object]] = []
    for label, emotions in settings.label_map.items():
        before, after = available[available["label"] == label], parts[parts["label"] == label]
        for database in databases:
            here = _counts(
                before[before["database"] == database], after[after["database"] == database]
            )
            rows.append({"label": label, "database": database, **here, **_NOT_HERE})
        unseen = int(before["reason"].str.startswith(UNSEEN).sum()) if len(before) else 0
        short_by = max(0, settings.cap - (len(before) - unseen))
        rows.append(
            {
                "label": label,
                "database": "all",
                **_counts(before, after),
                "cap": settings.cap,
                "short_by": short_by,
                "left_out": _why_left_out(label, emotions, databases, before, after),
            }
        )
    return pd.DataFrame(rows, columns=list(CLASSES))


def _counts(before: pd.DataFrame, after: pd.DataFrame) -> dict[str, int]:
    return {
        "clips": before["sample"].nunique(),
        "images": len(before),
        **{part: int((after["split"] == part).sum()) for part in ("train", "validation", "test")},
    }


def _why_left_out(
    label: str,
    emotions: list[str],
    databases: list[str],
    before: pd.DataFrame,
    after: pd.DataFrame,
) -> str:
    if len(after):
        return ""
    if before.empty:
        return (
            f"{', '.join(databases)}: no image with the emotion {' or '.join(emotions)}, "
            f"so there is no class {label}"
        )
    return f"{len(before)} images, but none in the split (unused.tsv says why)"


def page(frame: pd.DataFrame) -> Page:
    """The table for reading: one table of totals, one by database, one of classes left out."""
    total = frame[frame["database"] == "all"]
    left_out = total.loc[total["left_out"] != "", ["label", "left_out"]]
    names = {"label": "class", "clips": "clips before", "images": "images before"}
    columns = ["label", "clips", "images", "cap", "train", "validation", "test", "short_by"]
    short = {"short_by": "short of the cap by"}
    by_database = frame[frame["database"] != "all"].drop(columns=["cap", "short_by", "left_out"])
    return Page(
        "Classes before and after balancing",
        "Counts of one draw; nothing varied between repeats. Before: crops of the phases used "
        "whose emotion is in the label map, a file counted once. After: images of the split "
        "(of the first fold). A class that falls short of the cap is not padded by copies. Images "
        "over the cap and all other crops outside the split stand in the table of unused crops.",
        [
            ("All databases", total[columns].rename(columns=names | short)),
            ("By database", by_database.rename(columns=names)),
            *(
                [("Classes left out", left_out.set_axis(["class", "reason"], axis=1))]
                if len(left_out)
                else []
            ),
        ],
    )
