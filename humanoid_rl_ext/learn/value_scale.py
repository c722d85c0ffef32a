"""Values on the scale of the returns seen so far."""

from __future__ import annotations

import torch

from humanoid_rl_ext.learn.agent_networks import AgentLinear
from humanoid_rl_ext.learn.normaliser import RunningStatistics

LEAST_VARIANCE = 1e-4


class ValueScale:
    """Shift and scale between what a critic gives and returns; the last layer follows, so that values stay the same.

    Source: van Hasselt et al. 2016, "Learning values across many orders of magnitude" (PopArt), with the statistics of
    everything seen; one scale for a critic that all agents share, else one each.
    """

    def __init__(self, copies: int, device: torch.device) -> None:
        self.statistics = RunningStatistics(copies, device)
        self._mean = torch.zeros(copies, device=device)
        self._deviation = torch.ones(copies, device=device)

    def to_returns(self, values: torch.Tensor) -> torch.Tensor:
        """Values (..., agents) as returns."""
        return torch.addcmul(self._mean, values, self._deviation)

    def from_returns(self, returns: torch.Tensor) -> torch.Tensor:
        """Returns (..., agents) as the critic is to give them."""
        return (returns - self._mean) / self._deviation

    def update(self, returns: torch.Tensor, head: AgentLinear) -> None:
        """Takes returns (..., agents) in, and lets a critic's last layer say the same on the new scale."""
        mean, deviation = self._mean.clone(), self._deviation.clone()
        self.statistics.update(returns.reshape(-1, len(mean)))
        self._refresh()
        head.weight.data.mul_((deviation / self._deviation).view(-1, 1, 1))
        bias = self.from_returns(torch.addcmul(mean, head.bias.data[:, 0], deviation))
        head.bias.data.copy_(bias.unsqueeze(-1))

    def state_dict(self) -> dict[str, torch.Tensor]:
        """The statistics."""
        return self.statistics.state_dict()

    def load_state_dict(self, state: dict[str, torch.Tensor]) -> None:
        """Restores ``state_dict``."""
        self.statistics.load_state_dict(state)
        self._refresh()

    def _refresh(self) -> None:
        self._mean.copy_(self.statistics.mean)
        self._deviation.copy_(self.statistics.var.clamp(min=LEAST_VARIANCE).sqrt_())
