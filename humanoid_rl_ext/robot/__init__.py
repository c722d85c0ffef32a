"""Robots: a USD file in, a description out. Nothing here imports pxr before a robot is read."""

from __future__ import annotations

from pathlib import Path

from humanoid_rl_ext.robot.bundled import bundled_robots
from humanoid_rl_ext.robot.description import Body, Joint, RobotDescription, Role, Warning
from humanoid_rl_ext.robot.overrides import JointOverride, RobotOverrides


def load_robot(source: str | Path, overrides: RobotOverrides | None = None) -> RobotDescription:
    """The description of a bundled robot (by name) or of the robot in a USD, MJCF (.xml) or URDF file.

    RobotError: missing or unreadable file, no articulation or several, a pattern that matches nothing.
    """
    from humanoid_rl_ext.robot.load import load_robot as load

    return load(source, overrides)


__all__ = [
    "Body",
    "Joint",
    "JointOverride",
    "RobotDescription",
    "RobotOverrides",
    "Role",
    "Warning",
    "bundled_robots",
    "load_robot",
]
