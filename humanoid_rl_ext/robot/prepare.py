"""Makes a composed robot say exactly what its description says, for engines that read it from the stage."""

from __future__ import annotations

import math

from pxr import Gf, Sdf, Usd, UsdGeom, UsdPhysics

from humanoid_rl_ext.robot.description import Joint, RobotDescription
from humanoid_rl_ext.robot.dofs import D6_AXES, DEGREE
from humanoid_rl_ext.robot.stage import authored, has_schema, is_body, is_collider, targets, value

FLOAT, BOOL = Sdf.ValueTypeNames.Float, Sdf.ValueTypeNames.Bool


def author_overrides(
    stage: Usd.Stage, prim_path: str | Sdf.Path, description: RobotDescription, self_collision: bool = False
) -> Usd.Prim:
    """The prim that carries ArticulationRootAPI afterwards; opinions go to the stage's edit target.

    ``prim_path`` is where the robot's root prim is referenced (Z up, metres). Afterwards every joint has drives,
    limits, armature and friction as described; nothing but the described tree is simulated: loop joints, ties to
    the world of a floating base, colliders outside bodies, collision groups and own physics scenes are inactive.
    Sleeping is off, every body reports contacts, and the articulation starts at the described base.
    """
    root = stage.GetPrimAtPath(prim_path)
    for prim in Usd.PrimRange(root):
        if prim.IsInstance():
            prim.SetInstanceable(False)
    bodies = {body.name: _at(root, body.path) for body in description.bodies}
    _silence(root, bodies)
    world = _keep_tree(root, description, bodies)
    for joint in description.joints:
        _author_joint(_at(root, joint.path), joint)
    for body in description.bodies:
        _author_body(bodies[body.name], body.mass, body.inertia)
    if self_collision:
        _filter_pairs(description, bodies)
    return _author_root(root, bodies[description.base], world, self_collision)


def _at(root: Usd.Prim, path: str) -> Usd.Prim:
    return root.GetStage().GetPrimAtPath(root.GetPath().AppendPath(path)) if path else root


def _silence(root: Usd.Prim, bodies: dict[str, Usd.Prim]) -> None:
    """Switches off what is in the file but not the robot's: scenes, groups, loose bodies, static shapes."""
    mine = {prim.GetPath() for prim in bodies.values()}
    for prim in list(Usd.PrimRange(root)):
        if not prim.IsActive():
            continue
        if prim.IsA(UsdPhysics.Scene) or prim.IsA(UsdPhysics.CollisionGroup):
            prim.SetActive(False)
        elif is_body(prim) and prim.GetPath() not in mine:
            UsdPhysics.RigidBodyAPI(prim).CreateRigidBodyEnabledAttr(False)
        elif is_collider(prim) and not any(prefix in mine for prefix in prim.GetPath().GetPrefixes()):
            UsdPhysics.CollisionAPI(prim).CreateCollisionEnabledAttr(False)


def _keep_tree(root: Usd.Prim, description: RobotDescription, bodies: dict[str, Usd.Prim]) -> Usd.Prim | None:
    """Switches off joints that are not part of the tree. Returns the joint that holds a fixed base, else None.

    That joint is always a new one, tied to the robot's root prim: a file's own often names a place in the world,
    to which PhysX would pull the base wherever the root prim stands.
    """
    described = {joint.path for joint in description.joints}
    moving = {frozenset((joint.parent, joint.child)) for joint in description.joints}
    rigid = {frozenset((body.parent, body.name)) for body in description.bodies if body.parent} - moving
    name_at = {prim.GetPath(): name for name, prim in bodies.items()}
    for prim in list(Usd.PrimRange(root)):
        if not prim.IsA(UsdPhysics.Joint) or str(prim.GetPath().MakeRelativePath(root.GetPath())) in described:
            continue
        if value(prim, "physics:excludeFromArticulation") or value(prim, "physics:jointEnabled") is False:
            continue
        sides = [_owner(prim, side, name_at) for side in (0, 1)]
        ties = {side for side in sides if side is not None}
        if len(ties) == 2 and frozenset(ties) in rigid:
            rigid.discard(frozenset(ties))  # a second joint between the same bodies is one too many
        else:
            prim.SetActive(False)
    return _fix(root, bodies[description.base]) if description.fixed_base else None


