"""Networks of several agents: one for all of them, or one each; evaluated for all at once."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional

from humanoid_rl_ext.env.transition import EnvSpec
from humanoid_rl_ext.learn.networks import ACTIVATIONS, layer
from humanoid_rl_ext.sim.recording import Branch

NEVER = -1e9
"""Logit of a choice that an agent has not got."""


class AgentLinear(nn.Module):
    """A layer of all agents, (..., agents, inputs) to (..., agents, outputs): the same for each, or one each."""

    def __init__(
        self,
        copies: int,
        inputs: int,
        outputs: int,
        gain: float,
        generator: torch.Generator,
        initialisation: str = "orthogonal",
    ) -> None:
        """``copies`` is 1 for a layer that all share, else the number of agents; the rest is as of ``layer``."""
        super().__init__()
        each = [layer(inputs, outputs, gain, generator, initialisation) for _ in range(copies)]
        self.copies, self.outputs = copies, outputs
        self.weight = nn.Parameter(torch.stack([own.weight.detach() for own in each]))
        self.bias = nn.Parameter(torch.stack([own.bias.detach() for own in each]))

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """(agents, outputs) for (agents, inputs), and likewise for a batch of them."""
        if self.copies == 1:
            return functional.linear(inputs, self.weight[0], self.bias[0])
        rows = inputs.reshape(-1, self.copies, inputs.shape[-1]).transpose(0, 1)
        outputs = torch.baddbmm(self.bias.unsqueeze(1), rows, self.weight.transpose(1, 2)).transpose(0, 1)
        return outputs[0] if inputs.dim() == 2 else outputs


class AgentNorm(nn.Module):
    """Layer normalisation of (..., agents, width): the same for each agent, or one each. Source: Ba et al. 2016."""

    def __init__(self, copies: int, width: int) -> None:
        """``copies`` as in ``AgentLinear``."""
        super().__init__()
        self.width = width
        self.scale, self.shift = nn.Parameter(torch.ones(copies, width)), nn.Parameter(torch.zeros(copies, width))

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Of the inputs' shape."""
        return torch.addcmul(self.shift, functional.layer_norm(inputs, [self.width]), self.scale)


class AgentViews(nn.Module):
    """Turns observations (..., size) into what each agent's network is given, (..., agents, width)."""

    def __init__(self, columns: Sequence[Sequence[int]], size: int, with_ids: bool) -> None:
        """``columns`` are those that each agent sees; fewer than others' are filled up with zeros.

        ``with_ids`` adds a column per agent that is 1 for itself.
        """
        super().__init__()
        agents, widest = len(columns), max(len(seen) for seen in columns)
        index = torch.full((agents, widest), size)
        for row, seen in zip(index, columns, strict=True):
            row[: len(seen)] = torch.tensor(seen)
        self.agents, self.width = agents, widest + (agents if with_ids else 0)
        self.index = nn.Buffer(index.flatten(), persistent=False)
        self.ids = nn.Buffer(torch.eye(agents) if with_ids else torch.zeros(agents, 0), persistent=False)

    def forward(self, obs: torch.Tensor) -> torch.Tensor:
        """(..., agents, width)."""
        rows = obs.reshape(-1, obs.shape[-1])
        seen = functional.pad(rows, (0, 1)).index_select(1, self.index).view(len(rows), self.agents, -1)
        views = torch.cat((seen, self.ids.to(obs.dtype).expand(len(rows), -1, -1)), dim=-1)
        return views[0] if obs.dim() == 1 else views


class JointParameters(nn.Module):
    """Turns what the agents' networks give (..., agents, outputs) into parameters of the joint distribution (..., k).

    Of boxes: means in the columns of the action. Of choices: logits of one agent after another, as many for each.
    """

    def __init__(self, spec: EnvSpec) -> None:
        super().__init__()
        widest = widest_action(spec)
        if spec.action.kind == "box":
            place = {column: (at, k) for at, agent in enumerate(spec.agents) for k, column in enumerate(agent.acts)}
            index = [place[column][0] * widest + place[column][1] for column in range(spec.action.size)]
            bar = torch.zeros(len(index))
        else:
            index = list(range(len(spec.agents) * widest))
            there = [choice < agent.action.size for agent in spec.agents for choice in range(widest)]
            bar = torch.where(torch.tensor(there), 0.0, NEVER)
        self.index = nn.Buffer(torch.tensor(index), persistent=False)
        self.bar = nn.Buffer(bar, persistent=False)

    def forward(self, outputs: torch.Tensor) -> torch.Tensor:
        """(..., k)."""
        return outputs.flatten(-2).index_select(-1, self.index) + self.bar


