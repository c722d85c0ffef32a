"""What environments of somebody else's have in common: copies that are stepped one after another in this process."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np
import torch
from gymnasium import spaces

from humanoid_rl_ext.env.tally import Ended, Tally
from humanoid_rl_ext.env.transition import ActionSpec, EnvSpec, Observations, Transition
from humanoid_rl_ext.errors import BadInputError, TaskError
from humanoid_rl_ext.task.foreign import PREFIXES

NO_TIME_LIMIT = 1_000_000
"""Stands for the length of episodes that have no time limit."""


class ForeignEnv(ABC):
    """Copies of one environment; a new episode begins within the step that ends one. A kind of them says how."""

    prefix: ClassVar[str]
    """Of the task's name."""

    def __init__(self, id: str, num_envs: int = 1, device: torch.device | str = "cpu", seed: int = 0) -> None:
        """Raises BadInputError for what cannot be made, and for spaces that cannot be learned in."""
        if num_envs < 1:
            raise BadInputError(f"num_envs is {num_envs}: at least one environment is needed")
        self.id = id
        self.device = torch.device(device)
        self._envs = [self._make(id) for _ in range(num_envs)]
        self.spec = self._specify(num_envs)
        self._seed, self._seeded = seed, False
        self._obs = np.zeros((num_envs, self.spec.observations["policy"]), dtype=np.float32)
        self._tally = Tally(num_envs)

    @staticmethod
    @abstractmethod
    def _make(id: str) -> Any:
        """One environment."""

    @abstractmethod
    def _specify(self, num_envs: int) -> EnvSpec:
        """The shapes of what the environments take and give."""

    @abstractmethod
    def _flat(self, seen: Any) -> np.ndarray:
        """An environment's observations as one row, (size,)."""

    @abstractmethod
    def step(self, actions: torch.Tensor) -> Transition:
        """One step of every environment."""

    @property
    def task_name(self) -> str:
        """The prefix and the id."""
        return f"{self.prefix}{self.id}"

    @property
    def engine_name(self) -> str:
        """The library that the environment belongs to, whatever simulates underneath."""
        return PREFIXES[self.prefix]

    def reset(self, seed: int | None = None) -> Observations:
        """The first observations of new episodes; restarts the random numbers when a seed is given."""
        if seed is not None:
            self._seed, self._seeded = seed, False
        seeds: list[int | None] = [None] * self.spec.num_envs
        if not self._seeded:
            seeds = [int(word) for word in np.random.SeedSequence(self._seed).generate_state(self.spec.num_envs)]
            self._seeded = True
        for i, env in enumerate(self._envs):
            self._obs[i] = self._flat(env.reset(seed=seeds[i])[0])
            self._tally.forget(i)
        self._tally.begin_step()
        return self.observations()

    def observations(self) -> Observations:
        """The present observations, (num_envs, size)."""
        return self._observations(self._obs.copy())

    def episode_metrics(self) -> dict[str, float]:
        """Means over the episodes that ended since the last call, see ``Tally.take``."""
        return self._tally.take()

    def finished(self) -> list[Ended]:
        """The episodes that ended in the last step: environment, return, length (steps), reached the time limit."""
        return self._tally.finished

    def edit(self, path: str, value: Any) -> None:
        """Raises TaskError: these environments have nothing to edit."""
        raise TaskError(f"edit '{path}': {self.task_name} has nothing to edit but learner.<setting>")

    def state_dict(self) -> dict[str, Any]:
        """Random state, where an environment shows it, and episode sums; the simulators' own state cannot be had."""
        return {"random": [_random_state(env) for env in self._envs], **self._tally.state_dict()}

    def load_state_dict(self, saved: dict[str, Any]) -> None:
        """Restores ``state_dict``; every environment starts a new episode."""
        for env, state in zip(self._envs, saved["random"], strict=True):
            if state is not None:
                env.unwrapped.np_random.bit_generator.state = state
        self._tally.load_state_dict(saved)
        self._seeded = all(state is not None for state in saved["random"])
        self.reset()

    def close(self) -> None:
        """Frees the environments."""
        for env in self._envs:
            env.close()

    def _observations(self, array: np.ndarray) -> Observations:
        return {"policy": torch.from_numpy(array).to(self.device)}

    def _transition(
        self, reward: np.ndarray, terminated: np.ndarray, truncated: np.ndarray, final_obs: np.ndarray | None
    ) -> Transition:
        """What a step came to; without ``final_obs`` (num_envs, size) no episode ended in it."""
        following = self.observations()
        return Transition(
            obs=following,
            reward=torch.from_numpy(reward).to(self.device),
            terminated=torch.from_numpy(terminated).to(self.device),
            truncated=torch.from_numpy(truncated).to(self.device),
            final_obs=following if final_obs is None else self._observations(final_obs),
        )


def box_action(space: spaces.Box) -> ActionSpec:
    """What a learner must produce for a box of actions."""
    low, high = (tuple(bound.flatten().tolist()) for bound in (space.low, space.high))
    return ActionSpec("box", int(np.prod(space.shape)), (), *((low, high) if space.is_bounded() else ((), ())))


def _random_state(env: Any) -> dict[str, Any] | None:
    random = getattr(env.unwrapped, "np_random", None)
    return dict(random.bit_generator.state) if isinstance(random, np.random.Generator) else None
