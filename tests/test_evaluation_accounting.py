"""What the tables say of rows, images and classes, and that a lost one is noticed."""

import pandas as pd
import pytest

from fabricated_runs import declared
from fleeting import registry, tsv
from fleeting.errors import UserError
from fleeting.evaluation import accounting

ROWS = accounting.ROWS
SETTINGS = {
    "databases": ["casme"],
    "crop.frames": {"kind": "phases"},
    "experiment.label_map": {
        "happiness": ["happiness"],
        "tense": ["tense"],
        "pride": ["pride", "proud"],
    },
    "experiment.protocol": {"kind": "random_images", "images_per_class": 4},
}
PHASES = {"EP01": ("1", "", "3"), "EP02": ("1", "2", "3"), "EP03": ("1", "2", "3")}


def put(results, path, schema, rows):
    frame = pd.DataFrame(rows, columns=list(schema))
    tsv.write(frame, results / path, schema)


def sample(clip):
    return f"casme/sub01/{clip}/1"


def image(clip, phase):
    return f"{sample(clip)}/{phase}"


def excluded_row(clip, phase, stage, code, number):
    named = image(clip, phase) if phase else ""
    return ["casme", number, sample(clip), named, stage, code, code.replace("_", " "), ""]


def split_row(clip, phase, label, part, fold="1"):
    return [image(clip, phase), sample(clip), "casme", "sub01", phase, label, fold, part]


def unused_row(clip, phase, emotion, label, code):
    reason = code.replace("_", " ")
    return [
        *(image(clip, phase), sample(clip), "casme", "sub01", phase),
        *(emotion, label, code, reason, ""),
    ]


def face(clip, phase):
    return [
        *(image(clip, phase), sample(clip), phase, f"faces/{image(clip, phase)}.png"),
        *(0, 0, 9, 9, 0.9, "blazeface", "face", "x.jpg", "0" * 64),
    ]


@pytest.fixture
def results(tmp_path):
    """Four rows of one database; three samples, six crops, four examples in the split."""
    rows = [
        [sample(clip), "casme", "sub01", clip, *PHASES[clip], emotion, "12", "casme.xls", number]
        for number, (clip, emotion) in enumerate(
            [("EP01", "happiness"), ("EP02", "tense"), ("EP03", "fear")], start=2
        )
    ]
    put(tmp_path, "annotations/casme.tsv", tsv.ANNOTATIONS, rows)
    put(tmp_path, "annotations/casme.rows.tsv", ROWS, [["casme", "casme.xls", 4]])
    excluded = [
        ["casme", 5, "", "", "annotations", "onset_missing", "onset missing", ""],
        excluded_row("EP01", "apex", "annotations", "apex_missing", 2),
    ]
    put(tmp_path, "annotations/casme.excluded.tsv", tsv.EXCLUDED, excluded)
    substituted = [["casme", 3, sample("EP02"), image("EP02", "apex"), "frames", "2", 3, "near"]]
    put(tmp_path, "annotations/casme.substituted.tsv", tsv.SUBSTITUTED, [])
    put(tmp_path, "frames/phases/casme.substituted.tsv", tsv.SUBSTITUTED, substituted)
    missing = [excluded_row("EP03", "apex", "frames", "frame_missing", 4)]
    put(tmp_path, "frames/phases/casme.excluded.tsv", tsv.EXCLUDED, missing)
    no_face = [excluded_row("EP03", "offset", "faces", "no_face", 4)]
    put(tmp_path, "faces/paper/casme.excluded.tsv", tsv.EXCLUDED, no_face)
    crops = [
        ("EP01", "onset"), ("EP01", "offset"), ("EP02", "onset"), ("EP02", "apex"),
        ("EP02", "offset"), ("EP03", "onset"),
    ]  # fmt: skip
    frames = [
        [image(*one), sample(one[0]), one[1], 1, "x.jpg"] for one in [*crops, ("EP03", "offset")]
    ]
    put(tmp_path, "frames/phases/casme.tsv", tsv.FRAMES, frames)
    put(tmp_path, "faces/paper/casme.tsv", tsv.FACES, [face(*crop) for crop in crops])
    examples = [
        [image(*crop), sample(crop[0]), "casme", "sub01", crop[1], "0" * 64, "x.jpg"]
        for crop in crops
    ]
    put(tmp_path, "inputs/paper/casme.tsv", tsv.EXAMPLES, examples)
    put(tmp_path, "inputs/paper/casme.excluded.tsv", tsv.EXCLUDED, [])
    split = [
        split_row("EP01", "onset", "happiness", "train"),
        split_row("EP01", "offset", "happiness", "test"),
        split_row("EP02", "onset", "tense", "validation"),
        split_row("EP02", "apex", "tense", "train"),
    ]
    put(tmp_path, "experiments/paper/split.tsv", tsv.SPLIT, split)
    unused = [
        unused_row("EP02", "offset", "tense", "tense", "same_source"),
        unused_row("EP03", "onset", "fear", "", "emotion_unmapped"),
    ]
    put(tmp_path, "experiments/paper/unused.tsv", tsv.UNUSED, unused)
    return tmp_path


