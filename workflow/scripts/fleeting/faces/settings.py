"""The blocks of the config that say how faces are cropped."""

from typing import Annotated, Any, Literal

from pydantic import Field, SerializeAsAny, model_validator

from fleeting.settings import OneOf, PathText, Settings, Variant

Share = Annotated[float, Field(ge=-0.25, le=2)]


class Margin(Settings):
    """What is added around a box, as shares of its height (top, bottom) and width (each side)."""

    top: Share
    sides: Share
    bottom: Share


class DetectorSettings(Variant):
    """The keys that all detectors share; a detector's module adds its own."""

    confidence: float = Field(
        0.5, ge=0, le=1, description="The lowest confidence of a face. The paper is silent."
    )
    weights: PathText | None = Field(
        None,
        description="A copy of the published weights; null: they are fetched and checked.",
    )


class Cropping(Settings):
    """How a frame becomes a crop: the part of a block that a crop job reads."""

    detector: Annotated[SerializeAsAny[Variant], OneOf("detector")] = Field(
        "blazeface",
        validate_default=True,
        description="Section 3: an SSD with MobileNet as its baseline. none: the picture is taken "
        "whole.",
    )
    box: Literal["frame", "clip"] = Field(
        "frame",
        description="frame: a box for each image, as in section 3. clip: one box for the whole "
        "clip, from its first frame with a face.",
    )
    align: Literal["none", "rigid"] = Field(
        "none",
        description="rigid: before a frame is cropped, the box is moved and turned as the head has "
        "since the clip's first frame. Needs one box a clip.",
    )
    margin: Margin | None = Field(
        None,
        description="How far the crop reaches beyond the detected box; null: the detector's own.",
    )
    size: int | None = Field(
        224,
        ge=8,
        le=4096,
        description="Pixels; section 3: 224 x 224. null: crops are not resized.",
    )
    provider_crops: Literal["keep", "detect"] = Field(
        "keep",
        description="The provider's crops (source: cropped): taken whole, or searched for a face.",
    )

    def detects(self, source: str) -> bool:
        """Whether a detector runs on frames of a source (`raw` or `cropped`)."""
        return self.detector.kind != "none" and not self.provided(source)

    def provided(self, source: str) -> bool:
        """Whether frames of a source are the provider's crops and are taken as they are."""
        return source == "cropped" and self.provider_crops == "keep"


class CropSettings(Cropping):
    """One block under `crops`: how frames are cropped, and which.

    Crop jobs are given their frames and do not depend on the selection's module. Ready pictures
    (`frames: pictures`) are neither searched for a face nor resized unless the block asks for it.
    """

    frames: Annotated[SerializeAsAny[Variant], OneOf("selection")] = Field(
        "phases",
        validate_default=True,
        description='The frames that are cropped; section 3: "onset, apex, and offset frames".',
    )

    @model_validator(mode="before")
    @classmethod
    def _set_defaults_of_ready_pictures(cls, block: Any) -> Any:
        if isinstance(block, dict) and block.get("frames") in ("pictures", {"kind": "pictures"}):
            return {"detector": "none", "size": None, **block}
        return block
