"""Warnings about a robot: what in the file a user should know or mend."""

from __future__ import annotations

import math

from humanoid_rl_ext.robot.anchor import ANCHOR
from humanoid_rl_ext.robot.articulation import Articulation
from humanoid_rl_ext.robot.description import Joint, Role, Warning
from humanoid_rl_ext.robot.dofs import Dof
from humanoid_rl_ext.robot.masses import Solid
from humanoid_rl_ext.robot.stage import value


def joint_warnings(
    joints: list[Joint],
    dofs: list[Dof],
    effort: list[str],
    driveless: list[str],
    gainless: list[str],
    free_swinging: list[str],
) -> list[Warning]:
    """Warnings about joints.

    ``effort``, ``driveless`` and ``gainless`` name those whose settings were worked out, ``free_swinging`` those that
    have no motor.
    """
    found = []
    if driveless:
        found.append(
            Warning(
                "no_drive",
                f"no drive on {_list(driveless)}: gains are worked out from inertia; "
                "apply PhysicsDriveAPI in the file or set stiffness and damping under 'robot: joints:'",
            )
        )
    if gainless:
        found.append(
            Warning(
                "no_gains",
                f"drives without stiffness and damping on {_list(gainless)}: gains are worked out from inertia; "
                "set stiffness and damping in the file or under 'robot: joints:'",
            )
        )
    if effort:
        found.append(
            Warning(
                "effort_limit_missing",
                f"no effort limit on {_list(effort)}: estimated from weight; "
                "set the drive's maxForce in the file or effort_limit under 'robot: joints:'",
            )
        )
    if free_swinging:
        found.append(
            Warning(
                "no_actuator",
                f"no actuator on {_list(free_swinging)}: free to move and not driven; "
                "set effort_limit and stiffness under 'robot: joints:' to drive them",
            )
        )
    pairs = list(zip(joints, dofs, strict=True))
    if springs := [joint.name for joint, dof in pairs if dof.spring]:
        found.append(
            Warning(
                "spring_ignored",
                f"passive springs on {_list(springs)} are left out: "
                "set stiffness and default under 'robot: joints:' and control positions if they matter",
            )
        )
    if silent := [
        joint.name
        for joint, dof in pairs
        if not dof.limits_given and joint.upper == math.inf and joint.name not in free_swinging
    ]:
        found.append(
            Warning(
                "limits_missing",
                f"no limits on {_list(silent)}: they move without end; "
                "set lower and upper in the file or under 'robot: joints:' (infinite ones if that is meant)",
            )
        )
    if stuck := [j.name for j, _ in pairs if j.lower >= j.upper]:
        found.append(
            Warning("limits_equal", f"lower and upper limit leave no room on {_list(stuck)}: set limits that differ")
        )
    if slides := [j.name for j, dof in pairs if dof.slides_locked]:
        found.append(
            Warning(
                "slides_locked",
                f"the sliding axes beside {_list(slides)} are taken as locked: lock them in the file "
                "(low above high) or put a prismatic joint and a body in between",
            )
        )
    if lost := [j.name for j, dof in pairs if dof.armature_without_api]:
        found.append(
            Warning(
                "armature_without_api",
                f"physxJoint:armature on {_list(lost)} is ignored, as in PhysX, because PhysxJointAPI is not applied; "
                "apply it or set armature under 'robot: joints:'",
            )
        )
    return found


def file_warnings(
    up: str,
    metre: float,
    solids: list[Solid],
    names: list[str],
    clashes: list[tuple[str, str]],
    tree: Articulation,
    fixed_base: bool,
    roles: dict[str, list[Role]],
) -> list[Warning]:
    """Warnings about units, masses, shapes and overlaps."""
    found = []
    if up != "Z":
        found.append(
            Warning("up_axis", f"the file has {up} up: a copy turned to Z up is used; export with Z up to avoid")
        )
    if not math.isclose(metre, 1.0):
        found.append(
            Warning("unit", f"the file's unit is {metre:g} m: a copy in metres is used; export in metres to avoid")
        )
    if massless := [name for name, solid in zip(names, solids, strict=True) if solid.guessed]:
        found.append(
            Warning(
                "zero_mass",
                f"neither mass nor shape on {_list(massless)}: taken as 1 kg each; set physics:mass in the file",
            )
        )
    if not any(solid.shapes for solid in solids) and not fixed_base:
        found.append(
            Warning("no_shapes", "no body has a collision shape: the robot falls through the ground; add some")
        )
    if clashes:
        pairs = ", ".join(f"{a}/{b}" for a, b in clashes[:6]) + (" ..." if len(clashes) > 6 else "")
        found.append(
            Warning(
                "self_collision",
                f"shapes overlap in the standing pose: {pairs}; these pairs never collide here: "
                "move the shapes apart or change the joints' default positions if they should",
            )
        )
    if (
        fixed_base
        and tree.world_joints
        and not value(tree.bodies[0].prim, ANCHOR)
        and sum("foot" in own for own in roles.values()) > 1
    ):
        found.append(
            Warning("fixed_base", "a robot with feet is fixed to the world: set 'fixed_base: false' to free it")
        )
    if groups := [p for p in tree.root.GetChildren() if p.GetTypeName() == "PhysicsCollisionGroup"]:
        found.append(
            Warning("collision_groups", f"{len(groups)} collision groups are ignored: filter pairs of bodies instead")
        )
    if kinematic := [body.prim.GetName() for body in tree.bodies if value(body.prim, "physics:kinematicEnabled")]:
        found.append(Warning("kinematic", f"kinematic bodies {_list(kinematic)} are simulated as ordinary ones"))
    return found


def link_warnings(links: list[str]) -> list[Warning]:
    """A warning about the small bodies added between joints that an MJCF body stacks."""
    if not links:
        return []
    text = "are added between joints that share a body, each with a small part of that body's mass"
    return [Warning("links_added", f"small bodies {_list(links)} {text}; nothing to mend")]


def ground_warnings(lowest: dict[str, float]) -> list[Warning]:
    """A warning about bodies of a fixed robot that reach into the ground; ``lowest`` gives their lowest points (m)."""
    if not (sunk := [name for name, low in lowest.items() if low < -0.01]):
        return []
    depth = -min(lowest.values())
    text = f"{_list(sunk)} reach {depth:.3g} m into the ground at height 0 and jam: raise the robot in the file"
    return [Warning("below_ground", text)]


def _list(names: list[str]) -> str:
    """The names in a sentence, the first few of many."""
    if len(names) <= 4:
        return ", ".join(names)
    return f"{', '.join(names[:3])} and {len(names) - 3} more"
