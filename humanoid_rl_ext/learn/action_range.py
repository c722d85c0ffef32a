"""From actions within -1 and 1 to those of an environment."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn


class ActionRange(nn.Module):
    """Takes -1 to ``low``, 0 to ``rest`` and 1 to ``high``, element by element, and what lies between evenly."""

    def __init__(self, low: Sequence[float], rest: Sequence[float], high: Sequence[float]) -> None:
        super().__init__()
        least, middle, most = (torch.tensor(list(values)) for values in (low, rest, high))
        self.rest = nn.Buffer(middle, persistent=False)
        self.below, self.above = (nn.Buffer(span, persistent=False) for span in (middle - least, most - middle))

    def forward(self, actions: torch.Tensor) -> torch.Tensor:
        """The environment's actions (..., size)."""
        return torch.addcmul(self.rest, actions, torch.where(actions < 0.0, self.below, self.above))
