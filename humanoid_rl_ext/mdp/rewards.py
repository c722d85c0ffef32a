"""What a policy is praised and blamed for. Each returns (num_envs,); the reward per second is weight times the term."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from humanoid_rl_ext.mdp.step import Step
from humanoid_rl_ext.task.registry import Bodies, Buffer, Joints, Param, register

if TYPE_CHECKING:
    import torch
else:
    from humanoid_rl_ext.lazy import LazyModule

    torch = LazyModule("torch")

Memory = dict[str, "torch.Tensor"]
Contact = Annotated[float, Param(0.0, 1e4, "N", "A body touches the ground when its contact force exceeds this")]


def _closeness(error: torch.Tensor, std: float) -> torch.Tensor:
    """exp(-|error|^2 / std^2) for errors (num_envs, k)."""
    return (error / std).square_().sum(-1).neg_().exp_()


@register("reward")
def alive(step: Step) -> torch.Tensor:
    """One for every environment that has not failed."""
    return torch.where(step.failed, 0.0, 1.0)


@register("reward")
def termination(step: Step) -> torch.Tensor:
    """One in the step in which the episode fails; divided by the control step, so the weight counts per event."""
    return step.failed / step.dt


@register("reward")
def forward_velocity(
    step: Step, *, limit: Annotated[float, Param(0.0, 100.0, "m/s", "Faster than this earns no more")] = 2.0
) -> torch.Tensor:
    """Speed along the world's x axis, up to a limit (m/s)."""
    return torch.minimum(step.root_lin_vel_w[:, 0], torch.as_tensor(limit))


@register("reward")
def track_lin_vel(
    step: Step,
    *,
    command: str = "velocity",
    std: Annotated[float, Param(0.01, 10.0, "m/s", "Error at which the reward has fallen to 1/e")] = 0.5,
) -> torch.Tensor:
    """Closeness of the level velocity to the commanded one: exp(-error^2 / std^2) (Rudin et al. 2022)."""
    return _closeness(step.commands[command][:, :2] - step.yaw_velocity, std)


@register("reward")
def track_ang_vel(
    step: Step,
    *,
    command: str = "velocity",
    std: Annotated[float, Param(0.01, 10.0, "rad/s", "Error at which the reward has fallen to 1/e")] = 0.5,
) -> torch.Tensor:
    """Closeness of the yaw rate to the commanded one: exp(-error^2 / std^2) (Rudin et al. 2022)."""
    return _closeness(step.commands[command][:, 2:] - step.root_ang_vel_w[:, 2:], std)


@register("reward")
def target_distance(
    step: Step,
    *,
    command: str = "target",
    std: Annotated[float, Param(0.01, 100.0, "m", "Distance at which the reward has fallen to 1/e")] = 2.0,
) -> torch.Tensor:
    """Closeness of the base to the target, level with the ground: exp(-distance / std)."""
    return torch.exp(-(step.commands[command] - step.root_pos_e)[:, :2].norm(dim=-1) / std)


@register("reward")
def target_progress(
    step: Step,
    *,
    command: str = "target",
    limit: Annotated[float, Param(0.0, 100.0, "m/s", "Faster than this earns no more")] = 1.0,
) -> torch.Tensor:
    """Speed of the base towards the target, level with the ground, up to a limit (m/s)."""
    towards = torch.nn.functional.normalize((step.commands[command] - step.root_pos_e)[:, :2], dim=-1)
    return torch.minimum((towards * step.root_lin_vel_w[:, :2]).sum(-1), torch.as_tensor(limit))


@register("reward")
def heading_to_target(step: Step, *, command: str = "target") -> torch.Tensor:
    """Cosine of the angle between where the base faces and where the target is."""
    towards = torch.nn.functional.normalize((step.commands[command] - step.root_pos_e)[:, :2], dim=-1)
    facing = torch.nn.functional.normalize(step.rotation_w[:, :2, 0], dim=-1)
    return (towards * facing).sum(-1)


