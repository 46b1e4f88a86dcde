"""What a frame of a clip shows: the expression of that moment, the head, the light, a blink."""

from dataclasses import replace

import numpy as np

from fleeting.synthetic.expressions import (
    MIDDLE,
    ActionUnits,
    action_units,
    intensity,
    soft_step,
)
from fleeting.synthetic.format import Clip
from fleeting.synthetic.frame import Pose, Shown
from fleeting.synthetic.seeds import generator
from fleeting.synthetic.settings import Settings

#: From open to open again.
BLINK_SECONDS = 0.3


def key(clip: Clip, settings: Settings) -> tuple[object, ...]:
    """What names a clip's random generators."""
    return settings.seed, clip.database, clip.subject, clip.name


def frame_generator(clip: Clip, number: int, settings: Settings) -> np.random.Generator:
    """The generator of a frame: first of its pose, then of its noise."""
    return generator("frame", *key(clip, settings), number)


def shown(clip: Clip, number: int, settings: Settings, random: np.random.Generator) -> Shown:
    """What one frame shows: the expression of that moment on a head that is never quite still.

    Args:
        clip: the clip.
        number: the frame's.
        settings: the `synthetic` block of the config.
        random: the frame's own generator, see `frame_generator`.
    """
    pose = _drifted(_pose(clip, settings, random), clip, number, settings)
    share = expressed(clip, number, settings)
    units = action_units({unit: level * share for unit, level in clip.expression.items()})
    left, right = _sides(units, side(clip, settings))
    flicker = generator("flicker", *key(clip, settings), number).uniform(-1, 1)
    return Shown(
        left,
        right,
        pose,
        closed=closed(clip, number, settings),
        light=float(1 + settings.disturbances.flicker * flicker),
    )


def expressed(clip: Clip, number: int, settings: Settings) -> float:
    """The share of the full expression that a frame of a clip shows."""
    return float(intensity(number, clip.onset, clip.apex, clip.offset, settings.intensity))


def side(clip: Clip, settings: Settings) -> str:
    """The side of the picture that a clip's expression is on: `left`, `right` or `both`."""
    random = generator("one-sided", *key(clip, settings))
    if random.random() >= settings.disturbances.one_sided:
        return "both"
    return "left" if random.random() < 0.5 else "right"


def closed(clip: Clip, number: int, settings: Settings) -> float:
    """How far the eyes are closed by a blink, from 0 to 1."""
    random = generator("blink", *key(clip, settings))
    if random.random() >= settings.disturbances.blinks:
        return 0.0
    middle = random.uniform(clip.onset, clip.offset)
    half = BLINK_SECONDS / 2 * clip.frames_per_second
    return soft_step(1 - abs(number - middle) / half)


def _pose(clip: Clip, settings: Settings, moving: np.random.Generator) -> Pose:
    still = generator("pose", *key(clip, settings))
    return Pose(
        x=float(still.uniform(-5, 5) + moving.uniform(-0.6, 0.6)),
        y=float(still.uniform(-4, 4) + moving.uniform(-0.6, 0.6)),
        roll=float(still.uniform(-1, 1) + moving.uniform(-0.15, 0.15)),
        size=float(still.uniform(0.98, 1.02)),
    )


def _drifted(pose: Pose, clip: Clip, number: int, settings: Settings) -> Pose:
    """The pose, moved steadily from the onset on."""
    share = (number - clip.onset) / max(clip.offset - clip.onset, 1)
    angle = generator("drift", *key(clip, settings)).uniform(0, 2 * np.pi)
    turn = 1 if generator("roll", *key(clip, settings)).random() < 0.5 else -1
    way = settings.disturbances.drift * share
    return replace(
        pose,
        x=float(pose.x + way * np.cos(angle)),
        y=float(pose.y + way * np.sin(angle)),
        roll=pose.roll + settings.disturbances.roll * share * turn,
    )


def _sides(units: ActionUnits, where: str) -> tuple[ActionUnits, ActionUnits]:
    """The action units of the left and of the right side of the picture."""
    middle = action_units({number: getattr(units, f"au{number}") for number in MIDDLE})
    return {
        "both": (units, units),
        "left": (units, middle),
        "right": (middle, units),
    }[where]
