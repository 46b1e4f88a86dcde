"""What the synthetic databases hold: the `synthetic:` block of the config, checked."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from fleeting.errors import UserError
from fleeting.tables import PHASES

#: In the order in which they are added when `frames_per_clip` grows; see `fleeting.synthetic.plan`.
POSITIONS = ("onset", "apex", "offset", "rising", "falling", "before", "after")


@dataclass(frozen=True)
class Settings:
    """The settings block.

    subjects: number of subjects by database.
    clips_per_subject: clips of each subject, besides the few rows with errors as in real copies.
    intensity: share of the full expression at the annotated frames, by phase.
    frames_per_clip: 3 (the annotated ones alone) to 7 (also before, between and after them).
    noise: standard deviation of the cameras' noise in grey values.
    provider_crops: databases whose frames are written as the provider's face crops.
    """

    seed: int = 1
    subjects: Mapping[str, int] = field(
        default_factory=lambda: {"casme": 5, "casme2": 6, "cas_me2": 5, "samm": 4}
    )
    clips_per_subject: int = 6
    intensity: Mapping[str, float] = field(
        default_factory=lambda: {"onset": 0.4, "apex": 1.0, "offset": 0.6}
    )
    frames_per_clip: int = len(POSITIONS)
    noise: float = 1.5
    provider_crops: tuple[str, ...] = ()


def settings(block: Mapping[str, Any]) -> Settings:
    """The block as settings; what it leaves out takes its default, what is wrong is named."""
    known = [each.name for each in fields(Settings)]
    for key in block:
        if key not in known:
            raise UserError(f"synthetic: unknown key {key!r}; known: {', '.join(known)}")
    result = Settings(**{**block, "provider_crops": tuple(block.get("provider_crops", ()))})
    if not len(PHASES) <= result.frames_per_clip <= len(POSITIONS):
        raise UserError(f"synthetic: frames_per_clip must be 3 to {len(POSITIONS)}")
    if result.clips_per_subject < 1:
        raise UserError("synthetic: clips_per_subject must be at least 1")
    if sorted(result.intensity) != sorted(PHASES):
        raise UserError(f"synthetic: intensity needs exactly {', '.join(PHASES)}")
    if result.noise < 0:
        raise UserError("synthetic: noise must not be negative")
    return result
