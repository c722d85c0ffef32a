"""A copy of a stage with Z up, in metres and kilograms, so that engines need to know no other convention."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from pxr import Gf, Sdf, Usd, UsdGeom, UsdPhysics

from humanoid_rl_ext.robot.stage import targets

LENGTH = (
    "physics:localPos0",
    "physics:localPos1",
    "physics:centerOfMass",
    "size",
    "radius",
    "height",
    "points",
    "extent",
)
UP = {"Y": Gf.Rotation(Gf.Vec3d(1, 0, 0), 90.0), "X": Gf.Rotation(Gf.Vec3d(0, 1, 0), -90.0), "Z": Gf.Rotation()}
"""Rotations that take a file's up axis to Z."""


def units(stage: Usd.Stage) -> tuple[str, float, float]:
    """Up axis (X, Y or Z), metres per unit and kilograms per unit of the stage."""
    up = str(stage.GetMetadata("upAxis") or UsdGeom.GetStageUpAxis(stage)).upper()
    return up, float(UsdGeom.GetStageMetersPerUnit(stage)), float(UsdPhysics.GetStageKilogramsPerUnit(stage))


def is_normal(stage: Usd.Stage) -> bool:
    """Whether the stage is in metres and kilograms with Z up."""
    up, metre, kilogram = units(stage)
    return up == "Z" and math.isclose(metre, 1.0) and math.isclose(kilogram, 1.0)


def write_normalised(stage: Usd.Stage, path: Path) -> None:
    """Writes the stage to ``path``, flattened, with every length, mass, inertia, gain and effort in SI units.

    Root prims are turned so that the file's up axis points along Z; frames of bodies keep their own axes.
    """
    up, metre, kilogram = units(stage)
    stage.SetEditTarget(stage.GetSessionLayer())
    for prim in list(stage.TraverseAll()):
        if prim.IsInstance():
            prim.SetInstanceable(False)
    layer = stage.Flatten(False)
    layer.Export(str(path))
    copy = Usd.Stage.Open(str(path))
    with Sdf.ChangeBlock():
        for spec in _prim_specs(copy.GetRootLayer().pseudoRoot):
            _rescale(spec, metre, kilogram)
    if up != "Z":
        for prim in copy.GetPseudoRoot().GetChildren():
            _turn(prim, UP[up], metre)
        for prim in copy.Traverse():
            if prim.IsA(UsdPhysics.Joint):
                _turn_world_side(prim, UP[up])
    UsdGeom.SetStageUpAxis(copy, UsdGeom.Tokens.z)
    UsdGeom.SetStageMetersPerUnit(copy, 1.0)
    UsdPhysics.SetStageKilogramsPerUnit(copy, 1.0)
    copy.GetRootLayer().Save()


def _prim_specs(spec: Sdf.PrimSpec) -> list[Sdf.PrimSpec]:
    found = []
    for child in spec.nameChildren:
        found += [child, *_prim_specs(child)]
    return found


def _rescale(spec: Sdf.PrimSpec, metre: float, kilogram: float) -> None:
    kind = spec.typeName
    for attribute in spec.attributes:
        factor = _factor(attribute.name, kind, metre, kilogram)
        if factor == 1.0:
            continue
        if attribute.default is not None:
            attribute.default = _times(attribute.default, factor, attribute.name)
        for time in list(spec.layer.ListTimeSamplesForPath(attribute.path)):
            sample = spec.layer.QueryTimeSample(attribute.path, time)
            spec.layer.SetTimeSample(attribute.path, time, _times(sample, factor, attribute.name))
    if metre != 1.0:  # lengths that the schema gives when the file is silent
        for name, fallback in _FALLBACKS.get(kind, {}).items():
            if name not in spec.attributes:
                attribute = Sdf.AttributeSpec(spec, name, Sdf.ValueTypeNames.Double)
                attribute.default = fallback * metre


_FALLBACKS = {
    "Cube": {"size": 2.0},
    "Sphere": {"radius": 1.0},
    "Capsule": {"radius": 0.5, "height": 1.0},
    "Cylinder": {"radius": 1.0, "height": 2.0},
    "Cone": {"radius": 1.0, "height": 2.0},
}


def _factor(name: str, kind: str, metre: float, kilogram: float) -> float:
    """What a number of this attribute is multiplied by."""
    if name in LENGTH or name.startswith(("xformOp:translate", "xformOp:transform")):
        return metre
    if name.endswith(("physics:low", "physics:high")) and ":trans" in name:
        return metre
    slides = kind == "PhysicsPrismaticJoint"
    if name in ("physics:lowerLimit", "physics:upperLimit"):
        return metre if slides else 1.0
    if name == "physics:mass":
        return kilogram
    if name == "physics:density":
        return kilogram / metre**3
    if name == "physics:diagonalInertia":
        return kilogram * metre**2
    if name.startswith(("physxJoint:", "physxJointAxis:", "newton:")):
        return _motor_factor(name, slides or ":linear:" in name or ":trans" in name, metre, kilogram)
    if name.startswith("drive:"):
        linear = name.split(":")[1].startswith(("linear", "trans"))
        if name.endswith(("stiffness", "damping")):
            return kilogram if linear else kilogram * metre**2
        if name.endswith("maxForce"):
            return kilogram * metre if linear else kilogram * metre**2
        if name.endswith(("targetPosition", "targetVelocity")):
            return metre if linear else 1.0
    return 1.0


def _motor_factor(name: str, linear: bool, metre: float, kilogram: float) -> float:
    kind = name.rpartition(":")[2]
    if kind in ("maxJointVelocity", "velocityLimit"):
        return metre if linear else 1.0
    if kind in ("armature", "damping", "viscousFrictionCoefficient"):
        return kilogram if linear else kilogram * metre**2
    if kind in ("friction", "effortLimit", "staticFrictionEffort", "dynamicFrictionEffort"):
        return kilogram * metre if linear else kilogram * metre**2
    return 1.0


def _times(value: Any, factor: float, name: str) -> Any:
    if isinstance(value, Gf.Matrix4d):  # only the translation has a length
        matrix = Gf.Matrix4d(value)
        matrix.SetTranslateOnly(value.ExtractTranslation() * factor)
        return matrix
    if name in ("points", "extent"):
        return type(value)([point * factor for point in value])
    return value * factor


def _turn(prim: Usd.Prim, rotation: Gf.Rotation, metre: float) -> None:
    """Puts the whole tree under a top-level prim upright, before its own transform."""
    xform = UsdGeom.Xformable(prim)
    if not xform:
        # A scope has no transform: turn what is in it instead.
        for child in prim.GetChildren():
            _turn(child, rotation, metre)
        return
    ops = xform.GetOrderedXformOps()
    upright = xform.AddOrientOp(UsdGeom.XformOp.PrecisionDouble, "upright")
    upright.Set(Gf.Quatd(rotation.GetQuat()))
    xform.SetXformOpOrder([upright, *ops], xform.GetResetXformStack())


def _turn_world_side(joint: Usd.Prim, rotation: Gf.Rotation) -> None:
    """Turns a joint's frame at a side that names nothing, where the frame stands in the world."""
    for side in (0, 1):
        position, quat = (joint.GetAttribute(f"physics:{name}{side}") for name in ("localPos", "localRot"))
        if targets(joint, f"physics:body{side}") or not position:
            continue
        position.Set(Gf.Vec3f(rotation.TransformDir(Gf.Vec3d(position.Get() or Gf.Vec3f(0.0)))))
        quat.Set(Gf.Quatf(rotation.GetQuat()) * (quat.Get() or Gf.Quatf(1.0)))