@register("reward")
def heading_forward(step: Step) -> torch.Tensor:
    """Cosine of the angle between where the base faces and the world's x axis."""
    return torch.nn.functional.normalize(step.rotation_w[:, :2, 0], dim=-1)[:, 0]


@register("reward")
def upright(
    step: Step,
    *,
    std: Annotated[float, Param(0.01, 10.0, "", "Tilt (sine) at which the reward has fallen to 1/e")] = 0.4,
) -> torch.Tensor:
    """Closeness of the base to upright: exp(-|level part of gravity|^2 / std^2)."""
    return _closeness(step.projected_gravity_b[:, :2], std)


@register("reward")
def height(
    step: Step,
    *,
    target: Annotated[float, Param(-1.0, 10.0, "m", "Wanted height of the base; 0: that of the standing pose")] = 0.0,
    std: Annotated[float, Param(0.01, 10.0, "m", "Error at which the reward has fallen to 1/e")] = 0.2,
) -> torch.Tensor:
    """Closeness of the base to a height: exp(-error^2 / std^2)."""
    wanted = torch.where(torch.as_tensor(target) == 0, step.standing_height, target)
    return _closeness((step.root_height - wanted).unsqueeze(-1), std)


@register("reward")
def track_base_height(
    step: Step,
    *,
    command: str = "base_height",
    std: Annotated[float, Param(0.01, 10.0, "m", "Error at which the reward has fallen to 1/e")] = 0.1,
) -> torch.Tensor:
    """Closeness of the base's height to the commanded one: exp(-error^2 / std^2)."""
    error = step.commands[command][:, 0] * step.standing_height - step.root_height
    return torch.exp(-error.square() / (std * std))


@register("reward")
def gait_contact(
    step: Step, *, command: str = "gait", bodies: Bodies = "foot", threshold: Contact = 1.0
) -> torch.Tensor:
    """Share of the feet that touch the ground just when the gait's clock says so; the same feet as the command's."""
    touching = step.contact_force_norm(bodies) > threshold
    return (touching == (step.commands[command][:, 2:] > 0.5)).float().mean(-1)


@register("reward")
def lin_vel_z(step: Step) -> torch.Tensor:
    """Squared vertical speed of the base (m^2/s^2)."""
    return step.root_lin_vel_w[:, 2].square()


@register("reward")
def ang_vel_xy(step: Step) -> torch.Tensor:
    """Squared roll and pitch rate of the base (rad^2/s^2)."""
    return step.root_ang_vel_b[:, :2].square().sum(-1)


@register("reward")
def joint_deviation(step: Step, *, joints: Joints = ".*") -> torch.Tensor:
    """Sum of the distances of the picked joints from the standing pose (rad or m)."""
    return step.joint_pos_rel[:, joints].abs().sum(-1)


@register("reward")
def action_rate(step: Step) -> torch.Tensor:
    """Sum of squared changes of the action since the last step."""
    return (step.action - step.last_action).square().sum(-1)


@register("reward")
def joint_velocity(step: Step, *, joints: Joints = ".*") -> torch.Tensor:
    """Sum of squared joint velocities (rad^2/s^2)."""
    return step.joint_vel[:, joints].square().sum(-1)


@register("reward")
def energy(step: Step, *, joints: Joints = ".*") -> torch.Tensor:
    """Mechanical power of the drives, sum of |effort times velocity| (W)."""
    return (step.joint_effort * step.joint_vel)[:, joints].abs().sum(-1)


@register("reward")
def effort(step: Step, *, joints: Joints = ".*") -> torch.Tensor:
    """Sum of squared efforts of the drives (N^2 m^2)."""
    return step.joint_effort[:, joints].square().sum(-1)


@register("reward")
def joint_limits(
    step: Step,
    *,
    joints: Joints = ".*",
    margin: Annotated[float, Param(0.0, 0.5, "", "Share of the range at each end that counts as close")] = 0.05,
) -> torch.Tensor:
    """How far the picked joints reach into the margin before their limits, summed (rad or m)."""
    lower, upper = step.joint_lower[joints], step.joint_upper[joints]
    room = torch.where(torch.isfinite(upper - lower), (upper - lower) * margin, 0.0)
    position = step.joint_pos[:, joints]
    return ((lower + room - position).clamp(min=0) + (position - upper + room).clamp(min=0)).sum(-1)


