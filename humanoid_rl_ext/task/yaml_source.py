"""YAML files in, validated models out; every mistake is told with its file, line and the nearest known spelling."""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from humanoid_rl_ext.errors import TaskError, did_you_mean

Location = tuple[str | int, ...]


class _Loader(yaml.SafeLoader):
    """SafeLoader that reads ``1e-3`` as a number and leaves ``on`` and ``no`` alone, as YAML 1.2 does."""


_Loader.yaml_implicit_resolvers = {
    first: [
        (tag, pattern) for tag, pattern in resolvers if tag not in ("tag:yaml.org,2002:bool", "tag:yaml.org,2002:float")
    ]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|false|False)$"), list("tTfF"))
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(
        r"^[-+]?(?:(?:\d+\.\d*|\.\d+|\d+)(?:[eE][-+]?\d+)|(?:\d+\.\d*|\.\d+)|\.(?:inf|Inf|INF))$|^\.(?:nan|NaN)$"
    ),
    list("-+0123456789."),
)


@dataclass(frozen=True, slots=True)
class Layer:
    """One file's contribution: where it is and the node tree that knows the lines."""

    path: Path
    node: yaml.Node


@dataclass(frozen=True, slots=True)
class Source:
    """Plain data together with the files it came from, the strongest layer first."""

    data: dict[str, Any]
    layers: tuple[Layer, ...] = ()
    overrides: dict[Location, str] = field(default_factory=dict)
    """What came from the command line, by location, for messages."""

    def where(self, location: Location) -> str:
        """``file:line`` of the deepest part of a location that a file knows, or the override that set it."""
        best: tuple[int, str] = (0, "task")
        for layer in reversed(self.layers):
            depth, line = _deepest(layer.node, location)
            if depth >= best[0]:
                best = (depth, f"{layer.path}:{line}")
        for set_at, text in self.overrides.items():
            depth = next((i for i, (a, b) in enumerate(zip(set_at, location, strict=False)) if a != b), len(set_at))
            if depth >= max(best[0], 1):
                best = (depth, text)
        return best[1]


def parse_scalar(text: str) -> Any:
    """The value that ``text`` has in YAML; raises TaskError when it is not valid YAML."""
    try:
        return yaml.load(text, Loader=_Loader)
    except yaml.YAMLError as error:
        raise TaskError(f"'{text}' is not a value: {_yaml_problem(error)}") from None


def read_yaml(path: str | Path) -> Source:
    """The mapping in one YAML file; raises TaskError for a missing file, bad syntax, or a key given twice."""
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise TaskError(f"{path}: no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise TaskError(f"{path}: cannot be read ({error})") from None
    try:
        node = yaml.compose(text, Loader=_Loader)
        data = yaml.load(text, Loader=_Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        raise TaskError(f"{path}{line}: not valid YAML: {_yaml_problem(error)}") from None
    if node is None or not isinstance(data, dict):
        raise TaskError(
            f"{path}: expected 'key: value' lines, found {type(data).__name__ if data else 'an empty file'}"
        )
    try:
        _refuse_repeated_keys(node, path)
    except RecursionError:
        raise TaskError(f"{path}: an alias (*) stands inside what it refers to; write the values out") from None
    return Source(data, (Layer(path, node),))


def within(source: Source, key: str) -> Source:
    """A source whose data stand under ``key``; lines are still those of its files."""
    tag = "tag:yaml.org,2002:"
    layers = []
    for layer in source.layers:
        name = yaml.ScalarNode(f"{tag}str", key, layer.node.start_mark, layer.node.end_mark)
        layers.append(Layer(layer.path, yaml.MappingNode(f"{tag}map", [(name, layer.node)], layer.node.start_mark)))
    return Source({key: source.data}, tuple(layers))


def merged(strong: Source, weak: Source) -> Source:
    """``strong`` laid over ``weak``: mappings merge key by key, null removes a key, anything else replaces."""
    return Source(_merge(strong.data, weak.data), strong.layers + weak.layers, {**weak.overrides, **strong.overrides})


def validate[Model: BaseModel](model: type[Model], source: Source) -> Model:
    """The model that ``source`` describes; raises TaskError with place, reason and likely fix of the first mistake."""
    try:
        return model.model_validate(source.data)
    except ValidationError as error:
        raise TaskError(explain(error, model, source)) from None


def explain(error: ValidationError, model: type[BaseModel], source: Source) -> str:
    """One line for the first mistake: where it stands, the path of the value, what is wrong, what is allowed."""
    first = error.errors(include_url=False)[0]
    location: Location = tuple(first["loc"])
    context = first.get("ctx", {})
    extra = context.get("at", ())
    full = location + tuple(extra)
    dotted = ".".join(str(part) for part in full) or "task"
    if first["type"] == "extra_forbidden":
        reason = f"unknown key; {did_you_mean(str(location[-1]), _fields_at(model, location[:-1]))}"
    elif first["type"] == "missing":
        reason = "is missing"
    else:
        reason = first["msg"].removeprefix("Value error, ")
        reason = reason[0].lower() + reason[1:]
        if first["type"] not in ("value_error", "term") and not isinstance(first["input"], dict | list):
            reason += f", not {first['input']!r}"
    more = error.error_count() - 1
    return f"{source.where(full)}: {dotted}: {reason}" + (f" (and {more} more)" if more else "")


def _yaml_problem(error: yaml.YAMLError) -> str:
    return str(getattr(error, "problem", None) or error).splitlines()[0]


def _merge(strong: Any, weak: Any) -> Any:
    if not (isinstance(strong, dict) and isinstance(weak, dict)):
        return strong
    result = dict(weak)
    for key, value in strong.items():
        if value is None and isinstance(weak.get(key), dict):
            del result[key]
        else:
            result[key] = _merge(value, weak[key]) if key in weak else value
    return result


def _refuse_repeated_keys(node: yaml.Node, path: Path) -> None:
    if isinstance(node, yaml.MappingNode):
        seen: dict[str, int] = {}
        for key, value in node.value:
            if key.value in seen:
                line = key.start_mark.line + 1
                raise TaskError(
                    f"{path}:{line}: '{key.value}' stands here a second time (first in line {seen[key.value]})"
                )
            seen[key.value] = key.start_mark.line + 1
            _refuse_repeated_keys(value, path)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _refuse_repeated_keys(item, path)


def _deepest(node: yaml.Node, location: Location) -> tuple[int, int]:
    """How many parts of ``location`` the node tree knows, and the line (from 1) of the last of them."""
    depth, line = 0, node.start_mark.line + 1
    for part in location:
        if isinstance(node, yaml.MappingNode):
            found = next(((k, v) for k, v in node.value if k.value == str(part)), None)
            if found is None:
                break
            line, node = found[0].start_mark.line + 1, found[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
        else:
            break
        depth += 1
    return depth, line


def _fields_at(model: type[BaseModel], location: Sequence[str | int]) -> list[str]:
    """Names of the fields of the model that stands at a location inside ``model``."""
    annotation: Any = model
    for part in location:
        for candidate in _models(annotation):
            if str(part) in candidate.model_fields:
                annotation = candidate.model_fields[str(part)].annotation
                break
        else:
            arguments = typing.get_args(annotation)
            annotation = arguments[-1] if arguments else None
    return [name for candidate in _models(annotation) for name in candidate.model_fields]


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif typing.get_origin(annotation) in (typing.Union, types.UnionType, typing.Annotated):
        for argument in typing.get_args(annotation):
            yield from _models(argument)
