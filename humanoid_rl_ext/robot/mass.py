"""Mass, centre of mass and inertia of solid shapes, in numpy. SI units."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class MassProperties:
    """Mass (kg), centre of mass (3,) and inertia (3, 3) about the centre of mass, along the frame's axes."""

    mass: float
    com: Array
    inertia: Array

    def moved(self, rotation: Array, translation: Array) -> MassProperties:
        """The same solid seen from a frame in which its own frame stands at ``rotation`` (3, 3), ``translation``."""
        return MassProperties(self.mass, rotation @ self.com + translation, rotation @ self.inertia @ rotation.T)

    def scaled(self, factor: float) -> MassProperties:
        """The same shape with its density multiplied by ``factor``."""
        return MassProperties(self.mass * factor, self.com, self.inertia * factor)

    def about(self, point: Array) -> Array:
        """Inertia (3, 3) about another point: the parallel axis theorem."""
        offset = self.com - point
        return self.inertia + self.mass * (offset @ offset * np.eye(3) - np.outer(offset, offset))


def total(parts: Iterable[MassProperties]) -> MassProperties:
    """All parts as one rigid body; zero mass at the origin when there is none."""
    parts = list(parts)
    mass = sum(part.mass for part in parts)
    if mass <= 0.0:
        return MassProperties(0.0, np.zeros(3), np.zeros((3, 3)))
    com = sum((part.mass * part.com for part in parts), np.zeros(3)) / mass
    return MassProperties(mass, com, sum((part.about(com) for part in parts), np.zeros((3, 3))))


def box(size: Array, density: float) -> MassProperties:
    """A box of edge lengths ``size`` (3,) around the origin."""
    square = np.asarray(size, dtype=np.float64) ** 2
    mass = density * float(np.prod(size))
    return MassProperties(mass, np.zeros(3), np.diag(mass / 12.0 * (square.sum() - square)))


def sphere(radius: float, density: float) -> MassProperties:
    """A ball around the origin."""
    mass = density * 4.0 / 3.0 * np.pi * radius**3
    return MassProperties(mass, np.zeros(3), 0.4 * mass * radius**2 * np.eye(3))


def cylinder(radius: float, height: float, density: float) -> MassProperties:
    """A cylinder along z around the origin."""
    mass = density * np.pi * radius**2 * height
    across = mass * (3.0 * radius**2 + height**2) / 12.0
    return MassProperties(mass, np.zeros(3), np.diag([across, across, 0.5 * mass * radius**2]))


def cone(radius: float, height: float, density: float) -> MassProperties:
    """A cone along z; base at -height / 2, tip at height / 2."""
    mass = density * np.pi * radius**2 * height / 3.0
    across = mass * (0.15 * radius**2 + 0.0375 * height**2)
    return MassProperties(mass, np.array([0.0, 0.0, -height / 4.0]), np.diag([across, across, 0.3 * mass * radius**2]))


def capsule(radius: float, height: float, density: float) -> MassProperties:
    """A capsule along z around the origin; ``height`` is the distance between the centres of its caps."""
    tube = cylinder(radius, height, density)
    cap = density * 2.0 / 3.0 * np.pi * radius**3
    across = cap * (0.4 * radius**2 + height**2 / 4.0 + 3.0 / 8.0 * height * radius)
    along = 0.4 * cap * radius**2
    return MassProperties(tube.mass + 2.0 * cap, np.zeros(3), tube.inertia + 2.0 * np.diag([across, across, along]))


def mesh(points: Array, triangles: NDArray[np.int64], density: float) -> MassProperties:
    """A closed mesh: ``points`` (n, 3), ``triangles`` (m, 3); divergence theorem over signed tetrahedra.

    Mirtich (1996), Fast and accurate computation of polyhedral mass properties. Inward facing triangles are
    taken as outward facing when the volume comes out negative.
    """
    centre = points.mean(axis=0)
    corners = (points - centre)[triangles]
    volumes = np.einsum("ij,ij->i", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])) / 6.0
    volume = float(volumes.sum())
    if abs(volume) < 1e-15:
        return MassProperties(0.0, centre, np.zeros((3, 3)))
    sums = corners.sum(axis=1)
    com = (volumes[:, None] * sums).sum(axis=0) / (4.0 * volume)
    second = np.einsum("i,ij,ik->jk", volumes, sums, sums) + np.einsum("i,inj,ink->jk", volumes, corners, corners)
    second = second / 20.0 * np.sign(volume)
    mass = density * abs(volume)
    inertia = density * (np.trace(second) * np.eye(3) - second)
    inertia -= mass * (com @ com * np.eye(3) - np.outer(com, com))
    return MassProperties(mass, centre + com, inertia)


def principal(inertia: Array) -> tuple[Array, Array]:
    """Principal moments (3,) and axes (3, 3, columns, right handed) of a symmetric inertia, axes nearest to x, y, z."""
    if np.abs(inertia - np.diag(np.diag(inertia))).max() <= 1e-9 * np.trace(inertia):
        return np.diag(inertia).copy(), np.eye(3)
    moments, axes = np.linalg.eigh(inertia)
    order: list[int] = []
    for row in range(3):
        order.append(max((column for column in range(3) if column not in order), key=lambda c: abs(axes[row, c])))
    moments, axes = moments[order], axes[:, order]
    axes = axes * np.where(np.diag(axes) < 0.0, -1.0, 1.0)
    if np.linalg.det(axes) < 0.0:
        axes[:, 2] = -axes[:, 2]
    return moments, axes
