"""Emotions as combinations of action units: what a synthetic face shows when it is felt.

The combinations are kept well apart, so that each emotion can be told from one frame. They are
close to what the databases code most often for it.
"""

from collections.abc import Mapping

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
#: Every clip's action units are scaled, each by its own factor between these.
VARIATION = (0.85, 1.1)


def expression(emotion: str, clip: str) -> dict[int, float]:
    """The action units of one clip at full intensity; `clip` names it and seeds its variation."""
    if emotion not in EMOTIONS:
        raise UserError(f"no synthetic face shows {emotion!r}; known: {', '.join(EMOTIONS)}")
    random = generator("expression", clip)
    return {
        number: round(level * float(random.uniform(*VARIATION)), 3)
        for number, level in EMOTIONS[emotion].items()
    }


def code(levels: Mapping[int, float]) -> str:
    """Action units as the databases write them, for example `1+2+5`."""
    return "+".join(str(number) for number in sorted(levels))
