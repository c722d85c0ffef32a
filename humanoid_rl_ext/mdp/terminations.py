"""What ends an episode. Each returns (num_envs,) bool. A state that is not finite always ends it without a term."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from humanoid_rl_ext.mdp.step import Step
from humanoid_rl_ext.task.registry import Bodies, Joints, Param, register

if TYPE_CHECKING:
    import torch
else:
    from humanoid_rl_ext.lazy import LazyModule

    torch = LazyModule("torch")


@register("termination")
def time_out(step: Step) -> torch.Tensor:
    """The episode has lasted as long as the Task allows."""
    return step.episode_length >= step.max_episode_length


@register("termination")
def fall_by_height(
    step: Step,
    *,
    share: Annotated[float, Param(0.0, 1.0, "", "Share of the standing height below which the robot has fallen")] = 0.6,
) -> torch.Tensor:
    """The base is too low."""
    return step.root_height < share * step.standing_height


@register("termination")
def fall_by_tilt(
    step: Step, *, limit: Annotated[float, Param(0.0, 3.15, "rad", "Largest angle between the base and upright")] = 1.0
) -> torch.Tensor:
    """The base leans too far."""
    return step.rotation_w[:, 2, 2] < torch.cos(torch.as_tensor(limit))


@register("termination")
def base_contact(
    step: Step,
    *,
    bodies: Bodies = "base",
    threshold: Annotated[float, Param(0.0, 1e6, "N", "Contact force that ends the episode")] = 1.0,
) -> torch.Tensor:
    """A body that must not touch anything does."""
    return (step.contact_force_norm(bodies) > threshold).any(-1)


@register("termination")
def out_of_bounds(
    step: Step, *, limit: Annotated[float, Param(0.0, 1e5, "m", "Largest level distance from the origin")] = 50.0
) -> torch.Tensor:
    """The base has left its place."""
    return step.root_pos_e[:, :2].norm(dim=-1) > limit


@register("termination")
def joint_out_of_range(
    step: Step,
    *,
    joints: Joints = ".*",
    limit: Annotated[float, Param(0.0, 1e5, "rad", "Largest distance from the standing pose (rad or m)")] = 1.0,
) -> torch.Tensor:
    """A picked joint is too far from its place in the standing pose."""
    return (step.joint_pos_rel[:, joints].abs() > limit).any(-1)


@register("termination", success=True)
def target_reached(
    step: Step,
    *,
    command: str = "target",
    distance: Annotated[float, Param(0.0, 100.0, "m", "Level distance at which the target counts as reached")] = 0.4,
) -> torch.Tensor:
    """The base is at the target: the task is solved."""
    return (step.commands[command] - step.root_pos_e)[:, :2].norm(dim=-1) < distance
