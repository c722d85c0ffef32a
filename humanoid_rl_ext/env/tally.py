"""Episodes of environments that are stepped one after another, added up as they end."""

from __future__ import annotations

from typing import Any

Ended = tuple[int, float, int, bool]
"""Environment, return, length (steps), reached the time limit."""


class Tally:
    """Returns and lengths of the open episodes, and sums over those that ended."""

    def __init__(self, num_envs: int) -> None:
        self._returns = [0.0] * num_envs
        self._lengths = [0] * num_envs
        self._sums = {"return": 0.0, "length": 0.0, "success_rate": 0.0}
        self._episodes = 0
        self.finished: list[Ended] = []
        """The episodes that ended since ``begin_step``."""

    def begin_step(self) -> None:
        """Forgets which episodes have just ended."""
        self.finished = []

    def add(self, env: int, reward: float) -> None:
        """One step of an environment."""
        self._returns[env] += reward
        self._lengths[env] += 1

    def forget(self, env: int) -> None:
        """Starts an environment's episode anew without counting it."""
        self._returns[env], self._lengths[env] = 0.0, 0

    def end(self, env: int, reached_limit: bool) -> None:
        """Counts an environment's episode, which is over."""
        self.finished.append((env, self._returns[env], self._lengths[env], reached_limit))
        self._sums["return"] += self._returns[env]
        self._sums["length"] += self._lengths[env]
        self._sums["success_rate"] += reached_limit
        self._episodes += 1
        self.forget(env)

    def take(self) -> dict[str, float]:
        """Means over the episodes that ended since the last call: ``return``, ``length`` (steps), ``success_rate``
        (reached the time limit), and their number, ``episodes``; the number alone when none ended."""
        metrics = {"episodes": float(self._episodes)}
        if self._episodes:
            metrics |= {name: total / self._episodes for name, total in self._sums.items()}
        self._sums = dict.fromkeys(self._sums, 0.0)
        self._episodes = 0
        return metrics

    def state_dict(self) -> dict[str, Any]:
        """The sums over the episodes that ended."""
        return {"sums": dict(self._sums), "episodes": self._episodes}

    def load_state_dict(self, saved: dict[str, Any]) -> None:
        """Restores ``state_dict``."""
        self._sums, self._episodes = dict(saved["sums"]), saved["episodes"]
