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
#: 40 x 30 pixels of a smooth picture; what a picture is cut from.
PIXELS = np.add.outer(np.arange(30) * 3, np.arange(40) * 2)[..., None] + np.array([0, 20, 40])
PICTURE = Image.fromarray(PIXELS.astype(np.uint8))


def encoded(kind: str, picture: Image.Image = PICTURE, **options: object) -> bytes:
    memory = io.BytesIO()
    picture.save(memory, kind, **options)
    return memory.getvalue()


JPEG, PNG, BMP = encoded("JPEG"), encoded("PNG"), encoded("BMP")


def part(kind: bytes, content: bytes = b"") -> bytes:
    """A part of a PNG with the right checksum."""
    checksum = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + checksum


def png(width: int, height: int, *before: bytes, data: bytes = b"") -> bytes:
    """A PNG that states a size and holds hardly a pixel."""
    header = part(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    pixels = part(b"IDAT", data or zlib.compress(bytes(100)))
    return SIGNATURE + b"".join(before) + header + pixels + part(b"IEND")


def jpeg_size(width: int, height: int) -> bytes:
    """A JPEG's part that states its size: eight bits, three components."""
    parts = b"\x01\x22\x00\x02\x11\x01\x03\x11\x01"
    return b"\xff\xc0" + struct.pack(">HBHHB", 17, 8, height, width, 3) + parts


def jpeg_that_states(width: int, height: int) -> bytes:
    start = JPEG.index(b"\xff\xc0")
    return JPEG[: start + 5] + struct.pack(">HH", height, width) + JPEG[start + 9 :]


def bmp_that_states(width: int, height: int, at: int = 18) -> bytes:
    return BMP[:at] + struct.pack("<ii", width, height) + BMP[at + 8 :]


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


ROTATED = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
TURNED = Image.fromarray(PIXELS[::-1].astype(np.uint8))

#: What is no picture: what makes it, and what is said of it.
REFUSED: dict[str, tuple[Maker, str]] = {
    "zero_bytes": (of_bytes(b""), "0 bytes"),
    "text": (of_bytes(b"not found"), "not a JPEG"),
    "html": (of_bytes(b"<html><body>404"), "not a JPEG"),
    "svg_that_reads_a_file": (
        of_bytes(b'<svg><image href="file:///etc/passwd"/></svg>'),
        "not a JPEG",
    ),
    "gif": (of_bytes(encoded("GIF")), "not a JPEG"),
    "animated_gif": (
        of_bytes(encoded("GIF", save_all=True, append_images=[TURNED])),
        "not a JPEG",
    ),
    "webp": (of_bytes(encoded("WEBP")), "not a JPEG"),
    "animated_webp": (
        of_bytes(encoded("WEBP", save_all=True, append_images=[TURNED])),
        "not a JPEG",
    ),
    "tiff": (of_bytes(encoded("TIFF")), "not a JPEG"),
    "pdf": (of_bytes(encoded("PDF")), "not a JPEG"),
    "numpy_pickle": (of_bytes(b"\x80\x04\x95cos\nsystem"), "not a JPEG"),
    **{
        f"{kind}_cut_at_{share}_percent": (of_bytes(data[: len(data) * share // 100]), "truncated")
        for kind, data in (("jpeg", JPEG), ("png", PNG), ("bmp", BMP))
        for share in (10, 30, 60, 99)
    },
    "jpeg_end_wiped": (of_bytes(JPEG[:-300] + bytes(300)), "truncated"),
    "jpeg_that_ends_at_once": (of_bytes(b"\xff\xd8\xff\xd9" + JPEG[2:]), "0 x 0 pixels"),
    "jpeg_without_a_size": (of_bytes(JPEG.replace(b"\xff\xc0", b"\xff\xfe")), "0 x 0 pixels"),
    "jpeg_65535": (of_bytes(jpeg_that_states(65_535, 65_535)), "65535 x 65535"),
    "jpeg_0_high": (of_bytes(jpeg_that_states(40, 0)), "40 x 0"),
    "jpeg_size_twice": (
        of_bytes(JPEG[:2] + jpeg_size(30_000, 30_000) + JPEG[2:]),
        "its size twice",
    ),
    "jpeg_small_size_at_the_end": (
        of_bytes(jpeg_that_states(30_000, 30_000)[:-2] + jpeg_size(40, 30) + b"\xff\xd9"),
        "its size twice",
    ),
    "jpeg_segment_beyond_the_end": (
        of_bytes(b"\xff\xd8\xff\xe0\xff\xff" + JPEG[2:]),
        "truncated|cannot decode",
    ),
    "png_65535": (of_bytes(png(65_535, 65_535)), "65535 x 65535"),
    "png_2_to_31": (of_bytes(png(2**31, 1)), "2147483648 x 1"),
    "png_2_to_32": (of_bytes(png(2**32 - 1, 2**32 - 1)), "4294967295 x 4294967295"),
    "png_0_wide": (of_bytes(png(0, 30)), "0 x 30"),
    "png_wide_and_flat": (of_bytes(png(64_000_001, 1)), "64000001 x 1"),
    "png_small_size_before_the_true_one": (
        of_bytes(png(30_000, 30_000, part(b"tEXt", struct.pack(">II", 40, 30)))),
        "does not begin with its size",
    ),
    "png_wrong_checksum": (of_bytes(PNG[:-20] + b"\0" + PNG[-19:]), "checksum"),
    "png_damaged_pixels": (of_bytes(png(40, 30, data=b"\x78\x9cgarbage")), "cannot decode"),
    "png_too_few_pixels": (of_bytes(png(4000, 3000)), "cannot decode"),
    "png_part_beyond_the_end": (
        of_bytes(SIGNATURE + struct.pack(">I4s", 2**31, b"IHDR") + bytes(50)),
        "truncated",
    ),
    "bmp_huge": (of_bytes(bmp_that_states(2**31 - 1, 2**31 - 1)), "truncated"),
    "bmp_upside_down_and_huge": (of_bytes(bmp_that_states(40, -(2**31))), "truncated"),
    "bmp_packed_and_huge": (
        of_bytes(bmp_that_states(60_000, 60_000)[:30] + struct.pack("<I", 1) + BMP[34:]),
        "60000 x 60000",
    ),
    "bmp_negative_width": (of_bytes(bmp_that_states(-40, 30)), "-40 x 30"),
    "bmp_of_os2": (of_bytes(BMP[:14] + struct.pack("<I", 12) + BMP[18:]), "OS/2"),
    "folder": (lambda path: path.mkdir(), "not a file"),
    "pipe": (lambda path: os.mkfifo(path), "not a file"),
    "device": (lambda path: path.symlink_to("/dev/zero"), "not a file|leads out"),
    "dangling_link": (lambda path: path.symlink_to("nowhere.png"), "missing"),
    "link_to_itself": (lambda path: path.symlink_to(path.name), "symbolic links|missing"),
    "link_outside": (link_outside, "leads out of the database's folder"),
    "three_gigabytes": (sparse, "a file of 3000000000 bytes"),
    "not_there": (lambda path: None, "missing"),
}

#: Odd pictures that are fine, whatever their file's ending.
KEPT: dict[str, Maker] = {
    "jpeg": of_bytes(JPEG),
    "bmp": of_bytes(BMP),
    "one_pixel": of_bytes(encoded("PNG", PICTURE.crop((0, 0, 1, 1)))),
    "one_row": of_bytes(encoded("PNG", PICTURE.crop((0, 0, 40, 1)))),
    "sixteen_bits": of_bytes(
        encoded("PNG", Image.fromarray((PIXELS[..., 0] * 257).astype(np.uint16)))
    ),
    "one_bit": of_bytes(encoded("PNG", PICTURE.convert("1"))),
    "grey": of_bytes(encoded("JPEG", PICTURE.convert("L"))),
    "grey_and_alpha": of_bytes(encoded("PNG", PICTURE.convert("LA"))),
    "palette": of_bytes(encoded("PNG", PICTURE.convert("P"))),
    "palette_bmp": of_bytes(encoded("BMP", PICTURE.convert("P"))),
    "alpha": of_bytes(encoded("PNG", PICTURE.convert("RGBA"))),
    "cmyk": of_bytes(encoded("JPEG", PICTURE.convert("CMYK"))),
    "progressive": of_bytes(encoded("JPEG", progressive=True)),
    "rotation_noted": of_bytes(encoded("JPEG", exif=b"Exif\0\0" + ROTATED)),
    "animated_png": of_bytes(encoded("PNG", save_all=True, append_images=[TURNED])),
    "bytes_after_the_end": of_bytes(JPEG + b"<script>" * 100),
    "link_inside": link_inside,
}
