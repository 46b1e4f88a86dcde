"""Every number and ordering that the paper states, beside this run's: tables/paper_comparison."""

from collections.abc import Collection, Iterator, Mapping
from math import isnan, nan

import pandas as pd

from fleeting.evaluation import paper, schemas
from fleeting.evaluation.collected import Collected, of_cell, read
from fleeting.evaluation.grid import paper_name
from fleeting.evaluation.orderings import F1, Key, Ordering, all_orderings
from fleeting.evaluation.paper import PAPER_LR, PAPER_MODEL
from fleeting.evaluation.render import Page
from fleeting.evaluation.spread import share, spread, spread_text
from fleeting.tables import NAME, TEXT, Schema

COMPARISON: Schema = {
    "where": NAME,
    "kind": NAME,
    "claim": NAME,
    "paper": NAME,
    "this_run": TEXT,
    "spread": TEXT,
    "repeats": TEXT,
    "by_chance": TEXT,
    "validation_choice": TEXT,
    "validation_repeats": TEXT,
    "holds_in": TEXT,
    "decided_by": NAME,
    "status": NAME,
}
Row = dict[str, str]
_EMPTY: Row = dict.fromkeys(COMPARISON, "")
_PAPER_CELL = f"{paper_name(PAPER_MODEL)} at {PAPER_LR}"
_RUN_METRICS = (
    *schemas.HISTORY_METRICS,
    "lowest_validation_loss",
    "highest_validation_accuracy",
)


class Measured:
    """What the runs give for the paper's statements, by repeat, under the paper's rates.

    A grid's rate stands for the paper's rate of the same value, however it is written.
    """

    def __init__(self, collected: Collected) -> None:
        """Gather every value that a statement may need: `by_repeat[key]` has them by repeat."""
        self.collected = collected
        self.by_repeat: dict[Key, dict[int, float]] = {}
        rates = {
            lr: stated for lr in collected.lrs for stated in paper.LRS if float(lr) == float(stated)
        }
        self.paper_lr = next((lr for lr, stated in rates.items() if stated == PAPER_LR), None)
        for (model, lr), runs in collected.runs.groupby(["model", "lr"], sort=False):
            if lr in rates:
                means = runs.groupby("repeat")[list(_RUN_METRICS)].mean(skipna=False)
                for metric in _RUN_METRICS:
                    values = dict(zip(means.index, means[metric], strict=True))
                    self.by_repeat[metric, str(model), rates[lr]] = values
        self.reports = read(collected.path / "repeat_reports.tsv", schemas.REPEAT_REPORTS)
        is_accuracy = self.reports["metric"] == "accuracy"
        for (model, lr), part in self.reports[is_accuracy].groupby(["model", "lr"], sort=False):
            if lr in rates:
                values = dict(zip(part["repeat"], part["value"], strict=True))
                self.by_repeat["test_accuracy", str(model), rates[lr]] = values
        for row in collected.classes:
            scores = self.cell(PAPER_MODEL, self.paper_lr or "", row, F1)
            if scores:
                self.by_repeat[F1, row] = scores

    def cell(self, model: str, lr: str, row: str, metric: str) -> dict[int, float]:
        """One cell of the classification report, by repeat; empty if the grid lacks it."""
        part = of_cell(self.reports, model, lr)
        part = part[(part["row"] == row) & (part["metric"] == metric)]
        return dict(zip(part["repeat"], part["value"], strict=True))

    def missing(self, needs: tuple[Key, ...]) -> list[Key]:
        """The cells or classes that this experiment lacks."""
        lacking = [key for key in needs if key not in self.by_repeat]
        has_paper_cell = ("test_accuracy", PAPER_MODEL, PAPER_LR) in self.by_repeat
        if lacking and len(lacking[0]) == 2 and not has_paper_cell:
            return [("", PAPER_MODEL, PAPER_LR)]
        return lacking