class MultiAgentActorCritic(nn.Module):
    """Policies and value functions of all agents.

    A centralised critic is given all of its observations. Where the agents are rewarded alike it gives one value for
    all of them; otherwise one for each, as decentralised critics do.
    """

    def __init__(
        self,
        spec: EnvSpec,
        critic_inputs: int,
        actor_hidden: Sequence[int],
        critic_hidden: Sequence[int],
        activation: str,
        share_networks: bool,
        centralised: bool,
        generator: torch.Generator,
        mixed_precision: bool = False,
    ) -> None:
        super().__init__()
        agents, size = len(spec.agents), spec.observations["policy"]
        self.agents, self._mixed = agents, mixed_precision
        copies = 1 if share_networks else agents
        own = AgentViews([agent.observes for agent in spec.agents], size, share_networks)
        self.actor_trunk = agent_trunk(own, copies, actor_hidden, activation, generator)
        features = actor_hidden[-1] if actor_hidden else own.width
        self.actor_head = AgentLinear(copies, features, widest_action(spec), 0.01, generator)
        self.joint = JointParameters(spec)
        if centralised:
            everything = tuple(range(critic_inputs))
            team = not spec.reward_per_agent
            views = AgentViews([everything] * (1 if team else agents), critic_inputs, share_networks and not team)
            copies = 1 if team else copies
        else:
            views = AgentViews([agent.observes for agent in spec.agents], size, share_networks)
        self.critic_trunk = agent_trunk(views, copies, critic_hidden, activation, generator)
        features = critic_hidden[-1] if critic_hidden else views.width
        self.critic_head = AgentLinear(copies, features, 1, 1.0, generator)
        of_critic = views.agents * _cost(self.critic_trunk, self.critic_head)
        self.cost = own.agents * _cost(self.actor_trunk, self.actor_head) + of_critic
        """What a sample costs forth and back, as ``OnPolicy`` counts it."""

    def policy(self, obs: torch.Tensor) -> torch.Tensor:
        """Parameters of the joint distribution, (batch, k)."""
        return self.joint(self.actor_head(self.actor_trunk(obs)))

    def value(self, obs: torch.Tensor) -> torch.Tensor:
        """Values, (batch, agents)."""
        return self.critic_head(self.critic_trunk(obs)).squeeze(-1).expand(-1, self.agents)

    def forward(
        self, actor_obs: torch.Tensor, critic_obs: torch.Tensor, beside: Branch
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Both, as gradients are taken of them; the values come from ``beside``, which the caller joins."""
        with beside():
            values = self.critic_head(self._features(self.critic_trunk, critic_obs)).squeeze(-1)
        params = self.joint(self.actor_head(self._features(self.actor_trunk, actor_obs)))
        return params, values.expand(-1, self.agents)

    def _features(self, trunk: nn.Sequential, obs: torch.Tensor) -> torch.Tensor:
        """What the hidden layers give; on a GPU they may multiply in bfloat16."""
        if not (self._mixed and obs.is_cuda):
            return trunk(obs)
        with torch.autocast("cuda", torch.bfloat16, cache_enabled=False):
            return trunk(obs).float()


def widest_action(spec: EnvSpec) -> int:
    """The most numbers, or choices, that an agent has."""
    return max(agent.action.size for agent in spec.agents)


def agent_trunk(
    views: AgentViews,
    copies: int,
    hidden: Sequence[int],
    activation: str,
    generator: torch.Generator,
    initialisation: str = "orthogonal",
    layer_norm: bool = False,
) -> nn.Sequential:
    """Hidden layers of all agents with an activation after each, as ``mlp`` makes them for one."""
    layers: list[nn.Module] = [views]
    inputs = views.width
    for outputs in hidden:
        layers.append(AgentLinear(copies, inputs, outputs, math.sqrt(2.0), generator, initialisation))
        layers += [AgentNorm(copies, outputs)] * layer_norm + [ACTIVATIONS[activation]()]
        inputs = outputs
    return nn.Sequential(*layers)


def agent_mlp(
    spec: EnvSpec,
    outputs: int,
    shared: bool,
    hidden: Sequence[int],
    activation: str,
    generator: torch.Generator,
    initialisation: str = "orthogonal",
    layer_norm: bool = False,
    gain: float = 1.0,
) -> nn.Sequential:
    """What agents' networks give by what they see: (batch, observations) of 'policy' to (batch, agents, outputs).

    ``shared``: one network for all agents, told which it is; else one each. ``gain`` is that of orthogonal last layers.
    """
    copies = 1 if shared else len(spec.agents)
    views = AgentViews([agent.observes for agent in spec.agents], spec.observations["policy"], shared)
    trunk = agent_trunk(views, copies, hidden, activation, generator, initialisation, layer_norm)
    features = hidden[-1] if hidden else views.width
    return trunk.append(AgentLinear(copies, features, outputs, gain, generator, initialisation))


def _cost(trunk: nn.Sequential, head: AgentLinear) -> int:
    """Of one agent: a number per weight and 64 per output."""
    layers = [part for part in (*trunk, head) if isinstance(part, AgentLinear)]
    return sum(part.weight[0].numel() + 64 * part.outputs for part in layers)
