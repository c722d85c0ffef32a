"""What the Task section shows: presets and files, changes from the preset, fields in groups, tables of terms."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from humanoid_rl_ext.errors import HumanoidRLError
from humanoid_rl_ext.task.loading import save_task, task_names, task_source
from humanoid_rl_ext.task.registry import Kind, TermSpec, terms
from humanoid_rl_ext.task.schema import Task, TermSection
from humanoid_rl_ext.ui.draft import Change
from humanoid_rl_ext.ui.fields.binding import tried
from humanoid_rl_ext.ui.fields.numbers import format_number
from humanoid_rl_ext.ui.fields.spec import FieldSpec, humanised, model_fields, term_fields
from humanoid_rl_ext.ui.signal import Signal
from humanoid_rl_ext.ui.workbench import Workbench

RECENT = "recent_tasks"
MAX_RECENT = 8
MAX_FOUND = 40


@dataclass(frozen=True, slots=True)
class Table:
    """A table of terms: where it stands in the Task and what kind of terms it takes."""

    title: str
    path: str
    kind: Kind
    help: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a table: its path, name, term and the fields below it."""

    path: str
    label: str
    term: TermSpec
    specs: tuple[FieldSpec, ...]


PLAIN: dict[str, tuple[str, ...]] = {
    "General": ("name", "description"),
    "Scene": ("scene",),
    "Simulation": ("sim",),
    "Control": ("control",),
    "Episode": ("episode_length_s", "episodes", "reward_scale", "seed"),
}
"""Groups of plain fields: the parts of the Task in each."""

TABLES: tuple[Table, ...] = (
    Table("Commands", "commands", "command", "What the robot is told to do"),
    Table("Observations", "observations.policy", "observation", "What the policy sees"),
    Table("Critic observations", "observations.critic", "observation", "What the value function sees, if not the same"),
    Table("Terminations", "terminations", "termination", "What ends an episode"),
    Table("Randomisation", "randomisation", "randomisation", "What varies between episodes and disturbs them"),
    Table("Metrics", "metrics", "metric", "What is measured beside the rewards"),
)
KINDS_OF_GROUND = Table("Terrain", "scene.terrain.kinds", "terrain", "Kinds of ground that share the terrain's columns")
"""Shown by the terrain editor (ui/terrain), with the fields below ``scene.terrain``."""


