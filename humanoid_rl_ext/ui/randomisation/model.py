"""What the Randomisation table shows: entries with their fields, presets, and what the environments have now."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from humanoid_rl_ext.errors import TaskError
from humanoid_rl_ext.task.randomisation_presets import RandomisationPreset, randomisation_presets
from humanoid_rl_ext.task.registry import TermSpec
from humanoid_rl_ext.task.schema import RandomisationSection, Task
from humanoid_rl_ext.ui.fields.binding import Binding, bind, reason_of
from humanoid_rl_ext.ui.fields.numbers import format_number
from humanoid_rl_ext.ui.fields.spec import FieldSpec, humanised, model_fields
from humanoid_rl_ext.ui.policy.bars import nice_ceiling
from humanoid_rl_ext.ui.randomisation.figure import Array, Figure, distribution_figure, failure_figure
from humanoid_rl_ext.ui.task.model import TABLES, Entry, TaskModel

if TYPE_CHECKING:
    from humanoid_rl_ext.env.failure_map import FailureRate
    from humanoid_rl_ext.env.vec_env import VecEnv

TABLE = next(table for table in TABLES if table.path == "randomisation")
INTERVAL = "sim.randomisation_interval_s"
WHEN = {"start": "once", "reset": "per episode", "step": "per step"}
ONE_RANGE = ("log_uniform", "choice")
"""Distributions that only terms with a single range can have."""
NEXT_RUN = "next run"


@dataclass(frozen=True, slots=True)
class Ranged:
    """One range of an entry that has a width, and which column of the samples it is; None: all columns."""

    param: str
    label: str
    low: float
    high: float
    unit: str
    column: int | None


@dataclass(frozen=True, slots=True)
class FailureChart:
    """How often episodes fail at each value of a quantity."""

    name: str
    label: str
    low: str
    high: str
    figure: Figure
    help: str


@dataclass(frozen=True, slots=True)
class FailureCharts:
    """All of them on one scale; ``caption`` says which."""

    charts: tuple[FailureChart, ...] = ()
    caption: str = ""
    episodes: int = 0


class RandomisationModel:
    """All logic of the table. Methods that edit return why that was not possible, or ''."""

    def __init__(self, task: TaskModel) -> None:
        self.task, self.workbench = task, task.workbench

    # Entries and their fields

    def entries(self) -> list[Entry]:
        """The draft's entries, with fields that offer only what their terms take."""
        return [replace(entry, specs=self._fields(entry)) for entry in self.task.entries(TABLE)]

    def shape(self) -> tuple[str, ...]:
        """Equal as long as the same widgets can show the table."""
        return self.task.shape(TABLE)

    def section(self, entry: Entry) -> RandomisationSection:
        """What the draft says about an entry."""
        return self.workbench.draft.task.randomisation[_name(entry.path)]

    def binding(self, entry: Entry, spec: FieldSpec) -> Binding:
        """What a field edits; choosing from values starts with the range's ends and middle, in one edit."""
        plain = bind(self.workbench, spec)
        if not spec.path.endswith(".distribution"):
            return plain

        def write(value: Any) -> None:
            section = self.section(entry)
            if value != "choice" or section.choices:
                self.workbench.edit(spec.path, value)
                return
            low, high = section.params[_range_names(entry.term)[0]]
            choices = sorted({low, float(f"{(low + high) / 2:.6g}"), high})
            now = self.workbench.draft.value(entry.path)
            self.workbench.edit(entry.path, {**now, "distribution": value, "choices": choices})

        return Binding(spec, lambda: plain.value, write, lambda: plain.default, waits=lambda: plain.waits)

    def shows(self, entry: Entry, spec: FieldSpec) -> bool:
        """Whether a field means anything with the entry's mode and distribution."""
        section = self.section(entry)
        match spec.path.rpartition(".")[2]:
            case "interval_s":
                return section.mode == "interval"
            case "deviations":
                return section.distribution == "normal"
            case "choices":
                return section.distribution == "choice"
        return True

    def obstacle(self, entry: Entry, spec: FieldSpec) -> str:
        """Why a field cannot be edited; '' if it can."""
        name = spec.path.rpartition(".")[2]
        if name == "mode" and len(entry.term.modes) == 1:
            return f"{entry.label} has no other mode"
        if name in _range_names(entry.term) and self.section(entry).distribution == "choice":
            return "The choices say it"
        return ""

    def waits(self, entry: Entry) -> bool:
        """Whether the run at work has the entry otherwise, beyond numbers that can change at once."""
        session = self.workbench.session
        if session is None or not isinstance(session.task, Task):
            return False
        at_work = session.task.randomisation.get(_name(entry.path))
        if at_work is None:
            return True
        before, after = (_flat(section.model_dump()) for section in (at_work, self.section(entry)))
        changed = [key for key in before.keys() | after.keys() if before.get(key) != after.get(key)]
        return any(not self.workbench.acts_now(f"{entry.path}.{key}") for key in changed)

    def range_text(self, entry: Entry) -> str:
        """The range in few characters."""
        section, ranges = self.section(entry), self.ranges(entry)
        if section.distribution == "choice":
            return f"{len(section.choices)} values"
        if len(ranges) == 1:
            low, high = format_number(ranges[0].low), format_number(ranges[0].high)
            return f"{low} to {high} {ranges[0].unit}".rstrip()
        if ranges:
            return f"{len(ranges)} ranges"
        names = _range_names(entry.term)
        return f"always {format_number(section.params[names[0]][0])}" if len(names) == 1 else "no range"

    def when_text(self, entry: Entry) -> str:
        """When it is drawn, in few characters."""
        if self.waits(entry):
            return NEXT_RUN
        section = self.section(entry)
        low, high = map(format_number, section.interval_s)
        return WHEN.get(section.mode) or (f"{low} to {high} s" if low != high else f"{low} s")

    # Adding, removing, presets

    def presets(self) -> dict[str, RandomisationPreset]:
        """The bundled presets by name."""
        return randomisation_presets()

    def adds(self, preset: RandomisationPreset) -> str:
        """What a preset would add, in words; '' where the task has all of it."""
        edits = preset.edits(self.workbench.draft.task)
        entries = [humanised(_name(path)).lower() for path, _ in edits if path.startswith("randomisation.")]
        noisy = len(edits) - len(entries)
        noise = f"noise on {noisy} observation{'s' if noisy > 1 else ''}" if noisy else ""
        return ", ".join(filter(None, [*entries, noise]))

    def apply(self, preset: RandomisationPreset) -> str:
        """Adds what the draft has not got yet: one edit for the entries, one for the noise on observations."""
        draft = self.workbench.draft
        edits = preset.edits(draft.task)
        entries = {_name(path): entry for path, entry in edits if path.startswith("randomisation.")}
        noise = {path.split(".")[2]: value for path, value in edits if path.startswith("observations.")}
        try:
            if entries:
                self.workbench.edit("randomisation", {**draft.value("randomisation"), **entries})
            if noise:
                seen = draft.value("observations.policy")
                shaped = {name: {**seen[name], "noise": value} for name, value in noise.items()}
                self.workbench.edit("observations.policy", {**seen, **shaped})
        except TaskError as error:
            return reason_of(error, "randomisation")
        self.workbench.say(
            f"Added from '{preset.name}': {len(entries)} quantities to vary, noise on {len(noise)} observations"
        )
        return ""

    # What the environments have; only between steps, and each call waits for the device

    @property
    def env(self) -> VecEnv | None:
        """The environment of the run at work."""
        return self.workbench.session.vec_env if self.workbench.session is not None else None

    def ranges(self, entry: Entry) -> list[Ranged]:
        """The entry's ranges that have a width; of a term with one range always that one, unless it has no width."""
        section, names = self.section(entry), _range_names(entry.term)
        found = []
        for column, name in enumerate(names):
            low, high = section.params[name]
            if high > low or section.distribution == "choice":
                unit = entry.term.params[name].info.unit
                found.append(Ranged(name, humanised(name), low, high, unit, column if len(names) > 1 else None))
        return found

    def samples(self, entry: Entry) -> Array | None:
        """What the environments have of an entry now, (num_envs, k); None where nothing is at work or lasts."""
        env = self.env
        if env is None or _name(entry.path) not in env.randomiser.quantities:
            return None
        values = env.randomised(_name(entry.path))
        return values.cpu().numpy().astype(float) if values.ndim == 2 and values.numel() else None

    def figure(self, entry: Entry, ranged: Ranged, samples: Array | None = None) -> Figure:
        """The distribution of one range, and over it the histogram of samples (num_envs, k)."""
        picked = None if samples is None else _column(samples, ranged)
        return distribution_figure(self.section(entry), ranged.low, ranged.high, picked)

    def caption(self, entry: Entry, samples: Array | None) -> str:
        """One line about the samples, or about why there are none."""
        if not self.section(entry).enabled:
            return "Switched off."
        ranges = self.ranges(entry)
        if not ranges:
            return "Nothing varies: no range has a width."
        if samples is not None:
            numbers = "" if samples.shape[1] == 1 or len(ranges) > 1 else f" with {samples.shape[1]} numbers each"
            said = f"Bars: the {len(samples)} environments{numbers} now"
            if len(ranges) > 1:
                return f"{said}."
            now, unit = _column(samples, ranges[0]), f" {ranges[0].unit}" if ranges[0].unit else ""
            low, high, mean = (f"{value:.4g}" for value in (now.min(), now.max(), now.mean()))
            return f"{said}: {low} to {high}, mean {mean}{unit}."
        if entry.term.target.startswith(("initial_", "root_")):
            return "Acts at one moment, so environments have nothing of it to show."
        if self.env is not None:
            return "The run at work has not got it: it takes part from the next run on."
        return "While training: the environments' values as bars."

    @property
    def batching(self) -> str:
        """How quantities reach the engine."""
        env = self.env
        if env is None:
            return "For quantities that an engine takes only from the host. A run at work says which those are."
        host = [humanised(name).lower() for name, quantity in env.randomiser.quantities.items() if quantity.batched]
        where = f"{env.engine.name} on {env.device.type}"
        if not host:
            return f"{where}: none needs it, all change as soon as they are due."
        every = format_number(env.task.sim.randomisation_interval_s)
        return f"{where}: applied from the host every {every} s: {', '.join(host)}."

    # Who falls

    def failures(self) -> FailureCharts:
        """The failure map of the run at work."""
        rates = self.env.randomiser.failures.read() if self.env is not None else {}
        return failure_charts(rates)

    def clear_failures(self) -> None:
        """Counts failures anew."""
        if self.env is not None:
            self.env.randomiser.failures.clear()

    def _fields(self, entry: Entry) -> tuple[FieldSpec, ...]:
        several = len(_range_names(entry.term)) != 1
        fields = []
        for spec in entry.specs:
            if spec.path == f"{entry.path}.mode" and entry.term.modes:
                spec = replace(spec, choices=entry.term.modes)
            elif spec.path == f"{entry.path}.distribution" and several:
                spec = replace(spec, choices=tuple(name for name in spec.choices if name not in ONE_RANGE))
            fields.append(spec)
        return tuple(fields)