@register("reward")
def stand_still(
    step: Step,
    *,
    command: str = "velocity",
    threshold: Annotated[float, Param(0.0, 10.0, "", "Commands smaller than this mean: stand")] = 0.1,
) -> torch.Tensor:
    """Distance of the joints from the standing pose while the command says stand (rad)."""
    standing = step.commands[command].norm(dim=-1) < threshold
    return step.joint_pos_rel.abs().sum(-1) * standing


@register("reward")
def feet_contact(step: Step, *, bodies: Bodies = "foot", threshold: Contact = 1.0) -> torch.Tensor:
    """Share of the feet that touch the ground."""
    return (step.contact_force_norm(bodies) > threshold).float().mean(-1)


@register("reward", buffers={"air_time": Buffer(("bodies",))})
def feet_air_time(
    step: Step,
    memory: Memory,
    *,
    bodies: Bodies = "foot",
    command: str = "velocity",
    threshold: Contact = 1.0,
    wanted: Annotated[float, Param(0.0, 5.0, "s", "Steps shorter than this are blamed, longer ones praised")] = 0.4,
    standing: Annotated[float, Param(0.0, 10.0, "", "Commands smaller than this earn nothing")] = 0.1,
) -> torch.Tensor:
    """Air time beyond the wanted one, paid when a foot lands (s); per landing, so divided by the control step."""
    touching = step.contact_force_norm(bodies) > threshold
    air_time = memory["air_time"]
    landed = touching & (air_time > 0)
    reward = ((air_time - wanted) * landed).sum(-1) / step.dt
    air_time.add_(step.dt).mul_(~touching)
    return reward * (step.commands[command].norm(dim=-1) > standing)


@register("reward", buffers={"air_time": Buffer(("bodies",)), "contact_time": Buffer(("bodies",))})
def single_stance(
    step: Step,
    memory: Memory,
    *,
    bodies: Bodies = "foot",
    command: str = "velocity",
    threshold: Contact = 1.0,
    limit: Annotated[float, Param(0.01, 5.0, "s", "Longer than this earns no more")] = 0.4,
    standing: Annotated[float, Param(0.0, 10.0, "", "Commands smaller than this earn nothing")] = 0.1,
) -> torch.Tensor:
    """Time that the feet have kept their phase while exactly one touches the ground, up to a limit (s)."""
    touching = step.contact_force_norm(bodies) > threshold
    air_time, contact_time = memory["air_time"], memory["contact_time"]
    air_time.add_(step.dt).masked_fill_(touching, 0.0)
    contact_time.add_(step.dt).mul_(touching)
    phase = (air_time + contact_time).amin(-1)  # one of the two is zero
    single = touching.sum(-1) == 1
    return torch.minimum(phase, torch.as_tensor(limit)) * single * (step.commands[command].norm(dim=-1) > standing)


@register("reward")
def feet_slide(step: Step, *, bodies: Bodies = "foot", threshold: Contact = 1.0) -> torch.Tensor:
    """Speed over the ground of feet that touch it, summed (m/s)."""
    touching = step.contact_force_norm(bodies) > threshold
    return (step.body_lin_vel_w[:, bodies, :2].norm(dim=-1) * touching).sum(-1)


@register("reward", team=True)
def teammate_distance(
    step: Step,
    *,
    target: Annotated[float, Param(0.0, 100.0, "m", "Wanted distance")] = 1.5,
    std: Annotated[float, Param(0.01, 100.0, "m", "Error at which the reward has fallen to 1/e")] = 0.5,
) -> torch.Tensor:
    """Closeness of the distance to the nearest other robot of the scene to a wanted one: exp(-error^2 / std^2)."""
    return _closeness((step.mate_distance - target).unsqueeze(-1), std)
