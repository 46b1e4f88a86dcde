"""Reading frames that may be damaged, and writing crops."""

import hashlib
from pathlib import Path

import cv2
import numpy as np

from fleeting.errors import Unusable
from fleeting.faces.detector import Image
from fleeting.files import write_bytes
from fleeting.paths import is_inside

#: No database has larger files: 64 million pixels (see `fleeting.startup`) take less.
MAX_BYTES = 256_000_000
JPEG = b"\xff\xd8"
#: How files of the accepted formats begin; OpenCV reads others too.
SIGNATURES = (JPEG, b"\x89PNG\r\n\x1a\n", b"BM")
#: The markers of a JPEG where picture data begin and where the picture ends.
START_OF_SCAN, END_OF_IMAGE = b"\xff\xda", b"\xff\xd9"
#: Level 1 after one filter takes a quarter to a seventh of the time of level 6 with all filters and
#: makes crops 8 to 20 % larger (224 pixels; synthetic faces and photographs, in colour and grey).
#: OpenCV's own setting, runs of equal bytes only, takes about as long; grey crops grow by 80 %.
PNG = [
    *(cv2.IMWRITE_PNG_COMPRESSION, 1),
    *(cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_DEFAULT),
    *(cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_UP),
]


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
    return decode(read_bytes(root, relative))


def read_bytes(root: Path, relative: str) -> bytes:
    """The bytes of a frame's file; see `read`."""
    path = root / relative
    try:
        if not is_inside(root, path):
            raise _unreadable("the path or a link leads out of the database's folder")
        if not path.is_file():
            raise _unreadable("not a file" if path.exists() else "the file is missing")
        size = path.stat().st_size
        if not 0 < size <= MAX_BYTES:
            raise _unreadable(f"a file of {size} bytes")
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        raise _unreadable(getattr(error, "strerror", None) or str(error)) from None
    return data


def decode(data: bytes) -> Image:
    """Decode the bytes of a file to a picture; see `read`.

    OpenCV refuses truncated files and pictures of too many pixels.

    Raises:
        Unusable: code `unreadable_image`, with what is wrong with the file.
    """
    if not data.startswith(SIGNATURES):
        raise _unreadable(f"not a JPEG, PNG or BMP image (it begins with {data[:8].hex(' ')})")
    # An interrupted copy may leave zeros in place of the rest, which decode without an error.
    if data.startswith(JPEG) and data.rfind(END_OF_IMAGE) < data.rfind(START_OF_SCAN):
        raise _unreadable(f"truncated: it ends after {len(data)} bytes")
    try:
        flags = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
        image = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error as error:
        raise _unreadable(f"OpenCV: {error.err}") from None
    if image is None:
        raise _unreadable("damaged: OpenCV cannot decode it")
    return np.asarray(image, np.uint8)


def resize(image: Image, size: int) -> Image:
    """The image as size x size pixels.

    Shrinking averages the pixels (area filter), which keeps fine texture from turning into
    patterns; enlarging in both directions is bicubic.
    """
    enlarges = max(image.shape[:2]) <= size
    interpolation = cv2.INTER_CUBIC if enlarges else cv2.INTER_AREA
    return np.asarray(cv2.resize(image, (size, size), interpolation=interpolation), np.uint8)


def write(image: Image, path: Path) -> str:
    """Write a PNG, whole or not at all; the same pixels give the same bytes.

    Returns:
        The sha256 of the file.
    """
    content = cv2.imencode(".png", image, PNG)[1].tobytes()
    write_bytes(content, path)
    return hashlib.sha256(content).hexdigest()


def _unreadable(detail: str) -> Unusable:
    return Unusable("unreadable_image", detail)
