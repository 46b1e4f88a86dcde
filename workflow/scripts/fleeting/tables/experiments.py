"""All experiments of the config side by side."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from fleeting import tsv
from fleeting.evaluation.grid import paper_name
from fleeting.evaluation.render import Page
from fleeting.evaluation.results import Choice, Summary
from fleeting.evaluation.schemas import SPREAD
from fleeting.evaluation.spread import share, spread_text
from fleeting.tsv import INTEGER, NAME, NUMBER, Schema

SCOPE = "comparison"
CAPTION = (
    "All experiments side by side, each with the configuration that the paper chose (or what "
    "stands in for it) and the one with the highest validation accuracy. Accuracy, UF1 and UAR "
    "are of the predictions of all folds of a repeat, averaged over repeats. Experiments that "
    "differ in their protocol also differ in training examples, classes and test examples: the "
    "difference of two rows is not the effect of the protocol alone."
)
READS = {
    "runs": "experiments/{experiment}/evaluation/runs.tsv",
    "scores": "experiments/{experiment}/scores.tsv",
    "choices": "experiments/{experiment}/evaluation/choices.tsv",
    "split": "experiments/{experiment}/split.tsv",
}
SETTINGS = ("experiments",)
METRICS = ("accuracy", "uf1", "uar")
EXPERIMENTS: Schema = {
    "experiment": NAME,
    "choice": NAME,
    "input": NAME,
    "protocol": NAME,
    "folds": INTEGER,
    "examples": INTEGER,
    "test_examples": INTEGER,
    "classes": INTEGER,
    "model": NAME,
    "lr": NAME,
    "repeats": INTEGER,
    **{f"{metric}_{part}": NUMBER for metric in METRICS for part in SPREAD},
    "chance": NUMBER,
    "majority": NUMBER,
    "varied": NAME,
}


def make(
    files: Mapping[str, list[Path]], settings: Mapping[str, Any]
) -> tuple[pd.DataFrame, Schema, Page]:
    """One row per experiment and choice, in the order of the files."""
    rows = []
    for place, path in enumerate(files["scores"]):
        name = path.parent.name
        block = settings["experiments"][name]
        own = {key: [paths[place]] for key, paths in files.items()}
        summary = Summary.of_files(own)
        split = tsv.read(own["split"][0], tsv.SPLIT)
        common = {
            "experiment": name,
            "input": block["input"],
            "protocol": _protocol(block["protocol"]),
            "folds": summary.folds,
            "examples": split["example"].nunique(),
            "test_examples": split.loc[split["split"] == "test", "example"].nunique(),
            "classes": sum(number > 0 for number in summary.support.values()),
        }
        rows += [{**common, **_scores(summary, choice)} for choice in summary.choices]
    frame = pd.DataFrame(rows, columns=list(EXPERIMENTS))
    return frame, EXPERIMENTS, _page(frame)


def _protocol(block: Mapping[str, Any]) -> str:
    """The kind of a protocol, and by what it groups examples."""
    return " ".join(filter(None, [str(block["kind"]), str(block.get("group") or "")]))


def _scores(summary: Summary, choice: Choice) -> dict[str, object]:
    accuracy = summary.values(choice.model, choice.lr)["all", "accuracy"]
    return {
        "choice": choice.name,
        "model": choice.model,
        "lr": choice.lr,
        "repeats": len(accuracy),
        **{
            f"{metric}_{part}": value
            for metric in METRICS
            for part, value in summary.spread(choice.model, choice.lr, metric).items()
        },
        "chance": summary.chance,
        "majority": summary.majority(),
        "varied": summary.varied(),
    }


def _page(frame: pd.DataFrame) -> Page:
    """The table for reading."""
    titles = {"accuracy": "accuracy", "uf1": "UF1", "uar": "UAR"}
    rows = []
    for row in frame.to_dict("records"):
        cells = {
            "experiment": row["experiment"],
            "choice": row["choice"],
            "input": row["input"],
            "protocol": row["protocol"],
            "folds": row["folds"],
            "examples": row["examples"],
            "test examples": row["test_examples"],
            "classes": row["classes"],
            "model": paper_name(str(row["model"])),
            "lr": row["lr"],
            "repeats": row["repeats"],
        }
        for metric, title in titles.items():
            cells[title] = share(row[f"{metric}_mean"])
            cells[f"{title} over repeats"] = spread_text(row, f"{metric}_")
        rows.append(
            cells
            | {
                "chance": share(row["chance"]),
                "majority": share(row["majority"]),
                "varied between repeats": row["varied"],
            }
        )
    return Page(
        "Experiments side by side",
        "The predictions of all folds of a repeat are scored together, and the scores averaged "
        "over repeats; sd is the standard deviation over repeats, the range runs from the smallest "
        "to the largest repeat, and neither is a confidence interval. UF1 and UAR are the F1-score "
        "and the recall averaged over the classes. Chance is the accuracy and UAR of guessing "
        "every class equally often, majority the accuracy of always naming the most frequent class "
        "of the test examples. Experiments with different protocols also differ in their training "
        "and test examples, so the difference of two rows is not the effect of the protocol alone.",
        [("", pd.DataFrame(rows))],
    )
