"""Deep deterministic policy gradient.

Lillicrap et al. 2016, "Continuous control with deep reinforcement learning"; exploration by uncorrelated noise, as
Fujimoto et al. 2018 found to do as well.
"""

from __future__ import annotations

from typing import ClassVar

import torch

from humanoid_rl_ext.learn.actor_critics import ActorCritics
from humanoid_rl_ext.learn.replay import Batch
from humanoid_rl_ext.learn.settings_off_policy import DeterministicSettings

SATURATED = 0.99
"""Actions beyond this share of their bounds count as at them."""


class DDPG[Settings: DeterministicSettings](ActorCritics[Settings]):
    """A learner: see ``humanoid_rl_ext.learn.learner.Learner`` for what each method promises."""

    figures = ("critic_loss", "value")
    policy_figures: ClassVar[tuple[str, ...]] = ("policy_loss", "saturation")
    critics_taught = 1

    def _build(self, generator: torch.Generator) -> None:
        super()._build(generator)
        self.target_actor = self._follower("actor", self.actor)
        self._exploration = torch.zeros(self.spec.num_envs, self.spec.action.size, device=self.device)
        self._noise_std = torch.zeros(self.spec.num_envs, 1, device=self.device)
        self._spread_noise()

    def _spread_noise(self) -> None:
        """Gives every environment its scale of noise, from the least to the most."""
        least, most = min(self.settings.min_noise_std, self.settings.noise_std), self.settings.noise_std
        count = self.spec.num_envs
        self._noise_std[:, 0] = torch.linspace(least, most, count) if count > 1 else most

    def _draw_exploration(self) -> None:
        self._exploration.normal_(generator=self.generator)

    def _explore(self, obs: torch.Tensor) -> torch.Tensor:
        return torch.addcmul(self._best(obs), self._exploration, self._noise_std).clamp_(-1.0, 1.0)

    def _learn(self, batch: Batch, moves_policy: bool) -> None:
        critic_figures = self._teach_critics(batch, self._targets(batch))
        if not moves_policy:
            self._measured(critic_figures)
            return
        self._measured(critic_figures, self._teach_policy(batch))
        self._follow()

    @torch.no_grad()
    def _targets(self, batch: Batch) -> torch.Tensor:
        """What the critics should say, (batch,): algorithm 1, y_i."""
        values = self.target_critics(self._pairs(batch, "next", self._next_actions(batch)))
        return torch.addcmul(batch["reward"], batch["discount"], values.amin(0))

    def _next_actions(self, batch: Batch) -> torch.Tensor:
        return self.target_actor(batch["next/policy"]).tanh()

    def _teach_policy(self, batch: Batch) -> tuple[torch.Tensor, ...]:
        """One step of the policy up the first critic's slope: equation 6. Its loss, and the share of actions at bounds.

        A policy at its bounds for whatever it sees has no slope left there, and stays.
        """
        actions = self.actor(batch["obs/policy"]).tanh()
        loss = -self.critics(self._pairs(batch, "obs", actions), slice(0, 1)).mean()
        self._descend("actor", loss)
        return loss, actions.detach().abs().gt(SATURATED).float().mean()

    def _apply_edit(self, name: str) -> None:
        super()._apply_edit(name)
        if name in ("noise_std", "min_noise_std"):
            self._spread_noise()
