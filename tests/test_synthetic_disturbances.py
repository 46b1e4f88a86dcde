"""Disturbances of the synthetic databases: each does what it is named for, and nothing else."""

from dataclasses import fields

import cv2
import numpy as np
import pandas as pd
import pytest

from fleeting.errors import UserError
from fleeting.synthetic.database import write
from fleeting.synthetic.expressions import ActionUnits, action_units
from fleeting.synthetic.face import SEAM, Face
from fleeting.synthetic.format import load_format
from fleeting.synthetic.frame import Camera, Pose, Scene, Shown
from fleeting.synthetic.identity import Identity
from fleeting.synthetic.moment import closed, frame_generator, shown, side
from fleeting.synthetic.plan import plan
from fleeting.synthetic.settings import Disturbances, Settings

EMOTIONS = ("disgust", "happiness", "surprise")
SUBJECTS = {"casme": 6, "casme2": 6}


def settings(emotions=EMOTIONS, **disturbances) -> Settings:
    block = {"subjects": SUBJECTS, "emotions": emotions, "disturbances": disturbances}
    return Settings.model_validate(block)


def clips(given: Settings, database="casme2"):
    return [clip for clip in plan(database, given) if not clip.quirk]


def moments(given: Settings) -> list[dict[str, Shown]]:
    return [
        {
            phase: shown(clip, number, given, frame_generator(clip, number, given))
            for phase, number in (("onset", clip.onset), ("offset", clip.offset))
        }
        for clip in clips(given)
    ]


@pytest.fixture(scope="module")
def scene():
    return Scene(Identity("someone"), Camera(320, 240, face=47, x=160, y=122))


#: Each strongly, and what of a frame it may change.
STRONG = {
    "drift": (8.0, {"pose"}),
    "roll": (6.0, {"pose"}),
    "flicker": (0.3, {"light"}),
    "blinks": (1.0, {"closed"}),
    "one_sided": (1.0, {"left", "right"}),
    "jpeg_quality": (30, set()),
    "identity": (2.0, set()),
}


@pytest.mark.parametrize("name", STRONG)
def test_a_disturbance_changes_what_it_is_named_for_and_nothing_else(name):
    value, changed = STRONG[name]
    assert plan("casme2", settings()) == plan("casme2", settings(**{name: value}))
    pairs = zip(moments(settings()), moments(settings(**{name: value})), strict=True)
    found = {
        field.name
        for before, after in pairs
        for phase in before
        for field in fields(Shown)
        if getattr(before[phase], field.name) != getattr(after[phase], field.name)
    }
    assert found == changed


@pytest.mark.parametrize(("name", "parts", "jitter"), [("drift", "xy", 1.7), ("roll", "r", 0.3)])
def test_the_head_moves_so_far_from_onset_to_offset(name, parts, jitter):
    ways = []
    for moment in moments(settings(**{name: 8.0})):
        first, last = moment["onset"].pose, moment["offset"].pose
        way = (last.x - first.x, last.y - first.y) if parts == "xy" else (last.roll - first.roll,)
        assert abs(np.hypot(*way, *[0] * (2 - len(way))) - 8) <= jitter
        ways.append(way)
    assert (np.ptp(ways, axis=0) > 8).all(), "in directions of their own"


def test_light_flickers_within_its_share(scene):
    lights = [moment["onset"].light for moment in moments(settings(flicker=0.2))]
    assert all(0.8 <= light <= 1.2 for light in lights)
    assert np.ptp(lights) > 0.2
    neutral = ActionUnits()
    usual, dim = (
        scene.frame(Shown(neutral, neutral, light=light), 0, np.random.default_rng(0)).astype(float)
        for light in (1.0, 0.8)
    )
    assert np.abs(dim - 0.8 * usual).max() <= 1


def test_a_blink_closes_the_eyes_for_a_moment(scene):
    always, sometimes = settings(blinks=1), settings(blinks=0.5)
    for clip in clips(always):
        around = range(clip.onset - 40, clip.offset + 41)
        shares = [closed(clip, number, always) for number in around]
        assert max(shares) > 0.99
        # 0.3 s at 200 frames a second.
        assert 57 <= np.count_nonzero(shares) <= 61
    blinking = [any(closed(c, n, sometimes) for n in (c.onset, c.offset)) for c in clips(sometimes)]
    assert 8 < sum(blinking) < 28
    person, neutral = scene.face.person, ActionUnits()
    face = scene.face
    rows = slice(*np.searchsorted(face.grid.y, (person.eye_y - 0.03, person.eye_y + 0.01)))
    middle = slice(*np.searchsorted(face.grid.x, (person.eye_x - 0.02, person.eye_x + 0.02)))
    open_eye, closed_eye = (face.draw(units) for units in (neutral, ActionUnits(au45=1)))
    # The pupil is dark, the lid has the skin's colour in the shadow of the brow.
    assert open_eye[rows, middle, :3].mean() < 70
    shade = closed_eye[rows, middle, :3].mean(axis=(0, 1)) / np.array(person.skin)
    assert 0.5 < shade.min() < shade.max() < shade.min() + 0.05


