"""Every term a Task can name, with its parameters: registered with bounds, units and help, without importing torch."""

from __future__ import annotations

import importlib
import inspect
import math
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from humanoid_rl_ext.errors import TaskError, did_you_mean

Kind = Literal["observation", "reward", "termination", "command", "randomisation", "metric", "terrain"]
KINDS: tuple[Kind, ...] = typing.get_args(Kind)
_MODULES: dict[Kind, str] = {
    "observation": "observations",
    "reward": "rewards",
    "termination": "terminations",
    "command": "commands",
    "randomisation": "randomisation",
    "metric": "metrics",
    "terrain": "terrain",
}


@dataclass(frozen=True, slots=True)
class Param:
    """Bounds, unit and one line of help for a term's parameter."""

    min: float = -math.inf
    max: float = math.inf
    unit: str = ""
    help: str = ""


@dataclass(frozen=True, slots=True)
class Selector:
    """Marks a parameter that picks bodies or joints: a role (base, foot, hand, head), a name, a regular expression."""

    of: Literal["bodies", "joints"]


Range = tuple[float, float]
Bodies = Annotated[Any, Selector("bodies")]
Joints = Annotated[Any, Selector("joints")]
Numbers = tuple[float, ...]
Size = int | str
"""A fixed number, or the name of a selector parameter whose number of picks it is."""


@dataclass(frozen=True, slots=True)
class Buffer:
    """What a term remembers per environment: its shape beyond (num_envs,) and the value it is reset to."""

    shape: tuple[Size, ...] = ()
    reset: float = 0.0


@dataclass(frozen=True, slots=True)
class Follow:
    """How what was drawn for a command becomes, in every step, what the policy is told."""

    function: Callable[..., Any]
    """Called with the view, the term's buffers if it has any, what was drawn, and the parameters; returns the command.
    """
    drawn: int
    """Columns that are drawn."""
    steered: int
    """How many of them, the first ones, a user who drives the command sets; the others are zero then."""
    when: str = ""
    """The switch among the parameters that turns it on; empty: it is always on."""


@dataclass(frozen=True, slots=True)
class ParamSpec:
    """One parameter of a term: what a widget, a YAML check and a documentation page need to know."""

    name: str
    type: Literal["float", "int", "bool", "str", "range", "numbers", "bodies", "joints"]
    default: Any
    info: Param

    def check(self, value: Any) -> Any:
        """The value in this parameter's type; raises ValueError with what is allowed."""
        if self.type in ("bodies", "joints", "str"):
            if not isinstance(value, str):
                raise ValueError(f"must be text, not {value!r}")
            return value
        if self.type == "bool":
            if not isinstance(value, bool):
                raise ValueError(f"must be true or false, not {value!r}")
            return value
        if self.type == "range":
            if not (isinstance(value, list | tuple) and len(value) == 2):
                raise ValueError(f"must be [low, high], not {value!r}")
            low, high = (self._number(v) for v in value)
            if low > high:
                raise ValueError(f"low {low:g} is above high {high:g}")
            return (low, high)
        if self.type == "numbers":
            if not isinstance(value, list | tuple):
                raise ValueError(f"must be a list of numbers, not {value!r}")
            return tuple(self._number(v) for v in value)
        return self._number(value)

    def _number(self, value: Any) -> float:
        whole = self.type == "int"
        if isinstance(value, bool) or not isinstance(value, int | float) or (whole and value != int(value)):
            raise ValueError(f"must be a {'whole number' if whole else 'number'}, not {value!r}")
        if not self.info.min <= value <= self.info.max:
            unit = f" {self.info.unit}" if self.info.unit else ""
            raise ValueError(f"must lie between {self.info.min:g} and {self.info.max:g}{unit}, not {value:g}")
        return int(value) if whole else float(value)


