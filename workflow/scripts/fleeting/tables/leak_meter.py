"""What would be claimed if nothing kept test subjects apart: one table over all experiments."""

from collections.abc import Iterator, Mapping
from math import isnan
from pathlib import Path
from typing import Any

import pandas as pd

from fleeting import tsv
from fleeting.evaluation import chance, intervals, schemas
from fleeting.evaluation.choices import configuration_title
from fleeting.evaluation.leak_measures import measure_text
from fleeting.evaluation.render import Page
from fleeting.evaluation.repeats import number_text
from fleeting.evaluation.scores import CLASS_AVERAGES, metric_title
from fleeting.evaluation.summary import Choice, Summary, of_configuration
from fleeting.splits import permute

SCOPE = "comparison"
CAPTION = (
    "What leaks: for every experiment the score of the configuration that validation examples "
    "choose, and beside it what would have been claimed with test subjects in training (where an "
    "experiment is matched to another), by taking the best run of the grid for each test subject, "
    "or the best epoch (with `trace`); and how well subject and database are recognised from the "
    "examples. An experiment with permuted labels shows how much of this needs no expression."
)
READS = {
    "matched": "comparison/matched.tsv",
    "best_of_runs": "experiments/{experiment}/evaluation/best_of_runs.tsv",
    "best_epochs": "experiments/{experiment}/evaluation/best_epochs.tsv",
    "identity": "experiments/{experiment}/evaluation/identity.tsv",
    "runs": "experiments/{experiment}/evaluation/runs.tsv",
    "scores": "experiments/{experiment}/scores.tsv",
    "choices": "experiments/{experiment}/evaluation/choices.tsv",
    "intervals": "experiments/{experiment}/evaluation/intervals.tsv",
    "split": "experiments/{experiment}/split.tsv",
}
SETTINGS = ("experiments.*.permute_labels",)
Row = dict[str, Any]


def make(files: Mapping[str, list[Path]], settings: Mapping[str, Any]) -> tuple[pd.DataFrame, Page]:
    """The rows of every experiment (`schemas.LEAK_METER`), in the order of the files."""
    matched = schemas.read(files["matched"][0], schemas.MATCHED)
    rows = []
    for place, path in enumerate(files["split"]):
        name = path.parent.name
        summary = Summary(files, place)
        choice = summary.choice("validation")
        tests = tsv.read(path, tsv.SPLIT).query("split == 'test'")
        counts = tests["label"].value_counts().tolist()
        guessing = {
            metric: chance.of_group(metric, counts, len(summary.classes)).guessing
            for metric in CLASS_AVERAGES
        }
        best_of_runs = schemas.read(files["best_of_runs"][place], schemas.BEST_OF_RUNS)
        best_epochs = schemas.read(files["best_epochs"][place], schemas.BEST_EPOCHS)
        found = [
            *_validation_choice(summary, choice),
            *_matched(matched[matched["matched"] == name], choice),
            *_best_of_runs(best_of_runs, summary, choice),
            *_best_epochs(of_configuration(best_epochs, choice.model, choice.lr)),
        ]
        rows += [row | {"experiment": name, "chance": guessing[row["metric"]]} for row in found]
        identity = schemas.read(files["identity"][place], schemas.IDENTITY)
        rows += [row | {"experiment": name} for row in _recognised(identity)]
    frame = pd.DataFrame(rows).reindex(columns=list(schemas.LEAK_METER))
    permuted = settings["experiments.*.permute_labels"]
    units = {name: block["unit"] if block else "" for name, block in permuted.items()}
    frame["permuted_by"] = [units[name] for name in frame["experiment"]]
    frame["candidates"] = ["" if isnan(one) else str(int(one)) for one in frame["candidates"]]
    frame = frame.fillna(dict.fromkeys(("unit", "model", "lr", "interval"), ""))
    return frame, _page(frame)


def _validation_choice(summary: Summary, choice: Choice) -> Iterator[Row]:
    """The scores of validation's choice, with their intervals where the experiment has them."""
    for metric in CLASS_AVERAGES:
        value = summary.spread(choice.model, choice.lr, metric)["mean"]
        found = summary.interval(choice.model, choice.lr, metric)
        yield {
            "measure": "validation_choice",
            "model": choice.model,
            "lr": choice.lr,
            "metric": metric,
            "value": value,
            **intervals.columns(found),
        }


