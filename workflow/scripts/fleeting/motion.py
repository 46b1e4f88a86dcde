"""Which channels of an input hold a motion, as their names say it."""

from collections.abc import Sequence

#: What the channels of an input of motion mean; the last part of their names, as in `apex_strain`.
MOTION = ("horizontal", "vertical", "strain")


def motion_channels(channels: Sequence[str]) -> list[int]:
    """The places of the channels of motion, in the order of `MOTION`.

    None if one is missing, or there are several, as in a sequence: none of them is the motion.
    """
    meanings = [channel.rpartition("_")[2] for channel in channels]
    if any(meanings.count(meaning) != 1 for meaning in MOTION):
        return []
    return [meanings.index(meaning) for meaning in MOTION]
