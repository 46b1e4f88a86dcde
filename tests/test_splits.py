"""Balance and split: equation (1), the cap, validation, files pooled once, nothing lost."""

from pathlib import Path

import pandas as pd
import pytest

from fleeting import tables
from fleeting.errors import UserError
from fleeting.paths import crop_path, sha256
from fleeting.splits.fold import fold_images
from fleeting.splits.folders import link
from fleeting.splits.pool import make_pool
from fleeting.splits.random_images import draw, share
from fleeting.splits.split import split

SETTINGS = {
    "images_per_class": 100,
    "test_fraction": 0.25,
    "validation": {"from": "train", "fraction": 0.2},
    "seed": 1,
    "unseen_subjects": [],
}
LABELS = {"happiness": ["happiness", "amusement"], "others": ["other", "others"]}


def images(**counts: int) -> pd.DataFrame:
    rows = [
        {"image": f"{label}/{number:04d}", "label": label}
        for label, count in counts.items()
        for number in range(count)
    ]
    return pd.DataFrame(rows).sort_values("image", ignore_index=True)


def sizes(drawn: pd.DataFrame, label: str) -> dict[str, int]:
    return drawn[drawn["label"] == label]["split"].value_counts().to_dict()


@pytest.mark.parametrize(
    ("total", "threshold", "expected"),
    [(100, 0.25, 25), (75, 0.2, 15), (2, 0.25, 1), (6, 0.25, 2), (5, 0.25, 1), (50, 0.35, 18)],
)
def test_equation_1_rounds_half_up(total: int, threshold: float, expected: int) -> None:
    assert share(total, threshold) == expected


def test_the_papers_sizes() -> None:
    drawn = draw(images(disgust=399, tense=204), ["disgust", "tense"], SETTINGS)
    for label in ("disgust", "tense"):
        assert sizes(drawn.split, label) == {"train": 60, "validation": 15, "test": 25}
    assert len(drawn.over) == 399 + 204 - 200
    assert drawn.notes == []
    assert drawn.split["image"].is_unique


def test_validation_from_the_surplus_keeps_75_and_25() -> None:
    settings = {**SETTINGS, "validation": {"from": "surplus"}}
    drawn = draw(
        images(disgust=130, tense=110, others=100), ["disgust", "tense", "others"], settings
    )
    assert sizes(drawn.split, "disgust") == {"train": 75, "validation": 25, "test": 25}
    assert sizes(drawn.split, "tense") == {"train": 75, "validation": 10, "test": 25}
    assert sizes(drawn.split, "others") == {"train": 75, "test": 25}
    assert len(drawn.over) == 5
    assert any("tense: 10 validation images, 25" in note for note in drawn.notes)
    assert any("others: 0 validation images" in note for note in drawn.notes)


def test_the_test_images_do_not_depend_on_where_validation_is_from() -> None:
    pool = images(disgust=130, tense=140)
    first = draw(pool, ["disgust", "tense"], SETTINGS).split
    second = draw(pool, ["disgust", "tense"], {**SETTINGS, "validation": {"from": "surplus"}}).split
    assert set(first[first.split == "test"].image) == set(second[second.split == "test"].image)


def test_a_class_that_falls_short_is_noted_and_not_padded() -> None:
    drawn = draw(images(disgust=40, tense=120), ["disgust", "tense", "fear"], SETTINGS)
    assert sizes(drawn.split, "disgust") == {"train": 24, "validation": 6, "test": 10}
    assert any("disgust: 40 images, 60 short of 100" in note for note in drawn.notes)
    assert any("fear: no listed database" in note for note in drawn.notes)


def test_the_seed_decides_and_one_class_does_not_move_another() -> None:
    first = draw(images(disgust=130, tense=140), ["disgust", "tense"], SETTINGS).split
    again = draw(images(disgust=130, tense=140), ["disgust", "tense"], SETTINGS).split
    other = draw(images(disgust=130, tense=150), ["disgust", "tense"], SETTINGS).split
    seeded = draw(images(disgust=130, tense=140), ["disgust", "tense"], {**SETTINGS, "seed": 2})
    pd.testing.assert_frame_equal(first, again)
    disgust = first[first.label == "disgust"].reset_index(drop=True)
    pd.testing.assert_frame_equal(disgust, other[other.label == "disgust"].reset_index(drop=True))
    assert set(seeded.split.image) != set(first.image)