def _matched(matched: pd.DataFrame, choice: Choice) -> Iterator[Row]:
    """The paired differences of validation's choice, or of the first configuration of both."""
    own = of_configuration(matched, choice.model, choice.lr)
    if own.empty and len(matched):
        own = of_configuration(matched, *matched.iloc[0][["model", "lr"]])
    for row in own.to_dict("records"):
        kept = ("model", "lr", "metric", "interval_low", "interval_high", "interval")
        yield {
            "measure": "matched",
            **{column: row[column] for column in kept},
            "value": row["mixed"],
            "against": row["apart"],
            "difference": row["difference"],
        }


def _best_of_runs(claimed: pd.DataFrame, summary: Summary, choice: Choice) -> Iterator[Row]:
    """What the best of all runs for each unit claims, against validation's choice."""
    last = claimed.iloc[-1]
    for metric in CLASS_AVERAGES:
        chosen = summary.spread(choice.model, choice.lr, metric)["mean"]
        yield {
            "measure": "best_of_runs",
            "unit": last["unit"],
            "candidates": last["runs"],
            **_claim(metric, last[metric], chosen),
        }


def _best_epochs(claimed: pd.DataFrame) -> Iterator[Row]:
    """What two choices of the epoch claim, against the last one; means over repeats."""
    for measure in ("best_for_all", "best_for_each"):
        for metric, own in claimed.groupby("metric", sort=False):
            first = own.iloc[0]
            yield {
                "measure": f"epoch_{measure}",
                "unit": first["unit"],
                "candidates": first["epochs"],
                "model": first["model"],
                "lr": first["lr"],
                **_claim(str(metric), own[measure].mean(), own["last"].mean()),
            }


def _claim(metric: str, value: float, against: float) -> Row:
    return {"metric": metric, "value": value, "against": against, "difference": value - against}


def _recognised(identity: pd.DataFrame) -> Iterator[Row]:
    """How well subject and database are recognised, where there are two at least."""
    for row in identity.to_dict("records"):
        if not isnan(row["right"]):
            yield {
                "measure": "recognised",
                "candidates": row["examples"],
                "metric": row["target"],
                "value": row["right"],
                "chance": row["chance"],
            }


def _page(frame: pd.DataFrame) -> Page:
    """The table for reading: scores, then what is recognised from the examples."""
    is_score = frame["measure"] != "recognised"
    scores, identity = frame[is_score], frame[~is_score]
    shown = pd.DataFrame(
        {
            "experiment": _names(scores),
            "what": [measure_text(row) for row in scores.to_dict("records")],
            "configuration": [
                configuration_title(model, lr) if model else "all of the grid"
                for model, lr in zip(scores["model"], scores["lr"], strict=True)
            ],
            "metric": scores["metric"].map(metric_title),
            "score": scores["value"].map(number_text),
            "against": scores["against"].map(number_text),
            "difference": scores["difference"].map(number_text),
            "95% interval": intervals.texts(scores),
            "by chance": scores["chance"].map(number_text),
        }
    )
    examples = pd.DataFrame(
        {
            "experiment": _names(identity),
            "recognised by the nearest neighbour": identity["metric"],
            "examples": identity["candidates"],
            "right": identity["value"].map(number_text),
            "by chance": identity["chance"].map(number_text),
        }
    )
    return Page(
        "Leak meter",
        "Chosen on validation examples: the score of the configuration with the highest validation "
        "accuracy, the mean over its repeats, with its interval. Groups on both sides: a matched "
        "experiment against the one that it is matched to, with the interval of the difference. "
        "Best of all runs: for each test subject (or example, where the protocol has subjects on "
        "both sides) the run with the most correct predictions of it, whatever its model, rate and "
        "repeat, against the choice on validation examples. Best epoch: chosen by the score of all "
        "folds together, or for each subject or example by its correct predictions, against the "
        "last epoch; it needs `trace: true`. The earliest wins ties. By chance is guessing each "
        "class equally often; where labels are permuted, every score above it comes from choosing "
        "or from the protocol. The second table says how often an example's nearest neighbour, by "
        "its values, is of the same subject or database. For the subject, examples of the same "
        "recording and subjects with a single recording are left out; for the database, examples "
        "of the same subject. By chance: how often a random one of the same candidates would be. "
        f"{intervals.NOTE}",
        [("", shown), ("What is recognised from the examples", examples)],
    )


def _names(rows: pd.DataFrame) -> list[str]:
    """The experiments for reading."""
    return [
        f"{name} ({permute.describe(unit)})" if unit else name
        for name, unit in zip(rows["experiment"], rows["permuted_by"], strict=True)
    ]
