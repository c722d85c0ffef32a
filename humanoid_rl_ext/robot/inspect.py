"""Shows a robot: as tables on a terminal and as plain data."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from humanoid_rl_ext.robot.description import Joint, RobotDescription

if TYPE_CHECKING:
    from rich.table import Table

LEAST_ASKED = ("speed", "armature", "default", "effort")
"""Columns that a narrow terminal does without, the first one first."""


def inspect_json(robot: RobotDescription) -> dict[str, Any]:
    """The robot as data that JSON can hold: SI units, null where a value is unlimited."""
    return {
        "name": robot.name,
        "source": robot.source,
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
                "passive_damping": joint.passive_damping,
                "friction_coefficient": joint.friction_coefficient,
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
    from rich.markup import escape
    from rich.table import Table

    console = Console()
    base = f"{robot.base}, fixed" if robot.fixed_base else f"{robot.base}, free, {robot.standing_height:.3f} m up"
    origin = "bundled" if robot.source == robot.name else robot.source
    console.print(f"[bold]{escape(robot.name)}[/]: {escape(origin)}", highlight=False, soft_wrap=True)
    console.print(f"prim {escape(robot.root)}", highlight=False, soft_wrap=True)
    console.print(
        f"{len(robot.joints)} joints, {len(robot.bodies)} bodies, {robot.total_mass:.2f} kg, base {base}; "
        f"{robot.up_axis} up, {robot.meters_per_unit:g} m per unit",
        highlight=False,
    )
    joints, left_out = _joint_table(robot, console.width)
    # Names and figures are never cut: what is still too wide wraps.
    console.width = max(console.width, Console(width=1000).measure(joints).maximum)
    console.print(joints)
    if left_out:
        console.print(f"[dim]left out on a narrow terminal: {', '.join(left_out)}[/]", highlight=False)
    bodies = Table("body", title="Bodies", title_justify="left", box=None, pad_edge=False)
    bodies.add_column("mass (kg)", justify="right")
    bodies.add_column("roles")
    for body in robot.bodies:
        bodies.add_row(body.name, f"{body.mass:.3f}", ", ".join(body.roles))
    console.print(bodies)
    for warning in robot.warnings:
        console.print(f"[yellow]{warning.code}[/]: {warning.message}", highlight=False)


def _joint_table(robot: RobotDescription, width: int) -> tuple[Table, list[str]]:
    """The joints as a table, and the columns that it goes without to fit into ``width`` characters."""
    from rich.console import Console
    from rich.table import Table

    columns: dict[str, Callable[[Joint], str]] = {
        "type": lambda joint: "turn" if joint.type == "revolute" else "slide",
        "lower": lambda joint: _short(joint.lower),
        "upper": lambda joint: _short(joint.upper),
        "default": lambda joint: _short(joint.default),
        "kp": lambda joint: _short(joint.stiffness),
        "kd": lambda joint: _short(joint.damping),
        "effort": lambda joint: _short(joint.effort_limit),
        "speed": lambda joint: _short(joint.velocity_limit),
        "armature": lambda joint: _short(joint.armature),
    }
    left_out: list[str] = []
    while True:
        table = Table("joint", title="Joints (rad, m, N, N m)", title_justify="left", box=None, pad_edge=False)
        shown = [name for name in columns if name not in left_out]
        for name in shown:
            table.add_column(name, justify="left" if name == "type" else "right", no_wrap=True)
        for joint in robot.joints:
            table.add_row(joint.name, *(columns[name](joint) for name in shown))
        if len(left_out) == len(LEAST_ASKED) or Console(width=1000).measure(table).maximum <= width:
            return table, left_out
        left_out.append(LEAST_ASKED[len(left_out)])


def _finite(number: float) -> float | None:
    return number if math.isfinite(number) else None


def _short(number: float) -> str:
    if not math.isfinite(number):
        return "-"
    return f"{number:.0f}" if abs(number) >= 1000.0 else f"{number:.3g}"
