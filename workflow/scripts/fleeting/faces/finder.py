"""The face of a frame: which box is taken, and the error if there is none."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from fleeting.faces import images
from fleeting.faces.box import is_cut, is_plausible
from fleeting.faces.detection import Boxes, Detector, Image
from fleeting.faces.images import Unusable


@dataclass(frozen=True)
class Face:
    """A detected face: its box (x0, y0, x1, y1) in pixels and the confidence.

    `outcome` is what the table says of it; `width` and `height` are the frame's.
    """

    box: tuple[float, float, float, float]
    confidence: float
    outcome: str
    width: int
    height: int

    @property
    def cut(self) -> bool:
        """Whether the border of the frame cuts the face."""
        return is_cut(self.box, self.width, self.height)


class Finder:
    """Finds the face of each frame under a folder, once per file."""

    def __init__(self, root: Path, detector: Detector, confidence: float) -> None:
        """Detect in files under `root`; a face needs at least this confidence."""
        self.root = root
        self.detector = detector
        self.confidence = confidence
        self.found: dict[str, Face | Unusable] = {}
        # A clip's three frames are read once, though each is detected in and then cut.
        self.read = lru_cache(maxsize=4)(self._read)

    def _read(self, path: str) -> Image:
        return images.read(self.root, path)

    def face(self, path: str) -> Face:
        """The face of a frame.

        Raises:
            Unusable: the file is unreadable (`unreadable_image`) or shows no face (`no_face`).
        """
        if path not in self.found:
            try:
                image = self.read(path)
                boxes = self.detector.detect(image)
                self.found[path] = choose(boxes, self.confidence, image.shape[1], image.shape[0])
            except Unusable as error:
                self.found[path] = error
        found = self.found[path]
        if isinstance(found, Unusable):
            raise Unusable(found.code, found.detail)
        return found

    def first_face(self, paths: Sequence[str]) -> int | None:
        """The index of the first frame with a face, or None."""
        for index, path in enumerate(paths):
            try:
                self.face(path)
            except Unusable:
                continue
            return index
        return None


def choose(boxes: Boxes, confidence: float, width: int, height: int) -> Face:
    """The largest of the confident boxes (of equal ones the most confident).

    Raises:
        Unusable: `no_face`, with the best confidence seen.
    """
    usable = [box for box in boxes.tolist() if is_plausible(box, width, height)]
    faces = [box for box in usable if box[4] >= confidence]
    if not faces:
        best = max((box[4] for box in usable), default=0.0)
        raise Unusable("no_face", f"best confidence {best:.3f}, needed {confidence:g}")
    x0, y0, x1, y1, sureness = max(faces, key=lambda box: (box[2] - box[0]) * (box[3] - box[1]))
    outcome = "face" if len(faces) == 1 else f"largest of {len(faces)} faces"
    return Face((x0, y0, x1, y1), sureness, outcome, width, height)
