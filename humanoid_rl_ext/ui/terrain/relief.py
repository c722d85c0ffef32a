"""A picture of a height field from above: colour says how high, light and shade how steep. numpy alone."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from humanoid_rl_ext.sim.terrain import Terrain

Array = NDArray[np.float32]

BELOW = ((0.06, 0.16, 0.30), (0.13, 0.40, 0.52))
"""Colours (red, green, blue) of the lowest ground and of what lies just below level."""
LEVEL = (0.36, 0.43, 0.33)
ABOVE = ((0.55, 0.52, 0.36), (0.97, 0.93, 0.84))
"""Colours of what lies just above level and of the highest ground."""
BEND = 0.22
"""Share of the way from level to an extreme at which the colours next to level are reached."""
SUN = np.array([-0.5, 0.5, 0.75]) / math.sqrt(0.5**2 + 0.5**2 + 0.75**2)
"""Where light comes from: the picture's upper left."""
DEEPEST_SHADE = 0.35
EXAGGERATION = 1.5
"""Factor on slopes, so that gentle ones are seen."""
FINER = 4
"""Samples a pixel, along each axis, that are looked at where there are more."""


@dataclass(frozen=True, slots=True, eq=False)
class Relief:
    """The picture with what its edges say. Up is the world's y, to the right its x; shares run from 0 to 1."""

    pixels: NDArray[np.uint8]
    """(height, width, 4), the top first."""
    scale: NDArray[np.uint8]
    """(height, 1, 4) the colours from the highest ground down to the lowest."""
    low: float
    high: float
    """The lowest and the highest point (m)."""
    size: tuple[float, float]
    """Along x and along y (m)."""
    columns: dict[str, int]
    """How many columns each kind of ground has got."""
    bands: tuple[tuple[str, float, float], ...]
    """Each kind of ground with the shares of the height, from the top, between which its columns lie."""
    levels: tuple[float, ...]
    """Share of the width, from the left, of the middle of each level."""


def draw_relief(terrain: Terrain, width: int, height: int) -> Relief:
    """The picture of a terrain in ``width`` x ``height`` pixels; fewer where the height field has fewer samples."""
    heights = terrain.heights
    step = max(1, min(heights.shape[0] // (FINER * width), heights.shape[1] // (FINER * height)))
    seen = heights[::step, ::step]
    low, high = float(heights.min()), float(heights.max())
    lit = _colours(seen, low, high) * _shade(seen, terrain.resolution * step)[..., None]
    middles = _averaged(_averaged(lit, width, 0), height, 1)
    along_x, along_y = (count * terrain.resolution for count in heights.shape)
    return Relief(
        _pixels(np.ascontiguousarray(middles.transpose(1, 0, 2)[::-1])),
        _pixels(_colours(np.linspace(high, low, height, dtype=np.float32)[:, None], low, high)),
        low,
        high,
        (along_x, along_y),
        {name: terrain.column_kinds.count(name) for name in dict.fromkeys(terrain.column_kinds)},
        _bands(terrain),
        tuple(float(x / along_x + 0.5) for x in terrain.origins[:, 0, 0]),
    )


def _bands(terrain: Terrain) -> tuple[tuple[str, float, float], ...]:
    half, whole = 0.5 * terrain.cell_size, terrain.heights.shape[1] * terrain.resolution
    bands, column = [], 0
    for name, group in groupby(terrain.column_kinds):
        count = len(list(group))
        first, last = (float(terrain.origins[0, at, 1]) for at in (column, column + count - 1))
        bands.append((name, 0.5 - (last + half) / whole, 0.5 - (first - half) / whole))
        column += count
    return tuple(reversed(bands))


def _colours(heights: Array, low: float, high: float) -> Array:
    """(..., 3) colours; those below and above level are stretched to the lowest and the highest point."""
    down, up = (abs(extreme) or 1.0 for extreme in (min(low, 0.0), max(high, 0.0)))
    places = [-down, -BEND * down, 0.0, BEND * up, up]
    stops = np.array([*BELOW, LEVEL, *ABOVE])
    return np.stack([np.interp(heights, places, stops[:, part]) for part in range(3)], axis=-1).astype(np.float32)


def _shade(heights: Array, resolution: float) -> Array:
    """How bright the light makes each sample; 1 on level ground."""
    if min(heights.shape) < 2:
        return np.ones_like(heights)
    rise_x, rise_y = (EXAGGERATION * rise for rise in np.gradient(heights, resolution))
    light = (SUN[2] - rise_x * SUN[0] - rise_y * SUN[1]) / np.sqrt(1.0 + rise_x**2 + rise_y**2)
    bright = np.clip(light, 0.0, None) / SUN[2]
    return (DEEPEST_SHADE + (1.0 - DEEPEST_SHADE) * bright).astype(np.float32)


def _averaged(values: Array, count: int, axis: int) -> Array:
    """Means over ``count`` equal parts of an axis; unchanged where it is no longer than that."""
    length = values.shape[axis]
    if length <= count:
        return values
    edges = np.arange(count) * length // count
    sizes = np.diff(np.append(edges, length)).reshape([-1 if at == axis else 1 for at in range(values.ndim)])
    return (np.add.reduceat(values, edges, axis=axis) / sizes).astype(np.float32)


def _pixels(colours: Array) -> NDArray[np.uint8]:
    solid = np.full((*colours.shape[:-1], 4), 255, np.uint8)
    solid[..., :3] = np.clip(np.round(255.0 * colours), 0, 255)
    return solid
