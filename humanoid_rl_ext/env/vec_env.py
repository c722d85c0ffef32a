"""The vectorised environment: a Task and an engine put together, stepped for all copies at once."""

from __future__ import annotations

from typing import Any

import torch

from humanoid_rl_ext.env.actions import ActionMap
from humanoid_rl_ext.env.initial_state import InitialState
from humanoid_rl_ext.env.statistics import EpisodeStatistics
from humanoid_rl_ext.env.tables import RewardTable, TerminationTable, observation_tables, observe
from humanoid_rl_ext.env.terms import BoundTerm, RandomBlock, bind
from humanoid_rl_ext.env.timers import Command, Timer
from humanoid_rl_ext.env.transition import ActionSpec, EnvSpec, Observations, Transition
from humanoid_rl_ext.errors import TaskError
from humanoid_rl_ext.mdp.step import Step
from humanoid_rl_ext.sim.engine import Engine
from humanoid_rl_ext.task.loading import edited
from humanoid_rl_ext.task.schema import Task


class VecEnv:
    """All environments of a run. Environments whose episode ends are reset within the same step."""

    def __init__(self, task: Task, engine: Engine, seed: int | None = None) -> None:
        """Raises TaskError when a term does not fit the robot (a selector that picks nothing, a missing role)."""
        self.task, self.engine = task, engine
        robot, device = engine.robot, engine.device
        self.num_envs, self.device = engine.num_envs, device
        self._on_cpu = device.type == "cpu"
        self._block = RandomBlock(engine.num_envs, device, task.seed if seed is None else seed)
        self._actions = ActionMap(task.control, robot, engine.num_envs, device)
        self.view = Step(engine, task.control_dt, task.max_episode_length, self._actions.joints)
        self._commands = {
            name: Command(term, task.commands[name].resample_s, self.view, self._block)
            for name, term in bind(task.commands.items(), robot, self.view, self._block).items()
        }
        self.view.commands = {name: command.value for name, command in self._commands.items()}
        self._terminations = TerminationTable(task.terminations, robot, self.view, self._block)
        self._rewards = RewardTable(task.rewards, robot, self.view, self._block)
        self._metrics = bind(task.metrics.items(), robot, self.view, self._block)
        self._randomisation = bind(task.randomisation.items(), robot, self.view, self._block)
        modes = {name: task.randomisation[name].mode for name in self._randomisation}
        starts = [term for name, term in self._randomisation.items() if modes[name] == "reset"]
        self._initial = InitialState(starts, engine)
        self._pushes = {
            name: (term, Timer(task.randomisation[name].interval_s, self.view, self._block))
            for name, term in self._randomisation.items()
            if modes[name] == "interval"
        }
        self._observations = observation_tables(task, robot, self.view, self._block)
        self.statistics = EpisodeStatistics(engine.num_envs, self._rewards.names, list(self._metrics), device)
        self.spec = EnvSpec(
            engine.num_envs,
            {group: table.size for group, table in self._observations.items()},
            ActionSpec("box", len(self._actions.joints), self._actions.names),
            task.max_episode_length,
            {group: table.names for group, table in self._observations.items()},
        )

    @property
    def task_name(self) -> str:
        return self.task.name

    @property
    def engine_name(self) -> str:
        return self.engine.name

    def seed(self, seed: int) -> None:
        """Starts the environment's random numbers anew."""
        self._block.generator.manual_seed(seed)

    def reset(self) -> Observations:
        """Starts a new episode in every environment."""
        self._block.draw()
        self._restart(torch.ones(self.num_envs, dtype=torch.bool, device=self.device))
        return self.observations()

    def observations(self) -> Observations:
        """What the policy sees now."""
        return observe(self._observations, self.view)

    def step(self, actions: torch.Tensor) -> Transition:
        """One control step with actions (num_envs, actions); see Transition for what comes back."""
        view = self.view
        view.last_action.copy_(view.action)
        view.action.copy_(self._actions.clean(actions))
        self.engine.set_targets(self._actions.mode, self._actions.targets(view.action))
        self.engine.step(self.task.sim.decimation)
        self._block.draw()
        view.episode_length += 1
        view.refresh()

        non_finite, all_finite = self._non_finite()
        terminated, truncated, success = self._terminations(view, non_finite)
        view.failed = terminated & ~success
        rewards = self._rewards(view)
        if not all_finite:
            rewards = torch.where(non_finite.unsqueeze(-1), 0.0, rewards)
        self.statistics.add(rewards, [metric(view) for metric in self._metrics.values()], non_finite)
        done = terminated | truncated
        self.statistics.finish(done, view.episode_length, success)
        final = self.observations()
        if not all_finite:
            final = {group: torch.nan_to_num(value) for group, value in final.items()}
        changed = self._restart(done)
        obs = self.observations() if changed else final
        return Transition(obs, rewards.sum(-1), terminated, truncated, final)

    def episode_metrics(self) -> dict[str, float]:
        """Means over the episodes that ended since the last call."""
        return self.statistics.take()

    def finished(self) -> list[tuple[int, float, int, bool]]:
        """Environment, return, length and success of each episode that ended in the last step."""
        return self.statistics.finished()

    def edit(self, path: str, value: Any) -> None:
        """Changes one number of the Task, e.g. ``rewards.alive.weight``; it acts in the next step.

        Raises:
            TaskError: for an unknown path, a value out of bounds, or a field that only a new run can change.
        """
        task = edited(self.task, path, value)
        table, *rest = path.split(".")
        bound: dict[str, BoundTerm] = {
            **(self._rewards.terms if table == "rewards" else {}),
            **(self._terminations.terms if table == "terminations" else {}),
            **({name: command.term for name, command in self._commands.items()} if table == "commands" else {}),
            **(self._randomisation if table == "randomisation" else {}),
            **(self._metrics if table == "metrics" else {}),
        }
        timers = {name: command.timer for name, command in self._commands.items() if command.timer}
        match table, rest:
            case "rewards", [name, "weight"] if name in bound:
                self._rewards.set_weight(name, task.rewards[name].weight)
            case _, [name, "params", param] if name in bound:
                bound[name].set_param(param, getattr(task, table)[name].params[param])
            case "commands", [name, "resample_s"] if name in timers and task.commands[name].resample_s:
                timers[name].seconds.copy_(torch.as_tensor(task.commands[name].resample_s))
            case "randomisation", [name, "interval_s"] if name in self._pushes:
                self._pushes[name][1].seconds.copy_(torch.as_tensor(task.randomisation[name].interval_s))
            case "episode_length_s", []:
                self.view.max_episode_length = task.max_episode_length
            case _:
                raise TaskError(f"edit '{path}': cannot change while training; it takes effect in a new run")
        self.task = task

    def state_dict(self) -> dict[str, Any]:
        """What the next steps depend on, as far as the engine shows it: state, clocks, memories, randomness."""
        state, view = self.engine.state, self.view
        return {
            "root_pose": state.root_pose - torch.nn.functional.pad(self.engine.env_origins, (0, 4)),
            "root_velocity": state.root_velocity.clone(),
            "joint_pos": state.joint_pos.clone(),
            "joint_vel": state.joint_vel.clone(),
            "action": view.action.clone(),
            "episode_length": view.episode_length.clone(),
            "generator": self._block.generator.get_state(),
            "statistics": self.statistics.state_dict(),
            "buffers": {name: buffer.clone() for name, buffer in self._buffers().items()},
        }

    def load_state_dict(self, saved: dict[str, Any]) -> None:
        """Restores ``state_dict`` of an environment with the same Task and number of copies."""
        view, everywhere = self.view, torch.ones(self.num_envs, dtype=torch.bool, device=self.device)
        root_pose = saved["root_pose"].to(self.device) + torch.nn.functional.pad(self.engine.env_origins, (0, 4))
        motion = [saved[key].to(self.device) for key in ("root_velocity", "joint_pos", "joint_vel")]
        self.engine.reset(everywhere, root_pose, *motion)
        view.action.copy_(saved["action"])
        view.episode_length.copy_(saved["episode_length"])
        self._block.generator.set_state(saved["generator"].cpu())
        self.statistics.load_state_dict(saved["statistics"])
        for name, buffer in self._buffers().items():
            buffer.copy_(saved["buffers"][name])
        view.refresh()

    def close(self) -> None:
        """Frees the engine."""
        self.engine.close()

    def _non_finite(self) -> tuple[torch.Tensor, bool]:
        """(num_envs,) bool: environments whose state holds a value that is not finite; and whether surely none does."""
        state = self.engine.state
        if self._on_cpu:  # the usual case, at a fraction of the price
            total = state.root_pose.sum() + state.root_velocity.sum() + state.joint_pos.sum() + state.joint_vel.sum()
            if total.isfinite():
                return torch.zeros(self.num_envs, dtype=torch.bool), True
        everything = torch.cat((state.root_pose, state.root_velocity, state.joint_pos, state.joint_vel), dim=-1)
        return ~torch.isfinite(everything.sum(-1)), False

    def _restart(self, done: torch.Tensor) -> bool:
        """Resets what ended, gives due shoves, draws due commands; False when surely nothing has changed."""
        view, state = self.view, self.engine.state
        touched, shove = done, None
        for push, timer in self._pushes.values():
            due = timer.due(done)
            velocity = torch.where(due.unsqueeze(-1), push(view), 0.0)
            shove = velocity if shove is None else shove + velocity
            touched = touched | due
        written = not self._on_cpu or bool(touched.any())
        if written:
            keep = ~done.unsqueeze(-1)
            root_pose, root_velocity, joint_pos, joint_vel = self._initial.draw(view)
            if shove is not None:
                root_pose = torch.where(keep, state.root_pose, root_pose)
                root_velocity = torch.where(keep, state.root_velocity + shove, root_velocity)
                joint_pos = torch.where(keep, state.joint_pos, joint_pos)
                joint_vel = torch.where(keep, state.joint_vel, joint_vel)
            self.engine.reset(touched, root_pose, root_velocity, joint_pos, joint_vel)
            view.episode_length.masked_fill_(done, 0)
            view.action.masked_fill_(done.unsqueeze(-1), 0.0)
            for term in self._rewards.terms.values():
                term.reset(done)
            view.refresh()
        for command in self._commands.values():
            command.refresh(view, done)
        return written or bool(self._commands)

    def _buffers(self) -> dict[str, torch.Tensor]:
        buffers = {f"command.{name}": command.value for name, command in self._commands.items()}
        timers = {f"command.{name}.timer": command.timer for name, command in self._commands.items()}
        timers |= {f"push.{name}.timer": timer for name, (_, timer) in self._pushes.items()}
        buffers |= {name: timer.left for name, timer in timers.items() if timer is not None}
        for name, term in self._rewards.terms.items():
            buffers |= {f"reward.{name}.{key}": memory for key, memory in term.memory.items()}
        return buffers
