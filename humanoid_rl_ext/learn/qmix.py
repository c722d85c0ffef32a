"""QMIX: agents that choose by values of their own, learned through the value of what they do together.

Rashid et al. 2018, "QMIX: Monotonic Value Function Factorisation for Deep Multi-Agent Reinforcement Learning". The
networks here see the present observation alone: the paper's are recurrent, so that agents remember.
"""

from __future__ import annotations

import torch
from torch import nn

from humanoid_rl_ext.learn.agent_actions import AgentActions
from humanoid_rl_ext.learn.agent_networks import agent_mlp
from humanoid_rl_ext.learn.epsilon_greedy import EpsilonGreedy
from humanoid_rl_ext.learn.mixing import MonotonicMixer, Sum, TeamValues
from humanoid_rl_ext.learn.replay import Batch
from humanoid_rl_ext.learn.settings_multi_agent_off_policy import QMIXSettings


class QMIX(EpsilonGreedy[QMIXSettings]):
    """A learner: see ``humanoid_rl_ext.learn.learner.Learner`` for what each method promises.

    The state that mixes is the group 'critic', or all of 'policy'. Rewards per agent are added up: the team has one.
    """

    figures = ("value_loss", "value")

    def _build(self, generator: torch.Generator) -> None:
        super()._build(generator)
        self.actions = AgentActions(self.spec, self.device)
        self.values = TeamValues(self._make_utilities(generator), self._make_mixer(generator))
        self._add("network", self.values, self.settings.learning_rate)
        self.target_values = self._follower("network", self.values)

    def _make_utilities(self, generator: torch.Generator) -> nn.Sequential:
        """Values of all actions to each agent: (batch, observations) to (batch, agents, choices)."""
        settings = self.settings
        return agent_mlp(
            self.spec,
            self.actions.width,
            settings.share_networks,
            settings.critic_hidden,
            settings.activation,
            generator,
            settings.initialisation,
            settings.layer_norm,
        )

    def _make_mixer(self, generator: torch.Generator) -> nn.Module:
        """The team's values: (batch, agents) and (batch, state) to (batch,)."""
        if self.settings.mixer == "sum":
            return Sum()
        state = self.spec.observations[self._critic_group]
        return MonotonicMixer(len(self.spec.agents), state, self.settings.mixing_width, generator)

    def _draw_at_random(self, actions: torch.Tensor) -> None:
        self.actions.draw_choices(actions, self.generator)

    def _best(self, obs: torch.Tensor) -> torch.Tensor:
        return self.actions.best(self.values.utilities(obs))

    def _learn(self, batch: Batch, moves_policy: bool) -> None:
        values = self.values(batch["obs/policy"], batch[f"obs/{self._critic_group}"], batch["action"].long())
        errors = values - self._targets(batch)
        squares = errors.square() if "weight" not in batch else errors.square() * batch["weight"]
        loss = squares.mean()
        self._descend("network", loss, self.settings.max_grad_norm)
        with torch.no_grad():
            self.replay.prioritise(errors.abs())
        self._measured((loss, values.mean()))
        if moves_policy:
            self._follow()

    @torch.no_grad()
    def _targets(self, batch: Batch) -> torch.Tensor:
        """What the team's values should be, (batch,): equation 6.

        The network that learns chooses what comes next, agent by agent, which is the best of all joint actions; the
        target network values it (van Hasselt et al. 2016, "Deep Reinforcement Learning with Double Q-learning").
        """
        obs, state = batch["next/policy"], batch[f"next/{self._critic_group}"]
        values = self.target_values(obs, state, self._best(obs))
        reward = batch["reward"].sum(-1) if self.spec.reward_per_agent else batch["reward"]
        return torch.addcmul(reward, batch["discount"], values)