def make(name, results, **settings):
    """A table of the one database; its files are the first of each declared list."""
    files = {key: paths[:1] for key, paths in declared("table", name, results).items()}
    return registry.load("table", name).make(files, SETTINGS | settings)


def databases(results, **settings):
    return make("databases", results, **settings)[0]


def test_every_row_and_image_is_counted(results):
    frame = databases(results)
    assert list(frame["database"]) == ["casme", "total"]
    row = frame.iloc[0]
    assert (row["rows"], row["row_exclusions"], row["samples"]) == (4, 1, 3)
    assert (row["images_expected"], row["crops"], row["examples"]) == (9, 6, 6)
    stages = [f"excluded_{stage}" for stage in ("annotations", "frames", "faces", "inputs")]
    assert list(row[stages]) == [1, 1, 1, 0]
    assert list(row[["train", "validation", "test", "unused"]]) == [2, 1, 1, 2]
    assert (row["substituted"], row["subjects"]) == (1, 1)
    assert row["hit_rate"] == pytest.approx(6 / 7)
    assert frame.iloc[1]["crops"] == 6


def drop_first(results, path, schema):
    frame = tsv.read(results / path, schema)
    tsv.write(frame.iloc[1:], results / path, schema)


@pytest.mark.parametrize(
    ("path", "schema", "message"),
    [
        ("annotations/casme.excluded.tsv", tsv.EXCLUDED, "4 rows read, but 3 samples"),
        ("frames/phases/casme.excluded.tsv", tsv.EXCLUDED, "9 images expected"),
        ("faces/paper/casme.excluded.tsv", tsv.EXCLUDED, "9 images expected"),
        ("inputs/paper/casme.tsv", tsv.EXAMPLES, "5 examples, but 4 examples in the split"),
        ("experiments/paper/split.tsv", tsv.SPLIT, "6 examples, but 3 examples in the split"),
        ("experiments/paper/unused.tsv", tsv.UNUSED, "6 examples, but 4 examples in the split"),
    ],
)
def test_whatever_is_lost_is_named(results, path, schema, message):
    drop_first(results, path, schema)
    with pytest.raises(UserError, match=rf"accounting does not hold: casme: .*{message}"):
        databases(results)


def test_an_example_in_place_of_another_is_noticed(results):
    path = results / "experiments/paper/unused.tsv"
    path.write_text(path.read_text().replace(image("EP03", "onset"), image("EP09", "onset")))
    with pytest.raises(UserError, match="EP0[39]/1/onset is on one side only"):
        databases(results)


def test_an_apex_that_vanished_without_a_reason_is_noticed(results):
    path = results / "annotations/casme.excluded.tsv"
    path.write_text(path.read_text().replace(image("EP01", "apex"), image("EP02", "apex")))
    with pytest.raises(UserError, match="EP01/1/apex is on one side only"):
        databases(results)


def test_a_database_without_any_apex_is_asked_for_none(results):
    for path, schema in (
        ("annotations/casme.excluded.tsv", tsv.EXCLUDED),
        ("frames/phases/casme.excluded.tsv", tsv.EXCLUDED),
        ("frames/phases/casme.tsv", tsv.FRAMES),
        ("faces/paper/casme.tsv", tsv.FACES),
        ("inputs/paper/casme.tsv", tsv.EXAMPLES),
        ("experiments/paper/split.tsv", tsv.SPLIT),
    ):
        frame = tsv.read(results / path, schema)
        column = "image" if "image" in frame else "example"
        tsv.write(frame[~frame[column].str.endswith("/apex")], results / path, schema)
    path = results / "annotations/casme.tsv"
    tsv.write(tsv.read(path, tsv.ANNOTATIONS).assign(apex=""), path, tsv.ANNOTATIONS)
    row = databases(results).iloc[0]
    assert (row["images_expected"], row["excluded_annotations"], row["crops"]) == (6, 0, 5)


def test_a_selection_of_ready_pictures_has_one_image_a_sample(results):
    names = {clip: f"{sample(clip)}/picture" for clip in PHASES}
    frames = [[names[clip], sample(clip), "", "", f"{clip}.png"] for clip in ("EP01", "EP02")]
    put(results, "frames/pictures/casme.tsv", tsv.FRAMES, frames)
    missing = [
        "casme", 4, sample("EP03"), names["EP03"], "frames", "no_picture", "no picture", "",
    ]  # fmt: skip
    put(results, "frames/pictures/casme.excluded.tsv", tsv.EXCLUDED, [missing])
    faces = [[names[clip], sample(clip), "", *face(clip, "")[3:]] for clip in ("EP01", "EP02")]
    put(results, "faces/paper/casme.tsv", tsv.FACES, faces)
    put(results, "faces/paper/casme.excluded.tsv", tsv.EXCLUDED, [])
    examples = [
        [names[clip], sample(clip), "casme", "sub01", "", "0" * 64, "x"]
        for clip in ("EP01", "EP02")
    ]
    put(results, "inputs/paper/casme.tsv", tsv.EXAMPLES, examples)
    split = [
        [names[clip], sample(clip), "casme", "sub01", "", "tense", "1", part]
        for clip, part in (("EP01", "train"), ("EP02", "test"))
    ]
    put(results, "experiments/paper/split.tsv", tsv.SPLIT, split)
    put(results, "experiments/paper/unused.tsv", tsv.UNUSED, [])
    files = {key: paths[:1] for key, paths in declared("table", "databases", results).items()}
    files["frames"] = [results / "frames/pictures/casme.tsv"]
    files["frames_excluded"] = [results / "frames/pictures/casme.excluded.tsv"]
    settings = SETTINGS | {"crop.frames": {"kind": "pictures"}}
    row = registry.load("table", "databases").make(files, settings)[0].iloc[0]
    assert (row["images_expected"], row["crops"], row["excluded_frames"]) == (3, 2, 1)
    # That a table lacks an apex says nothing about ready pictures.
    assert row["excluded_annotations"] == 0
    put(results, "frames/pictures/casme.excluded.tsv", tsv.EXCLUDED, [])
    with pytest.raises(UserError, match=r"samples: casme/sub01/EP03/1 is on one side only"):
        registry.load("table", "databases").make(files, settings)


