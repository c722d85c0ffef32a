"""One environment at one moment, in numpy: what a viewport draws."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from humanoid_rl_ext.robot.rotation import quat_rotate

if TYPE_CHECKING:
    import torch

    from humanoid_rl_ext.env.vec_env import VecEnv
    from humanoid_rl_ext.robot.description import RobotDescription

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """State of one environment; SI units, world frame. What was not asked for is None."""

    body_pose: Array
    """(bodies, 7): position, quaternion x, y, z, w."""
    origin: Array
    """(3,) the environment's place in the world."""
    time: float = 0.0
    """Time since the episode began (s)."""
    contact_force: Array | None = None
    """(bodies, 3) net normal contact force (N)."""
    joint_effort: Array | None = None
    """(joints,) effort of the drives (N m or N)."""
    base_velocity: Array | None = None
    """(6,) linear velocity of the base's centre of mass (m/s) and its angular velocity (rad/s)."""
    commands: Mapping[str, Array] = field(default_factory=dict)
    """What the environment is asked for, by the kind of command (``velocity``, ``target``)."""


def take_snapshot(env: VecEnv, index: int, overlays: Collection[str] = ()) -> Snapshot:
    """State of environment ``index`` (an engine's row, reserved ones included) with what ``overlays`` show.

    ``contacts`` reads contact forces, ``torques`` joint efforts, ``velocity`` the base's velocity and the commands,
    ``target`` the commands. One transfer from the device.
    """
    view, state = env.view, env.engine.state
    parts: dict[str, torch.Tensor] = {
        "pose": state.body_pose[index],
        "origin": env.engine.env_origins[index],
        "steps": view.episode_length[index],
    }
    if "contacts" in overlays:
        parts["contact"] = view.contact_force_w[index]
    if "torques" in overlays:
        parts["effort"] = view.joint_effort[index]
    if "velocity" in overlays:
        parts["velocity"] = state.root_velocity[index]
    if "velocity" in overlays or "target" in overlays:
        parts |= {f"command.{name}": values[index] for name, values in view.commands.items()}
    read = _on_host(parts)
    kinds = {name: section.spec.name for name, section in env.task.commands.items()}
    return Snapshot(
        body_pose=read["pose"],
        origin=read["origin"],
        time=float(read["steps"]) * view.dt,
        contact_force=read.get("contact"),
        joint_effort=read.get("effort"),
        base_velocity=read.get("velocity"),
        commands={kinds[name]: read[f"command.{name}"] for name in view.commands if f"command.{name}" in read},
    )


def _on_host(parts: Mapping[str, torch.Tensor]) -> dict[str, Array]:
    """The tensors in numpy, each in its shape, by way of one buffer."""
    import torch

    packed = torch.cat([part.reshape(-1).float() for part in parts.values()]).cpu().numpy().astype(np.float64)
    ends = np.cumsum([part.numel() for part in parts.values()])
    pieces = np.split(packed, ends[:-1])
    return {name: piece.reshape(part.shape) for (name, part), piece in zip(parts.items(), pieces, strict=True)}


def centre_of_mass(robot: RobotDescription, body_pose: Array) -> Array:
    """(3,) centre of mass of the whole robot with its bodies at ``body_pose`` (bodies, 7)."""
    mass = np.array([body.mass for body in robot.bodies])
    local = np.array([body.com for body in robot.bodies])
    placed = body_pose[:, :3] + quat_rotate(body_pose[:, 3:], local)
    return mass @ placed / mass.sum()
