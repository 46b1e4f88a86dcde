"""From samples to images on disk, in every known layout, and what is told when they lack."""

import os
from pathlib import Path

import pytest

from fleeting import tsv
from fleeting.errors import UserError
from fleeting.frames import select
from frame_files import sample, select_frames, touch, warning


def run(
    root: Path, *samples: dict[str, str], source: str = "raw", within: int = 0
) -> select.Result:
    reader = samples[0]["database"]
    return select_frames([*samples], within, reader=reader, root=root, source=source)[0]


def found(result: select.Result) -> list[object]:
    return [row["path"] for row in result.frames]


def codes(result: select.Result) -> list[object]:
    return [row["code"] for row in result.excluded]


ONE = {
    "casme": sample("casme", "sub01", "EP01_5", 3, 5, 7),
    "casme2": sample("casme2", "sub01", "EP02_01f", 3, 5, 7),
    "cas_me2": sample("cas_me2", "s15", "anger1_12", 3, 5, 7, video_code="0401"),
    "samm": sample("samm", "006", "006_1_2", 3, 5, 7),
}


@pytest.mark.parametrize(
    ("database", "pattern"),
    [
        ("casme", "sub01/EP01_5/EP01_5-{}.jpg"),
        ("casme", "sub1/EP01_5/EP01_5-00{}.JPG"),
        ("casme", "Section A/Sub01/EP01_05/EP01_05-{}.jpg"),
        ("casme", "CASME/2/sub01/ep01_5/{}.jpg"),
        ("casme2", "CASME2_RAW_selected/CASME2_RAW_selected/sub01/EP02_01f/img{}.jpg"),
        ("casme2", "sub01/EP02_01f/EP02_01f/img{}.jpg"),
        ("casme2", "sub01/frames/EP02_01f/img{}.jpg.jpg"),
        ("casme2", "CASME (II)^ copy/01/EP02_01f/img_{}.png"),
        ("cas_me2", "CAS(ME)^2/selectedpic/selectedpic/s15/anger1_12/img{}.jpg"),
        ("cas_me2", "rawpic/rawpic/s15/15_0401girlcrashing/img00{}.jpg"),
        ("cas_me2", "rawpic/s15/15_0401/img00{}.jpg"),
        ("cas_me2", "15_/anger1_12/img{}.jpg"),
        ("samm", "SAMM/006/006_1_2/006_0000{}.jpg"),
        ("samm", "6/006_1_2/006_{}.bmp"),
    ],
)
def test_raw_layouts(tmp_path, database, pattern):
    names = [pattern.format(number) for number in (2, 3, 5, 7, 8)]
    touch(tmp_path, *names)
    result = run(tmp_path, ONE[database])
    assert found(result) == names[1:4]
    assert result.excluded == []


@pytest.mark.parametrize(
    ("database", "pattern"),
    [
        ("casme", "sub01/EP01_5/reg_EP01_5-{}.jpg"),
        ("casme2", "Cropped/Cropped/sub01/EP02_01f/reg_img{}.jpg"),
        ("cas_me2", "cropped/15/anger1_12/img{}.jpg"),
    ],
)
def test_cropped_layouts(tmp_path, database, pattern):
    touch(tmp_path, *(names := [pattern.format(number) for number in (3, 5, 7)]))
    assert found(run(tmp_path, ONE[database], source="cropped")) == names
    result = run(tmp_path, ONE[database])
    assert codes(result) == ["clip_missing"] * 3
    assert "cropped ones exist" in str(result.excluded[0]["detail"])


@pytest.mark.parametrize(("source", "folder"), [("raw", "raw"), ("cropped", "Cropped")])
def test_both_kinds_below_one_root(tmp_path, source, folder):
    touch(tmp_path, *(f"Cropped/sub01/EP02_01f/reg_img{n}.jpg" for n in (3, 5, 7)))
    touch(tmp_path, *(f"raw/sub01/EP02_01f/img{n}.jpg" for n in (3, 5, 7)))
    paths = found(run(tmp_path, ONE["casme2"], source=source))
    assert [str(path).split("/")[0] for path in paths] == [folder] * 3


def test_clips_are_preferred_to_long_videos(tmp_path):
    touch(tmp_path, *(f"rawpic/s15/15_0401x/img{n}.jpg" for n in range(1, 9)))
    touch(tmp_path, *(f"selectedpic/s15/anger1_12/img{n}.jpg" for n in (3, 5)))
    clip = [f"selectedpic/s15/anger1_12/img{n}.jpg" for n in (3, 5)]
    assert found(run(tmp_path, ONE["cas_me2"])) == [*clip, "rawpic/s15/15_0401x/img7.jpg"]
    # Not all of these are annotated: the folder was renumbered.
    touch(tmp_path, "selectedpic/s15/anger1_12/img2.jpg")
    video = [f"rawpic/s15/15_0401x/img{n}.jpg" for n in (3, 5, 7)]
    assert found(run(tmp_path, ONE["cas_me2"])) == video


