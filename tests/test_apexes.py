"""Methods that find the apex: fabricated clips with a known one, and what must not catch them."""

from functools import cache
from types import ModuleType

import cv2
import numpy as np
import pytest
from pydantic import ValidationError

from fleeting import registry
from fleeting.errors import UserError
from fleeting.examples.apexes import difference, middle, motion
from fleeting.synthetic.format import load_format
from fleeting.synthetic.frame import Scene
from fleeting.synthetic.identity import Identity
from fleeting.synthetic.moment import frame_generator, shown
from fleeting.synthetic.plan import frames_on_disk, plan
from fleeting.synthetic.settings import Settings

SIDE = 224
#: A clip of 25 frames whose mouth is lowest in frame 8: far from the middle.
FRAMES = range(100, 125)
APEX = 8
MOTION = motion.Settings()


@cache
def texture() -> np.ndarray:
    """Soft spots of some pixels, from 60 to 190."""
    random = np.random.default_rng(3)
    soft = cv2.GaussianBlur(random.random((SIDE + 40, SIDE + 40), np.float32), (0, 0), 4)
    return 60 + 130 * (soft - soft.min()) / (soft.max() - soft.min())


def frame(
    mouth: float = 0, closed: float = 0, light: float = 1, drift: float = 0, seed: int = 0
) -> np.ndarray:
    """A textured face whose mouth moves down by some pixels and whose eyes close.

    The head drifts to the right against a still background; there is noise of one grey value.
    """
    rows, columns = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    # The place of each pixel of the head in the texture.
    head = columns - drift
    share = np.exp(-(((head / SIDE - 0.5) / 0.14) ** 2) - ((rows / SIDE - 0.62) / 0.08) ** 2)
    face = cv2.remap(texture(), head + 20, rows + 20 - mouth * share, cv2.INTER_CUBIC)
    for x in (0.36, 0.64):
        place = ((head / SIDE - x) / 0.07) ** 2 + ((rows / SIDE - 0.35) / 0.045) ** 2
        # A dark eye, over which a bright lid comes from above.
        is_open = rows / SIDE > 0.30 + 0.1 * closed
        face = np.where(place < 1, np.where(is_open, 20, 200), face)
    outside = np.abs(head / SIDE - 0.5) > 0.38
    face = np.where(outside, texture()[:SIDE, :SIDE].T, face)
    noise = np.random.default_rng(seed).normal(0, 1, face.shape)
    grey = np.clip(np.rint(face * light + noise), 0, 255).astype(np.uint8)
    return np.dstack([grey] * 3)


def clip(
    most: float = 3, blink: int | None = None, flicker: float = 0, drift: float = 0
) -> list[np.ndarray]:
    """The frames of a clip, whose mouth moves `most` pixels at the apex."""
    random = np.random.default_rng(1)
    last = len(FRAMES) - 1
    made = []
    for place in range(len(FRAMES)):
        share = place / APEX if place <= APEX else (last - place) / (last - APEX)
        closed = 0 if blink is None else max(0, 1 - abs(place - blink) / 3)
        light = 1 + flicker * random.uniform(-1, 1)
        made.append(frame(most * share, closed, light, drift * place / last, seed=place))
    return made


def found(method: ModuleType, pictures: list[np.ndarray], **settings: object) -> int:
    place = method.apex(pictures, list(FRAMES), method.Settings(**settings))
    assert 0 < place < len(pictures) - 1
    return int(place)


@pytest.mark.parametrize("name", registry.names("apex"))
def test_what_every_method_offers(name: str) -> None:
    module = registry.load("apex", name)
    settings = module.Settings()
    assert (settings.kind, settings.replace) == (name, "missing")
    three = [frame(), frame(3), frame()]
    assert module.apex(three, [5, 7, 30], settings) == 1, "the only one between onset and offset"


def test_the_middle_is_that_of_the_numbers() -> None:
    def place(*frames: int) -> int:
        return middle.apex([], frames, middle.Settings())

    assert place(0, 1, 2) == 1
    assert place(0, 1, 2, 3) == 1, "the earlier of two"
    assert place(0, 1, 2, 3, 20) == 3
    assert place(0, 19, 20) == 1


@pytest.mark.parametrize("method", [motion, difference])
def test_a_patch_that_moves(method: ModuleType) -> None:
    # On either side of the apex, the frame's neighbours are as near to it as it may be.
    assert abs(found(method, clip()) - APEX) <= 1