def table(collected: Collected, settings: list[tuple[str, str, str, str]]) -> pd.DataFrame:
    """The whole comparison.

    Args:
        collected: the experiment's collected runs.
        settings: where, claim, paper's value and this run's, from `settings.compare`.
    """
    measured = Measured(collected)
    rows = [
        *(_setting(*row) for row in settings),
        *_numbers(measured),
        *(_ordering(ordering, measured) for ordering in all_orderings()),
    ]
    return pd.DataFrame(rows, columns=list(COMPARISON))


def _setting(where: str, claim: str, stated: str, own: str) -> Row:
    return {
        **_EMPTY,
        "where": where,
        "kind": "setting",
        "claim": claim,
        "paper": stated,
        "this_run": own,
        "decided_by": "the same text",
        "status": "as in the paper" if own == stated else "differs from the paper",
    }


def _numbers(measured: Measured) -> Iterator[Row]:
    collected = measured.collected
    chance = share(collected.chance)
    model, rate = collected.choice("validation")
    chosen = of_cell(collected.runs, model, rate).groupby("repeat")["validation_accuracy"]
    by_repeat = chosen.mean(skipna=False)
    yield _number(
        "section 4.3",
        f"validation accuracy of {_PAPER_CELL}",
        paper.VALIDATION_ACCURACY,
        measured.by_repeat.get(("validation_accuracy", PAPER_MODEL, PAPER_LR), {}),
        chance,
        dict(zip(by_repeat.index, by_repeat, strict=True)),
    )
    lr = measured.paper_lr or ""
    places = dict.fromkeys(("happiness", "tense"), "table 2, section 4.3")
    cells = [("accuracy", "accuracy", "abstract, table 2, section 4.3")]
    cells += [
        (row, metric, places.get(row, "table 2"))
        for row in paper.CLASSES
        for metric in paper.METRICS
    ]
    for row, metric, where in cells:
        name = "test accuracy" if metric == "accuracy" else f"{metric} of {row} on the test images"
        yield _number(
            where,
            f"{name}, {_PAPER_CELL}",
            paper.table_2(row, metric) or nan,
            measured.cell(PAPER_MODEL, lr, row, metric),
            _guessing(collected, row, metric),
            measured.cell(model, rate, row, metric),
            "" if metric == "accuracy" or row in collected.classes else row,
        )


def _number(
    where: str,
    claim: str,
    stated: float,
    values: Mapping[int, float],
    by_chance: str,
    chosen: Mapping[int, float],
    no_class: str = "",
) -> Row:
    """One stated number beside the means over repeats, here and where validation chooses."""
    own = spread(list(values.values()))
    if no_class:
        status = f"not among this experiment's classes: {no_class}"
    elif not values:
        status = f"not in this grid: {_PAPER_CELL}"
    elif isnan(own["mean"]):
        status = "not a number in at least one repeat"
    elif len(values) == 1:
        status = "one repeat: no range"
    # Half a unit of the paper's last digit: it prints two.
    elif own["low"] - 0.005 <= stated <= own["high"] + 0.005:
        status = "within the range of the repeats"
    else:
        status = "outside the range of the repeats"
    return {
        **_EMPTY,
        "where": where,
        "kind": "number",
        "claim": claim,
        "paper": f"{stated:.2f}",
        "this_run": share(own["mean"]),
        "spread": spread_text(own) if values else "",
        "repeats": str(len(values)) if values else "",
        "by_chance": by_chance,
        "validation_choice": share(spread(list(chosen.values()))["mean"]),
        "validation_repeats": str(len(chosen)) if chosen else "",
        "decided_by": "mean over repeats; the paper's two decimals against their range",
        "status": status,
    }


def _guessing(collected: Collected, row: str, metric: str) -> str:
    """The expected value of guessing every class equally often."""
    recall = collected.chance
    if metric in ("accuracy", "recall"):
        return share(recall)
    support = collected.reports[collected.reports["metric"] == "support"]
    first = support.drop_duplicates("row").set_index("row")["mean"]
    if row not in first.index:
        return ""
    precision = first[row] / first[collected.classes].sum()
    total = precision + recall
    return share(precision if metric == "precision" else 2 * precision * recall / total)


