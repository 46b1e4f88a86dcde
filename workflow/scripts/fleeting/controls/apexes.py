"""How far a method finds the apex of synthetic clips from where it truly is."""

from pathlib import Path

import pandas as pd

from fleeting import tsv
from fleeting.errors import UserError
from fleeting.evaluation.apex_errors import errors as errors_of
from fleeting.evaluation.apex_errors import numbers
from fleeting.examples.apex import APEXES
from fleeting.synthetic.database import TRUTH

#: Rows whose movement is a regular one, whatever their table says of the apex.
REGULAR = ("", "apex_slash", "apex_backslash", "apex_after_offset")
MIDDLE = "middle"


def errors(results: Path, input_name: str) -> pd.DataFrame:
    """The errors of an input's search for the apex, against the truth of synthetic databases.

    Args:
        results: the results folder of a config with a `synthetic` block.
        input_name: an input with `apex`, packed for all databases.

    Returns:
        One row for each database with a clip that was searched and, if there are several, for
        `all`, by `method`: the input's and the middle frame. `clips` counts those that were
        searched; `mean` and `median` are in frames, `share` in clips' lengths (see
        `apex_errors.errors`).

    Raises:
        UserError: the input has not searched for any apex there.
    """
    tables = sorted((results / "inputs" / input_name).glob("*.apexes.tsv"))
    if not tables:
        raise UserError(
            f"{results}: the input {input_name} has no tables of apexes; give it an `apex` in the "
            "config, and run `snakemake inputs`"
        )
    every = {path.name.split(".")[0]: _with_truth(results, path) for path in tables}
    groups = {database: clips for database, clips in every.items() if len(clips)}
    if not groups:
        raise UserError(
            f"{results}: the input {input_name} has found no apex of a clip whose truth is known; "
            "give its crops `frames: clip`, and run `snakemake inputs`"
        )
    if len(groups) > 1:
        groups["all"] = pd.concat(groups.values())
    rows = []
    for database, clips in groups.items():
        method = clips["method"].iloc[0]
        for name, column in {MIDDLE: "middle", method: "found"}.items():
            own = errors_of(clips, column, "true")
            rows.append({"database": database, "method": name, "clips": len(clips), **own})
    return pd.DataFrame(rows)


def _with_truth(results: Path, table: Path) -> pd.DataFrame:
    """The clips that were searched, with the column `true`: the frame that is the apex."""
    truth = tsv.read(results / "databases" / f"{table.name.split('.')[0]}.tsv", TRUTH)
    regular = truth[truth["quirk"].isin(REGULAR)]
    known = dict(zip(regular["sample"], pd.to_numeric(regular["apex"]), strict=True))
    found = numbers(tsv.read(table, APEXES))
    found = found.assign(true=found["sample"].map(known))
    return found[found["found"].notna() & found["true"].notna()]
