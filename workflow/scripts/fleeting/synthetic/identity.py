"""Who: the features that make one synthetic person, drawn once from a seed.

Lengths are in face units: 1 is half the width of the face at the cheekbones. The origin lies
between the ears, x points to the right of the image, y down. Colours are (blue, green, red).
"""

import numpy as np
from numpy.typing import ArrayLike

from fleeting.synthetic.seeds import generator

Colour = tuple[float, float, float]

LIGHT_SKIN = np.array((168.0, 196.0, 236.0))
DARK_SKIN = np.array((60.0, 88.0, 130.0))
IRISES = ((60, 40, 25), (40, 60, 80), (110, 80, 50), (60, 90, 70), (30, 30, 35))
#: Dark hair first: the darker half of the skins takes one of the first three.
HAIRS = ((18, 18, 22), (25, 40, 65), (90, 90, 95), (40, 75, 120), (70, 130, 180))
#: Mean `hair_length` of all people: half have long hair (0.7 on average), half short (-0.2).
MEAN_HAIR_LENGTH = 0.24
#: The name whose textures all have where faces do not differ.
ANYBODY = "anybody"


class Identity:
    """The person of a name: the same name gives the same person.

    The name also seeds the textures of skin and hair, which never change with the face.
    """

    def __init__(self, name: str, strength: float = 1.0) -> None:
        """Draw the person's features.

        Args:
            name: of the person.
            strength: how far the features are from the mean of all people, as a share of what was
                drawn; at 0 everyone is the same person.
        """
        random = generator("identity", name)

        def scaled(value: float, mean: float) -> float:
            # Not `mean + ...`, which would change the last digit of a feature at strength 1.
            return value + (strength - 1) * (value - mean)

        def between(low: float, high: float) -> float:
            return scaled(float(random.uniform(low, high)), (low + high) / 2)

        def shade(value: ArrayLike, mean: ArrayLike) -> Colour:
            pairs = zip(np.asarray(value, float), np.asarray(mean, float), strict=True)
            blue, green, red = (min(max(scaled(float(v), float(m)), 0.0), 255.0) for v, m in pairs)
            return blue, green, red

        def colour(low: float, high: float, spread: float) -> Colour:
            drawn = random.uniform(low, high) + random.uniform(-spread, spread, 3)
            return shade(drawn, [(low + high) / 2] * 3)

        tone = float(random.uniform(0, 1))
        skin = LIGHT_SKIN * (1 - tone) + DARK_SKIN * tone + random.uniform(-8, 8, 3)
        long_hair = random.random() < 0.5
        self.name = name if strength else ANYBODY
        self.skin = shade(skin, (LIGHT_SKIN + DARK_SKIN) / 2)
        self.skin_roughness = between(1.5, 3.5)
        self.face_height = between(1.30, 1.45)
        self.jaw = between(0.10, 0.32)
        self.eye_x = between(0.40, 0.47)
        self.eye_y = between(-0.17, -0.08)
        self.eye_width = between(0.185, 0.225)
        self.eye_height = between(0.075, 0.10)
        self.iris = shade(IRISES[random.integers(len(IRISES))], np.mean(IRISES, axis=0))
        self.brow_y = between(-0.40, -0.34)
        self.brow_thickness = between(0.035, 0.06)
        self.brow_tilt = between(-0.04, 0.03)
        hair = HAIRS[random.integers(len(HAIRS) if tone < 0.5 else 3)]
        self.hair = shade(hair, np.mean(HAIRS, axis=0))
        self.hair_top = between(0.9, 1.05)
        self.hair_side = between(1.04, 1.14)
        length = random.uniform(0.2, 1.2) if long_hair else random.uniform(-0.35, -0.1)
        self.hair_length = scaled(float(length), MEAN_HAIR_LENGTH)
        self.hairline = between(-0.98, -0.82)
        self.hairline_bend = between(0.28, 0.45)
        self.hairline_phase = between(0, 6.28)
        self.nose_length = between(0.33, 0.42)
        self.nose_width = between(0.18, 0.25)
        self.mouth_y = between(0.66, 0.74)
        self.mouth_width = between(0.34, 0.44)
        self.lip = between(0.075, 0.11)
        self.lip_brightness = between(0.75, 1.0)
        self.light = (between(-0.6, 0.6), between(-0.75, -0.35), 1.0)
        self.roll = between(-4, 4)
        self.size = between(0.9, 1.1)
        self.wall_top = colour(90, 190, 25)
        self.wall_bottom = colour(90, 190, 25)
        self.clothes = colour(50, 180, 40)
