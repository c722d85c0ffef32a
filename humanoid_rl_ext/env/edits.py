"""What of a Task can change while an environment is at work, and how it takes the change over."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from humanoid_rl_ext.env.tables import RewardTable
from humanoid_rl_ext.env.terms import BoundTerm
from humanoid_rl_ext.env.timers import Timer
from humanoid_rl_ext.errors import TaskError
from humanoid_rl_ext.task.schema import Task

if TYPE_CHECKING:
    from humanoid_rl_ext.env.vec_env import VecEnv

FIELDS = (["episode_length_s"], ["reward_scale"], ["scene", "terrain", "max_difficulty"])
"""What can change beside tables of terms and the curriculum."""


def can_edit(env: VecEnv, path: str) -> bool:
    """Whether a change of the Task at a path acts in the next step."""
    match path.split("."):
        case ["rewards", _]:
            return True
        case ["rewards", name, *_]:
            return name in env.task.rewards
        case ["commands" | "randomisation", _, "resample_s" | "interval_s"]:
            return path in _timers(env)
        case [table, name, "params", param]:
            terms = _bound(env).get(table, {})
            return name in terms and param in terms[name].numbers
        case other:
            return other in FIELDS or other[0] == "curriculum"


def adopt(env: VecEnv, task: Task) -> None:
    """Takes over from a version of the Task what can change while training.

    Raises:
        TaskError: for a term that cannot be had or left out while training; nothing has changed then.
    """
    robot, before = env.engine.robot, env._rewards.terms
    agents = env._rewards.agents
    if task.reward_per_agent and not env.spec.reward_per_agent:
        raise TaskError("rewards: agents cannot come to be paid apart while training; it takes effect in a new run")
    rewards = RewardTable(task.rewards, robot, env.view, env._block, len(env._metrics), before, agents=agents)
    for table, terms in _bound(env).items():
        for name, term in terms.items():
            section = getattr(task, table).get(name)
            if section is None or not term.differs_in_numbers(section):
                raise TaskError(f"{table}.{name}: cannot change while training; it takes effect in a new run")
    timers = []
    for path, timer in _timers(env).items():
        table, name, field = path.split(".")
        seconds = getattr(getattr(task, table)[name], field)
        if seconds is None:
            raise TaskError(f"{path}: cannot be switched off while training; that takes effect in a new run")
        timers.append((timer, seconds))

    if rewards.terms != env._rewards.terms:
        env._rewards = rewards
        env.statistics.set_rewards(rewards.names)
    env._rewards.set_numbers(task.rewards, task.reward_scale)
    for table, terms in _bound(env).items():
        for name, term in terms.items():
            term.set_numbers(getattr(task, table)[name])
    env.randomiser.failures.follow()
    for timer, seconds in timers:
        timer.seconds.copy_(torch.as_tensor(seconds))
    env._restarts.levels.open(task.scene.terrain.max_difficulty)
    if rewards is env._rewards or task.max_episode_length != env.view.max_episode_length:
        for recording in (env._ending, env._judging, env._beginning, env._counting):
            recording.forget()
    env.view.max_episode_length = task.max_episode_length
    env.task = task


def _bound(env: VecEnv) -> dict[str, dict[str, BoundTerm]]:
    """The terms at work whose numbers can change, by table; rewards are handled by their own."""
    return {
        "terminations": env._terminations.terms,
        "commands": {name: command.term for name, command in env._commands.items()},
        "randomisation": env._randomisation,
        "metrics": env._metrics,
    }


def _timers(env: VecEnv) -> dict[str, Timer]:
    """The clocks whose times can change, by path."""
    commands = {f"commands.{name}.resample_s": command.timer for name, command in env._commands.items()}
    again = env._restarts.timers | env.randomiser.timers
    drawn = {f"randomisation.{name}.interval_s": timer for name, timer in again.items()}
    return {path: timer for path, timer in (commands | drawn).items() if timer is not None}
