"""What algorithms have in common that choose by values: the best action mostly, any other now and then."""

from __future__ import annotations

import torch

from humanoid_rl_ext.learn.off_policy import OffPolicy
from humanoid_rl_ext.learn.settings_epsilon_greedy import EpsilonGreedySettings


class EpsilonGreedy[Settings: EpsilonGreedySettings](OffPolicy[Settings]):
    """Exploration, the target network's timing and the step size of the one ``network`` that is learned."""

    def _build(self, generator: torch.Generator) -> None:
        shape = (self.spec.num_envs, *[len(self.spec.agents)] * bool(self.spec.agents))
        self._random_actions, self._lots = (torch.zeros(shape, device=self.device) for _ in range(2))
        self._epsilon = torch.zeros((), device=self.device)

    @property
    def epsilon(self) -> float:
        """The share of random actions now; the least where no length of the run is known."""
        settings = self.settings
        falls_over = settings.exploration_fraction * (self.total_env_steps or 0)
        progress = min(1.0, self.env_steps / falls_over) if falls_over else 1.0
        return settings.epsilon_start + (settings.epsilon_end - settings.epsilon_start) * progress

    def _draw_exploration(self) -> None:
        self._draw_at_random(self._random_actions)
        self._lots.uniform_(generator=self.generator)
        self._epsilon.fill_(self.epsilon)

    def _explore(self, obs: torch.Tensor) -> torch.Tensor:
        """With probability epsilon any action, else the best, everywhere by a lot of its own."""
        return torch.where(self._lots < self._epsilon, self._random_actions, self._best(obs))

    def _moves_policy(self) -> bool:
        """Here: whether the gradient step ends with a move of the target network."""
        return (self.gradient_steps + 1) % self.settings.target_interval == 0

    def _finish(self) -> None:
        super()._finish()
        self.metrics["epsilon"] = self.epsilon

    def _apply_edit(self, name: str) -> None:
        if name == "learning_rate":
            self.optimisers["network"].learning_rate.fill_(self.settings.learning_rate)
