"""The crops of a database counted: faces found, images lost."""

import pytest

from fleeting import tsv
from fleeting.errors import UserError
from fleeting.faces.counts import log_hit_rate, warn
from fleeting.faces.outcomes import hits

Row = dict[str, str]


def face(image: str, outcome: str = "face") -> Row:
    values = dict.fromkeys(tsv.FACES, "1.0")
    names = {"image": image, "sample": "s", "phase": "onset", "sha256": "0" * 64}
    return {**values, **names, "detector": "blazeface", "outcome": outcome}


def excluded(image: str, code: str = "no_face") -> Row:
    return {**dict.fromkeys(tsv.EXCLUDED, "x"), "image": image, "code": code}


def test_a_database_without_frames() -> None:
    log_hit_rate([], [], "casme2")
    warn([], [], "casme2", "paper", accepted=False)


def test_faces_found_are_counted_where_a_detector_ran() -> None:
    """Not where the box is that of another frame, unless that is because none was found here."""
    crops = [
        ("blazeface", "face, margin beyond the border"),
        ("blazeface", "box of the onset frame"),
        ("blazeface", "no face, box of the apex frame"),
        ("provider", "provider's crop"),
        ("none", "whole picture"),
    ]
    assert hits(*zip(*crops, strict=True), ["no_face", "unreadable_image"]) == (3, 1)


def test_the_share_of_faces_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"):
        log_hit_rate([face("a")], [excluded("b")], "casme2")
    assert "a face in 1 of 2 images (50.0%)" in caplog.text
    with pytest.raises(UserError, match=r"1 of 1 images .*\(1 no face\).*detector.confidence"):
        warn([], [excluded("b")], "casme2", "paper", accepted=True)
