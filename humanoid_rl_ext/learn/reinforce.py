"""REINFORCE with a learned baseline.

Williams 1992, "Simple Statistical Gradient-Following Algorithms for Connectionist Reinforcement Learning" (episodic
REINFORCE with a baseline); Sutton and Barto 2018, section 13.4 (the baseline is a value function).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

from humanoid_rl_ext.learn.adam import Adam
from humanoid_rl_ext.learn.rmsprop import RMSprop
from humanoid_rl_ext.learn.separate_critic import SeparateCritic
from humanoid_rl_ext.learn.settings_on_policy import ReinforceSettings


class Reinforce(SeparateCritic[ReinforceSettings]):
    """A learner: see ``humanoid_rl_ext.learn.learner.Learner`` for what each method promises.

    Returns are Monte Carlo: the discounted rewards up to the episode's end. Where the rollout's end or a time limit
    cuts an episode off, the baseline stands for what would have followed. To leave such steps out instead would keep
    those that soon ended, which are those that went badly. Long rollouts make cuts rare; they should hold episodes.
    Every step weighs the same, whatever its place in the episode.
    """

    summed = ("policy_loss", "value_loss", "entropy", "grad_norm")

    def _make_optimiser(self) -> Adam | RMSprop:
        self._divide()
        settings = self.settings
        self.critic_optimiser = Adam(self._critic, settings.critic_learning_rate, epsilon=settings.adam_eps)
        return Adam(self._policy, settings.learning_rate, epsilon=settings.adam_eps)

    def _step_policy(self) -> Iterator[None]:
        yield from self._run(self._learn)

    def _learn(self) -> Iterator[None]:
        (gradient,) = yield from self._mean_over(self._all(len(self.rollout)), self._gradient_of)
        self._descend(gradient)

    def _gradient_of(self, indices: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """The gradient of the policy's mean loss of some samples (n,)."""
        batch = self.rollout.gather(indices)
        params = self.network.policy(batch["obs/policy"])
        policy_loss = -(self.distribution.log_prob(params, batch["action"]) * batch["advantage"]).mean()
        entropy = self.distribution.entropy(params).mean()
        gradients = torch.autograd.grad(policy_loss - self.settings.entropy_coef * entropy, self._policy_leaves)
        share = len(indices) / len(self.rollout)
        self._sums[0].add_(policy_loss.detach(), alpha=share)
        self._sums[2].add_(entropy.detach(), alpha=share)
        return (torch.cat([part.flatten() for part in gradients]),)

    def edit(self, name: str, value: Any) -> None:
        """Changes a setting marked live; raises TaskError for others and for values out of bounds."""
        super().edit(name, value)
        if name == "critic_learning_rate":
            self.critic_optimiser.learning_rate.fill_(self.settings.critic_learning_rate)

    def _learned_state(self) -> dict[str, Any]:
        return {**super()._learned_state(), "critic_optimiser": self.critic_optimiser.state_dict()}

    def _restore_learned_state(self, state: dict[str, Any]) -> None:
        super()._restore_learned_state(state)
        self.critic_optimiser.load_state_dict(state["critic_optimiser"])
