"""Each number that the paper states, beside what every experiment of the config has for it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from fleeting.evaluation.paper_statements import PAPER_CONFIGURATION, stated_numbers
from fleeting.evaluation.paper_values import PAPER_LR, PAPER_MODEL, rate_in
from fleeting.evaluation.render import Page
from fleeting.evaluation.repeats import number_text, spread
from fleeting.evaluation.summary import Summary

SCOPE = "comparison"
CAPTION = (
    "Each number that the paper states, beside the means over repeats of every experiment of the "
    "config, their range, and whether the paper's value lies inside. Where the experiments differ "
    "in what the paper leaves open, as in config/silent.yaml, the range is what its silence is "
    "worth. It is not a confidence interval. The table is empty where no experiment has the "
    "paper's configuration."
)
READS = {
    "runs": "experiments/{experiment}/evaluation/runs.tsv",
    "scores": "experiments/{experiment}/scores.tsv",
    "choices": "experiments/{experiment}/evaluation/choices.tsv",
}
SETTINGS = ()
#: What follows the experiments' own columns, which are `mean_{experiment}`.
SUMMARY = "low high experiments inside".split()


def make(files: Mapping[str, list[Path]], settings: Mapping[str, Any]) -> tuple[pd.DataFrame, Page]:
    """One row per stated number that some experiment has.

    `experiments` counts those that have it, and `inside` says whether the paper's value lies from
    `low` to `high`, up to its rounding.
    """
    summaries = {path.parts[-3]: Summary(files, place) for place, path in enumerate(files["runs"])}
    rows = []
    for number in stated_numbers():
        means = {}
        for name, summary in summaries.items():
            values = number.values(summary, PAPER_MODEL, rate_in(summary.lrs, PAPER_LR))
            means[name] = spread(list(values.values()))["mean"]
        found = pd.Series(means).dropna()
        if len(found):
            low, high = found.min(), found.max()
            rows.append(
                {
                    "where": number.where,
                    "claim": number.claim,
                    "paper": number.stated,
                    **{f"mean_{name}": mean for name, mean in means.items()},
                    "low": low,
                    "high": high,
                    "experiments": len(found),
                    "inside": "yes" if number.within(low, high) else "no",
                }
            )
    columns = ["where", "claim", "paper", *(f"mean_{name}" for name in summaries), *SUMMARY]
    frame = pd.DataFrame(rows, columns=columns)
    return frame, _page(frame, list(summaries))


def _page(frame: pd.DataFrame, names: list[str]) -> Page:
    """The table for reading."""
    means = {f"mean_{name}": name for name in names}
    shown = frame.assign(
        paper=frame["paper"].map("{:.2f}".format),
        **{column: frame[column].map(number_text) for column in [*means, "low", "high"]},
    )
    titles = {"paper": "the paper", "low": "lowest", "high": "highest"}
    titles |= {"experiments": "of experiments", "inside": "the paper inside"}
    return Page(
        "What the paper leaves open: its numbers over all experiments",
        f"Means over repeats of {PAPER_CONFIGURATION}, the paper's choice, in each experiment of "
        "the config; lowest and highest are over the experiments. That range is no confidence "
        "interval: it says how far the number moves with what the experiments change. An empty "
        "cell is a class or configuration that the experiment lacks, or a run with NaN.",
        [("", shown.rename(columns={**titles, **means}))],
    )
