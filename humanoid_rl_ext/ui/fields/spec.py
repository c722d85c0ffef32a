"""What a value that can be edited is: its name, kind, bounds, unit and help; made from models and registered terms."""

from __future__ import annotations

import math
import re
import types
import typing
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import annotated_types as at
import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from humanoid_rl_ext.errors import TaskError
from humanoid_rl_ext.learn import learner_entry
from humanoid_rl_ext.sim.engines import ENGINES
from humanoid_rl_ext.task.registry import ParamSpec, TermSpec
from humanoid_rl_ext.task.yaml_source import parse_scalar
from humanoid_rl_ext.train.config import RunSettings
from humanoid_rl_ext.ui.draft import MISSING
from humanoid_rl_ext.ui.fields.numbers import format_number, parse_number, parse_whole

FieldKind = Literal[
    "number", "whole", "switch", "choice", "text", "pattern", "texts", "numbers", "wholes", "number_or_table"
]
"""``pattern`` is a regular expression; ``texts``, ``numbers`` and ``wholes`` are lists; the last is a number or name:
number."""
UNSET = "unset"
"""The choice that stands for None."""
WORDS = {
    "lin": "linear",
    "ang": "angular",
    "vel": "velocity",
    "pos": "position",
    "init": "initial",
    "grad": "gradient",
    "coef": "weight",
    "env": "environment",
    "envs": "environments",
    "eps": "epsilon",
    "dt": "time step",
    "kl": "KL",
    "gae": "GAE",
    "num": "",
    "s": "",
}
"""What parts of names mean, for labels."""
SELECTORS = {
    "bodies": "Which bodies: a role (base, foot, hand, head), a name or a regular expression",
    "joints": "Which joints: a name or a regular expression",
    "command": "Which of the task's commands",
}
"""Help for parameters that pick something, where the term has none of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldSpec:
    """One value that a user can edit, by its path in the draft."""

    path: str
    label: str
    kind: FieldKind
    unit: str = ""
    help: str = ""
    low: float = -math.inf
    high: float = math.inf
    low_open: bool = False
    """Whether ``low`` itself is not allowed; likewise ``high_open``."""
    high_open: bool = False
    choices: tuple[str, ...] = ()
    optional: bool = False
    """Whether there may be no value: None, an empty text."""
    length: int = 0
    """How many numbers a list has; 0: any number of them, up to ``max_length``."""
    max_length: int = 64
    single: bool = False
    """Whether a list of texts may be one text without a list."""
    ordered: bool = False
    """Whether it is a range: two numbers, low then high."""
    format_pattern: str = ""
    """A regular expression that a text has to match."""
    live: bool = False
    """Whether the field's metadata says that it may change while training."""
    default: Any = MISSING
    """The value where nothing is said, for a field that no preset knows."""

    @property
    def parts(self) -> int:
        """How many text fields show the value."""
        return max(1, self.length)

    @property
    def whole(self) -> bool:
        """Whether its numbers are whole."""
        return self.kind in ("whole", "wholes")

    @property
    def scrubs(self) -> bool:
        """Whether it is one number, which a drag can change."""
        return self.kind in ("number", "whole")

    @property
    def allowed(self) -> str:
        """What is allowed, in words, such as 'between 0 and 10 m'; empty where everything is."""
        unit = f" {self.unit}" if self.unit else ""
        low, high = format_number(self.low), format_number(self.high)
        if self.kind in ("choice", "switch"):
            return f"one of {', '.join(self.choices)}" if self.choices else ""
        if not math.isinf(self.low) and not math.isinf(self.high):
            if not (self.low_open or self.high_open):
                return f"between {low} and {high}{unit}"
            above = "above" if self.low_open else "at least"
            return f"{above} {low} and {'below' if self.high_open else 'at most'} {high}{unit}"
        if not math.isinf(self.low):
            return f"{'above' if self.low_open else 'at least'} {low}{unit}"
        if not math.isinf(self.high):
            return f"{'below' if self.high_open else 'at most'} {high}{unit}"
        return ""

    def parse(self, text: str) -> Any:
        """The value that ``text`` says; the numbers of a list stand between commas.

        Raises:
            ValueError: with what is allowed, in one line.
        """
        text = text.strip()
        if self.optional and text.strip(" ,") in ("", UNSET):
            return None
        match self.kind:
            case "number" | "whole":
                return self.parse_one(text)
            case "switch":
                return self._switch(text)
            case "choice":
                if self.choices and text not in self.choices:
                    raise ValueError(f"must be {self.allowed}, not '{text}'")
                return text
            case "text" | "pattern":
                return self._text(text)
            case "texts":
                return self._texts(text)
            case "numbers" | "wholes":
                return self._numbers(text)
            case "number_or_table":
                return self._number_or_table(text)

    def parse_one(self, text: str) -> float | int:
        """The number in one field of a range, a vector or a list; raises ValueError as ``parse`` does."""
        value = parse_whole(text) if self.whole else parse_number(text)
        low_ok = self.low < value if self.low_open else self.low <= value
        high_ok = value < self.high if self.high_open else value <= self.high
        if not (low_ok and high_ok):
            word = "lie " if self.allowed.startswith("between") else "be "
            raise ValueError(f"must {word}{self.allowed}, not {format_number(value)}")
        return value

    def format(self, value: Any) -> str:
        """The text that shows a value; numbers without noise, so ``parse`` may give back a rounded value."""
        if value is None:
            return UNSET if self.kind in ("choice", "switch") else ""
        if isinstance(value, bool):
            return "yes" if value else "no"
        if isinstance(value, int | float):
            return format_number(value)
        if isinstance(value, list | tuple):
            return ", ".join(item if isinstance(item, str) else format_number(item) for item in value)
        if isinstance(value, dict):
            return yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=math.inf).strip().strip("{}")
        return str(value)

    def clamped(self, value: float) -> float:
        """The nearest number that is allowed, for values that come from a drag."""
        edge = 1.0 if self.whole else 1e-6
        low = self.low + edge if self.low_open else self.low
        high = self.high - edge if self.high_open else self.high
        return min(max(value, low), high)

    def _numbers(self, text: str) -> list[float | int]:
        texts = [part.strip() for part in text.strip().strip("[]").split(",")] if text.strip("[] ") else []
        what = "whole numbers" if self.whole else "numbers"
        if self.length and len(texts) != self.length:
            raise ValueError(f"needs {self.length} {what}, not {len(texts)}")
        if len(texts) > self.max_length:
            raise ValueError(f"takes at most {self.max_length} {what}, not {len(texts)}")
        if self.length and not all(texts):
            raise ValueError(f"needs {self.length} {what}" + (", or none at all" if self.optional else ""))
        values = [self.parse_one(part) for part in texts]
        if self.ordered and values[0] > values[1]:
            raise ValueError(f"low {format_number(values[0])} is above high {format_number(values[1])}")
        return values

    def _switch(self, text: str) -> bool:
        if text.lower() not in ("yes", "no", "true", "false"):
            raise ValueError(f"must be yes or no, not '{text}'")
        return text.lower() in ("yes", "true")

    def _text(self, text: str) -> str:
        if self.kind == "pattern":
            if not text:
                raise ValueError("needs a regular expression; .* matches every name")
            try:
                re.compile(text)
            except re.error as error:
                raise ValueError(f"'{text}' is not a regular expression: {error}") from None
        if self.format_pattern and not re.search(self.format_pattern, text):
            raise ValueError(
                f"'{text}' does not match {self.format_pattern.strip('^$')}" if text else "must not be empty"
            )
        return text

    def _texts(self, text: str) -> list[str] | str:
        """The texts between commas that stand outside brackets; a single one as it is, where no list is needed."""
        texts = [part.strip() for part in re.split(r",(?![^(\[{]*[)\]}])", text) if part.strip()]
        if not texts:
            raise ValueError("must not be empty")
        return texts[0] if len(texts) == 1 and self.single else texts

    def _number_or_table(self, text: str) -> float | dict[str, float]:
        if ":" not in text:
            return self.parse_one(text)
        try:
            table = parse_scalar(text if text.startswith("{") else "{" + text + "}")
        except TaskError:
            table = None
        if not isinstance(table, dict):
            raise ValueError("must be a number, or pattern: number, pattern: number")
        for name, value in table.items():
            if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
                raise ValueError(f"'{name}' needs a number, not {value!r}")
        return {str(name): float(value) for name, value in table.items()}