def test_an_input_may_not_make_an_example_of_every_crop(results):
    left = [excluded_row("EP03", "", "inputs", "no_pair", 4)]
    put(results, "inputs/paper/casme.excluded.tsv", tsv.EXCLUDED, left)
    for path, schema in (
        ("inputs/paper/casme.tsv", tsv.EXAMPLES),
        ("experiments/paper/unused.tsv", tsv.UNUSED),
    ):
        frame = tsv.read(results / path, schema)
        tsv.write(frame.iloc[:-1], results / path, schema)
    row = databases(results).iloc[0]
    assert (row["crops"], row["examples"], row["excluded_inputs"]) == (6, 5, 1)
    counts, _ = (frame for _, frame in make("excluded", results)[2].parts)
    assert "example" in set(counts["what"])


def test_an_example_of_two_folds_counts_once(results):
    path = results / "experiments/paper/split.tsv"
    split = tsv.read(path, tsv.SPLIT)
    tsv.write(pd.concat([split, split.assign(fold="2", split="train")]), path, tsv.SPLIT)
    row = databases(results).iloc[0]
    assert list(row[["train", "validation", "test"]]) == [2, 1, 1]
    assert class_rows(results).loc[("tense", "all"), "examples"] == 2


def test_a_box_of_another_frame_is_no_hit(results):
    path = results / "faces/paper/casme.tsv"
    faces = tsv.read(path, tsv.FACES)
    faces.loc[0, "outcome"] = "box of the apex frame"
    faces.loc[1, "detector"] = "provider"
    tsv.write(faces, path, tsv.FACES)
    assert databases(results).iloc[0]["hit_rate"] == pytest.approx(4 / 5)


def class_rows(results, **settings):
    settings |= {"databases": ["casme", "samm"]}
    return make("classes", results, **settings)[0].set_index(["label", "database"])


def test_classes_are_counted_before_and_after_balancing(results):
    frame = class_rows(results)
    assert len(frame) == 9
    tense = frame.loc[("tense", "all")]
    # Its third example is a picture that another example is already.
    columns = ["clips", "examples", "train", "validation", "test"]
    assert list(tense[columns]) == [1, 2, 1, 1, 0]
    assert (tense["cap"], tense["short_by"], tense["left_out"]) == (4, 2, "")
    assert frame.loc[("tense", "samm"), "examples"] == 0
    assert frame.loc[("tense", "casme"), "cap"] == ""


def test_a_protocol_without_a_cap_has_none(results):
    protocol = {"kind": "leave_one_out", "group": "subject"}
    tense = class_rows(results, **{"experiment.protocol": protocol}).loc[("tense", "all")]
    assert (tense["cap"], tense["short_by"]) == ("", "")
    page = make("classes", results, **{"experiment.protocol": protocol})[2]
    assert "cap" not in page.note
    assert "cap" not in page.parts[0][1]


def test_a_class_without_an_example_says_why(results):
    reason = class_rows(results).loc[("pride", "all"), "left_out"]
    assert "casme, samm" in reason
    assert "pride or proud" in reason


def test_excluded_subjects_do_not_fill_the_cap(results):
    path = results / "experiments/paper/unused.tsv"
    unused = tsv.read(path, tsv.UNUSED)
    unused.loc[0, "code"] = "excluded_subject"
    tsv.write(unused, path, tsv.UNUSED)
    tense = class_rows(results).loc[("tense", "all")]
    assert (tense["examples"], tense["short_by"]) == (3, 2)


def test_every_exclusion_and_unused_example_is_listed(results):
    frame, _, page = make("excluded", results)
    assert list(frame["stage"]) == ["annotations", "annotations", "frames", "faces"]
    counts, rows = (part for _, part in page.parts)
    assert counts["count"].sum() == len(rows) == 4
    assert list(rows["excluded"])[0] == "the whole row"
    counts, rows = (part for _, part in make("unused", results)[2].parts)
    assert counts["count"].sum() == len(rows) == 2
