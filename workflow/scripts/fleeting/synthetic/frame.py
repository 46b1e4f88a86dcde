"""The camera: a face before its background, as one frame of a video."""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from fleeting.synthetic.canvas import Array, blurred
from fleeting.synthetic.expressions import ActionUnits
from fleeting.synthetic.face import USUAL_FACE, Face
from fleeting.synthetic.identity import Identity

Image = NDArray[np.uint8]
#: Width of the blur of the lens, in pixels.
LENS = 0.6


@dataclass(frozen=True)
class Camera:
    """Size of a frame, half the width of an average face in it, its centre, and its colour.

    All lengths are in pixels; `x` and `y` say where the point between the ears lies.
    """

    width: int
    height: int
    face: float
    x: float
    y: float
    grey: bool = False


@dataclass(frozen=True)
class Pose:
    """A small movement of the head: pixels of a 640x480 frame, degrees, and a change of size."""

    x: float = 0.0
    y: float = 0.0
    roll: float = 0.0
    size: float = 1.0


@dataclass(frozen=True)
class Shown:
    """What one frame shows.

    Attributes:
        left: the expression on the left side of the picture.
        right: on the right side.
        pose: of the head.
        closed: how far the eyes are closed by a blink, from 0 to 1.
        light: as a share of the usual.
    """

    left: ActionUnits
    right: ActionUnits
    pose: Pose = Pose()
    closed: float = 0.0
    light: float = 1.0


class Scene:
    """One person before one camera."""

    def __init__(self, person: Identity, camera: Camera) -> None:
        """Draw the layers that every frame shares: background, clothes, and the face's own."""
        self.camera = camera
        self.face = Face(person)
        self._neutral = self.face.points(ActionUnits())
        self.background = self._background(person)

    def frame(self, shown: Shown, noise: float, random: np.random.Generator) -> Image:
        """One frame, uint8: (height, width, 3) in BGR, or (height, width) from a grey camera.

        `noise` is the standard deviation of the sensor's noise in grey values.
        """
        image = self.background.copy()
        sides = (replace(units, au45=shown.closed) for units in (shown.left, shown.right))
        drawn = self.face.draw_sides(*sides)
        self._lay(image, drawn, self._placement(shown.pose))
        image *= np.float32(shown.light)
        grain = random.standard_normal(image.shape[:2], np.float32)
        grain *= np.float32(noise)
        layer = grain if self.camera.grey else cv2.merge([grain] * 3)
        return np.asarray(cv2.add(image, layer, dtype=cv2.CV_8U), np.uint8)

    def displacement(self, shown: Shown) -> float:
        """How far the expression moves the face: the 95th percentile over its features' points.

        In pixels of the frame, from the neutral face; neither the head's movement nor a blink
        counts. The features are brows, eyes, nose, mouth and the folds between them.
        """
        left = moved = self.face.points(shown.left) - self._neutral
        if shown.right != shown.left:
            right = self.face.points(shown.right) - self._neutral
            moved = np.where(self._neutral[:, :1] < 0, left, right)
        lengths = np.hypot(moved[:, 0], moved[:, 1])
        return float(np.quantile(lengths, 0.95)) * self._scale(shown.pose)

    def place(self, pose: Pose) -> NDArray[np.float64]:
        """Where the point between the ears lies, about which the head rolls, in pixels (x, y)."""
        shift = self.camera.face / USUAL_FACE
        return np.array((self.camera.x + pose.x * shift, self.camera.y + pose.y * shift))

    def _scale(self, pose: Pose) -> float:
        """Pixels of the frame a face unit."""
        return self.camera.face * self.face.person.size * pose.size

    def _placement(self, pose: Pose) -> NDArray[np.float64]:
        """The affine map from the canvas of the face to the frame, (2, 3)."""
        person, grid = self.face.person, self.face.grid
        angle = np.deg2rad(person.roll + pose.roll)
        turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        linear = turn * (self._scale(pose) / grid.unit)
        origin = grid.pixels(np.zeros(2))
        return np.concatenate([linear, (self.place(pose) - linear @ origin)[:, None]], axis=1)

    def _lay(self, image: Array, drawn: Array, placement: NDArray[np.float64]) -> None:
        """Lay the drawn face over the image, working only where it can reach."""
        height, width = drawn.shape[:2]
        corners = np.array([(0, 0, 1), (width, 0, 1), (0, height, 1), (width, height, 1)], float)
        reached = corners @ placement.T
        limit = (self.camera.width, self.camera.height)
        left, top = np.clip(np.floor(reached.min(0)).astype(int), 0, limit)
        right, bottom = np.clip(np.ceil(reached.max(0)).astype(int) + 1, 0, limit)
        local = placement.copy()
        local[:, 2] -= (left, top)
        if self.camera.grey:
            weights = np.array([[0.114, 0.587, 0.299, 0], [0, 0, 0, 1]], np.float32)
            drawn = np.asarray(cv2.transform(drawn, weights), np.float32)
        size = (int(right - left), int(bottom - top))
        warped = np.asarray(cv2.warpAffine(drawn, local, size, flags=cv2.INTER_LINEAR))
        warped = blurred(warped, LENS)
        window = image[top:bottom, left:right]
        *colours, cover = cv2.split(warped)
        window *= cv2.merge([1 - cover] * len(colours))
        window += cv2.merge(colours)

    def _background(self, person: Identity) -> Array:
        """A wall that changes colour from top to bottom, and shoulders."""
        camera = self.camera
        x = (np.arange(camera.width, dtype=np.float32)[None, :] - camera.x) / camera.face
        y = (np.arange(camera.height, dtype=np.float32)[:, None] - camera.y) / camera.face
        share = np.linspace(0, 1, camera.height, dtype=np.float32)[:, None, None]
        top = np.array(person.wall_top, np.float32)
        wall = top + share * (np.array(person.wall_bottom, np.float32) - top)
        image = np.repeat(wall, camera.width, axis=1)
        collar = person.face_height * person.size + 0.26 + 0.22 * np.abs(x) ** 1.5
        torso = blurred(((y > collar) & (np.abs(x) < 2.1)).astype(np.float32), camera.face / 60)
        cloth = np.array(person.clothes, np.float32) * (1.06 - 0.1 * np.abs(x))[..., None]
        image += torso[..., None] * (cloth - image)
        return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)) if camera.grey else image