@dataclass(frozen=True, slots=True)
class TermSpec:
    """One registered term: its function and everything that can be known about it without calling it."""

    kind: Kind
    name: str
    function: Callable[..., Any]
    params: Mapping[str, ParamSpec]
    help: str
    buffers: Mapping[str, Buffer] = field(default_factory=dict)
    random: tuple[Size, ...] = ()
    """Uniform random numbers it needs per environment and step, as a shape."""
    size: int | tuple[Size, ...] = 0
    """Width of a command; several sizes are added up."""
    target: str = ""
    """What a randomisation's samples are written to."""
    modes: tuple[str, ...] = ()
    """When a randomisation may act, the usual first."""
    success: bool = False
    """Whether a termination means that the task was solved."""
    follow: Follow | None = None
    """What a command does between two draws; None: it stays."""
    team: bool = False
    """Whether it is about the other robots of the scene."""

    @property
    def steered(self) -> int:
        """How many numbers a user gives who drives the command."""
        if self.follow is not None:
            return self.follow.steered
        assert isinstance(self.size, int)
        return self.size

    def check_params(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """All parameters, defaults filled in; raises ParamError naming the first that is unknown or out of bounds."""
        for name in values:
            if name not in self.params:
                raise ParamError(name, f"unknown parameter of '{self.name}'; {did_you_mean(name, self.params)}")
        checked = {}
        for name, spec in self.params.items():
            try:
                checked[name] = spec.check(values.get(name, spec.default))
            except ValueError as error:
                raise ParamError(name, str(error)) from None
        return checked


class ParamError(ValueError):
    """A term's parameter is wrong; ``param`` names it."""

    def __init__(self, param: str, message: str) -> None:
        super().__init__(message)
        self.param = param


_TERMS: dict[Kind, dict[str, TermSpec]] = {kind: {} for kind in KINDS}


def register(
    kind: Kind,
    *,
    buffers: Mapping[str, Buffer] | None = None,
    random: tuple[Size, ...] = (),
    size: int | tuple[Size, ...] = 0,
    target: str = "",
    modes: tuple[str, ...] = (),
    success: bool = False,
    follow: Follow | None = None,
    team: bool = False,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorator that registers a function as a term under its own name; keyword-only arguments become parameters."""

    def add(function: Callable[..., Any]) -> Callable[..., Any]:
        name = function.__name__
        if name in _TERMS[kind]:
            raise TaskError(f"the {kind} '{name}' is registered twice")
        params = {
            parameter.name: _param_spec(parameter, function)
            for parameter in inspect.signature(function).parameters.values()
            if parameter.kind is inspect.Parameter.KEYWORD_ONLY
        }
        text = (inspect.getdoc(function) or "").split("\n\n")[0].replace("\n", " ")
        remembered = buffers or {}
        _TERMS[kind][name] = TermSpec(
            kind, name, function, params, text, remembered, random, size, target, modes, success, follow, team
        )
        return function

    return add


def terms(kind: Kind) -> Mapping[str, TermSpec]:
    """All registered terms of a kind, by name."""
    importlib.import_module(f"humanoid_rl_ext.mdp.{_MODULES[kind]}")
    return _TERMS[kind]


def term(kind: Kind, name: str) -> TermSpec:
    """One term; raises TaskError naming the nearest known one."""
    known = terms(kind)
    if name not in known:
        raise TaskError(f"unknown {kind} '{name}'; {did_you_mean(name, known)}")
    return known[name]


def _param_spec(parameter: inspect.Parameter, function: Callable[..., Any]) -> ParamSpec:
    annotation = parameter.annotation
    if isinstance(annotation, str):  # only parameters are evaluated: return types would import torch
        annotation = eval(annotation, function.__globals__)
    info, selector = Param(), None
    if typing.get_origin(annotation) is Annotated:
        annotation, *extras = typing.get_args(annotation)
        info = next((extra for extra in extras if isinstance(extra, Param)), info)
        selector = next((extra for extra in extras if isinstance(extra, Selector)), None)
    lists: dict[Any, str] = {Range: "range", Numbers: "numbers"}
    kind: Any = selector.of if selector else lists.get(annotation) or annotation.__name__
    return ParamSpec(parameter.name, kind, parameter.default, info)
