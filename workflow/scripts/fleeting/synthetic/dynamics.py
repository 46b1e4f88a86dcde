"""How an expression rises from onset to apex and falls towards offset."""

from collections.abc import Mapping


def intensity(frame: int, onset: int, apex: int, offset: int, levels: Mapping[str, float]) -> float:
    """The share of the full expression that a frame shows.

    Args:
        frame: the frame's number.
        onset: the first annotated frame.
        apex: the second; it may be the same as the first or the third.
        offset: the third.
        levels: the share at the three annotated frames, by phase.

    The curve passes through the three levels with a soft step between them, and fades to nothing
    before the onset and after the offset, as fast as it rose and fell.
    """
    if frame == apex:
        return levels["apex"]
    if frame == onset:
        return levels["onset"]
    if frame == offset:
        return levels["offset"]
    rise, fall = max(apex - onset, 1), max(offset - apex, 1)
    if frame < onset:
        return levels["onset"] * (1 - _soft((onset - frame) / rise))
    if frame < apex:
        return _between(levels["onset"], levels["apex"], (frame - onset) / rise)
    if frame < offset:
        return _between(levels["apex"], levels["offset"], (frame - apex) / fall)
    return levels["offset"] * (1 - _soft((frame - offset) / fall))


def _between(start: float, end: float, share: float) -> float:
    return start + (end - start) * _soft(share)


def _soft(share: float) -> float:
    """A smooth step from 0 to 1."""
    share = min(max(share, 0.0), 1.0)
    return share * share * (3 - 2 * share)