def _owner(joint: Usd.Prim, side: int, name_at: dict[Sdf.Path, str]) -> str | None:
    for target in targets(joint, f"physics:body{side}"):
        return next((name_at[prefix] for prefix in reversed(target.GetPrefixes()) if prefix in name_at), None)
    return None


def _fix(root: Usd.Prim, base: Usd.Prim) -> Usd.Prim:
    """A new fixed joint that holds the base where the file has it, relative to the root prim."""
    joint = UsdPhysics.FixedJoint.Define(root.GetStage(), root.GetPath().AppendChild("fixed_base"))
    cache = UsdGeom.XformCache()
    matrix, _ = cache.ComputeRelativeTransform(base, root)
    matrix.Orthonormalize(False)
    joint.CreateBody0Rel().SetTargets([root.GetPath()])
    joint.CreateBody1Rel().SetTargets([base.GetPath()])
    joint.CreateLocalPos0Attr(Gf.Vec3f(matrix.ExtractTranslation()))
    joint.CreateLocalRot0Attr(Gf.Quatf(matrix.ExtractRotationQuat()))
    joint.CreateLocalPos1Attr(Gf.Vec3f(0.0))
    joint.CreateLocalRot1Attr(Gf.Quatf(1.0))
    return joint.GetPrim()


def _author_joint(prim: Usd.Prim, joint: Joint) -> None:
    if prim.IsA(UsdPhysics.SphericalJoint):
        _as_d6(prim)
    elif joint.drive.startswith("trans"):
        prim.SetTypeName("PhysicsPrismaticJoint")
        prim.CreateAttribute("physics:axis", Sdf.ValueTypeNames.Token, False).Set(joint.drive[-1])
    unit = DEGREE if joint.type == "revolute" else 1.0
    name = "linear" if joint.type == "prismatic" else joint.drive
    drive = UsdPhysics.DriveAPI.Apply(prim, name)
    drive.CreateTypeAttr("force")
    drive.CreateStiffnessAttr(joint.stiffness * unit)
    drive.CreateDampingAttr(joint.damping * unit)
    drive.CreateMaxForceAttr(joint.effort_limit)
    drive.CreateTargetPositionAttr(joint.default / unit)
    drive.CreateTargetVelocityAttr(0.0)
    if name in D6_AXES:
        if math.isfinite(joint.lower) or math.isfinite(joint.upper):
            limit = UsdPhysics.LimitAPI.Apply(prim, joint.drive)
            limit.CreateLowAttr(joint.lower / unit)
            limit.CreateHighAttr(joint.upper / unit)
        start = f"physxJointAxis:{joint.drive}:"
        prim.AddAppliedSchema(f"PhysxJointAxisAPI:{joint.drive}")
    else:
        prim.CreateAttribute("physics:lowerLimit", FLOAT, False).Set(joint.lower / unit)
        prim.CreateAttribute("physics:upperLimit", FLOAT, False).Set(joint.upper / unit)
        start = "physxJoint:"
    prim.AddAppliedSchema("PhysxJointAPI")
    prim.CreateAttribute(start + "armature", FLOAT, False).Set(joint.armature)
    if math.isfinite(joint.velocity_limit):
        prim.CreateAttribute(start + "maxJointVelocity", FLOAT, False).Set(joint.velocity_limit / unit)
    _author_friction(prim, joint, name, unit)
    # PhysX takes Newton's attributes where its own say 0 or nothing, and an axis' own before the joint's: none of those
    # in the file may contradict the description.
    for attribute, number in (
        ("newton:armature", joint.armature),
        ("newton:velocityLimit", joint.velocity_limit / unit),
        ("newton:friction", joint.friction),
        ("newton:damping", joint.passive_damping * unit),
        (f"physxJointAxis:{name}:armature", joint.armature),
        (f"physxJointAxis:{name}:maxJointVelocity", joint.velocity_limit / unit),
    ):
        if authored(prim, attribute) is not None:
            prim.GetAttribute(attribute).Set(number)


