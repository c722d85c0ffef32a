"""What lies in the runs folder: a summary of every run and of its checkpoints, cheap and never in need of torch."""

from __future__ import annotations

import json
import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from humanoid_rl_ext.errors import BadInputError
from humanoid_rl_ext.task.foreign import foreign_name
from humanoid_rl_ext.train.checkpoint import TENSORS, TREE, list_checkpoints

FILES = ("task.yaml", "learner.yaml")
"""What makes a folder a run that can be read."""
TRACES = (*FILES, "metrics.jsonl", "checkpoints")
"""Any of these shows that a folder is, or was, a run."""
_TAIL = 65_536  # bytes; some fifty iterations
_DELETED = ".deleted-"
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class RunSummary:
    """One run as a list shows it."""

    path: Path
    task: str
    algorithm: str
    started: float
    """``time.time()`` at the start."""
    env_steps: int
    """Reached so far."""
    budget: int
    """Env steps that the run is to last."""
    last_return: float | None
    """Mean return of the last iteration in which episodes ended."""
    best_return: float | None
    """Mean return of the best checkpoint."""
    num_checkpoints: int
    size: int
    """Bytes on disk."""
    resumable: bool
    problem: str = ""
    """What is damaged; empty for a sound folder."""


@dataclass(frozen=True, slots=True)
class CheckpointSummary:
    """One checkpoint as a list shows it."""

    path: Path
    env_steps: int
    mean_return: float | None
    is_best: bool
    saved: float
    """``time.time()`` when it was written."""
    problem: str = ""
    """What is damaged; empty for a sound checkpoint."""


_Stamp = tuple[tuple[str, int, int], ...]
_known: dict[Path, tuple[_Stamp, RunSummary]] = {}


def list_runs(runs: Path) -> list[RunSummary]:
    """Every run in a runs folder, newest first; a damaged one says what is wrong with it.

    A run that has not changed since the last call is not read again.
    """
    found: dict[Path, tuple[_Stamp, RunSummary]] = {}
    for path in _run_folders(runs):
        try:
            stamp = _stamp(path)
            known = _known.get(path)
            found[path] = known if known is not None and known[0] == stamp else (stamp, _summary(path))
        except OSError:  # it was deleted or moved meanwhile
            continue
    for path in [path for path in _known if path.is_relative_to(runs) and path not in found]:
        del _known[path]
    _known.update(found)
    return sorted((summary for _, summary in found.values()), key=lambda run: (run.started, run.path), reverse=True)


def checkpoints_of(run: Path) -> list[CheckpointSummary]:
    """The checkpoints of a run, newest first, the best one marked; damaged ones say so."""
    headers = [(path, _header(path)) for path in reversed(_checkpoints(run))]
    best = next((header["best"] for _, header in headers if header.get("best")), None)
    found = []
    for path, header in headers:
        env_steps = int(path.name.removeprefix("step_"))
        problem = "" if header else f"{path.name}: damaged"
        try:
            saved = (path / TREE).stat().st_mtime
        except OSError:
            saved = 0.0
        is_best = best is not None and best[1] == env_steps
        found.append(CheckpointSummary(path, env_steps, header.get("mean_return"), is_best, saved, problem))
    return found


def delete_run(run: Path, runs: Path, at_work: Path | None = None) -> None:
    """Deletes a run's folder with all that is in it; ``at_work`` is the run that may not go.

    Raises:
        BadInputError: for anything but a run in the folder ``runs``, and for the run at work; nothing is deleted then.
    """
    if run.is_symlink() or runs.resolve() not in run.resolve().parents[:2] or not _is_run(run):
        raise BadInputError(f"{run}: not deleted, it is no run in {runs}")
    if at_work is not None and run.resolve() == at_work.resolve():
        raise BadInputError(f"{run}: not deleted, this run is at work; stop it first")
    aside = run.with_name(f"{_DELETED}{run.name}")  # never half a run under its own name
    try:
        run.rename(aside)
        shutil.rmtree(aside)
    except OSError as error:
        raise BadInputError(f"{run}: cannot be deleted ({error.strerror})") from None


