"""The first page of the report: what was run, on what, what came out, what leaked, what moved."""

from collections.abc import Mapping
from math import isnan
from pathlib import Path
from typing import Any

import pandas as pd

from fleeting.evaluation import intervals, schemas
from fleeting.evaluation.choices import configuration_title
from fleeting.evaluation.motion import COMPARED
from fleeting.evaluation.render import Page
from fleeting.evaluation.repeats import number_text
from fleeting.evaluation.scores import metric_title

SCOPE = "comparison"
#: The report's first page includes it.
FORMATS = ("rst",)
CAPTION = (
    "The UAR of each experiment with its 95% interval over subjects, the trained models held "
    "fixed, beside chance; what mixing subjects adds, where experiments are matched; how much "
    "moves beside the noise floor, where inputs measure motion; and the databases."
)
READS = {
    "experiments": "comparison/experiments.tsv",
    "matched": "comparison/matched.tsv",
    "motion": "comparison/motion.tsv",
    "databases": "experiments/{experiment}/tables/databases.tsv",
}
SETTINGS = ()
#: The columns of comparison/experiments.tsv that the overview has.
COLUMNS = (
    "experiment protocol folds test_examples subjects classes choice model lr repeats uar_mean "
    "uar_interval_low uar_interval_high uar_interval chance best_null best_null_uar above_nulls "
    "best_baseline best_baseline_uar above_baselines"
)


def make(files: Mapping[str, list[Path]], settings: Mapping[str, Any]) -> tuple[pd.DataFrame, Page]:
    """One row per experiment and configuration; `verdict` says what its interval lies above.

    A configuration that several choices name has one row, with their names in `choice`.
    """
    experiments = schemas.read(files["experiments"][0], schemas.EXPERIMENTS)
    matched = schemas.read(files["matched"][0], schemas.MATCHED)
    motion = schemas.read(files["motion"][0], COMPARED)
    same = ["experiment", "model", "lr"]
    named = experiments.groupby(same, sort=False)["choice"].agg(" and ".join)
    frame = experiments[COLUMNS.split()].drop_duplicates(same).drop(columns="choice")
    frame = frame.merge(named, left_on=same, right_index=True)[COLUMNS.split()]
    frame["verdict"] = [_verdict(row) for row in frame.to_dict("records")]
    return frame, _page(frame, matched, motion, _databases(files["databases"]))


def _verdict(row: Mapping[Any, Any]) -> str:
    """What UAR is above: chance, each null model, each baseline, where there are any."""
    low, high = row["uar_interval_low"], row["uar_interval_high"]
    if isnan(low):
        return "no interval"
    if row["uar_interval"] == intervals.RANGE:
        return "too few subjects to say"
    if low <= row["chance"]:
        return "below chance" if high < row["chance"] else "chance not excluded"
    said = "above chance"
    for column, title in (("above_nulls", "null model"), ("above_baselines", "baseline")):
        if row[column] == "no":
            return f"{said}, not above every {title}"
        if row[column] == "yes":
            said = f"above chance and every {title}"
    return said


def _databases(paths: list[Path]) -> pd.DataFrame:
    """Each database once: the experiments have the same ones, maybe with other examples."""
    tables = [schemas.read(path, schemas.DATABASES) for path in paths]
    every = pd.concat(tables).drop_duplicates("database")
    return every[["database", "subjects", "samples"]]


def _page(
    frame: pd.DataFrame, matched: pd.DataFrame, motion: pd.DataFrame, databases: pd.DataFrame
) -> Page:
    # Few columns: the text of the report's first page is narrow.
    tested = pd.DataFrame(
        {
            "experiment": [_what(row) for row in frame.to_dict("records")],
            "UAR, 95% interval": [
                " ".join(filter(None, [number_text(mean), ends]))
                for mean, ends in zip(
                    frame["uar_mean"], intervals.texts(frame, "uar_"), strict=True
                )
            ],
            "beside it": [_beside(row) for row in frame.to_dict("records")],
            "verdict": frame["verdict"],
        }
    )
    leaked = pd.DataFrame(
        {
            "mixed against apart": [
                f"{row['matched']} against {row['to']}, "
                f"{configuration_title(row['model'], row['lr'])}"
                for row in matched.to_dict("records")
            ],
            "metric": matched["metric"].map(metric_title),
            "gained, 95% interval": [
                " ".join(filter(None, [number_text(mean), ends]))
                for mean, ends in zip(matched["difference"], intervals.texts(matched), strict=True)
            ],
        }
    )
    parts = [("What came out", tested)]
    if len(leaked):
        parts.append(("What leaked: the same folds with subjects on both sides", leaked))
    if len(motion):
        parts.append(("What moved, in pixels of the crop", _moved(motion)))
    return Page(
        "Overview",
        "UAR is the recall averaged over classes. Null models are given annotations alone, other "
        "baselines the pictures; all are fitted in the same folds. A UAR is above a baseline's "
        "where the interval of their difference, on the same resampled subjects, is above zero. "
        f"{intervals.NOTE}",
        [*parts, ("On what: subjects and samples of the databases", databases)],
    )


def _moved(motion: pd.DataFrame) -> pd.DataFrame:
    """How much moves by input and database, beside the noise floor where it is known."""
    rows = motion.to_dict("records")
    return pd.DataFrame(
        {
            "input, database": [f"{row['input']}, {row['database']}" for row in rows],
            "motion": motion["motion"].map(number_text),
            "noise floor": [number_text(value) or "not known" for value in motion["floor"]],
            "clips above it": ["" if isnan(v) else f"{v:.1%}" for v in motion["above"]],
        }
    )


def _what(row: Mapping[Any, Any]) -> str:
    """What was run and tested."""
    return (
        f"{row['experiment']}: {configuration_title(row['model'], row['lr'])} ({row['choice']}); "
        f"{row['protocol']}; {row['test_examples']} examples of {row['subjects']} subjects, "
        f"{row['classes']} classes"
    )


def _beside(row: Mapping[Any, Any]) -> str:
    """Chance, and the UAR of the best null model and the best baseline, which may be the same."""
    said = [f"chance {row['chance']:.3f}"]
    for column, title in (("best_null", "best null model"), ("best_baseline", "best baseline")):
        if not isnan(row[f"{column}_uar"]):
            said.append(f"{title} {row[f'{column}_uar']:.3f} ({row[column]})")
    if row["best_baseline"] == row["best_null"]:
        said = said[:2]
    return "; ".join(said)
