"""What the tables say of rows, images and classes, and that a lost one is noticed."""

import pandas as pd
import pytest

from fleeting import tables
from fleeting.errors import UserError
from fleeting.evaluation import accounting, classes, leftovers
from fleeting.splits.pool import UNSEEN

ROWS = accounting.ROWS
SETTINGS = {
    "label_map": {"happiness": ["happiness"], "tense": ["tense"], "pride": ["pride", "proud"]},
    "phases": ["onset", "apex", "offset"],
    "split": {"images_per_class": 4, "validation": {"from": "train", "fraction": 0.2}},
}


def put(results, path, schema, rows):
    frame = pd.DataFrame(rows, columns=list(schema))
    tables.write(frame, results / path, schema)


def sample(clip):
    return f"casme/sub01/{clip}/1"


def image(clip, phase):
    return f"{sample(clip)}/{phase}"


def split_row(clip, phase, label, part, fold="1"):
    return [image(clip, phase), sample(clip), "casme", "sub01", phase, label, fold, part]


def unused_row(clip, phase, emotion, label, reason):
    return [image(clip, phase), sample(clip), "casme", "sub01", phase, emotion, label, reason, ""]


@pytest.fixture
def results(tmp_path):
    """Four rows of one database; three samples, six crops, four images in the split."""
    rows = [
        [sample(clip), "casme", "sub01", clip, 1, 2, 3, emotion, "12", "casme.xls", number]
        for number, (clip, emotion) in enumerate(
            [("EP01", "happiness"), ("EP02", "tense"), ("EP03", "fear")], start=2
        )
    ]
    put(tmp_path, "annotations/casme.tsv", tables.ANNOTATIONS, rows)
    put(tmp_path, "annotations/casme.rows.tsv", ROWS, [["casme", "casme.xls", 4]])
    left_out = [
        ["casme", 5, "", "", "annotations", "onset missing", ""],
        ["casme", 2, sample("EP01"), image("EP01", "apex"), "annotations", "apex missing", ""],
    ]
    put(tmp_path, "annotations/casme.excluded.tsv", tables.EXCLUDED, left_out)
    substituted = [["casme", 3, sample("EP02"), image("EP02", "apex"), "frames", "2", 3, "near"]]
    put(tmp_path, "annotations/casme.substituted.tsv", tables.SUBSTITUTED, [])
    put(tmp_path, "frames/casme.substituted.tsv", tables.SUBSTITUTED, substituted)
    missing = [["casme", 4, sample("EP03"), image("EP03", "apex"), "frames", "frame_missing", ""]]
    put(tmp_path, "frames/casme.excluded.tsv", tables.EXCLUDED, missing)
    no_face = [["casme", 4, sample("EP03"), image("EP03", "offset"), "faces", "no_face", "0.2"]]
    put(tmp_path, "faces/paper/casme.excluded.tsv", tables.EXCLUDED, no_face)
    crops = [
        ("EP01", "onset"), ("EP01", "offset"), ("EP02", "onset"), ("EP02", "apex"),
        ("EP02", "offset"), ("EP03", "onset"),
    ]  # fmt: skip
    faces = [
        [
            image(*crop),
            f"faces/{image(*crop)}.png",
            0,
            0,
            9,
            9,
            0.9,
            "blazeface",
            "face",
            "x.jpg",
            "0" * 64,
        ]
        for crop in crops
    ]
    put(tmp_path, "faces/paper/casme.tsv", tables.FACES, faces)
    split = [
        split_row("EP01", "onset", "happiness", "train"),
        split_row("EP01", "offset", "happiness", "test"),
        split_row("EP02", "onset", "tense", "validation"),
        split_row("EP02", "apex", "tense", "train"),
    ]
    put(tmp_path, "experiments/paper/split.tsv", tables.SPLITS, split)
    unused = [
        unused_row("EP02", "offset", "tense", "tense", "same file as another image"),
        unused_row("EP03", "onset", "fear", "", "emotion not in the label map"),
    ]
    put(tmp_path, "experiments/paper/unused.tsv", tables.UNUSED, unused)
    return tmp_path


def places(results):
    return accounting.Places(results, "paper", "paper")


def test_every_row_and_image_is_counted(results):
    frame = accounting.table(places(results), ["casme"])
    assert list(frame["database"]) == ["casme", "total"]
    row = frame.iloc[0]
    assert (row["rows"], row["row_exclusions"], row["samples"]) == (4, 1, 3)
    assert (row["images_expected"], row["crops"]) == (9, 6)
    stages = [f"excluded_{stage}" for stage in ("annotations", "frames", "faces")]
    assert list(row[stages]) == [1, 1, 1]
    assert list(row[["train", "validation", "test", "unused"]]) == [2, 1, 1, 2]
    assert (row["substituted"], row["subjects"]) == (1, 1)
    assert row["hit_rate"] == pytest.approx(6 / 7)
    assert frame.iloc[1]["crops"] == 6


