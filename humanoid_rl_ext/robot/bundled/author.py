"""Writes a bundled robot as a USD stage."""

from __future__ import annotations

import math
from pathlib import Path

from pxr import Gf, Sdf, Usd, UsdGeom, UsdPhysics

from humanoid_rl_ext.robot.bundled.parts import Link, Motor, Robot, Solid
from humanoid_rl_ext.robot.mass import principal
from humanoid_rl_ext.robot.rotation import quat_from_matrix


def author(robot: Robot, path: Path) -> None:
    """Writes ``robot`` to ``path`` (.usda): a root Xform, bodies as its children, a scope ``joints``."""
    layer = Sdf.Layer.CreateAnonymous(".usda")
    stage = Usd.Stage.Open(layer)
    UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.z)
    UsdGeom.SetStageMetersPerUnit(stage, 1.0)
    UsdPhysics.SetStageKilogramsPerUnit(stage, 1.0)
    root = UsdGeom.Xform.Define(stage, f"/{robot.name}")
    root.GetPrim().SetDocumentation(robot.doc)
    stage.SetDefaultPrim(root.GetPrim())
    for link in robot.links:
        _author_link(stage, robot, link)
    UsdGeom.Scope.Define(stage, root.GetPath().AppendChild("joints"))
    if robot.fixed_base:
        base = robot.links[0]
        fixed = UsdPhysics.FixedJoint.Define(stage, root.GetPath().AppendPath("joints/world"))
        fixed.CreateBody1Rel().SetTargets([root.GetPath().AppendChild(base.name)])
        fixed.CreateLocalPos0Attr(Gf.Vec3f(*base.at))
        fixed.CreateLocalRot0Attr(Gf.Quatf(1.0))
        fixed.CreateLocalPos1Attr(Gf.Vec3f(0.0))
        fixed.CreateLocalRot1Attr(Gf.Quatf(1.0))
        _author_articulation(fixed.GetPrim())
    else:
        _author_articulation(stage.GetPrimAtPath(root.GetPath().AppendChild(robot.links[0].name)))
    for link in robot.links:
        if link.motor and link.parent:
            _author_motor(stage, root.GetPath(), link, link.parent, link.motor)
    layer.Export(str(path))


def _author_articulation(prim: Usd.Prim) -> None:
    UsdPhysics.ArticulationRootAPI.Apply(prim)
    prim.AddAppliedSchema("PhysxArticulationAPI")
    prim.CreateAttribute("physxArticulation:enabledSelfCollisions", Sdf.ValueTypeNames.Bool, False).Set(False)


def _author_link(stage: Usd.Stage, robot: Robot, link: Link) -> None:
    xform = UsdGeom.Xform.Define(stage, f"/{robot.name}/{link.name}")
    prim = xform.GetPrim()
    xform.AddTranslateOp().Set(Gf.Vec3d(*robot.origins[link.name]))
    UsdPhysics.RigidBodyAPI.Apply(prim)
    properties = link.mass_properties()
    moments, axes = principal(properties.inertia)
    x, y, z, w = (round(float(value), 6) for value in quat_from_matrix(axes))
    mass = UsdPhysics.MassAPI.Apply(prim)
    mass.CreateMassAttr(link.mass)
    mass.CreateCenterOfMassAttr(Gf.Vec3f(*(round(float(value), 6) for value in properties.com)))
    mass.CreateDiagonalInertiaAttr(Gf.Vec3f(*(round(float(value), 8) for value in moments)))
    mass.CreatePrincipalAxesAttr(Gf.Quatf(w, x, y, z))
    for solid in link.solids:
        _author_solid(stage, prim.GetPath().AppendChild(solid.name), solid, solid.colour or link.colour)


def _author_solid(stage: Usd.Stage, path: Sdf.Path, solid: Solid, colour: tuple[float, float, float]) -> None:
    if solid.kind == "box":
        shape: UsdGeom.Gprim = UsdGeom.Cube.Define(stage, path)
        shape.CreateSizeAttr(1.0)
        extent = [Gf.Vec3f(-0.5), Gf.Vec3f(0.5)]
    elif solid.kind == "sphere":
        shape = UsdGeom.Sphere.Define(stage, path)
        shape.CreateRadiusAttr(solid.size[0])
        extent = [Gf.Vec3f(-solid.size[0]), Gf.Vec3f(solid.size[0])]
    else:
        kind = UsdGeom.Capsule if solid.kind == "capsule" else UsdGeom.Cylinder
        radius, height = solid.size
        shape = kind.Define(stage, path)
        shape.CreateAxisAttr(UsdGeom.Tokens.z)
        shape.CreateRadiusAttr(radius)
        shape.CreateHeightAttr(height)
        half = height / 2.0 + (radius if solid.kind == "capsule" else 0.0)
        extent = [Gf.Vec3f(-radius, -radius, -half), Gf.Vec3f(radius, radius, half)]
    shape.CreateExtentAttr(extent)
    shape.CreateDisplayColorAttr([Gf.Vec3f(*colour)])
    shape.AddTranslateOp().Set(Gf.Vec3d(*solid.at))
    if solid.rotation != (0.0, 0.0, 0.0, 1.0):
        x, y, z, w = solid.rotation
        shape.AddOrientOp().Set(Gf.Quatf(w, x, y, z))
    if solid.kind == "box":
        shape.AddScaleOp().Set(Gf.Vec3f(*solid.size))
    if solid.collides:
        UsdPhysics.CollisionAPI.Apply(shape.GetPrim())


def _author_motor(stage: Usd.Stage, root: Sdf.Path, link: Link, parent: str, motor: Motor) -> None:
    path = root.AppendPath(f"joints/{motor.name}")
    turns = motor.kind == "revolute"
    joint = (UsdPhysics.RevoluteJoint if turns else UsdPhysics.PrismaticJoint).Define(stage, path)
    per_unit = math.pi / 180.0 if turns else 1.0  # rad in one USD unit of angle (a degree), or metres in a metre
    joint.CreateAxisAttr(motor.axis)
    joint.CreateBody0Rel().SetTargets([root.AppendChild(parent)])
    joint.CreateBody1Rel().SetTargets([root.AppendChild(link.name)])
    joint.CreateLocalPos0Attr(Gf.Vec3f(*link.at))
    joint.CreateLocalRot0Attr(Gf.Quatf(1.0))
    joint.CreateLocalPos1Attr(Gf.Vec3f(0.0))
    joint.CreateLocalRot1Attr(Gf.Quatf(1.0))
    joint.CreateLowerLimitAttr(round(motor.limits[0] / per_unit, 4))
    joint.CreateUpperLimitAttr(round(motor.limits[1] / per_unit, 4))
    prim = joint.GetPrim()
    drive = UsdPhysics.DriveAPI.Apply(prim, "angular" if turns else "linear")
    drive.CreateTypeAttr("force")
    drive.CreateStiffnessAttr(motor.stiffness * per_unit)
    drive.CreateDampingAttr(motor.damping * per_unit)
    drive.CreateMaxForceAttr(motor.effort)
    prim.AddAppliedSchema("PhysxJointAPI")
    prim.CreateAttribute("physxJoint:armature", Sdf.ValueTypeNames.Float, False).Set(motor.armature)
    prim.CreateAttribute("physxJoint:maxJointVelocity", Sdf.ValueTypeNames.Float, False).Set(
        round(motor.speed / per_unit, 3)
    )