def failure_charts(rates: dict[str, FailureRate]) -> FailureCharts:
    """Charts of a failure map, all on one scale."""
    episodes = max((sum(row.episodes) for row in rates.values()), default=0)
    if not episodes:
        return FailureCharts()
    failed = max(sum(row.failed) for row in rates.values())
    bins = [(fell, of) for row in rates.values() for fell, of in zip(row.failed, row.episodes, strict=True) if of]
    full = min(nice_ceiling(max(fell / of for fell, of in bins)), 1.0) if failed else 1.0
    overall = failed / episodes
    charts = tuple(
        FailureChart(
            name,
            humanised(name),
            f"{row.edges[0]:.4g}",
            f"{row.edges[-1]:.4g}",
            failure_figure(row, full, overall),
            _worst(row),
        )
        for name, row in rates.items()
    )
    return FailureCharts(
        charts,
        f"Episodes: {episodes}, {overall:.0%} failed (dashed). Full bar: {full:.0%}. Pale: too few.",
        episodes,
    )


def interval_field() -> FieldSpec:
    """The time between batches."""
    spec = next(spec for spec in model_fields(Task) if spec.path == INTERVAL)
    return replace(spec, label="Applied every")


def _worst(row: FailureRate) -> str:
    rates = [
        (failed / episodes, low, high)
        for low, high, episodes, failed in zip(row.edges, row.edges[1:], row.episodes, row.failed, strict=False)
        if episodes >= 5
    ]
    if not rates:
        return "Too few episodes to tell"
    rate, low, high = max(rates)
    if not rate:
        return "None failed"
    return f"Fails most from {low:.4g} to {high:.4g}: {rate:.0%} of episodes"


def _column(samples: Array, ranged: Ranged) -> Array:
    columns = samples if ranged.column is None else samples[:, [ranged.column]]
    return np.asarray(columns.ravel())


def _name(path: str) -> str:
    return path.rpartition(".")[2]


def _flat(section: dict[str, Any]) -> dict[str, Any]:
    params = {f"params.{name}": value for name, value in section["params"].items()}
    return {**{key: value for key, value in section.items() if key != "params"}, **params}


def _range_names(term: TermSpec) -> list[str]:
    return [name for name, param in term.params.items() if param.type == "range"]
