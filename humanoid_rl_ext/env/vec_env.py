"""The vectorised environment: a Task and an engine put together, stepped for all copies at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

from humanoid_rl_ext.env import edits
from humanoid_rl_ext.env.actions import ActionMap
from humanoid_rl_ext.env.agents import agent_specs
from humanoid_rl_ext.env.initial_state import Restarts
from humanoid_rl_ext.env.outcome import Outcome
from humanoid_rl_ext.env.randomiser import Randomiser
from humanoid_rl_ext.env.sampling import bind_randomisation
from humanoid_rl_ext.env.sensing import Sensors
from humanoid_rl_ext.env.statistics import Episode, EpisodeStatistics
from humanoid_rl_ext.env.symmetry import symmetry
from humanoid_rl_ext.env.tables import RewardTable, TerminationTable, observation_tables, observe
from humanoid_rl_ext.env.terms import RandomBlock, bind
from humanoid_rl_ext.env.timers import Command
from humanoid_rl_ext.env.transition import EnvSpec, Observations, Transition
from humanoid_rl_ext.errors import TaskError, did_you_mean
from humanoid_rl_ext.mdp.step import Step
from humanoid_rl_ext.sim.engine import Engine
from humanoid_rl_ext.sim.recording import EAGER_CALLS, Branch, Recording, restore_generator
from humanoid_rl_ext.task.loading import edited
from humanoid_rl_ext.task.schema import Task


class VecEnv:
    """All environments of a run. Environments whose episode ends are reset within the same step.

    The engine's last ``reserved`` environments are kept out of learning and metrics: they act by ``reserved_actions``
    and are seen by the methods whose names begin with ``reserved``. ``num_envs`` counts the others, which draw the same
    random numbers with and without them.
    """

    def __init__(self, task: Task, engine: Engine, seed: int | None = None, reserved: int = 0) -> None:
        """Raises TaskError when a term does not fit the robot (a selector that picks nothing, a missing role)."""
        self.task, self.engine, self.reserved = task, engine, reserved
        robot, device = engine.robot, engine.device
        self.num_envs, self.device = engine.num_envs - reserved, device
        self.task_name, self.engine_name, self._on_cpu = task.name, engine.name, device.type == "cpu"
        self._block = RandomBlock(self.num_envs, device, task.seed if seed is None else seed, reserved)
        self._actions = ActionMap(task.control, robot, engine.num_envs, device, task.agents)
        self.view = Step(engine, task.control_dt, task.max_episode_length, self._actions.joints)
        self._commands = {
            name: Command(term, task.commands[name].resample_s, self.view, self._block, slice(self.num_envs, None))
            for name, term in bind(task.commands.items(), robot, self.view, self._block).items()
        }
        self.view.commands = {name: command.value for name, command in self._commands.items()}
        self._terminations = TerminationTable(task.terminations, robot, self.view, self._block)
        self._metrics = bind(task.metrics.items(), robot, self.view, self._block)
        agents = list(task.agents or ()) if task.reward_per_agent else []
        table = task.rewards, robot, self.view, self._block, len(self._metrics)
        self._rewards = RewardTable(*table, scale=task.reward_scale, agents=agents)
        self._randomisation = bind_randomisation(task.randomisation, robot, self.view, self._block)
        self._restarts = Restarts(task, self._randomisation, engine, self.view, self._block, self.num_envs)
        self.randomiser = Randomiser(task, self._randomisation, engine, self.view, self._block, self._actions)
        self._observations = observation_tables(task, robot, self.view, self._block)
        self._sensors = Sensors({group: table.sensing for group, table in self._observations.items()}, self._block)
        self._statistics = EpisodeStatistics(self.num_envs, self._rewards.names, list(self._metrics), device, reserved)
        self._learning = torch.arange(engine.num_envs, device=device) < self.num_envs
        self._seen: Observations | None = None
        self._paid: tuple[list[str], torch.Tensor] | None = None
        self._cut = torch.zeros(1, dtype=torch.bool, device=device)
        self._outcome: Outcome
        self._bodies_seen_at_start, self._steps = True, 0
        self._launch: Callable[[], None] | None = None
        self._paying, self._counted = Branch(device), Branch(device)
        self._counting = Recording(lambda: self._statistics.take_in(self._outcome), device)
        begin = lambda: self._begin_anew(self._outcome)  # noqa: E731
        self._judging, self._beginning = Recording(self._judge, device), Recording(begin, device)
        self._ending = Recording(lambda: self._end(self._judge, begin), device)
        self.reserved_actions = self._reserved_rows = self._actions.at_rest(reserved)
        """What the reserved environments do in the next step, as ``step`` takes it; as good as nothing at first."""
        self.spec = EnvSpec(
            self.num_envs,
            {group: table.size for group, table in self._observations.items()},
            self._actions.spec,
            task.max_episode_length,
            {group: table.names for group, table in self._observations.items()},
            agent_specs(task.agents, robot, self._actions, self._observations["policy"]),
            task.reward_per_agent,
            lambda: symmetry(self),
        )

    @property
    def statistics(self) -> EpisodeStatistics:
        """What episodes came to; on a GPU it is brought up to date beside the policy and physics."""
        self._counted.join()
        return self._statistics

    def seed(self, seed: int) -> None:
        """Starts the environment's random numbers anew."""
        self._block.generator.manual_seed(seed)

    def reset(self) -> Observations:
        """Starts a new episode in every environment."""
        self._block.draw()
        self.randomiser.start()
        everywhere = torch.ones_like(self._learning)
        touched, motion = self._restarts(everywhere, self.view)
        assert motion is not None
        self.engine.reset(touched, *motion)
        nothing = torch.zeros_like(self.view.episode_length, dtype=torch.float32)
        flags = everywhere, ~everywhere, everywhere, ~everywhere, None
        self._begin_anew(Outcome(*flags, nothing, nothing, nothing, {}, touched, motion, {}))
        self.statistics.forget()
        return self.observations()

    def observations(self) -> Observations:
        """What the policy sees now."""
        self._seen = observe(self._observations, self.view)
        return self._of_learning(self._seen)

    def step(self, actions: torch.Tensor) -> Transition:
        """One control step with actions as ``spec.action`` has them; see Transition for what comes back.

        On a GPU the tensors of the transition are filled anew by the next step.
        """
        self.begin_step(actions)
        self._advance()
        return self.end_step()

    def _advance(self) -> None:
        """Physics of one control step: recorded where the engine can be, once everything has settled."""
        self._steps += 1
        if self._steps == EAGER_CALLS + 1 and not self._on_cpu:
            self._launch = self.engine.record(self.task.sim.decimation)
        if self._launch is None:
            self.engine.step(self.task.sim.decimation)
        else:
            self._launch()

    def begin_step(self, actions: torch.Tensor) -> None:
        """First half of ``step``, for a host that advances physics itself: actions act."""
        view = self.view
        if self.reserved:
            actions = torch.cat((actions, self._reserved_rows))
        view.last_action.copy_(view.action)
        self._actions.clean(actions, out=view.action)
        self.engine.set_targets(self._actions.mode, self._actions.targets(self.randomiser.disturbed(view.action)))

    def end_step(self) -> Transition:
        """Second half of ``step``, once the engine's state is that after the control step."""
        self._block.draw()
        self._counted.join()
        if self.engine.records_resets:
            self._ending()
        else:
            self._end(self._judging, self._beginning)
        with self._counted():
            self._counting()
        outcome = self._outcome
        self._seen = outcome.seen
        self.randomiser.after_step()
        if not self._on_cpu:
            self.view.refresh()  # a replay refreshes nothing in Python
        self._restarts.after_step(self.view)
        ours = slice(self.num_envs)
        return Transition(
            self._of_learning(outcome.seen),
            outcome.reward[ours],
            outcome.terminated[ours],
            outcome.truncated[ours],
            self._of_learning(outcome.final),
        )

    def _end(self, judge: Callable[[], None], begin: Callable[[], None]) -> None:
        """Judges the step, lets the engine write new starts, and lets new episodes begin."""
        if self.view.reads_contacts:
            self.engine.read_contacts()
        judge()
        outcome = self._outcome
        if outcome.motion is not None:
            self.engine.reset(outcome.touched, *outcome.motion, bodies=self._bodies_seen_at_start)
        begin()

    def _judge(self) -> None:
        """What the step was worth, whose episode ends with it, and where those go on."""
        view = self.view
        view.episode_length += 1
        view.refresh()
        non_finite = self._non_finite()
        terminated, truncated, success = self._terminations(view, non_finite)
        if self.reserved:
            truncated |= self._cut & ~self._learning & ~terminated
            self._cut.zero_()
        torch.gt(terminated, success, out=view.failed)
        terminated, truncated, success = self._together(terminated, truncated, success)
        done = terminated | truncated
        self._sensors.advance()
        with self._paying(), view.apart():
            values = self._rewards(view, list(self._metrics.values()))
            if non_finite is not None:
                values = torch.where(non_finite.unsqueeze(-1), 0.0, values)
            paid = values[:, : len(self._rewards.names)]
            reward = self._rewards.total(paid)
        self._restarts.levels(done, view)
        touched, motion = self._restarts(done, view)
        final = {} if motion is None else observe(self._observations, view)
        if non_finite is not None:
            final = {group: torch.nan_to_num_(value) for group, value in final.items()}
        self._paying.join(values, reward)
        self.randomiser(done, view.failed, self.num_envs)  # not beside rewards, which look at the drives
        self._paid = self._rewards.names, paid
        flags = terminated, truncated, done, success, non_finite
        self._outcome = Outcome(*flags, values, reward, view.episode_length.clone(), final, touched, motion, final)

    def _together(self, *ended: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Terminated, truncated and success of rows that end together; here none do."""
        return ended

    def _begin_anew(self, outcome: Outcome) -> None:
        """After the engine's reset: clears what belongs to ended episodes, draws due commands, observes."""
        view = self.view
        if outcome.motion is not None:
            view.episode_length.masked_fill_(outcome.done, 0)
            view.action.masked_fill_(outcome.done.unsqueeze(-1), 0.0)
            for term in self._rewards.terms.values():
                term.reset(outcome.done)
            view.forget_contacts(outcome.done)
            self._restarts.levels.settle()
            view.refresh()
        view.reads_bodies = False
        for command in self._commands.values():
            command.refresh(view, outcome.done)
        self._sensors.begin(outcome.done)
        outcome.seen = observe(self._observations, view)
        self._bodies_seen_at_start = view.reads_bodies
        outcome.final = outcome.final or outcome.seen

    def episode_metrics(self) -> dict[str, float]:
        """Means over the episodes that ended since the last call."""
        return self.statistics.take()

    def finished(self) -> list[Episode]:
        """Environment, return, length and success of each episode that ended in the last step."""
        return self.statistics.finished()

    def reserved_observations(self) -> Observations:
        """What the reserved environments see now, (reserved, size) each."""
        if self._seen is None:
            self._seen = observe(self._observations, self.view)
        return {group: values[self.num_envs :] for group, values in self._seen.items()}

    def reserved_metrics(self) -> dict[str, float]:
        """``episode_metrics`` of the reserved environments."""
        return self.statistics.take(reserved=True)

    def reserved_finished(self) -> list[Episode]:
        """``finished`` of the reserved environments, counted from zero."""
        return self.statistics.finished(reserved=True)

    def restart_reserved(self) -> None:
        """Cuts the reserved environments' episodes off at the end of the next step."""
        self._cut.fill_(True)

    def drive(self, command: str, values: Sequence[float] | None) -> None:
        """Gives the reserved environments a command in place of the drawn ones, until released by None.

        Raises:
            TaskError: for a command that the Task has not got, or values that are not finite or too many or few.
        """
        if command not in self._commands:
            raise TaskError(f"there is no command '{command}' to drive; {did_you_mean(command, self._commands)}")
        self._commands[command].hold(values, self.view)
        self._seen = None

    @property
    def drives(self) -> dict[str, tuple[float, ...]]:
        """The commands given by ``drive`` that have not been released."""
        return {name: command.held for name, command in self._commands.items() if command.held is not None}

    def push_reserved(self, velocity_w: torch.Tensor) -> None:
        """Adds a velocity (reserved, 3) or (3,) along world axes (m/s) to the reserved environments' bases, at once."""
        state = self.engine.state
        root_velocity = state.root_velocity.clone()
        root_velocity[self.num_envs :, :3] += velocity_w
        motion = (state.root_pose.clone(), root_velocity, state.joint_pos.clone(), state.joint_vel.clone())
        self.engine.reset(~self._learning, *motion)
        self.view.refresh()
        self._seen = None

    def term_rewards(self, env: int) -> dict[str, float]:
        """Weighted reward per second of each term in the last step of one environment; empty before the first."""
        if self._paid is None:
            return {}
        names, paid = self._paid
        return dict(zip(names, (paid[env] / self.view.dt).tolist(), strict=True))

    def can_edit(self, path: str) -> bool:
        """Whether ``edit`` of a path acts in the next step; any other field takes effect in a new run."""
        return edits.can_edit(self, path)

    def edit(self, path: str, value: Any) -> None:
        """Changes the Task in one place, e.g. ``rewards.alive.weight``; it acts in the next step.

        Rewards may be added (a dict), removed (None), switched and changed in any way; of the rest, numbers that
        ``can_edit`` names.

        Raises:
            TaskError: for an unknown path, a value that is not allowed, or a field that only a new run can change;
                nothing has changed then.
        """
        task = edited(self.task, path, value)
        if not self.can_edit(path):
            raise TaskError(f"edit '{path}': cannot change while training; it takes effect in a new run")
        self.adopt(task)

    def adopt(self, task: Task) -> None:
        """Takes over from a version of the Task what can change while training.

        Raises:
            TaskError: for a term that cannot be had or left out while training; nothing has changed then.
        """
        edits.adopt(self, task)

    def state_dict(self) -> dict[str, Any]:
        """What the next steps depend on, as far as the engine shows it: state, clocks, memories, randomness.

        Reserved environments are left out, so that a run goes on with any number of them.
        """
        state, view, ours = self.engine.state, self.view, slice(self.num_envs)
        return {
            "root_pose": (state.root_pose - torch.nn.functional.pad(self.engine.env_origins, (0, 4)))[ours],
            "root_velocity": state.root_velocity[ours].clone(),
            "joint_pos": state.joint_pos[ours].clone(),
            "joint_vel": state.joint_vel[ours].clone(),
            "action": view.action[ours].clone(),
            "episode_length": view.episode_length[ours].clone(),
            "generator": self._block.generator.get_state(),
            "statistics": self.statistics.state_dict(),
            "stored": self._restarts.state_dict(),
            "randomiser": self.randomiser.state_dict(),
            "buffers": {name: buffer[ours].clone() for name, buffer in self._buffers().items()},
        } | self._restarts.levels.state_dict(ours)

    def load_state_dict(self, saved: dict[str, Any]) -> None:
        """Restores ``state_dict`` of an environment with the same Task and number of copies, but for rewards."""
        view, state, ours = self.view, self.engine.state, slice(self.num_envs)
        self._restarts.levels.load_state_dict(saved, ours)
        origins = torch.nn.functional.pad(self.engine.env_origins, (0, 4))[ours]
        motion = []
        for key in ("root_pose", "root_velocity", "joint_pos", "joint_vel"):
            values = getattr(state, key).clone()
            values[ours] = saved[key].to(self.device) + (origins if key == "root_pose" else 0.0)
            motion.append(values)
        self.engine.reset(self._learning, *motion)
        view.action[ours] = saved["action"].to(self.device)
        view.episode_length[ours] = saved["episode_length"].to(self.device)
        restore_generator(self._block.generator, saved["generator"])
        self.statistics.load_state_dict(saved["statistics"])
        self._counting.forget()  # the saved episodes may be counted otherwise
        self._restarts.load_state_dict(saved.get("stored", {}))
        for term in self._rewards.terms.values():
            term.reset(self._learning)
        for name, buffer in self._buffers().items():
            if name in saved["buffers"]:  # a reward added since remembers nothing yet
                buffer[ours] = saved["buffers"][name].to(self.device)
        self.randomiser.load_state_dict(saved.get("randomiser", {}))
        self.randomiser.restore()
        view.refresh()
        self._seen = None

    def randomised(self, name: str) -> torch.Tensor:
        """(num_envs, k) what the environments have now of the randomisation ``name``; see ``randomiser`` for more."""
        return self.randomiser.quantities[name].value[: self.num_envs]

    def close(self) -> None:
        """Frees the engine."""
        self.engine.close()

    def _non_finite(self) -> torch.Tensor | None:
        """(num_envs,) bool: environments whose state holds a value that is not finite; None when surely none does."""
        state = self.engine.state
        everything = torch.cat((state.root_pose, state.root_velocity, state.joint_pos, state.joint_vel), dim=-1)
        if self._on_cpu and everything.sum().isfinite():  # the usual case, at a fraction of the price
            return None
        return everything.sum(-1).mul_(0.0).ne(0.0)  # zero times what is not finite is not a number

    def _of_learning(self, seen: Observations) -> Observations:
        """The rows of the environments that are learned from."""
        return {group: values[: self.num_envs] for group, values in seen.items()} if self.reserved else seen

    def _buffers(self) -> dict[str, torch.Tensor]:
        buffers = self._restarts.buffers() | self._rewards.buffers()
        buffers |= self.randomiser.buffers() | self._sensors.buffers()
        for name, command in self._commands.items():
            buffers |= command.buffers(f"command.{name}")
        return buffers
