"""Frames that are no pictures: each ends in a row of the exclusions; odd ones become crops."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fleeting import tsv
from fleeting.databases import reader
from fleeting.faces import images
from fleeting.faces.crop import Job, crop_frames
from fleeting.faces.gather import gather
from fleeting.faces.settings import CropSettings
from fleeting.frames import index, select
from malformed import pictures

JOB = Path(images.__file__).parents[2] / "job.py"
SETTINGS = CropSettings(size=16)
#: Paths that no file of the folder may have, as a table that somebody edited could name them.
PATHS = {
    "up": "../outside.png",
    "up_again": "a/../../outside.png",
    "absolute": "/etc/passwd",
    "of_the_system": "/proc/self/environ",
    "too_long": "a" * 5000 + ".png",
    "nul": "a\0.png",
}
#: Names that shells, patterns and reports might trip over.
NAMES = ["it's 1.png", '"2".png', "$(touch pwned)3.png", "`4`.png", "-5.png", "ä 6.png", "#%7.png"]
NAMES += ["<b>8.png", "{subject}9.png", "a\\10.png", "*?11.png", "; rm 12.png", "^(13).png"]


def sample(number: int) -> str:
    return f"casme2/sub01/EP{number}/1"


def job(folder: Path) -> Job:
    results, frames = folder / "results", folder / "frames"
    return Job(results, "paper", "casme2", "sub01", frames, "cropped", SETTINGS, None)


def cropped(folder: Path, paths: list[str]) -> tuple[dict[str, str], dict[str, str]]:
    """What the crop job makes of frames at these paths: outcomes and exclusions, by path."""
    rows = [
        {
            "image": f"{sample(number)}/onset",
            "sample": sample(number),
            "phase": "onset",
            "frame": 1,
            "path": path,
            "table_row": number + 2,
        }
        for number, path in enumerate(paths)
    ]
    table, subjects = folder / "frames.tsv", folder / "subjects"
    tsv.write_rows(rows, table, {**tsv.FRAMES, "table_row": tsv.INTEGER})
    tsv.write_rows(rows, subjects / "sub01.tsv", tsv.FRAMES)
    out = job(folder).folder.parent
    crop_frames(job(folder), subjects / "sub01.tsv", out / "sub01.tsv", out / "sub01.excluded.tsv")
    kept, left_out = gather(out, subjects, table)
    assert len(kept) + len(left_out) == len(paths)
    assert all((folder / "results" / row["path"]).is_file() for row in kept)
    path_of = {str(row["image"]): str(row["path"]) for row in rows}
    return (
        {path_of[row["image"]]: row["outcome"] for row in kept},
        {path_of[row["image"]]: f"{row['code']}: {row['detail']}" for row in left_out},
    )


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, str], dict[str, str]]:
    """One crop job over all pictures."""
    folder = tmp_path_factory.mktemp("pictures")
    (folder / "frames").mkdir()
    makers = {name: make for name, (make, _) in pictures.REFUSED.items()} | pictures.KEPT
    for name, make in makers.items():
        make(folder / "frames" / f"{name}.jpg")
    return cropped(folder, [f"{name}.jpg" for name in makers])


@pytest.mark.parametrize("name", pictures.REFUSED)
def test_a_picture_that_is_refused(outcomes, name: str) -> None:
    kept, left_out = outcomes
    detail = left_out[f"{name}.jpg"]
    assert detail.startswith(f"unreadable_image: {name}.jpg: ")
    assert any(reason in detail for reason in pictures.REFUSED[name][1].split("|")), detail


@pytest.mark.parametrize("name", pictures.KEPT)
def test_an_odd_picture_becomes_a_crop(outcomes, name: str) -> None:
    assert outcomes[0][f"{name}.jpg"] == "provider's crop"


def test_a_bomb_is_refused_before_it_is_decoded(tmp_path: Path, monkeypatch) -> None:
    """Each of these would take gigabytes."""
    monkeypatch.setattr(images.cv2, "imdecode", lambda *_: pytest.fail("it was decoded"))
    bombs = [
        "bmp_packed_and_huge",
        "jpeg_65535",
        "png_65535",
        "png_2_to_31",
        "jpeg_size_twice",
        "bmp_huge",
    ]
    bombs += ["jpeg_small_size_at_the_end", "png_small_size_before_the_true_one"]
    for name in bombs:
        pictures.REFUSED[name][0](tmp_path / name)
        with pytest.raises(images.Unusable):
            images.read(tmp_path, name)


@pytest.mark.parametrize("name", PATHS)
def test_a_path_out_of_the_folder_is_a_row(tmp_path: Path, name: str) -> None:
    (tmp_path / "frames/a").mkdir(parents=True)
    (tmp_path / "outside.png").write_bytes(pictures.PNG)
    kept, left_out = cropped(tmp_path, [PATHS[name]])
    assert kept == {}
    assert left_out[PATHS[name]].startswith("unreadable_image")


def test_a_root_that_is_a_link_itself_is_fine(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk/a.png").write_bytes(pictures.PNG)
    (tmp_path / "frames").symlink_to("disk")
    assert images.read(tmp_path / "frames", "a.png").shape == (30, 40, 3)


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="a system without /proc")
def test_a_file_that_cannot_be_read_is_a_row() -> None:
    """Even for the superuser."""
    with pytest.raises(images.Unusable, match="Input/output error"):
        images.read(Path("/proc/self"), "mem")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP"])
def test_bytes_that_flipped(tmp_path: Path, kind: str) -> None:
    """Damage is found or changes pixels; it never ends in anything but a picture or a reason."""
    whole = pictures.encoded(kind)
    chance = random.Random(1)
    codes = []
    for _ in range(300):
        changed = bytearray(whole)
        for _ in range(chance.choice([1, 5])):
            changed[chance.randrange(len(changed))] = chance.randrange(256)
        (tmp_path / "a").write_bytes(changed)
        try:
            image = images.read(tmp_path, "a")
        except images.Unusable as error:
            codes.append(error.code)
        else:
            assert image.dtype == np.uint8
            assert image.ndim == 3
    assert set(codes) == {"unreadable_image"}


def selected(folder: Path, clip: str) -> select.Result:
    row = {
        "sample": f"casme2/sub01/{clip}/1",
        "database": "casme2",
        "subject": "sub01",
        "clip": clip,
        "onset": "1",
        "apex": "2",
        "offset": "3",
        "emotion": "fear",
        "action_units": "",
        "table": "t.xlsx",
        "table_row": "2",
    }
    casme2 = reader.load("casme2")
    settings = casme2.Settings(reader="casme2", root=folder)
    want = select.wanted_by({"kind": "phases"})
    return select.select([row], want, index.build(folder), casme2, settings, 0)


@pytest.mark.parametrize("name", ["pipe", "folder", "dangling_link", "link_to_itself", "device"])
def test_what_is_no_file_is_no_frame(tmp_path: Path, name: str) -> None:
    clip = tmp_path / "frames/sub01/EP1"
    clip.mkdir(parents=True)
    (clip / "img1.jpg").write_bytes(pictures.JPEG)
    (clip / "img3.jpg").write_bytes(pictures.JPEG)
    pictures.REFUSED[name][0](clip / "img2.jpg")
    result = selected(tmp_path / "frames", "EP1")
    assert [row["phase"] for row in result.frames] == ["onset", "offset"]
    assert [row["code"] for row in result.excluded] == ["frame_missing"]


def test_links_and_loops_of_folders(tmp_path: Path) -> None:
    """Neither what lies outside nor the same folder twice."""
    outside = tmp_path / "outside/sub01/EP1"
    outside.mkdir(parents=True)
    for number in (1, 2, 3):
        (outside / f"img{number}.jpg").write_bytes(pictures.JPEG)
    root = tmp_path / "frames"
    (root / "a").mkdir(parents=True)
    (root / "a/up").symlink_to("..")
    (root / "a/same").symlink_to("same")
    (root / "a/long").symlink_to("/" + "x" * 3000)
    (root / "sub01").symlink_to("../outside/sub01")
    result = selected(root, "EP1")
    assert result.frames == []
    assert {row["code"] for row in result.excluded} == {"clip_missing"}
    assert len(result.excluded) == 3
    assert "a/same" in " ".join(index.build(root).notes())


@pytest.mark.parametrize("name", NAMES)
def test_names_of_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    clip = tmp_path / "frames/sub01/EP1"
    clip.mkdir(parents=True)
    (clip / name).write_bytes(pictures.PNG)
    found = {
        number: file
        for folder in index.build(tmp_path / "frames").folders
        for number, file in folder.files.items()
    }
    assert list(found.values()) == [name]
    kept, left_out = cropped(tmp_path, [f"sub01/EP1/{name}"])
    assert len(kept) == 1
    assert left_out == {}
    assert not (tmp_path / "pwned").exists()


@pytest.mark.parametrize("name", [b"a\n1.jpg", b"a\xff1.jpg", b"a\xe2\x80\xae1.jpg", b"a\t1.jpg"])
def test_names_that_no_table_can_keep_are_rows(tmp_path: Path, name: bytes) -> None:
    clip = tmp_path / "sub01/EP1"
    clip.mkdir(parents=True)
    Path(os.fsdecode(os.fsencode(clip) + b"/" + name)).write_bytes(pictures.JPEG)
    result = selected(tmp_path, "EP1")
    assert [row["code"] for row in result.excluded] == [
        "unsupported_path",
        "frame_missing",
        "frame_missing",
    ]


def test_the_job_prints_no_traceback(tmp_path: Path) -> None:
    """Where it is given a table of frames that was cut off."""
    (tmp_path / "frames").mkdir()
    (tmp_path / "sub01.tsv").write_text("image\tsample\tphase\tframe\tpath\na\tb")
    out = job(tmp_path).folder
    options = {
        "results": tmp_path / "results",
        "crop": "paper",
        "database": "casme2",
        "subject": "sub01",
        "frames": tmp_path / "sub01.tsv",
        "root": tmp_path / "frames",
        "source": "cropped",
        "settings": json.dumps(SETTINGS.model_dump(mode="json")),
        "faces": f"{out}.tsv",
        "excluded": f"{out}.excluded.tsv",
        "crops": out,
    }
    arguments = [str(part) for key, value in options.items() for part in (f"--{key}", value)]
    command = [sys.executable, str(JOB), "faces.crop", *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    assert "sub01.tsv: not a whole table" in done.stderr
    assert "Traceback" not in done.stderr + done.stdout
