"""What the Rewards section shows: the draft's rewards with their fields, what each earns, and what could be added."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from humanoid_rl_ext.errors import TaskError
from humanoid_rl_ext.task.loading import load_task, task_names
from humanoid_rl_ext.task.registry import TermSpec, terms
from humanoid_rl_ext.task.schema import RewardSection
from humanoid_rl_ext.ui.draft import MISSING
from humanoid_rl_ext.ui.fields.binding import Binding, tried
from humanoid_rl_ext.ui.fields.spec import FieldSpec, model_fields, term_fields
from humanoid_rl_ext.ui.task.model import short
from humanoid_rl_ext.ui.workbench import Workbench

WINDOW = 10
"""Iterations whose ended episodes the live values are means of."""
TREND = 60
"""Iterations that a sparkline shows."""


@dataclass(frozen=True, slots=True)
class Row:
    """One reward of the draft: its path and name, the registered term, its fields."""

    path: str
    name: str
    term: TermSpec
    weight: FieldSpec
    enabled: FieldSpec
    params: tuple[FieldSpec, ...]

    @property
    def help(self) -> str:
        """What the term is, and where it stands."""
        return f"{self.term.help}\nTerm: {self.term.name}"


@dataclass(frozen=True, slots=True)
class Earned:
    """What a reward brings per episode, or all of them together; None before any episode has ended."""

    value: float | None = None
    share: float | None = None
    """Of the sum of all rewards' sizes, from -1 to 1: the sizes of all shares sum to 1."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A reward that could be added: a free name, its term, and what the entry would say."""

    name: str
    term: TermSpec
    entry: Mapping[str, Any]
    origin: str
    """Where weight and parameters come from."""
    obstacle: str = ""
    """Why it cannot be added to this task; empty when it can."""

    def matches(self, text: str) -> bool:
        """Whether every word of ``text`` stands in the name, the term or its help."""
        known = f"{self.name} {self.name.replace('_', ' ')} {self.term.name} {self.term.help}".lower()
        return all(word in known for word in text.lower().split())


