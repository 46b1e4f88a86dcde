"""What selections want of a sample: phases by their numbers, ready pictures by their paths."""

from pathlib import Path

import pytest

import frame_files
from fleeting import registry
from fleeting.errors import UserError
from fleeting.frames import select
from fleeting.frames.index import Index
from fleeting.frames.wanted import Wanted
from frame_files import touch


def sample(clip: str, onset: int = 3, **extra: str) -> dict[str, str]:
    return frame_files.sample("mine", "p1", clip, onset, onset + 2, "", **extra)


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
    assert module.label(settings) == name
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
