"""Gymnasium environments as environments of ours."""

from __future__ import annotations

import warnings
from typing import Any

import gymnasium
import numpy as np
import torch
from gymnasium import spaces

from humanoid_rl_ext.env.foreign import NO_TIME_LIMIT, ForeignEnv, box_action
from humanoid_rl_ext.env.transition import ActionSpec, EnvSpec, Transition
from humanoid_rl_ext.errors import BadInputError, did_you_mean


class GymnasiumEnv(ForeignEnv):
    """Copies of one Gymnasium environment, stepped one after another in this process.

    An environment that ends is reset within the same step. Actions of boxes are clipped to the bounds. The same seed
    gives the same episodes.
    """

    prefix = "gym:"

    @staticmethod
    def _make(id: str) -> gymnasium.Env:
        return make(id)

    def _specify(self, num_envs: int) -> EnvSpec:
        first = self._envs[0]
        self._obs_space, self._action_space = first.observation_space, first.action_space
        flat = spaces.flatten_space(self._obs_space)
        if not isinstance(flat, spaces.Box):
            raise BadInputError(f"gymnasium environment '{self.id}': observations {self._obs_space} have no fixed size")
        self._vector_obs = isinstance(self._obs_space, spaces.Box) and len(self._obs_space.shape) == 1
        limit = first.spec.max_episode_steps if first.spec is not None else None
        return EnvSpec(
            num_envs=num_envs,
            observations={"policy": flat.shape[0]},
            action=action_spec(self.id, self._action_space),
            max_episode_length=limit or NO_TIME_LIMIT,
        )

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
        if not ended:
            return self._transition(rewards, terminated, truncated, None)
        final_obs = obs.copy()
        for i, last in ended:
            final_obs[i] = last
        return self._transition(rewards, terminated, truncated, final_obs)

    def _flat(self, seen: Any) -> np.ndarray:
        return spaces.flatten(self._obs_space, seen)

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
        return box_action(space)
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
