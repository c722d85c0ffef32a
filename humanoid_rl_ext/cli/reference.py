"""The reference of all terms as Markdown, written from the registry."""

from __future__ import annotations

import inspect
import math
from typing import Any

from humanoid_rl_ext.task.registry import KINDS, Param, ParamSpec, TermSpec, terms

HEADINGS = {
    "observation": "What a policy is shown.",
    "reward": "What a policy is praised and blamed for; the reward per second is weight times the term.",
    "termination": "What ends an episode.",
    "command": "What a policy is asked to do.",
    "randomisation": "What differs between environments and episodes.",
    "metric": "What is measured beside the reward, averaged over an episode.",
    "terrain": "Kinds of ground.",
}


def reference() -> str:
    """Every term with what it computes, its parameters, units, bounds and source."""
    parts = [
        "# Terms",
        "Written by `./hrl terms --markdown > docs/reference/terms.md` from the registry. A term's text says what it "
        "computes, with unit and source; bounds are those that a Task is checked against.",
    ]
    for kind in KINDS:
        parts += [f"## {kind.capitalize()}s", HEADINGS[kind], *(_section(spec) for spec in terms(kind).values())]
    return "\n\n".join(parts) + "\n"


def _section(spec: TermSpec) -> str:
    text = " ".join((inspect.getdoc(spec.function) or "").split())
    lines = [f"### {spec.name}", "", text]
    if spec.modes:
        lines += ["", f"Acts: {', '.join(spec.modes)} (the first by itself)."]
    if spec.params:
        lines += ["", "| parameter | default | between | unit | what it is |", "|---|---|---|---|---|"]
        lines += [_row(param) for param in spec.params.values()]
    return "\n".join(lines)


def _row(param: ParamSpec) -> str:
    info = param.info
    help = info.help or {"bodies": "Bodies: a role, a name or a regular expression"}.get(param.type, "")
    help = help or {"joints": "Joints: a name or a regular expression", "str": "Name of the command"}.get(
        param.type, ""
    )
    return f"| `{param.name}` | {_value(param.default)} | {_bounds(info)} | {info.unit} | {help} |"


def _bounds(info: Param) -> str:
    known = [f"{bound:g}" for bound in (info.min, info.max) if math.isfinite(bound)]
    return " and ".join(known) if len(known) == 2 else ""


def _value(value: Any) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(_value(part) for part in value)}]"
    if isinstance(value, float):
        return f"{value:g}"
    return f"`{value}`" if isinstance(value, str) else str(value).lower()
