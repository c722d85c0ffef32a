"""What the Curriculum section shows and does: presets, stages in their order with what they set, and their rules."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml

from humanoid_rl_ext.errors import HumanoidRLError, TaskError
from humanoid_rl_ext.task.curriculum import AdvanceSection, CurriculumSection
from humanoid_rl_ext.task.loading import curriculum_names, load_curriculum
from humanoid_rl_ext.ui.curriculum.paths import Target, is_live, target_of, targets
from humanoid_rl_ext.ui.draft import MISSING
from humanoid_rl_ext.ui.fields.binding import Binding, reason_of
from humanoid_rl_ext.ui.fields.numbers import format_number
from humanoid_rl_ext.ui.fields.spec import FieldSpec, model_fields
from humanoid_rl_ext.ui.task.model import short
from humanoid_rl_ext.ui.workbench import Workbench

STAGES = "curriculum.stages"
NONE, OWN, BY_HAND = "none", "own", "by hand"
"""Stand in the menus for no curriculum, for one that is no preset, and for a stage without a rule."""
RULES = {
    BY_HAND: "Only 'Go to' leads to the next stage",
    "success": "The share of success in this stage's last episodes exceeds a threshold",
    "return": "The mean return of this stage's last episodes exceeds a threshold",
    "episodes": "The run has had a number of episodes, and this stage's last ones enough success",
}
USUAL_RULE: dict[str, Any] = {"by": "success", "above": 0.7, "window": 100, "min_episodes": 100}


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of the draft: its name, place, what it sets and its rule."""

    name: str
    path: str
    index: int
    sets: tuple[Target, ...]
    rule: AdvanceSection | None
    last: bool

    @property
    def ends(self) -> str:
        """When the next stage begins, in few words."""
        if self.last:
            return "the last one"
        if self.rule is None:
            return BY_HAND
        if self.rule.by == "return":
            return f"return > {format_number(self.rule.above)}"
        after = f"after {self.rule.min_episodes:,}, " if self.rule.by == "episodes" else ""
        return f"{after}success > {100 * self.rule.above:.4g} %"


