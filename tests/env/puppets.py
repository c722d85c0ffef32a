"""An engine without physics: robots move as their targets and a script say, the same on every device."""

from __future__ import annotations

from collections.abc import Callable

import torch

from humanoid_rl_ext.robot import load_robot
from humanoid_rl_ext.sim.engine import SceneSettings, State, TargetMode
from humanoid_rl_ext.sim.rotation import quat_from_euler


class Puppets:
    """Implements ``sim.engine.Engine``: joints follow their targets, bases sink, rise and tilt by prescribed noise."""

    name = "puppets"
    records_resets = False
    stream = None

    def __init__(self, num_envs: int, device: str, seed: int = 0) -> None:
        self.robot = load_robot("humanoid")
        self.settings = SceneSettings(num_envs, device)
        self.num_envs, self.device, self.dt = num_envs, torch.device(device), 0.005
        generator = torch.Generator().manual_seed(seed)
        joints, bodies = len(self.robot.joints), len(self.robot.bodies)
        self._script = torch.randn(400, num_envs, 6, generator=generator).to(device)
        self._contacts = torch.zeros(num_envs, bodies, 3, device=device)
        self._time = 0
        self.env_origins = torch.zeros(num_envs, 3, device=device)
        self.properties: dict[str, str] = {}
        zeros = lambda *shape: torch.zeros(num_envs, *shape, device=device)  # noqa: E731
        self.state = State(zeros(7), zeros(6), zeros(joints), zeros(joints), zeros(bodies, 7), zeros(bodies, 6))
        self.state.root_pose[:, 2], self.state.root_pose[:, 6] = self.robot.standing_height, 1.0
        self._targets = zeros(joints)

    def set_targets(self, mode: TargetMode, targets: torch.Tensor) -> None:
        self._targets.copy_(targets)

    def step(self, substeps: int) -> None:
        state, noise = self.state, self._script[self._time]
        self._time += 1
        state.joint_vel.copy_((self._targets - state.joint_pos) * 5.0)
        state.joint_pos.add_(state.joint_vel, alpha=self.dt * substeps)
        state.root_velocity.copy_(noise)
        state.root_pose[:, :3] += 0.05 * noise[:, :3]
        state.root_pose[:, 3:] = quat_from_euler(0.2 * noise[:, 3:])
        self._contacts.copy_(noise[:, None, :3].abs() * 50.0)
        self._follow()

    def reset(self, mask: torch.Tensor, *motion: torch.Tensor, bodies: bool = True) -> None:
        state = self.state
        held = (state.root_pose, state.root_velocity, state.joint_pos, state.joint_vel)
        for values, new in zip(held, motion, strict=True):
            values.copy_(torch.where(mask.unsqueeze(-1), new, values))
        self._follow()

    def record(self, substeps: int) -> Callable[[], None] | None:
        return None

    def read_contacts(self) -> torch.Tensor:
        return self._contacts

    def joint_effort(self) -> torch.Tensor:
        return 10.0 * (self._targets - self.state.joint_pos)

    def close(self) -> None:
        self._script = self._script[:0]

    def _follow(self) -> None:
        self.state.body_pose.copy_(self.state.root_pose.unsqueeze(1).expand_as(self.state.body_pose))
        self.state.body_velocity.copy_(self.state.root_velocity.unsqueeze(1).expand_as(self.state.body_velocity))
