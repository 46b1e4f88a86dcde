"""The figure of what moves in a clip of each class, and who may be seen in it."""

import numpy as np
import pytest
from matplotlib.image import AxesImage
from matplotlib.quiver import Quiver

from fleeting import layout, tsv
from fleeting.drawing import motion_maps
from fleeting.errors import UserError
from fleeting.figures import motion_of_clips
from motion_clips import SIDE, draw, make, read, uniform
from painted_faces import shows_skin

FIGURES = ("motion_of_clips", "strain_by_class")


@pytest.mark.parametrize(
    ("kind", "expected", "unit"), [("flow", (4, -2, 1), "px"), ("image", (1, -0.5, 0.25), "units")]
)
def test_a_motion_is_in_pixels_or_in_what_ready_pictures_call_1(tmp_path, kind, expected, unit):
    stored = uniform(11, 14, 8)
    make(tmp_path, {"s1/a": ("up", stored)}, ("strain", "apex_horizontal", "vertical"), 10, 4)
    ((clip, motion),) = read(tmp_path, kind)
    assert clip["example"] == "casme/s1/a/1"
    assert motion.shape == (SIDE, SIDE, 3)
    assert motion[3, 5].tolist() == list(expected)
    assert motion_maps.unit({"kind": kind}) == unit


def test_each_clip_is_read_once_with_its_own_motion(tmp_path, monkeypatch):
    monkeypatch.setattr(motion_maps, "BLOCK", 2)
    names = ("s1/a", "s1/b", "s2/a", "s3/a", "s3/b")
    make(tmp_path, {name: ("up", uniform(place, 0)) for place, name in enumerate(names)})
    found = [(clip["sample"], motion[0, 0, 0]) for clip, motion in read(tmp_path)]
    assert found == [(f"casme/{name}/1", place) for place, name in enumerate(names)]


def test_the_size_of_a_motion_is_the_95th_percentile_of_its_lengths():
    motion = uniform(0, 0, 9, side=10)
    motion.reshape(100, 3)[:, :2] = np.arange(100)[:, None] * (3, 4)
    assert motion_maps.size(motion) == pytest.approx(5 * 94.05)


@pytest.mark.parametrize("name", FIGURES)
def test_an_input_without_motion_is_refused(tmp_path, name):
    make(tmp_path, {"s1/a": ("up", uniform(1, 1))}, channels=("red", "green", "blue"))
    with pytest.raises(UserError, match="channels are red, green, blue, but .*horizontal"):
        draw(name, tmp_path)


def test_only_experiments_whose_input_holds_one_motion_have_the_figures():
    pictures = {"kind": "image", "crop": "paper"}
    ready = {**pictures, "channels": ["horizontal", "vertical", "strain"]}
    flow = {"kind": "flow_onset_offset", "crop": "paper"}
    grid = {"grid": {"lrs": ["1e-02"]}}
    config = {
        "inputs": {"pictures": pictures, "ready": ready, "flow": flow},
        "experiments": {name: {"input": name, **grid} for name in ("pictures", "ready", "flow")},
    }
    paths = set(layout.output_paths(config, "figure", ".svg"))
    for name in FIGURES:
        found = {path for path in paths if path.endswith(f"/{name}.svg")}
        assert found == {f"experiments/{own}/figures/{name}.svg" for own in ("ready", "flow")}
    assert "experiments/pictures/figures/protocol.svg" in paths


SHOWN_ALL = {
    "s1/a": ("up", uniform(0, -1, 0.1)),
    "s1/b": ("up", uniform(0, -3, 0.2)),
    "s2/a": ("up", uniform(0, -8, 0.3)),
    "s2/b": ("down", uniform(0, 2, 0.1)),
    "s3/a": ("down", uniform(0, 5, 0.4)),
}


def titles(figure) -> list[str]:
    return [part.get_suptitle() for part in figure.subfigs if part.get_suptitle()]


def test_the_clip_nearest_to_its_class_median_is_drawn(tmp_path):
    make(tmp_path, SHOWN_ALL)
    figure = draw("motion_of_clips", tmp_path, "synthetic", ["casme"])
    assert titles(figure) == [
        "down: CASME, s2, b; moves 2 px, the class's median 3.5 px",
        "up: CASME, s1, b; moves 3 px, the class's median 3 px",
    ]
    first, second, *_ = figure.subfigs
    below = [axes.get_xlabel() for axes in first.axes]
    assert below == ["onset", "apex", "motion", "arrows × 2", "strain"]
    (hues,), (strain,) = first.axes[2].images, first.axes[4].images
    assert (hues.get_array()[0, 0] == motion_maps.colours(uniform(0, 2), 3)[0, 0]).all()
    assert np.allclose(strain.get_array(), 0.1)
    assert hues.get_extent() == [0, 48, 48, 0], "in pixels of the crop"
    (other,) = second.axes[4].images
    assert other.norm is strain.norm, "one scale for all"
    assert figure.get_supxlabel() == ""


