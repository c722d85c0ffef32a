"""Collision shapes and mass properties of the bodies of a stage, as physics engines would work them out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from pxr import Gf, Usd, UsdGeom, UsdPhysics, UsdShade

from humanoid_rl_ext.robot.articulation import BodyPrim
from humanoid_rl_ext.robot.mass import MassProperties, total
from humanoid_rl_ext.robot.rotation import matrix_from_quat
from humanoid_rl_ext.robot.shapes import Shape, read_shape
from humanoid_rl_ext.robot.stage import authored, is_body, is_collider, value

DEFAULT_DENSITY = 1000.0
"""kg/m3, where neither body, shape nor material gives one."""
DEFAULT_MASS = 1.0
"""kg, for a body that has neither a mass nor a shape."""
DEFAULT_INERTIA = 0.01
"""kg m2, for such a body."""


@dataclass(slots=True)
class Solid:
    """A body's collision shapes and mass properties in its own frame; ``guessed`` when the file gave neither."""

    shapes: list[Shape]
    properties: MassProperties
    guessed: bool


def read_solid(body: BodyPrim, cache: UsdGeom.XformCache) -> Solid:
    """Shapes and mass properties of a body.

    Mass: the body's MassAPI, else the sum over its shapes of their own mass, or density (shape, then material,
    then body, then 1000 kg/m3) times volume. Centre of mass and inertia: MassAPI, else the shapes, scaled to
    the mass.
    """
    frame = Gf.Matrix4d(1.0)
    x, y, z, w = (float(number) for number in body.rotation)
    frame.SetRotateOnly(Gf.Quatd(w, x, y, z))
    frame.SetTranslateOnly(Gf.Vec3d(*body.position))
    to_body = frame.GetInverse()
    body_density = authored(body.prim, "physics:density") or 0.0
    shapes: list[Shape] = []
    solids: list[MassProperties] = []
    for prim in _colliders(body.prim):
        shape = read_shape(prim, cache.GetLocalToWorldTransform(prim) * to_body)
        if shape is None:
            continue
        shapes.append(shape)
        own_mass = authored(prim, "physics:mass") or 0.0
        if own_mass > 0.0 and shape.solid.mass > 0.0:
            solids.append(shape.solid.scaled(own_mass / shape.solid.mass))
            continue
        density = authored(prim, "physics:density") or _material_density(prim) or body_density or DEFAULT_DENSITY
        solids.append(shape.solid.scaled(density))
    properties, guessed = _with_authored(body, total(solids))
    return Solid(shapes, properties, guessed)


def _colliders(body: Usd.Prim) -> Iterator[Usd.Prim]:
    walk = iter(Usd.PrimRange(body, Usd.TraverseInstanceProxies()))
    for prim in walk:
        if prim != body and is_body(prim):
            walk.PruneChildren()
        elif is_collider(prim):
            yield prim


def _material_density(prim: Usd.Prim) -> float:
    material = UsdShade.MaterialBindingAPI(prim).ComputeBoundMaterial("physics")[0]
    if not material or not material.GetPrim().HasAPI(UsdPhysics.MaterialAPI):
        return 0.0
    return float(UsdPhysics.MaterialAPI(material.GetPrim()).GetDensityAttr().Get() or 0.0)


def _with_authored(body: BodyPrim, shapes: MassProperties) -> tuple[MassProperties, bool]:
    prim = body.prim
    mass = authored(prim, "physics:mass") or 0.0
    guessed = mass <= 0.0 and shapes.mass <= 0.0
    if mass <= 0.0:
        mass = shapes.mass if shapes.mass > 0.0 else DEFAULT_MASS
    if shapes.mass > 0.0:
        properties = shapes.scaled(mass / shapes.mass)
    else:
        properties = MassProperties(mass, np.zeros(3), DEFAULT_INERTIA * mass * np.eye(3))
    com, inertia = properties.com, properties.inertia
    centre = value(prim, "physics:centerOfMass")
    if centre is not None and np.isfinite(centre).all():
        com = np.array(centre, dtype=np.float64) * body.scale
    diagonal = value(prim, "physics:diagonalInertia")
    if diagonal is not None and any(diagonal):
        axes = value(prim, "physics:principalAxes")
        turn = np.eye(3)
        if axes is not None and axes.GetLength() > 1e-6:
            unit = axes.GetNormalized()
            turn = matrix_from_quat([*unit.GetImaginary(), unit.GetReal()])
        inertia = turn @ np.diag(np.array(diagonal, dtype=np.float64)) @ turn.T
    return MassProperties(mass, com, inertia), guessed
