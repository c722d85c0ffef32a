"""Tasks by name or file: presets with at most one ``extends``, overrides from the command line, saving, editing."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import yaml

from humanoid_rl_ext.errors import TaskError, did_you_mean
from humanoid_rl_ext.task.schema import Task
from humanoid_rl_ext.task.yaml_source import Location, Source, merged, parse_scalar, read_yaml, validate, within

PRESETS = Path(__file__).parents[2] / "config" / "tasks"
CURRICULA = Path(__file__).parents[2] / "config" / "curricula"
TABLES = ("commands", "observations", "rewards", "terminations", "randomisation", "metrics")
"""The parts of a Task that are tables of terms; those of observations stand one level deeper, in groups.

The kinds of ground are one more, below the scene.
"""


def task_names() -> list[str]:
    """Names of the bundled presets (files whose name starts with an underscore are bases to extend)."""
    return sorted(path.stem for path in PRESETS.glob("*.yaml") if not path.stem.startswith("_"))


def load_task(name_or_path: str | Path, overrides: Sequence[str] = ()) -> Task:
    """The validated Task of a preset's name or a YAML file, with ``path.to.value=yaml`` overrides applied.

    Raises:
        TaskError: naming file and line, or the override, what is wrong and the nearest known spelling.
    """
    source = task_source(name_or_path)
    for override in overrides:
        source = _with_curriculum(_overridden(source, override))
    return validate(Task, source)


def curriculum_names() -> list[str]:
    """Names of the bundled curricula."""
    return sorted(path.stem for path in CURRICULA.glob("*.yaml"))


def load_curriculum(name: str) -> dict[str, Any]:
    """The data of a bundled curriculum; raises TaskError for a name there is not."""
    path = CURRICULA / f"{name}.yaml"
    if not path.is_file():
        raise TaskError(f"unknown curriculum '{name}'; {did_you_mean(name, curriculum_names())}")
    return read_yaml(path).data


def task_source(name_or_path: str | Path) -> Source:
    """The data of a task's YAML with its base merged in, not yet validated."""
    return _with_curriculum(_with_base(_find(str(name_or_path)), may_extend=2))


def save_task(task: Task, path: str | Path) -> None:
    """Writes a Task as YAML that ``load_task`` reads back to an equal Task."""
    Path(path).write_text(task_yaml(task), encoding="utf-8")


def task_yaml(task: Task) -> str:
    """The whole Task as YAML text, every default spelled out."""
    return yaml.safe_dump(task.model_dump(mode="json"), sort_keys=False, width=120)


def edited(task: Task, path: str, value: Any) -> Task:
    """A validated copy of ``task`` with one value changed, e.g. ``('rewards.alive.weight', 2)``.

    An entry of a table of terms, such as ``rewards.height`` or ``observations.critic.joint_pos``, or an agent is added
    or replaced by a dict and removed by None.

    Raises:
        TaskError: for a path that does not exist or a value that is not allowed there; ``task`` stays as it is.
    """
    return edited_in_turn(task, [(path, value)])


def edited_in_turn(task: Task, edits: Iterable[tuple[str, Any]]) -> Task:
    """A validated copy of ``task`` with several values changed, earliest first; only the last state has to be valid.

    Raises:
        TaskError: as ``edited`` does.
    """
    data = copy.deepcopy(task.model_dump())
    overrides: dict[Location, str] = {}
    for path, value in edits:
        location, text = tuple(path.split(".")), f"edit '{path}'"
        if _names_an_entry(location) and (value is None or isinstance(value, dict)):
            _set_entry(data, location, value, text)
        else:
            _assign(data, location, value, text=text, must_exist=True)
        overrides[location] = text
    return validate(Task, Source(data, overrides=overrides))


def value_at(data: Any, path: str) -> Any:
    """The value at a path in nested data; None where there is none."""
    for part in path.split("."):
        data = data.get(part) if isinstance(data, dict) else None
    return data


