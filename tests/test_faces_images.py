"""Reading frames: what is refused, what odd pictures become; and writing crops."""

import errno
import random
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from fleeting.errors import Unusable
from fleeting.faces import images
from fleeting.frames import index
from malformed import pictures
from malformed.pictures import BMP, JPEG, PIXELS, PNG, encoded

#: OpenCV's order of colours.
PICTURE = np.ascontiguousarray(PIXELS[..., ::-1])
#: Paths that no file of the folder may have, as a table that somebody edited could name them.
PATHS = ["../outside.png", "a/../../outside.png", "/etc/passwd", "/proc/self/environ"]
PATHS += ["a" * 5000 + ".png", "a\0.png"]
#: Names that shells, patterns and reports might trip over.
NAMES = ["it's 1.png", '"2".png', "$(touch pwned)3.png", "`4`.png", "-5.png", "ä 6.png", "#%7.png"]
NAMES += ["<b>8.png", "{subject}9.png", "a\\10.png", "*?11.png", "; rm 12.png", "^(13).png"]


def reason(data: bytes) -> str:
    with pytest.raises(Unusable) as caught:
        images.decode(data)
    assert caught.value.code == "unreadable_image"
    return caught.value.detail


@pytest.mark.parametrize("name", pictures.REFUSED)
def test_a_picture_that_is_refused(tmp_path: Path, name: str) -> None:
    make, reasons = pictures.REFUSED[name]
    (tmp_path / "frames").mkdir()
    make(tmp_path / "frames" / "a.jpg")
    with pytest.raises(Unusable, match=reasons) as caught:
        images.read(tmp_path / "frames", "a.jpg")
    assert caught.value.code == "unreadable_image"


@pytest.mark.parametrize("name", pictures.KEPT)
def test_an_odd_picture_is_read(tmp_path: Path, name: str) -> None:
    pictures.KEPT[name](tmp_path / "a.jpg")
    shape = (1, 1, 3) if name == "one_pixel" else (30, 40, 3)
    assert images.read(tmp_path, "a.jpg").shape == shape


@pytest.mark.parametrize("whole", [JPEG, encoded("JPEG", progressive=True), PNG, BMP])
def test_truncated_files_are_refused_at_any_length(whole: bytes) -> None:
    for length in [*range(1, len(whole), 17), *range(len(whole) - 20, len(whole))]:
        reason(whole[:length])


@pytest.mark.parametrize("whole", [JPEG, PNG, BMP])
def test_bytes_that_flipped(whole: bytes) -> None:
    """Damage is found or changes pixels; it never ends in anything but a picture or a reason."""
    chance = random.Random(1)
    codes = set()
    for _ in range(100):
        changed = bytearray(whole)
        for _ in range(chance.choice([1, 5])):
            changed[chance.randrange(len(changed))] = chance.randrange(256)
        try:
            picture = images.decode(bytes(changed))
        except Unusable as error:
            codes.add(error.code)
        else:
            assert picture.ndim == 3
    assert codes <= {"unreadable_image"}


@given(st.binary(max_size=200), st.sampled_from([b"", *images.SIGNATURES]))
def test_any_bytes_are_refused(data: bytes, beginning: bytes) -> None:
    reason(beginning + data)


@pytest.mark.parametrize("path", PATHS)
def test_a_path_out_of_the_folder(tmp_path: Path, path: str) -> None:
    (tmp_path / "frames/a").mkdir(parents=True)
    (tmp_path / "outside.png").write_bytes(PNG)
    with pytest.raises(Unusable):
        images.read(tmp_path / "frames", path)


def test_a_root_that_is_a_link_itself_is_fine(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk/a.png").write_bytes(PNG)
    (tmp_path / "frames").symlink_to("disk")
    assert (images.read(tmp_path / "frames", "a.png") == PICTURE).all()


def test_a_file_that_the_disk_cannot_give(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(path: Path) -> bytes:
        raise OSError(errno.EIO, "Input/output error")

    (tmp_path / "a.png").write_bytes(PNG)
    monkeypatch.setattr(Path, "read_bytes", fail)
    with pytest.raises(Unusable, match="Input/output error"):
        images.read(tmp_path, "a.png")


def test_names_of_files(tmp_path: Path) -> None:
    for number, name in enumerate(NAMES):
        (tmp_path / str(number)).mkdir()
        (tmp_path / str(number) / name).write_bytes(PNG)
    paths = {
        f"{folder.path}/{name}"
        for folder in index.build(tmp_path).folders
        for name in folder.files.values()
    }
    assert paths == {f"{number}/{name}" for number, name in enumerate(NAMES)}
    assert all(images.read(tmp_path, path).shape == PICTURE.shape for path in paths)


def test_grey_becomes_three_equal_channels() -> None:
    grey = PICTURE[..., 1]
    assert (images.decode(encoded("PNG", Image.fromarray(grey))) == grey[..., None]).all()


def test_sixteen_bits_and_transparency() -> None:
    clear = np.dstack([PICTURE, np.zeros(PICTURE.shape[:2], np.uint8)])
    for picture in (PICTURE.astype(np.uint16) * 257, clear):
        assert (images.decode(cv2.imencode(".png", picture)[1].tobytes()) == PICTURE).all()


def test_exif_rotation_is_ignored() -> None:
    turned = encoded("JPEG", exif=pictures.ROTATED)
    assert cv2.imdecode(np.frombuffer(turned, np.uint8), cv2.IMREAD_COLOR).shape == (40, 30, 3)
    assert (images.decode(turned) == images.decode(JPEG)).all()


def test_shrinking_averages_and_enlarging_is_smooth() -> None:
    board = (np.indices((64, 64)).sum(axis=0) % 2 * 255).astype(np.uint8)
    small = images.resize(np.dstack([board] * 3), 32)
    assert small.shape == (32, 32, 3)
    assert set(np.unique(small)) <= {127, 128}
    edge = np.zeros((2, 2, 3), np.uint8)
    edge[:, 1] = 200
    assert len(np.unique(images.resize(edge, 16))) > 4


def test_written_bytes_repeat_and_leave_nothing_else(tmp_path: Path) -> None:
    for name in ("a", "b"):
        images.write(PICTURE, tmp_path / name / "onset.png")
    first, second = ((tmp_path / name / "onset.png").read_bytes() for name in ("a", "b"))
    assert first == second
    assert len(list((tmp_path / "a").iterdir())) == 1
    assert (images.read(tmp_path, "a/onset.png") == PICTURE).all()
