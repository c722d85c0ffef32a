"""Tasks that bring an environment of their own: known by a prefix and a name, without settings of ours."""

from __future__ import annotations

from typing import Any

PREFIXES = {"gym:": "gymnasium", "pz:": "pettingzoo"}
"""What their names begin with, and the key that stands for it in a run's ``task.yaml``."""


def is_foreign(name: str) -> bool:
    """Whether a task's name means an environment of somebody else's."""
    return name.startswith(tuple(PREFIXES))


def foreign_data(name: str) -> dict[str, str]:
    """What a run's ``task.yaml`` holds for such a task."""
    prefix = next(prefix for prefix in PREFIXES if name.startswith(prefix))
    return {PREFIXES[prefix]: name.removeprefix(prefix)}


def foreign_name(data: dict[str, Any]) -> str | None:
    """The name that ``foreign_data`` was made of; None for a Task of ours."""
    return next((f"{prefix}{data[key]}" for prefix, key in PREFIXES.items() if key in data), None)
