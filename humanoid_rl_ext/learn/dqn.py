"""Deep Q-learning, for actions that are choices.

Mnih et al. 2015, "Human-level control through deep reinforcement learning". Options: the target of van Hasselt et al.
2016, "Deep Reinforcement Learning with Double Q-learning"; the network of Wang et al. 2016, "Dueling Network
Architectures for Deep Reinforcement Learning"; and, as of every algorithm with a replay, returns over several steps and
priorities (Schaul et al. 2016).
"""

from __future__ import annotations

import torch
from torch import nn

from humanoid_rl_ext.learn.action_values import ActionValues
from humanoid_rl_ext.learn.epsilon_greedy import EpsilonGreedy
from humanoid_rl_ext.learn.replay import Batch
from humanoid_rl_ext.learn.settings_dqn import DQNSettings


class DQN(EpsilonGreedy[DQNSettings]):
    """A learner: see ``humanoid_rl_ext.learn.learner.Learner`` for what each method promises."""

    figures = ("value_loss", "value")
    privileged = False  # whoever chooses by values can only value what it sees

    def _build(self, generator: torch.Generator) -> None:
        super()._build(generator)
        settings, spec = self.settings, self.spec
        network = ActionValues(
            spec.observations["policy"],
            spec.action.size,
            settings.critic_hidden,
            settings.activation,
            generator,
            settings.initialisation,
            settings.layer_norm,
            settings.dueling,
        )
        self._add("network", network, settings.learning_rate)
        self.values = network
        self.target_values = self._follower("network", network)

    def _best(self, obs: torch.Tensor) -> torch.Tensor:
        return self.values(obs).argmax(-1)

    def _learn(self, batch: Batch, moves_policy: bool) -> None:
        chosen = batch["action"].long().unsqueeze(-1)
        values = self.values(batch["obs/policy"]).gather(-1, chosen).squeeze(-1)
        targets = self._targets(batch)
        losses = nn.functional.huber_loss(values, targets, reduction="none", delta=self.settings.huber_delta)
        loss = (losses * batch["weight"] if "weight" in batch else losses).mean()
        self._descend("network", loss, self.settings.max_grad_norm)
        with torch.no_grad():
            self.replay.prioritise((values - targets).abs())
        self._measured((loss, values.mean()))
        if moves_policy:
            self._follow()

    @torch.no_grad()
    def _targets(self, batch: Batch) -> torch.Tensor:
        """What the chosen actions' values should be, (batch,).

        The target network values the action that it ranks first itself (Mnih et al. 2015, algorithm 1), or with
        ``double`` the one that the network that learns does (van Hasselt et al. 2016, equation 4).
        """
        values = self.target_values(batch["next/policy"])
        best = (self.values(batch["next/policy"]) if self.settings.double else values).argmax(-1, keepdim=True)
        return torch.addcmul(batch["reward"], batch["discount"], values.gather(-1, best).squeeze(-1))

    def policy_network(self) -> nn.Sequential:
        """From normalised observations (batch, size) to the values of actions; the greatest is the best's."""
        return nn.Sequential(self.values)
