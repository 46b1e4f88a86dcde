"""The measures of the leak meter for reading, in its table and its figure."""

from collections.abc import Mapping
from typing import Any

#: The measures of scores, by their code, in the order of the figure.
MEASURES = {
    "validation_choice": "chosen on validation examples",
    "matched": "groups on both sides (matched)",
    "best_of_runs": "best of {runs} for each {unit}",
    "epoch_best_for_all": "best epoch of {epochs} for all",
    "epoch_best_for_each": "best epoch of {epochs} for each {unit}",
}


def measure_text(row: Mapping[Any, Any]) -> str:
    """A measure of one experiment, a row of `schemas.LEAK_METER` that is about a score."""
    runs = "1 run" if row["candidates"] == "1" else f"{row['candidates']} runs"
    return MEASURES[row["measure"]].format(runs=runs, epochs=row["candidates"], unit=row["unit"])
