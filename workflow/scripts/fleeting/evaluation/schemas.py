"""Columns of the tables that collect an experiment's runs."""

from fleeting.tables import INTEGER, NAME, NUMBER, TEXT, Schema

#: Metrics of a training history, in the order of `fleeting.tables.HISTORY`.
HISTORY_METRICS = ("train_loss", "train_accuracy", "validation_loss", "validation_accuracy")
#: How a value spreads over the repeats: mean, sample standard deviation, smallest and largest.
SPREAD = ("mean", "sd", "low", "high")
#: Rows of a classification report that are not classes.
SUMMARY_ROWS = ("accuracy", "macro avg", "weighted avg")

#: One row a run. Losses and accuracies are those of the last epoch, except the two that say of
#: which epochs they are. `failed` says why a run ended early: it was not tested.
RUNS: Schema = {
    "model": NAME,
    "lr": NAME,
    "repeat": INTEGER,
    "fold": NAME,
    "failed": TEXT,
    "epochs": INTEGER,
    **dict.fromkeys(HISTORY_METRICS, NUMBER),
    "lowest_validation_loss": NUMBER,
    "highest_validation_accuracy": NUMBER,
    "test_images": INTEGER,
    "test_accuracy": NUMBER,
    "test_macro_f1": NUMBER,
    "unseen_images": TEXT,
    "unseen_accuracy": NUMBER,
    "device": TEXT,
}
#: One row a cell of the grid and epoch; folds of a repeat are averaged first.
CURVES: Schema = {
    "model": NAME,
    "lr": NAME,
    "epoch": INTEGER,
    "repeats": INTEGER,
    **{f"{metric}_{name}": NUMBER for metric in HISTORY_METRICS for name in SPREAD},
}
#: Every number of every repeat's classification report, folds pooled.
REPEAT_REPORTS: Schema = {
    "model": NAME,
    "lr": NAME,
    "repeat": INTEGER,
    "row": NAME,
    "metric": NAME,
    "value": NUMBER,
}
#: The same numbers, averaged cell by cell over the repeats.
REPORTS: Schema = {
    "model": NAME,
    "lr": NAME,
    "row": NAME,
    "metric": NAME,
    **dict.fromkeys(SPREAD, NUMBER),
    "repeats": INTEGER,
}
#: `rate` is the share of the label's images that got this prediction; empty without such images.
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
UNSEEN: Schema = {
    "model": NAME,
    "lr": NAME,
    "repeats": INTEGER,
    "images": INTEGER,
    "subjects": INTEGER,
    "chance": NUMBER,
    **{f"accuracy_{name}": NUMBER for name in SPREAD},
}
CHOICES: Schema = {"name": NAME, "model": NAME, "lr": NAME, "reason": NAME}
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
    "train": INTEGER,
    "validation": INTEGER,
    "test": INTEGER,
    "unused": INTEGER,
    "substituted": INTEGER,
    "hit_rate": NUMBER,
}
#: tables/classes.tsv: by class and database, then the class's row with database `all`. `clips`
#: and `images` are before balancing, of the phases used, a file counted once; `cap`, `short_by`
#: and `left_out` (the reason, where a class is left out) stand in the `all` rows only.
CLASSES: Schema = {
    "label": NAME,
    "database": NAME,
    "clips": INTEGER,
    "images": INTEGER,
    "train": INTEGER,
    "validation": INTEGER,
    "test": INTEGER,
    "cap": TEXT,
    "short_by": TEXT,
    "left_out": TEXT,
}
