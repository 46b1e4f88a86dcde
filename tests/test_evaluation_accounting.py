"""What the tables say of rows, images and classes, and that a lost one is noticed."""

import pandas as pd
import pytest

from fabricated_runs import declared
from fleeting import registry, tsv
from fleeting.errors import UserError
from small_splits import resolved_map

SETTINGS = {
    "databases": ["casme"],
    "crop.frames": {"kind": "phases", "neutral": False},
    "label_map": resolved_map(
        {"happiness": ["happiness"], "tense": ["tense"], "pride": ["pride", "proud"]}, "casme"
    ).model_dump(),
    "experiment.protocol": {"kind": "random_images", "images_per_class": 4},
}
ANNOTATIONS, SPLIT = "annotations/casme", "experiments/paper/split"
FRAMES, FACES, INPUTS = "frames/phases/casme", "faces/paper/casme", "inputs/paper/casme"
UNUSED = "experiments/paper/unused"
#: Samples by clip: onset, apex and offset.
PHASES = {"EP01": ("1", "", "3"), "EP02": ("1", "2", "3"), "EP03": ("1", "2", "3")}
#: The crops, which are the examples.
CROPS = [
    "EP01/1/onset", "EP01/1/offset", "EP02/1/onset", "EP02/1/apex", "EP02/1/offset", "EP03/1/onset",
]  # fmt: skip


def put(results, name, schema, rows=()):
    tsv.write(pd.DataFrame(list(rows), columns=list(schema)), results / f"{name}.tsv", schema)


def edit(results, name, schema, change):
    """Write a table with `change` made to its frame."""
    path = results / f"{name}.tsv"
    tsv.write(change(tsv.read(path, schema)), path, schema)


def named(image):
    """An image's name, sample and phase; the phase of a ready picture is empty."""
    sample, _, phase = f"casme/sub01/{image}".rpartition("/")
    return [f"casme/sub01/{image}", sample, phase if phase in tsv.PHASES else ""]


def excluded(image, stage, code, row):
    name, sample, _ = named(image) if image else ("", "", "")
    return ["casme", row, sample, name, stage, code, code.replace("_", " "), ""]


def example(image):
    name, sample, phase = named(image)
    return [name, sample, "casme", "sub01", phase]


def unused(image, emotion, label, code):
    return [*example(image), emotion, label, code, code.replace("_", " "), ""]


def write_crops(results, images):
    box = [0, 0, 9, 9, 0.9, "blazeface", "face", "x.jpg", "0" * 64, "", "", "", "", ""]
    put(results, FACES, tsv.FACES, ([*named(image), "x.png", *box] for image in images))
    sources = ([*example(image), "0" * 64, "x.jpg"] for image in images)
    put(results, INPUTS, tsv.EXAMPLES, sources)


def write_split(results, roles):
    names = ["casme/sub01", "casme/sub01/clip"]
    rows = ([*example(image), label, "1", role, *names] for image, label, role in roles)
    put(results, SPLIT, tsv.SPLIT, rows)


@pytest.fixture
def results(tmp_path):
    """Four rows of one database; three samples, six crops, four examples in the split."""
    emotions = zip(PHASES, ("happiness", "tense", "fear"), strict=True)
    samples = [
        [
            f"casme/sub01/{clip}/1",
            "casme",
            "sub01",
            clip,
            *PHASES[clip],
            emotion,
            "12",
            "c.xls",
            row,
        ]
        for row, (clip, emotion) in enumerate(emotions, start=2)
    ]
    put(tmp_path, ANNOTATIONS, tsv.ANNOTATIONS, samples)
    put(tmp_path, f"{ANNOTATIONS}.rows", tsv.ROW_COUNT, [["casme", "c.xls", 4]])
    not_annotated = [
        excluded("", "annotations", "onset_missing", 5),
        excluded("EP01/1/apex", "annotations", "apex_missing", 2),
    ]
    not_found = [excluded("EP03/1/apex", "frames", "frame_missing", 4)]
    no_face = [excluded("EP03/1/offset", "faces", "no_face", 4)]
    put(tmp_path, f"{ANNOTATIONS}.excluded", tsv.EXCLUDED, not_annotated)
    put(tmp_path, f"{FRAMES}.excluded", tsv.EXCLUDED, not_found)
    put(tmp_path, f"{FACES}.excluded", tsv.EXCLUDED, no_face)
    put(tmp_path, f"{INPUTS}.excluded", tsv.EXCLUDED)
    near = ["casme", 3, *named("EP02/1/apex")[1::-1], "frames", "2", 3, "near"]
    put(tmp_path, f"{ANNOTATIONS}.substituted", tsv.SUBSTITUTED)
    put(tmp_path, f"{FRAMES}.substituted", tsv.SUBSTITUTED, [near])
    frames = ([*named(image), 1, "x.jpg"] for image in [*CROPS, "EP03/1/offset"])
    put(tmp_path, FRAMES, tsv.FRAMES, frames)
    write_crops(tmp_path, CROPS)
    roles = [("happiness", "train"), ("happiness", "test"), ("tense", "validation")]
    roles.append(("tense", "train"))
    write_split(tmp_path, ((image, *role) for image, role in zip(CROPS, roles, strict=False)))
    left = [
        unused("EP02/1/offset", "tense", "tense", "same_source"),
        unused("EP03/1/onset", "fear", "", "emotion_unmapped"),
    ]
    put(tmp_path, UNUSED, tsv.UNUSED, left)
    return tmp_path


