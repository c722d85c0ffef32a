"""Sums over episodes, kept on the device and fetched once per learning iteration."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from humanoid_rl_ext.env.outcome import Outcome

Episode = tuple[int, float, int, bool]
"""Environment, return, length (control steps) and success."""

COUNTED = ("episodes", "return", "length", "success")
"""First columns of every table here; those of the rewards and metrics follow."""


class EpisodeStatistics:
    """Adds up rewards and metrics per episode and, over the episodes that end, their means.

    The last ``reserved`` environments are counted apart: they have means of their own.
    """

    def __init__(
        self, num_envs: int, rewards: Sequence[str], metrics: Sequence[str], device: torch.device, reserved: int = 0
    ) -> None:
        self.rewards, self.metrics = list(rewards), list(metrics)
        rows = num_envs + reserved
        self._num_envs, self._reserved = num_envs, reserved
        self._open = torch.zeros(rows, len(COUNTED) + len(rewards) + len(metrics), device=device)
        self._open[:, 0] = 1.0
        self._finished = torch.zeros(2, self._open.shape[1], dtype=torch.float64, device=device)
        self._non_finite = torch.zeros(2, dtype=torch.int64, device=device)
        self.done = torch.zeros(rows, dtype=torch.bool, device=device)
        self._ended = torch.zeros_like(self._open)
        self._whole: torch.Tensor | None = None

    def take_in(self, outcome: Outcome) -> None:
        """Adds up one step, and closes the episodes that ended in it."""
        self._open[:, len(COUNTED) :] += outcome.values
        self._open[:, 1] += outcome.reward if outcome.reward.dim() == 1 else outcome.reward.mean(-1)
        if outcome.non_finite is not None:
            self._accumulate(self._non_finite, outcome.non_finite)
        self.done = ended = outcome.done
        if self._whole is not None:
            self.done = ended & self._whole
            self._whole |= ended
        if ended.device.type == "cpu" and not ended.any():
            return
        self._open[:, 2] = outcome.length
        self._open[:, 3] = outcome.success
        self._ended = torch.where(self.done.unsqueeze(-1), self._open, 0.0)
        if self.metrics:
            self._ended[:, -len(self.metrics) :] /= self._open[:, 2:3].clamp(min=1)
        self._accumulate(self._finished, self._ended)
        self._open[:, 1:].masked_fill_(ended.unsqueeze(-1), 0.0)

    def forget(self) -> None:
        """Drops what the open episodes have summed up, because all start anew."""
        self._open[:, 1:] = 0.0
        if self._whole is not None:
            self._whole.fill_(True)

    def leave_out(self, mask: torch.Tensor) -> None:
        """Counts the open episodes of the environments in ``mask`` (rows,) bool no more, but those after them."""
        self._whole = ~mask

    def finished(self, reserved: bool = False) -> list[Episode]:
        """The episodes that ended in the last step, of the reserved environments (counted from 0) or of the others."""
        part = slice(self._num_envs, None) if reserved else slice(self._num_envs)
        index = self.done[part].nonzero().squeeze(-1)
        rows = self._ended[part][index, 1 : len(COUNTED)].tolist()
        return [(env, row[0], int(row[1]), row[2] > 0.5) for env, row in zip(index.tolist(), rows, strict=True)]

    def take(self, reserved: bool = False) -> dict[str, float]:
        """Means over the episodes that ended since the last call; only 'episodes' and 'non_finite' when none did."""
        finished, non_finite = self._finished[int(reserved)], self._non_finite[int(reserved)]
        episodes, returned, length, success, *terms = finished.tolist()
        result = {"episodes": episodes, "non_finite": float(non_finite)}
        if episodes:
            result |= {"return": returned / episodes, "length": length / episodes, "success_rate": success / episodes}
            result |= {name: value / episodes for name, value in zip(self._columns(), terms, strict=True)}
        finished.zero_()
        non_finite.zero_()
        return result

    def set_rewards(self, rewards: Sequence[str]) -> None:
        """Counts other rewards from now on; the sums of those that stay go on, new ones start at zero."""
        before = self._columns()
        self.rewards = list(rewards)
        self._open, self._finished, self._ended = (
            torch.cat((table[:, : len(COUNTED)], self._matched(table[:, len(COUNTED) :], before)), dim=-1)
            for table in (self._open, self._finished, self._ended)
        )

    def state_dict(self) -> dict[str, Any]:
        """Running sums of the open episodes, those of reserved environments left out."""
        return {
            "columns": self._columns(),
            "sums": self._open[: self._num_envs, len(COUNTED) :].clone(),
            "finished": self._finished[0].clone(),
            "non_finite": self._non_finite[0].clone(),
            **({} if self._whole is None else {"whole": self._whole[: self._num_envs].clone()}),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restores ``state_dict``; rewards and metrics that it does not know start at zero."""
        columns = state.get("columns", self._columns())
        sums = self._matched(state["sums"].to(self._open), columns)
        self._open[: self._num_envs, len(COUNTED) :] = sums
        self._open[: self._num_envs, 1] = sums[:, : len(self.rewards)].sum(-1)
        finished = state["finished"].to(self._finished)
        self._finished[0] = torch.cat((finished[: len(COUNTED)], self._matched(finished[len(COUNTED) :], columns)))
        self._non_finite[0] = state["non_finite"]
        if "whole" in state:
            if self._whole is None:
                self._whole = torch.ones_like(self.done)
            self._whole[: self._num_envs] = state["whole"].to(self._whole)

    def _accumulate(self, sums: torch.Tensor, rows: torch.Tensor) -> None:
        """Adds rows to the sums (2, ...) of their part."""
        sums[0].add_(rows[: self._num_envs].sum(0))
        if self._reserved:
            sums[1].add_(rows[self._num_envs :].sum(0))

    def _columns(self) -> list[str]:
        return [*(f"reward/{name}" for name in self.rewards), *self.metrics]

    def _matched(self, values: torch.Tensor, columns: Sequence[str]) -> torch.Tensor:
        """``values`` (..., columns) in the order of today's columns; zero for those it has not got."""
        now = self._columns()
        if list(columns) == now:
            return values
        result = values.new_zeros(*values.shape[:-1], len(now))
        for index, name in enumerate(now):
            if name in columns:
                result[..., index] = values[..., columns.index(name)]
        return result
