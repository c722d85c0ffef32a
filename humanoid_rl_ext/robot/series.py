"""Joints in series: MJCF lets one body carry several joints; elsewhere a body has to stand between any two."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pxr import Gf, Sdf, Tf, Usd, UsdGeom, UsdPhysics

from humanoid_rl_ext.robot.articulation import BodyPrim
from humanoid_rl_ext.robot.mass import MassProperties, principal
from humanoid_rl_ext.robot.masses import read_solid
from humanoid_rl_ext.robot.rotation import quat_from_matrix
from humanoid_rl_ext.robot.stage import has_schema, is_body, pose_and_scale, prims, targets, value

SHARE = 0.02
"""Part of a body's mass and inertia that each link before it takes: small to keep the motion, large enough to solve."""
LINK = "humanoid_rl:link"
"""Attribute that is true on the bodies that ``put_in_series`` adds."""


def joint_series(stage: Usd.Stage) -> list[list[Usd.Prim]]:
    """The joints of every body that carries several by MJCF's rules, in the order in which they move it.

    Joints count that bear MjcJointAPI: two joints between the same bodies are a closed loop by USD's own rules.
    """
    stacks: dict[tuple[Sdf.Path, Sdf.Path], list[Usd.Prim]] = {}
    for prim in prims(stage.GetPseudoRoot()):
        if not (prim.IsA(UsdPhysics.Joint) and has_schema(prim, "MjcJointAPI")):
            continue
        if value(prim, "physics:excludeFromArticulation") or value(prim, "physics:jointEnabled") is False:
            continue
        parent, child = targets(prim, "physics:body0"), targets(prim, "physics:body1")
        if len(parent) == len(child) == 1 and all(is_body(stage.GetPrimAtPath(path)) for path in (*parent, *child)):
            stacks.setdefault((parent[0], child[0]), []).append(prim)
    return [joints for joints in stacks.values() if len(joints) > 1]


def put_in_series(stage: Usd.Stage) -> None:
    """Puts a link, a small body without shapes, behind every joint of a series but the last; edits the root layer.

    The stage is flat and in SI units. A link, ``<body>_<joint>``, stands where its body stands and takes 2 % of the
    body's mass and inertia with the same centre of mass. So the total mass stays, and in the pose of the file the
    series weighs and turns as the one body did. Joints keep their axes, anchors, limits and paths.
    """
    cache = UsdGeom.XformCache()
    taken = {prim.GetName() for prim in stage.TraverseAll()}
    plan = []
    for joints in joint_series(stage):
        body = stage.GetPrimAtPath(targets(joints[0], "physics:body1")[0])
        position, rotation, scale = pose_and_scale(cache.GetLocalToWorldTransform(body))
        plan.append((joints, body, scale, read_solid(BodyPrim(body, position, rotation, scale), cache).properties))
    for joints, body, scale, whole in plan:
        before: Usd.Prim | None = None
        for joint in joints:
            if before:
                _hang(joint, before)
            if joint == joints[-1]:
                break
            before = _link(body, joint, taken)
            _author_mass(before, whole.scaled(SHARE), scale)
            UsdPhysics.Joint(joint).GetBody1Rel().SetTargets([before.GetPath()])
        _author_mass(body, whole.scaled(1.0 - SHARE * (len(joints) - 1)), scale)


def _hang(joint: Usd.Prim, link: Usd.Prim) -> None:
    """Makes the link the joint's parent: its frame is the child's, so the joint's frame in it is the child's too."""
    joint_api = UsdPhysics.Joint(joint)
    joint_api.GetBody0Rel().SetTargets([link.GetPath()])
    joint_api.CreateLocalPos0Attr(value(joint, "physics:localPos1", Gf.Vec3f(0.0)))
    joint_api.CreateLocalRot0Attr(value(joint, "physics:localRot1", Gf.Quatf(1.0)))


def _link(body: Usd.Prim, joint: Usd.Prim, taken: set[str]) -> Usd.Prim:
    """A new rigid body beside ``body``, at the same place."""
    name = Tf.MakeValidIdentifier(f"{body.GetName()}_{joint.GetName()}")
    while name in taken:
        name += "_"
    taken.add(name)
    link = UsdGeom.Xform.Define(body.GetStage(), body.GetPath().GetParentPath().AppendChild(name)).GetPrim()
    layer = body.GetStage().GetRootLayer()
    for attribute in body.GetAuthoredAttributes():
        if attribute.GetName().startswith("xformOp"):  # the order of the operations among them
            Sdf.CopySpec(layer, attribute.GetPath(), layer, link.GetPath().AppendProperty(attribute.GetName()))
    UsdPhysics.RigidBodyAPI.Apply(link)
    link.CreateAttribute(LINK, Sdf.ValueTypeNames.Bool).Set(True)
    return link


def _author_mass(prim: Usd.Prim, properties: MassProperties, scale: NDArray[np.float64]) -> None:
    moments, axes = principal(properties.inertia)
    x, y, z, w = (float(number) for number in quat_from_matrix(axes))
    api = UsdPhysics.MassAPI.Apply(prim)
    api.CreateMassAttr(properties.mass)
    api.CreateCenterOfMassAttr(Gf.Vec3f(*(float(number) for number in properties.com / scale)))
    api.CreateDiagonalInertiaAttr(Gf.Vec3f(*(float(number) for number in moments)))
    api.CreatePrincipalAxesAttr(Gf.Quatf(w, x, y, z))
