"""Multi-agent PPO, with a critic that sees everything, and independent PPO, whose critics see what their agents see.

Yu et al. 2022, "The Surprising Effectiveness of PPO in Cooperative Multi-Agent Games" (MAPPO: centralised critic, value
normalisation, networks shared by the agents or not); de Witt et al. 2020, "Is Independent Learning All You Need in the
StarCraft Multi-Agent Challenge?" (IPPO).
"""

from __future__ import annotations

import dataclasses
from typing import Any

import torch
from torch import nn

from humanoid_rl_ext.env.transition import EnvSpec, Transition
from humanoid_rl_ext.learn.agent_distributions import AgentCategoricals, AgentGaussians
from humanoid_rl_ext.learn.agent_networks import MultiAgentActorCritic, widest_action
from humanoid_rl_ext.learn.distributions import Distribution
from humanoid_rl_ext.learn.ppo import PPO
from humanoid_rl_ext.learn.settings_multi_agent import AgentsPPOSettings
from humanoid_rl_ext.learn.value_scale import ValueScale


class MAPPO(PPO[AgentsPPOSettings]):
    """A learner: see ``humanoid_rl_ext.learn.learner.Learner`` for what each method promises.

    It is PPO with a column per agent: every agent's actions have a probability, a value and an advantage of their own,
    and the loss is the mean over samples and agents. A reward that all share is each agent's.
    """

    centralised = True
    """Whether a critic sees the group 'critic' (where there is one, else all of 'policy') instead of an agent's own."""
    network: MultiAgentActorCritic  # type: ignore[assignment]

    def __init__(
        self,
        spec: EnvSpec,
        settings: AgentsPPOSettings,
        device: torch.device | str = "cpu",
        seed: int = 0,
        total_env_steps: int | None = None,
    ) -> None:
        self.value_scale: ValueScale | None = None
        super().__init__(spec, settings, device, seed, total_env_steps)
        self._cost = self.network.cost
        if settings.normalise_value:
            self.value_scale = ValueScale(self.network.critic_head.copies, self.device)
            self._good = self._learned_state()

    def _group_of_critic(self) -> str:
        return super()._group_of_critic() if self.centralised else "policy"

    def _widths(self) -> tuple[int, int, int]:
        agents = len(self.spec.agents)
        if self.spec.action.kind == "box":
            return self.spec.action.size, self.spec.action.size, agents
        return agents * widest_action(self.spec), agents, agents

    def _make_distribution(self) -> Distribution:
        if self.spec.action.kind == "discrete":
            return AgentCategoricals(len(self.spec.agents))
        return AgentGaussians(self.spec, self.settings.init_noise_std, self.settings.min_noise_std)

    def _make_network(self, generator: torch.Generator) -> MultiAgentActorCritic:  # type: ignore[override]
        settings = self.settings
        return MultiAgentActorCritic(
            self.spec,
            self.spec.observations[self._critic_group],
            settings.actor_hidden,
            settings.critic_hidden,
            settings.activation,
            settings.share_networks,
            self.centralised,
            generator,
            settings.mixed_precision,
        )

    def policy_network(self) -> nn.Sequential:
        """The layers of ``act_deterministic`` from normalised 'policy' observations on, for box actions; not a copy."""
        return nn.Sequential(*self.network.actor_trunk, self.network.actor_head, self.network.joint)

    def observe(self, transition: Transition) -> None:
        """Stores what followed the last ``act``; a reward for all is paid to each agent."""
        if not self.spec.reward_per_agent:
            reward = transition.reward.unsqueeze(-1).expand(-1, len(self.spec.agents))
            transition = dataclasses.replace(transition, reward=reward)
        super().observe(transition)

    @torch.inference_mode()
    def _estimate_advantages(self) -> None:
        """Advantages of returns as they are; what the critic learns from is on its own scale."""
        scale = self.value_scale
        if scale is None:
            super()._estimate_advantages()
            return
        values, ends, returns = self.rollout["value"], self._ends["value"], self.rollout["return"]
        for each in (values, ends):
            each.copy_(scale.to_returns(each))
        super()._estimate_advantages()
        scale.update(returns, self.network.critic_head)
        for each in (values, returns):
            each.copy_(scale.from_returns(each))

    def _normalised_advantages(self, advantages: torch.Tensor) -> torch.Tensor:
        """By the mean and deviation over all agents, or over each agent's own where they learn apart."""
        if self.settings.share_networks:
            return super()._normalised_advantages(advantages)
        deviation, mean = torch.std_mean(advantages, dim=(0, 1), correction=0)
        return (advantages - mean) / (deviation + 1e-8)

    def _learned_state(self) -> dict[str, Any]:
        scale = {} if self.value_scale is None else {"value_scale": self.value_scale.state_dict()}
        return {**super()._learned_state(), **scale}

    def _restore_learned_state(self, state: dict[str, Any]) -> None:
        super()._restore_learned_state(state)
        if self.value_scale is not None:
            self.value_scale.load_state_dict(state["value_scale"])


class IPPO(MAPPO):
    """MAPPO whose critics see what their agents see, and nothing else."""

    centralised = False
