"""Where the figures of a run go: ring buffers for plots, ``metrics.jsonl`` for programs, TensorBoard for people."""

from __future__ import annotations

import importlib.util
import json
import math
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import IO, Any

import numpy as np

Metrics = dict[str, float]


class MetricHistory:
    """The last ``capacity`` iterations of every metric; NaN stands where an iteration had no value."""

    def __init__(self, capacity: int = 8192) -> None:
        self.capacity = capacity
        self.names: list[str] = []
        self._columns: dict[str, np.ndarray] = {}
        self._rows = 0

    def __len__(self) -> int:
        """How many iterations are held."""
        return min(self._rows, self.capacity)

    def append(self, metrics: Mapping[str, float]) -> None:
        """Adds one iteration; new names start a column, the oldest iteration makes room."""
        row = self._rows % self.capacity
        for name in metrics:
            if name not in self._columns:
                self.names.append(name)
                self._columns[name] = np.full(self.capacity, np.nan)
        for name, column in self._columns.items():
            column[row] = metrics.get(name, np.nan)
        self._rows += 1

    def column(self, name: str) -> np.ndarray:
        """One metric over the held iterations, oldest first, (iterations,); all NaN for an unknown name."""
        if name not in self._columns:
            return np.full(len(self), np.nan)
        return np.roll(self._columns[name], -self._rows if self._rows > self.capacity else 0)[: len(self)]

    def clear(self) -> None:
        """Forgets everything, for a run that goes back to an earlier checkpoint."""
        self.names.clear()
        self._columns.clear()
        self._rows = 0

    def mean_over_episodes(self, name: str, iterations: int) -> float | None:
        """Mean of an ``episode/`` or ``reward/`` metric over the episodes that ended in the last iterations."""
        weights = self.column("episode/episodes")[-iterations:]
        values = self.column(name)[-iterations:]
        counted = np.isfinite(values) & (weights > 0)
        if not counted.any():
            return None
        return float(np.average(values[counted], weights=weights[counted]))

    def closing_window(self, max_episode_length: int, num_envs: int, *, share: float = 0.1, episodes: int = 100) -> int:
        """How many last iterations the figures of a whole run are taken from.

        The last 10 %, but enough to hold 100 episodes and twice the time limit: in a shorter window the episodes that
        end early would outnumber the long ones. The whole run where it is shorter than that.
        """
        steps = self.column("env_steps")
        if not len(steps):
            return 0
        ended = np.nancumsum(self.column("episode/episodes")[::-1])
        spanned = (steps[-1] - steps[::-1]) / num_envs
        enough = np.flatnonzero((ended >= episodes) & (spanned >= 2 * max_episode_length))
        needed = int(enough[0]) + 1 if len(enough) else len(steps)
        return max(needed, math.ceil(share * len(steps)))

    def closing_figures(self, max_episode_length: int, num_envs: int) -> Metrics:
        """Means over the episodes that ended in the ``closing_window``."""
        window = self.closing_window(max_episode_length, num_envs)
        names = [name for name in self.names if name.startswith(("episode/", "reward/"))]
        means = {name: self.mean_over_episodes(name, window) for name in names}
        return {name: mean for name, mean in means.items() if mean is not None}


class MetricsLog:
    """Writes one object per iteration to ``metrics.jsonl``, and to TensorBoard's event file where that is installed.

    The first is flushed at once; the other, which takes a while, waits for ``settle``.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / "metrics.jsonl"
        self._file: IO[str] = self.path.open("a", encoding="utf-8")
        self._tensorboard: Any = None
        self._purge_from: int | None = None
        self._unsettled: list[Metrics] = []

    def write(self, metrics: Metrics) -> None:
        """Appends one iteration; figures that are not finite are left out, JSON has no word for them."""
        self._file.write(json.dumps(finite(metrics), allow_nan=False) + "\n")
        self._file.flush()
        if has_tensorboard():
            self._unsettled.append(dict(metrics))

    def settle(self) -> None:
        """Brings TensorBoard's file up to date, best while a GPU is at work."""
        if not self._unsettled:
            return
        if self._tensorboard is None:  # not before the first iteration: the import would delay the start
            from torch.utils.tensorboard import SummaryWriter

            self._tensorboard = SummaryWriter(str(self.path.parent), purge_step=self._purge_from)
        for metrics in self._unsettled:
            for name, value in metrics.items():
                if "/" in name:
                    self._tensorboard.add_scalar(name, value, int(metrics["env_steps"]))
        self._unsettled.clear()
        self._tensorboard.flush()

    def rewind(self, env_steps: int) -> Iterator[Metrics]:
        """Drops what was written after ``env_steps`` and gives the rest; for a run that goes on from a checkpoint."""
        self.settle()
        self._file.close()
        kept, _ = keep_until(self.path, env_steps)
        self._file = self.path.open("a", encoding="utf-8")
        self._purge_from = env_steps + 1
        if self._tensorboard is not None:
            self._tensorboard.close()
            self._tensorboard = None
        yield from kept

    def close(self) -> None:
        """Flushes and closes both files."""
        self.settle()
        self._file.close()
        if self._tensorboard is not None:
            self._tensorboard.close()


@cache
def has_tensorboard() -> bool:
    """Whether TensorBoard is installed; Isaac Sim does not bring it."""
    return importlib.util.find_spec("tensorboard") is not None


def finite(metrics: Mapping[str, float]) -> Metrics:
    """The metrics without those that are NaN or infinite."""
    return {name: value for name, value in metrics.items() if math.isfinite(value)}


def read_lines(path: Path) -> list[dict[str, Any]]:
    """The entries of a JSON-lines file whose lines bear ``env_steps``, up to the first line that is no entry."""
    entries: list[dict[str, Any]] = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        try:
            entry = json.loads(line)
            float(entry["env_steps"])
        except (ValueError, KeyError, TypeError):
            break
        entries.append(entry)
    return entries


def keep_until(path: Path, env_steps: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Rewrites a JSON-lines file without the lines after ``env_steps``; returns what was kept and what was dropped.

    A last line that a crash cut off is dropped in silence, and so is all that follows a line that is no entry.
    """
    if not path.exists():
        return [], []
    entries = read_lines(path)
    kept = [entry for entry in entries if entry["env_steps"] <= env_steps]
    dropped = [entry for entry in entries if entry["env_steps"] > env_steps]
    aside = path.with_suffix(".rewinding")
    aside.write_text("".join(json.dumps(entry) + "\n" for entry in kept), encoding="utf-8")
    aside.replace(path)
    return kept, dropped
