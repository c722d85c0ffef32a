"""Advantage actor-critic, synchronous.

Mnih et al. 2016, "Asynchronous Methods for Deep Reinforcement Learning" (algorithm S3: n-step returns, one gradient of
policy, value function and entropy), with environments side by side instead of threads that race.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch

from humanoid_rl_ext.learn.adam import Adam
from humanoid_rl_ext.learn.losses import value_error
from humanoid_rl_ext.learn.on_policy import OnPolicy
from humanoid_rl_ext.learn.rmsprop import RMSprop
from humanoid_rl_ext.learn.settings_on_policy import A2CSettings


class A2C(OnPolicy[A2CSettings]):
    """A learner: see ``humanoid_rl_ext.learn.learner.Learner`` for what each method promises.

    With ``gae_lambda`` 1 the advantage is the paper's: rewards up to the rollout's end, then the last value.
    """

    summed = ("policy_loss", "value_loss", "entropy", "grad_norm")

    def _make_optimiser(self) -> Adam | RMSprop:
        settings = self.settings
        if settings.optimiser == "adam":
            return super()._make_optimiser()
        return RMSprop(self._parameters, settings.learning_rate, settings.rmsprop_decay, settings.adam_eps)

    def _improve(self) -> Iterator[None]:
        """One gradient step on the whole rollout."""
        yield from self._run(self._estimate)
        yield from self._run(self._learn)

    def _learn(self) -> Iterator[None]:
        (gradient,) = yield from self._mean_over(self._all(len(self.rollout)), self._gradient_of)
        self._descend(gradient)

    def _gradient_of(self, indices: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """The gradient of the mean loss of some samples (n,)."""
        settings, batch = self.settings, self.rollout.gather(indices)
        params, values = self.network(batch["obs/policy"], batch[f"obs/{self._critic_group}"], self._valuing)
        self._valuing.join(values)
        policy_loss = -(self.distribution.log_prob(params, batch["action"]) * batch["advantage"]).mean()
        value_loss = value_error(values, batch["value"], batch["return"], math.inf).mean()
        entropy = self.distribution.entropy(params).mean()
        loss = policy_loss + settings.value_loss_coef * value_loss - settings.entropy_coef * entropy
        gradients = torch.autograd.grad(loss, self._leaves)
        figures = torch.stack((policy_loss, value_loss, entropy)).detach()
        self._sums[:-1].add_(figures, alpha=len(indices) / len(self.rollout))
        return (torch.cat([part.flatten() for part in gradients]),)
