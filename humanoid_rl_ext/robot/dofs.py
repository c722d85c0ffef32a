"""Degrees of freedom of a joint prim: axes, limits and drives as the file has them, in rad, m, N and N m."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pxr import Usd, UsdPhysics

from humanoid_rl_ext.robot.stage import authored, has_schema, targets, unlimited, value

Array = NDArray[np.float64]

DEGREE = math.pi / 180.0
UNITS = {"X": np.array([1.0, 0.0, 0.0]), "Y": np.array([0.0, 1.0, 0.0]), "Z": np.array([0.0, 0.0, 1.0])}
D6_AXES = ("transX", "transY", "transZ", "rotX", "rotY", "rotZ")


@dataclass(slots=True)
class Dof:
    """One axis of a joint. None means that the file is silent."""

    suffix: str
    type: Literal["revolute", "prismatic"]
    drive: str
    axis: Array
    """In the joint's frame."""
    lower: float
    upper: float
    limits_given: bool
    """Whether the file gives limits, infinite ones included."""
    has_drive: bool = False
    stiffness: float | None = None
    damping: float | None = None
    target: float | None = None
    effort_limit: float | None = None
    velocity_limit: float | None = None
    armature: float | None = None
    friction: float | None = None
    passive_damping: float | None = None
    friction_coefficient: float | None = None
    armature_without_api: bool = False
    slides_locked: bool = False
    """Whether sliding axes of the same D6 joint were taken as locked."""
    spring: float = 0.0
    """MJCF's passive spring stiffness."""


@dataclass(slots=True)
class Actuator:
    """What an MJCF actuator says about its joint: gains (None for a plain motor) and the largest effort."""

    stiffness: float | None
    damping: float | None
    effort_limit: float | None


def read_dofs(prim: Usd.Prim, actuator: Actuator | None) -> list[Dof]:
    """The free axes of a joint prim: sliding axes, then turning axes, x, y, z; none for a fixed joint."""
    if prim.IsA(UsdPhysics.RevoluteJoint) or prim.IsA(UsdPhysics.PrismaticJoint):
        turns = prim.IsA(UsdPhysics.RevoluteJoint)
        lower = unlimited(authored(prim, "physics:lowerLimit"))
        upper = unlimited(authored(prim, "physics:upperLimit"))
        axis = UNITS[str(value(prim, "physics:axis", "X"))]
        dofs = [_dof("", "angular" if turns else "linear", axis, lower, upper)]
    elif prim.IsA(UsdPhysics.SphericalJoint):
        dofs = _spherical(prim)
    elif prim.GetTypeName() == "PhysicsJoint":
        dofs = _d6(prim)
    else:
        return []
    for dof in dofs:
        _read_drive(prim, dof)
        _read_motor(prim, dof)
        if actuator:
            _apply_actuator(dof, actuator)
    return dofs


def _dof(suffix: str, drive: str, axis: Array, lower: float | None, upper: float | None) -> Dof:
    turns = drive == "angular" or drive.startswith("rot")
    unit = DEGREE if turns else 1.0
    low = -math.inf if lower is None else lower * unit
    high = math.inf if upper is None else upper * unit
    return Dof(
        suffix, "revolute" if turns else "prismatic", drive, axis, low, high, lower is not None or upper is not None
    )


def _d6(prim: Usd.Prim) -> list[Dof]:
    """The free axes of a D6 joint. A sliding axis counts only where it is the only one: articulations lock others."""
    dofs = []
    for name in D6_AXES:
        lower = unlimited(authored(prim, f"limit:{name}:physics:low"))
        upper = unlimited(authored(prim, f"limit:{name}:physics:high"))
        if not has_schema(prim, f"PhysicsLimitAPI:{name}"):
            lower = upper = None
        if lower is not None and upper is not None and lower > upper:
            continue
        letter = name[-1].lower()
        suffix = f":t{letter}" if name.startswith("trans") else f":{letter}"
        dofs.append(_dof(suffix, name, UNITS[name[-1]], lower, upper))
    turning = [dof for dof in dofs if dof.type == "revolute"]
    if len(dofs) == 1 or len(turning) == len(dofs):
        return dofs
    for dof in turning:
        dof.slides_locked = True
    return turning


def _spherical(prim: Usd.Prim) -> list[Dof]:
    """A ball joint as three turning axes; a cone limit bounds the two axes across its own axis."""
    own = str(value(prim, "physics:axis", "X"))
    across = [letter for letter in "XYZ" if letter != own]
    cones = [value(prim, f"physics:coneAngle{i}Limit", -1.0) for i in (0, 1)]
    dofs = []
    for letter in "XYZ":
        cone = cones[across.index(letter)] if letter in across else -1.0
        bound = float(cone) if cone is not None and cone >= 0.0 and math.isfinite(cone) else None
        lower, upper = (None, None) if bound is None else (-bound, bound)
        dofs.append(_dof(f":{letter.lower()}", f"rot{letter}", UNITS[letter], lower, upper))
    return dofs


