"""What differs from one environment to the next: masses, friction, drives, gravity, delays, forces.

Like all randomisations these return samples, (num_envs, k), and write nothing; ``env.randomiser`` knows what a target
stands for. Several entries on one quantity are combined: factors multiply, offsets add up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from humanoid_rl_ext.mdp.step import Step
from humanoid_rl_ext.task.registry import Bodies, Joints, Param, Range, register

if TYPE_CHECKING:
    import torch
else:
    from humanoid_rl_ext.lazy import LazyModule

    torch = LazyModule("torch")

Each = Annotated[bool, Param(help="Whether every picked one has a number of its own, instead of one for all")]
LASTING = ("reset", "start", "interval")
Factor = Annotated[Range, Param(0.01, 100.0, "", "Factor on the robot's own values")]
Force = Annotated[Range, Param(-1e5, 1e5, "N", "Force along a world axis")]
Torque = Annotated[Range, Param(-1e5, 1e5, "N m", "Torque about a world axis")]


def within(random: torch.Tensor, *ranges: Range) -> torch.Tensor:
    """Uniform samples (num_envs, k), one range per column, or one for all of them."""
    low, high = torch.stack([torch.as_tensor(value) for value in ranges], dim=-1)
    return torch.lerp(low, high, random)


def _samples(random: torch.Tensor, bounds: Range, each: bool) -> torch.Tensor:
    """(num_envs, 1), or (num_envs, picked) where each has its own."""
    low, high = torch.as_tensor(bounds)
    return torch.lerp(low, high, random if each else random[:, :1])


@register("randomisation", random=("bodies",), target="mass", modes=LASTING)
def mass(
    step: Step, random: torch.Tensor, *, bodies: Bodies = ".*", scale: Factor = (0.8, 1.2), each: Each = False
) -> torch.Tensor:
    """Mass of the picked bodies, and their inertia with it."""
    return _samples(random, scale, each)


@register("randomisation", random=(3,), target="com", modes=LASTING)
def centre_of_mass(
    step: Step,
    random: torch.Tensor,
    *,
    bodies: Bodies = "base",
    offset: Annotated[Range, Param(-1.0, 1.0, "m", "Added along each axis of the body")] = (-0.03, 0.03),
) -> torch.Tensor:
    """Where the picked bodies' mass is centred: moved along all three axes, by the same for all of them."""
    return _samples(random, offset, True)


@register("randomisation", random=(1,), target="friction", modes=LASTING)
def friction(step: Step, random: torch.Tensor, *, scale: Factor = (0.5, 1.5)) -> torch.Tensor:
    """Friction of the robot's contacts, at rest and in motion."""
    return _samples(random, scale, False)


@register("randomisation", random=(1,), target="restitution", modes=LASTING)
def restitution(
    step: Step,
    random: torch.Tensor,
    *,
    value: Annotated[Range, Param(0.0, 1.0, "", "Share of the speed that a contact gives back")] = (0.0, 0.3),
) -> torch.Tensor:
    """Bounciness of the robot's contacts. Newton has none."""
    return _samples(random, value, False)


@register("randomisation", random=("joints",), target="joint_stiffness", modes=LASTING)
def joint_stiffness(
    step: Step, random: torch.Tensor, *, joints: Joints = ".*", scale: Factor = (0.8, 1.2), each: Each = False
) -> torch.Tensor:
    """Stiffness of the picked joints' drives."""
    return _samples(random, scale, each)


@register("randomisation", random=("joints",), target="joint_damping", modes=LASTING)
def joint_damping(
    step: Step, random: torch.Tensor, *, joints: Joints = ".*", scale: Factor = (0.5, 2.0), each: Each = False
) -> torch.Tensor:
    """Damping of the picked joints' drives."""
    return _samples(random, scale, each)


@register("randomisation", random=("joints",), target="joint_armature", modes=LASTING)
def joint_armature(
    step: Step, random: torch.Tensor, *, joints: Joints = ".*", scale: Factor = (0.5, 2.0), each: Each = False
) -> torch.Tensor:
    """Inertia of the picked joints' motors, as felt at the joint."""
    return _samples(random, scale, each)


@register("randomisation", random=("joints",), target="joint_friction", modes=LASTING)
def joint_friction(
    step: Step,
    random: torch.Tensor,
    *,
    joints: Joints = ".*",
    effort: Annotated[Range, Param(0.0, 1e4, "N m", "Added to the joint's friction (N m or N)")] = (0.0, 0.5),
    each: Each = False,
) -> torch.Tensor:
    """Friction in the picked joints: an effort against any motion."""
    return _samples(random, effort, each)


@register("randomisation", random=("joints",), target="motor_strength", modes=LASTING)
def motor_strength(
    step: Step, random: torch.Tensor, *, joints: Joints = ".*", scale: Factor = (0.8, 1.2), each: Each = False
) -> torch.Tensor:
    """What the picked joints' motors deliver of what they are asked for: scales drive gains and effort limit alike."""
    return _samples(random, scale, each)


@register("randomisation", random=(1,), target="gravity", modes=LASTING)
def gravity(
    step: Step,
    random: torch.Tensor,
    *,
    magnitude: Annotated[Range, Param(0.0, 100.0, "m/s2", "Size of gravity; its direction is the scene's")] = (
        9.7,
        9.9,
    ),
) -> torch.Tensor:
    """Gravity of each environment. On PhysX a force at every body's centre of mass makes the difference."""
    return _samples(random, magnitude, False)


@register("randomisation", random=(6,), target="wrench", modes=("interval", "reset", "start", "step"))
def external_force(
    step: Step,
    random: torch.Tensor,
    *,
    bodies: Bodies = "base",
    force_x: Force = (-20.0, 20.0),
    force_y: Force = (-20.0, 20.0),
    force_z: Force = (0.0, 0.0),
    torque_x: Torque = (0.0, 0.0),
    torque_y: Torque = (0.0, 0.0),
    torque_z: Torque = (0.0, 0.0),
) -> torch.Tensor:
    """A force and a torque on each picked body's centre of mass, along world axes, until drawn anew."""
    return within(random, force_x, force_y, force_z, torque_x, torque_y, torque_z)


@register("randomisation", random=(1,), target="action_delay", modes=LASTING)
def action_delay(
    step: Step,
    random: torch.Tensor,
    *,
    delay: Annotated[Range, Param(0.0, 0.2, "s", "Time from an action to its acting, rounded to sub-steps")] = (
        0.0,
        0.02,
    ),
) -> torch.Tensor:
    """How late actions reach the joints."""
    return _samples(random, delay, False)


@register("randomisation", random=("joints",), target="action", modes=("step", "reset", "start", "interval"))
def action_noise(
    step: Step,
    random: torch.Tensor,
    *,
    joints: Joints = ".*",
    offset: Annotated[Range, Param(-10.0, 10.0, "", "Added to the action, before its scale")] = (-0.02, 0.02),
) -> torch.Tensor:
    """What is added to the actions of the picked joints: noise in every step, or an offset that lasts."""
    return _samples(random, offset, True)