def make(name, results, **settings):
    """A table of the one database; its files are the first of each declared list."""
    files = {key: paths[:1] for key, paths in declared("table", name, results).items()}
    return registry.load("table", name).make(files, SETTINGS | settings)


def counts(results, *columns, **settings):
    return list(make("databases", results, **settings)[0].loc[0, list(columns)])


def class_rows(results, **settings):
    settings |= {"databases": ["casme", "samm"]}
    return make("classes", results, **settings)[0].set_index(["label", "database"])


def test_every_row_and_image_is_counted(results):
    frame = make("databases", results)[0]
    assert list(frame["database"]) == ["casme", "total"]
    expected = {
        **{"rows": 4, "row_exclusions": 1, "samples": 3, "subjects": 1, "images_expected": 9},
        **{"excluded_annotations": 1, "excluded_frames": 1, "excluded_faces": 1, "crops": 6},
        **{"excluded_inputs": 0, "examples": 6, "train": 2, "validation": 1, "test": 1},
        **{"unused": 2, "substituted": 1, "hit_rate": pytest.approx(6 / 7)},
    }
    for row in frame.drop(columns=["database", "table"]).to_dict("records"):
        assert row == expected


@pytest.mark.parametrize(
    ("name", "schema", "message"),
    [
        (f"{ANNOTATIONS}.excluded", tsv.EXCLUDED, "4 rows read, but 3 samples"),
        (f"{FRAMES}.excluded", tsv.EXCLUDED, "9 images expected"),
        (f"{FACES}.excluded", tsv.EXCLUDED, "9 images expected"),
        (INPUTS, tsv.EXAMPLES, "5 examples, but 4 examples in the split"),
        (SPLIT, tsv.SPLIT, "6 examples, but 3 examples in the split"),
        (UNUSED, tsv.UNUSED, "6 examples, but 4 examples in the split"),
    ],
)
def test_whatever_is_lost_is_named(results, name, schema, message):
    edit(results, name, schema, lambda frame: frame.iloc[1:])
    with pytest.raises(UserError, match=rf"accounting does not hold: casme: .*{message}"):
        make("databases", results)


@pytest.mark.parametrize(
    ("name", "image", "other"),
    [
        (UNUSED, "EP03/1/onset", "EP02/1/apex"),
        (f"{ANNOTATIONS}.excluded", "EP01/1/apex", "EP02/1/apex"),
        (f"{FACES}.excluded", "EP03/1/offset", "EP02/1/apex"),
    ],
)
def test_one_in_place_of_another_is_noticed(results, name, image, other):
    path = results / f"{name}.tsv"
    path.write_text(path.read_text().replace(image, other))
    with pytest.raises(UserError, match=r"EP0\d/1/\w+ is on one side only"):
        make("databases", results)


def test_a_database_without_any_apex_is_asked_for_none(results):
    tables = {
        **dict.fromkeys((f"{ANNOTATIONS}.excluded", f"{FRAMES}.excluded"), tsv.EXCLUDED),
        **{FRAMES: tsv.FRAMES, FACES: tsv.FACES, INPUTS: tsv.EXAMPLES, SPLIT: tsv.SPLIT},
    }
    for name, schema in tables.items():
        column = "image" if "image" in schema else "example"
        edit(results, name, schema, lambda it, by=column: it[~it[by].str.endswith("/apex")])
    edit(results, ANNOTATIONS, tsv.ANNOTATIONS, lambda frame: frame.assign(apex=""))
    assert counts(results, "images_expected", "excluded_annotations", "crops") == [6, 0, 5]


