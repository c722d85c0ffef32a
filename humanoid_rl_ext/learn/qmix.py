"""QMIX: agents that choose by values of their own, learned through the value of what they do together.

Rashid et al. 2018, "QMIX: Monotonic Value Function Factorisation for Deep Multi-Agent Reinforcement Learning". The
networks here see the present observation alone: the paper's are recurrent, so that agents remember.
"""

from __future__ import annotations

import torch

from humanoid_rl_ext.learn.agent_columns import AgentColumns
from humanoid_rl_ext.learn.critics import Ensemble
from humanoid_rl_ext.learn.epsilon_greedy import EpsilonGreedy
from humanoid_rl_ext.learn.mixing import MonotonicMixer, TeamValues
from humanoid_rl_ext.learn.replay import Batch
from humanoid_rl_ext.learn.settings_multi_agent_off_policy import QMIXSettings


class QMIX(EpsilonGreedy[QMIXSettings]):
    """A learner: see ``humanoid_rl_ext.learn.learner.Learner`` for what each method promises.

    The state that mixes is the group 'critic', or all of 'policy'. Rewards per agent are added up: the team has one.
    """

    figures = ("value_loss", "value")

    def _build(self, generator: torch.Generator) -> None:
        super()._build(generator)
        settings, agents, shared = self.settings, len(self.spec.agents), self.settings.share_networks
        self.columns = AgentColumns(self.spec, self.device)
        utilities = Ensemble(
            1 if shared else agents,
            max(self.columns.observations) + agents if shared else self.columns.observations,
            settings.critic_hidden,
            settings.activation,
            generator,
            settings.initialisation,
            settings.layer_norm,
            outputs=max(self.columns.actions),
        )
        mixer = None
        if settings.mixer == "monotonic":
            mixer = MonotonicMixer(agents, self.spec.observations[self._critic_group], settings.mixing_width, generator)
        self.values = TeamValues(utilities, mixer, agents, shared)
        self._add("network", self.values, settings.learning_rate)
        self.target_values = self._follower("network", self.values)

    def _draw_at_random(self, actions: torch.Tensor) -> None:
        self.columns.draw_choices(actions, self.generator)

    def _best(self, obs: torch.Tensor) -> torch.Tensor:
        return self.columns.best(self.values.each(self.columns.observed(obs))).t()

    def _learn(self, batch: Batch, moves_policy: bool) -> None:
        chosen = batch["action"].t().long()
        values = self._together(self.values, batch, "obs", chosen)
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
        best = self.columns.best(self.values.each(self.columns.observed(batch["next/policy"])))
        values = self._together(self.target_values, batch, "next", best)
        reward = batch["reward"].sum(-1) if self.spec.reward_per_agent else batch["reward"]
        return torch.addcmul(reward, batch["discount"], values)

    def _together(self, values: TeamValues, batch: Batch, when: str, choices: torch.Tensor) -> torch.Tensor:
        """The team's values, (batch,), of choices (agents, batch) at observations (``obs`` or ``next``)."""
        each = values.each(self.columns.observed(batch[f"{when}/policy"]))
        return values(each.gather(-1, choices.unsqueeze(-1)).squeeze(-1), batch[f"{when}/{self._critic_group}"])