def _read_drive(prim: Usd.Prim, dof: Dof) -> None:
    if not has_schema(prim, f"PhysicsDriveAPI:{dof.drive}"):
        return
    unit = DEGREE if dof.type == "revolute" else 1.0
    start = f"drive:{dof.drive}:physics:"
    dof.has_drive = True
    dof.stiffness = float(value(prim, start + "stiffness", 0.0)) / unit
    dof.damping = float(value(prim, start + "damping", 0.0)) / unit
    effort = unlimited(authored(prim, start + "maxForce"))
    dof.effort_limit = effort if effort is not None and math.isfinite(effort) else None
    target = authored(prim, start + "targetPosition")
    dof.target = target * unit if target is not None else None


def _read_motor(prim: Usd.Prim, dof: Dof) -> None:
    """Armature, frictions and limits of speed and effort, from the PhysX, Newton, MuJoCo and URDF attributes."""
    unit = DEGREE if dof.type == "revolute" else 1.0
    armature = authored(prim, "physxJoint:armature")
    if has_schema(prim, "PhysxJointAPI"):
        dof.armature = armature
        speed = unlimited(authored(prim, "physxJoint:maxJointVelocity"))
        dof.velocity_limit = speed * unit if speed is not None else None
        dof.friction_coefficient = authored(prim, "physxJoint:jointFriction")
    elif armature:
        dof.armature_without_api = True
    per_axis = f"physxJointAxis:{dof.drive}:"
    if has_schema(prim, f"PhysxJointAxisAPI:{dof.drive}"):
        own = authored(prim, per_axis + "armature")
        dof.armature = own if own is not None else dof.armature
        speed = unlimited(authored(prim, per_axis + "maxJointVelocity"))
        dof.velocity_limit = speed * unit if speed is not None else dof.velocity_limit
        # PhysX takes Newton's attribute where its own says 0, and so do the lines below.
        dof.friction = authored(prim, per_axis + "staticFrictionEffort") or None
        dof.passive_damping = (authored(prim, per_axis + "viscousFrictionCoefficient") or 0.0) / unit or None
    if dof.friction is None:
        dof.friction = _first(prim, "newton:friction", "mjc:frictionloss")
    if dof.passive_damping is None:
        newton = authored(prim, "newton:damping")
        dof.passive_damping = newton / unit if newton is not None else authored(prim, "mjc:damping")
    dof.spring = authored(prim, "mjc:stiffness") or 0.0
    if dof.armature is None:
        dof.armature = _first(prim, "newton:armature", "mjc:armature")
    if dof.velocity_limit is None:
        speed = unlimited(authored(prim, "newton:velocityLimit"))
        dof.velocity_limit = speed * unit if speed is not None and speed > 0.0 else None
    if dof.effort_limit is None:
        effort = _first(prim, "newton:effortLimit", "mjc:actuatorfrcrange:max", "urdf:limit:effort")
        dof.effort_limit = effort if effort is not None and 0.0 < effort < 1e30 else None


def _first(prim: Usd.Prim, *names: str) -> float | None:
    return next((found for name in names if (found := authored(prim, name)) is not None), None)


def _apply_actuator(dof: Dof, actuator: Actuator) -> None:
    if dof.effort_limit is None:
        dof.effort_limit = actuator.effort_limit
    if actuator.stiffness is not None and not dof.has_drive:
        dof.has_drive = True
        dof.stiffness, dof.damping = actuator.stiffness, actuator.damping


def read_actuators(root: Usd.Prim) -> dict[str, Actuator]:
    """What the MJCF actuators under ``root`` say, by path of the joint that they drive."""
    found: dict[str, Actuator] = {}
    for prim in Usd.PrimRange(root):
        if prim.GetTypeName() != "MjcActuator":
            continue
        for joint in targets(prim, "mjc:target"):
            found[str(joint)] = _actuator(prim)
    return found


def _actuator(prim: Usd.Prim) -> Actuator:
    gear = abs(float((_numbers(prim, "mjc:gear") or [1.0])[0])) or 1.0
    gain = _numbers(prim, "mjc:gainPrm") or [1.0]
    bias = _numbers(prim, "mjc:biasPrm") or [0.0, 0.0, 0.0]
    effort = authored(prim, "mjc:forceRange:max")
    affine = len(bias) > 2 and bias[1] < 0.0
    if effort is None and not affine:
        control = authored(prim, "mjc:ctrlRange:max")
        effort = control * abs(gain[0]) if control else None
    stiffness = -bias[1] * gear**2 if affine else None
    damping = -bias[2] * gear**2 if affine else None
    return Actuator(stiffness, damping, effort * gear if effort else None)


def _numbers(prim: Usd.Prim, name: str) -> list[float]:
    attr = prim.GetAttribute(name)
    return [float(number) for number in (attr.Get() or [])] if attr else []
