"""The face of a frame: which of the detected boxes it is, and the error if there is none."""

import math
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

from fleeting.errors import Unusable
from fleeting.faces import images
from fleeting.faces.box import is_plausible
from fleeting.faces.detector import Boxes, Detector
from fleeting.faces.outcomes import NO_FACE

#: A picture whose brightest value is below is too dark to show anything.
DARK = 16


@dataclass(frozen=True)
class Face:
    """A detected face: its box (x0, y0, x1, y1) in pixels and the confidence.

    `outcome` describes it in the table; `width` and `height` are the frame's. `eye_distance` is in
    pixels; None where the detector does not know the eyes.
    """

    box: tuple[float, float, float, float]
    confidence: float
    outcome: str
    width: int
    height: int
    eye_distance: float | None

    @property
    def cut(self) -> bool:
        """Whether the box reaches the border of the frame or beyond."""
        x0, y0, x1, y1 = self.box
        return x0 <= 0 or y0 <= 0 or x1 >= self.width or y1 >= self.height


class FaceFinder:
    """Finds the face of each frame under a folder, once per file."""

    def __init__(self, root: Path, detector: Detector, confidence: float) -> None:
        """Detect in files under `root`; a face needs at least this confidence."""
        self.detector = detector
        self.confidence = confidence
        self.found: dict[str, Face | Unusable] = {}
        # A clip's three frames are read once, though each is detected in and then cut.
        self.read = lru_cache(maxsize=4)(partial(images.read, root))

    def face(self, path: str) -> Face:
        """The face of a frame.

        Raises:
            Unusable: the file is unreadable (`unreadable_image`) or shows no face (`no_face`;
                `dark_picture` where it is nearly black).
        """
        if path not in self.found:
            try:
                image = self.read(path)
                boxes = self.detector.detect(image)
                self.found[path] = choose(boxes, self.confidence, image.shape[1], image.shape[0])
            except Unusable as error:
                self.found[path] = Unusable(error.code, error.detail)
                if error.code == "no_face" and (brightest := int(image.max())) < DARK:
                    detail = f"nearly black: its brightest value is {brightest} of 255"
                    self.found[path] = Unusable("dark_picture", detail)
        found = self.found[path]
        if isinstance(found, Unusable):
            # Always a new error: the traceback of one that was raised holds the frame in memory.
            raise Unusable(found.code, found.detail)
        return found

    def has_face(self, path: str) -> bool:
        """Whether the frame can be read and shows a face."""
        try:
            self.face(path)
        except Unusable:
            return False
        return True

    def was_missed(self, path: str) -> bool:
        """Whether the frame was searched and showed no face."""
        found = self.found.get(path)
        return isinstance(found, Unusable) and found.code in NO_FACE


def choose(boxes: Boxes, confidence: float, width: int, height: int) -> Face:
    """The largest of the confident boxes (among equals, the most confident one).

    Raises:
        Unusable: `no_face`, with the best confidence seen.
    """
    usable = [box for box in boxes.tolist() if is_plausible(box, width, height)]
    faces = [box for box in usable if box[4] >= confidence]
    if not faces:
        best = max((box[4] for box in usable), default=0.0)
        raise Unusable("no_face", f"best confidence {best:.3f}, needed {confidence:g}")
    x0, y0, x1, y1, box_confidence, *eyes = max(
        faces, key=lambda box: (box[2] - box[0]) * (box[3] - box[1])
    )
    eye_distance = math.dist(eyes[:2], eyes[2:]) if eyes else None
    outcome = "face" if len(faces) == 1 else f"largest of {len(faces)} faces"
    return Face((x0, y0, x1, y1), box_confidence, outcome, width, height, eye_distance)
