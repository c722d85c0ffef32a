"""One stage in the table: its heading, and below it what it sets and when the next one begins."""

from __future__ import annotations

from collections.abc import Callable

from omni import ui

from humanoid_rl_ext.ui import theme
from humanoid_rl_ext.ui.curriculum.card import GAP, Below, Heading, Reason
from humanoid_rl_ext.ui.curriculum.model import CurriculumModel, Stage
from humanoid_rl_ext.ui.curriculum.paths import Target
from humanoid_rl_ext.ui.curriculum.picker import PathPicker
from humanoid_rl_ext.ui.curriculum.progress import RunProgress
from humanoid_rl_ext.ui.fields.buttons import BUTTON, arrow, cross
from humanoid_rl_ext.ui.fields.row import FieldRow, NumberField, ResetMark
from humanoid_rl_ext.ui.theme import px

VALUE = 118
"""Width of the fields of a value, before ``px``."""
UNIT = 30
LAST = "The last stage holds until the run ends."


class StageView:
    """Built in the current frame. ``opened`` holds the names of stages whose contents are shown."""

    def __init__(
        self, model: CurriculumModel, run: RunProgress, stage: Stage, opened: set[str], say: Callable[[str], None]
    ) -> None:
        self._model, self._run, self.stage, self._say = model, run, stage, say
        self._rows: list[FieldRow] = []
        self._listed: PathPicker | None = None
        self._values: list[tuple[NumberField, ResetMark]] = []
        with ui.VStack(height=0):
            with ui.HStack(height=px(theme.ROW_HEIGHT), spacing=px(GAP)):
                self._mark = ui.Rectangle(width=px(3), style={"background_color": theme.CLEAR})
                self._heading = Heading(
                    f"{stage.index + 1}  {stage.name}",
                    stage.ends,
                    "Click to see what this stage sets and when the next one begins",
                    stage.path,
                    lambda: self._below.toggle(),
                )
                self._go = ui.Button(
                    "Go to",
                    name="flat",
                    width=px(46),
                    identifier=f"{stage.path}:go",
                    clicked_fn=lambda: say(run.go_to(stage.name)),
                    style={"Button.Label": {"font_size": px(theme.FONT_SMALL)}},
                )
                self._build_order()
            self._below = Below(self._heading, lambda: self.stage.name, opened, self._build_below)
        self.show_run()

    def refresh(self, stage: Stage) -> None:
        """Takes over what has changed."""
        self.stage = stage
        if self._heading.words.text != stage.ends:
            self._heading.words.text = stage.ends
        for row in self._rows:
            row.refresh()
        for field, mark in self._values:
            field.refresh()
            mark.show()

    def show_run(self) -> None:
        """Marks the stage that the run is in, and says whether the run can go to this one."""
        here = self._run.stage == self.stage.name
        color = theme.ACCENT if here else theme.CLEAR
        self._mark.style = {"background_color": color}
        self._heading.title.name = "accent" if here else ""
        why_not = self._run.why_not(self.stage.name)
        self._go.enabled = not why_not
        self._go.tooltip = why_not or "Moves the run to this stage now; its count of episodes begins anew"

    def _build_order(self) -> None:
        stage, model, say = self.stage, self._model, self._say
        with ui.HStack(width=px(3 * BUTTON)):
            first, last = stage.index == 0, stage.last
            arrow(
                True,
                not first,
                f"{stage.path}:up",
                "This is the first stage" if first else "Moves this stage before the one above",
                lambda: say(model.shift_stage(stage, -1)),
            )
            arrow(
                False,
                not last,
                f"{stage.path}:down",
                "This is the last stage" if last else "Moves this stage behind the one below",
                lambda: say(model.shift_stage(stage, 1)),
            )
            cross(
                f"{stage.path}:remove",
                f"Removes {stage.name}; Undo brings it back",
                lambda: say(model.remove_stage(stage)),
            )

    def _build_below(self) -> None:
        model, stage = self._model, self.stage
        with ui.HStack(height=0):
            ui.Spacer(width=px(12))
            with ui.VStack(height=0, spacing=px(2)):
                ui.Spacer(height=px(2))
                self._rows.append(FieldRow(model.name_binding(stage).spec, model.workbench, model.name_binding(stage)))
                for target in stage.sets:
                    self._build_value(target)
                self._build_picker()
                if stage.last:
                    ui.Label(LAST, name="small", height=px(theme.ROW_HEIGHT))
                else:
                    self._build_rule()
                ui.Spacer(height=px(6))

    def _build_value(self, target: Target) -> None:
        binding = self._model.value_binding(self.stage, target)
        with ui.HStack(height=px(theme.ROW_HEIGHT), spacing=px(2)):
            ui.Label(
                target.title,
                elided_text=True,
                tooltip=target.help,
                identifier=f"{binding.spec.path}:label",
                style={"font_size": px(theme.FONT_SMALL)},
            )
            field = NumberField(
                self._model.workbench, binding.spec, VALUE, binding, refused=lambda text: reason.say(text)
            )
            ui.Label(target.spec.unit, name="small", width=px(UNIT))
            cross(
                f"{binding.spec.path}:remove",
                "This stage sets it no longer",
                lambda: self._say(self._model.unset_value(self.stage, target)),
            )
            mark = ResetMark(binding, binding.spec.path, lambda: self.refresh(self.stage))
        reason = Reason(f"{binding.spec.path}:reason")
        self._values.append((field, mark))

    def _build_picker(self) -> None:
        identifier = f"{self.stage.path}:set"
        with ui.HStack(height=px(theme.ROW_HEIGHT)):
            button = ui.Button(
                "Set a value ...",
                width=px(120),
                identifier=identifier,
                tooltip="Shows what this stage could set: all that can change while training",
            )
            ui.Spacer()
        listed = ui.VStack(height=0, visible=False)

        def toggle() -> None:
            listed.clear()
            if not listed.visible:
                with listed:
                    self._listed = PathPicker(
                        self._model.settable(self.stage), identifier, choose, self._model.workbench.host.interacted
                    )
            listed.visible = not listed.visible
            button.name = "on" if listed.visible else ""

        def choose(target: Target) -> None:
            self._say(self._model.set_value(self.stage, target))

        button.set_clicked_fn(toggle)

    def _build_rule(self) -> None:
        model, stage = self._model, self.stage
        binding = model.rule_binding(stage)
        self._rows.append(FieldRow(binding.spec, model.workbench, binding))
        self._rows += [FieldRow(spec, model.workbench) for spec in model.rule_specs(stage)]
