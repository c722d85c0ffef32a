"""Where episodes start: the standing pose, varied by the Task's randomisations; and shoves on the way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch

from humanoid_rl_ext.env.stored_states import StoredStates
from humanoid_rl_ext.env.terms import BoundTerm, RandomBlock
from humanoid_rl_ext.env.terrain_levels import TerrainLevels, levels_of
from humanoid_rl_ext.env.timers import Timer
from humanoid_rl_ext.mdp.step import Step
from humanoid_rl_ext.sim.engine import Engine
from humanoid_rl_ext.sim.rotation import quat_from_euler, quat_mul
from humanoid_rl_ext.task.schema import Task

STATE = ("initial_root", "initial_joint_pos", "initial_joint_vel", "root_velocity")
"""Targets of randomisations that are part of the robot's state."""


class InitialState:
    """Draws start states for all environments from the Task's ``reset`` randomisations."""

    def __init__(self, terms: Iterable[BoundTerm], engine: Engine, origins: torch.Tensor) -> None:
        """``origins`` (num_envs, 3) are those of the episodes that are about to start."""
        self._terms, self._origins = list(terms), origins
        robot, device, num_envs = engine.robot, engine.device, engine.num_envs
        self._position = torch.tensor([0.0, 0.0, robot.standing_height], device=device)
        self._rotation = torch.tensor(robot.standing_rotation, device=device)
        self._joint_pos = torch.tensor([joint.default for joint in robot.joints], device=device).repeat(num_envs, 1)
        self._at_rest = torch.zeros(num_envs, 6, device=device)
        self._lower = torch.tensor([joint.lower for joint in robot.joints], device=device)
        self._upper = torch.tensor([joint.upper for joint in robot.joints], device=device)

    def draw(self, step: Step) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """Root pose (num_envs, 7) in the world, root velocity (num_envs, 6), joint positions and velocities."""
        num_envs = step.num_envs
        position = self._position + self._origins
        rotation = self._rotation.expand(num_envs, 4)
        velocity = self._at_rest
        joint_pos, joint_vel = self._joint_pos.clone(), torch.zeros_like(self._joint_pos)
        for term in self._terms:
            samples = term(step)
            if term.spec.target == "initial_root":
                position = position + samples[:, :3]
                rotation = quat_mul(quat_from_euler(samples[:, 3:6]), rotation)
                velocity = velocity + samples[:, 6:]
            else:
                values = joint_pos if term.spec.target == "initial_joint_pos" else joint_vel
                values[:, term.param("joints")] += samples
        return torch.cat((position, rotation), dim=-1), velocity, joint_pos.clamp(self._lower, self._upper), joint_vel


class Restarts:
    """Whatever is written to the engine after a step: new starts where episodes ended, shoves where they are due."""

    def __init__(
        self,
        task: Task,
        terms: Mapping[str, BoundTerm],
        engine: Engine,
        step: Step,
        block: RandomBlock,
        learning: int,
    ) -> None:
        """``terms`` are the Task's randomisations that are enabled; the first ``learning`` environments learn.

        Raises:
            TaskError: for a file of states that is missing or does not fit the robot.
        """
        table, episodes = task.randomisation, task.episodes
        modes = {name: table[name].mode for name in terms if terms[name].spec.target in STATE}
        starts = [terms[name] for name, mode in modes.items() if mode == "reset"]
        self.levels: TerrainLevels = levels_of(engine, step, block)
        """Where on the terrain environments are; on flat ground they stay where they are."""
        self._initial = InitialState(starts, engine, self.levels.origins)
        self._stored: StoredStates | None = None
        if episodes.start_from != "standing":
            self._stored = StoredStates(episodes, engine, self.levels.origins, step, block, learning)
        self._state = engine.state
        self.pushes = {
            name: (term, Timer(table[name].interval_s, step, block))
            for name, term in terms.items()
            if modes.get(name) == "interval"
        }
        """Each shove with the clock that says when it is due."""

    @property
    def timers(self) -> dict[str, Timer]:
        """The clocks of the shoves."""
        return {name: timer for name, (_, timer) in self.pushes.items()}

    def __call__(self, done: torch.Tensor, step: Step) -> tuple[torch.Tensor, tuple[torch.Tensor, ...] | None]:
        """Environments to be written to (num_envs,), and root pose and velocity, joint positions and velocities.

        None in their place when surely nothing is to be written, which only a CPU is asked.
        """
        state, touched, shove = self._state, done, None
        for push, timer in self.pushes.values():
            due = timer.run(done) > done
            velocity = torch.where(due.unsqueeze(-1), push(step), 0.0)
            shove = velocity if shove is None else shove + velocity
            touched = touched | due
        if done.device.type == "cpu" and not touched.any():
            return touched, None
        motion: tuple[torch.Tensor, ...] = self._initial.draw(step)
        if self._stored is not None:
            motion = self._stored.replace(motion)
        root_pose, root_velocity, joint_pos, joint_vel = motion
        if shove is not None:
            keep = ~done.unsqueeze(-1)
            root_pose = torch.where(keep, state.root_pose, root_pose)
            root_velocity = torch.where(keep, state.root_velocity + shove, root_velocity)
            joint_pos = torch.where(keep, state.joint_pos, joint_pos)
            joint_vel = torch.where(keep, state.joint_vel, joint_vel)
        return touched, (root_pose, root_velocity, joint_pos, joint_vel)

    def after_step(self, step: Step) -> None:
        """To be called once per step, outside what is recorded."""
        if self._stored is not None:
            self._stored.take_in(step)

    def buffers(self) -> dict[str, torch.Tensor]:
        """What a checkpoint keeps per environment, by name."""
        return {f"push.{name}.timer": timer.left for name, timer in self.timers.items()}

    def state_dict(self) -> dict[str, Any]:
        """The states that episodes may start from."""
        return {} if self._stored is None else self._stored.state_dict()

    def load_state_dict(self, saved: Mapping[str, Any]) -> None:
        """Restores ``state_dict``; that of a Task whose episodes started otherwise is passed over."""
        if self._stored is not None and saved:
            self._stored.load_state_dict(saved)
