"""Numbers as people read them in lists."""

from __future__ import annotations

import time

MISSING = "-"


def count(number: float) -> str:
    """A count in three digits or so: 950, 12.8 k, 1.51 M, 20 G."""
    for limit, unit in ((1e9, " G"), (1e6, " M"), (1e4, " k")):
        if number >= limit:
            return f"{number / (1e3 if unit == ' k' else limit):.3g}{unit}"
    return f"{number:.0f}"


def figure(number: float | None) -> str:
    """A return or another measured figure, in about four digits."""
    if number is None:
        return MISSING
    if abs(number) >= 1e5 or 0 < abs(number) < 1e-3:
        return f"{number:.2e}"
    decimals = 0 if abs(number) >= 1000 else 1 if abs(number) >= 100 else 2 if abs(number) >= 1 else 3
    return f"{number:.{decimals}f}"


def size(num_bytes: float) -> str:
    """A size on disk."""
    for limit, unit in ((1e9, "GB"), (1e6, "MB")):
        if num_bytes >= limit:
            return f"{num_bytes / limit:.1f} {unit}"
    return f"{num_bytes / 1e3:.0f} kB"


def when(moment: float) -> str:
    """A moment (``time.time()``) as day and time, or as a date where it is of another year."""
    then = time.localtime(moment)
    return time.strftime("%d %b %H:%M" if then.tm_year == time.localtime().tm_year else "%d %b %Y", then)


def shortened(text: str, length: int) -> str:
    """A text of at most ``length`` characters, dots in place of what does not fit."""
    return text if len(text) <= length else text[: length - 2] + ".."
