"""The facial action units that a synthetic face can show (Ekman and Friesen's coding system)."""

from collections.abc import Mapping
from dataclasses import dataclass, fields

from fleeting.errors import UserError


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


NUMBERS = tuple(int(field.name[2:]) for field in fields(ActionUnits))


def action_units(levels: Mapping[int, float]) -> ActionUnits:
    """Action units by number, for example `{12: 1.0}`; an unknown number is a `UserError`."""
    unknown = sorted(set(levels) - set(NUMBERS))
    if unknown:
        raise UserError(f"no synthetic face shows action unit {unknown[0]}; known: {NUMBERS}")
    return ActionUnits(**{f"au{number}": float(level) for number, level in levels.items()})
