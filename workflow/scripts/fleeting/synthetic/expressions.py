"""What a synthetic face shows: action units, the emotions made of them, and their rise and fall.

Action units are those of Ekman and Friesen's coding system. The combinations are close to what the
databases code most often for an emotion, and kept well apart, so that each emotion can be told from
one frame.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields

from fleeting.errors import UserError
from fleeting.synthetic.seeds import generator

#: Action units and how far each is contracted in the full expression.
EMOTIONS: dict[str, dict[int, float]] = {
    "disgust": {9: 1.0},
    "happiness": {12: 1.0},
    "others": {4: 1.0},
    "repression": {15: 1.0},
    "surprise": {1: 1.0, 2: 1.0, 5: 0.8, 26: 0.8},
    "tense": {5: 0.8, 24: 1.0},
    "anger": {4: 1.0, 24: 1.0},
    "contempt": {12: 0.5, 24: 0.7},
    "fear": {1: 1.0, 4: 0.6, 5: 1.0},
    "helpless": {1: 0.8, 24: 0.6},
    "pain": {4: 0.8, 9: 0.8},
    "sadness": {1: 1.0, 15: 0.7},
}
#: Action units of the middle of the face, which no expression shows on one side only.
MIDDLE = (24, 26)
#: Every clip's action units are scaled, each by its own factor between these.
VARIATION = (0.85, 1.1)


@dataclass(frozen=True)
class ActionUnits:
    """How far each action unit is contracted: 0 not at all, 1 fully; a little more is allowed."""

    au1: float = 0.0  # inner brow raiser
    au2: float = 0.0  # outer brow raiser
    au4: float = 0.0  # brow lowerer
    au5: float = 0.0  # upper lid raiser
    au9: float = 0.0  # nose wrinkler
    au12: float = 0.0  # lip corner puller
    au15: float = 0.0  # lip corner depressor
    au24: float = 0.0  # lip pressor
    au26: float = 0.0  # jaw drop
    au45: float = 0.0  # blink


NUMBERS = tuple(int(field.name[2:]) for field in fields(ActionUnits))


def action_units(levels: Mapping[int, float]) -> ActionUnits:
    """Action units by number, for example `{12: 1.0}`; an unknown number is a `UserError`."""
    unknown = sorted(set(levels) - set(NUMBERS))
    if unknown:
        raise UserError(f"no synthetic face shows action unit {unknown[0]}; known: {NUMBERS}")
    return ActionUnits(**{f"au{number}": float(level) for number, level in levels.items()})


def expression(emotion: str, clip: str) -> dict[int, float]:
    """The action units of one clip at full intensity; `clip` names it and seeds its variation."""
    if emotion not in EMOTIONS:
        raise UserError(f"no synthetic face shows {emotion!r}; known: {', '.join(EMOTIONS)}")
    random = generator("expression", clip)
    return {
        number: round(level * float(random.uniform(*VARIATION)), 3)
        for number, level in EMOTIONS[emotion].items()
    }


def action_unit_cell(levels: Mapping[int, float]) -> int | str:
    """Action units as the databases' tables have them: `1+2+5`, or a number where there is one."""
    numbers = sorted(levels)
    return numbers[0] if len(numbers) == 1 else "+".join(map(str, numbers))


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
        return levels["onset"] * (1 - soft_step((onset - frame) / rise))
    if frame < apex:
        return _between(levels["onset"], levels["apex"], (frame - onset) / rise)
    if frame < offset:
        return _between(levels["apex"], levels["offset"], (frame - apex) / fall)
    return levels["offset"] * (1 - soft_step((frame - offset) / fall))


def _between(start: float, end: float, share: float) -> float:
    return start + (end - start) * soft_step(share)


def soft_step(share: float) -> float:
    """A smooth step from 0 to 1 as `share` goes from 0 to 1."""
    share = min(max(share, 0.0), 1.0)
    return share * share * (3 - 2 * share)
