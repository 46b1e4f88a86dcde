"""The head without eyes, brows and mouth: hair, neck, ears and the shaded skin.

The skin is a height field under one light (Lambert's law with a soft highlight). What a person
keeps from frame to frame (hair, texture) is drawn once.
"""

import cv2
import numpy as np

from fleeting.synthetic.canvas import Array, Grid, Mask, add, blurred, ellipse, paint
from fleeting.synthetic.expressions import ActionUnits
from fleeting.synthetic.identity import Colour, Identity
from fleeting.synthetic.seeds import generator

#: Pixels a face unit: a face some 250 pixels wide, more than most cameras show of it.
UNIT = 120.0
SIDES = (-1, 1)
#: How far the jaw sinks at full action unit 26, in face units.
JAW_DROP = 0.16


class Head:
    """One person's head; `draw` adds the skin of a frame to a canvas."""

    def __init__(self, person: Identity) -> None:
        """Draw what stays: back hair, neck, ears, texture and front hair."""
        self.person = person
        self.grid = Grid.around(UNIT, -1.28, -1.82, 1.28, 2.0)
        self.across = np.abs(self.grid.x)[None, :]
        self.down = self.grid.y[:, None]
        # Plane by plane: NumPy is several times faster so than on pixels of four channels.
        self.back = np.ascontiguousarray(np.moveaxis(self._back(), -1, 0))
        self.texture = np.ascontiguousarray(np.moveaxis(self._texture(), -1, 0)) - self.back[:3]
        self.fringe, self.fringe_cover = self._fringe()

    def draw(self, units: ActionUnits) -> tuple[Array, Mask]:
        """A new canvas with everything behind the features, and the mask of the face."""
        matt, gloss = self._light(self._height(units))
        matt = 0.38 + 0.66 * matt
        gloss *= 18
        face = self._outline(units)
        planes = []
        for colour, texture, back in zip(self.person.skin, self.texture, self.back, strict=False):
            plane = matt * colour
            plane += gloss
            plane += texture
            plane *= face.values
            plane += back
            planes.append(plane)
        planes.append(self.back[3] + face.values * (1 - self.back[3]))
        return np.asarray(cv2.merge(planes), np.float32), face

    def cover_with_hair(self, canvas: Array) -> None:
        """Lay the front hair over the canvas."""
        rows = self.fringe.shape[0]
        canvas[:rows] *= 1 - self.fringe_cover[..., None]
        canvas[:rows] += self.fringe

    def _chin(self, units: ActionUnits) -> Array:
        """Each row's y in the closed face: the jaw drop stretches what lies below the ears."""
        stretch = 1 + JAW_DROP * units.au26 / self.person.face_height
        return np.where(self.down > 0, self.down / np.float32(stretch), self.down)

    def _half_width(self, y: Array) -> Array:
        """Half the width of the face by row, (height, 1)."""
        jaw = self.person.jaw * np.clip(y / self.person.face_height, 0, 1) ** 1.6
        return np.asarray(1 - jaw - 0.04 * np.clip(-y - 0.5, 0, 1), np.float32)

    def _outline(self, units: ActionUnits) -> Mask:
        y = self._chin(units)
        radius = (self.across**2) * (0.93 * self._half_width(y)) ** -2
        radius += (y / self.person.face_height) ** 2
        return Mask(np.clip((1 - radius) * (UNIT / 3), 0, 1), 0, 0)

    def _light(self, height: Array) -> tuple[Array, Array]:
        """Lambert's reflection and a highlight on a height field in face units."""
        slope_x = np.asarray(cv2.Sobel(height, cv2.CV_32F, 1, 0, scale=UNIT / 8), np.float32)
        slope_y = np.asarray(cv2.Sobel(height, cv2.CV_32F, 0, 1, scale=UNIT / 8), np.float32)
        # Python's own numbers: a NumPy scalar of 64 bits would widen every field it meets.
        x, y, z = (
            float(v) for v in np.array(self.person.light) / np.linalg.norm(self.person.light)
        )
        steepness = 1 / np.sqrt(slope_x**2 + slope_y**2 + 1)
        toward = -slope_x * x - slope_y * y
        matt = np.clip((toward + z) * steepness, 0, None)
        gloss = np.clip((toward * 0.5 + z) * steepness, 0, 1)
        for _ in range(5):
            gloss *= gloss
        return matt, gloss

    def _height(self, units: ActionUnits) -> Array:
        person, spot = self.person, self.grid.spot
        y = self._chin(units)
        dome = -(self.across**2) * (0.92 / self._half_width(y) ** 2)
        dome += 1.04 - 0.8 * (y / (person.face_height * 1.06)) ** 2
        height = np.sqrt(np.clip(dome, 0, None) + np.float32(0.01))
        jaw = JAW_DROP * units.au26
        nose = person.eye_y + person.nose_length + 0.02 - 0.03 * units.au9
        self._add_nose(height, nose)
        for side in SIDES:
            add(height, spot(side * person.nose_width * 0.72, nose + 0.02, 0.085, 0.07), 0.07)
            add(height, spot(side * person.eye_x, person.eye_y, 0.20, 0.12), -0.10)
            add(height, spot(side * 0.42, person.brow_y + 0.02, 0.26, 0.085), 0.055)
            cheek = spot(side * 0.52, 0.28 - 0.05 * units.au12, 0.22, 0.2)
            add(height, cheek, 0.05 + 0.06 * units.au12)
            add(height, spot(side * 0.36, 0.5, 0.05, 0.14), -0.02 * (1 + 2 * units.au12))
        add(height, spot(0, person.mouth_y, 0.32, 0.2), 0.07)
        add(height, spot(0, 1.08 + jaw, 0.24, 0.14), 0.05)
        add(height, spot(0, person.mouth_y + 0.2 + jaw, 0.2, 0.05), -0.04)
        add(height, spot(0, nose + 0.13, 0.03, 0.07), -0.03)
        return blurred(height, 0.0135 * UNIT)

    def _add_nose(self, height: Array, tip: float) -> None:
        """A ridge that widens and rises from between the eyes to the tip."""
        top, bottom = tip - self.person.nose_length - 0.14, tip + 0.17
        rows = slice(*np.searchsorted(self.grid.y, (top, bottom)))
        columns = slice(*np.searchsorted(self.grid.x, (-0.4, 0.4)))
        y, x = self.down[rows], self.grid.x[None, columns]
        ramp = np.clip((y - top) / (tip - top), 0, 1)
        fall = np.exp(-((np.clip(y - tip, 0, 1) / 0.06) ** 2))
        height[rows, columns] += 0.24 * ramp * fall * np.exp(-((x / (0.085 + 0.05 * ramp)) ** 2))

    def _back(self) -> Array:
        """Back hair, neck and ears on an empty canvas."""
        person, across, y = self.person, self.across, self.down
        canvas = np.zeros((*self.grid.shape, 4), np.float32)
        top = person.face_height * person.hair_top - 0.02
        hair = ((across / person.hair_side) ** 2.4 + ((y + 0.25) / top) ** 2 < 1) & (
            y < person.hair_length + 0.4
        )
        if person.hair_length > 0:
            hair |= (across < person.hair_side) & (y > -0.2) & (y < person.hair_length + 0.3)
        self._lay(canvas, hair, 0.027, tinted(person.hair, 0.8))
        neck = (across < 0.52 + 0.10 * np.clip(y - 1.2, 0, 1) ** 2) & (y > 0.6)
        neck &= y < person.face_height + 0.42 - 0.35 * across**2
        self._lay(canvas, neck, 0.016, tinted(person.skin, 0.62))
        for side in SIDES:
            ear = self.grid.polygon(ellipse(side * 0.95, -0.02, 0.10, 0.2), 0.011)
            paint(canvas, ear, tinted(person.skin, 0.8))
        return canvas

    def _lay(self, canvas: Array, where: np.ndarray, soft: float, colour: Colour) -> None:
        mask = Mask(blurred(where.astype(np.float32), soft * UNIT), 0, 0)
        paint(canvas, mask, colour)

    def _texture(self) -> Array:
        """Pores, patches and redder cheeks and nose: added to the shaded skin, (h, w, 3)."""
        person = self.person
        random = generator("skin", person.name)
        pores = _noise(random, self.grid.shape, 0.7) * person.skin_roughness
        height, width = self.grid.shape
        patches = _noise(random, (height // 6 + 1, width // 6 + 1), 2) * 2.0
        pores += cv2.resize(patches, (width, height), interpolation=cv2.INTER_CUBIC)
        red = np.zeros(self.grid.shape, np.float32)
        nose = person.eye_y + person.nose_length
        for x, y, spread in ((-0.5, 0.28, 0.25), (0.5, 0.28, 0.25), (0, nose, 0.16)):
            add(red, self.grid.spot(x, y, spread, 0.8 * spread), 0.5)
        return np.asarray(pores[..., None] + red[..., None] * np.array((-8, -6, 10), np.float32))

    def _fringe(self) -> tuple[Array, Array]:
        """Front hair, premultiplied, and its cover, for the upper rows of the canvas."""
        person, across, y = self.person, self.across, self.down
        line = person.hairline + person.hairline_bend * across**2.2
        line = line + 0.05 * np.sin(6 * self.grid.x[None, :] + person.hairline_phase)
        front = (y < line) | ((across > 0.86) & (y < -0.25))
        top = person.face_height * person.hair_top + 0.08
        front &= (across / person.hair_side) ** 2.4 + ((y + 0.15) / top) ** 2 < 1
        cover = blurred(front.astype(np.float32), 0.023 * UNIT)
        random = generator("hair", person.name)
        strands = random.standard_normal(self.grid.shape, np.float32)
        strands = np.asarray(cv2.GaussianBlur(strands, (0, 0), sigmaX=0.9, sigmaY=0.1 * UNIT))
        strands *= np.float32(9 / strands.std())
        matt, _ = self._light(self._height(ActionUnits()))
        hair = np.ones((*self.grid.shape, 4), np.float32)
        hair[..., :3] = (0.7 + 0.35 * matt)[..., None] * np.array(person.hair, np.float32)
        hair[..., :3] += strands[..., None]
        rows = int(np.searchsorted(self.grid.y, 0.0))
        hair[..., :3] = np.clip(hair[..., :3], 0, 255)
        return (hair * cover[..., None])[:rows], cover[:rows]


def tinted(colour: Colour, factor: float) -> Colour:
    """A darker or brighter version of a colour."""
    return colour[0] * factor, colour[1] * factor, colour[2] * factor


def _noise(random: np.random.Generator, shape: tuple[int, int], sigma: float) -> Array:
    """Smoothed noise of standard deviation 1."""
    values = blurred(random.standard_normal(shape, np.float32), sigma)
    return np.asarray(values / values.std(), np.float32)
