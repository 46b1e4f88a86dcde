"""Moments of a movement, evenly spaced in time from its first frame to its last.

Most of them lie between two frames. In this way clips of different lengths have sequences of one
length (Pfister et al., Recognising spontaneous facial micro-expressions, ICCV 2011, who interpolate
along a curve; Li et al., FG 2013, take ten moments).
"""

from fractions import Fraction
from typing import Annotated

from pydantic import Field

#: As many moments as `even` selects the frames of, and as a sequence has.
Count = Annotated[int, Field(ge=2, le=64)]
DEFAULT_COUNT = 10


def evenly_spaced(first: int, last: int, count: int) -> list[Fraction]:
    """The moments first + k (last - first) / (count - 1) for k = 0 to count - 1, as frame numbers.

    They are exact, so that none lies beside the frame that it is.
    """
    return [first + Fraction(number * (last - first), count - 1) for number in range(count)]
