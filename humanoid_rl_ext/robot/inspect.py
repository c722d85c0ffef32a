"""Shows a robot: as tables on a terminal and as plain data."""

from __future__ import annotations

import math
from typing import Any

from humanoid_rl_ext.robot.description import RobotDescription


def inspect_json(robot: RobotDescription) -> dict[str, Any]:
    """The robot as data that JSON can hold: SI units, null where a value is unlimited."""
    return {
        "name": robot.name,
        "path": robot.path,
        "root": robot.root,
        "base": robot.base,
        "fixed_base": robot.fixed_base,
        "up_axis": robot.up_axis,
        "meters_per_unit": robot.meters_per_unit,
        "total_mass": robot.total_mass,
        "standing_height": robot.standing_height,
        "joints": [
            {
                "name": joint.name,
                "type": joint.type,
                "lower": _finite(joint.lower),
                "upper": _finite(joint.upper),
                "stiffness": joint.stiffness,
                "damping": joint.damping,
                "effort_limit": _finite(joint.effort_limit),
                "velocity_limit": _finite(joint.velocity_limit),
                "armature": joint.armature,
                "friction": joint.friction,
                "default": joint.default,
            }
            for joint in robot.joints
        ],
        "bodies": [{"name": body.name, "mass": body.mass, "roles": list(body.roles)} for body in robot.bodies],
        "warnings": [{"code": warning.code, "message": warning.message} for warning in robot.warnings],
    }


def print_robot(robot: RobotDescription) -> None:
    """Prints the robot as tables of joints and bodies, followed by the warnings."""
    from rich.console import Console
    from rich.table import Table

    console = Console()
    base = f"{robot.base}, fixed" if robot.fixed_base else f"{robot.base}, free, {robot.standing_height:.3f} m up"
    console.print(f"[bold]{robot.name}[/]  {robot.path}  {robot.root}", highlight=False)
    console.print(
        f"{len(robot.joints)} joints, {len(robot.bodies)} bodies, {robot.total_mass:.2f} kg, base {base}; "
        f"{robot.up_axis} up, {robot.meters_per_unit:g} m per unit",
        highlight=False,
    )
    joints = Table("joint", "type", title="Joints (rad, m, N, N m)", title_justify="left", box=None)
    for column in ("lower", "upper", "default", "stiffness", "damping", "effort", "speed", "armature"):
        joints.add_column(column, justify="right")
    for j in robot.joints:
        numbers = (j.lower, j.upper, j.default, j.stiffness, j.damping, j.effort_limit, j.velocity_limit, j.armature)
        joints.add_row(j.name, j.type, *(_short(number) for number in numbers))
    # Names and figures are never cut, on a narrow terminal the lines wrap.
    console.width = max(console.width, Console(width=1000).measure(joints).maximum)
    console.print(joints)
    bodies = Table("body", title="Bodies", title_justify="left", box=None)
    bodies.add_column("mass (kg)", justify="right")
    bodies.add_column("roles")
    for body in robot.bodies:
        bodies.add_row(body.name, f"{body.mass:.3f}", ", ".join(body.roles))
    console.print(bodies)
    for warning in robot.warnings:
        console.print(f"[yellow]{warning.code}[/]: {warning.message}", highlight=False)


def _finite(number: float) -> float | None:
    return number if math.isfinite(number) else None


def _short(number: float) -> str:
    return f"{number:.4g}" if math.isfinite(number) else "-"