def test_too_little_is_an_error() -> None:
    with pytest.raises(UserError, match="fewer than two classes"):
        draw(images(disgust=10), ["disgust", "tense"], SETTINGS)
    with pytest.raises(UserError, match="no validation image"):
        draw(images(disgust=2, tense=2), ["disgust", "tense"], SETTINGS)
    with pytest.raises(UserError, match="none is left to train on"):
        draw(images(disgust=2, tense=9), ["disgust", "tense"], {**SETTINGS, "test_fraction": 0.9})


def crops(*rows: tuple[str, str, str, str]) -> pd.DataFrame:
    """Rows of (sample, phase, emotion, file)."""
    return pd.DataFrame(
        [
            {
                "image": f"{sample}/{phase}",
                "sample": sample,
                "database": sample.split("/")[0],
                "subject": sample.split("/")[1],
                "phase": phase,
                "emotion": emotion,
                "file": file,
                "table": "t.xlsx",
                "table_row": "7",
            }
            for sample, phase, emotion, file in rows
        ]
    )


def reasons(unused: pd.DataFrame) -> dict[str, str]:
    return dict(zip(unused["image"], unused["reason"], strict=True))


def test_labels_phases_and_unseen_subjects() -> None:
    table = crops(
        ("samm/006/a/1", "apex", "amusement", "1"),
        ("samm/006/a/1", "offset", "amusement", "2"),
        ("samm/007/b/1", "apex", "hapiness", "3"),
        ("samm/007/c/1", "apex", "fear", "4"),
        ("samm/008/d/1", "apex", "other", "5"),
    )
    pool = make_pool(table, LABELS, ["apex"], ["samm/008"])
    assert pool.images[["image", "label"]].values.tolist() == [["samm/006/a/1/apex", "happiness"]]
    assert reasons(pool.unused) == {
        "samm/006/a/1/offset": "phase not used",
        "samm/007/b/1/apex": "emotion not in the label map",
        "samm/007/c/1/apex": "emotion not in the label map",
        "samm/008/d/1/apex": "unseen subject",
    }
    details = dict(zip(pool.unused["image"], pool.unused["detail"], strict=True))
    typo = details["samm/007/b/1/apex"]
    assert "t.xlsx, row 7" in typo
    assert "'happiness'" in typo
    assert details["samm/007/c/1/apex"] == "fear"


def test_a_file_is_pooled_once() -> None:
    table = crops(
        ("casme/s/a/1", "onset", "happiness", "same"),
        ("casme/s/a/1", "apex", "happiness", "same"),
        ("casme/s/b/1", "apex", "other", "twice"),
        ("casme/s/c/1", "apex", "happiness", "twice"),
        ("casme/s/d/1", "apex", "fear", "unmapped"),
        ("casme/s/e/1", "apex", "happiness", "unmapped"),
        ("casme/u/f/1", "apex", "happiness", "unseen"),
        ("casme/u/g/1", "apex", "happiness", "unseen"),
    )
    pool = make_pool(table, LABELS, ["onset", "apex", "offset"], ["casme/u"])
    unused = reasons(pool.unused)
    assert unused["casme/u/f/1/apex"] == "unseen subject"
    assert unused["casme/u/g/1/apex"] == "same file as another image"
    assert list(pool.images["image"]) == [
        "casme/s/a/1/apex",
        "casme/s/b/1/apex",
        "casme/s/e/1/apex",
    ]
    details = dict(zip(pool.unused["image"], pool.unused["detail"], strict=True))
    assert details["casme/s/a/1/onset"] == "casme/s/a/1/apex"
    assert details["casme/s/c/1/apex"] == "casme/s/b/1/apex, which is labelled others"


