"""Twin delayed deep deterministic policy gradient: DDPG with three corrections.

Fujimoto et al. 2018, "Addressing Function Approximation Error in Actor-Critic Methods"; the settings for thousands of
environments follow Seo et al. 2025, "FastTD3: Simple, Fast, and Capable Reinforcement Learning for Humanoid Control".
"""

from __future__ import annotations

import torch

from humanoid_rl_ext.learn.ddpg import DDPG
from humanoid_rl_ext.learn.replay import Batch
from humanoid_rl_ext.learn.settings_off_policy import TD3Settings


class TD3(DDPG[TD3Settings]):
    """A learner: see ``humanoid_rl_ext.learn.learner.Learner`` for what each method promises.

    The lesser of two critics counts (section 4.2: ``_targets`` takes the least), policy and targets move at every
    ``policy_delay``-th step (section 5.2), and what follows is valued around the target policy's action (5.3).
    """

    critics_taught = 2

    def _build(self, generator: torch.Generator) -> None:
        super()._build(generator)
        self._noise = torch.zeros(self.settings.batch_size, self.spec.action.size, device=self.device)

    def _draw_learning(self) -> None:
        self._noise.normal_(generator=self.generator)

    def _next_actions(self, batch: Batch) -> torch.Tensor:
        """Smoothed actions of the target policy: equation 14."""
        settings = self.settings
        noise = (self._noise * settings.target_noise_std).clamp_(
            -settings.target_noise_clip, settings.target_noise_clip
        )
        return (super()._next_actions(batch) + noise).clamp_(-1.0, 1.0)
