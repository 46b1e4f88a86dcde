"""Table 3: how often happiness and surprise are taken for each other, and the worst pair."""

from collections.abc import Mapping
from itertools import combinations
from typing import Any

import pandas as pd

from fleeting.evaluation import paper
from fleeting.evaluation.collected import Collected, of_cell, read
from fleeting.evaluation.grid import paper_name
from fleeting.evaluation.render import Page
from fleeting.evaluation.schemas import CONFUSIONS, SPREAD
from fleeting.evaluation.spread import share, spread_text
from fleeting.tables import INTEGER, NAME, NUMBER, TEXT, Schema

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
PAPERS_PAIR, MOST_CONFUSED = "the paper's pair", "the most confused pair"


def table(collected: Collected) -> pd.DataFrame:
    """Both directions of both pairs, for each choice.

    A rate is the share of the label's test images that were taken for the other class. The most
    confused pair has the highest mean of its two rates; among equals, the first in class order.
    """
    confusions = read(collected.path / "confusions.tsv", CONFUSIONS)
    rows = []
    for choice in collected.choices:
        cell = of_cell(confusions, choice.model, choice.lr)
        for name, pair in ((PAPERS_PAIR, paper.PAIR), (MOST_CONFUSED, _most_confused(cell))):
            for label, predicted in (pair, pair[::-1]) if pair else ():
                found = cell[(cell["label"] == label) & (cell["predicted"] == predicted)]
                rates = found.iloc[0].to_dict() if len(found) else {}
                rows.append(
                    {
                        "choice": choice.name,
                        "model": choice.model,
                        "lr": choice.lr,
                        "pair": name,
                        "label": label,
                        "predicted": predicted,
                        **{f"rate_{part}": rates.get(f"rate_{part}") for part in SPREAD},
                        "repeats": rates.get("repeats", collected.repeats),
                        "chance": collected.chance,
                        "remark": _remark(rates),
                    }
                )
    frame = pd.DataFrame(rows, columns=list(PAIRS))
    numbers = [column for column, kind in PAIRS.items() if kind is NUMBER]
    return frame.astype(dict.fromkeys(numbers, float))


def _remark(rates: Mapping[Any, Any]) -> str:
    if not rates:
        return "not among the classes of this experiment"
    return "no test image of this class" if pd.isna(rates["rate_mean"]) else ""


def _most_confused(cell: pd.DataFrame) -> tuple[str, str] | None:
    """The pair with the highest mean rate; None where no pair has rates both ways."""
    rates = cell.set_index(["label", "predicted"])["rate_mean"]
    classes = list(dict.fromkeys(cell["label"]))
    # Rounded, so that the order of a sum never decides between equal pairs.
    means = {
        (a, b): round(float(rates[a, b] + rates[b, a]) / 2, 9) for a, b in combinations(classes, 2)
    }
    known = {pair: mean for pair, mean in means.items() if mean == mean}
    return max(known, key=lambda pair: known[pair]) if known else None


def page(frame: pd.DataFrame, collected: Collected) -> Page:
    """The table for reading, a row a direction."""
    rows = [
        {
            "choice": f"{row['choice']}: {paper_name(str(row['model']))} at {row['lr']}",
            "pair": row["pair"],
            "label": row["label"],
            "taken for": row["predicted"],
            "share of the label's images": share(row["rate_mean"]),
            "over repeats": spread_text(row, "rate_"),
            "repeats": row["repeats"],
            "chance": share(row["chance"]),
            "remark": row["remark"],
        }
        for row in frame.to_dict("records")
    ]
    shown = pd.DataFrame(rows)
    if shown["remark"].eq("").all():
        shown = shown.drop(columns="remark")
    return Page(
        "Table 3: confused pairs",
        f"{collected.provenance()} The share of a class's test images that were taken for the "
        "other class; guessing gives the share under chance. The paper compares happiness with "
        "surprise, by two pictures and without rates. The most confused pair is the one with the "
        "highest mean of its two shares. The pair's pictures are a figure of their own.",
        [("", shown)],
    )
