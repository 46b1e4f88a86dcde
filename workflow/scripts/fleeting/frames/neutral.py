"""The frame after the onset: hardly a part of a movement has happened then.

What optical flow finds between it and the onset is the noise floor of a clip. A frame before the
onset would do as well, but not every copy of a database has one.
"""

from fleeting.frames.wanted import Sample

#: The last part of its image's name.
NEUTRAL = "neutral"


def neutral_frame(sample: Sample) -> int | None:
    """The number of the frame after the onset, if it lies before all that is annotated later.

    None where the movement is at its apex by then, or where neither apex nor offset is known.
    """
    later = [int(sample[phase]) for phase in ("apex", "offset") if sample[phase]]
    frame = int(sample["onset"]) + 1
    return frame if later and frame < min(later) else None