class CurriculumModel:
    """All logic of presets and stages. Methods that edit return why that was not possible, or ''."""

    def __init__(self, workbench: Workbench) -> None:
        self.workbench = workbench

    @property
    def plan(self) -> CurriculumSection:
        """The draft's curriculum."""
        return self.workbench.draft.task.curriculum

    # Presets

    @property
    def choices(self) -> list[str]:
        """What the menu offers: none, the presets, and what the draft has if it is neither."""
        return [NONE, *curriculum_names(), *([OWN] if self.chosen == OWN else [])]

    @property
    def chosen(self) -> str:
        """What the draft has of them."""
        if not self.plan.in_use:
            return NONE
        text = _text(self.plan)
        return next((name for name in curriculum_names() if _text(_preset(name)) == text), OWN)

    def choose(self, name: str) -> str:
        """Takes a preset, or no curriculum, in place of what there is."""
        if name in (OWN, self.chosen):
            return ""
        try:
            plan = CurriculumSection() if name == NONE else _preset(name)
        except HumanoidRLError as error:
            return str(error)
        lacking = [path for _, path in plan.paths if not self._has(path)]
        if lacking:
            more = f" and {len(lacking) - 1} more" if len(lacking) > 1 else ""
            return f"'{name}' does not fit this task: it sets {lacking[0]}{more}, which the task has not got"
        return self.try_edit("curriculum", plan.model_dump(mode="json"))

    def whole(self) -> Binding:
        """The curriculum as one text, for the mark that puts all of it back to the task's preset."""
        draft = self.workbench.draft
        return Binding(
            FieldSpec(path="curriculum", label="Curriculum", kind="text"),
            lambda: _text(self.plan),
            lambda text: self.workbench.edit("curriculum", draft.default("curriculum")),
            lambda: _text(self.workbench.draft.preset.curriculum),
        )

    @property
    def warning(self) -> str:
        """What would keep a run of the draft from starting; '' where nothing does."""
        task = self.workbench.draft.task
        fixed = [path for _, path in self.plan.paths if not is_live(task, path)]
        return f"{fixed[0]} cannot change while training, so no run can start with this curriculum" if fixed else ""

    # Stages

    def stages(self) -> list[Stage]:
        """The draft's stages in their order."""
        known, plan = targets(self.workbench.draft.task), self.plan.stages
        return [
            Stage(
                name,
                f"{STAGES}.{name}",
                index,
                tuple(target_of(path, value, known) for path, value in stage.set.items()),
                stage.advance,
                index + 1 == len(plan),
            )
            for index, (name, stage) in enumerate(plan.items())
        ]

    def shape(self) -> tuple[object, ...]:
        """Equal as long as the same widgets can show the stages."""
        return tuple((stage.name, stage.rule is None, stage.sets) for stage in self.stages())

    def add_stage(self) -> str:
        """Adds a last stage that sets what the last one sets; that one gets a rule if it has none."""
        stages = self._stages()
        names = list(stages)
        entry: dict[str, Any] = {"set": {}, "advance": None}
        if names:
            last = stages[names[-1]]
            before = stages[names[-2]]["advance"] if len(names) > 1 else None
            entry["set"] = dict(last["set"])
            last["advance"] = last["advance"] or before or USUAL_RULE
        stages[_free_name("stage", len(names) + 1, stages)] = entry
        return self.try_edit(STAGES, stages)

    def remove_stage(self, stage: Stage) -> str:
        """Takes a stage out."""
        stages = self._stages()
        stages.pop(stage.name, None)
        return self.try_edit(STAGES, stages)

    def shift_stage(self, stage: Stage, by: int) -> str:
        """Moves a stage by some places, as far as there are places."""
        items = list(self._stages().items())
        place = min(max(stage.index + by, 0), len(items) - 1)
        items.insert(place, items.pop(stage.index))
        return self.try_edit(STAGES, dict(items))

    def name_binding(self, stage: Stage) -> Binding:
        """The stage's name as a value."""

        def rename(name: str) -> None:
            check_name(name, self.plan.stages, stage.name)
            self.write(STAGES, {name if old == stage.name else old: entry for old, entry in self._stages().items()})

        spec = FieldSpec(path=f"{stage.path}.name", label="Name", kind="text", help="What the stage is called")
        return Binding(spec, lambda: stage.name, rename)

    # What a stage sets

    def settable(self, stage: Stage) -> list[Target]:
        """What a stage can set and does not yet; values with a schedule are left to that."""
        taken = {*(target.path for target in stage.sets), *(plan.path for plan in self.plan.schedules.values())}
        return [target for target in self.live_targets() if target.path not in taken]

    def live_targets(self) -> list[Target]:
        """Everything that can change while training, in the run at work too where there is one."""
        session = self.workbench.session
        found = targets(self.workbench.draft.task).values()
        return [target for target in found if session is None or session.can_edit(target.path)]

    def set_value(self, stage: Stage, target: Target) -> str:
        """Lets a stage set a value: as an earlier stage set it last, or as the Task has it."""
        value = self.workbench.draft.value(target.path)
        earlier = self.plan.values_at_stage(stage.index - 1) if stage.index else {}
        value = earlier.get(target.path, value)
        return self.try_edit(f"{stage.path}.set", {**self.plan.stages[stage.name].set, target.path: value})

    def unset_value(self, stage: Stage, target: Target) -> str:
        """Lets a stage leave a value alone."""
        values = {path: value for path, value in self.plan.stages[stage.name].set.items() if path != target.path}
        return self.try_edit(f"{stage.path}.set", values)

    def value_binding(self, stage: Stage, target: Target) -> Binding:
        """A value that a stage sets."""
        path = f"{stage.path}.set"

        def of(plan: CurriculumSection) -> Any:
            entry = plan.stages.get(stage.name)
            return MISSING if entry is None else entry.set.get(target.path, MISSING)

        return Binding(
            target.at(f"{path}.{target.path}"),
            lambda: of(self.plan),
            lambda value: self.write(path, {**self.plan.stages[stage.name].set, target.path: value}),
            lambda: of(self.workbench.draft.preset.curriculum),
            waits=lambda: self.waits(path),
        )

    # When a stage ends

    def rule_binding(self, stage: Stage) -> Binding:
        """The kind of a stage's rule, or that it has none; a threshold that the new kind does not allow becomes 0.7."""
        path = f"{stage.path}.advance"

        def of(plan: CurriculumSection) -> Any:
            entry = plan.stages.get(stage.name)
            if entry is None:
                return MISSING
            return BY_HAND if entry.advance is None else entry.advance.by

        def write(by: str) -> None:
            old = self.plan.stages[stage.name].advance
            rule = {**(USUAL_RULE if old is None else old.model_dump(mode="json")), "by": by}
            if by != "return" and not 0 <= rule["above"] < 1:
                rule["above"] = USUAL_RULE["above"]
            self.write(path, None if by == BY_HAND else rule)

        return Binding(
            FieldSpec(
                path=path,
                label="Next stage by",
                kind="choice",
                choices=tuple(RULES),
                help="\n".join(f"{name}: {help}" for name, help in RULES.items()),
            ),
            lambda: of(self.plan),
            write,
            lambda: of(self.workbench.draft.preset.curriculum),
            waits=lambda: self.waits(path),
        )

    def rule_specs(self, stage: Stage) -> list[FieldSpec]:
        """The rule's numbers; none where there is no rule."""
        return model_fields(stage.rule, f"{stage.path}.advance", leave_out=("by",)) if stage.rule else []

    # Undo

    @property
    def undo_help(self) -> str:
        """What the undo button would do; '' when there is nothing to undo."""
        if not self.workbench.undoable:
            return ""
        last = self.workbench.undoable[-1]
        if isinstance(last.old, dict | list) or isinstance(last.new, dict | list) or last.old is None:
            return f"Undo the last change of {last.path}"
        return f"Undo {last.path}: {short(last.new)} becomes {short(last.old)} again"

    def undo(self) -> str:
        """Takes the last edit back."""
        try:
            self.workbench.undo()
        except TaskError as error:
            return str(error)
        return ""

    def waits(self, path: str) -> bool:
        """Whether a run is at work that an edit of this path does not reach."""
        return self.workbench.session is not None and not self.workbench.acts_now(path)

    def try_edit(self, path: str, value: Any) -> str:
        """Edits the draft; why that is not possible, or ''."""
        try:
            self.workbench.edit(path, value)
        except TaskError as error:
            return reason_of(error, path)
        return ""

    def write(self, path: str, value: Any) -> None:
        """As ``try_edit``, for bindings; raises TaskError with the reason alone."""
        if reason := self.try_edit(path, value):
            raise TaskError(reason)

    def _has(self, path: str) -> bool:
        try:
            self.workbench.draft.value(path)
        except TaskError:
            return False
        return True

    def _stages(self) -> dict[str, Any]:
        return self.plan.model_dump(mode="json")["stages"]


def check_name(name: str, taken: Mapping[str, object], own: str) -> None:
    """Raises ValueError for what a stage or schedule cannot be called."""
    if not re.fullmatch(r"\w[\w-]*", name):
        raise ValueError("must be letters, digits and _, without spaces or points")
    if name in taken and name != own:
        raise ValueError(f"'{name}' is taken")


def free_name(name: str, taken: Mapping[str, object]) -> str:
    """The name, with a number where it is taken."""
    return name if name not in taken else _free_name(name, 2, taken)


def _free_name(name: str, number: int, taken: Mapping[str, object]) -> str:
    while f"{name}_{number}" in taken:
        number += 1
    return f"{name}_{number}"


@cache
def _preset(name: str) -> CurriculumSection:
    return CurriculumSection.model_validate(load_curriculum(name))


def _text(plan: CurriculumSection) -> str:
    return yaml.safe_dump(plan.model_dump(mode="json"), sort_keys=False)
