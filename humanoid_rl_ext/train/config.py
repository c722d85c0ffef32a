"""How a run trains: algorithm, sizes, device and settings, from presets in ``config/learners``. Imports no torch."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, field_validator

from humanoid_rl_ext.errors import TaskError, did_you_mean
from humanoid_rl_ext.learn import LEARNERS, learner_entry
from humanoid_rl_ext.task.yaml_source import Layer, Source, merged, parse_scalar, read_yaml, validate

PRESETS = Path(__file__).parents[2] / "config" / "learners"
TABLES = ("learner", "run")
OPTIONS = {"num_envs": "--envs", "env_steps": "--steps"}  # of the command line, where they differ from the name


class RunSettings(BaseModel):
    """What belongs to the run and to neither the Task nor the algorithm."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    num_envs: int = Field(ge=1, le=1_000_000, description="Environments that run side by side")
    env_steps: int = Field(ge=1, le=10**13, description="Length of the run: control steps of all environments together")
    seed: int = Field(1, ge=0, le=2**31 - 1, description="Seed of everything random")
    device: str = Field("auto", description="auto, cpu or cuda[:index]; auto takes a GPU where one is")
    engine: str = Field("ovphysx", description="Physics engine")
    save_interval: int = Field(50, ge=1, description="Iterations between checkpoints")
    keep_checkpoints: int = Field(5, ge=1, description="Newest checkpoints that are kept, besides the best")

    @field_validator("device")
    @classmethod
    def _known_device(cls, device: str) -> str:
        if not re.fullmatch(r"auto|cpu|cuda(:\d+)?", device):
            raise ValueError(f"'{device}' is no device: auto, cpu, cuda or cuda:0")
        return device


class RunConfig[Settings: BaseModel](BaseModel):
    """The resolved configuration of a run, as ``learner.yaml`` in its folder shows it."""

    model_config = ConfigDict(extra="forbid")

    algorithm: str
    run: RunSettings
    settings: Settings


class TaskOverride(BaseModel):
    """What a preset changes for some tasks; the values are checked once they are merged."""

    model_config = ConfigDict(extra="forbid")

    run: dict[str, Any] = Field(default_factory=dict)
    settings: dict[str, Any] = Field(default_factory=dict)


class LearnerPreset(TaskOverride):
    """The shape of a file in ``config/learners``; ``tasks`` maps a task's name, ``gym:ID`` or a pattern to changes."""

    algorithm: str
    tasks: dict[str, TaskOverride] = Field(default_factory=dict)


def edited_config(config: RunConfig, table: str, name: str, value: Any) -> RunConfig:
    """A validated copy with one value changed; ``table`` is ``learner`` or ``run``, as in overrides.

    Raises:
        TaskError: for an unknown name or a value that is not allowed; ``config`` stays as it is.
    """
    data = config.model_dump()
    section = "settings" if table == "learner" else "run"
    data[section][name] = value
    source = Source(data, overrides={(section, name): f"edit '{table}.{name}'"})
    return validate(type(config), source)


def learner_names() -> list[str]:
    """Names of the learner presets."""
    return sorted(path.stem for path in PRESETS.glob("*.yaml"))


def is_run_override(text: str) -> bool:
    """Whether ``key=value`` from the command line belongs to the run instead of the Task."""
    return text.partition("=")[0].partition(".")[0] in TABLES


def load_run_config(
    algorithm: str,
    task_name: str,
    overrides: Sequence[str] = (),
    *,
    presets: Path = PRESETS,
    **run: Any,
) -> RunConfig:
    """The configuration for a task: preset, its entries for the task (patterns first), ``run`` values, overrides.

    ``overrides`` are ``learner.<setting>=value`` and ``run.<setting>=value``; ``run`` values of None are left out.

    Raises:
        TaskError: for an unknown algorithm or a wrong setting, naming file and line or the override.
    """
    path = presets / f"{algorithm}.yaml"
    if not path.is_file():
        known = {*LEARNERS, *(preset.stem for preset in presets.glob("*.yaml"))}
        raise TaskError(f"unknown algorithm '{algorithm}'; {did_you_mean(algorithm, known)}")
    file = read_yaml(path)
    preset = validate(LearnerPreset, file)
    source = Source({"run": preset.run, "settings": preset.settings}, file.layers)
    patterns = [pattern for pattern in preset.tasks if fnmatch.fnmatchcase(task_name, pattern)]
    for pattern in sorted(patterns, key=lambda pattern: pattern == task_name):
        change = preset.tasks[pattern].model_dump()
        layers = tuple(Layer(layer.path, _below(layer.node, "tasks", pattern)) for layer in file.layers)
        source = merged(Source(change, layers), source)
    chosen = {name: value for name, value in run.items() if value is not None}
    source = merged(_from_options(chosen), source)
    for override in overrides:
        source = _overridden(source, override)
    return _resolved(preset.algorithm, source)


def read_run_config(path: Path, **run: Any) -> RunConfig:
    """The configuration stored in a run folder's ``learner.yaml``, with ``run`` values that are not None changed."""
    file = read_yaml(path)
    algorithm = file.data.pop("algorithm", None)
    if not isinstance(algorithm, str):
        raise TaskError(f"{path}: 'algorithm' is missing")
    chosen = {name: value for name, value in run.items() if value is not None}
    return _resolved(algorithm, merged(_from_options(chosen), file))


def run_config_yaml(config: RunConfig) -> str:
    """The configuration as YAML text that ``read_run_config`` reads back to an equal one."""
    return yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False, width=120)


def _resolved(algorithm: str, source: Source) -> RunConfig:
    model = _config_model(learner_entry(algorithm).settings)
    return validate(model, Source({"algorithm": algorithm, **source.data}, source.layers, source.overrides))


@cache
def _config_model(settings: type[BaseModel]) -> type[RunConfig]:
    return RunConfig[settings]  # type: ignore[valid-type]


def _from_options(chosen: dict[str, Any]) -> Source:
    return Source({"run": chosen}, overrides={("run", name): OPTIONS.get(name, f"--{name}") for name in chosen})


def _overridden(source: Source, override: str) -> Source:
    key, equals, text = override.partition("=")
    prefix, _, name = key.partition(".")
    if not equals or not name:
        raise TaskError(f"'{override}': write it as learner.<setting>=value, for example learner.learning_rate=1e-3")
    location = ("settings" if prefix == "learner" else "run", name)
    change = Source({location[0]: {name: parse_scalar(text)}}, overrides={location: f"override '{override}'"})
    return merged(change, source)


def _below(node: yaml.Node, *keys: str) -> yaml.Node:
    """The part of a YAML tree below some keys, so that messages name the right line."""
    for key in keys:
        node = next(value for name, value in node.value if name.value == key)
    return node
