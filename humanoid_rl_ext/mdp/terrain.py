"""Kinds of ground. Each turns a difficulty from 0 to 1 into the heights of one cell (samples, samples) in metres.

Heights are 0 along the cell's edge, so that neighbours meet, but where a kind says otherwise, and level on the platform
in its middle, where robots start. A range parameter gives the value at difficulty 0 and at difficulty 1.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated

import numpy as np

from humanoid_rl_ext.errors import TaskError
from humanoid_rl_ext.sim.terrain import Cell, scatter
from humanoid_rl_ext.task.registry import Param, Range, register

Rise = Annotated[Range, Param(0.0, 2.0, "m/m", "Rise per metre, at the least and the greatest difficulty")]
StepHeight = Annotated[Range, Param(0.0, 1.0, "m", "Height of a step, at the least and the greatest difficulty")]
StepDepth = Annotated[float, Param(0.05, 10.0, "m", "Depth of a step")]
Unevenness = Annotated[Range, Param(0.0, 2.0, "m", "Height above and below level, least and greatest")]
Depth = Annotated[float, Param(0.0, 10.0, "m", "Depth of the holes")]


def _at(values: Range, difficulty: float) -> float:
    return values[0] + (values[1] - values[0]) * difficulty


@register("terrain")
def random_rough(
    difficulty: float,
    rng: np.random.Generator,
    cell: Cell,
    *,
    amplitude: Unevenness = (
        0.01,
        0.08,
    ),
    grain: Annotated[float, Param(0.02, 10.0, "m", "Distance between independent heights")] = 0.2,
) -> np.ndarray:
    """Uniform random heights, joined by straight lines."""
    height = _at(amplitude, difficulty)
    count = math.ceil(cell.size / grain) + 1
    noise = rng.uniform(-height, height, (count, count))
    noise[[0, -1]] = noise[:, [0, -1]] = 0.0
    return _sampled(noise, cell) * cell.ramp


@register("terrain")
def slope(difficulty: float, rng: np.random.Generator, cell: Cell, *, rise: Rise = (0.0, 0.4)) -> np.ndarray:
    """A ridge across the cell: level on top, falling evenly forwards and backwards; its sides are cliffs."""
    return _at(rise, difficulty) * (cell.half - np.maximum(np.abs(cell.x), cell.platform))


@register("terrain")
def pyramid(difficulty: float, rng: np.random.Generator, cell: Cell, *, rise: Rise = (0.0, 0.4)) -> np.ndarray:
    """A hill that falls evenly from the platform to all four sides."""
    return _at(rise, difficulty) * (cell.half - np.maximum(cell.reach, cell.platform))


@register("terrain")
def inverted_pyramid(difficulty: float, rng: np.random.Generator, cell: Cell, *, rise: Rise = (0.0, 0.4)) -> np.ndarray:
    """A hollow that rises evenly from the platform to all four sides."""
    return -_at(rise, difficulty) * (cell.half - np.maximum(cell.reach, cell.platform))


@register("terrain")
def stairs_down(
    difficulty: float,
    rng: np.random.Generator,
    cell: Cell,
    *,
    height: StepHeight = (0.05, 0.2),
    depth: StepDepth = 0.3,
) -> np.ndarray:
    """Stairs that lead down from the platform on all four sides."""
    return _at(height, difficulty) * _steps(cell, depth)


@register("terrain")
def stairs_up(
    difficulty: float,
    rng: np.random.Generator,
    cell: Cell,
    *,
    height: StepHeight = (0.05, 0.2),
    depth: StepDepth = 0.3,
) -> np.ndarray:
    """Stairs that lead up from the platform on all four sides."""
    return -_at(height, difficulty) * _steps(cell, depth)


@register("terrain")
def stepping_stones(
    difficulty: float,
    rng: np.random.Generator,
    cell: Cell,
    *,
    stone: Annotated[Range, Param(0.1, 10.0, "m", "Side of a stone at the greatest and at the least difficulty")] = (
        0.4,
        1.2,
    ),
    gap: Annotated[Range, Param(0.0, 5.0, "m", "Distance between stones, least and greatest")] = (0.1, 0.3),
    unevenness: Unevenness = (
        0.0,
        0.05,
    ),
    depth: Depth = 1.0,
) -> np.ndarray:
    """Square stones with holes between them, which reach to the cell's edge."""
    side, height = _at(stone, 1.0 - difficulty), _at(unevenness, difficulty)
    period = side + _at(gap, difficulty)
    i, j = (np.floor((along + cell.half) / period + 1e-6).astype(int) for along in (cell.x, cell.y))
    tops = rng.uniform(-height, height, (i.max() + 1, j.max() + 1))[i, j]
    hole = np.maximum(cell.x + cell.half - i * period, cell.y + cell.half - j * period) > side + 1e-6
    return np.where(cell.reach <= cell.platform, 0.0, np.where(hole, -depth, tops))


