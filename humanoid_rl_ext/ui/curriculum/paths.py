"""Which values of a Task a curriculum can set: those that can change while training, with their fields."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from humanoid_rl_ext.task.schema import RandomisationSection, RewardSection, Task, TermSection
from humanoid_rl_ext.ui.fields.spec import FieldSpec, humanised, model_fields, term_fields

FIELDS = {
    "reward_scale": "Reward scale",
    "scene.terrain.max_difficulty": "Terrain: highest difficulty",
    "episode_length_s": "Episode length",
}
"""Single values, with the words for them."""
TABLES = {
    "rewards": "Rewards",
    "commands": "Commands",
    "randomisation": "Randomisation",
    "terminations": "Terminations",
    "metrics": "Metrics",
}
NUMBERS = ("float", "range", "numbers")
"""Types of parameters that can change in place."""


@dataclass(frozen=True, slots=True)
class Target:
    """One value that a curriculum can set: its path in the Task, words for it, and the field that takes it."""

    path: str
    title: str
    group: str
    spec: FieldSpec

    @property
    def help(self) -> str:
        """What it is and where it stands."""
        return "\n".join(filter(None, (self.spec.help, self.path)))

    @property
    def scheduled(self) -> bool:
        """Whether it is a number or a range, which a schedule can walk through."""
        return self.spec.kind == "number" or (self.spec.kind == "numbers" and self.spec.ordered)

    def matches(self, text: str) -> bool:
        """Whether every word of ``text`` stands in its words or its path."""
        known = f"{self.title} {self.group} {self.path} {self.path.replace('_', ' ')}".lower()
        return all(word in known for word in text.lower().split())

    def at(self, path: str) -> FieldSpec:
        """Its field for a value that is kept at another path."""
        return replace(self.spec, path=path, label=self.title)


def targets(task: Task) -> dict[str, Target]:
    """Every number, range and switch of a Task that can change while training, by path."""
    plain = {spec.path: spec for spec in model_fields(Task)}
    found = [Target(path, title, "General", plain[path]) for path, title in FIELDS.items()]
    for table, group in TABLES.items():
        for name, section in getattr(task, table).items():
            found += [
                Target(spec.path, f"{humanised(name)}: {spec.label[:1].lower()}{spec.label[1:]}", group, spec)
                for spec in _fields(f"{table}.{name}", section)
            ]
    return {target.path: target for target in found}


def is_live(task: Task, path: str) -> bool:
    """Whether a value of a Task can change while training, those that no widget is offered for among them."""
    return path in targets(task) or path.partition(".")[0] in ("rewards", "curriculum")


def target_of(path: str, value: Any, known: Mapping[str, Target]) -> Target:
    """What stands at a path; one that the Task has not got, or that takes no number, by what its value looks like."""
    if path in known:
        return known[path]
    kind, length = "text", 0
    if isinstance(value, bool):
        kind = "switch"
    elif isinstance(value, int | float):
        kind = "number"
    elif isinstance(value, list | tuple) and all(isinstance(one, int | float) for one in value):
        kind, length = "numbers", len(value)
    spec = FieldSpec(path=path, label=path, kind=kind, length=length, ordered=length == 2)  # type: ignore[arg-type]
    return Target(path, path, "", spec)


def _fields(path: str, section: TermSection) -> Iterator[FieldSpec]:
    own = {spec.path.rpartition(".")[2]: spec for spec in model_fields(section, path)}
    if isinstance(section, RewardSection):
        yield from (own["weight"], own["enabled"])
    elif not section.enabled:
        return
    if "resample_s" in own and getattr(section, "resample_s", None) is not None:
        yield own["resample_s"]
    if isinstance(section, RandomisationSection):
        if section.mode == "interval":
            yield own["interval_s"]
        if section.distribution == "choice":
            return  # its range follows from the choices
    for spec, param in zip(term_fields(section.spec, path), section.spec.params.values(), strict=True):
        if param.type in NUMBERS:
            yield spec
