"""Gymnasium environments as environments of ours."""

from __future__ import annotations

import warnings
from typing import Any

import gymnasium
import numpy as np
import torch
from gymnasium import spaces

from humanoid_rl_ext.env.tally import Ended, Tally
from humanoid_rl_ext.env.transition import ActionSpec, EnvSpec, Observations, Transition
from humanoid_rl_ext.errors import BadInputError, TaskError, did_you_mean

NO_TIME_LIMIT = 1_000_000
"""Stands for the length of episodes that have no time limit."""


class GymnasiumEnv:
    """Copies of one Gymnasium environment, stepped one after another in this process.

    An environment that ends is reset within the same step. Actions of boxes are clipped to the bounds. The same seed
    gives the same episodes.
    """

    def __init__(self, id: str, num_envs: int = 1, device: torch.device | str = "cpu", seed: int = 0) -> None:
        if num_envs < 1:
            raise BadInputError(f"num_envs is {num_envs}: at least one environment is needed")
        self.id = id
        self.device = torch.device(device)
        self._envs = [make(id) for _ in range(num_envs)]
        first = self._envs[0]
        self._obs_space, self._action_space = first.observation_space, first.action_space
        flat = spaces.flatten_space(self._obs_space)
        if not isinstance(flat, spaces.Box):
            raise BadInputError(f"gymnasium environment '{id}': observations {self._obs_space} have no fixed size")
        self._vector_obs = isinstance(self._obs_space, spaces.Box) and len(self._obs_space.shape) == 1
        limit = first.spec.max_episode_steps if first.spec is not None else None
        self.spec = EnvSpec(
            num_envs=num_envs,
            observations={"policy": flat.shape[0]},
            action=action_spec(id, self._action_space),
            max_episode_length=limit or NO_TIME_LIMIT,
        )
        self._seed = seed
        self._seeded = False
        self._obs = np.zeros((num_envs, flat.shape[0]), dtype=np.float32)
        self._tally = Tally(num_envs)

    @property
    def task_name(self) -> str:
        """``gym:`` and the id."""
        return f"gym:{self.id}"

    @property
    def engine_name(self) -> str:
        """``gymnasium``, whatever simulates underneath."""
        return "gymnasium"

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

    def step(self, actions: torch.Tensor) -> Transition:
        """One step of every environment: ``actions`` are (num_envs, size) float or (num_envs,) int64."""
        num_envs = self.spec.num_envs
        rewards = np.empty(num_envs, dtype=np.float32)
        terminated, truncated = np.zeros(num_envs, dtype=bool), np.zeros(num_envs, dtype=bool)
        obs = self._obs
        ended: list[tuple[int, np.ndarray]] = []
        self._tally.begin_step()
        for i, (env, action) in enumerate(zip(self._envs, self._native_actions(actions), strict=True)):
            raw, reward, terminal, cut, _ = env.step(action)
            obs[i] = raw if self._vector_obs else self._flat(raw)
            rewards[i] = reward
            self._tally.add(i, float(reward))
            if terminal or cut:
                terminated[i], truncated[i] = terminal, cut and not terminal
                ended.append((i, obs[i].copy()))
                self._tally.end(i, bool(cut and not terminal))
                obs[i] = self._flat(env.reset()[0])
        following = self.observations()
        final = following
        if ended:
            final_obs = obs.copy()
            for i, last in ended:
                final_obs[i] = last
            final = self._observations(final_obs)
        return Transition(
            obs=following,
            reward=torch.from_numpy(rewards).to(self.device),
            terminated=torch.from_numpy(terminated).to(self.device),
            truncated=torch.from_numpy(truncated).to(self.device),
            final_obs=final,
        )

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
        """Random state and episode sums; the simulators' own state cannot be had from Gymnasium."""
        return {
            "random": [env.unwrapped.np_random.bit_generator.state for env in self._envs],
            **self._tally.state_dict(),
        }

    def load_state_dict(self, saved: dict[str, Any]) -> None:
        """Restores ``state_dict``; every environment starts a new episode."""
        for env, state in zip(self._envs, saved["random"], strict=True):
            env.unwrapped.np_random.bit_generator.state = state
        self._tally.load_state_dict(saved)
        self._seeded = True
        self.reset()

    def close(self) -> None:
        """Frees the environments."""
        for env in self._envs:
            env.close()

    def _flat(self, obs: Any) -> np.ndarray:
        return spaces.flatten(self._obs_space, obs)

    def _observations(self, array: np.ndarray) -> Observations:
        return {"policy": torch.from_numpy(array).to(self.device)}

    def _native_actions(self, actions: torch.Tensor) -> Any:
        """Actions as the environments take them, one per environment."""
        space = self._action_space
        values = actions.detach().cpu().numpy()
        if isinstance(space, spaces.Discrete):
            return [int(value) + int(space.start) for value in values]
        return np.clip(values.reshape(-1, *space.shape), space.low, space.high).astype(space.dtype, copy=False)


def action_spec(id: str, space: spaces.Space) -> ActionSpec:
    """What a learner must produce for an action space; raises BadInputError for other than boxes and discrete ones."""
    if isinstance(space, spaces.Box):
        low, high = (tuple(bound.flatten().tolist()) for bound in (space.low, space.high))
        bounds = (low, high) if space.is_bounded() else ((), ())
        return ActionSpec("box", int(np.prod(space.shape)), (), *bounds)
    if isinstance(space, spaces.Discrete):
        return ActionSpec("discrete", int(space.n))
    raise BadInputError(f"gymnasium environment '{id}': actions {space} are neither a box nor discrete")


def make(id: str) -> gymnasium.Env:
    """One environment; raises BadInputError for an unknown id, naming the closest, and for a missing dependency."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about newer versions: -v4 is what published results were measured on
            return gymnasium.make(id, disable_env_checker=True)
    except gymnasium.error.UnregisteredEnv as error:
        raise BadInputError(f"unknown gymnasium environment '{id}': {did_you_mean(id, gymnasium.registry)}") from error
    except (gymnasium.error.Error, ImportError) as error:
        reason = " ".join(str(error).split())
        raise BadInputError(f"gymnasium environment '{id}' cannot be made: {reason}") from error
