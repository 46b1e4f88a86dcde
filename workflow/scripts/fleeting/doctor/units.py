"""Numbers as a person reads them."""


def size(count: float) -> str:
    """Bytes: `18 GB`, `4.6 MB`; a thousand makes the next unit."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000:
            return f"{_short(count)} {unit}"
        count /= 1000
    return f"{_short(count)} TB"


def _short(number: float) -> str:
    return f"{number:.0f}" if number >= 10 or number == int(number) else f"{number:.1f}"
