"""Who: the features that make one synthetic person, drawn once from a seed.

Lengths are in face units: 1 is half the width of the face at the cheekbones. The origin lies
between the ears, x points to the right of the image, y down. Colours are (blue, green, red).
"""

from dataclasses import dataclass

import numpy as np

from fleeting.synthetic.seeds import generator

Colour = tuple[float, float, float]

LIGHT_SKIN = np.array((168.0, 196.0, 236.0))
DARK_SKIN = np.array((60.0, 88.0, 130.0))
IRISES: tuple[Colour, ...] = (
    (60, 40, 25),
    (40, 60, 80),
    (110, 80, 50),
    (60, 90, 70),
    (30, 30, 35),
)
#: Dark hair first: the darker half of the skins takes one of the first three.
HAIRS: tuple[Colour, ...] = (
    (18, 18, 22),
    (25, 40, 65),
    (90, 90, 95),
    (40, 75, 120),
    (70, 130, 180),
)


@dataclass(frozen=True)
class Identity:
    """One person. `name` seeds the textures of skin and hair, which never change with the face."""

    name: str
    skin: Colour
    skin_roughness: float
    face_height: float
    jaw: float
    eye_x: float
    eye_y: float
    eye_width: float
    eye_height: float
    iris: Colour
    brow_y: float
    brow_thickness: float
    brow_tilt: float
    hair: Colour
    hair_top: float
    hair_side: float
    hair_length: float
    hairline: float
    hairline_bend: float
    hairline_phase: float
    nose_length: float
    nose_width: float
    mouth_y: float
    mouth_width: float
    lip: float
    lip_brightness: float
    light: tuple[float, float, float]
    roll: float
    size: float
    wall_top: Colour
    wall_bottom: Colour
    clothes: Colour


def identity(name: str) -> Identity:
    """The person of that name: the same name gives the same person."""
    random = generator("identity", name)

    def between(low: float, high: float) -> float:
        return float(random.uniform(low, high))

    def colour(low: float, high: float, spread: float) -> Colour:
        blue, green, red = random.uniform(low, high) + random.uniform(-spread, spread, 3)
        return float(blue), float(green), float(red)

    tone = between(0, 1)
    skin = LIGHT_SKIN * (1 - tone) + DARK_SKIN * tone + random.uniform(-8, 8, 3)
    long_hair = random.random() < 0.5
    return Identity(
        name=name,
        skin=(float(skin[0]), float(skin[1]), float(skin[2])),
        skin_roughness=between(1.5, 3.5),
        face_height=between(1.30, 1.45),
        jaw=between(0.10, 0.32),
        eye_x=between(0.40, 0.47),
        eye_y=between(-0.17, -0.08),
        eye_width=between(0.185, 0.225),
        eye_height=between(0.075, 0.10),
        iris=IRISES[random.integers(len(IRISES))],
        brow_y=between(-0.40, -0.34),
        brow_thickness=between(0.035, 0.06),
        brow_tilt=between(-0.04, 0.03),
        hair=HAIRS[random.integers(len(HAIRS) if tone < 0.5 else 3)],
        hair_top=between(0.9, 1.05),
        hair_side=between(1.04, 1.14),
        hair_length=between(0.2, 1.2) if long_hair else between(-0.35, -0.1),
        hairline=between(-0.98, -0.82),
        hairline_bend=between(0.28, 0.45),
        hairline_phase=between(0, 6.28),
        nose_length=between(0.33, 0.42),
        nose_width=between(0.18, 0.25),
        mouth_y=between(0.66, 0.74),
        mouth_width=between(0.34, 0.44),
        lip=between(0.075, 0.11),
        lip_brightness=between(0.75, 1.0),
        light=(between(-0.6, 0.6), between(-0.75, -0.35), 1.0),
        roll=between(-4, 4),
        size=between(0.9, 1.1),
        wall_top=colour(90, 190, 25),
        wall_bottom=colour(90, 190, 25),
        clothes=colour(50, 180, 40),
    )
