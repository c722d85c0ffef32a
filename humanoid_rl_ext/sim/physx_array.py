"""One PhysX array and the torch tensor that the rest of the house sees, joints or bodies in the description's order."""

from __future__ import annotations

from typing import Any

import torch

from humanoid_rl_ext.sim.ordering import Ordering


class PhysxArray:
    """``values`` (num_envs, ...), read and written in place; PhysX fills it directly where the two orders agree."""

    def __init__(self, binding: Any, device: torch.device, ordering: Ordering | None = None) -> None:
        """Binds ``values`` of the binding's shape; ``ordering`` permutes its second axis."""
        self._binding = binding
        self._ordering = ordering
        self._empty = 0 in binding.shape
        self.values = torch.zeros(binding.shape, device=device)
        self._native = self.values if ordering is None else torch.zeros_like(self.values)

    def read(self) -> None:
        """Refreshes ``values`` from PhysX."""
        if self._empty:
            return
        self._binding.read(self._native)
        if self._ordering is not None:
            torch.index_select(self._native, 1, self._ordering.from_native, out=self.values)

    def write(self) -> None:
        """Writes ``values`` to PhysX."""
        if self._empty:
            return
        if self._ordering is not None:
            torch.index_select(self.values, 1, self._ordering.to_native, out=self._native)
        self._binding.write(self._native)

    def write_from(self, values: torch.Tensor, mask: torch.Tensor) -> None:
        """Writes the rows of ``values`` where ``mask`` is set; the array's own ``values`` stay until the next read."""
        if self._empty:
            return
        if self._ordering is not None:
            values = torch.index_select(values, 1, self._ordering.to_native)
        self._binding.write(values.contiguous(), mask=mask)