@pytest.mark.parametrize(
    "disturbances",
    [{"blink": 18}, {"flicker": 0.2}, {"drift": 5}, {"blink": 18, "flicker": 0.1, "drift": 5}],
    ids=["a blink", "flicker", "a head that drifts", "all of them"],
)
def test_motion_is_not_caught_by(disturbances: dict[str, float]) -> None:
    assert abs(found(motion, clip(**disturbances)) - APEX) <= 2


def test_the_mask_is_what_a_blink_does_not_pass() -> None:
    """Without it, the blink is taken for the apex; the published method has none."""
    blinking = clip(most=1.5, blink=18)
    assert abs(found(motion, blinking) - APEX) <= 2
    unmasked = {"eye_rows": (0, 0.01), "eye_columns": (0, 0.01)}
    assert abs(found(motion, blinking, **unmasked) - 18) <= 2


def test_smoothing_over_time_takes_the_noise_of_single_frames() -> None:
    rows = np.r_[0, 1, 2, 9, 3, 4, 5, 5, 4, 3, 2, 1, 0.0]
    assert motion._smoothed(rows, 0.0).argmax() == 3
    assert 4 <= motion._smoothed(rows, 1.5).argmax() <= 6
    assert motion._smoothed(np.ones(7), 2).tolist() == pytest.approx([1] * 7)


def test_difference_by_its_formula() -> None:
    greys = [10, 40, 60, 50, 12]
    pictures = [np.full((8, 8, 3), grey, np.uint8) for grey in greys]
    expected = [
        (abs(own - greys[0]) + 1 + abs(own - greys[-1]) + 1) / (abs(own - before) + 1)
        for before, own in zip(greys, greys[1:-1], strict=False)
    ]
    place = difference.apex(pictures, range(5), difference.Settings())
    assert place == 1 + int(np.argmax(expected)) == 3


@pytest.mark.parametrize("name", registry.names("apex"))
def test_a_synthetic_clip(name: str) -> None:
    """Without disturbances, of the full expression: none is far off, and motion is near."""
    block = {"subjects": {"casme2": 1}, "clips_per_subject": 1, "frames_per_clip": "all"}
    block |= {"intensity": {"onset": 0, "apex": 1, "offset": 0}}
    block |= {"disturbances": {"frames_per_second": 60}, "provider_crops": ["casme2"]}
    settings = Settings.model_validate(block)
    first = plan("casme2", settings)[0]
    scene = Scene(Identity("someone"), load_format("casme2").camera(0))
    numbers = frames_on_disk(first, "all")
    pictures = []
    for number in numbers:
        random = frame_generator(first, number, settings)
        whole = scene.frame(shown(first, number, settings, random), settings.noise, random)
        x, y, reach = (round(v) for v in (scene.camera.x, scene.camera.y, 1.4 * scene.camera.face))
        face = whole[y - reach : y + reach, x - reach : x + reach]
        pictures.append(cv2.resize(face, (128, 128), interpolation=cv2.INTER_AREA)[..., ::-1])
    module = registry.load("apex", name)
    place = module.apex([np.ascontiguousarray(one) for one in pictures], numbers, module.Settings())
    length = first.offset - first.onset
    assert abs(numbers[place] - first.apex) <= (0.15 if name == "motion" else 0.5) * length


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ({"rows": (0.5, 0.5)}, "the first share must be less than the second"),
        ({"columns": (0.2, 1.2)}, "columns"),
        ({"eye_rows": (0, 1), "eye_columns": (0, 1)}, "cover all of rows and columns"),
        ({"smoothing": -1}, "smoothing"),
        ({"algorithm": "fast"}, "no flow is called 'fast'"),
        ({"replace": "some"}, "replace"),
    ],
)
def test_settings_that_find_nothing(block: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        motion.Settings.model_validate(block)


def test_crops_in_which_no_pixel_counts() -> None:
    with pytest.raises(UserError, match="leave no pixel of crops of 224 x 224; set wider ones"):
        found(motion, clip(), rows=(0.5, 0.501))
    tiny = [picture[:8, :8].copy() for picture in clip()]
    with pytest.raises(UserError, match="dis needs crops of at least 12 x 12 pixels"):
        found(motion, tiny)