def test_eye_distances_are_called_so_and_drawn_in_pixels(tmp_path):
    """Arrows lie over a crop, so they are as many times as long as is said in its pixels."""
    make(tmp_path, {"s1/a": ("up", uniform(0, -0.05)), "s2/a": ("up", uniform(0, -0.05))})
    table = tmp_path / "faces/paper/casme.tsv"
    tsv.write(tsv.read(table, tsv.FACES).assign(eye_distance="40"), table, tsv.FACES)
    shown = "synthetic", ["casme"], "flow"
    figure = draw("motion_of_clips", tmp_path, *shown, measured_in="eye_distances")
    (title,) = titles(figure)
    assert "moves 0.05 eye distances, the class's median 0.05 eye distances" in title
    assert "rim: 0.05 eye distances" in {axes.get_title() for axes in figure.subfigs[-1].axes}
    panel = figure.subfigs[0].axes[3]
    assert panel.get_xlabel() == "arrows × 5"
    (drawn,) = panel.findobj(Quiver)
    assert np.allclose(drawn.V, -0.05 * 40 * 5)


def test_only_who_may_be_shown_is_drawn_and_the_others_are_counted(tmp_path):
    """The median is that of all clips; a motion shows its person as a crop does."""
    make(tmp_path, SHOWN_ALL)
    figure = draw("motion_of_clips", tmp_path, ["casme/s2"])
    assert titles(figure) == [
        "down: CASME, s2, b; moves 2 px, the class's median 3.5 px",
        "up: CASME, s2, a; moves 8 px, the class's median 3 px",
    ]
    assert figure.subfigs[-1].get_supxlabel() == (
        "Withheld, as show_faces in the config says: down 1 clip of 1 subject; "
        "up 2 clips of 1 subject."
    )
    figure = draw("motion_of_clips", tmp_path, ["casme/s3"])
    assert titles(figure) == ["down: CASME, s3, a; moves 5 px, the class's median 3.5 px"]


@pytest.mark.parametrize(
    ("faces", "synthetic", "shown"),
    [
        ("none", ["casme"], False),
        ("synthetic", [], False),
        (["casme/s4", "samm/s1"], [], False),
        ("synthetic", ["casme"], True),
        (["casme/s2"], [], True),
    ],
)
def test_no_pixel_of_a_face_or_of_its_motion_is_drawn_unasked(tmp_path, faces, synthetic, shown):
    make(tmp_path, SHOWN_ALL)
    figure = draw("motion_of_clips", tmp_path, faces, synthetic)
    assert shows_skin(figure, tmp_path) == shown
    arrows = figure.findobj(Quiver)
    assert bool(arrows) == bool(figure.findobj(AxesImage)) == shown
    if not shown:
        (text,) = figure.texts
        assert "down 2 clips of 2 subjects; up 3 clips of 2 subjects" in text.get_text()


def test_ready_pictures_of_motion_have_no_crops_of_a_face(tmp_path):
    make(tmp_path, {"s1/a": ("up", uniform(0, -1)), "s2/a": ("up", uniform(0, -1))})
    table = tmp_path / "inputs/paper/casme.tsv"
    tsv.write(tsv.read(table, tsv.EXAMPLES).assign(source="casme:a.png"), table, tsv.EXAMPLES)
    figure = draw("motion_of_clips", tmp_path, "synthetic", ["casme"], "image")
    assert [len(axes.images) for axes in figure.subfigs[0].axes] == [1, 0, 1]


@pytest.mark.parametrize(
    ("source", "phases"),
    [
        ("casme:1.png + casme:2.png", ["onset", "apex"]),
        ("casme:1.png + casme:3.png", ["onset", "offset"]),
        ("casme:1.png + casme:2.png + casme:3.png", ["onset", "offset"]),
        ("casme:1.png", []),
        ("casme:11.png + casme:2.png2", []),
    ],
)
def test_the_crops_of_a_motion_are_the_first_and_the_last_of_its_source(source, phases):
    crops = [
        {"phase": phase, "file": f"{number}.png"}
        for number, phase in enumerate(tsv.PHASES, start=1)
    ]
    found = motion_of_clips.compared({"database": "casme"}, source, crops)
    assert [crop["phase"] for crop in found] == phases


def test_a_frame_that_is_apex_and_offset_is_called_apex():
    crops = [{"phase": phase, "file": file} for phase, file in zip(tsv.PHASES, "122", strict=True)]
    found = motion_of_clips.compared({"database": "casme"}, "casme:1 + casme:2", crops)
    assert [crop["phase"] for crop in found] == ["onset", "apex"]