def humanised(name: str) -> str:
    """A label for a name: 'lin_vel_x' becomes 'Linear velocity x'."""
    words = " ".join(filter(None, (WORDS.get(word, word) for word in name.split("_"))))
    return words[:1].upper() + words[1:]


def model_fields(model: type[BaseModel] | BaseModel, path: str = "", leave_out: Sequence[str] = ()) -> list[FieldSpec]:
    """The fields of a model that stands at ``path``, those of models inside it too; tables are left out."""
    model = model if isinstance(model, type) else type(model)
    specs: list[FieldSpec] = []
    for name, field in model.model_fields.items():
        below = f"{path}.{name}" if path else name
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            specs += model_fields(field.annotation, below)
        elif name not in leave_out and (shape := _shape(field.annotation, field.metadata)):
            if name == "joints":
                shape["kind"] = "pattern"
            specs.append(FieldSpec(path=below, label=humanised(name), **_words(field), **shape))
    return specs


def term_fields(spec: TermSpec, path: str, commands: Sequence[str] = ()) -> list[FieldSpec]:
    """The parameters of a term whose table entry stands at ``path``; ``commands`` are those of the Task."""
    return [_param_field(param, f"{path}.params.{name}", commands) for name, param in spec.params.items()]


def run_fields() -> list[FieldSpec]:
    """The settings of a run; the seed is the Task's."""
    choices = {"device": ("auto", "cpu", "cuda"), "engine": tuple(ENGINES)}
    return [
        replace(spec, kind="choice", choices=choices[name])
        if (name := spec.path.partition(".")[2]) in choices
        else spec
        for spec in model_fields(RunSettings, "run", leave_out=("seed",))
    ]


