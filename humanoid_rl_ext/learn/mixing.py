"""From what each agent's action is worth to what they are worth together."""

from __future__ import annotations

import torch
from torch import nn

from humanoid_rl_ext.learn.networks import uniform_linear


class MonotonicMixer(nn.Module):
    """The team's value as a network of the agents' values, which never falls where one of them rises.

    Its weights come from linear layers of the state, made positive; its biases are free, the last from two layers.
    Source: Rashid et al. 2018, section 4.1 and figure 2.
    """

    def __init__(self, agents: int, state: int, width: int, generator: torch.Generator) -> None:
        super().__init__()
        self.agents = agents
        self.first_weight = uniform_linear(state, agents * width, generator)
        self.first_bias = uniform_linear(state, width, generator)
        self.last_weight = uniform_linear(state, width, generator)
        self.last_bias = nn.Sequential(
            uniform_linear(state, width, generator), nn.ReLU(), uniform_linear(width, 1, generator)
        )

    def forward(self, values: torch.Tensor, state: torch.Tensor) -> torch.Tensor:
        """Values of the team, (batch,), by those of agents (batch, agents) and the state (batch, size)."""
        weight = self.first_weight(state).abs().view(len(state), self.agents, -1)
        hidden = torch.baddbmm(self.first_bias(state).unsqueeze(1), values.unsqueeze(1), weight)
        hidden = nn.functional.elu(hidden.squeeze(1))
        return (hidden * self.last_weight(state).abs()).sum(-1) + self.last_bias(state).squeeze(-1)


class Sum(nn.Module):
    """The team's value as the sum of the agents' values: Sunehag et al. 2018, "Value-Decomposition Networks"."""

    def forward(self, values: torch.Tensor, state: torch.Tensor) -> torch.Tensor:
        """Values of the team, (batch,), by those of agents (batch, agents); the state makes no difference."""
        return values.sum(-1)


class TeamValues(nn.Module):
    """What every action is worth to each agent, and what those that they choose are worth together."""

    def __init__(self, utilities: nn.Module, mixer: nn.Module) -> None:
        super().__init__()
        self.utilities, self.mixer = utilities, mixer

    def forward(self, obs: torch.Tensor, state: torch.Tensor, choices: torch.Tensor) -> torch.Tensor:
        """Values of the team, (batch,), for observations and states (batch, size) and choices (batch, agents) int64."""
        chosen = self.utilities(obs).gather(-1, choices.unsqueeze(-1)).squeeze(-1)
        return self.mixer(chosen, state)
