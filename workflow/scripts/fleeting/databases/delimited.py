"""Text tables: comma-separated, tab-separated and the like, as people export them.

Such a file declares neither its delimiter nor its encoding, so both are inferred.
"""

import codecs
import csv
import io
import logging
import re
from collections import Counter
from itertools import islice

log = logging.getLogger(__name__)

#: In order of preference, for ties.
DELIMITERS = "\t,;|"
#: How many records the delimiter is inferred from.
INSPECTED = 2000
#: Characters that text never has.
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
    # Most characters of a table are ASCII, and in UTF-16 one of their two bytes is zero.
    first, second = content[::2].count(0), content[1::2].count(0)
    if 4 * max(first, second) > len(content):
        return content.decode("utf-16-be" if first > second else "utf-16-le")
    # DOS programs end a file with this character.
    content = content.rstrip(b"\x1a")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text, encoding = _chinese(content), "gb18030"
    if text is None:
        # Every byte decodes in this encoding; five are undefined and are replaced.
        text, encoding = content.decode("cp1252", "replace"), "cp1252"
    log.warning(
        "Warning: %s is not in UTF-8; read as %s. If names in it look wrong, save it as UTF-8",
        *(name, encoding),
    )
    return text


def _chinese(content: bytes) -> str | None:
    """The text if it is Chinese in GB 2312 or its successors, or None.

    Most Western text decodes as GB 18030 too, but into rare characters.
    """
    try:
        text = content.decode("gb18030")
    except UnicodeDecodeError:
        return None
    foreign = [character for character in text if not character.isascii()]
    codes = [character.encode("gb2312", "ignore") for character in foreign]
    # Punctuation and the 3755 most frequent characters; pairs of Western lower-case letters have
    # higher codes.
    common = [code for code in codes if code and code[0] <= 0xD7]
    return text if 2 * len(common) > len(foreign) else None


def _delimiter(text: str) -> str:
    """The delimiter that splits most records into the same number of cells, and into the most."""

    def score(delimiter: str) -> tuple[bool, int]:
        records = _records(text, delimiter, INSPECTED)
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
        # Otherwise an unclosed quotation mark would swallow all lines below it.
        lines.seek(0)
        plain = csv.reader(lines, delimiter=delimiter, quoting=csv.QUOTE_NONE)
        return list(islice(plain, most))