def drop_first(results, path, schema):
    frame = tables.read(results / path, schema)
    tables.write(frame.iloc[1:], results / path, schema)


@pytest.mark.parametrize(
    ("path", "schema", "message"),
    [
        ("annotations/casme.excluded.tsv", tables.EXCLUDED, "4 rows read, but 3 samples"),
        ("frames/casme.excluded.tsv", tables.EXCLUDED, "9 images expected"),
        ("experiments/paper/split.tsv", tables.SPLITS, "6 crops, but 3 images in the split"),
        ("experiments/paper/unused.tsv", tables.UNUSED, "EP02/1/offset stands on one side"),
    ],
)
def test_whatever_is_lost_is_named(results, path, schema, message):
    drop_first(results, path, schema)
    with pytest.raises(UserError, match=rf"accounting does not hold: casme: .*{message}"):
        accounting.table(places(results), ["casme"])


def test_an_image_in_place_of_another_is_noticed(results):
    path = results / "experiments/paper/unused.tsv"
    path.write_text(path.read_text().replace(image("EP03", "onset"), image("EP09", "onset")))
    with pytest.raises(UserError, match="EP0[39]/1/onset stands on one side only"):
        accounting.table(places(results), ["casme"])


def test_an_image_of_two_folds_counts_once(results):
    path = results / "experiments/paper/split.tsv"
    split = tables.read(path, tables.SPLITS)
    other = split.assign(fold="two", split="train")
    tables.write(pd.concat([split, other]), path, tables.SPLITS)
    row = accounting.table(places(results), ["casme"]).iloc[0]
    assert list(row[["train", "validation", "test"]]) == [2, 1, 1]


def test_a_box_of_another_frame_is_no_hit(results):
    path = results / "faces/paper/casme.tsv"
    faces = tables.read(path, tables.FACES)
    faces.loc[0, "outcome"] = "box of the apex frame"
    faces.loc[1, "detector"] = "provider"
    tables.write(faces, path, tables.FACES)
    assert accounting.table(places(results), ["casme"]).iloc[0]["hit_rate"] == pytest.approx(4 / 5)


def class_rows(results):
    settings = classes.Settings.of(SETTINGS)
    frame = classes.table(results, "paper", ["casme", "samm"], settings)
    return frame.set_index(["label", "database"])


def test_classes_are_counted_before_and_after_balancing(results):
    frame = class_rows(results)
    assert len(frame) == 9
    tense = frame.loc[("tense", "all")]
    # Its third image is a file that another image has already.
    assert list(tense[["clips", "images", "train", "validation", "test"]]) == [1, 2, 1, 1, 0]
    assert (tense["cap"], tense["short_by"], tense["left_out"]) == (4, 2, "")
    assert frame.loc[("tense", "samm"), "images"] == 0
    assert frame.loc[("tense", "casme"), "cap"] == ""


def test_a_class_without_an_image_says_why(results):
    reason = class_rows(results).loc[("pride", "all"), "left_out"]
    assert "casme, samm" in reason
    assert "pride or proud" in reason


def test_unseen_subjects_do_not_fill_the_cap(results):
    path = results / "experiments/paper/unused.tsv"
    unused = tables.read(path, tables.UNUSED)
    unused.loc[0, "reason"] = UNSEEN
    tables.write(unused, path, tables.UNUSED)
    tense = class_rows(results).loc[("tense", "all")]
    assert (tense["images"], tense["short_by"]) == (3, 2)


def test_settings_that_are_not_whole_are_refused():
    with pytest.raises(UserError, match="'validation'"):
        classes.Settings.of({**SETTINGS, "phases": None} | {"split": {}})


def test_every_exclusion_and_unused_crop_is_listed(results):
    excluded = leftovers.excluded(places(results), ["casme"])
    assert list(excluded["stage"]) == ["annotations", "annotations", "frames", "faces"]
    page = leftovers.excluded_page(excluded)
    counts, rows = (frame for _, frame in page.parts)
    assert counts["count"].sum() == len(rows) == 4
    assert list(rows["left out"])[0] == "the whole row"
    unused = leftovers.unused(results, "paper")
    counts, rows = (frame for _, frame in leftovers.unused_page(unused).parts)
    assert counts["count"].sum() == len(rows) == 2
