"""The Curriculum section: presets, where the run stands, the table of stages, and schedules."""

from __future__ import annotations

from typing import Any

from omni import ui

from humanoid_rl_ext.ui import theme
from humanoid_rl_ext.ui.curriculum.card import Reason
from humanoid_rl_ext.ui.curriculum.model import CurriculumModel
from humanoid_rl_ext.ui.curriculum.paths import Target
from humanoid_rl_ext.ui.curriculum.picker import PathPicker
from humanoid_rl_ext.ui.curriculum.progress import RunProgress
from humanoid_rl_ext.ui.curriculum.progress_view import ProgressView
from humanoid_rl_ext.ui.curriculum.schedule_view import ScheduleView
from humanoid_rl_ext.ui.curriculum.schedules import SchedulesModel
from humanoid_rl_ext.ui.curriculum.stage_view import StageView
from humanoid_rl_ext.ui.fields.row import ResetMark
from humanoid_rl_ext.ui.release import release
from humanoid_rl_ext.ui.theme import px
from humanoid_rl_ext.ui.workbench import Workbench

REFRESH_S = 0.25
NO_STAGES = "No stages: the task stays as it is while training."
NO_SCHEDULES = "No value follows a schedule."
STAGES_NOTE = "What a stage sets holds until a later one sets it anew."


