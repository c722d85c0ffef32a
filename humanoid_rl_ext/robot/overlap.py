"""Which bodies overlap in a pose: distances between convex hulls swept by balls."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from humanoid_rl_ext.robot.rotation import matrix_from_quat
from humanoid_rl_ext.robot.shapes import Shape

Array = NDArray[np.float64]

TOLERANCE = 1e-3
"""m: shapes that reach less than this into each other only touch."""


def overlapping(
    pairs: list[tuple[int, int]], shapes: list[list[Shape]], positions: Array, quats: Array
) -> list[tuple[int, int]]:
    """The pairs of body indices whose shapes overlap with the bodies at ``positions`` (n, 3), ``quats`` (n, 4)."""
    posed: list[list[tuple[Array, float]]] = []
    for body, position, quat in zip(shapes, positions, quats, strict=True):
        turn = matrix_from_quat(quat)
        posed.append([(_few(shape.points) @ turn.T + position, shape.radius) for shape in body])
    low = [[points.min(axis=0) - r for points, r in body] for body in posed]
    high = [[points.max(axis=0) + r for points, r in body] for body in posed]
    found = []
    for a, b in pairs:
        for i, (first, radius) in enumerate(posed[a]):
            if any(
                bool(np.all(low[a][i] < high[b][j]) and np.all(low[b][j] < high[a][i]))
                and hulls_closer_than(first, second, radius + other - TOLERANCE)
                for j, (second, other) in enumerate(posed[b])
            ):
                found.append((a, b))
                break
    return found


def hulls_closer_than(a: Array, b: Array, distance: float, rounds: int = 60) -> bool:
    """Whether the convex hulls of ``a`` (n, 3) and ``b`` (m, 3) come closer than ``distance`` (m).

    Gilbert's algorithm (1966) on the Minkowski difference: each round has a lower and an upper bound. Hulls that
    neither bound settles within the rounds count as apart.
    """
    nearest = a.mean(axis=0) - b.mean(axis=0)
    for _ in range(rounds):
        length = float(np.linalg.norm(nearest))
        if length < max(distance, 1e-6):
            return True
        support = a[np.argmin(a @ nearest)] - b[np.argmax(b @ nearest)]
        if float(support @ nearest) / length >= max(distance, 0.0):
            return False
        step = support - nearest
        nearest = nearest + step * min(max(-float(nearest @ step) / float(step @ step), 0.0), 1.0)
    return False


def _few(points: Array) -> Array:
    """The points, a big mesh thinned to those that lie outermost in some direction."""
    if len(points) <= 64:
        return points
    i = np.arange(64) + 0.5
    z, angle = 1.0 - 2.0 * i / 64.0, np.pi * (1.0 + 5.0**0.5) * i
    flat = np.sqrt(1.0 - z * z)
    directions = np.stack([flat * np.cos(angle), flat * np.sin(angle), z])
    return points[np.unique(np.argmax(points @ directions, axis=0))]