def test_an_expression_on_one_side_leaves_the_other_neutral():
    face = Face(Identity("someone"))
    smile, neutral = action_units({12: 1}), ActionUnits()
    both, one, none = (
        face.draw_sides(*pair) for pair in ((smile, smile), (smile, neutral), (neutral, neutral))
    )
    left, right = face.grid.x < -SEAM, face.grid.x > SEAM
    assert np.array_equal(one[:, left], both[:, left])
    assert np.abs(one[:, right] - none[:, right]).max() < 1e-3
    given = settings(one_sided=0.5)
    sides = pd.Series([side(clip, given) for name in SUBJECTS for clip in clips(given, name)])
    counts = sides.value_counts()
    assert 24 <= counts["both"] <= 48
    assert min(counts["left"], counts["right"]) > 8
    for clip in clips(settings(one_sided=1)):
        moment = shown(clip, clip.apex, settings(one_sided=1), np.random.default_rng(0))
        assert moment.left.au26 == moment.right.au26
        assert moment.left.au24 == moment.right.au24
        assert moment.left != moment.right


@pytest.mark.parametrize("speed", [30, 60, 200])
@pytest.mark.parametrize("database", ["casme", "casme2", "cas_me2", "samm"])
def test_a_movement_takes_as_long_at_any_speed(database, speed):
    own = load_format(database).FRAMES_PER_SECOND
    block = {"subjects": {database: 4}}
    fast = {**block, "disturbances": {"frames_per_second": speed}}
    for before, after in zip(
        plan(database, Settings(**block)), plan(database, Settings(**fast)), strict=True
    ):
        assert after.frames_per_second == speed
        if before.quirk == "":
            assert after.onset == before.onset
            for name in ("apex", "offset"):
                seconds = (getattr(before, name) - before.onset) / own
                assert abs((getattr(after, name) - after.onset) / speed - seconds) <= 1.5 / speed
        assert after.emotion == before.emotion


def test_how_different_people_are():
    def numbers(name, strength):
        features = vars(Identity(name, strength))
        return {key: np.array(value) for key, value in features.items() if key != "name"}

    first, other, alike = numbers("a", 1), numbers("a", 2), numbers("b", 0)
    assert all(np.allclose(value, numbers("a", 0)[key]) for key, value in alike.items())
    assert np.array_equal(
        Face(Identity("a", 0)).draw(ActionUnits()), Face(Identity("b", 0)).draw(ActionUnits())
    )
    for key in ("face_height", "eye_x", "mouth_y", "hair_length"):
        assert other[key] - alike[key] == pytest.approx(2 * (first[key] - alike[key]))
    for value in (numbers(f"subject {n}", 2) for n in range(50)):
        for colour in ("skin", "hair", "iris", "clothes", "wall_top"):
            assert (value[colour] >= 0).all()
            assert (value[colour] <= 255).all()


def emotions_by(given: Settings, column: str) -> pd.DataFrame:
    rows = pd.DataFrame([clip for name in SUBJECTS for clip in clips(given, name)])
    who = rows["database"] if column == "database" else rows["database"] + rows["subject"]
    return pd.crosstab(who, rows["emotion"])


def test_emotions_are_dealt_evenly_to_databases_and_not_to_subjects():
    block = {"subjects": dict.fromkeys(SUBJECTS, 60), "emotions": EMOTIONS}
    many = Settings.model_validate(block)
    by_database, same = (emotions_by(many, column) for column in ("database", "subject"))
    assert (by_database.to_numpy() == 120).all()
    # Were they dealt subject by subject, as 2, 2 and 2, the others would tell a clip's emotion.
    pairs = (same * (same - 1)).to_numpy().sum() / (120 * 6 * 5)
    assert pairs == pytest.approx(23 / 71, abs=0.03)
    fewer = Settings.model_validate({**block, "subjects": dict.fromkeys(SUBJECTS, 5)})
    assert clips(many)[: len(clips(fewer))] == clips(fewer)


