"""PettingZoo's parallel environments as environments of ours: several agents that act at once."""

from __future__ import annotations

import importlib
import importlib.util
import itertools
import os
import pkgutil
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from gymnasium import spaces

from humanoid_rl_ext.env.foreign import NO_TIME_LIMIT, ForeignEnv, box_action
from humanoid_rl_ext.env.transition import ActionSpec, AgentSpec, EnvSpec, Transition
from humanoid_rl_ext.errors import BadInputError, did_you_mean
from humanoid_rl_ext.task.yaml_source import parse_scalar


class PettingZooEnv(ForeignEnv):
    """Copies of one parallel environment, stepped one after another in this process.

    The group 'policy' holds what the agents see, one after another. Every agent has a reward of its own; the return of
    an episode is the mean over the agents. An episode ends when no agent is left, and a new one begins within the same
    step; until then an agent that is out sees zeros and is paid nothing. Where those that were left ended by
    truncation, the episode was cut off. The same seed gives the same episodes. An id is ``module``, or
    ``module:option=value,...`` with arguments of its ``parallel_env``.
    """

    prefix = "pz:"

    @staticmethod
    def _make(id: str) -> Any:
        return make(id)

    def _specify(self, num_envs: int) -> EnvSpec:
        first = self._envs[0]
        self._names: list[str] = list(first.possible_agents)
        self._obs_spaces = [first.observation_space(name) for name in self._names]
        self._action_spaces = [first.action_space(name) for name in self._names]
        sizes = [_size(self.id, name, space) for name, space in zip(self._names, self._obs_spaces, strict=True)]
        ends = np.cumsum([0, *sizes]).tolist()
        self._columns = [slice(start, end) for start, end in itertools.pairwise(ends)]
        return EnvSpec(
            num_envs=num_envs,
            observations={"policy": ends[-1]},
            action=_joint_action(self.id, self._action_spaces),
            max_episode_length=int(getattr(first.unwrapped, "max_cycles", None) or NO_TIME_LIMIT),
            agents=_agents(self._names, self._columns, self._action_spaces),
            reward_per_agent=True,
        )

    def step(self, actions: torch.Tensor) -> Transition:
        """One step: ``actions`` are (num_envs, size) float, or (num_envs, agents) int64."""
        num_envs = self.spec.num_envs
        rewards = np.zeros((num_envs, len(self._names)), dtype=np.float32)
        terminated, truncated = np.zeros(num_envs, dtype=bool), np.zeros(num_envs, dtype=bool)
        final_obs = self._obs.copy()
        self._tally.begin_step()
        for i, (env, row) in enumerate(zip(self._envs, actions.detach().cpu().numpy(), strict=True)):
            native = self._native_actions(row)
            seen, paid, terminal, cut, _ = env.step({name: native[name] for name in env.agents})
            self._obs[i] = final_obs[i] = self._flat(seen)
            rewards[i] = [paid.get(name, 0.0) for name in self._names]
            self._tally.add(i, float(rewards[i].mean()))
            if not env.agents:
                truncated[i] = any(cut.values()) and not any(terminal.values())
                terminated[i] = not truncated[i]
                self._tally.end(i, bool(truncated[i]))
                self._obs[i] = self._flat(env.reset()[0])
        return self._transition(rewards, terminated, truncated, final_obs if (terminated | truncated).any() else None)

    def _flat(self, seen: dict[str, Any]) -> np.ndarray:
        row = np.zeros(self._obs.shape[1], dtype=np.float32)
        for name, space, columns in zip(self._names, self._obs_spaces, self._columns, strict=True):
            if name in seen:
                row[columns] = spaces.flatten(space, seen[name])
        return row

    def _native_actions(self, row: np.ndarray) -> dict[str, Any]:
        """One environment's row of actions as each agent takes it."""
        native: dict[str, Any] = {}
        for index, (agent, space) in enumerate(zip(self.spec.agents, self._action_spaces, strict=True)):
            if isinstance(space, spaces.Discrete):
                native[agent.name] = int(row[index]) + int(space.start)
            else:
                values = row[list(agent.acts)].reshape(space.shape)
                native[agent.name] = np.clip(values, space.low, space.high).astype(space.dtype, copy=False)
        return native


