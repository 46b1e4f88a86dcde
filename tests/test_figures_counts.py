"""Figures of counts: databases and classes."""

import pandas as pd

from fleeting.figures import classes, databases


def database_table() -> pd.DataFrame:
    rows = []
    for name, read, samples in (("casme", 12, 10), ("cas_me2", 40, 5), ("total", 52, 15)):
        rows.append(
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
        )
    return pd.DataFrame(rows)


def class_table(cap: str = "100") -> pd.DataFrame:
    rows = [
        ("tense", "casme", 90, 0, ""),
        ("tense", "casme2", 30, 0, ""),
        ("tense", "all", 120, 100, ""),
        ("others", "casme", 0, 0, ""),
        ("others", "casme2", 0, 0, ""),
        ("others", "all", 0, 0, "no image in any listed database"),
    ]
    return pd.DataFrame(
        [
            {
                "label": label,
                "database": database,
                "examples": images,
                "train": used * 60 // 100,
                "validation": used * 15 // 100,
                "test": used * 25 // 100,
                "cap": cap if database == "all" else "",
                "left_out": left_out,
            }
            for label, database, images, used, left_out in rows
        ]
    )


def texts(axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


def test_databases_show_every_count_and_no_total():
    figure = databases.plot(database_table(), 1, "phases", "images")
    subjects, clips, images = figure.axes
    assert [label.get_text() for label in subjects.get_yticklabels()] == ["CASME", "CAS(ME)²"]
    assert texts(subjects) == ["3", "3"]
    assert texts(clips) == ["12", "40", "10", "5"]
    assert texts(images) == ["30", "15", "28", "13", "11", "11"]


def test_databases_with_fewer_examples_than_crops_show_both():
    table = database_table()
    table["examples"] = table["samples"]
    figure = databases.plot(table, 20, "phases", "examples")
    images = figure.axes[2]
    assert images.get_title() == "Images and examples"
    assert texts(images) == ["30", "15", "28", "13", "10", "5", "11", "11"]
    names = {text.get_text() for legend in figure.legends for text in legend.get_texts()}
    assert {"three a sample", "examples", "in fold 1: test"} <= names


def test_databases_of_ready_pictures_ask_for_one_a_sample():
    images = databases.plot(database_table(), 1, "pictures", "images").axes[2]
    assert images.get_legend_handles_labels()[1][0] == "one a sample"
    assert images.get_xlabel() == "images"


def test_classes_of_a_protocol_without_a_cap_speak_of_no_balancing():
    before, after = classes.plot(class_table(cap=""), 20, "examples").axes
    assert before.get_title() == "Before splitting"
    assert after.get_title() == "After splitting (fold 1 of 20)"
    assert before.get_xlabel() == "examples"


def test_classes_show_databases_before_and_the_split_after():
    before, after = classes.plot(class_table(), 1, "images").axes
    assert texts(before) == ["120", "0"]
    assert texts(after) == ["100", "0"]
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


def test_a_class_that_is_left_out_says_so_and_the_cap_is_drawn():
    before, after = classes.plot(class_table(cap="70"), 1, "images").axes
    names = [label.get_text() for label in before.get_yticklabels()]
    assert names == ["tense", "others\n(left out)"]
    for panel in (before, after):
        assert [line.get_xdata()[0] for line in panel.lines] == [70]


def test_counts_stay_inside_their_panels():
    figure = databases.plot(database_table(), 1, "phases", "images")
    figure.draw_without_rendering()
    for axes in figure.axes:
        for text in axes.texts:
            assert text.get_window_extent().x1 <= axes.get_window_extent().x1