class RewardsModel:
    """All logic of the section. Methods that edit return why that was not possible, or ''."""

    def __init__(self, workbench: Workbench) -> None:
        self.workbench = workbench

    def rows(self) -> list[Row]:
        """The draft's rewards: the preset's in its order, then those that were added."""
        draft = self.workbench.draft
        order = {name: index for index, name in enumerate(draft.preset.rewards)}
        names = sorted(draft.task.rewards, key=lambda name: order.get(name, len(order)))
        return [self._row(name, draft.task.rewards[name]) for name in names]

    def shape(self) -> tuple[tuple[str, str], ...]:
        """Equal as long as the same widgets can show the rewards."""
        task = self.workbench.draft.task
        others = [(name, "") for name in (*task.commands, *(["agents"] if task.agents else []))]
        return (*((row.name, row.term.name) for row in self.rows()), *others)

    # What they earn

    def earned(self) -> dict[str, Earned]:
        """What each reward that is switched on brought in the episodes that ended lately."""
        history = self.workbench.history
        means = {
            name: history.mean_over_episodes(f"reward/{name}", WINDOW) if section.enabled else None
            for name, section in self.workbench.draft.task.rewards.items()
        }
        sizes = sum(abs(value) for value in means.values() if value is not None)
        return {
            name: Earned() if value is None else Earned(value, value / sizes if sizes else 0.0)
            for name, value in means.items()
        }

    def total(self, earned: Mapping[str, Earned]) -> Earned:
        """All of them together: the mean episode return, and the sum of the shares."""
        known = [(one.value, one.share) for one in earned.values() if one.value is not None and one.share is not None]
        if not known:
            return Earned()
        return Earned(math.fsum(value for value, _ in known), math.fsum(share for _, share in known))

    def trend(self, name: str) -> list[float]:
        """What a reward brought per episode in the last iterations in which one ended, oldest first."""
        column = self.workbench.history.column(f"reward/{name}")[-TREND:]
        return [float(value) for value in column[np.isfinite(column)]]

    # Adding, removing, putting back

    def candidates(self) -> list[Candidate]:
        """What could be added: the preset's rewards that were removed, then every term, those in use once more.

        Those that this task cannot have come last.
        """
        draft = self.workbench.draft
        present = draft.task.rewards
        removed = [
            Candidate(name, section.spec, section.model_dump(mode="json"), "as in the preset")
            for name, section in draft.preset.rewards.items()
            if name not in present
        ]
        taken = {*present, *(candidate.name for candidate in removed)}
        free = [self._candidate(name, term) for name, term in terms("reward").items() if name not in taken]
        again = [
            self._candidate(_free_name(name, taken), term) for name, term in terms("reward").items() if name in taken
        ]
        return sorted([*removed, *free, *again], key=lambda candidate: bool(candidate.obstacle))

    def prepare(self) -> None:
        """Reads ahead, in the background, what ``candidates`` needs of the presets."""
        self.workbench.background.run(usual_weights, lambda weights: None, lambda error: None)

    def add(self, candidate: Candidate) -> str:
        """Adds a reward; while training it counts from the next step on."""
        return tried(self.workbench, f"rewards.{candidate.name}", dict(candidate.entry))

    def remove(self, row: Row) -> str:
        """Removes a reward; while training it counts no longer from the next step on."""
        return tried(self.workbench, row.path, None)

    def whole(self, row: Row) -> Binding:
        """The entry as one value, in words, for the mark that puts all of it back to the preset."""

        def said_by(rewards: Mapping[str, RewardSection]) -> Any:
            return _words(rewards[row.name]) if row.name in rewards else MISSING

        return Binding(
            FieldSpec(path=row.path, label=row.name, kind="text"),
            lambda: said_by(self.workbench.draft.task.rewards),
            lambda text: self.workbench.reset(row.path),
            lambda: said_by(self.workbench.draft.preset.rewards),
        )

    # Undo

    @property
    def undo_help(self) -> str:
        """What the undo button would do; '' when there is nothing to undo."""
        if not self.workbench.undoable:
            return ""
        last = self.workbench.undoable[-1]
        if last.old is None and isinstance(last.new, dict):
            return f"Removes {last.path} again"
        if last.new is None and isinstance(last.old, dict):
            return f"Brings {last.path} back"
        return f"{last.path}: {short(last.new)} becomes {short(last.old)} again"

    def undo(self) -> str:
        """Takes the last edit back."""
        try:
            self.workbench.undo()
        except TaskError as error:
            return str(error)
        return ""

    def _row(self, name: str, section: RewardSection) -> Row:
        path = f"rewards.{name}"
        own = {spec.path.rpartition(".")[2]: spec for spec in model_fields(section, path, leave_out=("term",))}
        task = self.workbench.draft.task
        params = term_fields(section.spec, path, tuple(task.commands))
        params += [own["agents"]] if task.agents else []
        return Row(path, name, section.spec, own["weight"], own["enabled"], tuple(params))

    def _candidate(self, name: str, term: TermSpec) -> Candidate:
        weight, task = usual_weights().get(term.name, (0.0, ""))
        entry = {"weight": weight} if name == term.name else {"term": term.name, "weight": weight}
        origin = f"weight {short(weight)}, as in {task}" if task else "weight 0: no preset uses it"
        command = term.params.get("command")
        commands = self.workbench.draft.task.commands
        missing = command is not None and command.default not in commands
        obstacle = f"needs a command '{command.default}', which this task has not got" if command and missing else ""
        return Candidate(name, term, entry, origin, obstacle)


@cache
def usual_weights() -> dict[str, tuple[float, str]]:
    """For every reward term that a preset uses, the weight it has there and the preset's name."""
    found: dict[str, tuple[float, str]] = {}
    for task in task_names():
        for section in load_task(task).rewards.values():
            found.setdefault(section.spec.name, (section.weight, task))
    return found


def _free_name(name: str, taken: set[str]) -> str:
    number = 2
    while f"{name}_{number}" in taken:
        number += 1
    return f"{name}_{number}"


def _words(section: RewardSection) -> str:
    facts = [f"weight {section.weight}", *(f"{name} {value}" for name, value in section.params.items())]
    return ", ".join(facts if section.enabled else [*facts, "switched off"])
