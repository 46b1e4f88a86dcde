"""What selections want of a sample: frames by their numbers, ready pictures by their paths."""

from pathlib import Path

import pytest

import frame_files
from fleeting import registry
from fleeting.errors import UserError
from fleeting.frames import select
from fleeting.frames.index import Index
from fleeting.frames.selections import clip
from fleeting.frames.wanted import Wanted
from frame_files import touch


def sample(name: str, onset: int = 3, **extra: str) -> dict[str, str]:
    return frame_files.sample("mine", "p1", name, onset, onset + 2, "", **extra)


def movement(onset: int, apex: object, offset: object) -> dict[str, str]:
    return frame_files.sample("mine", "p1", "c1", onset, apex, offset)


def wanted(row: dict[str, str], **block: object) -> list[Wanted]:
    return list(select.wanted_by(block)(row))


def without_phase(images: list[Wanted]) -> list[int | None]:
    """The numbers of the frames that have no phase, in their order."""
    return [image.frame for image in images if not image.phase]


def selected(
    root: Path, *samples: dict[str, str], kind: str = "phases", within: int = 0, source: str = "raw"
) -> tuple[select.Result, Index]:
    template = {"picture": "{clip}.png"} if kind == "pictures" else {"path": "{clip}/{frame}.png"}
    given = {"reader": "table", "table": "clips.tsv", "frames": root, "source": source}
    return frame_files.select_frames([*samples], within, kind, **given, **template)


@pytest.mark.parametrize("name", registry.names("selection"))
def test_what_every_selection_offers(name: str) -> None:
    module = registry.load("selection", name)
    settings = module.Settings.model_validate({"kind": name})
    assert module.label(settings).startswith(name)
    images = module.wanted(sample("c1", picture="a.png"), settings)
    assert len({image.name for image in images}) == len(images) > 0
    assert all((image.frame is None) == bool(image.path) for image in images)


def test_phases_and_pictures() -> None:
    row = sample("c1", picture="c1.png")
    assert select.wanted_by({"kind": "phases"})(row) == [
        Wanted("onset", "onset", 3),
        Wanted("apex", "apex", 5),
    ]
    assert select.wanted_by({"kind": "pictures"})(row) == [Wanted("picture", path="c1.png")]


def test_the_frames_that_evenly_spaced_moments_lie_between() -> None:
    # Moments 10, 13.33, 16.67 and 20.
    images = wanted(movement(10, 14, 20), kind="even", count=4)
    assert images[:2] == [Wanted("onset", "onset", 10), Wanted("offset", "offset", 20)]
    assert images[2] == Wanted("frame13", "", 13)
    assert without_phase(images) == [13, 14, 16, 17]
    # A moment that is a frame needs no other one, and a frame is wanted once.
    assert without_phase(wanted(movement(10, 14, 20), kind="even", count=6)) == [12, 14, 16, 18]
    assert without_phase(wanted(movement(10, "", 13), kind="even", count=64)) == [11, 12]
    assert without_phase(wanted(movement(10, 14, 20), kind="even", count=2)) == []
    # 0.1 has no exact binary form: a tenth of the way is one frame, and not the one before as well.
    assert without_phase(wanted(movement(1, "", 11), kind="even", count=11)) == [*range(2, 11)]


def test_a_movement_of_one_frame_and_one_without_its_end() -> None:
    at_once = wanted(movement(10, 10, 10), kind="even")
    assert [(image.name, image.frame) for image in at_once] == [("onset", 10), ("offset", 10)]
    assert wanted(movement(10, 14, ""), kind="even") == [Wanted("onset", "onset", 10)]


@pytest.mark.parametrize(
    ("row", "block", "around"),
    [
        (movement(10, 20, 40), {}, [18, 19, 21, 22]),
        (movement(10, 20, 40), {"reach": 1, "step": 5}, [15, 25]),
        # Between onset and offset, which are wanted already.
        (movement(10, 12, 15), {"reach": 3}, [11, 13, 14]),
        (movement(10, 10, 15), {}, [11, 12]),
        (movement(10, 11, 12), {"reach": 5}, []),
        # What follows an apex without an offset is unknown.
        (movement(10, 20, ""), {}, [18, 19]),
        (movement(10, "", 40), {}, []),
    ],
)
def test_frames_around_the_apex(
    row: dict[str, str], block: dict[str, int], around: list[int]
) -> None:
    images = wanted(row, kind="around_apex", **block)
    assert without_phase(images) == around
    named = [image for image in images if image.phase]
    assert named == wanted(row, kind="phases")
    assert all(image.name == f"frame{image.frame}" for image in images[len(named) :])