def _run_folders(runs: Path) -> list[Path]:
    """``runs/<task>/<time>``, whole or damaged, and runs that were put right into ``runs``."""
    found = []
    for path in _folders(runs):
        found += [path] if any((path / name).is_file() for name in FILES) else _folders(path)
    return found


def _folders(path: Path) -> list[Path]:
    try:
        with os.scandir(path) as entries:
            return [Path(entry.path) for entry in entries if entry.is_dir() and not entry.name.startswith(".")]
    except OSError:
        return []


def _is_run(path: Path) -> bool:
    return any((path / name).exists() for name in TRACES)


def _stamp(path: Path) -> _Stamp:
    """Changes whenever a file of the run, or the list of its checkpoints, does."""
    with os.scandir(path) as entries:
        stats = [(entry.name, entry.stat()) for entry in entries]
    return tuple(sorted((name, stat.st_mtime_ns, stat.st_size) for name, stat in stats))


def _summary(path: Path) -> RunSummary:
    problems: list[str] = []
    task, learner = (_yaml(path / name, problems) for name in FILES)
    name = task.get("name") or foreign_name(task) or path.parent.name
    settings = learner.get("run")
    budget = settings.get("env_steps") if isinstance(settings, dict) else None
    if not problems and not isinstance(budget, int):
        problems.append("learner.yaml: no run.env_steps")
    checkpoints = _checkpoints(path)
    header: dict[str, Any] = {}
    if checkpoints:
        header = _header(checkpoints[-1])
        if not header:
            problems.append(f"{checkpoints[-1].name}: damaged")
    env_steps, last_return = _last_figures(path / "metrics.jsonl")
    return RunSummary(
        path=path,
        task=str(name),
        algorithm=str(learner.get("algorithm", "")),
        started=_started(path),
        env_steps=env_steps or header.get("env_steps", 0),
        budget=budget if isinstance(budget, int) else 0,
        last_return=last_return,
        best_return=header["best"][0] if header.get("best") else None,
        num_checkpoints=len(checkpoints),
        size=_size(path),
        resumable=bool(header) and not problems,
        problem="; ".join(problems),
    )


def _yaml(path: Path, problems: list[str]) -> dict[str, Any]:
    try:
        data = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)
    except FileNotFoundError:
        problems.append(f"{path.name}: missing")
        return {}
    except (OSError, ValueError, yaml.YAMLError):
        data = None
    if not isinstance(data, dict):
        problems.append(f"{path.name}: damaged")
        return {}
    return data


def _started(path: Path) -> float:
    """From the folder's name, which survives a copy; else from its oldest file."""
    try:
        return time.mktime(time.strptime(path.name[:19], "%Y-%m-%d_%H-%M-%S"))
    except (ValueError, OverflowError):
        return min((entry.stat().st_mtime for entry in os.scandir(path)), default=path.stat().st_mtime)


def _last_figures(metrics: Path) -> tuple[int, float | None]:
    """Env steps and the last mean return, from the end of a ``metrics.jsonl`` that a crash may have cut off."""
    try:
        with metrics.open("rb") as file:
            file.seek(max(0, metrics.stat().st_size - _TAIL))
            lines = file.read().split(b"\n")
    except OSError:
        return 0, None
    env_steps, last_return = 0, None
    for line in reversed(lines):
        try:
            entry = json.loads(line)
            env_steps = env_steps or int(entry["env_steps"])
            last_return = float(entry["episode/return"])
        except (ValueError, KeyError, TypeError):
            continue
        break
    return env_steps, last_return


def _checkpoints(run: Path) -> list[Path]:
    try:
        return list_checkpoints(run / "checkpoints")
    except OSError:
        return []


def _header(checkpoint: Path) -> dict[str, Any]:
    """What a checkpoint says about itself; empty for a damaged one."""
    try:
        header = json.loads((checkpoint / TREE).read_text(encoding="utf-8"))
        best = header["best"]
        sound = isinstance(header["env_steps"], int) and (best is None or len(best) == 2)
        return header if sound and (checkpoint / TENSORS).is_file() else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _size(path: Path) -> int:
    total = 0
    for folder, _, files in os.walk(path):
        for name in files:
            try:
                total += os.lstat(os.path.join(folder, name)).st_size
            except OSError:
                continue
    return total
