"""Soft actor-critic.

Haarnoja et al. 2018, "Soft Actor-Critic Algorithms and Applications" (automatic temperature, two critics); the
settings for thousands of environments follow Seo et al. 2025, "Learning Sim-to-Real Humanoid Locomotion in 15 Minutes"
(FastSAC).
"""

from __future__ import annotations

import math

import torch
from torch import nn

from humanoid_rl_ext.learn.actor_critics import ActorCritics
from humanoid_rl_ext.learn.distributions import SquashedGaussian
from humanoid_rl_ext.learn.replay import Batch
from humanoid_rl_ext.learn.settings_off_policy import SACSettings


class SAC(ActorCritics[SACSettings]):
    """A learner: see ``humanoid_rl_ext.learn.learner.Learner`` for what each method promises."""

    figures = ("critic_loss", "value")
    policy_figures = ("policy_loss", "entropy", "temperature")
    policy_outputs = 2

    def _build(self, generator: torch.Generator) -> None:
        super()._build(generator)
        settings, size = self.settings, self.spec.action.size
        self.distribution = SquashedGaussian(settings.min_log_std, settings.max_log_std)
        temperature = nn.ParameterDict({"log": torch.full((1,), math.log(settings.init_temperature))})
        self._add("temperature", temperature, settings.temperature_learning_rate)
        self._log_temperature = self.optimisers["temperature"].parameters.data
        self._exploration = torch.zeros(self.spec.num_envs, size, device=self.device)
        self._noise = torch.zeros(2, settings.batch_size, size, device=self.device)

    def _draw_exploration(self) -> None:
        self._exploration.normal_(generator=self.generator)

    def _explore(self, obs: torch.Tensor) -> torch.Tensor:
        return self.distribution.explore(self.actor(obs), self._exploration)

    def _draw_learning(self) -> None:
        self._noise.normal_(generator=self.generator)

    def _learn(self, batch: Batch, moves_policy: bool) -> None:
        critic_figures = self._teach_critics(batch, self._targets(batch))
        self._measured(critic_figures, self._teach_policy(batch) if moves_policy else ())
        self._follow()

    @torch.no_grad()
    def _targets(self, batch: Batch) -> torch.Tensor:
        """Soft values of what follows, (batch,): equations 2 and 3, with the lesser of two critics."""
        actions, log_prob = self.distribution.sample(self.actor(batch["next/policy"]), self._noise[0])
        values = self.target_critics(self._pairs(batch, "next", actions))
        value = values.amin(0) if self.settings.critic_target == "min" else values.mean(0)
        soft = value - self._log_temperature.exp() * log_prob
        return torch.addcmul(batch["reward"], batch["discount"], soft)

    def _teach_policy(self, batch: Batch) -> tuple[torch.Tensor, ...]:
        """One step of the policy by equation 9 and one of the temperature by equation 18."""
        actions, log_prob = self.distribution.sample(self.actor(batch["obs/policy"]), self._noise[1])
        values = self.critics(self._pairs(batch, "obs", actions))
        value = values.amin(0) if self.settings.critic_target == "min" else values.mean(0)
        temperature = self._log_temperature.exp()
        loss = (temperature * log_prob - value).mean()
        self._descend("actor", loss)
        with torch.no_grad():
            entropy = -log_prob.mean()
            if self.settings.automatic_temperature:
                target = self.settings.target_entropy * self.spec.action.size
                self.optimisers["temperature"].step(temperature * (entropy - target))
        return loss, entropy, temperature.squeeze()

    def _apply_edit(self, name: str) -> None:
        super()._apply_edit(name)
        if name == "temperature_learning_rate":
            self.optimisers["temperature"].learning_rate.fill_(self.settings.temperature_learning_rate)
