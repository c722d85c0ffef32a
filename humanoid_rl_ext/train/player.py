"""Playing a policy without training: in real time, slower or faster, in a scene of its own."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from humanoid_rl_ext.env.make import leave_cores_to_physics, make_env
from humanoid_rl_ext.env.vec_env import VecEnv
from humanoid_rl_ext.errors import BadInputError
from humanoid_rl_ext.train.checkpoint import latest_checkpoint, read_checkpoint
from humanoid_rl_ext.train.config import read_run_config
from humanoid_rl_ext.train.run_folder import RunFolder
from humanoid_rl_ext.train.start import resolve_device
from humanoid_rl_ext.train.watch import Watch, load_policy

if TYPE_CHECKING:
    from humanoid_rl_ext.learn.learner import Learner
    from humanoid_rl_ext.sim.engine import Engine
    from humanoid_rl_ext.task.schema import Task

MOST_BEHIND = 3
"""Steps that are made up for when the host was late; what is later than that is let go."""


class Player:
    """Steps its environments as the wall clock asks. All of them are reserved: ``watch`` drives, pushes, evaluates."""

    watched_env = 0
    """Index of the first watched environment in the engine."""
    on = ""
    """Prim path of the robot on the host's stage that is played on; empty for a scene of its own."""

    def __init__(self, env: VecEnv, watch: Watch) -> None:
        """Takes the environment over and closes it with itself."""
        self.env, self.watch, self.task = env, watch, env.task
        self.paused = False
        self.speed = 1.0
        """How fast time passes: 1 is real time, 0.1 slow motion."""
        self._due: float | None = None
        self._no_actions = env.reserved_actions[:0]
        env.reset()

    @property
    def source(self) -> Path | None:
        """Where the policy that acts came from."""
        return self.watch.source

    def pump(self, seconds: float) -> None:
        """Makes the steps that are due by the clock, for about ``seconds`` at most and always whole ones."""
        now = time.perf_counter()
        if self._due is None:
            leave_cores_to_physics()  # once more: the setting is the thread's, and another one may have built the scene
            self._due = now
        deadline, period = now + seconds, self.env.view.dt / self.speed
        self._due = max(self._due, now - MOST_BEHIND * period)
        while not self.paused and self._due <= now:
            self.step_once()
            self._due += period
            now = time.perf_counter()
            if now >= deadline:
                break

    def step_once(self) -> None:
        """Makes one step now, paused or not."""
        self.watch.step(self._no_actions)

    def pause(self) -> None:
        """Holds time."""
        self.paused = True

    def resume(self) -> None:
        """Goes on after a pause."""
        self.paused = False

    def close(self) -> None:
        """Frees the scene."""
        self.env.close()


@dataclass(frozen=True, slots=True)
class PlayPlan:
    """What is to be played, and where."""

    source: Path
    """Where the policy came from: a checkpoint, or a policy folder."""
    task: Task
    device: str
    engine: str
    policy: Callable[[VecEnv], Learner]
    """Gives whoever acts in an environment of the Task; only ``act_deterministic`` is called.

    Raises HumanoidRLError when the policy does not fit.
    """


def plan_player(source: Path, device: str | None = None) -> PlayPlan:
    """The plan for a checkpoint folder, or for the newest checkpoint of a run folder, on the run's engine and device.

    The Task is the run's as it had been edited when the checkpoint was saved.

    Raises:
        HumanoidRLError: when ``source`` is neither, or was spoilt.
    """
    source = source.absolute()
    one = source.parent.name == "checkpoints"
    folder = RunFolder.existing(source.parents[1] if one else source)
    checkpoint = source if one else latest_checkpoint(source)
    task = folder.task_at(read_checkpoint(checkpoint).header["env_steps"])
    if isinstance(task, str):
        raise BadInputError(f"{source}: {task} has no robot that could be shown")
    run = read_run_config(folder.learner, device=device).run
    return PlayPlan(checkpoint, task, run.device, run.engine, lambda env: load_policy(checkpoint, env.spec, env.device))


def open_player(
    plan: PlayPlan | Path, num_envs: int = 1, device: str | None = None, engine: str | Engine | None = None
) -> Player:
    """Plays a plan, or what ``plan_player`` finds, in a scene of its own; ``engine`` replaces the plan's.

    Raises:
        HumanoidRLError: when it cannot be played, or its robot, engine or device cannot be had.
    """
    if isinstance(plan, Path):
        plan = plan_player(plan, device)
    env = make_env(
        plan.task,
        num_envs=0,
        reserved=num_envs,
        device=resolve_device(plan.device),
        engine=engine or plan.engine,
    )
    assert isinstance(env, VecEnv)
    try:
        return Player(env, Watch(env, plan.policy(env), plan.source))
    except BaseException:
        env.close()
        raise