def _with_base(path: Path, may_extend: int) -> Source:
    """A file over the one it extends. A user's file may extend a preset, and a preset one base: no deeper."""
    source = read_yaml(path)
    base = source.data.pop("extends", None)
    if base is None:
        return source
    place = f"{source.where(('extends',))}: extends"
    if not isinstance(base, str):
        raise TaskError(f"{place}: names one task or file, not {base!r}")
    if not may_extend:
        raise TaskError(f"{path}: extends '{base}', but is itself extended by a preset; write its fields out instead")
    try:
        found = _find(base, beside=path.parent)
    except TaskError as error:
        raise TaskError(f"{place}: {error}") from None
    if found.resolve() == path.resolve():
        raise TaskError(f"{place}: the file extends itself")
    return merged(source, _with_base(found, may_extend - 1))


def _find(name: str, beside: Path | None = None) -> Path:
    if name.endswith((".yaml", ".yml")):
        path = Path(name) if beside is None else beside / name
        if not path.is_file():
            raise TaskError(f"{path}: no such task file")
        return path
    path = PRESETS / f"{name}.yaml"
    if not path.is_file():
        raise TaskError(f"unknown task '{name}'; {did_you_mean(name, task_names())} (a file must end in .yaml)")
    return path


def _with_curriculum(source: Source) -> Source:
    """A curriculum that is named, a preset's or a file's, read in; anything else is left as it is."""
    name = source.data.get("curriculum")
    if not isinstance(name, str):
        return source
    path = Path(name) if name.endswith((".yaml", ".yml")) else CURRICULA / f"{name}.yaml"
    if not path.is_file():
        said = f"unknown curriculum '{name}'; {did_you_mean(name, curriculum_names())} (a file must end in .yaml)"
        raise TaskError(f"{source.where(('curriculum',))}: {said}")
    return merged(within(read_yaml(path), "curriculum"), source)


def _overridden(source: Source, override: str) -> Source:
    path, equals, text = override.partition("=")
    if not equals or not path:
        raise TaskError(f"'{override}': an override is written path.to.value=number, for example sim.decimation=4")
    location = tuple(path.split("."))
    data = copy.deepcopy(source.data)
    said = f"override '{override}'"
    _assign(data, location, parse_scalar(text), text=said, must_exist=False)
    return Source(data, source.layers, {**source.overrides, location: said})


def _names_an_entry(location: Sequence[str]) -> bool:
    """Whether a path leads to an entry of one of the Task's tables of terms, an agent, or a stage or schedule."""
    if location[0] == "curriculum":
        return len(location) == 3
    if location[0] == "agents":
        return len(location) == 2
    if len(location) == 4 and tuple(location[:3]) == ("scene", "terrain", "kinds"):
        return True
    return len(location) == (3 if location[0] == "observations" else 2) and location[0] in TABLES


def _set_entry(data: dict[str, Any], location: Sequence[str], value: dict[str, Any] | None, text: str) -> None:
    """Adds, replaces or (None) removes an entry; a group of observations comes and goes with it, and so do agents."""
    *above, name = location
    parent: dict[str, Any] = data
    for part in above:
        if parent.get(part) is None:
            parent[part] = {}
        parent = parent[part]
    if value is not None:
        parent[name] = copy.deepcopy(value)
    elif name not in parent:
        raise TaskError(f"{text}: there is no '{name}'; {did_you_mean(name, [str(key) for key in parent])}")
    else:
        del parent[name]
        if not parent and above[0] == "observations":
            del data["observations"][above[1]]
        elif not parent and above[0] == "agents":
            data["agents"] = None


def _assign(data: dict[str, Any], location: Sequence[str], value: Any, *, text: str, must_exist: bool) -> None:
    node = data
    for part in location[:-1]:
        if must_exist and part not in node:
            raise TaskError(f"{text}: there is no '{part}'; {did_you_mean(part, [str(key) for key in node])}")
        node = node.setdefault(part, {})
        if not isinstance(node, dict):
            raise TaskError(f"{text}: '{part}' is a single value and has no parts")
    if must_exist and location[-1] not in node:
        raise TaskError(
            f"{text}: there is no '{location[-1]}'; {did_you_mean(location[-1], [str(key) for key in node])}"
        )
    node[location[-1]] = value
