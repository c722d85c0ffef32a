"""A camera that orbits a point. World: Z up, metres; matrices act on row vectors, as omni.ui's scene has them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

FIELD_OF_VIEW = 0.7
"""Vertical (rad)."""
NEAR, FAR = 0.02, 200.0
LOWEST, HIGHEST = math.radians(-5.0), math.radians(89.0)
NEAREST, FARTHEST = 0.2, 80.0
ZOOM_STEP = 0.88
"""Factor on the distance for one step of the wheel."""


@dataclass(slots=True)
class Camera:
    """Looks from ``distance`` at ``target``, turned by ``azimuth`` about Z and raised by ``elevation`` (rad)."""

    target: Array = field(default_factory=lambda: np.array([0.0, 0.0, 0.6]))
    distance: float = 3.2
    azimuth: float = math.radians(-40.0)
    elevation: float = math.radians(15.0)

    @property
    def axes(self) -> Array:
        """(3, 3) rows: to the right, upwards, and from the target to the eye."""
        ca, sa, ce, se = (f(a) for a in (self.azimuth, self.elevation) for f in (math.cos, math.sin))
        return np.array([[-sa, ca, 0.0], [-se * ca, -se * sa, ce], [ce * ca, ce * sa, se]])

    @property
    def eye(self) -> Array:
        """(3,) where the camera is."""
        return self.target + self.distance * self.axes[2]

    def view(self) -> Array:
        """(4, 4) from the world to the camera's frame (x right, y up, looking along -z)."""
        matrix = np.eye(4)
        matrix[:3, :3] = self.axes.T
        matrix[3, :3] = -self.axes @ self.eye
        return matrix

    def orbit(self, dx: float, dy: float) -> None:
        """Turns with a drag of the mouse by shares of the view's half width and height; up is positive."""
        self.azimuth = math.remainder(self.azimuth - 2.0 * dx, 2.0 * math.pi)
        self.elevation = min(max(self.elevation - 1.5 * dy, LOWEST), HIGHEST)

    def pan(self, dx: float, dy: float, aspect: float) -> None:
        """Moves sideways so that the target's plane follows a drag of the mouse, in shares as for ``orbit``."""
        half_height = self.distance * math.tan(FIELD_OF_VIEW / 2.0)
        right, up, _ = self.axes
        self.target = self.target - half_height * (aspect * dx * right + dy * up)

    def zoom(self, steps: float) -> None:
        """Comes closer by steps of the mouse wheel."""
        self.distance = min(max(self.distance * ZOOM_STEP**steps, NEAREST), FARTHEST)

    def frame(self, points: ArrayLike, aspect: float) -> None:
        """Moves so that points (n, 3) fill most of the view, from the same direction."""
        points = np.asarray(points, dtype=np.float64)
        low, high = points.min(axis=0), points.max(axis=0)
        self.target = (low + high) / 2.0
        radius = max(float(np.linalg.norm(high - low)) / 2.0, 0.05)
        half_angle = min(FIELD_OF_VIEW / 2.0, math.atan(aspect * math.tan(FIELD_OF_VIEW / 2.0)))
        self.distance = min(max(radius / math.sin(half_angle), NEAREST), FARTHEST)


def projection(aspect: float) -> Array:
    """(4, 4) from the camera's frame to the screen, for a view ``aspect`` times as wide as high."""
    scale = 1.0 / math.tan(FIELD_OF_VIEW / 2.0)
    matrix = np.zeros((4, 4))
    matrix[0, 0], matrix[1, 1] = scale / aspect, scale
    matrix[2, 2], matrix[2, 3] = (FAR + NEAR) / (NEAR - FAR), -1.0
    matrix[3, 2] = 2.0 * FAR * NEAR / (NEAR - FAR)
    return matrix
