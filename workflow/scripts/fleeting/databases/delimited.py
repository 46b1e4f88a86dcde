"""Text tables: comma-separated, tab-separated and the like, as people export them.

Neither the delimiter nor the encoding is declared in such a file, so both are found by content.
"""

import codecs
import csv
import io
import logging
import re
from collections import Counter
from itertools import islice

log = logging.getLogger(__name__)

#: In the order in which one is taken among equals.
DELIMITERS = "\t,;|"
#: How many records the delimiter is found from.
SAMPLE = 2000
#: Characters that no text has.
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f]")


def read(name: str, content: bytes) -> list[list[str]]:
    """All records of a text table, the empty ones included.

    Args:
        name: the file's name, for messages.
        content: its bytes.

    Raises a `ValueError` where the content is not a text table.
    """
    text = _decode(name, content)
    if _CONTROL.search(text):
        raise ValueError("neither an Excel workbook nor text")
    if text.lstrip().startswith("<"):
        raise ValueError("a web page or XML, which some programs call Excel")
    return _records(text, _delimiter(text))


def _decode(name: str, content: bytes) -> str:
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16")
    # Most characters of a table are ASCII, of which one byte of two is zero in UTF-16.
    first, second = content[::2].count(0), content[1::2].count(0)
    if 4 * max(first, second) > len(content):
        return content.decode("utf-16-be" if first > second else "utf-16-le")
    # Programs for DOS end a file with this character.
    content = content.rstrip(b"\x1a")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text, encoding = _chinese(content), "gb18030"
    if text is None:
        # Each byte is a character here, five of them an undefined one.
        text, encoding = content.decode("cp1252", "replace"), "cp1252"
    log.warning(
        "Warning: %s is not in UTF-8; read as %s. If names in it look wrong, save it as UTF-8",
        *(name, encoding),
    )
    return text


def _chinese(content: bytes) -> str | None:
    """The text if it is Chinese in GB 2312 or its successors, or None.

    Most western text can be decoded as such too, but then gives rare characters.
    """
    try:
        text = content.decode("gb18030")
    except UnicodeDecodeError:
        return None
    beyond = [sign for sign in text if not sign.isascii()]
    codes = [sign.encode("gb2312", "ignore") for sign in beyond]
    # Punctuation and the 3755 most frequent characters; pairs of western small letters are above.
    common = [code for code in codes if code and code[0] <= 0xD7]
    return text if 2 * len(common) > len(beyond) else None


def _delimiter(text: str) -> str:
    """The one that splits most records into the same number of cells, and into the most cells."""

    def score(delimiter: str) -> tuple[bool, int]:
        records = _records(text, delimiter, SAMPLE)
        widths = Counter(len(record) for record in records if any(record))
        gained = {width: count * (width - 1) for width, count in widths.items()}
        best = max(gained, key=lambda width: gained[width], default=0)
        return best > 1 and widths[best] > 0.9 * widths.total(), gained.get(best, 0)

    return max(DELIMITERS, key=score)


def _records(text: str, delimiter: str, most: int | None = None) -> list[list[str]]:
    """The records, the first `most` of them; one in quotes may span several lines."""
    lines = io.StringIO(text, newline="")
    quoted = csv.reader(lines, delimiter=delimiter, skipinitialspace=True, strict=True)
    try:
        return list(islice(quoted, most))
    except csv.Error:
        # An unclosed quotation mark would take all lines below into its cell.
        lines.seek(0)
        plain = csv.reader(lines, delimiter=delimiter, quoting=csv.QUOTE_NONE)
        return list(islice(plain, most))
