"""What the next run is going to be: a Task and its run settings, edited by path and valid at all times."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from humanoid_rl_ext.errors import TaskError
from humanoid_rl_ext.task.loading import edited, load_task
from humanoid_rl_ext.task.schema import Task
from humanoid_rl_ext.train.config import RunConfig, edited_config, load_run_config

ORDERED = "curriculum.stages"
"""The table whose order means something."""
MISSING = object()
"""Stands for the value of a path that does not exist, such as a default for a reward the preset has not got."""


@dataclass(frozen=True, slots=True)
class Change:
    """One edit, as the undo list and the plots' marks remember it; None stands for an entry that was not there."""

    path: str
    old: Any
    new: Any

    @property
    def moves_something(self) -> bool:
        """Whether old and new differ; the order of a table's entries counts."""
        return self.old != self.new or (isinstance(self.old, dict) and list(self.old) != list(self.new))


class Draft:
    """A Task and a run configuration with the presets they came from.

    Paths: those of the Task as in its YAML; ``learner.<setting>`` and ``run.<setting>`` as on the command line.
    """

    def __init__(self, task: Task, config: RunConfig | None = None) -> None:
        self.task = self.preset = task
        self.config = config or load_run_config("ppo", task.name, seed=task.seed)
        self.config_preset = load_run_config(self.config.algorithm, task.name, seed=task.seed)
        self.source = task.name
        """Name or path that the Task was loaded from."""

    @classmethod
    def load(cls, name_or_path: str | Path) -> Draft:
        """The draft of a preset or a task file; raises TaskError as ``load_task`` does."""
        draft = cls(load_task(name_or_path))
        draft.source = str(name_or_path)
        return draft

    def value(self, path: str) -> Any:
        """The value at a path, plain data; raises TaskError where there is none."""
        value = _at(self._tree(self.task, self.config), path)
        if value is MISSING:
            raise TaskError(f"there is no '{path}'")
        return value

    def default(self, path: str) -> Any:
        """The preset's value at a path; ``MISSING`` for what the preset has not got."""
        return _at(self._tree(self.preset, self.config_preset), path)

    def edit(self, path: str, value: Any) -> Change:
        """Changes one value; raises TaskError with the reason, and nothing has changed then."""
        old = _at(self._tree(self.task, self.config), path)
        table, _, name = path.partition(".")
        if table in ("learner", "run"):
            self.config = edited_config(self.config, table, name, value)
        else:
            self.task = edited(self.task, path, value)
        return Change(path, None if old is MISSING else old, value)

    def choose_algorithm(self, name: str) -> None:
        """Takes another algorithm with its preset's settings; sizes, seed, device and engine stay as they are."""
        kept = self.config.run.model_dump(exclude={"env_steps", "num_envs"})
        self.config = load_run_config(name, self.task.name, **kept)
        self.config_preset = load_run_config(name, self.task.name, seed=self.task.seed)

    def differences(self) -> list[Change]:
        """Every value that differs from its preset, as changes from the preset; Task first."""
        before = self._tree(self.preset, self.config_preset)
        after = self._tree(self.task, self.config)
        old, new = _at(before, ORDERED), _at(after, ORDERED)
        moved = [Change(ORDERED, old, new)] if old == new and list(old) != list(new) else []
        return [*_differences(before, after, ""), *moved]

    def _tree(self, task: Task, config: RunConfig) -> dict[str, Any]:
        tables = {"learner": config.settings.model_dump(mode="json"), "run": config.run.model_dump(mode="json")}
        return {**task.model_dump(mode="json"), **tables}


def _at(tree: Any, path: str) -> Any:
    for part in path.split("."):
        if not isinstance(tree, dict) or part not in tree:
            return MISSING
        tree = tree[part]
    return tree


def _differences(before: Any, after: Any, path: str) -> list[Change]:
    if before == after:
        return []
    if not (isinstance(before, dict) and isinstance(after, dict)) or _is_one_value(before, after, path):
        return [Change(path, before, after)]
    found: list[Change] = []
    for key in [*after, *(key for key in before if key not in after)]:
        below = f"{path}.{key}" if path else str(key)
        found += _differences(before.get(key), after.get(key), below)
    return found


def _is_one_value(before: dict[str, Any], after: dict[str, Any], path: str) -> bool:
    """Whether a table can only be put back as a whole: for its order, or because its keys are paths themselves."""
    moved = path == ORDERED and bool(before) and list(before) != list(after)
    return moved or any("." in key for key in (*before, *after))
