"""The figure of the mean strain of each class."""

import numpy as np
import pytest

from fleeting.figures import strain_by_class
from motion_clips import SIDE, draw, make, read, uniform


def of_five(label: str, strain: float) -> dict[str, tuple]:
    """A clip of each of five subjects, their mean strain as given."""
    return {
        f"s{number}/{label}": (label, uniform(0, 1, strain + (number - 3) / 10))
        for number in range(1, 6)
    }


def test_a_mean_map_counts_each_subject_once(tmp_path):
    more = {f"s1/more{number}": ("up", uniform(0, 1, 0.3)) for number in range(3)}
    make(tmp_path, {**of_five("up", 0.5), **of_five("down", 0.7), **more})
    classes = strain_by_class.add_up(read(tmp_path))
    assert list(classes) == ["down", "up"]
    assert classes["up"].counts == "8 clips\n5 subjects"
    means, differences = strain_by_class.maps(classes)
    for label, mean, difference in (("up", 0.5, -0.1), ("down", 0.7, 0.1)):
        assert means[label].shape == (SIDE, SIDE)
        assert np.allclose(means[label], mean)
        assert np.allclose(differences[label], difference)


def test_the_maps_of_a_figure_share_their_scales(tmp_path):
    make(tmp_path, {**of_five("up", 0.5), **of_five("down", 0.7)})
    upper, other, lower, _ = draw("strain_by_class", tmp_path).subfigs[0].axes[:4]
    assert [axes.get_title() for axes in (upper, other)] == ["down", "up"]
    assert lower.get_xlabel() == "5 clips\n5 subjects"
    norms = [axes.images[0].norm for axes in (upper, other, lower)]
    assert norms[0] is norms[1]
    assert (norms[0].vmin, norms[0].vmax) == (0, pytest.approx(0.7))
    assert (norms[2].vmin, norms[2].vmax) == (pytest.approx(-0.1), pytest.approx(0.1))


def test_a_class_of_fewer_than_five_people_is_withheld_from_all_maps(tmp_path):
    """Of the four in `few`, one has two names: `make` takes s2 and s2b for one person."""
    few = {
        f"{subject}/few": ("few", uniform(0, 1, 9)) for subject in ("s1", "s2", "s2b", "s3", "s4")
    }
    make(tmp_path, {**of_five("up", 0.5), **of_five("down", 0.7), **few})
    axes = draw("strain_by_class", tmp_path).subfigs[0].axes
    place = [panel.get_title() for panel in axes[:3]].index("few")
    assert axes[place].texts[0].get_text() == "withheld:\nfewer than\n5 subjects"
    assert axes[place + 3].get_xlabel() == "5 clips\n4 subjects"
    assert [len(panel.images) for panel in axes[:6]] == [1, 0, 1] * 2
    _, differences = strain_by_class.maps(strain_by_class.add_up(read(tmp_path)))
    assert np.allclose(differences["up"], -0.1), "nor is it in the mean of all"


def test_a_single_class_has_no_difference(tmp_path):
    make(tmp_path, of_five("up", 0.5))
    upper, lower = draw("strain_by_class", tmp_path).subfigs[0].axes[:2]
    assert len(upper.images) == 1
    assert lower.texts[0].get_text() == "not shown"


def test_many_classes_take_several_rows(tmp_path):
    clips = {}
    for number in range(7):
        clips |= of_five(f"class{number}", 0.5)
    make(tmp_path, clips)
    parts = draw("strain_by_class", tmp_path).subfigs
    named = [[axes.get_title() for axes in part.axes if axes.get_title()] for part in parts]
    assert named == [[f"class{number}" for number in row] for row in (range(4), range(4, 7))]
