"""Results of evaluated policies, one row each, kept side by side until they are cleared."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from humanoid_rl_ext.train.evaluate import Evaluation

FIGURES = ("episodes", "mean_return", "std_return", "mean_episode_length", "success_rate")


@dataclass(frozen=True, slots=True)
class Subject:
    """What was evaluated: a checkpoint, a policy folder, or the policy being learned at some moment."""

    run: Path
    task: str
    env_steps: int | None
    """None for a policy folder, which does not say."""
    saved: bool
    """Whether it is on disk."""

    @property
    def label(self) -> str:
        """How a table calls it."""
        if self.env_steps is None:
            return self.task
        return f"{self.env_steps:,}" if self.saved else f"{self.env_steps:,} (learning)"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    subject: Subject
    result: Evaluation

    @property
    def own_metrics(self) -> dict[str, float]:
        """The task's own figures, without the share of each reward."""
        metrics = self.result.metrics.items()
        return {name: value for name, value in metrics if not name.startswith("reward/") and name != "non_finite"}


class EvaluationTable:
    """Rows in the order of evaluation; a policy that is evaluated again replaces its row."""

    def __init__(self) -> None:
        self.rows: list[Row] = []

    @property
    def metrics(self) -> list[str]:
        """Names of all other figures, of all rows."""
        return list(dict.fromkeys(name for row in self.rows for name in row.result.metrics))

    def add(self, subject: Subject, result: Evaluation) -> None:
        """Takes a result in."""
        self.rows = [row for row in self.rows if row.subject != subject] + [Row(subject, result)]

    def clear(self) -> None:
        """Forgets all results."""
        self.rows = []

    def save(self, path: Path) -> None:
        """Writes all rows as CSV; raises OSError when the file cannot be written."""
        metrics = self.metrics
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["run", "task", "env_steps", "checkpoint", *FIGURES, *metrics])
            for row in self.rows:
                subject, result = row.subject, row.result
                writer.writerow(
                    [subject.run, subject.task, subject.env_steps, subject.saved]
                    + [getattr(result, name) for name in FIGURES]
                    + [result.metrics.get(name, "") for name in metrics]
                )
