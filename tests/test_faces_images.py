import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage.data import astronaut

from fleeting.faces.images import Unusable, _size, read, write

PICTURE = np.ascontiguousarray(astronaut()[::4, ::4, ::-1])


def encoded(image: np.ndarray, ending: str, *options: int) -> bytes:
    return cv2.imencode(ending, image, list(options))[1].tobytes()


def reason(tmp_path: Path, data: bytes) -> str:
    (tmp_path / "frame.jpg").write_bytes(data)
    with pytest.raises(Unusable) as caught:
        read(tmp_path, "frame.jpg")
    assert caught.value.code == "unreadable_image"
    return caught.value.detail


@pytest.mark.parametrize("ending", [".jpg", ".png", ".bmp"])
def test_truncated_files_are_refused_at_any_length(tmp_path: Path, ending: str) -> None:
    whole = encoded(PICTURE, ending)
    for length in (1, 2, 8, 20, 30, len(whole) // 3, len(whole) // 2, len(whole) - 1):
        reason(tmp_path, whole[:length])
    assert "truncated" in reason(tmp_path, whole[: len(whole) // 2])
    # What a copy that broke off often leaves behind: the right length, the end zeros.
    if ending != ".bmp":
        half = len(whole) // 2
        reason(tmp_path, whole[:half] + bytes(len(whole) - half))


def test_progressive_jpeg_and_trailing_bytes(tmp_path: Path) -> None:
    whole = encoded(PICTURE, ".jpg", cv2.IMWRITE_JPEG_PROGRESSIVE, 1)
    (tmp_path / "a.jpg").write_bytes(whole + b"\0" * 64)
    assert read(tmp_path, "a.jpg").shape == PICTURE.shape
    assert "truncated" in reason(tmp_path, whole[: int(len(whole) * 0.8)])


def test_jpeg_with_restart_markers(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(encoded(PICTURE, ".jpg", cv2.IMWRITE_JPEG_RST_INTERVAL, 2))
    assert read(tmp_path, "a.jpg").shape == PICTURE.shape


def test_what_is_no_image(tmp_path: Path) -> None:
    assert "0 bytes" in reason(tmp_path, b"")
    assert "not a JPEG" in reason(tmp_path, b"<html>not found</html>")
    with pytest.raises(Unusable, match="missing"):
        read(tmp_path, "absent.jpg")
    (tmp_path / "folder.jpg").mkdir()
    with pytest.raises(Unusable, match="not a file"):
        read(tmp_path, "folder.jpg")


def test_damaged_png(tmp_path: Path) -> None:
    data = bytearray(encoded(PICTURE, ".png"))
    data[len(data) // 2] ^= 0xFF
    assert "checksum" in reason(tmp_path, bytes(data))


def test_absurd_size_is_refused_before_decoding(tmp_path: Path) -> None:
    def part(kind: bytes, content: bytes) -> bytes:
        crc = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + crc

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    picture = part(b"IHDR", header) + part(b"IDAT", zlib.compress(b"")) + part(b"IEND", b"")
    assert "60000 x 60000" in reason(tmp_path, b"\x89PNG\r\n\x1a\n" + picture)


@pytest.mark.parametrize("path", ["../secret.jpg", "a/../../secret.jpg", "/etc/hostname"])
def test_paths_out_of_the_folder(tmp_path: Path, path: str) -> None:
    (tmp_path / "secret.jpg").write_bytes(encoded(PICTURE, ".jpg"))
    (tmp_path / "root").mkdir()
    with pytest.raises(Unusable, match="leads out"):
        read(tmp_path / "root", path)


def test_grey_becomes_three_equal_channels(tmp_path: Path) -> None:
    grey = PICTURE[..., 1]
    (tmp_path / "a.png").write_bytes(encoded(grey, ".png"))
    assert (read(tmp_path, "a.png") == grey[..., None]).all()


def test_sixteen_bits_and_transparency(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(encoded(PICTURE.astype(np.uint16) * 257, ".png"))
    assert (read(tmp_path, "a.png") == PICTURE).all()
    clear = np.dstack([PICTURE, np.zeros(PICTURE.shape[:2], np.uint8)])
    (tmp_path / "a.png").write_bytes(encoded(clear, ".png"))
    assert (read(tmp_path, "a.png") == PICTURE).all()


def test_exif_rotation_is_ignored(tmp_path: Path) -> None:
    plain = encoded(PICTURE[:100], ".jpg")
    tiff = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
    exif = b"Exif\0\0" + tiff
    turned = plain[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + plain[2:]
    (tmp_path / "a.jpg").write_bytes(turned)
    assert cv2.imread(str(tmp_path / "a.jpg")).shape == (128, 100, 3)  # the rotation is noted
    assert read(tmp_path, "a.jpg").shape == (100, 128, 3)


@given(st.binary(max_size=200), st.sampled_from([b"", b"\xff\xd8", b"\x89PNG\r\n\x1a\n", b"BM"]))
def test_any_bytes_are_a_size_or_a_reason(data: bytes, beginning: bytes) -> None:
    try:
        width, height = _size(beginning + data)
    except Unusable:
        return
    assert isinstance(width, int)
    assert isinstance(height, int)


def test_written_bytes_repeat_and_leave_nothing_else(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write(PICTURE, tmp_path / name / "onset.png")
    first, second = ((tmp_path / name / "onset.png").read_bytes() for name in ("a", "b"))
    assert first == second
    assert len(list((tmp_path / "a").iterdir())) == 1
    assert (read(tmp_path, "a/onset.png") == PICTURE).all()
