"""What a policy can be shown. Each returns (num_envs, k)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from humanoid_rl_ext.mdp.step import Step
from humanoid_rl_ext.task.registry import Bodies, Joints, Param, register

if TYPE_CHECKING:
    import torch
else:
    from humanoid_rl_ext.lazy import LazyModule

    torch = LazyModule("torch")


@register("observation")
def root_height(step: Step) -> torch.Tensor:
    """Height of the base above the ground (m)."""
    return step.root_height.unsqueeze(-1)


@register("observation")
def root_lin_vel(step: Step) -> torch.Tensor:
    """Linear velocity of the base in its own frame (m/s)."""
    return step.root_lin_vel_b


@register("observation")
def root_ang_vel(step: Step) -> torch.Tensor:
    """Angular velocity of the base in its own frame (rad/s)."""
    return step.root_ang_vel_b


@register("observation")
def projected_gravity(step: Step) -> torch.Tensor:
    """Direction of gravity in the base frame; (0, 0, -1) when upright."""
    return step.projected_gravity_b


@register("observation")
def heading(step: Step) -> torch.Tensor:
    """Cosine and sine of the yaw of the base in the world."""
    return torch.stack((torch.cos(step.heading_w), torch.sin(step.heading_w)), dim=-1)


@register("observation")
def joint_pos(step: Step, *, joints: Joints = ".*") -> torch.Tensor:
    """Joint positions relative to the standing pose (rad or m)."""
    return step.joint_pos_rel[:, joints]


@register("observation")
def joint_vel(step: Step, *, joints: Joints = ".*") -> torch.Tensor:
    """Joint velocities (rad/s or m/s)."""
    return step.joint_vel[:, joints]


@register("observation")
def last_action(step: Step) -> torch.Tensor:
    """The action that was taken last."""
    return step.action


@register("observation")
def command(step: Step, *, command: str = "velocity") -> torch.Tensor:
    """The current command as it is."""
    return step.commands[command]


@register("observation")
def target_position(step: Step, *, command: str = "target") -> torch.Tensor:
    """Position of the target relative to the base, in the base frame (m)."""
    return step.to_base(step.commands[command] - step.root_pos_e)


@register("observation")
def body_pos(step: Step, *, bodies: Bodies = "foot") -> torch.Tensor:
    """Position of each picked body's origin in the base frame (m): x, y, z of one after another."""
    offset = step.body_pos_w[:, bodies] - step.root_pos_w.unsqueeze(1)
    return step.to_base(offset).flatten(1)


@register("observation")
def contact_force(
    step: Step,
    *,
    bodies: Bodies = "foot",
    scale: Annotated[float, Param(1e-6, 1.0, "1/N", "Factor that brings forces to about one")] = 0.01,
) -> torch.Tensor:
    """Size of the contact force on each picked body, scaled."""
    return step.contact_force_norm(bodies) * scale


@register("observation")
def height_scan(
    step: Step,
    *,
    points_x: Annotated[int, Param(1, 100, "", "Points from behind to ahead")] = 17,
    points_y: Annotated[int, Param(1, 100, "", "Points from right to left")] = 11,
    spacing: Annotated[float, Param(0.01, 10.0, "m", "Distance between two points")] = 0.1,
    limit: Annotated[float, Param(0.01, 100.0, "m", "Clipped to plus and minus this")] = 1.0,
) -> torch.Tensor:
    """Height of the ground on a grid around the base that turns with it, 0 where a standing robot's feet would be."""
    feet = (step.root_pos_w[:, 2:3] if step.ground else step.root_height.unsqueeze(-1)) - step.standing_height
    if step.ground is None:
        return (-feet).expand(-1, points_x * points_y).clamp(-limit, limit)
    heights = step.ground.scan(step.root_pos_w, step.heading_axes_w, (points_x, points_y), spacing)
    return (heights - feet).clamp_(-limit, limit)


@register("observation", team=True)
def teammates(step: Step) -> torch.Tensor:
    """Position (m) and velocity (m/s) of each other robot's base relative to the own: ahead, to the left, up.

    The next robot of the scene comes first, and so on round to the one before.
    """
    own = torch.cat((step.root_pos_w, step.root_lin_vel_w), dim=-1)
    offset = (step.of_mates(own) - own.unsqueeze(1)).unflatten(-1, (2, 1, 3))
    level = (offset[..., :2] * step.heading_axes_w[:, None, None]).sum(-1)
    return torch.cat((level, offset[..., 0, 2:]), dim=-1).flatten(1)
