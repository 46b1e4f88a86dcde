"""Figures of counts: databases and classes."""

import pandas as pd
import pytest

from figure_tables import SETTINGS, draw, texts


def database_table() -> pd.DataFrame:
    rows = [
        {
            "database": name,
            "rows": read,
            "samples": samples,
            "subjects": 3,
            "images_expected": 3 * samples,
            "crops": 3 * samples - 2,
            "examples": 3 * samples - 2,
            "train": 6,
            "validation": 2,
            "test": 3,
        }
        for name, read, samples in (("casme", 12, 10), ("cas_me2", 40, 5), ("total", 52, 15))
    ]
    return pd.DataFrame(rows)


def class_table(cap: str) -> pd.DataFrame:
    rows = [
        ("tense", "casme", 90, 0, 0, 0, "", ""),
        ("tense", "casme2", 30, 0, 0, 0, "", ""),
        ("tense", "all", 120, 60, 15, 25, cap, ""),
        ("others", "casme", 0, 0, 0, 0, "", ""),
        ("others", "casme2", 0, 0, 0, 0, "", ""),
        ("others", "all", 0, 0, 0, 0, cap, "no image in any listed database"),
    ]
    columns = ["label", "database", "examples", "train", "validation", "test", "cap", "left_out"]
    return pd.DataFrame(rows, columns=columns)


def test_databases_show_every_count_inside_the_panels_and_no_total(tmp_path):
    figure = draw("databases", tmp_path, {"databases": database_table()})
    subjects, clips, images = figure.axes
    assert texts(subjects.get_yticklabels()) == ["CASME", "CAS(ME)²"]
    assert texts(subjects.texts) == ["3", "3"]
    assert texts(clips.texts) == ["12", "40", "10", "5"]
    assert texts(images.texts) == ["30", "15", "28", "13", "11", "11"]
    figure.draw_without_rendering()
    for axes in figure.axes:
        for text in axes.texts:
            assert text.get_window_extent().x1 <= axes.get_window_extent().x1


def test_databases_with_fewer_examples_than_crops_show_both(tmp_path):
    table = database_table()
    table["examples"] = table["samples"]
    settings = {**SETTINGS, "input.kind": "onset_apex"}
    figure = draw("databases", tmp_path, {"databases": table}, settings, folds=20)
    images = figure.axes[2]
    assert images.get_title() == "Images and examples"
    assert texts(images.texts) == ["30", "15", "28", "13", "10", "5", "11", "11"]
    names = {name for legend in figure.legends for name in texts(legend.get_texts())}
    assert {"three a sample", "examples", "in fold 1: test"} <= names


def test_databases_of_ready_pictures_ask_for_one_a_sample(tmp_path):
    settings = {**SETTINGS, "crop.frames": {"kind": "pictures"}}
    images = draw("databases", tmp_path, {"databases": database_table()}, settings).axes[2]
    assert images.get_legend_handles_labels()[1][0] == "one a sample"
    assert images.get_xlabel() == "images"


def test_classes_show_databases_before_and_the_split_after(tmp_path):
    before, after = draw("classes", tmp_path, {"classes": class_table("70")}).axes
    assert texts(before.get_yticklabels()) == ["tense", "others\n(left out)"]
    assert texts(before.texts) == ["120", "0"]
    assert texts(after.texts) == ["100", "0"]
    widths = {
        bars.get_label(): [bar.get_width() for bar in bars]
        for panel in (before, after)
        for bars in panel.containers
    }
    assert widths == {
        "CASME": [90, 0],
        "CASME II": [30, 0],
        "train": [60, 0],
        "validation": [15, 0],
        "test": [25, 0],
    }
    for panel in (before, after):
        assert [line.get_xdata()[0] for line in panel.lines] == [70]


@pytest.mark.parametrize(
    ("cap", "folds", "titles"),
    [
        ("100", 1, ["Before balancing", "After balancing and splitting"]),
        ("", 20, ["Before splitting", "After splitting (fold 1 of 20)"]),
    ],
)
def test_classes_say_what_stands_between_the_panels(tmp_path, cap, folds, titles):
    figure = draw("classes", tmp_path, {"classes": class_table(cap)}, folds=folds)
    assert [axes.get_title() for axes in figure.axes] == titles