def learner_fields(algorithm: str) -> list[FieldSpec]:
    """The settings of an algorithm; ``live`` marks those that may change while training."""
    return model_fields(learner_entry(algorithm).settings, "learner")


def _words(field: FieldInfo) -> dict[str, Any]:
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    default = field.get_default(call_default_factory=True)
    return {
        "help": (field.description or "").removesuffix("."),
        "unit": str(extra.get("unit", "")),
        "live": bool(extra.get("live", False)),
        "default": MISSING if default is PydanticUndefined else default,
    }


def _shape(annotation: Any, metadata: Sequence[Any]) -> dict[str, Any]:
    """Kind, bounds and size that a type with its metadata asks for; empty for types without a widget, such as dict."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return _shape(arguments[0], [*metadata, *_flat(arguments[1:])])
    if origin in (typing.Union, types.UnionType):
        inner = [argument for argument in arguments if argument is not type(None)]
        if len(inner) == 1:
            shape = _shape(inner[0], metadata)
            return {**shape, "optional": True} if shape else {}
        if set(inner) == {str, list[str]}:
            return {"kind": "texts", "single": True}
        return {"kind": "number_or_table"} if float in inner and len(inner) == 2 else {}
    if origin is typing.Literal:
        return {"kind": "choice", "choices": tuple(map(str, arguments))}
    if origin in (tuple, list) and arguments:
        item = _shape(arguments[0], [])
        kind = {"number": "numbers", "whole": "wholes", "text": "texts"}.get(item.get("kind", ""))
        if kind is None:
            return {}
        length = len(arguments) if origin is tuple else 0
        return {**item, **_bounds(metadata), "kind": kind, "length": length, "ordered": length == 2}
    kinds = {bool: "switch", int: "whole", float: "number", str: "text"}
    return {"kind": kinds[annotation], **_bounds(metadata)} if annotation in kinds else {}


def _flat(metadata: Sequence[Any]) -> Iterator[Any]:
    for item in metadata:
        yield from item.metadata if isinstance(item, FieldInfo) else [item]


def _bounds(metadata: Sequence[Any]) -> dict[str, Any]:
    bounds: dict[str, Any] = {}
    for item in metadata:
        match item:
            case at.Ge():
                bounds["low"] = item.ge
            case at.Gt():
                bounds |= {"low": item.gt, "low_open": True}
            case at.Le():
                bounds["high"] = item.le
            case at.Lt():
                bounds |= {"high": item.lt, "high_open": True}
            case at.MaxLen():
                bounds["max_length"] = item.max_length
            case _ if pattern := getattr(item, "pattern", None):
                bounds["format_pattern"] = pattern
    return bounds


def _param_field(param: ParamSpec, path: str, commands: Sequence[str]) -> FieldSpec:
    info = param.info
    shapes: dict[str, dict[str, Any]] = {
        "float": {"kind": "number"},
        "int": {"kind": "whole"},
        "bool": {"kind": "switch"},
        "str": {"kind": "text"},
        "range": {"kind": "numbers", "length": 2, "ordered": True},
        "numbers": {"kind": "numbers"},
        "bodies": {"kind": "pattern"},
        "joints": {"kind": "pattern"},
    }
    shape = shapes[param.type]
    if param.name == "command" and commands:
        shape = {"kind": "choice", "choices": tuple(commands)}
    text = info.help or SELECTORS.get(param.type if param.name != "command" else "command", "")
    return FieldSpec(
        path=path,
        label=humanised(param.name),
        unit=info.unit,
        help=text.removesuffix("."),
        low=info.min,
        high=info.max,
        default=param.default,
        **shape,
    )
