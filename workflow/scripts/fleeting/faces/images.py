"""Reading frames that may be broken, and writing crops."""

import os
import re
import struct
import zlib
from pathlib import Path, PurePosixPath

import cv2
import numpy as np

from fleeting.faces.detection import Image
from fleeting.files import write_bytes

#: No database has frames of more pixels than this; they would fill the memory.
MOST_PIXELS = 64_000_000
#: Nor files of more bytes: uncompressed pixels take three bytes each.
MOST_BYTES = 4 * MOST_PIXELS
#: Level 1 after one filter takes a quarter to a seventh of the time of level 6 with all filters and
#: makes crops 8 to 20 % larger (224 pixels; synthetic faces and photographs, in colour and grey).
#: OpenCV's own setting, runs of equal bytes only, takes about as long; grey crops grow by 80 %.
PNG = [
    *(cv2.IMWRITE_PNG_COMPRESSION, 1),
    *(cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_DEFAULT),
    *(cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_UP),
]
#: In a JPEG's picture data a 0xff that is neither stuffed nor a restart begins a marker.
_JPEG_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")


class Unusable(Exception):
    """An image that can't become a crop: `code` is for code to decide by, `detail` explains."""

    def __init__(self, code: str, detail: str) -> None:
        """Keep the code and the detail."""
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


def read(root: Path, relative: str) -> Image:
    """Read a frame: JPEG, PNG or BMP, grey or colour.

    A grey image becomes three equal channels; 16 bits become 8 (the upper ones); transparency is
    dropped; a rotation noted in EXIF is ignored, because the pixels are as the camera saw them.

    Args:
        root: the folder of the database's frames; nothing outside it is read.
        relative: the frame's path in it.

    Raises:
        Unusable: code `unreadable_image`, with what is wrong with the file.
    """
    return decode(_bytes(root, relative))


def decode(data: bytes) -> Image:
    """The picture that a file's bytes are, as `read` has it, no larger than a frame may be.

    Raises:
        Unusable: code `unreadable_image`, with what is wrong with the file.
    """
    width, height = _size(data)
    if width < 1 or height < 1 or width * height > MOST_PIXELS:
        raise _unreadable(f"a picture of {width} x {height} pixels")
    try:
        flags = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
        image = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error as error:
        raise _unreadable(f"OpenCV: {error.err}") from None
    if image is None or image.shape != (height, width, 3):
        raise _unreadable("damaged: OpenCV cannot decode it")
    return np.asarray(image, np.uint8)


def write(image: Image, path: Path) -> None:
    """Write a PNG, whole or not at all; the same pixels give the same bytes."""
    write_bytes(cv2.imencode(".png", image, PNG)[1].tobytes(), path)


def _unreadable(detail: str) -> Unusable:
    return Unusable("unreadable_image", detail)


def _bytes(root: Path, relative: str) -> bytes:
    inside = PurePosixPath(relative)
    if inside.is_absolute() or ".." in inside.parts:
        raise _unreadable("the path leads out of the database's folder")
    path = root / inside
    try:
        if not path.exists():
            raise _unreadable("the file is missing")
        if not path.is_file():
            raise _unreadable("not a file")
        if not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(root)):
            raise _unreadable("a link that leads out of the database's folder")
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise _unreadable(f"a file of {size} bytes")
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        raise _unreadable(getattr(error, "strerror", None) or str(error)) from None
    if not data:
        raise _unreadable("the file is empty (0 bytes)")
    return data


def _size(data: bytes) -> tuple[int, int]:
    """Width and height as the header states them, after a check that the file is whole.

    OpenCV may fill the missing part of a truncated file with grey and say nothing, and it
    decodes before anyone can ask for the size.
    """
    try:
        if data.startswith(b"\xff\xd8"):
            return _jpeg_size(data)
        if data.startswith(b"\x89PNG\r\n\x1a\n"):
            return _png_size(data)
        if data.startswith(b"BM"):
            return _bmp_size(data)
    except (struct.error, IndexError):
        raise _unreadable(f"truncated: it ends after {len(data)} bytes") from None
    raise _unreadable(f"not a JPEG, PNG or BMP image (it begins with {data[:8].hex(' ')})")


def _jpeg_size(data: bytes) -> tuple[int, int]:
    width = height = 0
    position = 2
    while match := _JPEG_MARKER.search(data, position):
        marker = data[match.start() + 1]
        position = match.end()
        if marker == 0xD9:
            return width, height
        if marker in (0x01, 0xD8):
            continue
        (length,) = struct.unpack_from(">H", data, position)
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            # The decoder would take the first and allocate what that one states.
            if width or height:
                raise _unreadable("damaged: it states its size twice")
            height, width = struct.unpack_from(">HH", data, position + 3)
        position += length
    raise IndexError


def _png_size(data: bytes) -> tuple[int, int]:
    first, width, height = struct.unpack_from(">4sII", data, 12)
    if first != b"IHDR":
        raise _unreadable("damaged: it does not begin with its size")
    position = 8
    while True:
        length, kind = struct.unpack_from(">I4s", data, position)
        end = position + 8 + length
        (stated,) = struct.unpack_from(">I", data, end)
        if zlib.crc32(data[position + 4 : end]) != stated:
            raise _unreadable(f"damaged: the checksum of its part {kind!r} is wrong")
        if kind == b"IEND":
            return width, height
        position = end + 4


def _bmp_size(data: bytes) -> tuple[int, int]:
    (start,) = struct.unpack_from("<I", data, 10)
    header, width, height = struct.unpack_from("<Iii", data, 14)
    depth, packing = struct.unpack_from("<HI", data, 28)
    if header < 40:
        raise _unreadable("a BMP image of the OS/2 kind")
    height = abs(height)
    if packing in (0, 3) and len(data) < start + (width * depth + 31) // 32 * 4 * height:
        raise IndexError
    return width, height
