"""A metric as a curve: smoothed, and reduced to as many points as can be told apart."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

MAX_EXPONENT = 500.0
"""exp(500) is still far from the largest double."""
MAX_CORRECTION = 40.0
"""1 - exp(-40) is 1."""


def smooth(values: np.ndarray, smoothing: float) -> np.ndarray:
    """The exponential moving average of ``values`` (n,), with the bias of its start corrected, as Adam does it.

    ``smoothing`` in [0, 1) is the weight of the past; 0 changes nothing. Values that are not finite are passed over:
    they stay NaN and do not count.
    """
    smoothed = np.full(values.shape, np.nan)
    finite = np.isfinite(values)
    smoothed[finite] = _average(values[finite], smoothing) if smoothing > 0.0 else values[finite]
    return smoothed


def _average(values: np.ndarray, smoothing: float) -> np.ndarray:
    """m_t = s m_(t-1) + (1 - s) x_t, divided by 1 - s^t; block by block, so that no power of 1 / s overflows."""
    decay = -math.log(smoothing)
    length = max(1, min(int(MAX_EXPONENT / decay), len(values)))
    powers = np.exp(-decay * np.arange(1, length + 1))
    average, last = np.empty(len(values)), 0.0
    for start in range(0, len(values), length):
        block = average[start : start + length]
        power = powers[: len(block)]
        np.divide(values[start : start + length], power, out=block)
        block[0] += last / (1.0 - smoothing)
        np.cumsum(block, out=block)
        block *= power
        block *= 1.0 - smoothing
        last = block[-1]
    biased = average[: int(MAX_CORRECTION / decay) + 1]
    biased /= -np.expm1(-decay * np.arange(1, len(biased) + 1))
    return average


@dataclass(frozen=True, slots=True)
class Samples:
    """What is drawn of a curve: mean, least and greatest value of each piece of it, and where it lies; all (k,)."""

    x: np.ndarray
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray

    def __len__(self) -> int:
        return len(self.x)


def resample(
    x: np.ndarray, y: np.ndarray, limits: tuple[float, float], count: int, measured: np.ndarray | None = None
) -> Samples:
    """At most ``count`` samples of a curve within ``limits``: the means of ``count`` pieces of equal width.

    ``x`` (n,) ascends; points whose ``y`` is not finite are left out, and so are pieces without a point: a line drawn
    through the samples bridges iterations in which no episode ended. ``low`` and ``high`` are of ``measured`` (n,),
    the values before smoothing.
    """
    measured = y if measured is None else measured
    inside = np.isfinite(y) & (x >= limits[0]) & (x <= limits[1])
    x, y, measured = x[inside], y[inside], measured[inside]
    if len(x) <= count:
        return Samples(x, y, measured, measured)
    starts = np.searchsorted(x, np.linspace(*limits, count, endpoint=False))
    starts = starts[np.diff(starts, append=len(x)) > 0]
    sizes = np.diff(starts, append=len(x))
    return Samples(
        np.add.reduceat(x, starts) / sizes,
        np.add.reduceat(y, starts) / sizes,
        np.minimum.reduceat(measured, starts),
        np.maximum.reduceat(measured, starts),
    )
