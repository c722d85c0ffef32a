"""Marks in the scene as plain data, before anything is drawn: lines, arrows, dots and flat areas."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

HEAD = 0.3
"""Length of an arrow's head as a share of the arrow, at most ``LONGEST_HEAD`` (m)."""
LONGEST_HEAD = 0.08


@dataclass(frozen=True, slots=True)
class Line:
    """A straight line; thickness in pixels at scale 1."""

    start: Array
    end: Array
    colour: int
    thickness: float


@dataclass(frozen=True, slots=True)
class Dot:
    """A disc that faces the camera; radius in pixels at scale 1."""

    centre: Array
    radius: float
    colour: int


@dataclass(frozen=True, slots=True)
class Area:
    """A flat convex polygon, corners (n, 3)."""

    corners: Array
    colour: int


@dataclass(slots=True)
class Sketch:
    """Everything that the overlays draw in one frame, as seen from ``eye``; colours are 0xAABBGGRR."""

    eye: Array
    lines: list[Line] = field(default_factory=list)
    dots: list[Dot] = field(default_factory=list)
    areas: list[Area] = field(default_factory=list)

    def line(self, start: ArrayLike, end: ArrayLike, colour: int, thickness: float = 2.0) -> None:
        """Adds a line."""
        self.lines.append(Line(np.asarray(start, dtype=float), np.asarray(end, dtype=float), colour, thickness))

    def path(self, points: ArrayLike, colour: int, thickness: float = 2.0) -> None:
        """Adds lines through points (n, 3)."""
        points = np.asarray(points, dtype=float)
        for start, end in pairwise(points):
            self.line(start, end, colour, thickness)

    def arrow(self, start: ArrayLike, vector: ArrayLike, colour: int, thickness: float = 2.5) -> None:
        """Adds an arrow whose head faces the camera; one shorter than a centimetre is left out."""
        start, vector = np.asarray(start, dtype=float), np.asarray(vector, dtype=float)
        length = float(np.linalg.norm(vector))
        if length < 0.01:
            return
        end, along = start + vector, vector / length
        head = min(HEAD * length, LONGEST_HEAD)
        side = np.cross(along, self.eye - end)
        side *= 0.5 * head / max(float(np.linalg.norm(side)), 1e-9)
        neck = end - head * along
        self.line(start, neck, colour, thickness)
        self.areas.append(Area(np.array([end, neck + side, neck - side]), colour))

    def dot(self, centre: ArrayLike, radius: float, colour: int) -> None:
        """Adds a dot."""
        self.dots.append(Dot(np.asarray(centre, dtype=float), radius, colour))

    def area(self, corners: ArrayLike, colour: int) -> None:
        """Adds a flat area of at least three corners."""
        self.areas.append(Area(np.asarray(corners, dtype=float), colour))


def convex_hull(points: ArrayLike) -> Array:
    """Corners (k, 2) of the convex hull of points (n, 2), counter-clockwise; all of one line's points are dropped.

    Andrew's monotone chain (1979).
    """
    ordered = sorted({(float(x), float(y)) for x, y in np.asarray(points)})
    if len(ordered) < 3:
        return np.array(ordered).reshape(-1, 2)

    def chain(sequence: list[tuple[float, float]]) -> list[tuple[float, float]]:
        kept: list[tuple[float, float]] = []
        for x, y in sequence:
            while len(kept) > 1:
                (ax, ay), (bx, by) = kept[-2:]
                if (bx - ax) * (y - ay) - (by - ay) * (x - ax) > 0.0:
                    break
                kept.pop()
            kept.append((x, y))
        return kept[:-1]

    return np.array(chain(ordered) + chain(ordered[::-1]))


def inside(point: ArrayLike, hull: Array) -> bool:
    """Whether a point (2,) lies in a convex polygon (k, 2) that runs counter-clockwise."""
    if len(hull) < 3:
        return False
    edges = np.roll(hull, -1, axis=0) - hull
    offset = np.asarray(point, dtype=float) - hull
    return bool((edges[:, 0] * offset[:, 1] - edges[:, 1] * offset[:, 0] >= 0.0).all())
