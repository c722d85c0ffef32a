"""Distributions and histograms as plain data: what a small picture of a randomised quantity shows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from humanoid_rl_ext.env.failure_map import FailureRate
    from humanoid_rl_ext.task.schema import RandomisationSection

Array = NDArray[np.float64]

NUM_BINS = 16
POINTS = 129
MARGIN = 0.06
"""Room left and right of the range, as a share of it."""
ROOM = 1.12
"""Height of a picture, in units of what is highest in it."""
TALLEST = 2.5
"""How much higher than the distribution a histogram may make the picture: with few environments bars are tall."""
BAR = 0.6
"""Width of a choice's bar, as a share of the distance to the next choice."""
FEW = 5
"""Below so many episodes a failure rate says little."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar from the bottom; all three in shares of the picture. A faint one says little."""

    left: float
    right: float
    height: float
    faint: bool = False


@dataclass(frozen=True, slots=True)
class Figure:
    """A picture's content in shares of its width and height, from the bottom left."""

    curve: tuple[tuple[float, float], ...] = ()
    outlines: tuple[Bar, ...] = ()
    """Expected shares of choices."""
    bars: tuple[Bar, ...] = ()
    level: float | None = None
    """Height of a dashed line."""
    ends: tuple[float, float] = (0.0, 1.0)
    """Where the ends of the range lie."""


def density(section: RandomisationSection, low: float, high: float) -> tuple[Array, Array]:
    """Points (n,) and the probability density at them (n,), for a range with ``low`` < ``high`` and no choices."""
    x = np.linspace(low, high, POINTS)
    match section.distribution:
        case "normal":
            sigma = (high - low) / (2.0 * section.deviations)
            z = (x - 0.5 * (low + high)) / sigma
            inside = math.erf(section.deviations / math.sqrt(2.0))
            return x, np.exp(-0.5 * z**2) / (sigma * math.sqrt(2.0 * math.pi) * inside)
        case "log_uniform":
            return x, 1.0 / (x * math.log(high / low))
    return x, np.full(POINTS, 1.0 / (high - low))


def distribution_figure(section: RandomisationSection, low: float, high: float, samples: Array | None) -> Figure:
    """How a quantity is distributed, and over it the samples (n,) that the environments have, if any.

    Samples that lie outside of the range (it was just changed) widen the picture, at most by the range on each side.
    """
    if section.distribution == "choice" or low == high:
        return _of_choices(section.choices if section.distribution == "choice" else [low], samples)
    x, y = density(section, low, high)
    width = (high - low) / NUM_BINS
    edges = np.linspace(low, high, NUM_BINS + 1)
    heights = np.zeros(0)
    if samples is not None and len(samples):
        left = int(np.clip(math.ceil((low - samples.min()) / width - 1e-6), 0, NUM_BINS))
        right = int(np.clip(math.ceil((samples.max() - high) / width - 1e-6), 0, NUM_BINS))
        edges = np.linspace(low - left * width, high + right * width, NUM_BINS + left + right + 1)
        counts, _ = np.histogram(np.clip(samples, edges[0], edges[-1]), edges)
        heights = counts / (len(samples) * width)
    across = _Axis(edges[0], edges[-1])
    top = ROOM * max(y.max(), min(heights.max(initial=0.0), TALLEST * y.max()))
    points = [(x[0], 0.0), *zip(x, y, strict=True), (x[-1], 0.0)]
    return Figure(
        curve=tuple((across.share(a), min(b / top, 1.0)) for a, b in points),
        bars=tuple(
            Bar(across.share(a), across.share(b), min(float(height / top), 1.0))
            for a, b, height in zip(edges, edges[1:], heights, strict=False)
        ),
        ends=(across.share(low), across.share(high)),
    )


def failure_figure(row: FailureRate, full: float, overall: float) -> Figure:
    """Failure rates in the bins of a quantity; ``full`` is the rate of a bar as high as the picture."""
    low, high = row.edges[0], row.edges[-1]
    across = _Axis(low, high)
    return Figure(
        bars=tuple(
            Bar(across.share(a), across.share(b), min(failed / episodes / full, 1.0), episodes < FEW)
            for a, b, episodes, failed in zip(row.edges, row.edges[1:], row.episodes, row.failed, strict=False)
            if episodes
        ),
        level=min(overall / full, 1.0),
        ends=(across.share(low), across.share(high)),
    )


def _of_choices(choices: Sequence[float], samples: Array | None) -> Figure:
    """Bars at the choices: outlined as they are to be, filled as they are."""
    values, counts = np.unique(np.asarray(choices, dtype=float), return_counts=True)
    shares = counts / counts.sum()
    gap = float(np.diff(values).min(initial=math.inf))
    gap = gap if math.isfinite(gap) else max(abs(float(values[0])), 1.0) / 4.0
    across = _Axis(values[0] - gap / 2, values[-1] + gap / 2)
    places = [(across.share(v - BAR * gap / 2), across.share(v + BAR * gap / 2)) for v in values]
    now = np.zeros(0)
    if samples is not None and len(samples):
        nearest = np.abs(samples[:, None] - values).argmin(axis=1)
        now = np.bincount(nearest, minlength=len(values)) / len(samples)
    top = ROOM * max(shares.max(), now.max(initial=0.0))
    return Figure(
        outlines=tuple(Bar(*place, float(share / top)) for place, share in zip(places, shares, strict=True)),
        bars=tuple(Bar(*place, float(share / top)) for place, share in zip(places, now, strict=False)),
        ends=(across.share(values[0]), across.share(values[-1])),
    )


@dataclass(frozen=True, slots=True)
class _Axis:
    """From values to shares of the width."""

    low: float
    high: float

    def share(self, value: float) -> float:
        room = MARGIN * (self.high - self.low) or 1.0
        return float((value - self.low + room) / (self.high - self.low + 2 * room))
