"""From samples to images on disk, in every known layout, and what is told when they lack."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fleeting import tsv
from fleeting.databases import reader
from fleeting.errors import UserError
from fleeting.frames import diagnosis, index, select

JOB = Path(__file__).parent.parent / "workflow/scripts/job.py"


def touch(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def sample(
    database: str, subject: str, clip: str, onset: int, apex: object, offset: object, **extra: str
) -> dict[str, str]:
    return {
        "sample": f"{database}/{subject}/{clip}/{onset}",
        "database": database,
        "subject": subject,
        "clip": clip,
        "onset": str(onset),
        "apex": str(apex),
        "offset": str(offset),
        "emotion": "disgust",
        "action_units": "4",
        "table": "t.xlsx",
        "table_row": "2",
        **extra,
    }


def result_of(
    name: str,
    root: Path,
    samples: list[dict[str, str]],
    source: str = "raw",
    within: int = 0,
    kind: str = "phases",
) -> tuple[select.Result, index.Index]:
    module = reader.load(name)
    block = module.Settings.model_validate({"reader": name, "root": root, "source": source})
    want = select.wanted_by({"kind": kind})
    built = select.index_for(samples, want, root)
    return select.select(samples, want, built, module, block, within), built


def run(
    root: Path, *samples: dict[str, str], source: str = "raw", within: int = 0
) -> select.Result:
    return result_of(samples[0]["database"], root, [*samples], source, within)[0]


def found(selection: select.Result) -> list[object]:
    return [row["path"] for row in selection.frames]


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
    selection = run(tmp_path, ONE[database])
    assert found(selection) == names[1:4]
    assert selection.excluded == []


@pytest.mark.parametrize(
    ("database", "pattern"),
    [
        ("casme", "sub01/EP01_5/reg_EP01_5-{}.jpg"),
        ("casme2", "Cropped/Cropped/sub01/EP02_01f/reg_img{}.jpg"),
        ("cas_me2", "cropped/15/anger1_12/img{}.jpg"),
    ],
)
def test_cropped_layouts(tmp_path, database, pattern):
    names = [pattern.format(number) for number in (3, 5, 7)]
    touch(tmp_path, *names)
    assert found(run(tmp_path, ONE[database], source="cropped")) == names
    selection = run(tmp_path, ONE[database])
    assert found(selection) == []
    assert {row["code"] for row in selection.excluded} == {"clip_missing"}
    assert "cropped ones exist" in str(selection.excluded[0]["detail"])


def test_both_kinds_below_one_root(tmp_path):
    touch(tmp_path, *(f"Cropped/sub01/EP02_01f/reg_img{n}.jpg" for n in (3, 5, 7)))
    touch(tmp_path, *(f"raw/sub01/EP02_01f/img{n}.jpg" for n in (3, 5, 7)))
    assert found(run(tmp_path, ONE["casme2"]))[0] == "raw/sub01/EP02_01f/img3.jpg"
    assert str(found(run(tmp_path, ONE["casme2"], source="cropped"))[0]).startswith("Cropped/")


def test_clips_are_preferred_to_long_videos(tmp_path):
    touch(tmp_path, *(f"rawpic/s15/15_0401x/img{n}.jpg" for n in range(1, 9)))
    touch(tmp_path, *(f"selectedpic/s15/anger1_12/img{n}.jpg" for n in (3, 5)))
    selection = run(tmp_path, ONE["cas_me2"])
    clip = [f"selectedpic/s15/anger1_12/img{n}.jpg" for n in (3, 5)]
    assert found(selection) == [*clip, "rawpic/s15/15_0401x/img7.jpg"]
    assert selection.excluded == []


def test_the_folder_with_all_wanted_frames_is_preferred(tmp_path):
    touch(tmp_path, "a/sub01/EP02_01f/img3.jpg")
    touch(tmp_path, *(f"b/sub01/EP02_01f/img{n}.jpg" for n in (3, 5, 7)))
    touch(tmp_path, *(f"c/sub01/EP02_01f/img{n}.jpg" for n in (3, 5, 7)))
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
def test_other_clips_are_never_taken(tmp_path, other):
    touch(tmp_path, other)
    assert found(run(tmp_path, ONE["casme2"])) == []


def test_other_zeros_are_not_taken_from_another_clip_of_the_table(tmp_path):
    touch(tmp_path, *(f"sub01/EP01_05/{n}.jpg" for n in (3, 5, 7)))
    other = sample("casme", "sub01", "EP01_05", 3, 5, 7)
    selection = run(tmp_path, ONE["casme"], other)
    assert {row["sample"] for row in selection.frames} == {other["sample"]}
    assert {row["sample"] for row in selection.excluded} == {ONE["casme"]["sample"]}


def test_a_neighbour_is_listed(tmp_path):
    touch(tmp_path, *(f"sub01/EP02_01f/img{n}.jpg" for n in (3, 4, 6, 10)))
    selection = run(tmp_path, ONE["casme2"], within=2)
    assert [(row["phase"], row["frame"]) for row in selection.frames] == [
        ("onset", 3),
        ("apex", 4),
        ("offset", 6),
    ]
    assert [(row["stated"], row["used"]) for row in selection.substituted] == [(5, 4), (7, 6)]
    selection = run(tmp_path, ONE["casme2"])
    assert [row["image"] for row in selection.excluded] == [
        "casme2/sub01/EP02_01f/3/apex",
        "casme2/sub01/EP02_01f/3/offset",
    ]
    assert "frame 5 is not in sub01/EP02_01f, which holds 3 to 10" in str(
        selection.excluded[0]["detail"]
    )


def test_empty_files_are_left_out(tmp_path):
    touch(tmp_path, *(f"sub01/EP02_01f/img{n}.jpg" for n in (3, 5, 7)))
    (tmp_path / "sub01/EP02_01f/img5.jpg").write_bytes(b"")
    selection = run(tmp_path, ONE["casme2"], within=2)
    assert [row["code"] for row in selection.excluded] == ["empty_file"]
    assert len(selection.frames) == 2


def test_a_frame_is_looked_for_in_every_folder_of_the_clip(tmp_path):
    touch(tmp_path, *(f"A/sub01/EP02_01f/img{n}.jpg" for n in (3, 5, 6)))
    touch(tmp_path, *(f"B/sub01/EP02_01f/img{n}.jpg" for n in (3, 7)))
    selection = run(tmp_path, ONE["casme2"], within=1)
    assert found(selection) == [
        "A/sub01/EP02_01f/img3.jpg",
        "A/sub01/EP02_01f/img5.jpg",
        "B/sub01/EP02_01f/img7.jpg",
    ]
    assert selection.substituted == []


def test_of_two_files_of_one_number_the_empty_one_is_not_taken(tmp_path):
    touch(tmp_path, *(f"sub01/EP02_01f/img{n}.jpg" for n in (3, 5, 7)))
    (tmp_path / "sub01/EP02_01f/IMG5.jpg").write_bytes(b"")
    assert found(run(tmp_path, ONE["casme2"]))[1] == "sub01/EP02_01f/img5.jpg"


def test_names_that_are_no_utf8_end_in_rows(tmp_path):
    folder = os.fsencode(tmp_path) + b"/\xff\xfe/sub01/EP02_01f"
    Path(os.fsdecode(folder)).mkdir(parents=True)
    for number in (3, 5):
        Path(os.fsdecode(folder + b"/img%d.jpg" % number)).write_bytes(b"x")
    selection = run(tmp_path, ONE["casme2"])
    assert len(selection.frames) + len(selection.excluded) == 3
    tsv.write_rows(selection.excluded, tmp_path / "e.tsv", tsv.EXCLUDED)
    assert "\\udcff" in (tmp_path / "e.tsv").read_text()


def test_only_the_phases_that_annotations_kept(tmp_path):
    touch(tmp_path, *(f"sub01/EP02_01f/img{n}.jpg" for n in (3, 5, 7)))
    selection = run(tmp_path, sample("casme2", "sub01", "EP02_01f", 3, "", ""))
    assert [row["phase"] for row in selection.frames] == ["onset"]
    selection = run(tmp_path, sample("casme2", "sub01", "EP9", 3, "", ""))
    assert [row["image"] for row in selection.excluded] == ["casme2/sub01/EP9/3/onset"]


def test_names_that_a_table_cannot_keep(tmp_path):
    touch(tmp_path, *(f"two  spaces/sub01/EP02_01f/img{n}.jpg" for n in (3, 5, 7)))
    selection = run(tmp_path, ONE["casme2"])
    assert {row["code"] for row in selection.excluded} == {"unsupported_path"}


def many(count: int) -> list[dict[str, str]]:
    return [sample("casme2", f"sub{n:02d}", "EP1", 3, 5, 7) for n in range(1, count + 1)]


def clips(root: Path, pattern: str, numbers: range) -> None:
    touch(root, *(pattern.format(n) + f"/img{i}.jpg" for n in numbers for i in (3, 5, 7)))


def told(root: Path, samples: list[dict[str, str]], source: str = "raw") -> str:
    selection, built = result_of("casme2", root, samples, source)
    return diagnosis.check(selection, built, "casme2", source)


def test_few_missing_clips_are_normal(tmp_path):
    clips(tmp_path, "sub{:02d}/EP1", range(1, 20))
    assert told(tmp_path, many(20)) == ""


def test_many_missing_clips_have_a_likely_cause(tmp_path):
    clips(tmp_path, "sub{:02d}/EP1", range(1, 16))
    clips(tmp_path, "sub{:02d}/EP2", range(16, 21))
    text = told(tmp_path, many(20))
    assert "5 of 20 clips of the table have no folder with raw frames" in text
    assert "an older table with newer folders" in text
    assert "Wanted, for example: sub16/EP1, sub17/EP1, sub18/EP1. Found: sub01/EP1" in text


def test_provider_crops_that_lack_clips(tmp_path):
    clips(tmp_path, "cropped/sub{:02d}/EP1", range(1, 16))
    text = told(tmp_path, many(20), "cropped")
    assert "provider's crops lack clips" in text
    assert "whole subjects are absent: sub16, sub17, sub18, sub19, sub20" in text
    clips(tmp_path, "cropped/sub{:02d}/EP2", range(16, 18))
    assert "whole subjects are absent: sub18, sub19, sub20" in told(tmp_path, many(20), "cropped")


def test_the_wrong_source(tmp_path):
    clips(tmp_path, "Cropped/sub{:02d}/EP1", range(1, 21))
    with pytest.raises(UserError, match="as cropped frames: set databases.casme2.source to crop"):
        told(tmp_path, many(20))


def test_a_path_one_level_too_deep(tmp_path):
    clips(tmp_path, "sub{:02d}/EP1", range(1, 2))
    with pytest.raises(UserError, match="one level too deep"):
        told(tmp_path / "sub01", many(1))


def test_another_database(tmp_path):
    clips(tmp_path, "{:03d}/other", range(500, 510))
    with pytest.raises(UserError, match=r"None of their subjects has a folder.*Found: 500/other"):
        told(tmp_path, many(20))


def test_no_images_at_all(tmp_path):
    (tmp_path / "CASME2_RAW.zip").write_bytes(b"x")
    with pytest.raises(UserError, match=r"no images at all \(but files with the ending \.zip\)"):
        told(tmp_path, many(2))


def test_renumbered_frames(tmp_path):
    touch(tmp_path, "sub01/EP1/img100.jpg")
    with pytest.raises(UserError, match=r"none of the frames .* can be used.*frame 3 is not in"):
        told(tmp_path, many(1))


def test_some_clips_absent_and_the_others_renumbered(tmp_path):
    touch(tmp_path, "sub01/EP1/img100.jpg")
    with pytest.raises(UserError, match=r"19 of 20 clips.*none of the frames.*renumbered"):
        told(tmp_path, many(20))


def job(folder: Path, out: Path, **more: object) -> subprocess.CompletedProcess[str]:
    options = {
        "database": "mine",
        "settings": json.dumps({"reader": "casme2", "root": str(folder / "frames")}),
        "selection": json.dumps({"kind": "phases"}),
        "annotations": folder / "annotations.tsv",
        "nearest-within": 1,
        "frames": out / "mine.tsv",
        "excluded": out / "excluded.tsv",
        "substituted": out / "substituted.tsv",
        "subjects": out / "mine",
        **more,
    }
    command = [sys.executable, JOB, "frames.select"]
    for name, value in options.items():
        command += [f"--{name}", value]
    return subprocess.run([str(part) for part in command], capture_output=True, text=True)


def written(samples: list[dict[str, str]], folder: Path) -> None:
    own = [
        {**row, "database": "mine", "sample": row["sample"].replace("casme2/", "mine/")}
        for row in samples
    ]
    tsv.write_rows(own, folder / "annotations.tsv", tsv.ANNOTATIONS)


def test_the_job(tmp_path):
    """The database's name is the user's; its reader is another thing."""
    clips(tmp_path / "frames", "sub{:02d}/EP1", range(1, 3))
    (tmp_path / "frames/sub02/EP1/img5.jpg").rename(tmp_path / "frames/sub02/EP1/img6.jpg")
    written(many(3), tmp_path)
    out = tmp_path / "out"
    (out / "mine").mkdir(parents=True)
    (out / "mine/sub09.tsv").write_text("stale")
    shown = job(tmp_path, out)
    assert shown.returncode == 0, shown.stderr
    assert "Warning: mine: 1 of 3 clips" in shown.stdout
    assert "3 samples, 6 images found (1 of them neighbours), 3 excluded: 3 clip_missing" in (
        shown.stdout
    )
    whole = tsv.read_rows(out / "mine.tsv", tsv.FRAMES)
    assert [*whole[0]] == [*tsv.FRAMES, "table_row"]
    assert whole[0]["image"] == "mine/sub01/EP1/3/onset"
    assert sorted(path.name for path in (out / "mine").iterdir()) == ["sub01.tsv", "sub02.tsv"]
    parts = [
        row
        for path in sorted((out / "mine").glob("*.tsv"))
        for row in tsv.read_rows(path, tsv.FRAMES)
    ]
    assert parts == [{key: row[key] for key in tsv.FRAMES} for row in whole]
    excluded = tsv.read_rows(out / "excluded.tsv", tsv.EXCLUDED)
    assert [(row["code"], row["reason"]) for row in excluded] == [
        ("clip_missing", "clip missing")
    ] * 3
    assert len(tsv.read_rows(out / "substituted.tsv", tsv.SUBSTITUTED)) == 1


def test_another_subject_leaves_the_tables_of_the_first(tmp_path):
    clips(tmp_path / "frames", "sub{:02d}/EP1", range(1, 3))
    for count in (1, 2):
        written(many(count), tmp_path)
        assert job(tmp_path, tmp_path / str(count)).returncode == 0
    assert (tmp_path / "1/mine/sub01.tsv").read_bytes() == (
        tmp_path / "2/mine/sub01.tsv"
    ).read_bytes()


def test_the_job_ends_in_one_message(tmp_path):
    written(many(1), tmp_path)
    shown = job(tmp_path, tmp_path / "out")
    assert shown.returncode == 1
    assert shown.stderr.startswith("Error: ")
    assert "frames: no such folder" in shown.stderr
    assert not (tmp_path / "out").exists()


def test_edited_annotations_are_refused(tmp_path):
    clips(tmp_path, "sub{:02d}/EP1", range(1, 3))
    twice = [*many(1), *many(1)]
    subject = {**many(1)[0], "subject": "x", "sample": "casme2/x/EP1/3"}
    outside = {**many(1)[0], "subject": "..", "sample": "casme2/../EP1/3"}
    for samples in (twice, [subject], [outside]):
        with pytest.raises(UserError, match="-R extract_annotations"):
            result_of("casme2", tmp_path, samples)