def test_the_folder_with_all_wanted_frames_is_preferred(tmp_path):
    touch(tmp_path, "a/sub01/EP02_01f/img3.jpg")
    touch(tmp_path, *(f"{root}/sub01/EP02_01f/img{n}.jpg" for root in "bc" for n in (3, 5, 7)))
    assert str(found(run(tmp_path, ONE["casme2"]))[0]).startswith("b/")


@pytest.mark.parametrize(
    "other",
    [
        "sub02/EP02_01f/img3.jpg",
        "sub11/EP02_01f/img3.jpg",
        "1/sub02/EP02_01f/img3.jpg",
        "sub01/EP02_01/img3.jpg",
        "sub01/EP02_011f/img3.jpg",
        "sub01/EP02_01f/EP03_02/img3.jpg",
        "EP02_01f/sub01/img3.jpg",
        "img3.jpg",
    ],
)
def test_other_clips_are_never_used(tmp_path, other):
    touch(tmp_path, other)
    assert found(run(tmp_path, ONE["casme2"])) == []


def test_a_folder_with_other_zeros_may_be_another_clip_of_the_table(tmp_path):
    touch(tmp_path, *(f"sub01/EP01_05/{n}.jpg" for n in (3, 5, 7)))
    other = sample("casme", "sub01", "EP01_05", 3, 5, 7)
    result = run(tmp_path, ONE["casme"], other)
    assert {row["sample"] for row in result.frames} == {other["sample"]}
    assert {row["sample"] for row in result.excluded} == {ONE["casme"]["sample"]}


def test_a_neighbour_is_listed(tmp_path):
    touch(tmp_path, *(f"sub01/EP02_01f/img{n}.jpg" for n in (3, 4, 6, 10)))
    result = run(tmp_path, ONE["casme2"], within=2)
    assert [(row["phase"], row["frame"]) for row in result.frames] == [
        ("onset", 3),
        ("apex", 4),
        ("offset", 6),
    ]
    assert [(row["stated"], row["used"]) for row in result.substituted] == [(5, 4), (7, 6)]
    result = run(tmp_path, ONE["casme2"])
    assert [row["image"] for row in result.excluded] == [
        "casme2/sub01/EP02_01f/3/apex",
        "casme2/sub01/EP02_01f/3/offset",
    ]
    assert "frame 5 is not in sub01/EP02_01f, which holds 3 to 10" in str(
        result.excluded[0]["detail"]
    )


def test_an_empty_file_is_excluded_and_no_neighbour_stands_in(tmp_path):
    touch(tmp_path, *(f"sub01/EP02_01f/img{n}.jpg" for n in (3, 5, 7)))
    touch(tmp_path, "sub01/EP02_01f/img5.jpg", content=b"")
    result = run(tmp_path, ONE["casme2"], within=2)
    assert codes(result) == ["empty_file"]
    assert len(result.frames) == 2


def test_a_frame_is_looked_for_in_every_folder_of_the_clip(tmp_path):
    touch(tmp_path, *(f"A/sub01/EP02_01f/img{n}.jpg" for n in (3, 5, 6)))
    touch(tmp_path, *(f"B/sub01/EP02_01f/img{n}.jpg" for n in (3, 7)))
    result = run(tmp_path, ONE["casme2"], within=1)
    assert found(result) == [
        "A/sub01/EP02_01f/img3.jpg",
        "A/sub01/EP02_01f/img5.jpg",
        "B/sub01/EP02_01f/img7.jpg",
    ]
    assert result.substituted == []


@pytest.mark.parametrize(
    "name",
    [b"two  spaces", b"\xff\xfe", b"line\nbreak", b"tab\tulator", b"a\xe2\x80\xaeb"],
)
def test_names_that_a_table_cannot_keep(tmp_path, name):
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))
    touch(folder, *(f"sub01/EP02_01f/img{n}.jpg" for n in (3, 5)))
    result = run(tmp_path, ONE["casme2"])
    assert codes(result) == ["unsupported_path", "unsupported_path", "frame_missing"]
    tsv.write_rows(result.excluded, tmp_path / "e.tsv", tsv.EXCLUDED)
    assert len(tsv.read_rows(tmp_path / "e.tsv", tsv.EXCLUDED)) == 3


def test_only_the_phases_that_annotations_kept(tmp_path):
    touch(tmp_path, *(f"sub01/EP02_01f/img{n}.jpg" for n in (3, 5, 7)))
    result = run(tmp_path, sample("casme2", "sub01", "EP02_01f", 3, "", ""))
    assert [row["phase"] for row in result.frames] == ["onset"]
    result = run(tmp_path, sample("casme2", "sub01", "EP9", 3, "", ""))
    assert [row["image"] for row in result.excluded] == ["casme2/sub01/EP9/3/onset"]


