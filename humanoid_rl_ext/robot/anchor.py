"""An anchor for robots on rails: a body, fixed to the world, that carries the joints that moved against the world."""

from __future__ import annotations

from pxr import Gf, Sdf, Usd, UsdGeom, UsdPhysics

from humanoid_rl_ext.robot.articulation import WORLD, Articulation, JointPrim, relative
from humanoid_rl_ext.robot.stage import pose_and_scale

ANCHOR = "humanoid_rl:anchor"
"""Attribute that is true on the body that ``add_anchor`` adds."""
MASS, INERTIA = 1e-3, 1e-6
"""kg and kg m2. Nothing ever moves the anchor; a gram leaves the robot's mass what it is."""


def on_rails(tree: Articulation) -> bool:
    """Whether joints move the robot against the world and nothing else holds it there, as in MJCF's planar robots."""
    return bool(tree.rails) and not tree.world_joints


def add_anchor(stage: Usd.Stage, tree: Articulation) -> None:
    """Puts the anchor between the world and the joints in ``tree.rails``; edits the root layer.

    The stage is flat, in SI units, and ``tree`` was read from it. The anchor, ``world``, has the frame of the robot's
    top-level prim; the joints keep their axes, limits, paths and places.
    """
    top = stage.GetPrimAtPath(tree.bodies[0].prim.GetPath().GetPrefixes()[0])
    name, number = "world", 1
    taken = {prim.GetName() for prim in stage.TraverseAll()}
    while name in taken:
        number += 1
        name = f"world_{number}"
    anchor = UsdGeom.Xform.Define(stage, top.GetPath().AppendChild(name)).GetPrim()
    UsdPhysics.RigidBodyAPI.Apply(anchor)
    anchor.CreateAttribute(ANCHOR, Sdf.ValueTypeNames.Bool).Set(True)
    mass = UsdPhysics.MassAPI.Apply(anchor)
    mass.CreateMassAttr(MASS)
    mass.CreateDiagonalInertiaAttr(Gf.Vec3f(INERTIA))
    position, rotation, scale = pose_and_scale(UsdGeom.XformCache().GetLocalToWorldTransform(anchor))
    for joint in tree.rails:
        side = joint.sides.index(WORLD)
        origin, turn = relative(joint.frames[side], (position, rotation))
        _tie(joint, side, anchor)
        joint.prim.GetAttribute(f"physics:localPos{side}").Set(Gf.Vec3f(*(float(n) for n in origin / scale)))
        joint.prim.GetAttribute(f"physics:localRot{side}").Set(Gf.Quatf(float(turn[3]), *(float(n) for n in turn[:3])))
    fixed = UsdPhysics.FixedJoint.Define(stage, anchor.GetPath().AppendChild(f"{name}_joint"))
    fixed.CreateBody1Rel().SetTargets([anchor.GetPath()])
    fixed.CreateLocalPos0Attr(Gf.Vec3f(*(float(n) for n in position)))
    fixed.CreateLocalRot0Attr(Gf.Quatf(float(rotation[3]), *(float(n) for n in rotation[:3])))


def _tie(joint: JointPrim, side: int, anchor: Usd.Prim) -> None:
    api = UsdPhysics.Joint(joint.prim)
    (api.CreateBody1Rel() if side else api.CreateBody0Rel()).SetTargets([anchor.GetPath()])
    if side:
        api.CreateLocalPos1Attr()
        api.CreateLocalRot1Attr()
    else:
        api.CreateLocalPos0Attr()
        api.CreateLocalRot0Attr()
