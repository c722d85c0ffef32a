"""Our environment as a Gymnasium vector environment, for everything that speaks Gymnasium."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import torch
from gymnasium.vector import AutoresetMode

from humanoid_rl_ext.env.vec_env import VecEnv


class GymnasiumVectorEnv(gymnasium.vector.VectorEnv):
    """A VecEnv behind Gymnasium's vector interface: numpy, same-step autoreset, final observations in info.

    Several agents are one here: what they choose stands side by side, and rewards of their own are averaged.
    """

    metadata = {"autoreset_mode": AutoresetMode.SAME_STEP}  # noqa: RUF012  (Gymnasium's own convention)

    def __init__(self, env: VecEnv) -> None:
        self.env = env
        self.num_envs = env.spec.num_envs
        size = env.spec.observations["policy"]
        self.single_observation_space = gymnasium.spaces.Box(-np.inf, np.inf, (size,), np.float32)
        self.single_action_space = action_space(env)
        self.observation_space = gymnasium.vector.utils.batch_space(self.single_observation_space, self.num_envs)
        self.action_space = gymnasium.vector.utils.batch_space(self.single_action_space, self.num_envs)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Starts new episodes everywhere: observations (num_envs, size) and an empty info."""
        if seed is not None:
            self.env.seed(seed)
        return self._numpy(self.env.reset()["policy"]), {}

    def step(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """Observations, rewards, terminated, truncated and info; ``final_obs`` in info where an episode ended."""
        dtype = torch.float32 if self.env.spec.action.kind == "box" else torch.int64
        moved = self.env.step(torch.as_tensor(actions, dtype=dtype, device=self.env.device))
        terminated, truncated = self._numpy(moved.terminated), self._numpy(moved.truncated)
        info: dict[str, Any] = {}
        ended = terminated | truncated
        if ended.any():
            final = np.full(self.num_envs, None, dtype=object)
            rows = self._numpy(moved.final_obs["policy"])
            for index in np.flatnonzero(ended):
                final[index] = rows[index]
            info = {"final_obs": final, "_final_obs": ended}
        reward = moved.reward.mean(-1) if self.env.spec.reward_per_agent else moved.reward
        return self._numpy(moved.obs["policy"]), self._numpy(reward), terminated, truncated, info

    def close_extras(self, **kwargs: Any) -> None:
        """Frees the engine."""
        self.env.close()

    @staticmethod
    def _numpy(tensor: torch.Tensor) -> np.ndarray:
        return tensor.detach().cpu().numpy().copy()


def action_space(env: VecEnv) -> gymnasium.spaces.Space:
    """What one of the environments accepts as an action."""
    spec = env.spec
    if spec.action.kind == "box":
        clip = env.task.control.clip
        return gymnasium.spaces.Box(-clip, clip, (spec.action.size,), np.float32)
    if spec.agents:
        return gymnasium.spaces.MultiDiscrete([agent.action.size for agent in spec.agents])
    return gymnasium.spaces.Discrete(spec.action.size)
