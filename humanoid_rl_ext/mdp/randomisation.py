"""What varies between episodes and disturbs them. Each turns uniform random numbers into samples for one quantity.

A randomisation writes nothing: the environment writes its samples to the quantity named by ``target``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from humanoid_rl_ext.mdp.quantities import within  # its module registers more of them
from humanoid_rl_ext.mdp.step import Step
from humanoid_rl_ext.task.registry import Joints, Param, Range, register

if TYPE_CHECKING:
    import torch
else:
    from humanoid_rl_ext.lazy import LazyModule

    torch = LazyModule("torch")

Offset = Annotated[Range, Param(-100.0, 100.0, "m", "Added to the position")]
Angle = Annotated[Range, Param(-3.2, 3.2, "rad", "Added to the rotation")]
Speed = Annotated[Range, Param(-100.0, 100.0, "m/s", "Linear velocity")]
Turn = Annotated[Range, Param(-100.0, 100.0, "rad/s", "Angular velocity")]


@register("randomisation", random=(12,), target="initial_root", modes=("reset",))
def initial_root(
    step: Step,
    random: torch.Tensor,
    *,
    x: Offset = (0.0, 0.0),
    y: Offset = (0.0, 0.0),
    z: Offset = (0.0, 0.0),
    roll: Angle = (0.0, 0.0),
    pitch: Angle = (0.0, 0.0),
    yaw: Angle = (0.0, 0.0),
    lin_vel_x: Speed = (0.0, 0.0),
    lin_vel_y: Speed = (0.0, 0.0),
    lin_vel_z: Speed = (0.0, 0.0),
    ang_vel_x: Turn = (0.0, 0.0),
    ang_vel_y: Turn = (0.0, 0.0),
    ang_vel_z: Turn = (0.0, 0.0),
) -> torch.Tensor:
    """Where and how fast the base starts, relative to the standing pose: position, roll-pitch-yaw, velocities."""
    pose = (x, y, z, roll, pitch, yaw)
    return within(random, *pose, lin_vel_x, lin_vel_y, lin_vel_z, ang_vel_x, ang_vel_y, ang_vel_z)


@register("randomisation", random=("joints",), target="initial_joint_pos", modes=("reset",))
def initial_joint_pos(
    step: Step,
    random: torch.Tensor,
    *,
    joints: Joints = ".*",
    offset: Annotated[Range, Param(-100.0, 100.0, "rad", "Added to the standing pose (rad or m)")] = (-0.1, 0.1),
) -> torch.Tensor:
    """Where the picked joints start, relative to the standing pose; clipped to their limits."""
    return within(random, offset)


@register("randomisation", random=("joints",), target="initial_joint_vel", modes=("reset",))
def initial_joint_vel(
    step: Step,
    random: torch.Tensor,
    *,
    joints: Joints = ".*",
    velocity: Annotated[Range, Param(-100.0, 100.0, "rad/s", "Velocity (rad/s or m/s)")] = (-0.1, 0.1),
) -> torch.Tensor:
    """How fast the picked joints start."""
    return within(random, velocity)


@register("randomisation", random=(6,), target="root_velocity", modes=("interval",))
def push(
    step: Step,
    random: torch.Tensor,
    *,
    lin_vel_x: Speed = (-0.5, 0.5),
    lin_vel_y: Speed = (-0.5, 0.5),
    lin_vel_z: Speed = (0.0, 0.0),
    ang_vel_x: Turn = (0.0, 0.0),
    ang_vel_y: Turn = (0.0, 0.0),
    ang_vel_z: Turn = (0.0, 0.0),
) -> torch.Tensor:
    """A shove: velocity added to the base at once, along world axes."""
    return within(random, lin_vel_x, lin_vel_y, lin_vel_z, ang_vel_x, ang_vel_y, ang_vel_z)
