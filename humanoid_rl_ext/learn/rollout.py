"""Storage for one rollout, allocated once."""

from __future__ import annotations

import torch


class Rollout:
    """What was seen and done in ``num_steps`` steps of ``num_envs`` environments.

    All fields are columns of one table, (num_steps, num_envs, width), so that a minibatch is gathered in one
    operation. ``sizes`` maps a field to its width; zero stands for a number per environment.
    """

    def __init__(self, num_steps: int, num_envs: int, sizes: dict[str, int], device: torch.device) -> None:
        self.num_steps = num_steps
        self._columns: dict[str, int | slice] = {}
        width = 0
        for name, size in sizes.items():
            self._columns[name] = slice(width, width + size) if size else width
            width += max(size, 1)
        self._table = torch.zeros(num_steps, num_envs, width, device=device)
        self._rows = self._table.view(num_steps * num_envs, width)

    def __getitem__(self, name: str) -> torch.Tensor:
        """A writable view of a field, (num_steps, num_envs) or (num_steps, num_envs, size)."""
        return self._table[..., self._columns[name]]

    def rows(self, name: str) -> torch.Tensor:
        """A writable view of a field, (samples,) or (samples, size)."""
        return self._rows[:, self._columns[name]]

    def take(self, step: int, row: Rollout) -> None:
        """Copies all fields of a rollout of one step."""
        self._table[step].copy_(row._table[0])

    def first(self, steps: int) -> torch.Tensor:
        """A writable view of all fields of the first steps, (steps, num_envs, width)."""
        return self._table[:steps]

    def __len__(self) -> int:
        """The number of samples: num_steps x num_envs."""
        return self._rows.shape[0]

    def gather(self, indices: torch.Tensor) -> dict[str, torch.Tensor]:
        """The fields of the samples at ``indices`` (n,), each (n,) or (n, size)."""
        rows = self._rows.index_select(0, indices)
        return {name: rows[:, column] for name, column in self._columns.items()}
