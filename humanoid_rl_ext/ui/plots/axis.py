"""Axes: limits around the data, ticks at round numbers, and short texts for values."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

Limits = tuple[float, float]
UNITS = ((1e9, "G"), (1e6, "M"), (1e3, "k"))
PLAIN = 9999.5
"""Smaller numbers have no unit."""
MARGIN = 0.06
"""Share of the data's range that stays free above and below it."""


def padded(low: float, high: float) -> Limits:
    """Limits with some air around the data; around one value alone they are a tenth of it away, or 1 for zero."""
    spread = high - low
    if spread <= 1e-9 * max(abs(low), abs(high), 1e-30):
        spread = 0.1 * abs(high) or 1.0
        return low - spread, high + spread
    return low - MARGIN * spread, high + MARGIN * spread


def tick_step(limits: Limits, count: int) -> float:
    """The least of 1, 2 and 5 times a power of ten with no more than 1 + ``count`` / 0.6 ticks between the limits."""
    rough = 0.6 * (limits[1] - limits[0]) / max(count, 1)
    power = 10.0 ** math.floor(math.log10(rough))
    return next(factor * power for factor in (1.0, 2.0, 5.0, 10.0) if factor * power >= rough * (1.0 - 1e-9))


def ticks(limits: Limits, count: int) -> list[tuple[float, str]]:
    """Round values within the limits with their texts, ascending; about ``count`` of them."""
    step = tick_step(limits, count)
    first, last = math.ceil(limits[0] / step - 1e-9), math.floor(limits[1] / step + 1e-9)
    values = [index * step for index in range(first, last + 1)]
    return [(value, tick_text(value, step)) for value in values]


def tick_text(value: float, step: float) -> str:
    """A tick's value with as many digits as tell it from the next one: 0.25, 1.2M, 3e-5."""
    if abs(value) < 0.5 * step:
        return "0"
    magnitude = math.floor(math.log10(step) + 1e-9)
    if magnitude < -4:
        mantissa, exponent = f"{value:.{max(0, math.floor(math.log10(abs(value)) + 1e-9) - magnitude)}e}".split("e")
        return f"{mantissa}e{int(exponent)}"
    factor, unit = _unit(value)
    return f"{value / factor:.{max(0, round(math.log10(factor)) - magnitude)}f}{unit}"


def value_text(value: float | None) -> str:
    """Three or four significant digits of a value: 0.0312, 12.3, 1170, 1.25M, 3e-5; a dash for none."""
    if value is None or not math.isfinite(value):
        return "-"
    factor, unit = _unit(value)
    if unit:
        return f"{value / factor:.3g}{unit}"
    if value != 0.0 and abs(value) < 1e-3:
        mantissa, exponent = f"{value:.1e}".split("e")
        return f"{mantissa.removesuffix('.0')}e{int(exponent)}"
    return f"{value:.0f}" if abs(value) >= 999.5 else f"{value:.3g}"


def _unit(value: float) -> tuple[float, str]:
    if abs(value) < PLAIN:
        return 1.0, ""
    return next(((factor, unit) for factor, unit in UNITS if abs(value) >= 0.9995 * factor), (1.0, ""))


def limits_of(parts: Iterable[np.ndarray]) -> Limits | None:
    """(least, greatest) of all values; None where there are none."""
    parts = [part for part in parts if len(part)]
    if not parts:
        return None
    return float(min(part.min() for part in parts)), float(max(part.max() for part in parts))
