"""Where episodes start: the standing pose, varied by the Task's randomisations."""

from __future__ import annotations

from collections.abc import Iterable

import torch

from humanoid_rl_ext.env.terms import BoundTerm
from humanoid_rl_ext.mdp.step import Step
from humanoid_rl_ext.sim.engine import Engine
from humanoid_rl_ext.sim.rotation import quat_from_euler, quat_mul


class InitialState:
    """Draws start states for all environments from the Task's ``reset`` randomisations."""

    def __init__(self, terms: Iterable[BoundTerm], engine: Engine) -> None:
        self._terms, self._engine = list(terms), engine
        robot, device, num_envs = engine.robot, engine.device, engine.num_envs
        self._position = torch.tensor([0.0, 0.0, robot.standing_height], device=device)
        self._rotation = torch.tensor(robot.standing_rotation, device=device)
        self._joint_pos = torch.tensor([joint.default for joint in robot.joints], device=device).repeat(num_envs, 1)
        self._lower = torch.tensor([joint.lower for joint in robot.joints], device=device)
        self._upper = torch.tensor([joint.upper for joint in robot.joints], device=device)

    def draw(self, step: Step) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """Root pose (num_envs, 7) in the world, root velocity (num_envs, 6), joint positions and velocities."""
        num_envs = step.num_envs
        position = self._position + self._engine.env_origins
        rotation = self._rotation.expand(num_envs, 4)
        velocity = position.new_zeros(num_envs, 6)
        joint_pos, joint_vel = self._joint_pos.clone(), torch.zeros_like(self._joint_pos)
        for term in self._terms:
            samples = term(step)
            if term.spec.target == "initial_root":
                position = position + samples[:, :3]
                rotation = quat_mul(quat_from_euler(*samples[:, 3:6].unbind(-1)), rotation)
                velocity = velocity + samples[:, 6:]
            else:
                values = joint_pos if term.spec.target == "initial_joint_pos" else joint_vel
                values[:, term.param("joints")] += samples
        return torch.cat((position, rotation), dim=-1), velocity, joint_pos.clamp(self._lower, self._upper), joint_vel
