"""Our environment of several agents as a PettingZoo parallel environment, for everything that speaks PettingZoo."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from pettingzoo import ParallelEnv

from humanoid_rl_ext.env.vec_env import VecEnv
from humanoid_rl_ext.errors import BadInputError


class PettingZooParallelEnv(ParallelEnv):
    """One robot whose agents are those of its Task, or one team; all of them are there until the episode ends."""

    def __init__(self, env: VecEnv) -> None:
        """Takes the environment over; raises BadInputError for other than one robot, or a Task without agents."""
        if env.spec.num_envs != 1:
            raise BadInputError(f"PettingZoo knows one environment at a time, not {env.spec.num_envs}")
        if not env.spec.agents:
            raise BadInputError(f"{env.task_name} names no agents; say under 'agents' who moves which joints")
        self.env = env
        self.metadata = {"name": env.task_name, "render_modes": [], "is_parallelizable": True}
        self.render_mode = None
        self.possible_agents = [agent.name for agent in env.spec.agents]
        self.agents: list[str] = []
        self._agents = {agent.name: agent for agent in env.spec.agents}
        self._spaces = {name: (self._observation_space(name), self._action_space(name)) for name in self._agents}
        self._state: np.ndarray | None = None

    def observation_space(self, agent: str) -> spaces.Space:
        """What an agent observes, always the same object."""
        return self._spaces[agent][0]

    def action_space(self, agent: str) -> spaces.Space:
        """What an agent does, always the same object."""
        return self._spaces[agent][1]

    @property
    def state_space(self) -> spaces.Space:
        """What ``state`` returns."""
        sizes = self.env.spec.observations
        return spaces.Box(-np.inf, np.inf, (sizes.get("critic", sizes["policy"]),), np.float32)

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, np.ndarray], dict[str, dict[str, Any]]]:
        """Starts a new episode: observations and empty infos by agent."""
        if seed is not None:
            self.env.seed(seed)
        obs = self.env.reset()
        self.agents = list(self.possible_agents)
        return self._seen(obs), {name: {} for name in self.agents}

    def step(
        self, actions: dict[str, Any]
    ) -> tuple[dict[str, np.ndarray], dict[str, float], dict[str, bool], dict[str, bool], dict[str, dict[str, Any]]]:
        """Observations, rewards, terminations, truncations and infos by agent, an episode's last ones at its end."""
        moved = self.env.step(self._joint(actions))
        terminated, truncated = bool(moved.terminated[0]), bool(moved.truncated[0])
        seen = self._seen(moved.final_obs if terminated or truncated else moved.obs)
        pay = moved.reward[0].expand(len(self.possible_agents)).tolist()
        names, self.agents = self.agents, [] if terminated or truncated else self.agents
        return (
            seen,
            dict(zip(self.possible_agents, pay, strict=True)),
            dict.fromkeys(names, terminated),
            dict.fromkeys(names, truncated),
            {name: {} for name in names},
        )

    def state(self) -> np.ndarray:
        """All that there is to see: the group 'critic' where the Task has one, else 'policy'."""
        assert self._state is not None, "reset first"
        return self._state

    def render(self) -> None:
        """Shows nothing."""

    def close(self) -> None:
        """Frees the engine."""
        self.env.close()

    def _seen(self, obs: dict[str, torch.Tensor]) -> dict[str, np.ndarray]:
        self._state = obs.get("critic", obs["policy"])[0].cpu().numpy().copy()
        row = obs["policy"][0].cpu().numpy()
        return {name: row[list(agent.observes)] for name, agent in self._agents.items()}

    def _joint(self, actions: dict[str, Any]) -> torch.Tensor:
        spec = self.env.spec
        if spec.action.kind == "discrete":
            return torch.tensor([[int(actions[name]) for name in self._agents]], device=self.env.device)
        row = torch.zeros(1, spec.action.size)
        for name, agent in self._agents.items():
            row[0, list(agent.acts)] = torch.as_tensor(np.asarray(actions[name], dtype=np.float32))
        return row.to(self.env.device)

    def _observation_space(self, name: str) -> spaces.Space:
        return spaces.Box(-np.inf, np.inf, (len(self._agents[name].observes),), np.float32)

    def _action_space(self, name: str) -> spaces.Space:
        action = self._agents[name].action
        if action.kind == "discrete":
            return spaces.Discrete(action.size)
        clip = self.env.task.control.clip
        return spaces.Box(-clip, clip, (action.size,), np.float32)
