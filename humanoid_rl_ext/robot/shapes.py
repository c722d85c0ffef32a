"""Collision shapes of a body, as convex hulls of points swept by a ball. SI units, body frame."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pxr import Gf, Usd, UsdGeom

from humanoid_rl_ext.robot import mass
from humanoid_rl_ext.robot.mass import MassProperties
from humanoid_rl_ext.robot.rotation import matrix_from_quat
from humanoid_rl_ext.robot.stage import pose_and_scale, value

Array = NDArray[np.float64]

RING = 24
"""Points that stand for a circle."""


@dataclass(frozen=True, slots=True)
class Shape:
    """One collision shape: the convex hull of ``points`` (n, 3) grown by ``radius``, and its solid at 1 kg/m3."""

    path: str
    points: Array
    radius: float
    solid: MassProperties

    def lowest(self, rotation: Array, position: Array) -> float:
        """Lowest world z with the body at ``rotation`` (3, 3), ``position`` (3,)."""
        return float((self.points @ rotation[2]).min() + position[2] - self.radius)


def read_shape(prim: Usd.Prim, to_body: Gf.Matrix4d) -> Shape | None:
    """The shape of a collider whose transform to its body's unscaled frame is ``to_body``; None for a plane."""
    position, quat, scale = pose_and_scale(to_body)
    make = _SHAPES.get(prim.GetTypeName())
    if make is None:
        return None
    made = make(prim, np.abs(scale) if prim.GetTypeName() != "Mesh" else scale)
    if made is None:
        return None
    points, radius, solid = made
    rotation = matrix_from_quat(quat)
    return Shape(str(prim.GetPath()), points @ rotation.T + position, radius, solid.moved(rotation, position))


Made = tuple[Array, float, MassProperties] | None

_TURNS = {
    "X": np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]),
    "Y": np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]),
    "Z": np.eye(3),
}
"""Rotations that take z to the named axis."""


def _along_axis(prim: Usd.Prim, scale: Array) -> tuple[Array, float, float]:
    """Rotation from z to the prim's axis, radius and height, scaled."""
    axis = str(value(prim, "axis", "Z"))
    along = "XYZ".index(axis)
    across = max(scale[i] for i in range(3) if i != along)
    return _TURNS[axis], float(value(prim, "radius", 1.0)) * across, float(value(prim, "height", 1.0)) * scale[along]


def _turned(turn: Array, points: Array, radius: float, solid: MassProperties) -> Made:
    return points @ turn.T, radius, solid.moved(turn, np.zeros(3))


def _cube(prim: Usd.Prim, scale: Array) -> Made:
    size = float(value(prim, "size", 2.0)) * scale
    signs = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], dtype=np.float64)
    return signs * size / 2.0, 0.0, mass.box(size, 1.0)


def _sphere(prim: Usd.Prim, scale: Array) -> Made:
    radius = float(value(prim, "radius", 1.0)) * float(scale.max())
    return np.zeros((1, 3)), radius, mass.sphere(radius, 1.0)


def _capsule(prim: Usd.Prim, scale: Array) -> Made:
    turn, radius, height = _along_axis(prim, scale)
    ends = np.array([[0.0, 0.0, -height / 2.0], [0.0, 0.0, height / 2.0]])
    return _turned(turn, ends, radius, mass.capsule(radius, height, 1.0))


def _ring(radius: float, z: float) -> Array:
    angle = np.linspace(0.0, 2.0 * np.pi, RING, endpoint=False)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle), np.full(RING, z)], axis=1)


def _cylinder(prim: Usd.Prim, scale: Array) -> Made:
    turn, radius, height = _along_axis(prim, scale)
    points = np.concatenate([_ring(radius, -height / 2.0), _ring(radius, height / 2.0)])
    return _turned(turn, points, 0.0, mass.cylinder(radius, height, 1.0))


def _cone(prim: Usd.Prim, scale: Array) -> Made:
    turn, radius, height = _along_axis(prim, scale)
    points = np.concatenate([_ring(radius, -height / 2.0), [[0.0, 0.0, height / 2.0]]])
    return _turned(turn, points, 0.0, mass.cone(radius, height, 1.0))


def _mesh(prim: Usd.Prim, scale: Array) -> Made:
    mesh = UsdGeom.Mesh(prim)
    points = np.array(mesh.GetPointsAttr().Get() or [], dtype=np.float64).reshape(-1, 3) * scale
    if len(points) < 4:
        return None
    counts = np.array(mesh.GetFaceVertexCountsAttr().Get() or [], dtype=np.int64)
    corners = np.array(mesh.GetFaceVertexIndicesAttr().Get() or [], dtype=np.int64)
    solid = mass.mesh(points, fan(counts, corners), 1.0)
    spread = points.max(axis=0) - points.min(axis=0)
    if solid.mass < 1e-3 * float(np.prod(spread)):  # an open mesh has no volume of its own: take its bounding box
        solid = mass.box(spread, 1.0).moved(np.eye(3), (points.max(axis=0) + points.min(axis=0)) / 2.0)
    return points, 0.0, solid


def fan(counts: NDArray[np.int64], corners: NDArray[np.int64]) -> NDArray[np.int64]:
    """Triangles (m, 3) of polygons given by their corner counts and corners, each fanned out from its first corner."""
    starts = np.cumsum(counts) - counts
    triangles = []
    for step in range(1, int(counts.max(initial=0)) - 1):
        first = starts[counts > step + 1]
        triangles.append(np.stack([corners[first], corners[first + step], corners[first + step + 1]], axis=1))
    return np.concatenate(triangles) if triangles else np.zeros((0, 3), dtype=np.int64)


_SHAPES: dict[str, Callable[[Usd.Prim, Array], Made]] = {
    "Cube": _cube,
    "Sphere": _sphere,
    "Capsule": _capsule,
    "Capsule_1": _capsule,
    "Cylinder": _cylinder,
    "Cylinder_1": _cylinder,
    "Cone": _cone,
    "Mesh": _mesh,
}
