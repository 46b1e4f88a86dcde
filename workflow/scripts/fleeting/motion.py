"""Which channels of an input hold a motion, as their names say it."""

from collections.abc import Sequence

#: What the channels of an input of motion mean; the last part of their names, as in `apex_strain`.
MOTION = ("horizontal", "vertical", "strain")


def motion_channels(channels: Sequence[str]) -> list[int]:
    """The places of the channels of motion, in the order of `MOTION`.

    Empty if one is missing, or is there several times, as in a sequence of motions: none of these
    is the motion.
    """
    meanings = [channel.rpartition("_")[2] for channel in channels]
    if any(meanings.count(meaning) != 1 for meaning in MOTION):
        return []
    return [meanings.index(meaning) for meaning in MOTION]
