"""A policy that is watched in the reserved environments of a VecEnv: chosen, driven, pushed and evaluated there."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from humanoid_rl_ext.errors import BadInputError, TaskError
from humanoid_rl_ext.learn import make_learner
from humanoid_rl_ext.train.checkpoint import check_fit, read_checkpoint, restoring
from humanoid_rl_ext.train.config import read_run_config
from humanoid_rl_ext.train.evaluate import EpisodeCount, Evaluation
from humanoid_rl_ext.train.run_folder import RunFolder

if TYPE_CHECKING:
    from humanoid_rl_ext.env.transition import EnvSpec, Transition
    from humanoid_rl_ext.env.vec_env import VecEnv
    from humanoid_rl_ext.learn.learner import Learner


class Watch:
    """Whoever acts in the reserved environments, without exploration; nothing that happens there reaches learning."""

    def __init__(self, env: VecEnv, learner: Learner, source: Path | None = None) -> None:
        """``learner`` acts until another checkpoint is loaded; ``source`` is where it came from."""
        self.env = env
        self.learner = learner
        self.source = source
        """The checkpoint that acts; None for the policy that is being learned."""
        self.error = ""
        """Why the policy that was watched could not act; the robot holds still since."""
        self._first = learner, source
        self._rest = env.reserved_actions.clone()
        self._count: EpisodeCount | None = None
        self._done: Callable[[Evaluation], None] | None = None
        self._waiting = False

    def load(self, checkpoint: Path | None) -> None:
        """Lets a checkpoint act from the next step on, or (None) who acted at first; ends an evaluation.

        Raises:
            HumanoidRLError: for a checkpoint that is damaged or does not fit; nothing has changed then.
        """
        self.learner, self.source = (
            self._first if checkpoint is None else (load_policy(checkpoint, self.env.spec, self.env.device), checkpoint)
        )
        self.error = ""
        self.cancel()

    def act(self) -> None:
        """Chooses the next actions of the reserved environments."""
        if self.error:
            return
        try:
            actions = self.learner.act_deterministic(self.env.reserved_observations())
            self.env.reserved_actions.copy_(actions)
        except Exception as error:  # training goes on, whatever is wrong with the policy that is looked at
            self.error = f"{type(error).__name__}: {error}"
            self.env.reserved_actions.copy_(self._rest)
            self.cancel()

    def step(self, actions: torch.Tensor) -> Transition:
        """One step of the whole environment, ``actions`` being those of the environments that are learned from."""
        self.act()
        transition = self.env.step(actions)
        self.after_step()
        return transition

    def after_step(self) -> None:
        """Counts episodes; ``step`` does so itself."""
        if self._count is not None:
            self._take_in(self._count)

    def restart(self) -> None:
        """Starts a new episode at the end of the next step; an evaluation does not count the one cut off."""
        self._waiting = True
        self.env.restart_reserved()

    def drive(self, command: str, values: Sequence[float] | None) -> None:
        """Gives the robots a command, seen in the very next step, until released by None.

        Raises:
            TaskError: for a command the Task has not got, or values that are not finite or too many or few.
        """
        self.env.drive(command, values)

    @property
    def drives(self) -> dict[str, tuple[float, ...]]:
        """The commands given and not released, by name."""
        return self.env.drives

    def push(self, velocity: Sequence[float]) -> None:
        """Adds a velocity (3,) to the robots at once (m/s): along the heading, to its left, upwards.

        Raises:
            TaskError: for a robot with a fixed base, or values that are not three finite numbers.
        """
        if self.env.engine.robot.fixed_base:
            raise TaskError(f"{self.env.task_name}: the robot's base is fixed and cannot be pushed")
        if len(velocity) != 3 or not all(math.isfinite(value) for value in velocity):
            raise TaskError(f"a push takes three finite numbers, not {list(velocity)}")
        forward, left, up = (float(value) for value in velocity)
        heading = self.env.view.heading_w[self.env.num_envs :]
        cosine, sine = torch.cos(heading), torch.sin(heading)
        x, y = forward * cosine - left * sine, forward * sine + left * cosine
        self.env.push_reserved(torch.stack((x, y, torch.full_like(x, up)), dim=-1))

    def terms(self, index: int = 0) -> dict[str, float]:
        """Weighted reward per second of each term in the last step of a watched environment."""
        return self.env.term_rewards(self.env.num_envs + index)

    def evaluate(self, episodes: int, done: Callable[[Evaluation], None]) -> None:
        """Counts whole episodes from a fresh start while all else goes on; ``done`` gets their means.

        Raises:
            BadInputError: when no episode is asked for.
        """
        self._count, self._done = EpisodeCount(len(self.env.reserved_actions), episodes), done
        self.restart()

    @property
    def progress(self) -> tuple[int, int] | None:
        """Episodes counted and asked for; None while nothing is evaluated."""
        return (self._count.counted, self._count.episodes) if self._count is not None else None

    def cancel(self) -> None:
        """Ends an evaluation without a result."""
        self._count = self._done = None

    def _take_in(self, count: EpisodeCount) -> None:
        if self._waiting:  # what was cut off in this step was no whole episode
            self._waiting = False
            self.env.reserved_metrics()
            return
        count.add(self.env.reserved_finished(), self.env.reserved_metrics)
        if count.complete:
            done = self._done
            self.cancel()
            if done is not None:
                done(count.result())


def load_policy(checkpoint: Path, spec: EnvSpec, device: torch.device) -> Learner:
    """The learner of one checkpoint in a run folder, ready to act; torch's own random numbers stay as they are.

    Raises:
        HumanoidRLError: for a checkpoint that is damaged or does not fit the environment.
    """
    if checkpoint.parent.name != "checkpoints":
        raise BadInputError(f"{checkpoint}: not a checkpoint of a run folder")
    config = read_run_config(RunFolder.existing(checkpoint.parents[1]).learner)
    loaded = read_checkpoint(checkpoint)
    check_fit(loaded, spec)
    with restoring(checkpoint):
        saved = loaded.header["spec"]  # what the settings fit for sure
        paid_apart = saved.get("reward_per_agent", spec.reward_per_agent)
        then = replace(spec, num_envs=saved["num_envs"], reward_per_agent=paid_apart)
        with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
            learner = make_learner(config.algorithm, then, config.settings, device)
        learner.load_state_dict(loaded.state["learner"])
    return learner
