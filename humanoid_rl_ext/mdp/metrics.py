"""What is measured beside the reward. Each returns (num_envs,), averaged over the steps of an episode."""

from __future__ import annotations

from typing import TYPE_CHECKING

from humanoid_rl_ext.mdp.step import Step
from humanoid_rl_ext.task.registry import register

if TYPE_CHECKING:
    import torch


@register("metric")
def forward_speed(step: Step) -> torch.Tensor:
    """Speed along the world's x axis (m/s)."""
    return step.root_lin_vel_w[:, 0]


@register("metric")
def lin_vel_error(step: Step, *, command: str = "velocity") -> torch.Tensor:
    """Distance between commanded and actual level velocity (m/s)."""
    return (step.commands[command][:, :2] - step.yaw_velocity).norm(dim=-1)


@register("metric")
def ang_vel_error(step: Step, *, command: str = "velocity") -> torch.Tensor:
    """Distance between commanded and actual yaw rate (rad/s)."""
    return (step.commands[command][:, 2] - step.root_ang_vel_w[:, 2]).abs()


@register("metric")
def target_distance(step: Step, *, command: str = "target") -> torch.Tensor:
    """Level distance between the base and the target (m)."""
    return (step.commands[command] - step.root_pos_e)[:, :2].norm(dim=-1)


@register("metric")
def base_height_error(step: Step, *, command: str = "base_height") -> torch.Tensor:
    """Distance between commanded and actual height of the base (m)."""
    return (step.commands[command][:, 0] * step.standing_height - step.root_height).abs()


@register("metric")
def root_height(step: Step) -> torch.Tensor:
    """Height of the base above the ground (m)."""
    return step.root_height


@register("metric")
def power(step: Step) -> torch.Tensor:
    """Mechanical power of the drives (W)."""
    return (step.joint_effort * step.joint_vel).abs().sum(-1)


@register("metric")
def terrain_level(step: Step) -> torch.Tensor:
    """Level of difficulty of the ground; 0 on the easiest and on flat ground."""
    return step.terrain_level.float()


@register("metric", team=True)
def teammate_distance(step: Step) -> torch.Tensor:
    """Level distance to the nearest other robot of the scene (m)."""
    return step.mate_distance
