"""Bindings whose rows PhysX holds in an order of its own, as it does those of teams that it copied."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from humanoid_rl_ext.sim.ordering import robots_of


def in_order(binding: Any, robot_paths: Sequence[str]) -> Any:
    """The binding itself where row i is the articulation at or below ``robot_paths[i]``, else one that sorts rows.

    Raises:
        EngineError: when a robot has no row, or several.
    """
    robots = robots_of(binding.prim_paths, robot_paths)
    if robots == sorted(robots):
        return binding
    return SortedRows(binding, torch.tensor(robots))


class SortedRows:
    """A binding with its rows in the robots' order; implements ``physx.Binding``."""

    def __init__(self, binding: Any, rows: torch.Tensor) -> None:
        """``rows`` (num_envs,) int64: the robot that each of the binding's rows belongs to."""
        self._binding, self._rows = binding, rows
        self.shape, self.dof_names, self.body_names = binding.shape, binding.dof_names, binding.body_names
        self._native: dict[torch.device, torch.Tensor] = {}

    def read(self, out: torch.Tensor) -> None:
        """Refreshes ``out`` (of ``shape``)."""
        native = self._buffer(out)
        self._binding.read(native)
        out.index_copy_(0, self._rows_on(out.device), native)

    def write(self, values: torch.Tensor, mask: torch.Tensor | None = None) -> None:
        """Writes the rows of ``values`` where ``mask`` is set; all of them when it is None."""
        native, rows = self._buffer(values), self._rows_on(values.device)
        torch.index_select(values, 0, rows, out=native)
        picked = None if mask is None else mask.index_select(0, self._rows_on(mask.device))
        if values.is_cuda:  # PhysX reads on a stream of its own
            torch.cuda.current_stream(values.device).synchronize()
        self._binding.write(native, mask=picked)

    def _buffer(self, like: torch.Tensor) -> torch.Tensor:
        if like.device not in self._native:
            self._native[like.device] = torch.empty_like(like, memory_format=torch.contiguous_format)
        return self._native[like.device]

    def _rows_on(self, device: torch.device) -> torch.Tensor:
        self._rows = self._rows.to(device)
        return self._rows
