"""What the table of schedules shows and does: single numbers, or ranges, that go by environment steps."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from humanoid_rl_ext.task.curriculum import CurriculumSection, ScheduleSection
from humanoid_rl_ext.ui.curriculum.model import CurriculumModel, check_name, free_name
from humanoid_rl_ext.ui.curriculum.paths import Target, target_of, targets
from humanoid_rl_ext.ui.draft import MISSING
from humanoid_rl_ext.ui.fields.binding import Binding
from humanoid_rl_ext.ui.fields.spec import FieldSpec, model_fields

SCHEDULES = "curriculum.schedules"
USUAL_STEPS = 5_000_000
"""Environment steps between two points of a new schedule."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """One schedule of the draft: its name, what it changes, and how many points it has."""

    name: str
    path: str
    target: Target
    points: int
    words: str
    """Its first and its last value."""


class SchedulesModel:
    """All logic of the table. Methods that edit return why that was not possible, or ''."""

    def __init__(self, model: CurriculumModel) -> None:
        self.model, self.workbench = model, model.workbench

    def schedules(self) -> list[Schedule]:
        """The draft's schedules."""
        known = targets(self.workbench.draft.task)
        return [self._schedule(name, plan, known) for name, plan in self._plans.items()]

    def shape(self) -> tuple[object, ...]:
        """Equal as long as the same widgets can show the schedules."""
        return tuple((one.name, one.target, one.points) for one in self.schedules())

    def free(self) -> list[Target]:
        """Numbers and ranges that neither a stage nor a schedule changes yet."""
        taken = {path for _, path in self.model.plan.paths}
        return [target for target in self.model.live_targets() if target.scheduled and target.path not in taken]

    def add(self, target: Target) -> str:
        """Adds a schedule that starts, and for now also ends, at the value that the Task has."""
        words = [word for word in target.path.split(".")[1:] if word != "params"] or [target.path]
        name = free_name("_".join(words), self._plans)
        return self.model.try_edit(f"{SCHEDULES}.{name}", {"path": target.path, "points": self._level(target)})

    def remove(self, schedule: Schedule) -> str:
        """Takes a schedule out."""
        return self.model.try_edit(schedule.path, None)

    def aim(self, schedule: Schedule, target: Target) -> str:
        """Lets a schedule change another value, from where that is now."""
        entry = {**self._plans[schedule.name].model_dump(mode="json"), "path": target.path}
        return self.model.try_edit(schedule.path, {**entry, "points": self._level(target)})

    def add_point(self, schedule: Schedule) -> str:
        """Adds a point behind the last one, with its value."""
        points = self._points(schedule)
        gap = points[-1][0] - points[-2][0] if len(points) > 1 else USUAL_STEPS
        return self.model.try_edit(f"{schedule.path}.points", [*points, [points[-1][0] + gap, points[-1][1]]])

    def remove_point(self, schedule: Schedule, index: int) -> str:
        """Takes one point out; one stays."""
        points = self._points(schedule)
        return self.model.try_edit(f"{schedule.path}.points", points[:index] + points[index + 1 :])

    def name_binding(self, schedule: Schedule) -> Binding:
        """The schedule's name as a value."""

        def rename(name: str) -> None:
            check_name(name, self._plans, schedule.name)
            entries = self.model.plan.model_dump(mode="json")["schedules"]
            renamed = {name if old == schedule.name else old: entry for old, entry in entries.items()}
            self.model.write(SCHEDULES, renamed)

        spec = FieldSpec(path=f"{schedule.path}.name", label="Name", kind="text", help="What the schedule is called")
        return Binding(spec, lambda: schedule.name, rename)

    def own_specs(self, schedule: Schedule) -> list[FieldSpec]:
        """How it goes from point to point."""
        specs = {spec.path.rpartition(".")[2]: spec for spec in model_fields(ScheduleSection, schedule.path)}
        return [replace(specs["kind"], label="Between points"), replace(specs["increments"], label="Parts of a line")]

    def steps_binding(self, schedule: Schedule, index: int) -> Binding:
        """The environment steps of one point."""
        spec = FieldSpec(
            path=f"{schedule.path}.points.{index}.steps",
            label="Environment steps",
            kind="whole",
            low=0,
            help="Environment steps, of all environments together",
        )
        return self._point_binding(schedule, index, 0, spec)

    def value_binding(self, schedule: Schedule, index: int) -> Binding:
        """The value of one point."""
        spec = schedule.target.at(f"{schedule.path}.points.{index}.value")
        return self._point_binding(schedule, index, 1, spec)

    def _point_binding(self, schedule: Schedule, index: int, part: int, spec: FieldSpec) -> Binding:
        def of(plan: CurriculumSection) -> Any:
            entry = plan.schedules.get(schedule.name)
            if entry is None or index >= len(entry.points):
                return MISSING
            return entry.model_dump(mode="json")["points"][index][part]

        def write(value: Any) -> None:
            points = self._points(schedule)
            points[index][part] = value
            self.model.write(f"{schedule.path}.points", points)

        return Binding(
            spec,
            lambda: of(self.model.plan),
            write,
            lambda: of(self.workbench.draft.preset.curriculum),
            waits=lambda: self.model.waits(f"{schedule.path}.points"),
        )

    @property
    def _plans(self) -> dict[str, ScheduleSection]:
        return self.model.plan.schedules

    def _points(self, schedule: Schedule) -> list[list[Any]]:
        return [list(point) for point in self._plans[schedule.name].model_dump(mode="json")["points"]]

    def _level(self, target: Target) -> list[list[Any]]:
        value = self.workbench.draft.value(target.path)
        return [[0, value], [USUAL_STEPS, value]]

    def _schedule(self, name: str, plan: ScheduleSection, known: dict[str, Target]) -> Schedule:
        target = target_of(plan.path, plan.points[0][1], known)
        ends = [target.spec.format(value) for _, value in (plan.points[0], plan.points[-1])]
        return Schedule(name, f"{SCHEDULES}.{name}", target, len(plan.points), " to ".join(dict.fromkeys(ends)))