def _author_friction(prim: Usd.Prim, joint: Joint, instance: str, unit: float) -> None:
    if joint.friction or joint.passive_damping or has_schema(prim, f"PhysxJointAxisAPI:{instance}"):
        prim.AddAppliedSchema(f"PhysxJointAxisAPI:{instance}")
        for attribute, number in (
            ("staticFrictionEffort", joint.friction),
            ("dynamicFrictionEffort", joint.friction),
            ("viscousFrictionCoefficient", joint.passive_damping * unit),
        ):
            prim.CreateAttribute(f"physxJointAxis:{instance}:{attribute}", FLOAT, False).Set(number)
    # PhysX has one coefficient per joint: a D6 joint's axes share the last one.
    prim.CreateAttribute("physxJoint:jointFriction", FLOAT, False).Set(joint.friction_coefficient)


def _as_d6(prim: Usd.Prim) -> None:
    """Retypes a ball joint, which takes no drives, as a D6 joint that only turns."""
    prim.SetTypeName("PhysicsJoint")
    for axis in ("transX", "transY", "transZ"):
        limit = UsdPhysics.LimitAPI.Apply(prim, axis)
        limit.CreateLowAttr(1.0)
        limit.CreateHighAttr(-1.0)


def _author_body(prim: Usd.Prim, mass: float, inertia: tuple[float, ...]) -> None:
    prim.AddAppliedSchema("PhysxContactReportAPI")
    prim.CreateAttribute("physxContactReport:threshold", FLOAT, False).Set(0.0)
    if value(prim, "physics:kinematicEnabled"):
        UsdPhysics.RigidBodyAPI(prim).CreateKinematicEnabledAttr(False)
    if not (authored(prim, "physics:mass") or 0.0) > 0.0 and not _has_collider(prim):
        api = UsdPhysics.MassAPI.Apply(prim)
        api.CreateMassAttr(mass)
        api.CreateDiagonalInertiaAttr(Gf.Vec3f(*inertia[:3]))


def _has_collider(body: Usd.Prim) -> bool:
    walk = iter(Usd.PrimRange(body))
    for prim in walk:
        if prim != body and is_body(prim):
            walk.PruneChildren()
        elif is_collider(prim):
            return True
    return False


def _filter_pairs(description: RobotDescription, bodies: dict[str, Usd.Prim]) -> None:
    """Keeps apart every pair of bodies that the description does not let touch; neighbours are apart by themselves."""
    allowed = {frozenset(pair) for pair in description.self_collision_pairs}
    names = description.body_names
    parent = {body.name: body.parent for body in description.bodies}
    for i, name in enumerate(names):
        apart = [
            bodies[other].GetPath()
            for other in names[i + 1 :]
            if frozenset((name, other)) not in allowed and parent[other] != name and parent[name] != other
        ]
        if apart:
            UsdPhysics.FilteredPairsAPI.Apply(bodies[name]).CreateFilteredPairsRel().SetTargets(apart)


def _author_root(root: Usd.Prim, base: Usd.Prim, world: Usd.Prim | None, self_collision: bool) -> Usd.Prim:
    """Moves ArticulationRootAPI to the base body of a floating robot, or to the joint that fixes the base."""
    carrier = world or base
    for prim in list(Usd.PrimRange(root)):
        if prim != carrier and prim.HasAPI(UsdPhysics.ArticulationRootAPI):
            prim.RemoveAPI(UsdPhysics.ArticulationRootAPI)
    UsdPhysics.ArticulationRootAPI.Apply(carrier)
    carrier.AddAppliedSchema("PhysxArticulationAPI")
    carrier.CreateAttribute("physxArticulation:enabledSelfCollisions", BOOL, False).Set(self_collision)
    for name in ("sleepThreshold", "stabilizationThreshold"):
        carrier.CreateAttribute(f"physxArticulation:{name}", FLOAT, False).Set(0.0)
    return carrier
