"""The block of the config that says how faces are cropped, as the crop job gets it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fleeting.errors import UserError
from fleeting.faces.box import Margin


@dataclass(frozen=True)
class CropSettings:
    """One block under `crops:`.

    `margin` is None where the detector's own applies (`MARGIN` in its module).
    """

    detector: Mapping[str, Any]
    box: str
    margin: Margin | None
    size: int
    provider_crops: str

    @property
    def confidence(self) -> float:
        """The lowest confidence of a face."""
        return float(self.detector["confidence"])


def parse(text: str, crop: str) -> CropSettings:
    """Read the block from JSON; a missing or wrong value is a `UserError` that names its key."""
    try:
        block = json.loads(text)
    except json.JSONDecodeError as error:
        raise UserError(f"crops.{crop}: the settings are not JSON ({error})") from None
    detector = _get(block, crop, "detector")
    confidence = _get(detector, f"{crop}.detector", "confidence")
    if not _is_number(confidence) or not 0 <= confidence <= 1:
        raise UserError(f"crops.{crop}.detector.confidence: {confidence!r} is not from 0 to 1")
    size = _get(block, crop, "size")
    if not isinstance(size, int) or not 8 <= size <= 4096:
        raise UserError(f"crops.{crop}.size: {size!r} is not a whole number from 8 to 4096")
    return CropSettings(
        detector=detector,
        box=_choice(block, crop, "box", ("frame", "clip")),
        margin=_margin(block.get("margin"), crop),
        size=size,
        provider_crops=_choice(block, crop, "provider_crops", ("keep", "detect")),
    )


def _get(block: Any, place: str, key: str) -> Any:
    if not isinstance(block, dict) or key not in block:
        raise UserError(f"crops.{place}: the key {key!r} is missing")
    return block[key]


def _choice(block: Any, crop: str, key: str, known: tuple[str, ...]) -> str:
    value = _get(block, crop, key)
    if value not in known:
        raise UserError(f"crops.{crop}.{key}: {value!r} is none of {', '.join(known)}")
    return str(value)


def _margin(block: Any, crop: str) -> Margin | None:
    if block is None:
        return None
    shares = [_get(block, f"{crop}.margin", key) for key in ("top", "sides", "bottom")]
    if not all(_is_number(share) and -0.25 <= share <= 2 for share in shares):
        raise UserError(f"crops.{crop}.margin: {block!r} has a share outside -0.25 to 2")
    return Margin(*map(float, shares))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
