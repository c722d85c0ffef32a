"""How often episodes fail at each value of a randomised quantity, counted on the device."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

NUM_BINS = 16


@dataclass(frozen=True, slots=True)
class Bins:
    """A scalar quantity that is counted."""

    name: str
    value: torch.Tensor
    """(num_envs, 1) what the environments have now; read at every count."""
    within: torch.Tensor
    """(2,) its range, which the bins share out evenly."""


@dataclass(frozen=True, slots=True)
class FailureRate:
    """One quantity's row of the map, on the host."""

    edges: list[float]
    """``NUM_BINS + 1`` values of the quantity."""
    episodes: list[int]
    """Episodes that ended with the quantity in each bin."""
    failed: list[int]
    """Those among them that ended by failing."""


class FailureMap:
    """Counts of ended and failed episodes in even bins of each quantity's range."""

    def __init__(self, bins: Sequence[Bins], device: torch.device) -> None:
        self._bins = list(bins)
        self._counts = torch.zeros(2, len(self._bins) * NUM_BINS, dtype=torch.int64, device=device)
        self._first = NUM_BINS * torch.arange(len(self._bins), device=device)
        self._ranges = [bins.within.clone() for bins in self._bins]

    def add(self, done: torch.Tensor, failed: torch.Tensor) -> None:
        """Counts the episodes that end in this step: ``done`` and ``failed`` (rows,) bool, of the first rows."""
        if not self._bins or (done.device.type == "cpu" and not done.any()):
            return
        values = torch.cat([bins.value[: len(done)] for bins in self._bins], dim=-1)
        low, high = torch.stack([bins.within for bins in self._bins], dim=-1)
        index = (_bin(values, low, high) + self._first).view(1, -1).expand(2, -1)
        counted = torch.stack((done, failed & done)).unsqueeze(-1).expand(-1, -1, len(self._bins)).reshape(2, -1)
        self._counts.scatter_add_(1, index, counted.long())

    def follow(self) -> None:
        """Sorts what was counted into the bins of ranges that have changed; a bin counts as lying at its middle."""
        middle = (torch.arange(NUM_BINS, device=self._counts.device) + 0.5) / NUM_BINS
        for index, bins in enumerate(self._bins):
            before, now = self._ranges[index], bins.within
            place = _bin(torch.lerp(before[0], before[1], middle), now[0], now[1])
            row = self._counts[:, index * NUM_BINS : (index + 1) * NUM_BINS]
            row.copy_(torch.zeros_like(row).scatter_add_(1, place.expand(2, -1), row.clone()))
            before.copy_(now)

    def read(self) -> dict[str, FailureRate]:
        """The map by quantity, since the last ``clear``. Waits for the device."""
        counts = self._counts.view(2, len(self._bins), NUM_BINS).tolist()
        rows = {}
        for index, bins in enumerate(self._bins):
            low, high = bins.within.tolist()
            edges = [low + (high - low) * edge / NUM_BINS for edge in range(NUM_BINS + 1)]
            rows[bins.name] = FailureRate(edges, counts[0][index], counts[1][index])
        return rows

    def state_dict(self) -> dict[str, Any]:
        """What was counted, by quantity, and the ranges that it was counted in."""
        names = [bins.name for bins in self._bins]
        return {"names": names, "counts": self._counts.clone(), "ranges": [within.clone() for within in self._ranges]}

    def load_state_dict(self, saved: Mapping[str, Any]) -> None:
        """Restores ``state_dict`` in today's ranges; a quantity that it does not know starts at zero."""
        self.clear()
        for index, bins in enumerate(self._bins):
            if bins.name in saved["names"]:
                there = saved["names"].index(bins.name)
                row = saved["counts"][:, there * NUM_BINS : (there + 1) * NUM_BINS]
                self._counts[:, index * NUM_BINS : (index + 1) * NUM_BINS] = row.to(self._counts)
                self._ranges[index].copy_(saved["ranges"][there])
        self.follow()

    def clear(self) -> None:
        """Starts counting anew."""
        self._counts.zero_()


def _bin(values: torch.Tensor, low: torch.Tensor, high: torch.Tensor) -> torch.Tensor:
    """The bin of each value, int64; what lies outside counts to the first or the last."""
    return ((values - low) * (NUM_BINS / (high - low).clamp(min=1e-12))).long().clamp(0, NUM_BINS - 1)
