"""Table 3: how often happiness and surprise are taken for each other, and the worst pair."""

from collections.abc import Mapping
from itertools import combinations
from math import isnan, nan
from pathlib import Path
from typing import Any

import pandas as pd

from fleeting.evaluation import schemas
from fleeting.evaluation.paper_values import PAIR
from fleeting.evaluation.render import Page
from fleeting.evaluation.repeats import spread_text
from fleeting.evaluation.schemas import CONFUSIONS, MOST_CONFUSED, PAPERS_PAIR, SPREAD
from fleeting.evaluation.summary import Summary, of_configuration

FORMATS = ("md", "tex")
CAPTION = (
    "Table 3 of the paper in numbers: how often happiness is taken for surprise and the other way "
    "round, and the same for the pair that is confused the most. Guessing gives one over the "
    "number of classes. The pictures are the figure of the confused pair. The note below the table "
    "says how many repeats there are and what varied between them; their range is not a confidence "
    "interval."
)
READS = {
    "runs": "experiments/{experiment}/evaluation/runs.tsv",
    "scores": "experiments/{experiment}/scores.tsv",
    "choices": "experiments/{experiment}/evaluation/choices.tsv",
    "confusions": "experiments/{experiment}/evaluation/confusions.tsv",
}
SETTINGS = ()


def make(files: Mapping[str, list[Path]], settings: Mapping[str, Any]) -> tuple[pd.DataFrame, Page]:
    """Both directions of both pairs, for each choice.

    A rate is the share of the label's test examples that were taken for the other class. The most
    confused pair has the highest mean of its two rates; among equals, the first in class order.
    """
    summary = Summary(files)
    confusions = schemas.read(files["confusions"][0], CONFUSIONS)
    rows = []
    for choice in summary.choices:
        own = of_configuration(confusions, choice.model, choice.lr)
        cells = own.set_index(["label", "predicted"]).to_dict("index")
        for name, pair in ((PAPERS_PAIR, PAIR), (MOST_CONFUSED, _most_confused(own))):
            for label, predicted in (pair, pair[::-1]) if pair else ():
                cell = cells.get((label, predicted), {})
                rows.append(
                    {
                        "choice": choice.name,
                        "model": choice.model,
                        "lr": choice.lr,
                        "pair": name,
                        "label": label,
                        "predicted": predicted,
                        **{f"rate_{part}": cell.get(f"rate_{part}", nan) for part in SPREAD},
                        "repeats": cell.get("repeats", summary.repeats),
                        "chance": summary.chance,
                        "remark": _remark(cell),
                    }
                )
    frame = pd.DataFrame(rows)
    return frame, _page(frame, summary)


def _remark(cell: Mapping[Any, Any]) -> str:
    if not cell:
        return "not among the classes of this experiment"
    return "no test example of this class" if isnan(cell["rate_mean"]) else ""


def _most_confused(own: pd.DataFrame) -> tuple[str, str] | None:
    """The pair with the highest mean rate; None where no pair has rates both ways."""
    rates = own.set_index(["label", "predicted"])["rate_mean"]
    # Rounded, so that the order of a sum never decides between equal pairs.
    means = {
        (a, b): round((rates[a, b] + rates[b, a]) / 2, 9)
        for a, b in combinations(dict.fromkeys(own["label"]), 2)
    }
    numbers = {pair: mean for pair, mean in means.items() if not isnan(mean)}
    return max(numbers, key=lambda pair: numbers[pair], default=None)


def _page(frame: pd.DataFrame, summary: Summary) -> Page:
    """The table for reading, one row per direction."""
    titles = {choice.name: choice.title for choice in summary.choices}
    spreads = [spread_text(row, "rate_") for row in frame.to_dict("records")]
    shown = pd.DataFrame(
        {
            "choice": frame["choice"].map(titles),
            "pair": frame["pair"],
            "label": frame["label"],
            "taken for": frame["predicted"],
            "share of the label's examples": frame["rate_mean"],
            "over repeats": spreads,
            "repeats": frame["repeats"],
            "chance": frame["chance"],
            "remark": frame["remark"],
        }
    )
    if not frame["remark"].any():
        shown = shown.drop(columns="remark")
    return Page(
        "Table 3: confused pairs",
        f"{summary.provenance()} The share of a class's test examples that were taken for the "
        "other class; guessing gives the share under chance. The paper compares happiness with "
        "surprise, by two pictures and without rates. The most confused pair is the one with the "
        "highest mean of its two shares. The pair's pictures are a separate figure.",
        [("", shown)],
    )
