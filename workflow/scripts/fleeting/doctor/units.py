"""Numbers as a person reads them."""


def size(count: float) -> str:
    """Bytes: `18 GB`, `4.6 MB`; a thousand makes the next unit."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000:
            return f"{_short(count)} {unit}"
        count /= 1000
    return f"{_short(count)} TB"


def duration(seconds: float) -> str:
    """Seconds, minutes, hours or days, whichever is the largest that there are two of."""
    for unit, length in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{_short(seconds / length)} {unit}"
    return f"{_short(seconds)} seconds"


def _short(number: float) -> str:
    return f"{number:.0f}" if number >= 10 or number == int(number) else f"{number:.1f}"
