"""What the protocol does: by subject and fold, who trains, validates and tests."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray

from fleeting import tsv
from fleeting.drawing import style
from fleeting.paths import database_and_subject
from fleeting.splits.protocol import ROLES

READS = {"split": "experiments/{experiment}/split.tsv"}
SETTINGS = ()
CAPTION = (
    "The protocol as it was drawn: a row per subject, a column per fold, and in each square the "
    "roles that the subject's examples have in that fold. Where a subject is both trained on "
    "(or validated on) and tested, the network may know the person instead of the expression: its "
    "scores say little of other people. A square says nothing of how many examples there are. All "
    "repeats share these folds, unless the protocol draws one for each."
)
#: What a subject's examples do in a fold, as the sets of roles that are drawn alike.
KINDS = {
    "none": ("not used", "#FFFFFF"),
    "train": ("trained on", "#A9D2EC"),
    "validation": ("validated on", "#F5C710"),
    "train, validation": ("trained and validated on", "#CFDB9A"),
    "test": ("tested", "#0072B2"),
    "mixed": ("tested, and trained or validated on", "#D55E00"),
}
#: Above this many rows or columns, names or numbers would not fit beside them all.
MOST_NAMED = 40
#: The height of a row in inches, and the most that all take.
ROW, TALLEST = 0.13, 6.5


def draw(files: Mapping[str, list[Path]], settings: Mapping[str, Any]) -> Figure:
    """Draw the squares, the subjects of a database together."""
    split = tsv.read(files["split"][0], tsv.SPLIT)
    split = split.assign(fold=split["fold"].astype(int))
    subjects = sorted({database_and_subject(person) for person in split["person"]})
    folds = sorted(set(split["fold"]))
    squares = _kinds(split.to_dict("records"), subjects, folds)

    figure = style.new_figure(height=1.5 + min(TALLEST, ROW * max(8, len(subjects))))
    axes = figure.subplots()
    colours = ListedColormap([colour for _, colour in KINDS.values()])
    axes.pcolormesh(
        squares,
        cmap=colours,
        vmin=-0.5,
        vmax=len(KINDS) - 0.5,
        edgecolors="#FFFFFF",
        linewidth=0.4 if max(squares.shape) <= MOST_NAMED else 0,
    )
    axes.invert_yaxis()
    axes.grid(visible=False)
    axes.tick_params(length=0)
    axes.set_xlabel("fold")
    _name_folds(axes, folds)
    _name_subjects(axes, subjects)
    shown = [kind for place, kind in enumerate(KINDS) if place in squares]
    handles = [
        Patch(facecolor=KINDS[kind][1], edgecolor=style.EDGE, linewidth=0.6, label=KINDS[kind][0])
        for kind in shown
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=min(3, len(shown)))
    return figure


def _kinds(
    rows: list[dict[Any, Any]], subjects: list[tuple[str, str]], folds: list[int]
) -> NDArray[np.int64]:
    """The place in `KINDS` of each subject in each fold (subjects, folds)."""
    of_subject = {subject: place for place, subject in enumerate(subjects)}
    of_fold = {fold: place for place, fold in enumerate(folds)}
    has = np.zeros((len(subjects), len(folds), len(ROLES)), dtype=bool)
    for row in rows:
        subject = of_subject[database_and_subject(row["person"])]
        has[subject, of_fold[row["fold"]], ROLES.index(row["split"])] = True
    trains, validates, tests = np.moveaxis(has, -1, 0)
    kinds = list(KINDS)
    found = np.zeros(has.shape[:2], dtype=np.int64)
    found[trains] = kinds.index("train")
    found[validates] = kinds.index("validation")
    found[trains & validates] = kinds.index("train, validation")
    found[tests] = kinds.index("test")
    found[tests & (trains | validates)] = kinds.index("mixed")
    return found


def _name_folds(axes: Axes, folds: list[int]) -> None:
    """Number the folds, or where they are many only some."""
    step = 1 + (len(folds) - 1) // 20
    shown = range(0, len(folds), step)
    axes.set_xticks([place + 0.5 for place in shown], [str(folds[place]) for place in shown])


def _name_subjects(axes: Axes, subjects: list[tuple[str, str]]) -> None:
    """Name the subjects, or where they are many their databases."""
    if len(subjects) <= MOST_NAMED:
        names = [f"{style.database_title(database)} {subject}" for database, subject in subjects]
        axes.set_yticks([place + 0.5 for place in range(len(subjects))], names, fontsize=6.5)
        return
    databases = [database for database, _ in subjects]
    middles = {
        name: np.mean([place + 0.5 for place, own in enumerate(databases) if own == name])
        for name in dict.fromkeys(databases)
    }
    axes.set_yticks(list(middles.values()), [style.database_title(name) for name in middles])
    for place in range(1, len(databases)):
        if databases[place] != databases[place - 1]:
            axes.axhline(place, color=style.EDGE, linewidth=0.8)
