"""Usual ranges of randomisation as bundled fragments of a Task (``config/randomisation``)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from humanoid_rl_ext.errors import TaskError, did_you_mean
from humanoid_rl_ext.task.loading import edited_in_turn
from humanoid_rl_ext.task.schema import Task

PRESETS = Path(__file__).parents[2] / "config" / "randomisation"
EXACT = ("last_action", "command", "target_position")
"""Observations that no sensor measures, so that none makes an error in them."""


@dataclass(frozen=True, slots=True)
class RandomisationPreset:
    """What a preset adds to a Task."""

    name: str
    description: str
    randomisation: dict[str, dict[str, Any]]
    """Entries of the Task's table."""
    observation_noise: float
    """Noise on what the policy measures, after each entry's scale."""

    def edits(self, task: Task) -> list[tuple[str, Any]]:
        """What to change in a Task, path by path; entries and noise that it has stay as they are."""
        entries = [
            (f"randomisation.{name}", entry)
            for name, entry in self.randomisation.items()
            if name not in task.randomisation
        ]
        noise = [
            (f"observations.policy.{name}.noise", self.observation_noise / abs(section.scale or 1.0))
            for name, section in task.observations["policy"].items()
            if section.spec.name not in EXACT and not section.noise
        ]
        return [*entries, *noise]


def randomisation_presets() -> dict[str, RandomisationPreset]:
    """The bundled presets by name."""
    found = {}
    for path in sorted(PRESETS.glob("*.yaml")):
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
        found[path.stem] = RandomisationPreset(path.stem, **data)
    return found


def with_randomisation(task: Task, name: str) -> Task:
    """The Task with a preset's entries added.

    Raises:
        TaskError: for an unknown preset.
    """
    presets = randomisation_presets()
    if name not in presets:
        raise TaskError(f"unknown preset of randomisation '{name}'; {did_you_mean(name, presets)}")
    return edited_in_turn(task, presets[name].edits(task))
