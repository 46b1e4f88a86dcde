"""The synthetic face: identities, action units, the curve of an expression."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleeting.errors import UserError
from fleeting.synthetic.expressions import (
    EMOTIONS,
    NUMBERS,
    ActionUnits,
    action_unit_cell,
    action_units,
    expression,
    intensity,
)
from fleeting.synthetic.face import Face
from fleeting.synthetic.frame import Camera, Pose, Scene, Shown
from fleeting.synthetic.identity import Identity

LEVELS = {"onset": 0.4, "apex": 1.0, "offset": 0.6}


@pytest.fixture(scope="module")
def face():
    return Face(Identity("someone"))


@pytest.fixture(scope="module")
def neutral(face):
    return face.draw(ActionUnits())


def test_a_name_is_a_person(neutral):
    assert np.array_equal(Face(Identity("someone")).draw(ActionUnits()), neutral)
    assert np.abs(Face(Identity("another")).draw(ActionUnits()) - neutral).mean() > 2


@pytest.mark.parametrize("number", NUMBERS)
def test_an_action_unit_moves_the_face_further_the_more_it_is_contracted(face, neutral, number):
    images = [face.draw(action_units({number: level})) for level in np.linspace(0, 1.2, 7)]
    distances = [float(np.abs(image - neutral).sum()) for image in images]
    assert distances[0] == 0
    assert all(np.diff(distances) > 0)
    steps = [float(np.abs(images[i + 1] - images[i]).sum()) for i in range(6)]
    assert max(steps) < distances[-1] / 2, "a jump"
    # Visible: some hundred pixels change by more than noise does.
    assert (np.abs(images[5] - neutral)[..., :3].max(-1) > 12).sum() > 100


@pytest.mark.parametrize("number", [1, 2, 4, 5, 12, 15, 24, 26])
def test_brows_and_mouth_leave_each_other_alone(face, neutral, number):
    moved = (face.draw(action_units({number: 1})) != neutral).any(axis=(1, 2))
    rows = face.grid.y[moved]
    person = face.person
    assert rows.max() < person.eye_y + 0.3 if number < 12 else rows.min() >= person.brow_y


def test_background_and_pose():
    scene = Scene(Identity("someone"), Camera(320, 240, face=47, x=160, y=122))
    neutral, smile = ActionUnits(), action_units({12: 1})
    still = scene.frame(Shown(neutral, neutral), 0, np.random.default_rng(0))
    moved = scene.frame(Shown(neutral, neutral, Pose(x=20)), 0, np.random.default_rng(0))
    smiling = scene.frame(Shown(smile, smile), 0, np.random.default_rng(0))
    assert still.shape == (240, 320, 3)
    assert np.array_equal(still[:, :40], moved[:, :40])
    assert np.array_equal(still[:, :40], smiling[:, :40])
    # 20 pixels of a 640x480 frame are 10 here, whatever else the head does.
    inside = np.abs(still[90:150, 120:200].astype(int) - moved[90:150, 130:210]).mean()
    assert inside < 1 < np.abs(still.astype(int) - moved).mean() * 2


def test_noise_is_grain_of_the_given_strength():
    scene = Scene(Identity("someone"), Camera(320, 240, face=47, x=160, y=122, grey=True))
    neutral = Shown(ActionUnits(), ActionUnits())
    clean = scene.frame(neutral, 0, np.random.default_rng(0))
    noisy = scene.frame(neutral, 3, np.random.default_rng(0))
    assert clean.shape == (240, 320)
    assert 2.7 < (noisy.astype(float) - clean).std() < 3.3


@given(onset=st.integers(1, 500), rise=st.integers(0, 40), fall=st.integers(0, 40), data=st.data())
def test_an_expression_rises_to_its_apex_and_falls(onset, rise, fall, data):
    apex, offset = onset + rise, onset + rise + fall
    assert intensity(apex, onset, apex, offset, LEVELS) == 1.0
    if rise:
        assert intensity(onset, onset, apex, offset, LEVELS) == 0.4
    if fall:
        assert intensity(offset, onset, apex, offset, LEVELS) == 0.6
    frame = data.draw(st.integers(onset - 60, offset + 60))
    here, following = (intensity(n, onset, apex, offset, LEVELS) for n in (frame, frame + 1))
    assert 0 <= here <= 1
    assert here <= following if frame < apex else here >= following


def test_an_expression_is_its_emotion_with_a_variation_of_its_own():
    first, second = expression("surprise", "a"), expression("surprise", "b")
    assert first != second
    assert first == expression("surprise", "a")
    assert set(first) == set(EMOTIONS["surprise"])
    assert action_unit_cell(first) == "1+2+5+26"
    assert action_unit_cell({12: 1.0}) == 12


def test_what_no_face_shows_is_named():
    with pytest.raises(UserError, match="boredom"):
        expression("boredom", "a")
    with pytest.raises(UserError, match="action unit 17"):
        action_units({17: 1.0})
