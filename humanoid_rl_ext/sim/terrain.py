"""The ground as one height field: a grid of cells, rows rising in difficulty, columns of different kinds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from humanoid_rl_ext.errors import TaskError
from humanoid_rl_ext.task.schema import TerrainKindSection, TerrainSection

MOST_SAMPLES = 2**25
RAMP = 0.5
"""Distance (m) from the platform within which rough ground reaches its full height."""


@dataclass(frozen=True, eq=False, slots=True)
class Cell:
    """One cell's geometry, for the functions that make kinds of ground: samples of x and y about its middle (m)."""

    size: float
    resolution: float
    platform: float
    """Half the side of the flat square in the middle (m)."""
    x: np.ndarray
    """(samples, samples), constant along the second axis."""
    y: np.ndarray

    @property
    def half(self) -> float:
        """Half the side of the cell (m)."""
        return 0.5 * self.size

    @property
    def reach(self) -> np.ndarray:
        """(samples, samples) distance from the middle along the farther axis (m): constant on squares."""
        return np.maximum(np.abs(self.x), np.abs(self.y))

    @property
    def ramp(self) -> np.ndarray:
        """(samples, samples) 0 on the platform, 1 from ``RAMP`` beyond it, linear between."""
        return np.clip((self.reach - self.platform) / RAMP, 0.0, 1.0)


HeightFunction = Callable[..., np.ndarray]
"""(difficulty, generator, cell, **params) -> (samples, samples) heights (m), level on the platform."""


@dataclass(frozen=True, eq=False)
class Terrain:
    """The height field (m) and the places where robots may start; the world's origin is in the grid's middle."""

    heights: np.ndarray
    """(samples along x, samples along y) float32."""
    resolution: float
    origins: np.ndarray
    """(rows, columns, 3) float32 middle of each cell, on the ground."""
    column_kinds: tuple[str, ...]
    """The entry in the Task's table that each column belongs to."""
    cell_size: float
    border: int
    """Samples on each side that do not belong to the grid."""
    steepness: float
    """Rise per metre above which the mesh has a vertical wall."""
    friction: float
    max_initial_level: int
    difficulties: tuple[float, ...]
    """Of each row, rising."""
    max_difficulty: float
    """Of the hardest level that environments may be on at first."""
    levels_by_distance: bool
    """Whether environments change their level by the distance that robots walk."""

    @property
    def rows(self) -> int:
        return self.origins.shape[0]

    @property
    def columns(self) -> int:
        return self.origins.shape[1]

    @property
    def reach(self) -> tuple[float, float]:
        """Half the size of the field along x and y (m)."""
        nx, ny = self.heights.shape
        return 0.5 * (nx - 1) * self.resolution, 0.5 * (ny - 1) * self.resolution

    @cached_property
    def mesh(self) -> tuple[np.ndarray, np.ndarray]:
        """Vertices (points, 3) float32 (m) and triangles (faces, 3) int32, counter-clockwise from above."""
        from humanoid_rl_ext.sim.terrain_mesh import triangulate

        return triangulate(self)

    def levels_up_to(self, difficulty: float) -> int:
        """How many levels are no more difficult than this; at least one."""
        return max(1, sum(each <= difficulty + 1e-6 for each in self.difficulties))

    def start_cells(self, num_envs: int) -> tuple[np.ndarray, np.ndarray]:
        """Level and column (num_envs,) where each environment starts: all columns in turn, then the next level.

        It does not depend on how many environments there are.
        """
        index = np.arange(num_envs)
        levels = min(self.max_initial_level + 1, self.levels_up_to(self.max_difficulty))
        return index // self.columns % levels, index % self.columns

    def start_origins(self, num_envs: int) -> np.ndarray:
        """(num_envs, 3) float32 origins of the start cells."""
        level, column = self.start_cells(num_envs)
        return self.origins[level, column]


