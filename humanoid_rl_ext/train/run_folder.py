"""The folder of one run: what was trained, how, where, and everything that came out of it."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
import time
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from humanoid_rl_ext import __version__
from humanoid_rl_ext.errors import BadInputError
from humanoid_rl_ext.task.foreign import foreign_data, foreign_name
from humanoid_rl_ext.train.config import RunConfig, run_config_yaml
from humanoid_rl_ext.train.metrics import keep_until, read_lines

if TYPE_CHECKING:
    from humanoid_rl_ext.task.schema import Task

PACKAGES = (
    "torch",
    "numpy",
    "ovphysx",
    "newton",
    "warp-lang",
    "mujoco",
    "usd-exchange",
    "gymnasium",
    "pettingzoo",
    "pydantic",
)


class RunFolder:
    """Paths and small files of one run; the checkpoints are written by ``train.checkpoint``."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.task = path / "task.yaml"
        self.learner = path / "learner.yaml"
        self.environment = path / "environment.json"
        self.edits = path / "edits.jsonl"
        self.checkpoints = path / "checkpoints"

    @classmethod
    def create(cls, path: Path, task: Task | str, config: RunConfig, device: str) -> RunFolder:
        """A new folder that describes its run completely; call it when nothing else can be wrong any more.

        Raises:
            BadInputError: when the folder cannot be written.
        """
        folder = cls(path)
        try:
            path.mkdir(parents=True, exist_ok=True)
            folder.task.write_text(task_text(task), encoding="utf-8")
            folder.write_config(config)
            folder.environment.write_text(json.dumps(describe_environment(device), indent=2) + "\n", encoding="utf-8")
        except OSError as error:
            advice = "name another folder with --run, or set HUMANOID_RL_HOME"
            raise BadInputError(f"{path}: cannot be written ({error.strerror}); {advice}") from None
        return folder

    @classmethod
    def existing(cls, path: Path) -> RunFolder:
        """The folder of a run that was started before; raises BadInputError when ``path`` is not one."""
        folder = cls(path)
        if not path.is_dir():
            raise BadInputError(f"{path}: no such run folder")
        missing = [file.name for file in (folder.task, folder.learner) if not file.is_file()]
        if missing:
            raise BadInputError(f"{path}: not a run folder ({' and '.join(missing)} missing)")
        return folder

    def write_config(self, config: RunConfig) -> None:
        """Replaces ``learner.yaml`` in one go."""
        aside = self.learner.with_suffix(".new")
        aside.write_text(run_config_yaml(config), encoding="utf-8")
        aside.replace(self.learner)

    def read_task(self) -> Task | str:
        """The stored Task, or ``gym:ID`` or ``pz:ID``; raises TaskError for a file that somebody spoilt."""
        from humanoid_rl_ext.task.yaml_source import read_yaml

        foreign = foreign_name(read_yaml(self.task).data)
        if foreign is not None:
            return foreign
        from humanoid_rl_ext.task.loading import load_task

        return load_task(str(self.task))

    def log_edit(self, env_steps: int, path: str, old: Any, new: Any, source: str) -> None:
        """Appends one change made while training to ``edits.jsonl``."""
        entry = {"env_steps": env_steps, "path": path, "old": old, "new": new, "source": source}
        with self.edits.open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")

    def read_edits(self) -> list[dict[str, Any]]:
        """The changes made while training, earliest first: env_steps, path, old, new, source; None is an absent entry.

        What a crash cut off is left out.
        """
        return read_lines(self.edits)

    def task_at(self, env_steps: int) -> Task | str:
        """The Task as it had been edited by an environment step; raises TaskError for files that somebody spoilt."""
        task = self.read_task()
        if isinstance(task, str):
            return task
        from humanoid_rl_ext.task.loading import edited_in_turn

        edits = [entry for entry in self.read_edits() if entry["env_steps"] <= env_steps]
        of_task = [entry for entry in edits if not entry["path"].startswith("learner.")]
        return edited_in_turn(task, [(entry["path"], entry["new"]) for entry in of_task])

    def rewind_edits(self, env_steps: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Drops the edits made after ``env_steps``; returns the kept and the dropped ones, earliest first."""
        return keep_until(self.edits, env_steps)


def task_name(task: Task | str) -> str:
    """The name of a Task, or ``gym:ID`` or ``pz:ID``."""
    return task if isinstance(task, str) else task.name


def task_text(task: Task | str) -> str:
    """What ``task.yaml`` holds."""
    if isinstance(task, str):
        return yaml.safe_dump(foreign_data(task))
    from humanoid_rl_ext.task.loading import task_yaml

    return task_yaml(task)


def new_run_path(home: Path, task: Task | str) -> Path:
    """``<home>/runs/<task>/<time>``, numbered where two runs start in the same second. Creates nothing."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", task_name(task))
    first = home / "runs" / name / time.strftime("%Y-%m-%d_%H-%M-%S")
    path, number = first, 1
    while path.exists():
        number += 1
        path = first.with_name(f"{first.name}_{number}")
    return path


def describe_environment(device: str) -> dict[str, Any]:
    """Versions, commit and machine, as plain data."""
    return {
        "version": __version__,
        "commit": _commit(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cpus": len(os.sched_getaffinity(0)),
        "device": device,
        "packages": {name: _version(name) for name in PACKAGES},
    }


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _commit() -> str | None:
    """The checked-out commit, with ``+`` when tracked files differ from it; None outside a Git checkout."""
    root = Path(__file__).parents[2]
    try:
        described = subprocess.run(
            ["git", "-C", str(root), "describe", "--always", "--abbrev=40", "--dirty=+", "--exclude=*"],
            capture_output=True,
            text=True,
            timeout=5,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return described.stdout.strip() or None
