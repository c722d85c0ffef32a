"""The table of joints: a filter, a choice of columns, one row for all and one for each."""

from __future__ import annotations

from functools import partial
from typing import Any

from omni import ui

from humanoid_rl_ext.robot.description import Joint
from humanoid_rl_ext.ui import theme
from humanoid_rl_ext.ui.release import release
from humanoid_rl_ext.ui.robot.cell import Cell
from humanoid_rl_ext.ui.robot.joints import GROUP_HELP, GROUPS, Column
from humanoid_rl_ext.ui.robot.model import RobotModel
from humanoid_rl_ext.ui.theme import px

CELL_WIDTH = 72
SLIDER_WIDTH = 2 * CELL_WIDTH + theme.SPACING
MARK_WIDTH = 14
DISABLED_SLIDER = {"Slider:disabled": {"secondary_color": theme.BORDER, "color": theme.MUTED}}
FILTER_HELP = "A part of the joints' names, or a regular expression such as .*_(knee|ankle).*; empty for all joints"


class JointRow:
    """Name, cells, slider and mark of one joint, and below them why what was typed is not allowed."""

    def __init__(self, model: RobotModel, joint: Joint) -> None:
        self._model, self.joint, self._showing = model, joint, False
        self._slider: ui.FloatSlider | None = None
        with ui.VStack(height=0):
            with ui.HStack(height=px(theme.ROW_HEIGHT), spacing=px(theme.SPACING)):
                ui.Label(joint.name, elided_text=True, tooltip=f"{joint.name}, moves {joint.child} on {joint.parent}")
                self._cells = {column: self._cell(column) for column in model.table.columns}
                if model.table.group == "Pose":
                    self._slider = self._build_slider()
                self._mark = self._build_mark()
            self._reason = ui.Label("", name="error", height=0, word_wrap=True, visible=False)
        self.show(joint)

    def show(self, joint: Joint) -> None:
        """Shows the joint's values as they are now."""
        self.joint = joint
        changed = {column: self._model.table.is_changed(joint, column) for column in self._cells}
        for column, cell in self._cells.items():
            cell.show(changed[column])
        if self._mark.visible != any(changed.values()):
            self._mark.visible = any(changed.values())
        if self._slider is not None:
            preview = self._model.preview
            self._showing = True
            self._slider.min, self._slider.max = preview.range(joint)
            self._slider.model.set_value(preview.position(joint))
            self._showing = False
            self._slider.enabled = preview.enabled

    def _cell(self, column: Column) -> Cell:
        table = self._model.table
        return Cell(
            f"robot.joints.{self.joint.name}.{column.field}",
            ui.Pixel(px(CELL_WIDTH)),
            lambda: table.text(self.joint, column),
            lambda text: table.write(self.joint, column, text),
            lambda: table.tooltip(self.joint, column),
            self._refused,
        )

    def _build_slider(self) -> ui.FloatSlider:
        slider = ui.FloatSlider(
            width=px(SLIDER_WIDTH),
            format="%.2f",
            style={"border_width": 0},
            identifier=f"robot.preview.{self.joint.name}",
            tooltip="Moves this joint in the viewport, while nothing is trained or played",
        )
        slider.model.add_value_changed_fn(self._slid)
        return slider

    def _build_mark(self) -> ui.ZStack:
        with ui.ZStack(width=px(MARK_WIDTH)):
            mark = ui.ZStack(visible=False)
            with mark:
                ui.Circle(
                    radius=px(4),
                    size_policy=ui.CircleSizePolicy.FIXED,
                    alignment=ui.Alignment.CENTER,
                    style={"background_color": theme.ACCENT},
                )
                ui.InvisibleButton(
                    identifier=f"robot.joints.{self.joint.name}:reset",
                    tooltip="Differs from the robot's file or the task's preset. Click to put back",
                    clicked_fn=lambda: self._model.attempt(lambda: self._model.table.reset(self.joint)),
                )
        return mark

    def _slid(self, model: Any) -> None:
        if not self._showing:
            self._model.workbench.host.interacted()
            self._model.preview.move(self.joint, model.as_float)

    def _refused(self, reason: str) -> None:
        self._reason.text, self._reason.visible = reason, bool(reason)


