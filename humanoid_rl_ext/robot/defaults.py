"""Drives for joints whose file is silent: effort from weight, armature from effort, gains from natural frequency."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from humanoid_rl_ext.robot.mass import MassProperties, total
from humanoid_rl_ext.robot.rotation import matrix_from_quat

Array = NDArray[np.float64]

GRAVITY = 9.81
NATURAL_FREQUENCY = 5.0
"""Hz: stiffness is inertia times (2 pi f) squared, and damping makes the drive critically damped."""
DEFLECTION = 0.75
"""rad (m): a drive is never so stiff that a smaller error already asks for the whole effort limit."""
ARMATURE_PER_EFFORT = 1.5e-4
"""kg m2 per N m: the reflected rotor inertia of geared robot joints (5 to 140 N m) is near this."""
MIN_EFFORT = 1.0


class Loads:
    """What each joint carries, worked out in the zero pose."""

    def __init__(
        self,
        parents: list[int],
        positions: Array,
        rotations: Array,
        masses: list[MassProperties],
        feet: list[int],
    ) -> None:
        turns = [matrix_from_quat(quat) for quat in rotations]
        self._world = [m.moved(turn, p) for m, turn, p in zip(masses, turns, positions, strict=True)]
        self._children: list[list[int]] = [[] for _ in parents]
        for body, parent in enumerate(parents):
            if parent >= 0:
                self._children[parent].append(body)
        self._feet, self._positions = set(feet), positions
        self.weight = GRAVITY * sum(m.mass for m in masses)

    def subtree(self, body: int) -> list[int]:
        """The body and all that it carries."""
        found, queue = [], [body]
        while queue:
            found.append(queue.pop())
            queue += self._children[found[-1]]
        return found

    def inertia(self, body: int, axis: Array, anchor: Array, turns: bool) -> float:
        """Inertia (kg m2) of what a turning joint moves about its axis, or mass (kg) of what a slider moves.

        A joint moves what it carries; with a foot at the end of it, it moves the rest of the robot.
        """
        below = set(self.subtree(body))
        moved = set(range(len(self._world))) - below if below & self._feet else below
        carried = total(self._world[i] for i in moved)
        return float(axis @ carried.about(anchor) @ axis) if turns else carried.mass

    def effort(self, body: int, anchor: Array, turns: bool) -> float:
        """Effort (N m, or N) that the joint plausibly has.

        Three times what holds the carried bodies out level; for the joints of legs also the whole weight on 60 %
        of the distance to the foot, and on 15 % of the leg's length at the least. Sliders: ten times the weight.
        """
        below = self.subtree(body)
        carried = total(self._world[i] for i in below)
        if not turns:
            return max(10.0 * GRAVITY * carried.mass, MIN_EFFORT)
        arm = float(np.linalg.norm(carried.com - anchor))
        effort = 3.0 * GRAVITY * carried.mass * arm
        reach = [float(np.linalg.norm(self._positions[i] - anchor)) for i in below if i in self._feet]
        if reach:
            foot = next(i for i in below if i in self._feet)
            leg = abs(float(self._positions[0][2] - self._positions[foot][2]))
            effort = max(effort, self.weight * max(0.6 * max(reach), 0.15 * leg))
        return max(effort, MIN_EFFORT)


def default_gains(inertia: float, effort_limit: float) -> tuple[float, float]:
    """Stiffness and damping of a critically damped drive at the natural frequency, softened to its effort limit."""
    omega = 2.0 * math.pi * NATURAL_FREQUENCY
    stiffness = min(inertia * omega**2, effort_limit / DEFLECTION)
    return stiffness, 2.0 * stiffness / omega


def default_armature(effort_limit: float) -> float:
    """Armature (kg m2) of a motor of that effort (N m), between 0.001 and 0.05."""
    return min(max(ARMATURE_PER_EFFORT * effort_limit, 1e-3), 0.05)
