"""Numbers as people type and read them."""

from __future__ import annotations

import math
import re

_FRACTION = re.compile(r"([^/]+)/([^/]+)")


def parse_number(text: str) -> float:
    """The finite number that ``text`` says, also as a fraction such as 1/120; raises ValueError with the reason."""
    text = text.strip()
    if not text:
        raise ValueError("needs a number")
    if re.fullmatch(r"[-+]?\d+,\d+", text):
        raise ValueError(f"write {text.replace(',', '.')}, with a point")
    fraction = _FRACTION.fullmatch(text)
    try:
        value = float(fraction[1]) / float(fraction[2]) if fraction else float(text)
    except (ValueError, ZeroDivisionError, OverflowError):
        raise ValueError(f"must be a number, not '{text}'") from None
    if not math.isfinite(value):
        raise ValueError(f"must be a finite number, not '{text}'")
    return value


def parse_whole(text: str) -> int:
    """The whole number that ``text`` says, also as 1e6 or 1 000 000; raises ValueError with the reason."""
    compact = re.sub(r"(?<=\d)[ _](?=\d)", "", text.strip())
    if re.fullmatch(r"[-+]?\d+", compact):
        return int(compact)
    value = parse_number(compact)
    if value != int(value):
        raise ValueError(f"must be a whole number, not '{text.strip()}'")
    return int(value)


def format_number(value: float) -> str:
    """A short text for a number: exact up to six digits, rounded to three where it goes on beyond those."""
    if not math.isfinite(value):
        return str(value)
    if isinstance(value, int) or (value == int(value) and abs(value) < 1e15):
        return str(int(value))
    text = f"{value:.6g}"
    if not math.isclose(float(text), value, rel_tol=1e-9):
        text = f"{value:.3g}"
    return re.sub(r"e([-+])0+", r"e\1", text).replace("e+", "e")


def scrub_step(value: float, low: float, high: float, whole: bool) -> float:
    """How much a number moves per pixel of a drag: about a hundredth of its size, or of its bounds at zero."""
    if value:
        size = abs(value)
    elif math.isfinite(high - low) and high - low <= 100:
        size = (high - low) / 4
    else:
        size = 1.0
    step = 10.0 ** (math.floor(math.log10(size)) - 1) / 5
    return max(0.2, step) if whole else step
