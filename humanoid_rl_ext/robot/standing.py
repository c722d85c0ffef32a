"""The standing pose: joint positions inside the limits, and how high the base is when the feet touch the ground."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from humanoid_rl_ext.robot.rotation import matrix_from_quat
from humanoid_rl_ext.robot.shapes import Shape

Array = NDArray[np.float64]

EPSILON = 1e-6


def default_position(lower: float, upper: float, target: float | None) -> float:
    """A joint's standing position: the drive's target if it is within the limits, else 0, else the middle.

    With one limit only, and 0 beyond it, the limit itself.
    """
    for wanted in (target, 0.0):
        if wanted is not None and lower - EPSILON <= wanted <= upper + EPSILON:
            return min(max(wanted, lower), upper)
    if math.isfinite(lower) and math.isfinite(upper):
        return (lower + upper) / 2.0
    return lower if math.isfinite(lower) else upper


def lowest_points(shapes: list[list[Shape]], positions: Array, quats: Array) -> dict[int, float]:
    """Lowest z (m) of every body that has shapes, by body index; bodies at ``positions`` (n, 3), ``quats`` (n, 4)."""
    return {
        body: min(shape.lowest(matrix_from_quat(quats[body]), positions[body]) for shape in own)
        for body, own in enumerate(shapes)
        if own
    }
