"""What a policy is asked to do. Each turns uniform random numbers (num_envs, k) into commands (num_envs, size)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated

from humanoid_rl_ext.mdp.step import Step
from humanoid_rl_ext.task.registry import Bodies, Buffer, Follow, Numbers, Param, Range, register

if TYPE_CHECKING:
    import torch
else:
    from humanoid_rl_ext.lazy import LazyModule

    torch = LazyModule("torch")

PI = math.pi
Memory = dict[str, "torch.Tensor"]


def _turn_to_heading(
    step: Step, drawn: torch.Tensor, *, ang_vel_z: torch.Tensor, heading_gain: torch.Tensor, **_: object
) -> torch.Tensor:
    """Forward and left velocity as drawn; yaw rate in proportion to the angle to the drawn heading.

    Columns drawn: forward, left, heading (rad), one where the heading is to be followed; else the third is a yaw rate.
    """
    angle = torch.remainder(drawn[:, 2] - step.heading_w + PI, 2 * PI) - PI
    rate = torch.clamp(heading_gain * angle, ang_vel_z[0], ang_vel_z[1])
    return torch.cat((drawn[:, :2], torch.where(drawn[:, 3] > 0, rate, drawn[:, 2]).unsqueeze(-1)), dim=-1)


@register("command", size=3, random=(4,), follow=Follow(_turn_to_heading, drawn=4, steered=3, when="heading"))
def velocity(
    step: Step,
    random: torch.Tensor,
    *,
    lin_vel_x: Annotated[Range, Param(-20.0, 20.0, "m/s", "Forward velocity")] = (-0.5, 1.5),
    lin_vel_y: Annotated[Range, Param(-20.0, 20.0, "m/s", "Velocity to the left")] = (-0.5, 0.5),
    ang_vel_z: Annotated[Range, Param(-20.0, 20.0, "rad/s", "Yaw rate, to the left")] = (-1.0, 1.0),
    standing_share: Annotated[float, Param(0.0, 1.0, "", "Share of commands that say: stand")] = 0.1,
    heading: Annotated[bool, Param(help="Whether a heading is drawn and the yaw rate turns the base to it")] = False,
    heading_range: Annotated[Range, Param(-3.15, 3.15, "rad", "Heading in the world, in heading mode")] = (-PI, PI),
    heading_gain: Annotated[float, Param(0.0, 20.0, "1/s", "Yaw rate per angle to the heading")] = 0.5,
) -> torch.Tensor:
    """Velocity of the base: forward, left (m/s) and yaw rate (rad/s), uniform in ranges; some stand still.

    In heading mode the yaw rate is the gain times the angle to a drawn heading, within the range of the yaw rate, in
    every step (Rudin et al. 2022).
    """
    if heading:
        low, high = torch.stack([torch.as_tensor(value) for value in (lin_vel_x, lin_vel_y, heading_range)], dim=-1)
        drawn = low + (high - low) * random[:, :3]
        return torch.nn.functional.pad(drawn, (0, 1), value=1.0) * (random[:, 3:] >= standing_share)
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


@register("command", size=1, random=(1,))
def base_height(
    step: Step,
    random: torch.Tensor,
    *,
    share: Annotated[Range, Param(0.1, 2.0, "", "Share of the standing height")] = (0.75, 1.0),
) -> torch.Tensor:
    """Height of the base above the ground, as a share of its height in the standing pose."""
    return share[0] + (share[1] - share[0]) * random


def _clock(
    step: Step, memory: Memory, drawn: torch.Tensor, *, bodies: slice | torch.Tensor, offsets: torch.Tensor, **_: object
) -> torch.Tensor:
    """Sine and cosine of the clock's phase, then per foot whether it is to touch the ground (1 or 0).

    Columns drawn: frequency (Hz), stance share, phase that an episode begins with.
    """
    phase = memory["phase"]
    ticked = torch.add(phase, drawn[:, 0], alpha=step.dt)
    phase.copy_(torch.where(step.episode_length == 0, drawn[:, 2], ticked).remainder(1.0))
    if not len(offsets):
        feet = bodies.stop - bodies.start if isinstance(bodies, slice) else len(bodies)
        offsets = torch.arange(feet, device=phase.device) / feet
    stance = (phase.unsqueeze(-1) + offsets).remainder(1.0) < drawn[:, 1:2]
    angle = (2 * PI * phase).unsqueeze(-1)
    return torch.cat((torch.sin(angle), torch.cos(angle), stance), dim=-1)


@register(
    "command",
    size=(2, "bodies"),
    random=(3,),
    buffers={"phase": Buffer()},
    follow=Follow(_clock, drawn=3, steered=2),
)
def gait(
    step: Step,
    memory: Memory,
    random: torch.Tensor,
    *,
    frequency: Annotated[Range, Param(0.0, 20.0, "Hz", "Cycles per second; all feet step once in a cycle")] = (
        1.0,
        1.5,
    ),
    stance: Annotated[Range, Param(0.0, 1.0, "", "Share of the cycle in which a foot is on the ground")] = (0.55, 0.65),
    bodies: Bodies = "foot",
    offsets: Annotated[Numbers, Param(0.0, 1.0, "", "Phase of each foot, in cycles; none: evenly spread")] = (),
) -> torch.Tensor:
    """A gait's clock: sine and cosine of its phase, then for each foot 1 while it should touch the ground, else 0.

    The phase rises by the frequency and goes on through new draws; an episode begins at a random one. A foot's own
    phase is the clock's plus its offset, and its stance comes first: (0, 0.5) walks on two feet, (0, 0) hops.
    """
    low, high = torch.stack([torch.as_tensor(value) for value in (frequency, stance)], dim=-1)
    return torch.cat((low + (high - low) * random[:, :2], random[:, 2:]), dim=-1)
