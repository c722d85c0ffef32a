"""What a policy is asked to do. Each turns uniform random numbers (num_envs, k) into commands (num_envs, size)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from humanoid_rl_ext.mdp.step import Step
from humanoid_rl_ext.task.registry import Param, Range, register

if TYPE_CHECKING:
    import torch
else:
    from humanoid_rl_ext.lazy import LazyModule

    torch = LazyModule("torch")


@register("command", size=3, random=(4,))
def velocity(
    step: Step,
    random: torch.Tensor,
    *,
    lin_vel_x: Annotated[Range, Param(-20.0, 20.0, "m/s", "Forward velocity")] = (-0.5, 1.5),
    lin_vel_y: Annotated[Range, Param(-20.0, 20.0, "m/s", "Velocity to the left")] = (-0.5, 0.5),
    ang_vel_z: Annotated[Range, Param(-20.0, 20.0, "rad/s", "Yaw rate, to the left")] = (-1.0, 1.0),
    standing_share: Annotated[float, Param(0.0, 1.0, "", "Share of commands that say: stand")] = 0.1,
) -> torch.Tensor:
    """Velocity of the base: forward, left (m/s) and yaw rate (rad/s), uniform in ranges; some stand still."""
    low, high = torch.stack([torch.as_tensor(value) for value in (lin_vel_x, lin_vel_y, ang_vel_z)], dim=-1)
    moving = random[:, 3:] >= standing_share
    return torch.lerp(low, high, random[:, :3]) * moving


@register("command", size=3, random=(2,))
def target(
    step: Step,
    random: torch.Tensor,
    *,
    distance: Annotated[Range, Param(0.0, 1000.0, "m", "Distance of the target from the environment's origin")] = (
        1.0,
        3.0,
    ),
) -> torch.Tensor:
    """A point around the environment's origin at the robot's standing height, in any direction (m)."""
    low, high = torch.as_tensor(distance)
    radius = torch.lerp(low, high, random[:, 0])
    angle = 2 * torch.pi * random[:, 1]
    height = torch.full_like(radius, step.standing_height)
    return torch.stack((radius * torch.cos(angle), radius * torch.sin(angle), height), dim=-1)
