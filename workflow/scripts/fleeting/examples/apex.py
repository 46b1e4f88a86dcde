"""The apex of a clip whose table has none: searched for in the frames of the clip.

A method is a module in `fleeting/examples/apexes/` with two names:

- `Settings`, an `ApexSettings`: its keys in the config;
- `apex(pictures, frames, settings) -> int`: the place of the apex in `pictures`. These are the
  clip's crops (H, W, 3) in the order of time, three or more of one size; the first is the onset,
  the last the offset, and the apex is one between them. `frames` are their numbers.

One that compares the places of things in two pictures also says `ONE_BOX = True`: a config whose
crops follow the face from frame to frame is then refused.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SerializeAsAny

from fleeting import tsv
from fleeting.errors import UserError
from fleeting.examples.input import Crop, InputSettings, by_phase_and_frame
from fleeting.settings import OneOf, Variant

#: The apex that `method` found in a clip, and the frame in the clip's middle: empty where the clip
#: has no crop of its onset, of its offset or between them. `stated` is the table's (empty: none),
#: `used` the frame that examples are made of (empty: none).
APEXES: tsv.Schema = {
    "sample": tsv.NAME,
    "method": tsv.NAME,
    "stated": tsv.MAYBE_INTEGER,
    "found": tsv.MAYBE_INTEGER,
    "middle": tsv.MAYBE_INTEGER,
    "onset": tsv.INTEGER,
    "offset": tsv.MAYBE_INTEGER,
    "used": tsv.MAYBE_INTEGER,
}


class ApexSettings(Variant):
    """The keys that all methods share; a method's module adds its own."""

    replace: Literal["missing", "all"] = Field(
        "missing",
        description="Which clips take the frame that is found: missing: those whose table has no "
        "apex; all: those that have one as well.",
    )


class ApexInputSettings(InputSettings):
    """The keys of an input that is made of the apex."""

    apex: Annotated[SerializeAsAny[ApexSettings], OneOf("apex")] | None = Field(
        None,
        description="How the apex is searched for where a table has none: a module of "
        "examples/apexes. Needs crops with `frames: clip`. null: it is not, and a clip without an "
        "apex is no example.",
    )


def in_time(crops: Sequence[Crop]) -> list[Crop]:
    """The crops from the onset to the offset in the order of time, one for each frame number.

    A number may be there twice: a neighbour that stands in for a missing frame, or a frame that is
    annotated as two phases. Of these the one with a phase is taken, the first phase if both have.

    Args:
        crops: of one clip, rows of FACES, sorted as `crops_by_sample` does.

    Returns:
        None at all if the onset's or the offset's crop is missing.
    """
    phases = {crop["phase"]: int(crop["frame"]) for crop in crops if crop["phase"]}
    if not {"onset", "offset"} <= phases.keys():
        return []
    by_frame: dict[int, Crop] = {}
    for crop in crops:
        by_frame.setdefault(int(crop["frame"]), crop)
    between = range(phases["onset"], phases["offset"] + 1)
    return [by_frame[number] for number in sorted(by_frame) if number in between]


def middle(frames: Sequence[int]) -> int:
    """The place of the frame nearest to the middle of a clip, the earlier of two.

    Args:
        frames: the numbers of its frames in the order of time, three or more; the first and the
            last are no middle.
    """
    inner = range(1, len(frames) - 1)
    return min(inner, key=lambda place: abs(2 * frames[place] - frames[0] - frames[-1]))


def with_found(crops: Mapping[str, list[Crop]], apexes: Iterable[Path]) -> Mapping[str, list[Crop]]:
    """The crops of each sample, the phase apex given to the frame that is used as the apex.

    Args:
        crops: by sample, see `crops_by_sample`.
        apexes: tables of APEXES, one for each database; none: the crops stay as they are.

    Raises:
        UserError: a table has no row of a sample, or names a frame without a crop.
    """
    tables = list(apexes)
    if not tables:
        return crops
    used = {row["sample"]: row for table in tables for row in tsv.read_rows(table, APEXES)}
    return {sample: _with_used(own, used, sample) for sample, own in crops.items()}


def _with_used(crops: list[Crop], used: Mapping[str, Mapping[str, str]], sample: str) -> list[Crop]:
    if sample not in used:
        raise UserError(f"no apex was searched for in {sample}; rerun with `-R find_apex`")
    row = used[sample]
    if row["used"] == row["stated"]:
        return crops
    chosen = next((crop for crop in in_time(crops) if crop["frame"] == row["used"]), None)
    if chosen is None:
        raise UserError(
            f"{sample}: its apex is frame {row['used']}, which has no crop; rerun with "
            "`-R find_apex`"
        )
    others = [
        {**crop, "phase": ""} if crop["phase"] == "apex" else crop
        for crop in crops
        if crop is not chosen
    ]
    return sorted([*others, {**chosen, "phase": "apex"}], key=by_phase_and_frame)