def many(count: int, database: str = "casme2") -> list[dict[str, str]]:
    return [sample(database, f"sub{n:02d}", "EP1", 3, 5, 7) for n in range(1, count + 1)]


def clips(root: Path, pattern: str, numbers: range) -> None:
    touch(root, *(pattern.format(n) + f"/img{i}.jpg" for n in numbers for i in (3, 5, 7)))


def told(root: Path, count: int, source: str = "raw") -> str:
    result, index = select_frames(many(count), reader="casme2", root=root, source=source)
    return warning(result, index, "casme2", source)


def test_few_missing_clips_are_normal(tmp_path):
    clips(tmp_path, "sub{:02d}/EP1", range(1, 20))
    assert told(tmp_path, 20) == ""


def test_many_missing_clips_have_a_likely_cause(tmp_path):
    clips(tmp_path, "sub{:02d}/EP1", range(1, 16))
    clips(tmp_path, "sub{:02d}/EP2", range(16, 21))
    text = told(tmp_path, 20)
    assert "5 of 20 clips of the table have no folder with raw frames" in text
    assert "an older table with newer folders" in text
    assert "Wanted, for example: sub16/EP1, sub17/EP1, sub18/EP1. Found: sub01/EP1" in text


def test_provider_crops_that_lack_clips(tmp_path):
    clips(tmp_path, "cropped/sub{:02d}/EP1", range(1, 16))
    clips(tmp_path, "cropped/sub{:02d}/EP2", range(16, 18))
    text = told(tmp_path, 20, "cropped")
    assert "provider's crops lack clips" in text
    assert "2 of them: their subjects are there without them; of sub16 there are crop" in text


@pytest.mark.parametrize(
    ("layout", "root", "cause"),
    [
        ("Cropped/sub{:02d}/EP1", "", "as cropped frames; set databases.casme2.source to crop"),
        ("sub{:02d}/EP1", "sub01", "one level too deep"),
        ("{:03d}0/other", "", r"None of their subjects has a folder.*Found: 0010/other"),
    ],
)
def test_not_one_frame_is_found(tmp_path, layout, root, cause):
    clips(tmp_path, layout, range(1, 21))
    with pytest.raises(UserError, match=cause):
        told(tmp_path / root, 1)


def test_no_images_at_all(tmp_path):
    touch(tmp_path, "CASME2_RAW.zip")
    with pytest.raises(UserError, match=r"no images at all \(but files with the ending \.zip\)"):
        told(tmp_path, 2)


def test_renumbered_frames(tmp_path):
    touch(tmp_path, "sub01/EP1/img100.jpg")
    with pytest.raises(UserError, match=r"3 clip renumbered.* 100 to 100, .*frames 3 to 7: "):
        told(tmp_path, 1)
    with pytest.raises(UserError, match=r"57 clip missing, 3 clip renumbered.*19 of 20 clips"):
        told(tmp_path, 20)


def job(folder: Path, out: Path, count: int) -> None:
    """Run the job; the database's name is the user's, its reader is another thing."""
    tsv.write_rows(many(count, "mine"), folder / "annotations.tsv", tsv.ANNOTATIONS)
    select.run(
        database="mine",
        settings={"reader": "casme2", "root": str(folder / "frames")},
        selection={"kind": "phases"},
        annotations=folder / "annotations.tsv",
        nearest_within=1,
        accept_losses=False,
        frames=out / "mine.tsv",
        excluded=out / "excluded.tsv",
        substituted=out / "substituted.tsv",
    )


def test_the_job(tmp_path, caplog):
    clips(tmp_path / "frames", "sub{:02d}/EP1", range(1, 3))
    (tmp_path / "frames/sub02/EP1/img5.jpg").rename(tmp_path / "frames/sub02/EP1/img6.jpg")
    with caplog.at_level("INFO"):
        job(tmp_path, tmp_path, 3)
    assert "Warning: mine: 3 of 9 images are left out (3 clip missing)" in caplog.text
    assert "1 of 3 clips of the table have no folder" in caplog.text
    assert "6 images found (1 of them neighbours), 3 excluded: 3 clip_missing" in caplog.text
    frames = tsv.read_rows(tmp_path / "mine.tsv", tsv.FRAMES)
    assert [*frames[0]] == [*tsv.FRAMES, "table_row"]
    assert frames[0]["image"] == "mine/sub01/EP1/3/onset"
    excluded = tsv.read_rows(tmp_path / "excluded.tsv", tsv.EXCLUDED)
    assert [(row["code"], row["reason"]) for row in excluded] == [
        ("clip_missing", "clip missing")
    ] * 3
    assert len(tsv.read_rows(tmp_path / "substituted.tsv", tsv.SUBSTITUTED)) == 1