class JointsView:
    """Built in the current frame; rows are made anew when other joints or columns are to be shown."""

    def __init__(self, model: RobotModel) -> None:
        self._model = model
        self._rows: list[JointRow] = []
        self._all: dict[Column, Cell] = {}
        self._pose_buttons: list[ui.Button] = []
        self._groups: dict[str, ui.Button] = {}
        with ui.VStack(height=0, spacing=px(theme.SPACING)):
            with ui.HStack(height=px(theme.ROW_HEIGHT), spacing=px(theme.SPACING)):
                for group in GROUPS:
                    self._groups[group] = ui.Button(
                        group,
                        name="on" if group == model.table.group else "",
                        identifier=f"robot.group.{group}",
                        tooltip=GROUP_HELP[group],
                        clicked_fn=partial(self._show_group, group),
                    )
            with ui.HStack(height=px(theme.ROW_HEIGHT), spacing=px(theme.SPACING)):
                ui.Label("Show", width=px(44))
                self._filter = Cell(
                    "robot.joints.filter",
                    ui.Fraction(1),
                    lambda: model.table.typed,
                    self._filter_joints,
                    lambda: FILTER_HELP,
                    self._refused,
                )
                self._count = ui.Label("", name="small", width=0)
            self._reason = ui.Label("", name="error", height=0, word_wrap=True, visible=False)
            self._table = ui.Frame(height=0, build_fn=self._build_table)

    def show(self) -> None:
        """Shows all values as they are now."""
        joints = {joint.name: joint for joint in self._model.table.joints}
        for row in self._rows:
            row.show(joints.get(row.joint.name, row.joint))
        for cell in self._all.values():
            cell.show()

    def update(self) -> None:
        """Lets the buttons for the pose be pressed while there is a pose to keep."""
        ready = self._model.preview.posed and self._model.preview.enabled
        for button in self._pose_buttons:
            if button.enabled != ready:
                button.enabled = ready

    def _build_table(self) -> None:
        release([self._rows, self._all])
        table = self._model.table
        joints = table.joints
        self._count.text = f"{len(joints)} of {table.count}"
        self._pose_buttons, self._all = [], {}
        with ui.VStack(height=0, spacing=px(2), style=DISABLED_SLIDER):
            if table.group == "Pose":
                self._build_pose_buttons()
            with ui.HStack(height=px(20), spacing=px(theme.SPACING)):
                ui.Label("joint (rad, m)", name="small")
                for column in table.columns:
                    ui.Label(column.title, name="small", width=px(CELL_WIDTH), tooltip=column.help)
                if table.group == "Pose":
                    ui.Label("in the viewport", name="small", width=px(SLIDER_WIDTH))
                ui.Spacer(width=px(MARK_WIDTH))
            if len(joints) > 1:
                self._build_all(len(joints))
                ui.Line(height=px(6))
            self._rows = [JointRow(self._model, joint) for joint in joints]

    def _build_all(self, count: int) -> None:
        table = self._model.table
        with ui.HStack(height=px(theme.ROW_HEIGHT), spacing=px(theme.SPACING)):
            ui.Label(f"all {count}", name="muted", tooltip="What is typed here is taken for all joints below")
            self._all = {
                column: Cell(
                    f"robot.joints.*.{column.field}",
                    ui.Pixel(px(CELL_WIDTH)),
                    partial(table.common_text, column),
                    partial(table.write_all, column),
                    partial("For all joints below. {0.help}".format, column),
                    self._refused,
                )
                for column in table.columns
            }
            if table.group == "Pose":
                ui.Spacer(width=px(SLIDER_WIDTH))
            ui.Spacer(width=px(MARK_WIDTH))

    def _build_pose_buttons(self) -> None:
        preview = self._model.preview
        with ui.HStack(height=px(theme.ROW_HEIGHT), spacing=px(theme.SPACING)):
            self._pose_buttons = [
                ui.Button(
                    "Standing pose",
                    identifier="robot.preview.stand",
                    tooltip="Puts all joints in the viewport back to the standing pose",
                    clicked_fn=self._stand,
                ),
                ui.Button(
                    "Make this the default pose",
                    identifier="robot.preview.adopt",
                    tooltip="Writes the sliders' positions into the task, as the pose in which the robot stands",
                    clicked_fn=lambda: self._model.attempt(preview.adopt),
                ),
            ]
        self.update()

    def _stand(self) -> None:
        self._model.preview.stand()
        self.show()

    def _show_group(self, group: str) -> None:
        self._model.table.group = group
        for name, button in self._groups.items():
            button.name = "on" if name == group else ""
        self._table.rebuild()

    def _filter_joints(self, text: str) -> None:
        self._model.table.filter(text)
        self._table.rebuild()

    def _refused(self, reason: str) -> None:
        self._reason.text, self._reason.visible = reason, bool(reason)
