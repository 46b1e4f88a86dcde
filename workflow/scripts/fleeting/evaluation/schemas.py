"""Columns of the summaries of an experiment's runs, and of tables that figures read."""

from pathlib import Path
from typing import TYPE_CHECKING

from fleeting import tsv
from fleeting.tsv import INTEGER, MAYBE_INTEGER, NAME, NUMBER, TEXT, Schema

if TYPE_CHECKING:
    import pandas as pd

#: Metrics of a training history, in the order of `fleeting.tsv.HISTORY`.
HISTORY_METRICS = ("train_loss", "train_accuracy", "validation_loss", "validation_accuracy")
#: How a value spreads over the repeats: mean, sample standard deviation, smallest and largest.
SPREAD = ("mean", "sd", "low", "high")
#: Metrics that scores.tsv always has, whatever the experiment's `metrics` are.
ALWAYS_SCORED = ("accuracy", "uf1", "uar", "precision", "support")

#: One row per run (model, lr, repeat). Losses and accuracies are those of the last epoch, or the
#: lowest and highest of all epochs, or those of the epoch whose weights are tested, where the name
#: says so; each is the mean over folds, and so are `tested_epoch` and `weights_moved`, the distance
#: of the tested weights from the initial ones as a share of the latter's length. The test columns
#: are of the predictions of all folds together. `redrawn` is 1 where the folds are for this repeat
#: alone, 0 where all repeats share them. `failed` says why a run failed: it is then in no mean.
#: Last come the rows of the nested choice (model `chosen`, rate `by fold`), where there is one: in
#: each repeat, the folds of the configurations that were chosen there.
RUNS: Schema = {
    "model": NAME,
    "lr": NAME,
    "repeat": INTEGER,
    "folds": INTEGER,
    "redrawn": INTEGER,
    "failed": TEXT,
    "epochs": INTEGER,
    **dict.fromkeys(HISTORY_METRICS, NUMBER),
    "lowest_validation_loss": NUMBER,
    "highest_validation_accuracy": NUMBER,
    "tested_epoch": NUMBER,
    "tested_train_accuracy": NUMBER,
    "tested_validation_accuracy": NUMBER,
    "weights_moved": NUMBER,
    "test_examples": INTEGER,
    "test_accuracy": NUMBER,
    "test_uf1": NUMBER,
    "test_uar": NUMBER,
    "device": TEXT,
}
#: One row per configuration and epoch; the folds of a repeat are averaged first.
CURVES: Schema = {
    "model": NAME,
    "lr": NAME,
    "epoch": INTEGER,
    "repeats": INTEGER,
    **{f"{metric}_{name}": NUMBER for metric in HISTORY_METRICS for name in SPREAD},
}
#: `rate` is the share of the label's examples that got this prediction; empty without such ones.
CONFUSIONS: Schema = {
    "model": NAME,
    "lr": NAME,
    "label": NAME,
    "predicted": NAME,
    "count_mean": NUMBER,
    "count_sd": NUMBER,
    **{f"rate_{name}": NUMBER for name in SPREAD},
    "repeats": INTEGER,
}
#: How often each subject's examples of a class got each prediction: all that scores over subjects
#: are made of. Pairs that do not occur have no row. Subjects that are one person stand under the
#: first of their names.
COUNTED: Schema = {
    "repeat": INTEGER,
    "database": NAME,
    "subject": NAME,
    "label": NAME,
    "predicted": NAME,
    "count": INTEGER,
}
#: The same of every run, and of every baseline.
SUBJECT_COUNTS: Schema = {"model": NAME, "lr": NAME, **COUNTED}
BASELINE_COUNTS: Schema = {"baseline": NAME, **COUNTED}
#: What a score might have been with other subjects, the trained models held fixed: see `intervals`.
#: `kind` is `bootstrap`, or `range` where the group has too few subjects; `lacking` is the share of
#: the resamples that lack one of the group's classes.
SCORED: Schema = {
    "group": NAME,
    "metric": NAME,
    "mean": NUMBER,
    "low": NUMBER,
    "high": NUMBER,
    "kind": NAME,
    "subjects": INTEGER,
    "effective_subjects": NUMBER,
    "lacking": NUMBER,
    "repeats": INTEGER,
}
#: `permuted_mean` and `permuted_p` are those of `permutation.Permuted`, for the group `all` where a
#: database has two subjects.
INTERVALS: Schema = {
    "model": NAME,
    "lr": NAME,
    **SCORED,
    "permuted_mean": NUMBER,
    "permuted_p": NUMBER,
}
#: The score that could have been claimed by choosing the best of so many runs for each `unit`
#: (subject or example) of the test set, which has so many `units`: see `best_of_runs`.
BEST_OF_RUNS: Schema = {
    "unit": NAME,
    "units": NUMBER,
    "runs": INTEGER,
    "uf1": NUMBER,
    "uar": NUMBER,
}
#: The score that could have been claimed by choosing the epoch on the test set, by run and metric,
#: beside the score after the last one; no rows without `trace`: see `best_epochs`.
BEST_EPOCHS: Schema = {
    "model": NAME,
    "lr": NAME,
    "repeat": INTEGER,
    "unit": NAME,
    "epochs": INTEGER,
    "metric": NAME,
    "last": NUMBER,
    "best_for_all": NUMBER,
    "epoch_for_all": INTEGER,
    "best_for_each": NUMBER,
}
#: How well an example's subject and database (`target`) are recognised by its nearest neighbour,
#: see `identity`: `right` and `chance` are shares of the `examples`, which are of so many `groups`
#: (subjects, databases).
IDENTITY: Schema = {
    "target": NAME,
    "right": NUMBER,
    "chance": NUMBER,
    "groups": INTEGER,
    "examples": INTEGER,
}
#: comparison/matched.tsv: matched experiments against those that they are matched to.
MATCHED: Schema = {
    "matched": NAME,
    "to": NAME,
    "model": NAME,
    "lr": NAME,
    "metric": NAME,
    "mixed": NUMBER,
    "apart": NUMBER,
    "difference": NUMBER,
    "interval_low": NUMBER,
    "interval_high": NUMBER,
    "interval": TEXT,
    "subjects": INTEGER,
    "effective_subjects": NUMBER,
}
#: comparison/leak_meter.tsv: the measures of every experiment. `candidates` is how many runs
#: or epochs the best is taken of for each `unit`, or the examples whose `metric`, subject or
#: database, is recognised; else `metric` is UF1 or UAR.
LEAK_METER: Schema = {
    "experiment": NAME,
    "permuted_by": TEXT,
    "measure": NAME,
    "unit": TEXT,
    "candidates": MAYBE_INTEGER,
    "model": TEXT,
    "lr": TEXT,
    "metric": NAME,
    "value": NUMBER,
    "against": NUMBER,
    "difference": NUMBER,
    "interval_low": NUMBER,
    "interval_high": NUMBER,
    "interval": TEXT,
    "chance": NUMBER,
}
#: What the nested choice is in each repeat and fold, and what it was chosen by: see `nested`.
NESTED: Schema = {
    "repeat": INTEGER,
    "fold": INTEGER,
    "model": NAME,
    "lr": NAME,
    "tested_epoch": INTEGER,
    "validation_uf1": NUMBER,
    "validation_loss": NUMBER,
}
#: comparison/experiments.tsv: one row per experiment and choice. `above_nulls` and
#: `above_baselines` are `yes` or `no`, and empty without any, or with too few subjects.
EXPERIMENTS: Schema = {
    **dict.fromkeys(("experiment", "choice", "input", "protocol"), NAME),
    "validation_accuracy": NUMBER,
    **dict.fromkeys(("folds", "examples", "test_examples", "classes"), INTEGER),
    "model": NAME,
    "lr": NAME,
    "repeats": INTEGER,
    **{f"{metric}_{name}": NUMBER for metric in ("accuracy", "uf1", "uar") for name in SPREAD},
    **{
        f"{metric}_interval{part}": kind
        for metric in ("accuracy", "uf1", "uar")
        for part, kind in (("_low", NUMBER), ("_high", NUMBER), ("", TEXT))
    },
    "subjects": MAYBE_INTEGER,
    **dict.fromkeys(("effective_subjects", "chance", "uf1_chance", "majority"), NUMBER),
    "best_null": TEXT,
    "best_null_uar": NUMBER,
    "above_nulls": TEXT,
    "best_baseline": TEXT,
    "best_baseline_uar": NUMBER,
    "above_baselines": TEXT,
    "varied": TEXT,
}
#: The scores of the baselines, of the groups that are no classes. `looks_at` is what a baseline is
#: given: `labels`, `examples` or `motion`.
BASELINES: Schema = {"baseline": NAME, "title": NAME, "looks_at": NAME, **SCORED}
#: `validation_accuracy` is the mean over repeats at the tested epoch; empty for the nested choice.
CHOICES: Schema = {
    "name": NAME,
    "model": NAME,
    "lr": NAME,
    "validation_accuracy": NUMBER,
    "reason": NAME,
}
#: tables/databases.tsv: what became of each database; the last row, `total`, sums them up.
#: `train`, `validation` and `test` are those of the first fold; `hit_rate` is the share of the
#: images handed to the detector in which it found a face, empty where none was handed to it.
DATABASES: Schema = {
    "database": NAME,
    "table": TEXT,
    "rows": INTEGER,
    "row_exclusions": INTEGER,
    "samples": INTEGER,
    "subjects": INTEGER,
    "images_expected": INTEGER,
    "excluded_annotations": INTEGER,
    "excluded_frames": INTEGER,
    "excluded_faces": INTEGER,
    "crops": INTEGER,
    "excluded_inputs": INTEGER,
    "examples": INTEGER,
    "train": INTEGER,
    "validation": INTEGER,
    "test": INTEGER,
    "unused": INTEGER,
    "substituted": INTEGER,
    "hit_rate": NUMBER,
}
#: tables/classes.tsv: by class and database, then the class's row with database `all`. `clips`
#: and `examples` are before the split, a picture counted once; `cap`, `short_by` and `left_out`
#: (the reason, where a class is left out) stand in the `all` rows only.
CLASSES: Schema = {
    "label": NAME,
    "database": NAME,
    "clips": INTEGER,
    "examples": INTEGER,
    "train": INTEGER,
    "validation": INTEGER,
    "test": INTEGER,
    "cap": TEXT,
    "short_by": TEXT,
    "left_out": TEXT,
}
#: tables/table3_confused_pairs.tsv: both directions of a pair of classes, for each choice.
PAIRS: Schema = {
    "choice": NAME,
    "model": NAME,
    "lr": NAME,
    "pair": NAME,
    "label": NAME,
    "predicted": NAME,
    **{f"rate_{name}": NUMBER for name in SPREAD},
    "repeats": INTEGER,
    "chance": NUMBER,
    "remark": TEXT,
}
#: The values of `pair`.
PAPERS_PAIR, MOST_CONFUSED = "the paper's pair", "the most confused pair"


def read(path: Path, schema: Schema) -> "pd.DataFrame":
    """Read a table; its INTEGER columns become integers and its NUMBER columns floats."""
    frame = tsv.read(path, schema)
    for column, kind in schema.items():
        if kind is INTEGER:
            frame[column] = frame[column].astype(int)
        elif kind is NUMBER:
            frame[column] = frame[column].replace("", "nan").astype(float)
    return frame
