"""The blocks under `crops`: defaults and what is refused."""

import pytest
from pydantic import ValidationError

from fleeting import registry
from fleeting.faces.settings import CropSettings


def test_the_defaults_are_the_papers() -> None:
    assert CropSettings().model_dump(mode="json") == {
        "frames": {"kind": "phases", "neutral": False},
        "detector": {"kind": "blazeface", "confidence": 0.5, "weights": None},
        "box": "frame",
        "align": "none",
        "margin": None,
        "size": 224,
        "provider_crops": "keep",
    }


def test_ready_pictures_are_taken_whole_unless_asked() -> None:
    for frames in ("pictures", {"kind": "pictures"}):
        ready = CropSettings.model_validate({"frames": frames})
        assert (ready.detector.kind, ready.size, ready.detects("raw")) == ("none", None, False)
    asked = {"frames": "pictures", "size": 64, "detector": "blazeface"}
    found = CropSettings.model_validate(asked)
    assert (found.detector.kind, found.size, found.detects("raw")) == ("blazeface", 64, True)


def test_a_block_survives_the_command_line() -> None:
    block = {
        "frames": "pictures",
        "detector": {"kind": "opencv_ssd", "weights": "a.onnx", "mean": [1, 2, 3]},
        "margin": {"top": 0.2, "sides": 0.1, "bottom": 0.1},
        "size": None,
    }
    settings = CropSettings.model_validate(block)
    assert settings.detector.mean == (1, 2, 3)
    assert CropSettings.model_validate(settings.model_dump(mode="json")) == settings


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"box": "face"}, "box"),
        ({"align": "affine"}, "align"),
        ({"size": 0}, "size"),
        ({"size": 4097}, "size"),
        ({"margin": {"top": 1}}, "sides"),
        ({"margin": {"top": "a", "sides": 0, "bottom": 0}}, "margin"),
        ({"margin": {"top": 3, "sides": 0, "bottom": 0}}, "margin"),
        ({"detector": {"kind": "blazeface", "confidence": 2}}, "confidence"),
        ({"detector": {"kind": "blazeface", "equalise": True}}, "equalise"),
        ({"detector": {"kind": "blazeface", "weights": "{x}"}}, "weights"),
        ({"detector": "opencv_ssd"}, "weights"),
        ({"detector": {"kind": "none", "confidence": 0.5}}, "confidence"),
        ({"detector": "blaze"}, "detector"),
        ({"frames": "evenly"}, "selection"),
        ({"provider_crops": None}, "provider_crops"),
        ({"sise": 3}, "sise"),
    ],
)
def test_wrong_settings_name_their_key(change: dict[str, object], named: str) -> None:
    with pytest.raises(ValidationError, match=named):
        CropSettings.model_validate(change)


@pytest.mark.parametrize(
    ("block", "source", "detects"),
    [
        ({}, "raw", True),
        ({}, "cropped", False),
        ({"provider_crops": "detect"}, "cropped", True),
        ({"detector": "none"}, "raw", False),
        ({"detector": "none", "provider_crops": "detect"}, "cropped", False),
    ],
)
def test_when_a_detector_runs(block: dict[str, object], source: str, detects: bool) -> None:
    assert CropSettings.model_validate(block).detects(source) is detects


@pytest.mark.parametrize("name", registry.names("detector"))
def test_what_every_detector_offers(name: str) -> None:
    module = registry.load("detector", name)
    own = {"weights": "a"} if name == "opencv_ssd" else {}
    assert module.Settings(**own).kind == name
    assert hasattr(module, "SOURCE")
    assert name == "none" or (callable(module.load) and module.MARGIN)