def _ordering(ordering: Ordering, measured: Measured) -> Row:
    row = {
        **_EMPTY,
        "where": ordering.where,
        "kind": "ordering",
        "claim": ordering.claim,
        "paper": "claimed",
        "by_chance": "" if ordering.by_chance is None else share(ordering.by_chance),
        "decided_by": ordering.decided_by,
    }
    missing = measured.missing(ordering.needs)
    if missing:
        return {**row, "status": f"not in this grid: {_list(missing)}"}
    found = {key: measured.by_repeat[key] for key in ordering.needs}
    # Repeat k against repeat k, where all of them finished; the means are over the same repeats.
    repeats = sorted(set.intersection(*(set(numbers) for numbers in found.values())))
    if not repeats:
        return {**row, "repeats": "0", "status": "no repeat of which all these runs finished"}
    values = {key: [numbers[repeat] for repeat in repeats] for key, numbers in found.items()}
    held = sum(
        _holds(ordering, {key: numbers[place] for key, numbers in values.items()})
        for place in range(len(repeats))
    )
    means = {key: spread(numbers)["mean"] for key, numbers in values.items()}
    in_means = _holds(ordering, means)
    return {
        **row,
        "this_run": _list(means, means),
        "repeats": str(len(repeats)),
        "holds_in": f"{held} of {len(repeats)}",
        "status": "holds in the means" if in_means else "does not hold in the means",
    }


def _holds(ordering: Ordering, values: Mapping[Key, float]) -> bool:
    """Whether it holds; a value that is not a number (a run that diverged) bears nothing out."""
    return not any(map(isnan, values.values())) and ordering.holds(values.__getitem__)


def _list(keys: Collection[Key], values: Mapping[Key, float] | None = None) -> str:
    """Keys for reading, with their values if given: `at 1e-03: ResNet18 0.197, ...; at ...`."""
    name_metric = len({key[0] for key in keys}) > 1
    groups: dict[str, list[str]] = {}
    for key in keys:
        words = [paper_name(key[1])]
        words += [key[0].replace("_", " ")] if name_metric and values else []
        words += [share(values[key])] if values else []
        group = groups.setdefault(f"at {key[2]}: " if len(key) == 3 else "", [])
        if (text := " ".join(words)) not in group:
            group.append(text)
    return "; ".join(group + ", ".join(texts) for group, texts in groups.items())


def page(frame: pd.DataFrame, collected: Collected) -> Page:
    """The comparison for reading: settings, numbers and orderings apart."""
    columns = {
        "setting": ["where", "claim", "paper", "this_run", "status"],
        "number": [
            "where", "claim", "paper", "this_run", "spread", "repeats", "by_chance",
            "validation_choice", "validation_repeats", "status",
        ],
        "ordering": [
            "where", "claim", "holds_in", "by_chance", "status", "this_run", "repeats",
            "decided_by",
        ],
    }  # fmt: skip
    titles = {
        "this_run": "this run",
        "spread": "over repeats",
        "by_chance": "by chance",
        "validation_choice": "validation's choice",
        "validation_repeats": "its repeats",
        "holds_in": "holds in (repeats)",
        "decided_by": "decided by",
    }
    model, lr = collected.choice("validation")
    parts = [
        (heading, frame.loc[frame["kind"] == kind, columns[kind]].rename(columns=titles))
        for kind, heading in (
            ("setting", "Settings"),
            ("number", "Numbers"),
            ("ordering", "Orderings"),
        )
    ]
    return Page(
        "The paper's statements beside this run's",
        f"{collected.provenance()} Numbers are means over repeats of {_PAPER_CELL}, the paper's "
        f"choice; beside them those of {paper_name(model)} at {lr}, "
        "which validation chooses. By chance: what guessing every class equally often is expected "
        "to give; for an ordering, how often it would hold if the values were in random order. An "
        "ordering is decided in every repeat (repeat k against repeat k) and once on the means "
        "over the same repeats. "
        "Where the grid lacks a cell, the row says so. The numbers of the paper's table 1 stand "
        "in the table of structures.",
        parts,
    )
