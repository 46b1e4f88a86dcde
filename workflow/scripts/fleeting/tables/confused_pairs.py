"""Table 3: how often happiness and surprise are taken for each other, and the worst pair."""

from collections.abc import Mapping
from itertools import combinations
from pathlib import Path
from typing import Any

import pandas as pd

from fleeting.evaluation import paper
from fleeting.evaluation.grid import paper_name
from fleeting.evaluation.render import Page
from fleeting.evaluation.results import Summary, of_configuration, read
from fleeting.evaluation.schemas import CONFUSIONS, MOST_CONFUSED, PAIRS, PAPERS_PAIR, SPREAD
from fleeting.evaluation.spread import share, spread_text
from fleeting.tsv import NUMBER, Schema

FILE = "table3_confused_pairs"
PRINTED = True
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


def make(
    files: Mapping[str, list[Path]], settings: Mapping[str, Any]
) -> tuple[pd.DataFrame, Schema, Page]:
    """Both directions of both pairs, for each choice.

    A rate is the share of the label's test examples that were taken for the other class. The most
    confused pair has the highest mean of its two rates; among equals, the first in class order.
    """
    summary = Summary.of_files(files)
    confusions = read(files["confusions"][0], CONFUSIONS)
    rows = []
    for choice in summary.choices:
        own = of_configuration(confusions, choice.model, choice.lr)
        for name, pair in ((PAPERS_PAIR, paper.PAIR), (MOST_CONFUSED, _most_confused(own))):
            for label, predicted in (pair, pair[::-1]) if pair else ():
                found = own[(own["label"] == label) & (own["predicted"] == predicted)]
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
                        "repeats": rates.get("repeats", summary.repeats),
                        "chance": summary.chance,
                        "remark": _remark(rates),
                    }
                )
    frame = pd.DataFrame(rows, columns=list(PAIRS))
    numbers = [column for column, kind in PAIRS.items() if kind is NUMBER]
    frame = frame.astype(dict.fromkeys(numbers, float))
    return frame, PAIRS, _page(frame, summary)


def _remark(rates: Mapping[Any, Any]) -> str:
    if not rates:
        return "not among the classes of this experiment"
    return "no test example of this class" if pd.isna(rates["rate_mean"]) else ""


def _most_confused(own: pd.DataFrame) -> tuple[str, str] | None:
    """The pair with the highest mean rate; None where no pair has rates both ways."""
    rates = own.set_index(["label", "predicted"])["rate_mean"]
    classes = list(dict.fromkeys(own["label"]))
    # Rounded, so that the order of a sum never decides between equal pairs.
    means = {
        (a, b): round(float(rates[a, b] + rates[b, a]) / 2, 9) for a, b in combinations(classes, 2)
    }
    numbers = {pair: mean for pair, mean in means.items() if mean == mean}
    return max(numbers, key=lambda pair: numbers[pair]) if numbers else None


def _page(frame: pd.DataFrame, summary: Summary) -> Page:
    """The table for reading, one row per direction."""
    rows = [
        {
            "choice": f"{row['choice']}: {paper_name(str(row['model']))} at {row['lr']}",
            "pair": row["pair"],
            "label": row["label"],
            "taken for": row["predicted"],
            "share of the label's examples": share(row["rate_mean"]),
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
        f"{summary.provenance()} The share of a class's test examples that were taken for the "
        "other class; guessing gives the share under chance. The paper compares happiness with "
        "surprise, by two pictures and without rates. The most confused pair is the one with the "
        "highest mean of its two shares. The pair's pictures are a separate figure.",
        [("", shown)],
    )
