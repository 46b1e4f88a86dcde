"""What an input's channels mean, as their names say it: a colour, or a part of a motion."""

from collections.abc import Sequence

from fleeting.errors import UserError

COLOURS = ("red", "green", "blue")
#: The motion from left to right and from top to bottom, and how much it deforms the face.
HORIZONTAL, VERTICAL, STRAIN = MOTION = ("horizontal", "vertical", "strain")


def meanings(channels: Sequence[str], wanted_by: str) -> list[str]:
    """The meaning of each channel: its name, or the last part of it (`apex_red`).

    Args:
        channels: the input's.
        wanted_by: the augmentation that has to know, for the message.

    Raises:
        UserError: a name says none.
    """
    found = [channel.rpartition("_")[2] for channel in channels]
    for channel, meaning in zip(channels, found, strict=True):
        if meaning not in (*COLOURS, *MOTION):
            raise UserError(
                f"recipe: {wanted_by} does not know what it does to the channel {channel!r} "
                f"(known: {', '.join((*COLOURS, *MOTION))}, also after a `_`). Name the input's "
                f"channels so, or remove {wanted_by} from the recipe."
            )
    return found
