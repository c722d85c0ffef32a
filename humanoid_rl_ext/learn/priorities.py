"""Drawing rows in proportion to their priorities, without waiting for the device."""

from __future__ import annotations

import torch

BLOCK = 256
"""Rows that share one sum."""


class Priorities:
    """A priority per row, and one sum per block of rows, from which rows are drawn in two searches.

    On vectors this does what a tree of sums does, in two levels instead of twenty. Source: Schaul et al. 2016,
    "Prioritized Experience Replay", proportional variant (section 3.3, appendix B.2.1).
    """

    def __init__(self, rows: int, batch_size: int, alpha: float, device: torch.device) -> None:
        """``alpha``: exponent of the priorities; zero draws all rows alike."""
        self.alpha = alpha
        blocks = -(-rows // BLOCK)
        self._values = torch.zeros(blocks * BLOCK, device=device)
        self._blocks = self._values.view(blocks, BLOCK)
        self._sums = torch.zeros(blocks, device=device)
        self.largest = torch.ones((), device=device)
        """The largest priority so far, which new rows get, so that each is seen once."""
        self.uniform = torch.zeros(batch_size, device=device)
        """Random numbers in [0, 1) that ``draw`` needs."""
        self._strata = torch.arange(batch_size, dtype=torch.float64, device=device)

    def welcome(self, first: int, rows: int) -> None:
        """Gives ``rows`` rows from ``first`` on, which are new, the largest priority."""
        self._values[first : first + rows] = self.largest
        begin, end = first // BLOCK, (first + rows - 1) // BLOCK + 1
        torch.sum(self._blocks[begin:end], dim=-1, out=self._sums[begin:end])

    def draw(self, filled: torch.Tensor) -> torch.Tensor:
        """Rows (batch_size,) int64 drawn in proportion to their priorities, one from each equal share of their sum.

        ``filled``: how many rows, from the first on, are in use, a scalar int64.
        """
        totals = self._sums.cumsum(0, dtype=torch.float64)
        sought = (self.uniform + self._strata) * (totals[-1] / len(self._strata))
        block = torch.searchsorted(totals, sought, right=True).clamp_(max=len(totals) - 1)
        rest = sought - totals[block] + self._sums[block]
        inside = self._blocks.index_select(0, block).cumsum(-1, dtype=torch.float64)
        place = torch.searchsorted(inside, rest.unsqueeze(-1), right=True).squeeze(-1).clamp_(max=BLOCK - 1)
        return torch.minimum(block * BLOCK + place, filled - 1)

    def weights(self, rows: torch.Tensor, filled: torch.Tensor, beta: torch.Tensor) -> torch.Tensor:
        """What makes up for rows being drawn more often than others, (batch_size,), at most 1.

        (N P(i))^-beta, divided by the largest of the batch: section 3.4.
        """
        share = self._values[rows] / self._sums.sum(dtype=torch.float64).float()
        weights = (share * filled).clamp_(min=1e-12).pow_(-beta)
        return weights / weights.max()

    def update(self, rows: torch.Tensor, errors: torch.Tensor) -> None:
        """Sets the priorities of rows (n,) to their errors' (n,) magnitudes, to the power of alpha."""
        values = (errors.abs() + 1e-6).pow_(self.alpha)
        self._values[rows] = values
        torch.maximum(self.largest, values.max(), out=self.largest)
        blocks = rows // BLOCK
        self._sums[blocks] = self._blocks.index_select(0, blocks).sum(-1)

    def clear(self) -> None:
        """Gives no row a priority."""
        self._values.zero_()
        self._sums.zero_()
        self.largest.fill_(1.0)

    def state_dict(self) -> dict[str, torch.Tensor]:
        """The priorities and the largest of them."""
        return {"values": self._values.to("cpu", copy=True), "largest": self.largest.clone()}

    def load_state_dict(self, state: dict[str, torch.Tensor]) -> None:
        """Restores ``state_dict``."""
        self._values.copy_(state["values"])
        self.largest.copy_(state["largest"])
        torch.sum(self._blocks, dim=-1, out=self._sums)
