"""One schedule in the table: what it changes, and its points."""

from __future__ import annotations

from collections.abc import Callable

from omni import ui

from humanoid_rl_ext.ui import theme
from humanoid_rl_ext.ui.curriculum.card import GAP, Below, Heading, Reason
from humanoid_rl_ext.ui.curriculum.paths import Target
from humanoid_rl_ext.ui.curriculum.picker import PathPicker
from humanoid_rl_ext.ui.curriculum.schedules import Schedule, SchedulesModel
from humanoid_rl_ext.ui.fields.buttons import BUTTON, cross
from humanoid_rl_ext.ui.fields.row import MARK_WIDTH, FieldRow, NumberField, ResetMark
from humanoid_rl_ext.ui.theme import px

STEPS, VALUE = 110, 118
"""Widths of the fields of a point, before ``px``."""


class ScheduleView:
    """Built in the current frame. ``opened`` holds the names of schedules whose contents are shown."""

    def __init__(self, model: SchedulesModel, schedule: Schedule, opened: set[str], say: Callable[[str], None]) -> None:
        self._model, self.schedule, self._say = model, schedule, say
        self._rows: list[FieldRow] = []
        self._listed: PathPicker | None = None
        self._points: list[tuple[NumberField, NumberField, ResetMark]] = []
        with ui.VStack(height=0):
            with ui.HStack(height=px(theme.ROW_HEIGHT), spacing=px(GAP)):
                ui.Spacer(width=px(3))
                self._heading = Heading(
                    schedule.target.title,
                    schedule.words,
                    schedule.target.help,
                    schedule.path,
                    lambda: self._below.toggle(),
                )
                cross(
                    f"{schedule.path}:remove",
                    f"Removes {schedule.name}; Undo brings it back",
                    lambda: say(model.remove(schedule)),
                )
            self._below = Below(self._heading, lambda: self.schedule.name, opened, self._build_below)

    def refresh(self, schedule: Schedule) -> None:
        """Takes over what has changed."""
        self.schedule = schedule
        if self._heading.words.text != schedule.words:
            self._heading.words.text = schedule.words
        for row in self._rows:
            row.refresh()
        for steps, value, mark in self._points:
            steps.refresh()
            value.refresh()
            mark.show()

    def _build_below(self) -> None:
        model, schedule = self._model, self.schedule
        with ui.HStack(height=0):
            ui.Spacer(width=px(12))
            with ui.VStack(height=0, spacing=px(2)):
                ui.Spacer(height=px(2))
                name = model.name_binding(schedule)
                self._rows.append(FieldRow(name.spec, model.workbench, name))
                self._build_picker()
                self._rows += [FieldRow(spec, model.workbench) for spec in model.own_specs(schedule)]
                with ui.HStack(height=px(18), spacing=px(GAP)):
                    ui.Label("Points", name="small")
                    ui.Label("Environment steps", name="small", width=px(STEPS))
                    ui.Label("Value", name="small", width=px(VALUE))
                    ui.Spacer(width=px(BUTTON + GAP + MARK_WIDTH))
                for index in range(schedule.points):
                    self._build_point(index)
                with ui.HStack(height=px(theme.ROW_HEIGHT)):
                    ui.Button(
                        "Add point",
                        width=px(90),
                        identifier=f"{schedule.path}:add_point",
                        tooltip="Adds a point behind the last one",
                        clicked_fn=lambda: self._say(model.add_point(self.schedule)),
                    )
                    ui.Spacer()
                ui.Spacer(height=px(6))

    def _build_point(self, index: int) -> None:
        model, schedule = self._model, self.schedule
        steps, value = model.steps_binding(schedule, index), model.value_binding(schedule, index)
        words = "From" if index == 0 else "To" if index + 1 == schedule.points else "Over"
        with ui.HStack(height=px(theme.ROW_HEIGHT), spacing=px(GAP)):
            ui.Label(words, name="small")
            first = NumberField(model.workbench, steps.spec, STEPS, steps, refused=lambda text: reason.say(text))
            second = NumberField(model.workbench, value.spec, VALUE, value, refused=lambda text: reason.say(text))
            if schedule.points > 1:
                cross(
                    f"{schedule.path}.points.{index}:remove",
                    "Takes this point out",
                    lambda: self._say(model.remove_point(self.schedule, index)),
                )
            else:
                ui.Spacer(width=px(BUTTON))
            mark = ResetMark(value, value.spec.path, lambda: self.refresh(self.schedule))
        reason = Reason(f"{schedule.path}.points.{index}:reason")
        self._points.append((first, second, mark))

    def _build_picker(self) -> None:
        identifier = f"{self.schedule.path}:aim"
        with ui.HStack(height=px(theme.ROW_HEIGHT), spacing=px(theme.SPACING)):
            ui.Label("Changes", width=px(theme.LABEL_WIDTH), tooltip="The value that the schedule changes")
            button = ui.Button(
                f"{self.schedule.target.title} ...",
                identifier=identifier,
                tooltip=f"{self.schedule.target.help}\nClick to change another value",
                style={"Button.Label": {"font_size": px(theme.FONT_SMALL)}},
            )
        listed = ui.VStack(height=0, visible=False)

        def toggle() -> None:
            listed.clear()
            if not listed.visible:
                with listed:
                    self._listed = PathPicker(
                        self._model.free(), identifier, choose, self._model.workbench.host.interacted
                    )
            listed.visible = not listed.visible
            button.name = "on" if listed.visible else ""

        def choose(target: Target) -> None:
            self._say(self._model.aim(self.schedule, target))

        button.set_clicked_fn(toggle)
