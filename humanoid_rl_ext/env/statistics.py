"""Sums over episodes, kept on the device and fetched once per learning iteration."""

from __future__ import annotations

from collections.abc import Sequence

import torch


class EpisodeStatistics:
    """Adds up rewards and metrics per episode and, over the episodes that end, their means."""

    def __init__(self, num_envs: int, rewards: Sequence[str], metrics: Sequence[str], device: torch.device) -> None:
        self.rewards, self.metrics = list(rewards), list(metrics)
        self._sums = torch.zeros(num_envs, len(rewards) + len(metrics), device=device)
        self._finished = torch.zeros(4 + self._sums.shape[1], dtype=torch.float64, device=device)
        self._non_finite = torch.zeros((), dtype=torch.int64, device=device)
        self.done = torch.zeros(num_envs, dtype=torch.bool, device=device)
        self._last = torch.zeros(num_envs, 3, device=device)

    def add(self, rewards: torch.Tensor, metrics: Sequence[torch.Tensor], non_finite: torch.Tensor) -> None:
        """Takes in one step: weighted rewards (num_envs, terms) as paid, and each metric (num_envs,)."""
        if metrics:
            measured = torch.where(non_finite.unsqueeze(-1), 0.0, torch.stack(list(metrics), dim=-1))
            rewards = torch.cat((rewards, measured), dim=-1)
        self._sums += rewards
        self._non_finite += non_finite.sum()

    def finish(self, done: torch.Tensor, length: torch.Tensor, success: torch.Tensor) -> None:
        """Closes the episodes of the environments in ``done`` (num_envs,) bool and starts new ones."""
        terms = len(self.rewards)
        steps = length.unsqueeze(-1).float()
        total = self._sums[:, :terms].sum(-1, keepdim=True)
        self.done = done
        self._last = torch.cat((total, steps, success.unsqueeze(-1).float()), dim=-1)
        means = self._sums[:, terms:] / steps.clamp(min=1)
        row = torch.cat((torch.ones_like(total), self._last, self._sums[:, :terms], means), dim=-1)
        self._finished += torch.where(done.unsqueeze(-1), row, 0.0).sum(0)
        self._sums.masked_fill_(done.unsqueeze(-1), 0.0)

    def finished(self) -> list[tuple[int, float, int, bool]]:
        """Environment, return, length (control steps) and success of each episode that ended in the last step."""
        index = self.done.nonzero().squeeze(-1)
        rows = self._last[index].tolist()
        return [(env, row[0], int(row[1]), row[2] > 0.5) for env, row in zip(index.tolist(), rows, strict=True)]

    def take(self) -> dict[str, float]:
        """Means over the episodes that ended since the last call; only 'episodes' and 'non_finite' when none did."""
        episodes, returned, length, success, *terms = self._finished.tolist()
        result = {"episodes": episodes, "non_finite": float(self._non_finite)}
        if episodes:
            result |= {"return": returned / episodes, "length": length / episodes, "success_rate": success / episodes}
            names = [f"reward/{name}" for name in self.rewards] + self.metrics
            result |= {name: value / episodes for name, value in zip(names, terms, strict=True)}
        self._finished.zero_()
        self._non_finite.zero_()
        return result

    def state_dict(self) -> dict[str, torch.Tensor]:
        """Running sums of the open episodes."""
        return {
            "sums": self._sums.clone(),
            "finished": self._finished.clone(),
            "non_finite": self._non_finite.clone(),
        }

    def load_state_dict(self, state: dict[str, torch.Tensor]) -> None:
        """Restores ``state_dict``."""
        self._sums.copy_(state["sums"])
        self._finished.copy_(state["finished"])
        self._non_finite.copy_(state["non_finite"])
