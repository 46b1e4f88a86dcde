"""Frames that are damaged, lie, or were made to do harm, and odd ones that are fine; by name."""

import io
import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

Maker = Callable[[Path], object]

SIGNATURE = b"\x89PNG\r\n\x1a\n"
#: 40 x 30 pixels of a smooth picture with some noise.
PIXELS = np.add.outer(np.arange(30) * 3, np.arange(40) * 2)[..., None] + np.array([0, 20, 40])
PIXELS = (PIXELS + np.random.default_rng(1).integers(0, 30, PIXELS.shape)).astype(np.uint8)
PICTURE = Image.fromarray(PIXELS)


def encoded(kind: str, picture: Image.Image = PICTURE, **options: object) -> bytes:
    memory = io.BytesIO()
    picture.save(memory, kind, **options)
    return memory.getvalue()


JPEG, PNG, BMP = encoded("JPEG"), encoded("PNG"), encoded("BMP")


def part(kind: bytes, content: bytes = b"") -> bytes:
    """A part of a PNG with the right checksum."""
    checksum = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + checksum


def black_png(side: int) -> bytes:
    """A whole square of one bit a pixel."""
    header = part(b"IHDR", struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0))
    pixels = part(b"IDAT", zlib.compress(bytes(side * (1 + -(-side // 8)))))
    return SIGNATURE + header + pixels + part(b"IEND")


def jpeg_that_states(width: int, height: int) -> bytes:
    start = JPEG.index(b"\xff\xc0")
    return JPEG[: start + 5] + struct.pack(">HH", height, width) + JPEG[start + 9 :]


def of_bytes(content: bytes) -> Maker:
    return lambda path: path.write_bytes(content)


def link_outside(path: Path) -> None:
    """A link to a whole picture beside the folder of frames."""
    outside = path.parent.parent / "outside.png"
    outside.write_bytes(PNG)
    path.symlink_to(outside)


def link_inside(path: Path) -> None:
    (path.parent / "linked.png").write_bytes(PNG)
    path.symlink_to("linked.png")


def sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.write(SIGNATURE)
        file.truncate(3_000_000_000)


ROTATED = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"

#: What is there but no file.
NO_FILES: dict[str, Maker] = {
    "folder": lambda path: path.mkdir(),
    "pipe": lambda path: os.mkfifo(path),
    "device": lambda path: path.symlink_to("/dev/zero"),
    "dangling_link": lambda path: path.symlink_to("nowhere.png"),
    "link_to_itself": lambda path: path.symlink_to(path.name),
}

#: What is no picture: what makes it, and key words of the reason, separated by `|`.
REFUSED: dict[str, tuple[Maker, str]] = {
    "zero_bytes": (of_bytes(b""), "0 bytes"),
    "html": (of_bytes(b"<html><body>404"), "not a JPEG"),
    # OpenCV would read these.
    "gif": (of_bytes(encoded("GIF")), "not a JPEG"),
    "webp": (of_bytes(encoded("WEBP")), "not a JPEG"),
    "tiff": (of_bytes(encoded("TIFF")), "not a JPEG"),
    "jpeg_end_wiped": (of_bytes(JPEG[:-100] + bytes(100)), "truncated"),
    "jpeg_with_a_thumbnail_truncated": (
        of_bytes(JPEG[:2] + b"\xff\xe1" + struct.pack(">H", len(JPEG) + 2) + JPEG + JPEG[2:-9]),
        "truncated",
    ),
    "jpeg_too_large": (of_bytes(jpeg_that_states(30_000, 30_000)), "OpenCV: "),
    "png_too_large": (of_bytes(black_png(8001)), "OpenCV: "),
    "png_wrong_checksum": (of_bytes(PNG[:-20] + b"\0" + PNG[-19:]), "cannot decode"),
    "bmp_too_large": (
        of_bytes(BMP[:18] + struct.pack("<ii", 30_000, 30_000) + BMP[26:]),
        "OpenCV: ",
    ),
    "link_outside": (link_outside, "leads out"),
    "three_gigabytes": (sparse, "a file of 3000000000 bytes"),
    "not_there": (lambda path: None, "missing"),
    **{name: (make, "not a file|missing|leads out") for name, make in NO_FILES.items()},
}

#: Odd pictures that are fine, whatever their file's ending; all but the last show `PICTURE`'s size.
KEPT: dict[str, Maker] = {
    "grey": of_bytes(encoded("JPEG", PICTURE.convert("L"))),
    "palette": of_bytes(encoded("PNG", PICTURE.convert("P"))),
    "palette_bmp": of_bytes(encoded("BMP", PICTURE.convert("P"))),
    "cmyk": of_bytes(encoded("JPEG", PICTURE.convert("CMYK"))),
    "progressive": of_bytes(encoded("JPEG", progressive=True)),
    "restart_markers": of_bytes(encoded("JPEG", restart_marker_blocks=1)),
    "rotation_noted": of_bytes(encoded("JPEG", exif=ROTATED)),
    "animated_png": of_bytes(encoded("PNG", save_all=True, append_images=[PICTURE.rotate(180)])),
    "bytes_after_the_end": of_bytes(JPEG + b"<script>" * 100),
    "link_inside": link_inside,
    "one_pixel": of_bytes(encoded("PNG", PICTURE.crop((0, 0, 1, 1)))),
}