def test_a_selection_of_ready_pictures_has_one_image_a_sample(results):
    pictures = ["EP01/1/picture", "EP02/1/picture"]
    put(results, FRAMES, tsv.FRAMES, ([*named(picture), "", "x.png"] for picture in pictures))
    missing = [excluded("EP03/1/picture", "frames", "no_picture", 4)]
    put(results, f"{FRAMES}.excluded", tsv.EXCLUDED, missing)
    put(results, f"{FACES}.excluded", tsv.EXCLUDED)
    write_crops(results, pictures)
    write_split(results, zip(pictures, ("tense", "tense"), ("train", "test"), strict=True))
    put(results, UNUSED, tsv.UNUSED)
    pictures_only = {"crop.frames": {"kind": "pictures"}}
    # That a table lacks an apex says nothing about ready pictures.
    columns = ("images_expected", "crops", "excluded_frames", "excluded_annotations")
    assert counts(results, *columns, **pictures_only) == [3, 2, 1, 0]
    put(results, f"{FRAMES}.excluded", tsv.EXCLUDED)
    with pytest.raises(UserError, match=r"samples: casme/sub01/EP03/1 is on one side only"):
        make("databases", results, **pictures_only)


def test_neutral_frames_are_asked_for_besides_the_phases(results):
    """EP02 has none: its apex comes right after the onset."""
    with_neutral = {"crop.frames": {"kind": "phases", "neutral": True}}
    edit(results, ANNOTATIONS, tsv.ANNOTATIONS, lambda it: it.assign(offset="9", apex=["", 2, 4]))
    frames = [excluded("EP03/1/apex", "frames", "frame_missing", 4)]
    frames.append(excluded("EP03/1/neutral", "frames", "frame_missing", 4))
    put(results, f"{FRAMES}.excluded", tsv.EXCLUDED, frames)
    examples = tsv.read(results / f"{INPUTS}.tsv", tsv.EXAMPLES)
    write_crops(results, [*CROPS, "EP01/1/neutral"])
    tsv.write(examples, results / f"{INPUTS}.tsv", tsv.EXAMPLES)
    columns = ("images_expected", "crops", "excluded_frames", "examples")
    assert counts(results, *columns, **with_neutral) == [11, 7, 2, 6]
    write_crops(results, CROPS)
    with pytest.raises(UserError, match="11 images expected, but 6 crops"):
        make("databases", results, **with_neutral)


def test_an_input_may_not_make_an_example_of_every_crop(results):
    put(results, f"{INPUTS}.excluded", tsv.EXCLUDED, [excluded("", "inputs", "no_pair", 4)])
    edit(results, INPUTS, tsv.EXAMPLES, lambda frame: frame.iloc[:-1])
    edit(results, UNUSED, tsv.UNUSED, lambda frame: frame.iloc[:-1])
    assert counts(results, "crops", "examples", "excluded_inputs") == [6, 5, 1]
    by_reason, _ = (frame for _, frame in make("excluded", results)[1].parts)
    assert "example" in set(by_reason["what"])


def test_an_example_of_two_folds_counts_once(results):
    def twice(split):
        return pd.concat([split, split.assign(fold="2", split="train")])

    edit(results, SPLIT, tsv.SPLIT, twice)
    assert counts(results, "train", "validation", "test") == [2, 1, 1]
    assert class_rows(results).loc[("tense", "all"), "examples"] == 2


def test_classes_are_counted_before_and_after_the_split(results):
    frame = class_rows(results)
    assert len(frame) == 9
    tense = frame.loc[("tense", "all")]
    # Its third example is a picture that another example is already.
    columns = ["clips", "examples", "train", "validation", "test"]
    assert list(tense[columns]) == [1, 2, 1, 1, 0]
    assert (tense["cap"], tense["short_by"], tense["left_out"]) == (4, 2, "")
    assert frame.loc[("tense", "samm"), "examples"] == 0
    assert frame.loc[("tense", "casme"), "cap"] == ""
    pride = frame.loc[("pride", "all"), "left_out"]
    assert "casme, samm: no example with the emotion pride or proud" in pride


def test_a_protocol_without_a_cap_has_none(results):
    protocol = {"experiment.protocol": {"kind": "leave_one_out", "group": "subject"}}
    tense = class_rows(results, **protocol).loc[("tense", "all")]
    assert (tense["cap"], tense["short_by"]) == ("", "")
    page = make("classes", results, **protocol)[1]
    assert "cap" not in page.note
    assert "cap" not in page.parts[0][1]


def test_excluded_subjects_do_not_fill_the_cap(results):
    codes = ["excluded_subject", "emotion_unmapped"]
    edit(results, UNUSED, tsv.UNUSED, lambda frame: frame.assign(code=codes))
    tense = class_rows(results).loc[("tense", "all")]
    assert (tense["examples"], tense["short_by"]) == (3, 2)


def test_every_exclusion_and_unused_example_is_listed(results):
    frame, page = make("excluded", results)
    assert list(frame["stage"]) == ["annotations", "annotations", "frames", "faces"]
    by_reason, rows = (part for _, part in page.parts)
    assert by_reason["count"].sum() == len(rows) == 4
    assert list(rows["excluded"])[0] == "the whole row"
    by_reason, rows = (part for _, part in make("unused", results)[1].parts)
    assert by_reason["count"].sum() == len(rows) == 2