@register("terrain")
def gaps(
    difficulty: float,
    rng: np.random.Generator,
    cell: Cell,
    *,
    width: Annotated[Range, Param(0.0, 5.0, "m", "Width of a gap, least and greatest")] = (0.1, 0.6),
    ground: Annotated[float, Param(0.1, 10.0, "m", "Width of the ground between two gaps")] = 1.2,
    depth: Depth = 1.0,
) -> np.ndarray:
    """Square ditches around the platform, one outside the other."""
    gap = _at(width, difficulty)
    behind = np.mod(cell.reach - cell.platform - 1e-6, ground + gap)
    return np.where((cell.reach > cell.platform) & (behind < gap) & (cell.reach < cell.half - ground), -depth, 0.0)


@register("terrain")
def obstacles(
    difficulty: float,
    rng: np.random.Generator,
    cell: Cell,
    *,
    height: Annotated[Range, Param(0.0, 2.0, "m", "Height of the highest, least and greatest")] = (0.05, 0.25),
    size: Annotated[Range, Param(0.05, 10.0, "m", "Sides of an obstacle, drawn from this range")] = (0.4, 1.2),
    density: Annotated[float, Param(0.0, 0.5, "", "Share of the ground that they stand on")] = 0.2,
) -> np.ndarray:
    """Boxes of random size and height on level ground."""
    return scatter(np.zeros_like(cell.x), rng, cell, density, _at(height, difficulty), size)


@register("terrain")
def waves(
    difficulty: float,
    rng: np.random.Generator,
    cell: Cell,
    *,
    amplitude: Unevenness = (0.02, 0.2),
    count: Annotated[int, Param(1, 50, "", "Waves in a cell along each side")] = 3,
) -> np.ndarray:
    """Waves that cross: hills and hollows in turn, as on an egg tray."""
    turn = 2.0 * math.pi * count / cell.size
    shape = np.sin(turn * (cell.x + cell.half)) * np.sin(turn * (cell.y + cell.half))
    return _at(amplitude, difficulty) * shape * cell.ramp


@register("terrain")
def image(
    difficulty: float,
    rng: np.random.Generator,
    cell: Cell,
    *,
    path: Annotated[str, Param(help="A PNG (grey) or NPY file with a height field; rows run along x")] = "",
    height: Annotated[Range, Param(-20.0, 20.0, "m", "Height of its highest above its lowest point")] = (0.1, 1.0),
) -> np.ndarray:
    """A height field from a file, stretched over the cell; its lowest point is at 0, its middle made level."""
    picture = _read(Path(path).expanduser(), path)
    found = _sampled((picture - picture.min()) / (picture.max() - picture.min()), cell) * _at(height, difficulty)
    middle = found[len(found) // 2, len(found) // 2]
    return middle + (found - middle) * cell.ramp


def _steps(cell: Cell, depth: float) -> np.ndarray:
    """How many steps lie between each sample and the edge of the cell; the platform is the last."""
    count = math.floor((cell.half - cell.platform) / depth + 1e-6)
    return np.clip(np.floor((cell.half - cell.reach) / depth + 1e-6), 0, count)


def _sampled(picture: np.ndarray, cell: Cell) -> np.ndarray:
    """A picture (m, n) stretched over the cell, linear between its values."""
    m, n = picture.shape
    u, v = (cell.x + cell.half) / cell.size * (m - 1), (cell.y + cell.half) / cell.size * (n - 1)
    i, j = np.minimum(u.astype(int), m - 2), np.minimum(v.astype(int), n - 2)
    u, v = u - i, v - j
    near = picture[i, j] * (1 - v) + picture[i, j + 1] * v
    return near * (1 - u) + (picture[i + 1, j] * (1 - v) + picture[i + 1, j + 1] * v) * u


def _read(path: Path, said: str) -> np.ndarray:
    """The values of a height-field file (m, n) float64; raises TaskError with what is wrong about it."""
    where = "scene.terrain: image"
    if not said:
        raise TaskError(f"{where}: needs params.path, a PNG or NPY file")
    if not path.is_file():
        raise TaskError(f"{where}: {said}: no such file")
    try:
        if path.suffix.lower() == ".npy":
            values = np.load(path, allow_pickle=False)
        elif path.suffix.lower() == ".png":
            from PIL import Image

            with Image.open(path) as opened:
                values = np.asarray(opened if opened.mode in ("L", "I", "I;16", "F") else opened.convert("L"))
        else:
            raise TaskError(f"{where}: {said}: must end in .png or .npy")
    except (OSError, ValueError) as error:
        raise TaskError(f"{where}: {said} cannot be read: {error}") from None
    if values.ndim != 2 or min(values.shape) < 2:
        raise TaskError(f"{where}: {said}: must have two axes of at least 2 values, not shape {values.shape}")
    if values.dtype.kind not in "uif" or not np.isfinite(values).all():
        raise TaskError(f"{where}: {said}: must hold finite numbers")
    if values.min() == values.max():
        raise TaskError(f"{where}: {said}: holds one height only")
    return values.astype(np.float64)
