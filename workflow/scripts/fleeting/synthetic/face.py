"""One person's face: where action units move eyes, brows, nose, mouth and folds.

Every coordinate is a smooth function of the action units, so that a small change of a level is a
small change of the picture.
"""

from copy import copy

import numpy as np

from fleeting.synthetic.canvas import (
    NOTHING,
    Array,
    Grid,
    Mask,
    PointKeeper,
    Points,
    curve,
    ellipse,
    paint,
)
from fleeting.synthetic.expressions import ActionUnits
from fleeting.synthetic.head import JAW_DROP, SIDES, Head, tinted
from fleeting.synthetic.identity import Identity
from fleeting.synthetic.seeds import generator

#: Half the width of an average face in a 640x480 frame, in pixels.
USUAL_FACE = 94.0
#: One pixel there, at which the measures below were tuned, in face units.
FINE = 1 / USUAL_FACE
HAIRS_A_BROW = 46
#: Half the width of the seam between two sides with different action units, in face units.
SEAM = 0.06


class Face:
    """A person whose face can be drawn again and again; only what moves is drawn each time."""

    def __init__(self, person: Identity) -> None:
        """Fix what never moves: the head, and the offsets of the single hairs of the brows."""
        self.person = person
        self.head = Head(person)
        self.grid: Grid = self.head.grid
        random = generator("brows", person.name)
        self.brow_offsets = random.uniform(-0.5, 0.6, (2, HAIRS_A_BROW))
        self.brow_lengths = random.uniform(0.02, 0.04, (2, HAIRS_A_BROW))

    def draw(self, units: ActionUnits) -> Array:
        """Head and neck, premultiplied (height, width, 4) float32: colours 0..255, cover 0..1."""
        canvas, outline = self.head.draw(units)
        self._features(canvas, outline, units)
        self.head.cover_with_hair(canvas)
        return canvas

    def draw_sides(self, left: ActionUnits, right: ActionUnits) -> Array:
        """As `draw`, with action units of its own for each side of the picture."""
        drawn = self.draw(left)
        if left != right:
            share = np.clip((self.grid.x / SEAM + 1) / 2, 0, 1)[None, :, None]
            drawn += share * (self.draw(right) - drawn)
        return drawn

    def points(self, units: ActionUnits) -> Points:
        """Where the points of all features lie, (n, 2) of x and y in face units.

        The same row is the same point of the face, whatever the action units.
        """
        undrawn, keeper = copy(self), PointKeeper(self.grid.unit, self.grid.x, self.grid.y)
        undrawn.grid = keeper
        undrawn._features(np.zeros((0, 0, 4), np.float32), NOTHING, units)
        return np.concatenate(keeper.points)

    def _features(self, canvas: Array, outline: Mask, units: ActionUnits) -> None:
        self._folds(canvas, outline, units)
        for number, side in enumerate(SIDES):
            self._eye(canvas, side, units)
            self._brow(canvas, side, number, units)
        self._mouth(canvas, outline, units)

    def _shade(self, canvas: Array, face: Mask, mask: Mask, strength: float) -> None:
        paint(canvas, mask.within(face), tinted(self.person.skin, 0.25), strength)

    def _folds(self, canvas: Array, face: Mask, units: ActionUnits) -> None:
        person, grid = self.person, self.grid
        nose = person.eye_y + person.nose_length + 0.02 - 0.03 * units.au9
        width, mouth = person.nose_width, person.mouth_y

        def shade(mask: Mask, strength: float) -> None:
            self._shade(canvas, face, mask, strength)

        for side in SIDES:
            eye = side * person.eye_x
            shade(grid.spot(eye - side * 0.1, person.eye_y - 0.06, 0.16, 0.10), 0.28)
            shade(grid.spot(eye, person.eye_y + 0.14, 0.16, 0.03), 0.16)
            fold = curve(
                (side * (width + 0.03), nose - 0.02),
                (side * (width + 0.13 + 0.03 * units.au12), nose + 0.14),
                (side * (person.mouth_width + 0.05 + 0.05 * units.au12), mouth - 0.02),
            )
            deep = 0.14 + 0.35 * units.au12 + 0.25 * units.au9
            shade(grid.line(fold, 0.022, 2 * FINE), deep)
            wing = curve(
                (side * width * 0.5, nose + 0.075),
                (side * width * 0.95, nose + 0.06),
                (side * width * 1.02, nose - 0.03),
            )
            shade(grid.line(wing, 0.03, 1.6 * FINE), 0.38)
            nostril = ellipse(side * width * 0.5, nose + 0.075, 0.065, 0.028)
            shade(grid.polygon(nostril, 1.0 * FINE), 0.85)
            frown = curve((side * 0.055, person.brow_y + 0.02), (side * 0.05, person.brow_y + 0.13))
            shade(grid.line(frown, 0.02, 1.2 * FINE), 0.55 * units.au4)
            for row in range(3):
                y = person.eye_y + 0.05 * row
                wrinkle = curve(
                    (side * 0.02, y + 0.06), (side * 0.09, y + 0.04), (side * 0.15, y + 0.08)
                )
                shade(grid.line(wrinkle, 0.014, 1.2 * FINE), 0.30 * units.au9)
        self._forehead(canvas, face, units)
        shade(grid.spot(0, nose + 0.11, 0.12, 0.03), 0.25)
        shade(grid.spot(0, mouth + 0.19 + JAW_DROP * units.au26, 0.2, 0.035), 0.3)

    def _forehead(self, canvas: Array, face: Mask, units: ActionUnits) -> None:
        """Lines across the forehead: the middle rises with unit 1, the sides with unit 2."""
        for row in range(3):
            y = self.person.brow_y - 0.17 - 0.09 * row
            for x, level in ((-0.27, units.au2), (0.0, units.au1), (0.27, units.au2)):
                wrinkle = curve((x - 0.17, y + 0.01), (x, y - 0.015), (x + 0.17, y + 0.01))
                mask = self.grid.line(wrinkle, 0.016, 1.6 * FINE)
                self._shade(canvas, face, mask, 0.04 + 0.28 * level)

    def _eye(self, canvas: Array, side: int, units: ActionUnits) -> None:
        person, grid = self.person, self.grid
        x, y, height = side * person.eye_x, person.eye_y, person.eye_height
        upper = height * (1 + 0.6 * units.au5 - 0.22 * units.au4 - 0.32 * units.au9)
        lower = height * 0.62 * (1 - 0.25 * units.au12 - 0.2 * units.au9)
        along = np.linspace(-1, 1, 40)
        tilt = 0.012 * along * side
        lid_x = x + along * person.eye_width
        # In a blink the upper lid falls onto the lower one.
        upper -= (upper + 0.85 * lower) * units.au45
        upper_lid = np.stack([lid_x, y - upper * (1 - np.abs(along) ** 2.2) - tilt], 1)
        lower_lid = np.stack([lid_x, y + lower * (1 - np.abs(along) ** 2.4) - tilt], 1)
        lower_lid = np.maximum(lower_lid, upper_lid)
        opening = grid.polygon(np.concatenate([upper_lid, lower_lid[::-1]]), 0.5 * FINE)
        paint(canvas, opening, (205, 208, 212))
        for radius, colour in (
            (1.02, tinted(person.iris, 0.55)),
            (0.87, person.iris),
            (0.46, (8, 8, 8)),
        ):
            disc = ellipse(x, y - 0.012, radius * height, radius * height)
            paint(canvas, grid.polygon(disc, 0.5 * FINE).within(opening), colour)
        glint = ellipse(x - 0.025, y - 0.042, 0.16 * height, 0.16 * height)
        paint(canvas, grid.polygon(glint, 0.5 * FINE).within(opening), (250, 250, 250), 0.9)
        shadow = grid.line(upper_lid, 0.05, 1.8 * FINE).within(opening)
        paint(canvas, shadow, (30, 30, 40), 0.55)
        paint(canvas, grid.line(upper_lid, 0.026, 0.5 * FINE), (15, 15, 20), 0.9)
        paint(canvas, grid.line(lower_lid, 0.012, 0.7 * FINE), tinted(person.skin, 0.35), 0.6)
        crease = upper_lid[4:-4] - (0, 0.055 + 0.01 * units.au1)
        paint(canvas, grid.line(crease, 0.014, FINE), tinted(person.skin, 0.25), 0.5)

    def _brow(self, canvas: Array, side: int, number: int, units: ActionUnits) -> None:
        person = self.person
        eye, y = side * person.eye_x, person.brow_y
        rise, lower = 0.1 * units.au1, units.au4
        inner = (
            eye - side * (person.eye_width + 0.02 + 0.05 * lower),
            y + 0.03 + person.brow_tilt - rise + 0.1 * lower + 0.03 * units.au9,
        )
        middle = (eye + side * 0.04, y - 0.025 - 0.5 * rise - 0.07 * units.au2 + 0.06 * lower)
        outer = (
            eye + side * (person.eye_width + 0.09),
            y + 0.055 - 0.1 * units.au2 + 0.03 * lower,
        )
        centre = curve(inner, middle, outer, steps=HAIRS_A_BROW)
        along = np.linspace(0, 1, HAIRS_A_BROW)
        half = person.brow_thickness * np.interp(along, [0, 0.15, 0.6, 1], [0.75, 1, 0.8, 0.2])
        edge = np.stack([np.zeros_like(half), half * 0.6], 1)
        band = self.grid.polygon(np.concatenate([centre - edge, (centre + edge)[::-1]]), 1.2 * FINE)
        paint(canvas, band, tinted(person.hair, 0.62), 0.72)
        roots = centre + np.stack([np.zeros_like(half), self.brow_offsets[number] * half], 1)
        tips = roots + np.stack([np.full_like(half, side * 0.035), -self.brow_lengths[number]], 1)
        hairs = [np.stack([root, tip]) for root, tip in zip(roots, tips, strict=True)]
        paint(canvas, self.grid.strokes(hairs, 0.3 * FINE), tinted(person.hair, 0.45), 0.8)

    def _mouth(self, canvas: Array, face: Mask, units: ActionUnits) -> None:
        person, grid, y = self.person, self.grid, self.person.mouth_y
        half = person.mouth_width * (
            1 + 0.18 * units.au12 - 0.13 * units.au24 + 0.03 * units.au15 - 0.06 * units.au26
        )
        corner = y - 0.095 * units.au12 + 0.1 * units.au15 + 0.055 * units.au26
        lip = person.lip * max(1 - 0.7 * units.au24, 0.1)
        drop = 0.19 * units.au26
        lift = 0.055 * units.au9
        upper_edge = curve(
            (-half, corner),
            (-half * 0.45, y - lip * 0.78 - lift),
            (-0.06, y - lip - lift),
            (0, y - lip * 0.8 - lift),
            (0.06, y - lip - lift),
            (half * 0.45, y - lip * 0.78 - lift),
            (half, corner),
        )
        lower_edge = curve(
            (-half, corner),
            (-half * 0.5, y + lip * 0.92 + drop * 0.95),
            (0, y + lip * 1.25 + drop),
            (half * 0.5, y + lip * 0.92 + drop * 0.95),
            (half, corner),
        )
        upper_lip = self._parting(half, corner, -0.004 - 0.5 * lift)
        lower_lip = self._parting(half, corner, drop)
        red = np.array(person.skin) * (0.72, 0.66, 0.92) * person.lip_brightness
        for edge, parting, light in ((upper_edge, upper_lip, 0.78), (lower_edge, lower_lip, 0.97)):
            lips = grid.polygon(np.concatenate([edge, parting[::-1]]), 0.9 * FINE)
            paint(canvas, lips, tuple(red * light), 0.85)
        opening = grid.polygon(np.concatenate([upper_lip, lower_lip[::-1]]), 0.6 * FINE)
        paint(canvas, opening, (25, 18, 45))
        self._teeth(canvas, upper_lip, opening, min(drop * 0.35 + lift * 0.3, 0.06))
        paint(canvas, grid.line(upper_lip, 0.02, 0.6 * FINE), (30, 25, 50), 0.75)
        paint(canvas, grid.spot(0, y + lip * 0.65 + drop, 0.14, 0.02), (225, 225, 240), 0.18)
        for side in SIDES:
            self._shade(canvas, face, grid.spot(side * (half + 0.01), corner, 0.04, 0.035), 0.45)
        self._shade(canvas, face, grid.spot(0, y + lip * 1.25 + drop + 0.05, 0.18, 0.03), 0.3)
        bulge = 0.3 * units.au24
        for offset in (-lip * 0.8 - 0.06, lip * 1.25 + drop + 0.03):
            self._shade(canvas, face, grid.spot(0, y + offset, 0.26, 0.022), bulge)

    def _parting(self, half: float, corner: float, drop: float) -> Points:
        """The edge of a lip towards the mouth's opening, `drop` below the closed mouth."""
        y = self.person.mouth_y
        return curve(
            (-half, corner),
            (-half * 0.45, y + 0.012 + drop * 0.85),
            (0, y + 0.004 + drop),
            (half * 0.45, y + 0.012 + drop * 0.85),
            (half, corner),
        )

    def _teeth(self, canvas: Array, upper_lip: Points, opening: Mask, length: float) -> None:
        edge = upper_lip * (0.75, 1)
        teeth = np.concatenate([edge, (edge + (0, length))[::-1]])
        visible = self.grid.polygon(teeth, 0.8 * FINE).within(opening)
        paint(canvas, visible, (200, 210, 215), 0.85)
