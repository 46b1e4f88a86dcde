"""Every number and ordering that the paper states, beside this run's."""

from collections.abc import Collection, Iterator, Mapping
from math import isnan, nan
from pathlib import Path
from typing import Any

import pandas as pd

from fleeting import tsv
from fleeting.evaluation import paper, paper_settings
from fleeting.evaluation.claims import Claim, Key, all_claims
from fleeting.evaluation.grid import paper_name
from fleeting.evaluation.measured import Measured
from fleeting.evaluation.paper import PAPER_LR, PAPER_MODEL
from fleeting.evaluation.render import Page
from fleeting.evaluation.results import Summary, of_configuration
from fleeting.evaluation.spread import share, spread, spread_text
from fleeting.tsv import NAME, TEXT, Schema

CAPTION = (
    "Each number that the paper states and each ordering that it claims, beside this run's value, "
    "or the share of repeats in which the ordering holds. What this grid cannot decide is listed "
    "as such. The note above the table says how many repeats there are and what varied between "
    "them; their range is not a confidence interval."
)
READS = {
    "runs": "experiments/{experiment}/evaluation/runs.tsv",
    "scores": "experiments/{experiment}/scores.tsv",
    "choices": "experiments/{experiment}/evaluation/choices.tsv",
    "split": "experiments/{experiment}/split.tsv",
}
SETTINGS = ("databases", "experiment.protocol", "input", "crop.size")
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
_PAPERS = f"{paper_name(PAPER_MODEL)} at {PAPER_LR}"


def make(
    files: Mapping[str, list[Path]], settings: Mapping[str, Any]
) -> tuple[pd.DataFrame, Schema, Page]:
    """The whole comparison: settings, numbers and orderings."""
    summary = Summary.of_files(files)
    split = tsv.read(files["split"][0], tsv.SPLIT)
    measured = Measured(summary)
    rows = [
        *(_setting(*row) for row in paper_settings.compare(summary, split, settings)),
        *_numbers(measured),
        *(_ordering(claim, measured) for claim in all_claims()),
    ]
    frame = pd.DataFrame(rows, columns=list(COMPARISON))
    return frame, COMPARISON, _page(frame, summary)


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
    summary = measured.summary
    model, lr = summary.choice("validation")
    chosen = of_configuration(summary.runs, model, lr)
    yield _number(
        "section 4.3",
        f"validation accuracy of {_PAPERS}",
        paper.VALIDATION_ACCURACY,
        measured.by_repeat.get(("validation_accuracy", PAPER_MODEL, PAPER_LR), {}),
        share(summary.chance),
        dict(zip(chosen["repeat"], chosen["validation_accuracy"], strict=True)),
    )
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
            f"{name}, {_PAPERS}",
            paper.table_2(row, metric) or nan,
            measured.of_paper(row, metric),
            measured.guessing(row, metric),
            measured.reported(model, lr, row, metric),
            "" if metric == "accuracy" or row in summary.classes else row,
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
        status = f"not in this grid: {_PAPERS}"
    elif isnan(own["mean"]):
        status = "NaN in at least one repeat"
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


def _ordering(claim: Claim, measured: Measured) -> Row:
    row = {
        **_EMPTY,
        "where": claim.where,
        "kind": "ordering",
        "claim": claim.claim,
        "paper": "claimed",
        "by_chance": "" if claim.by_chance is None else share(claim.by_chance),
        "decided_by": claim.decided_by,
    }
    missing = measured.missing(claim.needs)
    if missing:
        return {**row, "status": f"not in this grid: {_list(missing)}"}
    found = {key: measured.by_repeat[key] for key in claim.needs}
    # Repeat k against repeat k, where all of them finished; the means are over the same repeats.
    repeats = sorted(set.intersection(*(set(numbers) for numbers in found.values())))
    if not repeats:
        return {**row, "repeats": "0", "status": "no repeat of which all these runs finished"}
    values = {key: [numbers[repeat] for repeat in repeats] for key, numbers in found.items()}
    held = sum(
        _holds(claim, {key: numbers[place] for key, numbers in values.items()})
        for place in range(len(repeats))
    )
    means = {key: spread(numbers)["mean"] for key, numbers in values.items()}
    in_means = _holds(claim, means)
    return {
        **row,
        "this_run": _list(means, means),
        "repeats": str(len(repeats)),
        "holds_in": f"{held} of {len(repeats)}",
        "status": "holds in the means" if in_means else "does not hold in the means",
    }


def _holds(claim: Claim, values: Mapping[Key, float]) -> bool:
    """Whether it holds; with a NaN (a run that diverged) among its values it does not."""
    return not any(map(isnan, values.values())) and claim.holds(values.__getitem__)


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


def _page(frame: pd.DataFrame, summary: Summary) -> Page:
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
    model, lr = summary.choice("validation")
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
        f"{summary.provenance()} Numbers are means over repeats of {_PAPERS}, the paper's "
        f"choice; beside them those of {paper_name(model)} at {lr}, "
        "which validation chooses. By chance: what guessing every class equally often is expected "
        "to give; for an ordering, how often it would hold if the values were in random order. An "
        "ordering is decided in every repeat (repeat k against repeat k) and once on the means "
        "over the same repeats. "
        "Where the grid lacks a configuration, the row says so. The paper prints neither UF1 nor "
        "UAR; this run's are in the table of all configurations. The numbers of the paper's table "
        "1 are in the table of structures.",
        parts,
    )