def test_an_unknown_unseen_subject_is_an_error() -> None:
    with pytest.raises(UserError, match=r"'samm/06' has no crop; do you mean 'samm/006'\?"):
        make_pool(crops(("samm/006/a/1", "apex", "other", "1")), LABELS, ["apex"], ["samm/06"])


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """A results folder with crops (not images: the split only hashes them) of 20 samples."""
    samples, faces = [], []
    for number in range(20):
        sample = f"samm/{number % 5:03d}/clip{number}/1"
        samples.append(
            {
                "sample": sample,
                "database": "samm",
                "subject": f"{number % 5:03d}",
                "clip": f"clip{number}",
                "onset": 1,
                "apex": 2,
                "offset": 3,
                "emotion": ["happiness", "other"][number % 2],
                "action_units": "12",
                "table": "SAMM.xlsx",
                "table_row": number + 2,
            }
        )
        for phase in tables.PHASES:
            image = f"{sample}/{phase}"
            path = tmp_path / crop_path("paper", image)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(image)
            box = [0, 0, 9, 9, 0.9, "blazeface", "face", f"{image}.jpg"]
            faces.append([image, crop_path("paper", image), *box, sha256(path)])
    tables.write(pd.DataFrame(samples), tmp_path / "annotations/samm.tsv", tables.ANNOTATIONS)
    tables.write(
        pd.DataFrame(faces, columns=list(tables.FACES)),
        tmp_path / "faces/paper/samm.tsv",
        tables.FACES,
    )
    return tmp_path


def save(results: Path, used: pd.DataFrame, unused: pd.DataFrame) -> None:
    tables.write(used, results / "split.tsv", tables.SPLITS)
    tables.write(unused, results / "unused.tsv", tables.UNUSED)


def test_every_crop_is_used_or_unused_and_training_never_sees_the_test(results: Path) -> None:
    settings = {**SETTINGS, "images_per_class": 20, "unseen_subjects": ["samm/004"]}
    phases = ["onset", "apex", "offset"]
    used, unused = split(results, "paper", ["samm"], LABELS, phases, settings)
    assert len(used) + len(unused) == 60
    training, testing = fold_images(used, unused, [results / "faces/paper/samm.tsv"], "1")
    assert set(training["split"]) == {"train", "validation"}
    assert set(testing["split"]) == {"test", "unseen"}
    assert not set(training["image"]) & set(testing["image"])
    unseen = testing[testing["split"] == "unseen"]["image"]
    assert len(unseen) == 4
    assert all(image.startswith("samm/004/") and image.endswith("/apex") for image in unseen)
    for path, digest in training[["path", "sha256"]].to_numpy():
        assert sha256(results / path) == digest
    again = split(results, "paper", ["samm"], LABELS, phases, settings)
    pd.testing.assert_frame_equal(used, again[0])


def test_unseen_subjects_without_a_usable_apex_are_an_error(results: Path) -> None:
    settings = {**SETTINGS, "unseen_subjects": ["samm/004"]}
    used, unused = split(results, "paper", ["samm"], LABELS, ["apex"], settings)
    unused["label"] = unused["label"].where(unused["subject"] != "004", "")
    with pytest.raises(UserError, match="none of these subjects has an apex frame"):
        fold_images(used, unused, [results / "faces/paper/samm.tsv"], "1")


def test_folders_of_links(results: Path) -> None:
    settings = {**SETTINGS, "images_per_class": 20}
    used, unused = split(results, "paper", ["samm"], LABELS, ["apex"], settings)
    save(results, used, unused)
    count = link(results / "split.tsv", results / "faces" / "paper", results / "view")
    links = sorted((results / "view").rglob("*.png"))
    assert count == len(links) == len(used)
    assert {path.parts[-2] for path in links} == set(LABELS)
    moved = results.rename(results.with_name("moved"))
    for path in (moved / "view").rglob("*.png"):
        assert path.read_text() == path.stem.replace("__", "/")


def test_a_missing_crop_is_named(results: Path) -> None:
    save(results, *split(results, "paper", ["samm"], LABELS, ["apex"], SETTINGS))
    for path in (results / "faces/paper/samm").rglob("*.png"):
        path.unlink()
    with pytest.raises(UserError, match="png: the crop is missing"):
        link(results / "split.tsv", results / "faces" / "paper", results / "view")


def test_a_split_without_its_crops_is_named(results: Path) -> None:
    used, unused = split(results, "paper", ["samm"], LABELS, ["apex"], SETTINGS)
    tables.write(pd.DataFrame(), results / "faces/paper/samm.tsv", tables.FACES)
    with pytest.raises(UserError, match="in the split but has no crop"):
        fold_images(used, unused, [results / "faces/paper/samm.tsv"], "1")
