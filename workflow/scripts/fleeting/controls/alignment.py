"""How exactly frames are aligned: the estimated motion of the head and the true one."""

from pathlib import Path

import numpy as np
import pandas as pd

from fleeting import tsv
from fleeting.errors import UserError
from fleeting.synthetic.database import TRUTH

ESTIMATED = ("shift_x", "shift_y", "roll")


def errors(results: Path, crop: str) -> pd.DataFrame:
    """What is left of the head's motion in aligned crops of synthetic databases.

    Args:
        results: the results folder of a finished project on synthetic databases.
        crop: the name of a block under `crops` that aligns.

    Returns:
        A row for each crop of a phase, but for those of rows with an oddity and of the clips' first
        frames: `database`, `sample` and `phase`; the motion since the first frame as it was
        estimated (`shift_x`, `shift_y`, `roll`, see `tsv.FACES`) and as it was (`true_shift_x`,
        `true_shift_y`, `true_roll`); how far the box's centre moved (`drift`), and how far from its
        true place it was taken to be (`left`), in pixels of the frame; and `roll_left`, in degrees.

    Raises:
        UserError: the crops are not aligned, or a table is missing.
    """
    tables = sorted((results / "faces" / crop).glob("*.tsv"))
    names = [table.stem for table in tables if not table.name.endswith(".excluded.tsv")]
    found = pd.concat([_errors(results, crop, name) for name in names] or [pd.DataFrame()])
    if found.empty:
        raise UserError(
            f"{results / 'faces' / crop}: no crop was aligned to another; set `align: rigid` in "
            f"crops.{crop}, and run again"
        )
    return found.reset_index(drop=True)


def summary(found: pd.DataFrame) -> pd.DataFrame:
    """The rows of `errors` by database: their count, and the median and 95th percentile of each.

    `drift` is what the crops would show without alignment, `left` what they show with it.
    """
    measures = ["drift", "left", "roll_left"]
    by = found.groupby("database")[measures]
    table = by.size().to_frame("crops")
    for name, share in (("median", 0.5), ("p95", 0.95)):
        table = table.join(by.quantile(share).add_suffix(f"_{name}"))
    return table.reset_index()


def _errors(results: Path, crop: str, database: str) -> pd.DataFrame:
    """The rows of one database."""
    truth = tsv.read(results / f"databases/{database}.tsv", TRUTH)
    truth = truth[truth["quirk"] == ""]
    faces = tsv.read(results / f"faces/{crop}/{database}.tsv", tsv.FACES)
    faces = faces[(faces["phase"] != "") & (faces["shift_x"] != "")]
    crops = faces.merge(_heads(truth), on=["sample", "phase"])
    numbers = [*("x0", "y0", "x1", "y1"), *ESTIMATED]
    crops[numbers] = crops[numbers].astype(float)
    # Of the first frame the motion is 0; it comes first in the order of the phases.
    crops["order"] = crops["phase"].map(tsv.PHASE_ORDER)
    still = crops[(crops[list(ESTIMATED)] == 0).all(axis=1)].sort_values("order")
    first = still.drop_duplicates("sample")[["sample", "phase", "head", "angle"]]
    pairs = crops.merge(first, on="sample", suffixes=("", "_first"))
    pairs = pairs[pairs["phase"] != pairs["phase_first"]]
    # Complex numbers: to turn clockwise, where y points down, is to multiply by exp(i angle).
    centre = (pairs["x0"] + pairs["x1"] - 1) / 2 + 1j * (pairs["y0"] + pairs["y1"] - 1) / 2
    roll = pairs["angle"] - pairs["angle_first"]
    shift = pairs["head"] + np.exp(1j * np.deg2rad(roll)) * (centre - pairs["head_first"]) - centre
    estimated = pairs["shift_x"] + 1j * pairs["shift_y"]
    return pd.DataFrame(
        {
            "database": database,
            **{name: pairs[name] for name in ("sample", "phase", *ESTIMATED)},
            "true_shift_x": np.real(shift),
            "true_shift_y": np.imag(shift),
            "true_roll": roll,
            "drift": np.abs(shift),
            "left": np.abs(estimated - shift),
            "roll_left": np.abs(pairs["roll"] - roll),
        }
    )


def _heads(truth: pd.DataFrame) -> pd.DataFrame:
    """Where the head is at each phase: its place as a complex number, and its angle clockwise."""
    parts = []
    for phase in tsv.PHASES:
        x, y, roll = (
            truth[f"{phase}_{name}"].astype(float) for name in ("head_x", "head_y", "roll")
        )
        head = {"sample": truth["sample"], "phase": phase, "head": x + 1j * y, "angle": -roll}
        parts.append(pd.DataFrame(head))
    return pd.concat(parts)
