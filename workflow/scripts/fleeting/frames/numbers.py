"""The frame number in a file's name."""

import re

#: What `fleeting.faces.images` can read.
IMAGE_ENDINGS = (".jpg", ".jpeg", ".png", ".bmp")
_LAST_DIGITS = re.compile(r"([0-9]+)[^0-9]*")


def frame_number(name: str) -> int | None:
    """The integer value of the last run of digits in an image file's stem, or None.

    Prefix, padding, case of the ending and doubled endings do not matter: `img2977.jpg.jpg` is
    2977. None for a name without digits or without an image's ending.
    """
    stem = _stem(name)
    match = _LAST_DIGITS.search(stem[::-1]) if stem is not None else None
    return int(match[1][::-1]) if match else None


def nearest(numbers: list[int], wanted: int, within: int) -> int | None:
    """The number nearest to the wanted one and at most `within` away, the earlier of two."""
    close = [number for number in numbers if abs(number - wanted) <= within]
    return min(close, key=lambda number: (abs(number - wanted), number), default=None)


def _stem(name: str) -> str | None:
    stem = name
    while True:
        ending = next((e for e in IMAGE_ENDINGS if stem.casefold().endswith(e)), None)
        if ending is None:
            return stem if stem != name else None
        stem = stem[: -len(ending)]
