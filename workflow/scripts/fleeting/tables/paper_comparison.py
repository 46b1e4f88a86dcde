"""Every number and ordering that the paper states, beside this run's."""

from collections.abc import Collection, Iterator, Mapping
from itertools import product
from math import isnan
from pathlib import Path
from typing import Any

import pandas as pd

from fleeting import tsv
from fleeting.evaluation import chance, paper_values
from fleeting.evaluation.choices import configuration_title
from fleeting.evaluation.paper_claims import CLAIMS, Claim, Key
from fleeting.evaluation.paper_settings import compare_settings
from fleeting.evaluation.paper_statements import PAPER_CONFIGURATION, StatedNumber, stated_numbers
from fleeting.evaluation.paper_values import PAPER_LR, PAPER_MODEL, paper_name, rate_in
from fleeting.evaluation.render import Page
from fleeting.evaluation.repeats import number_text, spread, spread_text
from fleeting.evaluation.schemas import HISTORY_METRICS
from fleeting.evaluation.summary import REPORT, Summary, of_configuration

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
SETTINGS = (
    "databases",
    "experiment.protocol",
    "experiment.recipe.weights",
    "experiment.recipe.optimiser",
    "experiment.recipe.augmentations",
    "input",
    "crop.size",
)
COLUMNS = (
    "where kind claim paper this_run spread repeats by_chance validation_choice validation_repeats "
    "holds_in decided_by status"
)
#: The parts of the page, and the columns that each shows.
PARTS = {
    "setting": ("Settings", "where claim paper this_run status"),
    "number": (
        "Numbers",
        "where claim paper this_run spread repeats by_chance validation_choice validation_repeats "
        "status",
    ),
    "ordering": (
        "Orderings",
        "where claim holds_in by_chance status this_run repeats decided_by",
    ),
}
TITLES = {
    "this_run": "this run",
    "spread": "over repeats",
    "by_chance": "by chance",
    "validation_choice": "validation's choice",
    "validation_repeats": "its repeats",
    "holds_in": "holds in (repeats)",
    "decided_by": "decided by",
}
Row = dict[str, str]
ByKey = Mapping[Key, Mapping[int, float]]


def make(files: Mapping[str, list[Path]], settings: Mapping[str, Any]) -> tuple[pd.DataFrame, Page]:
    """The whole comparison: settings, numbers and orderings."""
    summary = Summary(files)
    split = tsv.read(files["split"][0], tsv.SPLIT)
    found = values_by_key(summary)
    rows = [
        *compare_settings(summary, split, settings),
        *_numbers(summary),
        *(ordering(claim, found) for claim in CLAIMS),
    ]
    frame = pd.DataFrame(rows, columns=COLUMNS.split(), dtype=object).fillna("")
    return frame, _page(frame, summary)


def values_by_key(summary: Summary) -> dict[Key, dict[int, float]]:
    """What the runs give for the claims' keys, by repeat.

    A grid's rate stands for the paper's rate of the same value, however it is written.
    """
    found: dict[Key, dict[int, float]] = {}
    for model, stated in product(paper_values.MODELS, paper_values.LRS):
        lr = rate_in(summary.lrs, stated)
        runs = of_configuration(summary.runs, model, lr)
        if runs.empty:
            continue
        for metric in (*HISTORY_METRICS, "lowest_validation_loss", "highest_validation_accuracy"):
            found[metric, model, stated] = dict(zip(runs["repeat"], runs[metric], strict=True))
        found["test_accuracy", model, stated] = summary.values(model, lr)["all", "accuracy"]
    report = summary.report(PAPER_MODEL, rate_in(summary.lrs, PAPER_LR))
    for (name, column), values in report.items():
        if name in summary.classes and column == "f1-score":
            found[column, name] = values
    return found


def _numbers(summary: Summary) -> Iterator[Row]:
    validation = summary.choice("validation")
    for number in stated_numbers():
        yield _number(
            number,
            number.values(summary, PAPER_MODEL, rate_in(summary.lrs, PAPER_LR)),
            _guessing(summary, number),
            number.values(summary, validation.model, validation.lr),
            summary.classes,
        )


def _guessing(summary: Summary, number: StatedNumber) -> float | None:
    """A number's expected value of guessing every class equally often."""
    if number.row not in paper_values.CLASSES:
        return summary.chance
    if number.row not in summary.support:
        return None
    share = summary.support[number.row] / sum(summary.support.values())
    return chance.of_class(REPORT[number.column], share, len(summary.classes)).guessing


