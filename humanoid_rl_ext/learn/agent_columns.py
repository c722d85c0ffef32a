"""Which columns of observations and actions are each agent's, as tensors that all agents go through at once."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from humanoid_rl_ext.env.transition import EnvSpec


class AgentColumns:
    """Observations and actions agent by agent: (agents, batch, width), with zeros where an agent has fewer than others.

    Actions are numbers for a box, and for choices a one for what was chosen. Stored they are (batch, size) for a box,
    and for choices (batch, agents): their indices, as floats.
    """

    def __init__(self, spec: EnvSpec, device: torch.device) -> None:
        agents = spec.agents
        self.box = spec.action.kind == "box"
        self.observations = [len(agent.observes) for agent in agents]
        """Elements that each agent observes."""
        self.actions = [agent.action.size for agent in agents]
        """Elements of each agent's action, or how many it has to choose from."""
        self._observes, self._observed = _padded([agent.observes for agent in agents], device)
        acts = [agent.acts if self.box else range(agent.action.size) for agent in agents]
        self._acts, present = _padded(acts, device)
        self.present = present.unsqueeze(1)
        """Whether an agent has such an action, (agents, 1, width) bool."""
        places = present.flatten().nonzero().squeeze(-1)  # of all actions side by side, those that there are
        self._places = places[self._acts.flatten()[places].argsort()] if self.box else places
        self._ids = torch.arange(present.shape[1], device=device)
        self._sizes = torch.tensor(self.actions, dtype=torch.float32, device=device)

    @property
    def joint_size(self) -> int:
        """Elements of all agents' actions side by side."""
        return len(self._places)

    def observed(self, obs: torch.Tensor) -> torch.Tensor:
        """What each agent sees, (agents, batch, width), of observations (batch, size)."""
        return _taken(obs, self._observes) * self._observed.unsqueeze(1)

    def apart(self, actions: torch.Tensor) -> torch.Tensor:
        """Stored actions by agent, (agents, batch, width)."""
        if self.box:
            return _taken(actions, self._acts) * self.present
        return (actions.t().unsqueeze(-1) == self._ids).to(actions.dtype)

    def joint(self, actions: torch.Tensor) -> torch.Tensor:
        """All agents' actions side by side, (..., batch, joint_size), of (..., agents, batch, width).

        Those of a box come in the order in which the environment takes them.
        """
        return actions.movedim(-3, -2).flatten(-2).index_select(-1, self._places)

    def best(self, values: torch.Tensor) -> torch.Tensor:
        """The choices with the greatest values (agents, batch, width), (agents, batch) int64."""
        return values.masked_fill(~self.present, float("-inf")).argmax(-1)

    def draw_choices(self, actions: torch.Tensor, generator: torch.Generator) -> None:
        """Fills stored actions (batch, agents) with choices, all that an agent has equally likely."""
        actions.uniform_(generator=generator).mul_(self._sizes).floor_()


def _padded(rows: Sequence[Sequence[int]], device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """Indices (rows, longest), zero beyond the end of a row, and whether they are before it."""
    longest = max(len(row) for row in rows)
    indices = torch.tensor([[*row, *[0] * (longest - len(row))] for row in rows], device=device)
    lengths = torch.tensor([len(row) for row in rows], device=device)
    return indices, torch.arange(longest, device=device) < lengths.unsqueeze(1)


def _taken(values: torch.Tensor, columns: torch.Tensor) -> torch.Tensor:
    """Columns (agents, width) of values (batch, size), (agents, batch, width)."""
    return values.index_select(1, columns.flatten()).view(-1, *columns.shape).transpose(0, 1)