def make(id: str) -> Any:
    """One parallel environment; raises BadInputError for a module or an option that there is not."""
    module_name, _, words = id.partition(":")
    where = f"pettingzoo environment '{id}'"
    options: dict[str, Any] = {}
    for word in filter(None, words.split(",")):
        key, equals, value = word.partition("=")
        if not equals or not key:
            raise BadInputError(f"{where}: '{word}' is no option; write pz:{module_name}:option=value,option=value")
        options[key] = parse_scalar(value)
    os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")  # it would greet on standard output
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        raise BadInputError(f"{where}: {_why_missing(module_name, error)}") from error
    if not hasattr(module, "parallel_env"):
        known = _environments(module_name)
        raise BadInputError(f"{where}: {module_name} is no parallel environment; {did_you_mean(module_name, known)}")
    try:
        return module.parallel_env(**options)
    except Exception as error:  # whatever its author raises for an option
        reason = " ".join(str(error).split()) or type(error).__name__
        raise BadInputError(f"{where} cannot be made: {reason}") from error


def _why_missing(module: str, error: ImportError) -> str:
    missing = error.name or module
    package = missing.partition(".")[0]
    if importlib.util.find_spec(package) is None:
        return f"needs the Python package '{package}', which is not installed here: pip install {package}"
    known = _environments(module)
    return f"there is no such environment; {did_you_mean(module, known)}" if known else str(error)


def _environments(module: str) -> list[str]:
    """Names of the environments that stand beside a module: those that end in a version."""
    parent = module.rpartition(".")[0] or module
    try:
        paths = importlib.import_module(parent).__path__
    except (ImportError, AttributeError):
        return []
    names = (found.name for found in pkgutil.iter_modules(paths))
    return [f"{parent}.{name}" for name in names if name.rpartition("_v")[2].isdigit()]


def _size(id: str, agent: str, space: spaces.Space) -> int:
    flat = spaces.flatten_space(space)
    if not isinstance(flat, spaces.Box):
        raise BadInputError(f"pettingzoo environment '{id}': what '{agent}' observes ({space}) has no fixed size")
    return int(flat.shape[0])


def _joint_action(id: str, action_spaces: Sequence[spaces.Space]) -> ActionSpec:
    """What all agents do together."""
    if all(isinstance(space, spaces.Discrete) for space in action_spaces):
        return ActionSpec("discrete", max(int(space.n) for space in action_spaces))
    if not all(isinstance(space, spaces.Box) for space in action_spaces):
        kinds = ", ".join(sorted({type(space).__name__ for space in action_spaces}))
        raise BadInputError(f"pettingzoo environment '{id}': actions are {kinds}; all must be boxes, or all discrete")
    each = [box_action(space) for space in action_spaces]
    bounded = all(spec.low for spec in each)
    low, high = (tuple(value for spec in each for value in getattr(spec, end)) for end in ("low", "high"))
    return ActionSpec("box", sum(spec.size for spec in each), (), low if bounded else (), high if bounded else ())


def _agents(
    names: Sequence[str], columns: Sequence[slice], action_spaces: Sequence[spaces.Space]
) -> tuple[AgentSpec, ...]:
    agents, start = [], 0
    for name, seen, space in zip(names, columns, action_spaces, strict=True):
        observes = tuple(range(seen.start, seen.stop))
        if isinstance(space, spaces.Discrete):
            agents.append(AgentSpec(name, observes, ActionSpec("discrete", int(space.n))))
            continue
        action = box_action(space)
        agents.append(AgentSpec(name, observes, action, tuple(range(start, start + action.size))))
        start += action.size
    return tuple(agents)
