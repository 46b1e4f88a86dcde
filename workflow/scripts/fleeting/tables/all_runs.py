"""One row per configuration of the grid, all of them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from fleeting.evaluation import chance, intervals, verdict
from fleeting.evaluation.paper_values import paper_name
from fleeting.evaluation.render import Page
from fleeting.evaluation.repeats import for_reading, spread
from fleeting.evaluation.schemas import HISTORY_METRICS
from fleeting.evaluation.scores import CLASS_AVERAGES, metric_title, shown_metrics
from fleeting.evaluation.summary import Summary, of_configuration

CAPTION = (
    "All configurations of the grid: every model at every learning rate, with its accuracies and "
    "losses after the last epoch and its scores on the test examples. Chance is guessing each "
    "class equally often, one over their number for accuracy and UAR. Marked are the configuration "
    "that the paper chose and the one with the highest validation accuracy; none is chosen by its "
    "test. The note above the table says how many repeats there are and what varied between them; "
    "their range is not a confidence interval. Runs that failed are in no mean; where repeats are "
    "missing, the number of those left is given."
)
READS = {
    "runs": "experiments/{experiment}/evaluation/runs.tsv",
    "scores": "experiments/{experiment}/scores.tsv",
    "choices": "experiments/{experiment}/evaluation/choices.tsv",
    "intervals": "experiments/{experiment}/evaluation/intervals.tsv",
    "baselines": "experiments/{experiment}/evaluation/baselines.tsv",
    "counts": "experiments/{experiment}/evaluation/subject_counts.tsv",
    "baseline_counts": "experiments/{experiment}/evaluation/baseline_counts.tsv",
}
SETTINGS = ("experiment.metrics",)


def make(files: Mapping[str, list[Path]], settings: Mapping[str, Any]) -> tuple[pd.DataFrame, Page]:
    """Every configuration: its last epoch, and its test, over the repeats.

    `failed` lists the repeats that are in no mean, and why.
    """
    summary = Summary(files)
    metrics = shown_metrics(settings["experiment.metrics"])
    tested = [round(count) for count in summary.support.values() if count]
    uf1_chance = chance.of_group("uf1", tested, len(summary.classes)).guessing
    rows = []
    for model, lr in dict.fromkeys(zip(summary.every["model"], summary.every["lr"], strict=True)):
        every = of_configuration(summary.every, model, lr)
        runs = of_configuration(summary.runs, model, lr)
        spreads = {metric: spread(runs[metric].tolist()) for metric in HISTORY_METRICS}
        spreads |= {f"test_{metric}": summary.spread(model, lr, metric) for metric in metrics}
        failed = every[every["failed"] != ""]
        chosen = [one.name for one in summary.choices if (one.model, one.lr) == (model, lr)]
        rows.append(
            {
                "model": model,
                "lr": lr,
                "repeats": runs["repeat"].nunique(),
                "failed": "; ".join(
                    f"repeat {run['repeat']}: {run['failed']}" for run in failed.to_dict("records")
                ),
                "epochs": every["epochs"].max(),
                **{
                    f"{metric}_{part}": value
                    for metric, values in spreads.items()
                    for part, value in values.items()
                },
                **{
                    key: value
                    for metric in metrics
                    for key, value in intervals.columns(
                        summary.interval(model, lr, metric), f"test_{metric}_"
                    ).items()
                },
                "chance": summary.chance,
                "uf1_chance": uf1_chance,
                "majority": summary.majority,
                "varied": summary.varied(),
                "choices": ", ".join(chosen),
            }
        )
    frame = pd.DataFrame(rows)
    return frame, _page(frame, summary, metrics)


def _page(frame: pd.DataFrame, summary: Summary, metrics: Sequence[str]) -> Page:
    """The table for reading: means, and the spread of the accuracies and scores."""
    titles = {"model": "model", "lr": "lr", "repeats": "repeats"}
    if not summary.failed.empty:
        titles["failed"] = "failed"
    titles |= {f"{metric}_mean": metric.replace("_", " ") for metric in HISTORY_METRICS[:-1]}
    titles["validation_accuracy"] = "validation accuracy"
    titles |= {f"test_{metric}": f"test {metric_title(metric)}" for metric in metrics}
    ends = {}
    for metric in metrics:
        if metric in CLASS_AVERAGES:
            ends[f"{metric}_ends"] = intervals.texts(frame, f"test_{metric}_")
            titles[f"{metric}_ends"] = f"test {metric_title(metric)}, 95% interval"
    titles |= {"chance": "chance", "uf1_chance": "UF1 by chance", "choices": "chosen by"}
    shown = for_reading(frame.assign(model=frame["model"].map(paper_name), **ends), titles)
    reasons = "; ".join(f"chosen by {one.name}: {one.reason}" for one in summary.choices)
    return Page(
        "All configurations of the grid",
        f"{verdict.note(summary)} Losses and accuracies in training and validation are those of "
        "the last epoch; choices are by those of the epoch that is tested, which is the last "
        "unless the recipe says `best_validation`. UF1 and UAR are the F1-score and the recall "
        f"averaged over {len(summary.classes)} classes. Chance is {summary.chance:.3f} (of UF1 "
        f"{frame['uf1_chance'].iloc[0]:.3f}), always naming the most frequent class of the test "
        f"examples {summary.majority:.3f}. No configuration is chosen by its test; {reasons}.",
        [("", shown)],
    )
