"""What selections want of a sample: phases by their numbers, ready pictures by their paths."""

import subprocess
import sys
from pathlib import Path

import pytest

from fleeting import registry
from fleeting.databases import reader
from fleeting.errors import UserError
from fleeting.frames import diagnosis, select
from fleeting.frames.index import Index
from fleeting.frames.wanted import Wanted

PICTURES = {"kind": "pictures"}


def sample(clip: str, onset: int = 3, **extra: str) -> dict[str, str]:
    return {
        "sample": f"mine/p1/{clip}/{onset}",
        "database": "mine",
        "subject": "p1",
        "clip": clip,
        "onset": str(onset),
        "apex": str(onset + 2),
        "offset": "",
        "emotion": "disgust",
        "action_units": "",
        "table": "clips.tsv",
        "table_row": "2",
        **extra,
    }


def touch(root: Path, *names: str, content: bytes = b"x") -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)


def selected(
    root: Path, *samples: dict[str, str], kind: str = "phases", within: int = 0, source: str = "raw"
) -> tuple[select.Result, Index]:
    module = reader.load("table")
    given = {"reader": "table", "table": "clips.tsv", "frames": root, "source": source}
    template = {"picture": "{clip}.png"} if kind == "pictures" else {"path": "{clip}/{frame}.png"}
    block = module.Settings.model_validate({**given, **template})
    want = select.wanted_by({"kind": kind})
    built = select.index_for(samples, want, root)
    return select.select(samples, want, built, module, block, within), built


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
    assert select.wanted_by(PICTURES)(row) == [Wanted("picture", path="c1.png")]


def test_a_picture_is_one_row_of_its_sample(tmp_path: Path) -> None:
    touch(tmp_path, "flow/c1.png", "flow/c2.png")
    result, built = selected(
        tmp_path,
        sample("c1", picture="flow/c1.png"),
        sample("c2", picture="flow/c2.png"),
        kind="pictures",
    )
    assert result.frames[0] == {
        "image": "mine/p1/c1/3/picture",
        "sample": "mine/p1/c1/3",
        "phase": "",
        "frame": None,
        "path": "flow/c1.png",
        "table_row": "2",
    }
    assert len(result.frames) == 2
    assert (result.excluded, result.substituted, built.folders) == ([], [], [])
    assert diagnosis.check(result, built, "mine", "raw") == ""


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("", "no_picture"),
        ("none.png", "picture_missing"),
        ("folder", "picture_missing"),
        ("../outside.png", "outside_root"),
        ("a/../../outside.png", "outside_root"),
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
    result, _ = selected(
        root, sample("c1", picture="c1.png"), sample("c2", picture=path), kind="pictures"
    )
    assert [row["sample"] for row in result.frames] == ["mine/p1/c1/3"]
    (row,) = result.excluded
    # Some systems know that a path cannot exist before they look.
    assert row["code"] in (code, "picture_missing")
    assert row["image"] == "mine/p1/c2/3/picture"
    assert (row["stage"], row["reason"]) == ("frames", str(row["code"]).replace("_", " "))
    assert row["detail"]


def test_a_table_without_pictures_is_no_error(tmp_path: Path) -> None:
    result, built = selected(tmp_path, sample("c1"), kind="pictures")
    assert [row["code"] for row in result.excluded] == ["no_picture"]
    assert "its table names no pictures" in diagnosis.check(result, built, "mine", "raw")


def test_pictures_of_which_none_is_there(tmp_path: Path) -> None:
    result, built = selected(tmp_path, sample("c1", picture="a.png"), kind="pictures")
    with pytest.raises(UserError, match=r"none of the pictures.*a\.png: no such file.*mine.frames"):
        diagnosis.check(result, built, "mine", "raw")
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
    touch(tmp_path, *(f"{clip}_{number}.png" for clip in ("c1", "c11") for number in (3, 6)))
    samples = [sample(clip, path=f"{clip}_{{frame}}.png") for clip in ("c1", "c11", "c2")]
    result, built = selected(tmp_path, *samples, within=1)
    assert [row["path"] for row in result.frames] == [
        "c1_3.png",
        "c1_6.png",
        "c11_3.png",
        "c11_6.png",
    ]
    assert [(row["stated"], row["used"]) for row in result.substituted] == [(5, 6), (5, 6)]
    assert {row["code"] for row in result.excluded} == {"clip_missing"}
    assert "no file of p1/c2 matches" in str(result.excluded[0]["detail"])
    assert "No file there matches databases.mine.path" in diagnosis.check(
        result, built, "mine", "raw"
    )


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
    result, built = selected(tmp_path, sample("c1", path="c1/{frame}.png"))
    assert [row["path"] for row in result.frames] == ["c1/3.png", "c1/5.png"]
    assert "c1/3.png" in built.same_number


def test_selections_are_imported_while_parsing_and_so_are_light() -> None:
    program = (
        "import sys; from fleeting import registry; "
        "[registry.load('selection', name) for name in registry.names('selection')]; "
        "print({'pandas', 'cv2', 'torch', 'sklearn'} & set(sys.modules))"
    )
    scripts = Path(registry.__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=scripts, capture_output=True, text=True
    )
    assert done.stdout == "set()\n", done.stderr