def _number(
    number: StatedNumber,
    values: Mapping[int, float],
    by_chance: float | None,
    chosen: Mapping[int, float],
    classes: Collection[str],
) -> Row:
    """One stated number beside the means over repeats, here and where validation chooses."""
    own = spread(list(values.values()))
    if number.row in paper_values.CLASSES and number.row not in classes:
        status = f"not among this experiment's classes: {number.row}"
    elif not values:
        status = f"not in this grid: {PAPER_CONFIGURATION}"
    elif isnan(own["mean"]):
        status = "NaN in at least one repeat"
    elif len(values) == 1:
        status = "one repeat: no range"
    elif number.within(own["low"], own["high"]):
        status = "within the range of the repeats"
    else:
        status = "outside the range of the repeats"
    return {
        "where": number.where,
        "kind": "number",
        "claim": number.claim,
        "paper": f"{number.stated:.2f}",
        "this_run": number_text(own["mean"]),
        "spread": spread_text(own),
        "repeats": str(len(values) or ""),
        "by_chance": number_text(by_chance),
        "validation_choice": number_text(spread(list(chosen.values()))["mean"]),
        "validation_repeats": str(len(chosen) or ""),
        "decided_by": "mean over repeats; the paper's two decimals against their range",
        "status": status,
    }


def ordering(claim: Claim, found: ByKey) -> Row:
    """A claim, decided in every repeat and in the means over repeats."""
    row = {
        "where": claim.where,
        "kind": "ordering",
        "claim": claim.claim,
        "paper": "claimed",
        "by_chance": number_text(claim.by_chance),
        "decided_by": claim.decided_by,
    }
    missing = _missing(claim, found)
    if missing:
        return row | {"status": f"not in this grid: {_list(missing)}"}
    # Repeat k against repeat k, where all of them finished; the means are over the same repeats.
    repeats = sorted(set.intersection(*(set(found[key]) for key in claim.needs)))
    if not repeats:
        return row | {"repeats": "0", "status": "no repeat of which all these runs finished"}
    held = sum(claim.holds({key: found[key][repeat] for key in claim.needs}) for repeat in repeats)
    means = {key: spread([found[key][repeat] for repeat in repeats])["mean"] for key in claim.needs}
    return row | {
        "this_run": _list(means, means),
        "repeats": str(len(repeats)),
        "holds_in": f"{held} of {len(repeats)}",
        "status": f"{'holds' if claim.holds(means) else 'does not hold'} in the means",
    }


def _missing(claim: Claim, found: ByKey) -> list[Key]:
    """The configurations or classes that this experiment lacks."""
    lacking = [key for key in claim.needs if key not in found]
    of_classes = any(len(key) == 2 for key in lacking)
    if of_classes and ("test_accuracy", PAPER_MODEL, PAPER_LR) not in found:
        return [("", PAPER_MODEL, PAPER_LR)]
    return lacking


def _list(keys: Collection[Key], values: Mapping[Key, float] | None = None) -> str:
    """Keys for reading, with their values if given: `at 1e-03: ResNet18 0.197, ...; at ...`."""
    name_metric = values and len({key[0] for key in keys}) > 1
    groups: dict[str, dict[str, None]] = {}
    for key in keys:
        words = [paper_name(key[1])]
        words += [key[0].replace("_", " ")] if name_metric else []
        words += [number_text(values[key])] if values else []
        group = f"at {key[2]}: " if len(key) == 3 else ""
        groups.setdefault(group, {})[" ".join(words)] = None
    return "; ".join(group + ", ".join(texts) for group, texts in groups.items())


def _page(frame: pd.DataFrame, summary: Summary) -> Page:
    """The comparison for reading: settings, numbers and orderings apart."""
    validation = summary.choice("validation")
    return Page(
        "The paper's statements beside this run's",
        f"{summary.provenance()} Numbers are means over repeats of {PAPER_CONFIGURATION}, the "
        "paper's choice; beside them those of "
        f"{configuration_title(validation.model, validation.lr)}, which validation chooses. By "
        "chance: what guessing every class equally often is expected to give; for an ordering, how "
        "often it would hold if the values were in random order. An ordering is decided in every "
        "repeat (repeat k against repeat k) and once on the means over the same repeats. Where the "
        "grid lacks a configuration, the row says so. The paper prints neither UF1 nor UAR; this "
        "run's are in the table of all configurations. The numbers of the paper's table 1 are in "
        "the table of structures.",
        [
            (heading, frame.loc[frame["kind"] == kind, columns.split()].rename(columns=TITLES))
            for kind, (heading, columns) in PARTS.items()
        ],
    )
