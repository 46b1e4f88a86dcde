"""What training on the test subjects adds: experiments against those that are matched to them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from fleeting.evaluation import intervals, schemas
from fleeting.evaluation.paired import Difference, counts_of, difference, subjects_of
from fleeting.evaluation.paper_values import paper_name
from fleeting.evaluation.render import Page
from fleeting.evaluation.repeats import number_text
from fleeting.evaluation.scores import CLASS_AVERAGES, metric_title
from fleeting.evaluation.summary import of_configuration

SCOPE = "comparison"
CAPTION = (
    "What a network gains where its test subjects (or clips) are also trained on: the difference "
    "of UF1 and UAR between an experiment whose protocol is matched to another's and that other, "
    "for each model and learning rate that both have. Both have the same test examples, folds and "
    "numbers of examples, so nothing else differs. The interval is over subjects, drawn alike for "
    "both, and over repeats, the trained models held fixed. The table is empty where no experiment "
    "is matched to another."
)
READS = {"counts": "experiments/{experiment}/evaluation/subject_counts.tsv"}
SETTINGS = ("experiments.*.protocol",)


def make(files: Mapping[str, list[Path]], settings: Mapping[str, Any]) -> tuple[pd.DataFrame, Page]:
    """One row per matched experiment, configuration and metric.

    `mixed` is the score of the matched experiment, `apart` that of the other, `difference` the
    first minus the second.
    """
    paths = {path.parts[-3]: path for path in files["counts"]}
    rows = []
    for name, protocol in settings["experiments.*.protocol"].items():
        if protocol["kind"] != "matched":
            continue
        mixed, apart = (
            schemas.read(paths[one], schemas.SUBJECT_COUNTS) for one in (name, protocol["to"])
        )
        shared = [
            pair
            for pair in dict.fromkeys(zip(mixed["model"], mixed["lr"], strict=True))
            if len(of_configuration(apart, *pair))
        ]
        for model, lr in shared:
            for metric, found in _differences(mixed, apart, model, lr).items():
                rows.append(_row(name, protocol["to"], model, lr, metric, found))
    frame = pd.DataFrame(rows, columns=list(schemas.MATCHED))
    return frame, _page(frame)


def _differences(
    mixed: pd.DataFrame, apart: pd.DataFrame, model: str, lr: str
) -> dict[str, Difference]:
    both = [of_configuration(table, model, lr) for table in (mixed, apart)]
    everything = pd.concat(both)
    subjects = subjects_of(everything)
    classes = sorted({*everything["label"], *everything["predicted"]})
    counts = [counts_of(table, subjects, classes) for table in both]
    databases = [database for database, _ in subjects]
    return {
        metric: difference(counts[0], counts[1], databases, score)
        for metric, score in CLASS_AVERAGES.items()
    }


def _row(
    name: str, to: str, model: str, lr: str, metric: str, found: Difference
) -> dict[str, object]:
    return {
        "matched": name,
        "to": to,
        "model": model,
        "lr": lr,
        "metric": metric,
        "mixed": found.first,
        "apart": found.second,
        "difference": found.mean,
        **intervals.columns(found),
        "subjects": found.subjects,
        "effective_subjects": found.effective_subjects,
    }


def _page(frame: pd.DataFrame) -> Page:
    """The table for reading."""
    shown = pd.DataFrame(
        {
            "matched experiment": frame["matched"],
            "matched to": frame["to"],
            "model": frame["model"].map(paper_name),
            "lr": frame["lr"],
            "metric": frame["metric"].map(metric_title),
            "subjects mixed": frame["mixed"].map(number_text),
            "subjects apart": frame["apart"].map(number_text),
            "difference": frame["difference"].map(number_text),
            "its 95% interval": intervals.texts(frame),
            "subjects": frame["subjects"],
        }
    )
    empty = "" if len(frame) else "No experiment of this config is matched to another. "
    return Page(
        "Matched protocols",
        f"{empty}A matched experiment has the test examples, the folds and the numbers of examples "
        "of the other; only which example is where is drawn at random, so that subjects are on "
        f"both sides. The difference is what that adds. {intervals.NOTE} Both experiments are "
        "scored on the same resampled subjects.",
        [("", shown)],
    )