def build_terrain(section: TerrainSection) -> Terrain | None:
    """The ground that a Task asks for, the same for the same section; None where it is flat.

    Raises:
        TaskError: for more kinds than columns can be shared out to, a field that is too large, or from a kind itself.
    """
    if section.flat:
        return None
    kinds = {name: kind for name, kind in section.kinds.items() if kind.enabled}
    columns = _shared_out(kinds, section.columns)
    samples, border = (round(length / section.resolution) for length in (section.cell_size, section.border))
    border = max(border, 2)  # the innermost ring of it may move under a wall of the grid
    cells = section.rows, section.columns
    nx, ny = (count * samples + 2 * border for count in cells)
    if nx * ny > MOST_SAMPLES:
        raise TaskError(
            f"scene.terrain: {nx} x {ny} points are too many; use fewer or smaller cells, or a coarser resolution"
        )
    heights = np.zeros((nx, ny), np.float32)
    cell = _cell(section, samples)
    difficulties = np.linspace(*section.difficulty, section.rows).tolist() if section.rows > 1 else [1.0]
    for row, difficulty in enumerate(difficulties):
        for column, name in enumerate(columns):
            i, j = border + row * samples, border + column * samples
            heights[i : i + samples, j : j + samples] = _ground(
                section, kinds[name], difficulty, np.random.default_rng((section.seed, row, column)), cell
            )
    middles = np.meshgrid(*(border + samples // 2 + samples * np.arange(n) for n in cells), indexing="ij")
    origins = np.empty((*cells, 3), np.float32)
    for axis, (middle, count) in enumerate(zip(middles, heights.shape, strict=True)):
        origins[..., axis] = (middle - 0.5 * (count - 1)) * section.resolution
    origins[..., 2] = heights[tuple(middles)]
    return Terrain(
        heights,
        section.resolution,
        origins,
        tuple(columns),
        section.cell_size,
        border,
        section.steepness,
        section.friction,
        section.max_initial_level,
        tuple(difficulties),
        section.max_difficulty,
        section.levels_by_distance,
    )


def scatter(
    heights: np.ndarray, rng: np.random.Generator, cell: Cell, share: float, height: float, size: tuple[float, float]
) -> np.ndarray:
    """``heights`` with boxes set on about ``share`` of the ground, off the platform and the
    edge: sides ``size`` (m), as high as
    half to all of ``height`` (m)."""
    raised = heights.copy()
    mean = 0.5 * (size[0] + size[1])
    off = (cell.reach > cell.platform) & (cell.reach < cell.half - 1e-6)
    # Boxes fall where they may: n of them with the share s each leave (1 - s)^n bare.
    count = round(np.log1p(-share) / np.log1p(-min(0.9, (mean / cell.size) ** 2)))
    for _ in range(count):
        (x, y), (a, b) = rng.uniform(-cell.half, cell.half, 2), 0.5 * rng.uniform(*size, 2)
        box = (np.abs(cell.x - x) <= a) & (np.abs(cell.y - y) <= b) & off
        raised[box] = heights[box] + height * rng.uniform(0.5, 1.0)
    return raised


def _cell(section: TerrainSection, samples: int) -> Cell:
    along = (np.arange(samples) - samples // 2) * section.resolution
    x, y = np.meshgrid(along, along, indexing="ij")
    return Cell(samples * section.resolution, section.resolution, 0.5 * section.platform, x, y)


def _ground(
    section: TerrainSection, kind: TerrainKindSection, difficulty: float, rng: np.random.Generator, cell: Cell
) -> np.ndarray:
    heights: np.ndarray = kind.spec.function(difficulty, rng, cell, **kind.params)
    if section.obstacle_density > 0.0:
        low, high = section.obstacle_height
        height = low + (high - low) * difficulty
        heights = scatter(heights, rng, cell, section.obstacle_density * difficulty, height, (0.3, 1.0))
    return heights


def _shared_out(kinds: dict[str, TerrainKindSection], columns: int) -> list[str]:
    """The kind of each column: one for each kind, the others where there are fewest for the share."""
    if len(kinds) > columns:
        raise TaskError(f"scene.terrain.columns: {columns} columns are too few for {len(kinds)} kinds of ground")
    counts = dict.fromkeys(kinds, 1)
    for _ in range(columns - len(kinds)):
        counts[max(counts, key=lambda name: kinds[name].share / counts[name])] += 1
    return [name for name, count in counts.items() for _ in range(count)]
