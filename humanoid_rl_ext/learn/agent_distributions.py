"""Actions of several agents at once, drawn independently: what is said of them is said of each agent."""

from __future__ import annotations

import torch
from torch import nn

from humanoid_rl_ext.env.transition import EnvSpec
from humanoid_rl_ext.learn.agent_networks import widest_action
from humanoid_rl_ext.learn.distributions import LOG_2PI, Categorical, DiagonalGaussian


class AgentGaussians(DiagonalGaussian):
    """Normal actions of agents that share the columns of one box: parameters are means (batch, size).

    Log-densities and divergences are (batch, agents), entropies (agents,).
    """

    def __init__(self, spec: EnvSpec, init_std: float, min_std: float) -> None:
        super().__init__(spec.action.size, init_std, min_std)
        widest = widest_action(spec)
        places = [[*agent.acts, *[spec.action.size] * (widest - len(agent.acts))] for agent in spec.agents]
        self._shape = (len(spec.agents), widest)
        self.places = nn.Buffer(torch.tensor(places).flatten(), persistent=False)

    def _of_agents(self, values: torch.Tensor) -> torch.Tensor:
        """(..., agents) sums over the columns of each agent, of values (..., size)."""
        padded = nn.functional.pad(values, (0, 1))
        return padded.index_select(-1, self.places).unflatten(-1, self._shape).sum(-1)

    def log_prob(self, params: torch.Tensor, actions: torch.Tensor) -> torch.Tensor:
        """Log-densities of each agent's actions, (batch, agents)."""
        standardised = (actions - params) * (-self.log_std).exp()
        return self._of_agents(-0.5 * (standardised * standardised) - self.log_std - 0.5 * LOG_2PI)

    def entropy(self, params: torch.Tensor) -> torch.Tensor:
        """Entropies in nats, (agents,): the same for every observation."""
        return self._of_agents(self.log_std + 0.5 * (1.0 + LOG_2PI))

    def kl(self, old_params: torch.Tensor, params: torch.Tensor) -> torch.Tensor:
        """KL(old || new) in nats, (batch, agents); the old policy is that of the last ``remember``."""
        inverse_variance = (-2.0 * self.log_std).exp()
        log_ratio = self.log_std - self.reference_log_std
        spread = (2.0 * self.reference_log_std).exp() * inverse_variance
        shift = (old_params - params).square() * inverse_variance
        return self._of_agents(0.5 * (shift + spread - 1.0) + log_ratio)


class AgentCategoricals(Categorical):
    """Choices of several agents: parameters are logits (batch, agents x most choices), those of no choice far below."""

    def __init__(self, agents: int) -> None:
        super().__init__()
        self._agents = agents

    def _apart(self, values: torch.Tensor) -> torch.Tensor:
        """(batch, agents, choices)."""
        return values.unflatten(-1, (self._agents, -1))

    def sample(self, params: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        """Choices, (batch, agents) int64, for noise that was drawn."""
        return super().sample(self._apart(params), self._apart(noise))

    def mode(self, params: torch.Tensor) -> torch.Tensor:
        """The most likely choices, (batch, agents) int64."""
        return super().mode(self._apart(params))

    def log_prob(self, params: torch.Tensor, actions: torch.Tensor) -> torch.Tensor:
        """Log-probabilities of each agent's choice, (batch, agents)."""
        return super().log_prob(self._apart(params), actions)

    def entropy(self, params: torch.Tensor) -> torch.Tensor:
        """Entropies in nats, (batch, agents)."""
        return super().entropy(self._apart(params))

    def kl(self, old_params: torch.Tensor, params: torch.Tensor) -> torch.Tensor:
        """KL(old || new) in nats, (batch, agents)."""
        return super().kl(self._apart(old_params), self._apart(params))