class TaskModel:
    """All logic of the section; the draft itself lives in the workbench."""

    def __init__(self, workbench: Workbench) -> None:
        self.workbench = workbench
        self.pending: str | None = None
        """A task that was chosen while the draft has changes: it waits for ``confirm`` or ``keep``."""
        self.sources_changed: Signal[()] = Signal()
        """There is another file to choose, or another question to answer."""

    # Presets and files

    @property
    def choices(self) -> list[str]:
        """Names of presets, then recent task files, then what the draft came from if it is none of those."""
        known = [*task_names(), *self.recent]
        source = self.workbench.draft.source
        return known if source in known else [*known, source]

    @property
    def recent(self) -> list[str]:
        """Task files that were loaded or saved lately and still exist, the last one first."""
        return [path for path in self.workbench.host.setting(RECENT, []) if Path(path).is_file()]

    @property
    def description(self) -> str:
        """The draft's own words about itself."""
        return self.workbench.draft.task.description

    def describe(self, choice: str) -> str:
        """One line about a preset or a file; '' when it cannot be read."""
        try:
            return str(task_source(choice).data.get("description", ""))
        except HumanoidRLError:
            return ""

    def choose(self, choice: str) -> None:
        """Loads a preset or a file at once, or asks first where changes would be lost."""
        if self.task_changes:
            self.pending = choice
            self.sources_changed.emit()
        else:
            self._load(choice)

    def confirm(self) -> None:
        """Loads what is pending; the changes are gone then."""
        choice = self.pending
        self.keep()
        if choice is not None:
            self._load(choice)

    def keep(self) -> None:
        """Forgets what is pending and keeps the draft."""
        self.pending = None
        self.sources_changed.emit()

    def load_file(self) -> None:
        """Asks for a task file and takes it."""
        self.workbench.host.pick_file("Load a task", (".yaml", ".yml"), lambda path: self.choose(str(path)))

    def save_as(self) -> None:
        """Asks where to write the draft's Task and writes it."""
        name = f"{self.workbench.draft.task.name}.yaml"
        self.workbench.host.pick_new_file("Save the task", name, self.save)

    def save(self, path: Path) -> None:
        """Writes the draft's Task as a file that the command line takes too."""
        path = path if path.suffix in (".yaml", ".yml") else path.with_name(f"{path.name}.yaml")
        try:
            save_task(self.workbench.draft.task, path)
        except OSError as error:
            self.workbench.say(f"{path} cannot be written: {error.strerror}", "error")
            return
        self._remember(path)
        self.workbench.say(f"Saved {path}")

    # What differs from the preset

    @property
    def changes(self) -> list[Change]:
        """Every value that differs from its preset, with the preset's value as the old one."""
        return self.workbench.draft.differences()

    @property
    def task_changes(self) -> list[Change]:
        """Those that loading another task would lose."""
        return [change for change in self.changes if change.path.partition(".")[0] not in ("learner", "run")]

    def put_back(self, change: Change) -> str:
        """Makes one change undone: the preset's value again; why that is not possible, or ''."""
        return tried(self.workbench, change.path, change.old)

    @property
    def undo_help(self) -> str:
        """What the undo button would do; '' when there is nothing to undo."""
        if not self.workbench.undoable:
            return ""
        last = self.workbench.undoable[-1]
        if isinstance(last.old, dict) and isinstance(last.new, dict):
            return f"Undo the last change of {last.path}"
        return f"Undo {last.path}: {short(last.new)} becomes {short(last.old)} again"

    # Fields

    def group_specs(self, title: str) -> list[FieldSpec]:
        """The fields of a plain group; those of the terrain have an editor of their own."""
        tops = PLAIN[title]
        return [
            spec
            for spec in model_fields(Task)
            if spec.path.partition(".")[0] in tops and not spec.path.startswith("scene.terrain.")
        ]

    def entries(self, table: Table) -> list[Entry]:
        """What stands in a table now."""
        commands = tuple(self.workbench.draft.task.commands)
        return [self._entry(table, name, section, commands) for name, section in self._sections(table).items()]

    def shape(self, table: Table) -> tuple[str, ...]:
        """Equal as long as the same widgets can show the table: its entries, their terms, the Task's commands."""
        sections = self._sections(table)
        return (
            *(f"{name}={section.spec.name}" for name, section in sections.items()),
            *self.workbench.draft.task.commands,
        )

    def addable(self, table: Table) -> list[TermSpec]:
        """The registered terms that the table has not got yet."""
        present = self._sections(table)
        return [term for name, term in terms(table.kind).items() if name not in present]

    def add(self, table: Table, name: str) -> str:
        """Adds a term with its default parameters; why that is not possible, or ''."""
        return tried(self.workbench, f"{table.path}.{name}", {})

    def remove(self, entry: Entry) -> str:
        """Removes an entry; why that is not possible, or ''."""
        return tried(self.workbench, entry.path, None)

    def find(self, text: str) -> list[tuple[str, list[FieldSpec]]]:
        """The fields in whose name, help or place all words of ``text`` begin a word, by heading; the first forty."""
        words = re.split(r"[\s_.]+", text.lower().strip())
        found: list[tuple[str, list[FieldSpec]]] = []
        room = MAX_FOUND
        for heading, specs in (*self._everything(), *self._rules()):
            hits = [spec for spec in specs if _has(words, heading, spec)][:room]
            room -= len(hits)
            if hits:
                found.append((heading, hits))
        return found

    def _everything(self) -> list[tuple[str, list[FieldSpec]]]:
        plain = [(title, self.group_specs(title)) for title in PLAIN]
        terrain = self.workbench.draft.task.scene.terrain
        ground = [] if not terrain.kinds else [("Terrain", model_fields(terrain, "scene.terrain"))]
        tables = [
            (f"{table.title}: {entry.label}", list(entry.specs))
            for table in (KINDS_OF_GROUND, *TABLES)
            for entry in self.entries(table)
        ]
        return plain + ground + tables

    def _sections(self, table: Table) -> Mapping[str, TermSection]:
        found: Any = self.workbench.draft.task
        for part in table.path.split("."):
            found = found.get(part, {}) if isinstance(found, Mapping) else getattr(found, part)
        return found

    def _entry(self, table: Table, name: str, section: TermSection, commands: tuple[str, ...]) -> Entry:
        path = f"{table.path}.{name}"
        own = model_fields(section, path, leave_out=("term", "enabled"))
        return Entry(path, humanised(name), section.spec, (*term_fields(section.spec, path, commands), *own))

    def _load(self, choice: str) -> None:
        before = self.workbench.draft
        self.workbench.load_task(choice)
        if self.workbench.draft is not before and choice not in task_names():
            self._remember(Path(choice))

    def _remember(self, path: Path) -> None:
        text = str(path.resolve())
        others = [recent for recent in self.recent if recent != text]
        self.workbench.host.remember(RECENT, [text, *others][:MAX_RECENT])
        self.sources_changed.emit()

    def _rules(self) -> list[tuple[str, list[FieldSpec]]]:
        stages = self.workbench.draft.task.curriculum.stages
        return [
            (f"Curriculum: {name}", model_fields(stage.advance, f"curriculum.stages.{name}.advance"))
            for name, stage in stages.items()
            if stage.advance is not None
        ]


def short(value: object) -> str:
    """A value in few characters, for lists."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return format_number(value)
    if isinstance(value, list | tuple):
        return ", ".join(short(item) for item in value)
    if isinstance(value, dict):
        return "an entry" if "params" in value else "several values"
    return str(value)


def enabled_field(entry: Entry) -> FieldSpec:
    """The switch of an entry."""
    return next(spec for spec in model_fields(TermSection, entry.path) if spec.path.endswith(".enabled"))


def _has(words: list[str], heading: str, spec: FieldSpec) -> bool:
    known = re.split(r"[^a-z0-9]+", f"{heading} {spec.label} {spec.path.replace('_', '.')} {spec.help}".lower())
    return all(any(name.startswith(word) for name in known) for word in words)