def test_classes_confounded_with_databases_and_subjects():
    wholly = emotions_by(settings(class_by_database=1), "database")
    assert ((wholly > 0).sum(axis=0) == 1).all(), "no emotion is of two databases"
    partly = emotions_by(settings(class_by_database=0.5), "database")
    assert (partly > 0).all(axis=None)
    assert partly.loc["casme2", "happiness"] > partly.loc["casme", "happiness"] + 6
    assert ((emotions_by(settings(class_by_subject=1), "subject") > 0).sum(axis=1) == 1).all()
    assert emotions_by(settings(class_by_subject=0.8), "subject").max(axis=1).mean() > 4


def test_how_far_an_expression_moves_the_face(scene):
    def moved(left, right=None, **others):
        return scene.displacement(Shown(left, right or left, **others))

    neutral, surprise = ActionUnits(), action_units({1: 1, 2: 1, 5: 0.8, 26: 0.8})
    assert moved(neutral) == 0
    full = moved(surprise)
    # The brows rise by a tenth of half the face's width, the lower lip sinks by a seventh.
    assert 3 < full < 0.2 * 47 * scene.face.person.size
    half = action_units({1: 0.5, 2: 0.5, 5: 0.4, 26: 0.4})
    assert moved(half) == pytest.approx(full / 2, rel=0.1)
    assert moved(surprise, pose=Pose(x=9, roll=5), closed=0.7, light=0.5) == full
    assert 0 < moved(surprise, neutral) <= full
    large = Scene(scene.face.person, Camera(640, 480, face=94, x=320, y=244))
    assert large.displacement(Shown(surprise, surprise)) == pytest.approx(2 * full)
    corner = scene.face.points(action_units({15: 1})) - scene.face.points(neutral)
    assert corner[:, 1].max() == pytest.approx(0.1, abs=0.01)


def test_the_truth_says_what_was_rendered(tmp_path):
    block = {"subjects": {"casme2": 1}, "clips_per_subject": 2, "frames_per_clip": 3}
    strong = {name: value for name, (value, _) in STRONG.items()}
    sizes = {}
    for name, disturbances in (("still", {}), ("strong", strong)):
        given = {**block, "disturbances": disturbances}
        truth = write("casme2", given, tmp_path / "t.xlsx", tmp_path / name)
        frames = sorted((tmp_path / name).rglob("*.jpg"))
        sizes[name] = sum(path.stat().st_size for path in frames)
        assert all(cv2.imread(str(path)) is not None for path in frames)
        sound = truth[truth["quirk"] == ""]
        assert (sound["onset_displacement"] < sound["apex_displacement"]).all()
        assert (sound["onset_displacement"] > 0).all()
        way = np.hypot(*(sound[f"offset_{axis}"] - sound[f"onset_{axis}"] for axis in "xy"))
        assert (way < 2).all() if name == "still" else (way > 6).all()
        assert set(sound["side"]) <= ({"both"} if name == "still" else {"left", "right"})
        assert (sound["apex_light"] == 1).all() == (name == "still")
        assert (sound["apex_eyes_closed"] == 0).all() or name == "strong"
    assert sizes["strong"] < 0.6 * sizes["still"]


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ({"disturbances": {"class_by_subject": 0.5}}, "need `emotions`"),
        ({"emotions": ["disgust"]}, "at least 2"),
        ({"disturbances": {"blinks": 2}}, "less than or equal to 1"),
        ({"disturbances": {"frames_per_second": 25}}, "greater than or equal to 30"),
        ({"disturbances": {"rolls": 2}}, "unknown key 'rolls' .do you mean 'roll'"),
    ],
)
def test_settings_that_cannot_be(block, message):
    with pytest.raises(ValueError, match=message):
        Settings.model_validate(block)


def test_emotions_that_a_database_cannot_have():
    with pytest.raises(UserError, match="casme2 has no clips of 'tense'; it has disgust, fear"):
        plan("casme2", settings(emotions=("disgust", "tense")))


def test_no_disturbance_is_on_by_itself():
    strongest = {name: value for name, (value, _) in STRONG.items()}
    neutral = Disturbances().model_dump()
    assert set(strongest) | {"class_by_database", "class_by_subject", "frames_per_second"} == set(
        neutral
    )
    assert [neutral[name] for name in ("identity", "jpeg_quality", "drift")] == [1, 92, 0]