def test_other_settings_have_another_folder() -> None:
    blocks = [{"kind": "even"}, {"kind": "even", "count": 5}]
    blocks += [{"kind": "around_apex", **own} for own in ({}, {"reach": 3}, {"step": 3})]
    modules = [registry.load("selection", str(block["kind"])) for block in blocks]
    labels = [
        module.label(module.Settings.model_validate(block))
        for module, block in zip(modules, blocks, strict=True)
    ]
    assert labels == ["even_10", "even_5", "around_apex_2_1", "around_apex_3_1", "around_apex_2_3"]


def test_a_frame_without_a_phase_is_found_replaced_or_excluded(tmp_path: Path) -> None:
    touch(tmp_path, *(f"c1/{number}.png" for number in (3, 4, 6, 9)))
    row = frame_files.sample("mine", "p1", "c1", 3, "", 9, path="c1/{frame}.png")
    result, _ = selected(tmp_path, row, kind="even", within=1)
    found = [(entry["image"], entry["phase"], entry["frame"]) for entry in result.frames]
    name = "mine/p1/c1/3/"
    assert found[:2] == [(f"{name}onset", "onset", 3), (f"{name}offset", "offset", 9)]
    assert found[2] == (f"{name}frame4", "", 4)
    stood_in = {(entry["stated"], entry["used"]) for entry in result.substituted}
    assert stood_in == {(5, 4), (7, 6), (8, 9)}
    result, _ = selected(tmp_path, row, kind="even")
    codes = [(entry["image"], entry["code"]) for entry in result.excluded]
    assert codes == [(f"{name}frame{number}", "frame_missing") for number in (5, 7, 8)]


def test_a_clip_has_the_annotated_frames_whatever_the_step() -> None:
    row = {"onset": "3", "apex": "6", "offset": "9"}
    named = {"onset": 3, "apex": 6, "offset": 9}
    for step, others in ((1, [4, 5, 7, 8]), (2, [5, 7]), (5, [8]), (100, [])):
        block = {"kind": "clip", "step": step}
        found = select.wanted_by(block)(row)
        assert without_phase(list(found)) == others
        assert {image.phase: image.frame for image in found if image.phase} == named
        settings = clip.Settings.model_validate(block)
        assert clip.label(settings) == ("clip" if step == 1 else f"clip_{step}")


@pytest.mark.parametrize(
    ("apex", "offset", "expected"),
    [
        ("", "5", [("onset", 3), ("offset", 5), ("", 4)]),
        ("5", "", [("onset", 3), ("apex", 5), ("", 4)]),
        ("", "", [("onset", 3)]),
        ("3", "4", [("onset", 3), ("apex", 3), ("offset", 4)]),
    ],
)
def test_a_clip_that_lacks_an_annotation(
    apex: str, offset: str, expected: list[tuple[str, int]]
) -> None:
    found = clip.wanted({"onset": "3", "apex": apex, "offset": offset}, clip.Settings())
    assert [(image.phase, image.frame) for image in found] == expected


def test_a_picture_is_one_row_of_its_sample(tmp_path: Path) -> None:
    touch(tmp_path, "flow/c1.png", "flow/c2.png")
    samples = (sample(clip, picture=f"flow/{clip}.png") for clip in ("c1", "c2"))
    result, index = selected(tmp_path, *samples, kind="pictures")
    assert result.frames[0] == {
        "image": "mine/p1/c1/3/picture",
        "sample": "mine/p1/c1/3",
        "phase": "",
        "frame": None,
        "path": "flow/c1.png",
        "table_row": "2",
    }
    assert len(result.frames) == 2
    assert (result.excluded, result.substituted, index.folders) == ([], [], [])


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("", "no_picture"),
        ("none.png", "picture_missing"),
        ("folder", "picture_missing"),
        ("../outside.png", "outside_root"),
        ("folder/../c1.png", "outside_root"),
        ("/etc/hostname", "outside_root"),
        ("link.png", "outside_root"),
        ("empty.png", "empty_file"),
        ("two  spaces.png", "unsupported_path"),
        ("a" * 5000, "unreadable_file"),
        ("nul\0.png", "unreadable_file"),
    ],
)
def test_a_picture_that_cannot_be_used_is_excluded(tmp_path: Path, path: str, code: str) -> None:
    root = tmp_path / "root"
    touch(tmp_path, "outside.png")
    touch(root, "c1.png", "two  spaces.png", "folder/x.png")
    touch(root, "empty.png", content=b"")
    (root / "link.png").symlink_to(tmp_path / "outside.png")
    samples = sample("c1", picture="c1.png"), sample("c2", picture=path)
    result, _ = selected(root, *samples, kind="pictures")
    assert [row["sample"] for row in result.frames] == ["mine/p1/c1/3"]
    (row,) = result.excluded
    # Some systems know that a path cannot exist before they look.
    assert row["code"] in (code, "picture_missing")
    assert row["image"] == "mine/p1/c2/3/picture"
    assert (row["stage"], row["reason"]) == ("frames", str(row["code"]).replace("_", " "))
    assert row["detail"]


