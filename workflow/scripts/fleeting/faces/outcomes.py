"""The values of FACES.outcome that code decides by, and the hit rate that follows from them."""

from collections.abc import Iterable

#: The codes of frames that were searched and showed no face.
NO_FACE = ("no_face", "dark_picture")
#: Values of FACES.detector where no detector ran.
PROVIDER, NONE = "provider", "none"
#: How an outcome begins where the box is from another frame of the clip: this frame was not
#: searched, or no face was found in it.
BORROWED, MISSED = "box of", "no face"


def of_borrowed_box(donor: str, missed: bool) -> str:
    """The outcome of a crop that has the box of another frame (`onset`, or a frame number)."""
    borrowed = f"{BORROWED} the {donor} frame"
    return f"{MISSED}, {borrowed}" if missed else borrowed


def hits(
    detectors: Iterable[str], outcomes: Iterable[str], codes: Iterable[str]
) -> tuple[int, int]:
    """How many images the detector searched, and in how many it found a face.

    Args:
        detectors: the column `detector` of FACES.
        outcomes: the column `outcome` of FACES.
        codes: the column `code` of EXCLUDED.
    """
    pairs = zip(detectors, outcomes, strict=True)
    detected = [outcome for detector, outcome in pairs if detector not in (PROVIDER, NONE)]
    found = sum(not outcome.startswith((BORROWED, MISSED)) for outcome in detected)
    missed = sum(outcome.startswith(MISSED) for outcome in detected)
    missed += sum(code in NO_FACE for code in codes)
    return found + missed, found
