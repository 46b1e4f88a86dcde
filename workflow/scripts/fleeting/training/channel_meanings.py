"""What an input's channels mean, as their names say it: a picture, or what changes in a clip."""

from collections.abc import Sequence

from fleeting.errors import UserError
from fleeting.motion import MOTION

PICTURES = ("red", "green", "blue", "grey")
#: The motion from left to right and from top to bottom, and how much it deforms the face.
HORIZONTAL, VERTICAL, STRAIN = MOTION
#: A difference of brightness keeps its sign and size in a mirror, and when a face turns or grows.
KNOWN = (*PICTURES, *MOTION, "difference")


def meanings(
    channels: Sequence[str], wanted_by: str, known: Sequence[str] | None = KNOWN
) -> list[str]:
    """The meaning of each channel: its name, or the last part of it (`apex_red`).

    Args:
        channels: the input's.
        wanted_by: the augmentation that has to know, for the message.
        known: the meanings that it knows; None: any.

    Raises:
        UserError: a name says none of them.
    """
    found = [channel.rpartition("_")[2] for channel in channels]
    for channel, meaning in zip(channels, found, strict=True):
        if known is not None and meaning not in known:
            raise UserError(
                f"recipe: {wanted_by} does not know what it does to the channel {channel!r} "
                f"(known: {', '.join(known)}, also after a `_`). Name the input's "
                f"channels so, or remove {wanted_by} from the recipe."
            )
    return found