def test_a_table_without_pictures_is_no_error(tmp_path: Path) -> None:
    result, index = selected(tmp_path, sample("c1"), kind="pictures")
    assert [row["code"] for row in result.excluded] == ["no_picture"]
    assert "its table names no pictures" in frame_files.warning(result, index, "mine")


def test_pictures_of_which_none_is_there(tmp_path: Path) -> None:
    result, index = selected(tmp_path, sample("c1", picture="a.png"), kind="pictures")
    with pytest.raises(UserError, match=r"picture missing.*a\.png: no such file.*mine.frames"):
        frame_files.warning(result, index, "mine")
    with pytest.raises(UserError, match="no such folder"):
        selected(tmp_path / "none", sample("c1", picture="a.png"), kind="pictures")


@pytest.mark.parametrize("source", ["raw", "cropped"])
def test_a_template_names_the_files(tmp_path: Path, source: str) -> None:
    """Neither other numbers in a name, nor other files, nor `cropped` in a name matter."""
    touch(tmp_path, "c_Cropped 2/003_frame_a1.png", "c_Cropped 2/005_frame_a1.png")
    touch(tmp_path, "c_Cropped 2/3.png", "c_Cropped 2/005_frame_a2.png", "x/c_Cropped 2/5.png")
    row = sample("c", path="c_cropped 2/{frame}_frame_a1.png")
    result, _ = selected(tmp_path, row, source=source)
    assert [row["path"] for row in result.frames] == [
        "c_Cropped 2/003_frame_a1.png",
        "c_Cropped 2/005_frame_a1.png",
    ]


def test_all_frames_in_one_folder(tmp_path: Path) -> None:
    files = [f"{clip}_{number}.png" for clip in ("c1", "c11") for number in (3, 6)]
    touch(tmp_path, *files)
    samples = [sample(clip, path=f"{clip}_{{frame}}.png") for clip in ("c1", "c11", "c2")]
    result, index = selected(tmp_path, *samples, within=1)
    assert [row["path"] for row in result.frames] == files
    assert [(row["stated"], row["used"]) for row in result.substituted] == [(5, 6), (5, 6)]
    assert {row["code"] for row in result.excluded} == {"clip_missing"}
    assert "no file of p1/c2 matches" in str(result.excluded[0]["detail"])
    warning = frame_files.warning(result, index, "mine")
    assert "no file there matches databases.mine.path" in warning


def test_samples_of_one_clip_may_lie_apart(tmp_path: Path) -> None:
    touch(tmp_path, "a/3.png", "a/5.png", "b/13.png", "b/15.png", "b/3.png")
    first = sample("c1", 3, path="a/{frame}.png")
    second = sample("c1", 13, path="b/{frame}.png")
    result, _ = selected(tmp_path, first, second)
    assert [row["path"] for row in result.frames] == ["a/3.png", "a/5.png", "b/13.png", "b/15.png"]
    assert len(result.clips) == 2


def test_of_two_files_of_one_number_the_one_with_bytes(tmp_path: Path) -> None:
    touch(tmp_path, "c1/03.png", content=b"")
    touch(tmp_path, "c1/3.png", "c1/5.png")
    result, index = selected(tmp_path, sample("c1", path="c1/{frame}.png"))
    assert [row["path"] for row in result.frames] == ["c1/3.png", "c1/5.png"]
    assert [folder.beside for folder in result.clips[0].folders] == [["c1/03.png"]]
