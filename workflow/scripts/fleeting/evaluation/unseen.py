"""Accuracy on apex frames of subjects that training never saw: tables/unseen_subjects.tsv."""

import pandas as pd

from fleeting.errors import UserError
from fleeting.evaluation.collected import Collected, of_cell, read
from fleeting.evaluation.grid import paper_name
from fleeting.evaluation.render import Page
from fleeting.evaluation.schemas import SPREAD, UNSEEN
from fleeting.evaluation.spread import as_number, share, spread_text, wilson
from fleeting.tables import INTEGER, NAME, NUMBER, TEXT, Schema

UNSEEN_SUBJECTS: Schema = {
    "row": NAME,
    "model": NAME,
    "lr": NAME,
    "repeat": TEXT,
    "repeats": INTEGER,
    "images": INTEGER,
    "subjects": INTEGER,
    **{f"accuracy_{name}": NUMBER for name in SPREAD},
    "wilson_low": NUMBER,
    "wilson_high": NUMBER,
    "chance": NUMBER,
    "test_accuracy": NUMBER,
}
CELL, BEST_RUN = "cell", "best run"


def table(collected: Collected) -> pd.DataFrame:
    """A row a cell, then the best run: the one with the highest last validation accuracy.

    `wilson_low` and `wilson_high` bound the 95% interval of the row's accuracy as a share of
    `images` independent images; a row of several repeats takes their mean as one run's.
    """
    unseen = read(collected.path / "unseen.tsv", UNSEEN)
    if unseen.empty:
        raise UserError(
            f"{collected.path / 'unseen.tsv'}: no rows; list subjects in the experiment's "
            "split.unseen_subjects, or do not ask for this table"
        )
    runs = collected.runs.assign(
        unseen_images=pd.to_numeric(collected.runs["unseen_images"]),
        validation_accuracy=collected.runs["validation_accuracy"].round(9),
    )
    rows = []
    for cell in unseen.to_dict("records"):
        own = of_cell(runs, cell["model"], cell["lr"])
        rows.append({**cell, "row": CELL, "repeat": "", "test_accuracy": _weighted(own, "test")})
    averaged = runs.groupby(["model", "lr", "repeat"], sort=False)["validation_accuracy"].mean()
    model, lr, repeat = averaged.index[int(averaged.fillna(-1).argmax())]
    own = of_cell(runs, model, lr)
    own = own[own["repeat"] == repeat]
    accuracy = _weighted(own, "unseen")
    cell = of_cell(unseen, model, lr).iloc[0].to_dict()
    best = {"mean": accuracy, "sd": float("nan"), "low": accuracy, "high": accuracy}
    rows.append(
        {
            **cell,
            "row": BEST_RUN,
            "repeat": str(repeat),
            "repeats": 1,
            **{f"accuracy_{name}": value for name, value in best.items()},
            "test_accuracy": _weighted(own, "test"),
        }
    )
    frame = pd.DataFrame(rows)
    bounds = [wilson(row["accuracy_mean"], row["images"]) for row in frame.to_dict("records")]
    frame["wilson_low"], frame["wilson_high"] = zip(*bounds, strict=True)
    return frame[list(UNSEEN_SUBJECTS)]


def _weighted(runs: pd.DataFrame, name: str) -> float:
    """The accuracy over all images of some runs (pooled over folds and repeats)."""
    images = runs[f"{name}_images"]
    return float((runs[f"{name}_accuracy"] * images).sum() / images.sum())


def page(frame: pd.DataFrame, collected: Collected) -> Page:
    """The table for reading."""
    rows = [
        {
            "": row["row"] if row["row"] == CELL else f"{row['row']} (repeat {row['repeat']})",
            "model": paper_name(str(row["model"])),
            "lr": row["lr"],
            "repeats": row["repeats"],
            "images": row["images"],
            "subjects": row["subjects"],
            "accuracy": share(row["accuracy_mean"]),
            "over repeats": spread_text(row, "accuracy_"),
            "95% Wilson interval": f"{share(row['wilson_low'])} to {share(row['wilson_high'])}",
            "chance": share(row["chance"]),
            "test accuracy": share(row["test_accuracy"]),
            "test / chance": f"{as_number(row['test_accuracy']) / as_number(row['chance']):.2f}",
        }
        for row in frame.to_dict("records")
    ]
    return Page(
        "Apex frames of unseen subjects",
        f"{collected.provenance()} These subjects have no image in training, validation or test. "
        "The Wilson interval speaks of other images, taking them as independent of each other, "
        "which images of one subject are not quite; for a cell it is that of one run with the "
        "cell's mean accuracy. The best run has the highest validation accuracy at its last "
        "epoch: neither the test images nor these chose it.",
        [("", pd.DataFrame(rows))],
    )
