"""From what each agent's action is worth to what they are worth together."""

from __future__ import annotations

import torch
from torch import nn

from humanoid_rl_ext.learn.critics import Ensemble
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
        """Values of the team, (batch,), by those of agents (agents, batch) and the state (batch, size)."""
        weight = self.first_weight(state).abs().view(len(state), self.agents, -1)
        hidden = torch.baddbmm(self.first_bias(state).unsqueeze(1), values.t().unsqueeze(1), weight)
        hidden = nn.functional.elu(hidden.squeeze(1))
        return (hidden * self.last_weight(state).abs()).sum(-1) + self.last_bias(state).squeeze(-1)


class TeamValues(nn.Module):
    """What every action is worth to each agent, and what those they choose are worth together.

    One network for all agents gets, beside what one sees, a one in the place of the agent that it is.
    """

    def __init__(self, utilities: Ensemble, mixer: MonotonicMixer | None, agents: int, shared: bool) -> None:
        """Without a ``mixer``, values are added up: Sunehag et al. 2018, "Value-Decomposition Networks"."""
        super().__init__()
        self.utilities, self.mixer = utilities, mixer
        self.ids = nn.Buffer(torch.eye(agents).unsqueeze(1), persistent=False) if shared else None

    def each(self, observed: torch.Tensor) -> torch.Tensor:
        """Values of all actions, (agents, batch, choices), of what agents see, (agents, batch, width)."""
        if self.ids is None:
            return self.utilities(observed)
        agents, batch = observed.shape[:2]
        inputs = torch.cat((observed, self.ids.expand(agents, batch, agents)), dim=-1)
        return self.utilities(inputs.flatten(0, 1)).view(agents, batch, -1)

    def forward(self, values: torch.Tensor, state: torch.Tensor) -> torch.Tensor:
        """Values of the team, (batch,), by those of agents (agents, batch) and the state (batch, size)."""
        return values.sum(0) if self.mixer is None else self.mixer(values, state)
