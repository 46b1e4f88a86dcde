"""All experiments of the config side by side."""

from collections.abc import Mapping
from math import nan
from pathlib import Path
from typing import Any

import pandas as pd

from fleeting import tsv
from fleeting.evaluation import chance, intervals, verdict
from fleeting.evaluation.gains import gains
from fleeting.evaluation.paper_values import paper_name
from fleeting.evaluation.render import Page
from fleeting.evaluation.repeats import for_reading
from fleeting.evaluation.scores import metric_title
from fleeting.evaluation.summary import Summary, order_by_validation
from fleeting.splits import permute

SCOPE = "comparison"
CAPTION = (
    "All experiments side by side, in the order of their validation accuracy, each with the "
    "configuration that the paper chose (or what stands in for it), the one with the highest "
    "validation accuracy and, with several folds, each fold's own choice by its validation UF1 "
    "(nested). Accuracy, UF1 and UAR are of the predictions of all folds of a repeat, averaged "
    "over repeats; their intervals are over subjects, the trained models held fixed. Experiments "
    "that differ in their protocol also differ in training examples, classes and test examples, "
    "unless one is matched to the other: the difference of two rows is not the effect of the "
    "protocol alone."
)
READS = {
    "runs": "experiments/{experiment}/evaluation/runs.tsv",
    "scores": "experiments/{experiment}/scores.tsv",
    "choices": "experiments/{experiment}/evaluation/choices.tsv",
    "intervals": "experiments/{experiment}/evaluation/intervals.tsv",
    "baselines": "experiments/{experiment}/evaluation/baselines.tsv",
    "counts": "experiments/{experiment}/evaluation/subject_counts.tsv",
    "baseline_counts": "experiments/{experiment}/evaluation/baseline_counts.tsv",
    "split": "experiments/{experiment}/split.tsv",
}
SETTINGS = (
    "experiments.*.input",
    "experiments.*.protocol",
    "experiments.*.permute_labels",
)
METRICS = ("accuracy", "uf1", "uar")
#: Whether a UAR is above each null model or baseline: empty without any, or with too few subjects.
ABOVE = {True: "yes", False: "no", None: ""}


def make(files: Mapping[str, list[Path]], settings: Mapping[str, Any]) -> tuple[pd.DataFrame, Page]:
    """One row per experiment and choice, the experiment that validation ranks highest first."""
    rows = []
    for place in order_by_validation(files["choices"]):
        path = files["split"][place]
        name = path.parent.name
        protocol = settings["experiments.*.protocol"][name]
        permuted = settings["experiments.*.permute_labels"][name]
        summary = Summary(files, place)
        split = tsv.read(path, tsv.SPLIT)
        tests = split[split["split"] == "test"]
        uf1_by_chance = chance.of("uf1", tests, "all", len(summary.classes))
        null, best = summary.baselines.best_null("uar"), summary.baselines.best("uar")
        every, nulls = summary.baselines.scores("uar"), summary.baselines.nulls("uar")
        for choice in summary.choices:
            gained = gains(summary, choice)
            found = {
                metric: summary.interval(choice.model, choice.lr, metric) for metric in METRICS
            }
            rows.append(
                {
                    "experiment": name,
                    "choice": choice.name,
                    "validation_accuracy": choice.validation_accuracy,
                    "input": settings["experiments.*.input"][name],
                    "protocol": " ".join(filter(None, [protocol["kind"], protocol.get("group")]))
                    + (f", {permute.describe(permuted['unit'])}" if permuted else ""),
                    "folds": summary.folds,
                    "examples": split["example"].nunique(),
                    "test_examples": tests["example"].nunique(),
                    "classes": sum(number > 0 for number in summary.support.values()),
                    "model": choice.model,
                    "lr": choice.lr,
                    "repeats": len(summary.values(choice.model, choice.lr)["all", "accuracy"]),
                    **{
                        f"{metric}_{part}": value
                        for metric in METRICS
                        for part, value in summary.spread(choice.model, choice.lr, metric).items()
                    },
                    **{
                        key: value
                        for metric, interval in found.items()
                        for key, value in intervals.columns(interval, f"{metric}_").items()
                    },
                    "subjects": found["uar"].subjects if found["uar"] else "",
                    "effective_subjects": (
                        found["uar"].effective_subjects if found["uar"] else nan
                    ),
                    "chance": summary.chance,
                    "uf1_chance": uf1_by_chance.guessing if uf1_by_chance else nan,
                    "majority": summary.majority,
                    "best_null": null.title if null else "",
                    "best_null_uar": null.score if null else nan,
                    "above_nulls": ABOVE[verdict.above_each(gained, nulls)],
                    "best_baseline": best.title if best else "",
                    "best_baseline_uar": best.score if best else nan,
                    "above_baselines": ABOVE[verdict.above_each(gained, every)],
                    "varied": summary.varied(),
                }
            )
    frame = pd.DataFrame(rows)
    return frame, _page(frame)


def _page(frame: pd.DataFrame) -> Page:
    """The table for reading."""
    as_they_are = "experiment choice input protocol folds examples test_examples classes model lr"
    titles = {column: column.replace("_", " ") for column in [*as_they_are.split(), "repeats"]}
    titles |= {"validation_accuracy": "validation accuracy"}
    for metric in METRICS:
        titles |= {
            metric: metric_title(metric),
            f"{metric}_text": f"{metric_title(metric)}, 95% interval",
        }
    titles |= {"subjects": "subjects"}
    titles |= {"chance": "chance", "uf1_chance": "UF1 by chance", "majority": "majority"}
    titles |= {"best_null": "best null model", "best_null_uar": "UAR of the best null model"}
    titles |= {"above_nulls": "above each null model"}
    titles |= {"best_baseline": "best baseline", "best_baseline_uar": "UAR of the best baseline"}
    titles |= {"above_baselines": "above each baseline"}
    titles |= {"varied": "varied between repeats"}
    texts = {f"{metric}_text": intervals.texts(frame, f"{metric}_") for metric in METRICS}
    shown = for_reading(frame.assign(**texts, model=frame["model"].map(paper_name)), titles)
    return Page(
        "Experiments side by side",
        f"{intervals.NOTE} "
        "Experiments are in the order of the validation accuracy of the configuration that "
        "validation chooses. The predictions of all folds of a repeat are scored together, and "
        "the scores averaged over repeats; sd is the standard deviation over repeats, the range "
        "runs from the smallest to the largest repeat, and neither is a confidence interval. UF1 "
        "and UAR are the F1-score and the recall averaged over the classes. Chance is the "
        "accuracy and UAR of guessing every class equally often, UF1 by chance its UF1, and "
        "majority the accuracy of always naming the most frequent class of the test examples. The"
        " best null model is the baseline with the highest UAR of those that are given "
        "annotations alone, the best baseline that of all; each is fitted in the same folds. A "
        "UAR is above a baseline's where the interval of their difference, on the same resampled "
        "subjects, is above zero. Experiments with different protocols also differ in their "
        "training and test examples, unless one is matched to the other: otherwise the difference"
        " of two rows is not the effect of the protocol alone.",
        [("", shown)],
    )