class CurriculumSection:
    """One tab of the panel."""

    title = "Curriculum"

    def __init__(self, workbench: Workbench) -> None:
        self.model = CurriculumModel(workbench)
        self.schedules = SchedulesModel(self.model)
        self.progress = RunProgress(workbench)
        self._stages: list[StageView] = []
        self._plans: list[ScheduleView] = []
        self._listed: PathPicker | None = None
        self._opened: set[str] = set()
        self._opened_plans: set[str] = set()
        self._shapes = self._shape()
        self._says: tuple[str, str] | None = None
        self._changed, self._built, self._fresh, self._next_refresh = False, False, False, 0.0
        self._disconnect = [
            workbench.draft_changed.connect(lambda path: self._age(changed=True)),
            workbench.metrics_added.connect(lambda metrics: self._age()),
            workbench.state_changed.connect(self._age),
        ]

    def build(self) -> None:
        """Builds the section inside the current frame."""
        with ui.HStack(height=0):
            ui.Spacer(width=px(4))
            with ui.VStack(height=0, spacing=px(theme.SPACING)):
                ui.Spacer(height=0)
                self._source = ui.VStack(height=0)
                self._problem = Reason("curriculum.problem")
                self._warning = Reason("curriculum.warning", "warning")
                self._standing = ProgressView(self.progress)
                self._table = ui.VStack(height=0)
                ui.Spacer(height=px(4))
                self._plan_table = ui.VStack(height=0)
                ui.Spacer(height=px(8))
            ui.Spacer(width=px(4))
        self._built = True
        self._rebuild()

    def update(self, now: float) -> None:
        """Takes over edits at once, and new figures four times a second."""
        if not self._built:
            return
        if self._changed:
            self._changed = False
            self._take_over()
        if not self._fresh and now >= self._next_refresh:
            self._fresh, self._next_refresh = True, now + REFRESH_S
            self._show_run()

    def destroy(self) -> None:
        """Ends the connections to the workbench."""
        for disconnect in self._disconnect:
            disconnect()

    def _age(self, changed: bool = False) -> None:
        self._fresh, self._changed = False, self._changed or changed

    def _shape(self) -> tuple[object, ...]:
        return self.model.shape(), self.schedules.shape()

    def _take_over(self) -> None:
        shapes, before = self._shape(), self._shapes
        self._shapes = shapes
        if shapes != before:
            self._rebuild()
            return
        for view, stage in zip(self._stages, self.model.stages(), strict=True):
            view.refresh(stage)
        for plan, schedule in zip(self._plans, self.schedules.schedules(), strict=True):
            plan.refresh(schedule)
        self._show_source()

    def _show_run(self) -> None:
        self._standing.show()
        for stage in self._stages:
            stage.show_run()

    # Presets

    def _show_source(self) -> None:
        says = (self.model.chosen, self.model.plan.description)
        if says != self._says:
            self._says = says
            self._source.clear()
            with self._source:
                self._build_source()
        self._warning.say(self.model.warning)
        help = self.model.undo_help
        self._undo.enabled = bool(help)
        self._undo.tooltip = help or "There is nothing to undo"
        self._whole.show()

    def _build_source(self) -> None:
        choices, chosen = self.model.choices, self.model.chosen
        with ui.VStack(height=0, spacing=px(theme.SPACING)):
            with ui.HStack(height=px(theme.ROW_HEIGHT), spacing=px(theme.SPACING)):
                ui.Label("Preset", width=px(56), tooltip="A curriculum to start from; it replaces the one below")
                with ui.VStack():
                    ui.Spacer(height=px(2))
                    box = ui.ComboBox(choices.index(chosen), *choices, identifier="curriculum.preset")
                self._undo = ui.Button(
                    "Undo", width=px(60), identifier="curriculum.undo", clicked_fn=lambda: self._say(self.model.undo())
                )
                self._whole = ResetMark(self.model.whole(), "curriculum", lambda: None)
            box.model.add_item_changed_fn(lambda items, item: self._choose(items, choices))
            words = self.model.plan.description
            if words:
                ui.Label(words, name="small", word_wrap=True, height=0, identifier="curriculum.description")

    def _choose(self, items: Any, choices: list[str]) -> None:
        self._say(self.model.choose(choices[items.get_item_value_model().as_int]))
        self._says, self._changed = None, True  # a choice that was refused is not shown any longer

    # Stages and schedules

    def _rebuild(self) -> None:
        self._show_source()
        release([self._stages, self._plans, self._listed])
        self._stages, self._plans, self._listed = [], [], None
        self._table.clear()
        self._plan_table.clear()
        with self._table, ui.VStack(height=0, spacing=px(2)):
            self._build_stages()
        with self._plan_table, ui.VStack(height=0, spacing=px(2)):
            self._build_schedules()
        self._fresh = False

    def _build_stages(self) -> None:
        stages = self.model.stages()
        ui.Label("Stages", name="heading", height=px(theme.ROW_HEIGHT))
        ui.Label(STAGES_NOTE if stages else NO_STAGES, name="small", word_wrap=True, height=0)
        self._stages += [StageView(self.model, self.progress, stage, self._opened, self._say) for stage in stages]
        with ui.HStack(height=px(theme.ROW_HEIGHT)):
            ui.Button(
                "Add stage",
                width=px(100),
                identifier="curriculum.add_stage",
                tooltip="Adds a last stage that sets what the last one sets",
                clicked_fn=self._add_stage,
            )
            ui.Spacer()

    def _add_stage(self) -> None:
        self._say(self.model.add_stage())
        names = list(self.model.plan.stages)
        self._opened.update(names[-1:])

    def _build_schedules(self) -> None:
        schedules = self.schedules.schedules()
        ui.Label("Schedules", name="heading", height=px(theme.ROW_HEIGHT))
        if not schedules:
            ui.Label(NO_SCHEDULES, name="small", word_wrap=True, height=0)
        self._plans += [ScheduleView(self.schedules, one, self._opened_plans, self._say) for one in schedules]
        with ui.HStack(height=px(theme.ROW_HEIGHT)):
            self._add_plan = ui.Button(
                "Add schedule ...",
                width=px(130),
                identifier="curriculum.add_schedule",
                tooltip="Shows the numbers that could follow a schedule: all that can change while training",
                clicked_fn=self._toggle_picker,
            )
            ui.Spacer()
        self._picker = ui.VStack(height=0, visible=False)

    def _toggle_picker(self) -> None:
        self._picker.clear()
        if not self._picker.visible:
            with self._picker:
                self._listed = PathPicker(
                    self.schedules.free(),
                    "curriculum.add_schedule",
                    self._add_schedule,
                    self.model.workbench.host.interacted,
                )
        self._picker.visible = not self._picker.visible
        self._add_plan.name = "on" if self._picker.visible else ""

    def _add_schedule(self, target: Target) -> None:
        before = set(self.model.plan.schedules)
        self._say(self.schedules.add(target))
        self._opened_plans |= set(self.model.plan.schedules) - before

    def _say(self, reason: str) -> None:
        """Shows what came of an action."""
        self._problem.say(reason)
        self._fresh, self._next_refresh = False, 0.0
