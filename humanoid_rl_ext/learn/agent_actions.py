"""The actions of several agents: as a replay stores them, agent by agent, and side by side."""

from __future__ import annotations

import torch

from humanoid_rl_ext.env.transition import EnvSpec
from humanoid_rl_ext.learn.agent_networks import JointParameters, widest_action


class AgentActions:
    """Actions of agents are (..., agents, width), with zeros where one has fewer than others.

    They are numbers for a box; for choices, a one for what was chosen. Stored they are (batch, size) for a box, in the
    order in which the environment takes them, and for choices (batch, agents): their indices, as floats.
    """

    def __init__(self, spec: EnvSpec, device: torch.device) -> None:
        sizes = torch.tensor([agent.action.size for agent in spec.agents], device=device)
        self.box, self.width = spec.action.kind == "box", widest_action(spec)
        self.present = torch.arange(self.width, device=device) < sizes.unsqueeze(1)
        """Whether an agent has such an action, (agents, width) bool."""
        self.joint_size = spec.action.size if self.box else self.present.numel()
        """Elements of all agents' actions side by side."""
        self._sizes, self._ids = sizes.float(), torch.arange(self.width, device=device)
        self._in_order = JointParameters(spec).to(device)
        columns = [[*agent.acts, *[0] * (self.width - len(agent.acts))] for agent in spec.agents]
        self._columns = torch.tensor(columns, device=device).flatten()

    def apart(self, stored: torch.Tensor) -> torch.Tensor:
        """Stored actions by agent, (batch, agents, width)."""
        if self.box:
            return stored.index_select(1, self._columns).view(-1, *self.present.shape) * self.present
        return self.one_hot(stored)

    def one_hot(self, choices: torch.Tensor) -> torch.Tensor:
        """Choices (batch, agents) as ones in their places, (batch, agents, width) float."""
        return (choices.unsqueeze(-1) == self._ids).float()

    def joint(self, actions: torch.Tensor) -> torch.Tensor:
        """All agents' actions side by side, (..., joint_size), those of a box in the environment's order."""
        return self._in_order(actions) if self.box else actions.flatten(-2)

    def best(self, values: torch.Tensor) -> torch.Tensor:
        """What each agent should choose by values (batch, agents, width), (batch, agents) int64."""
        return values.masked_fill(~self.present, float("-inf")).argmax(-1)

    def draw_choices(self, stored: torch.Tensor, generator: torch.Generator) -> None:
        """Fills stored actions (batch, agents) with choices, all that an agent has equally likely."""
        stored.uniform_(generator=generator).mul_(self._sizes).floor_()
