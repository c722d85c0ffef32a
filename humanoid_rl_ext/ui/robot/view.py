"""The Robot section: which robot, what is known about it, its joints and bodies."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from omni import ui

from humanoid_rl_ext.robot.description import Warning
from humanoid_rl_ext.robot.fixes import Fix
from humanoid_rl_ext.ui import theme
from humanoid_rl_ext.ui.fields.fold import Fold
from humanoid_rl_ext.ui.release import release
from humanoid_rl_ext.ui.robot.bodies_view import BodiesView
from humanoid_rl_ext.ui.robot.joints_view import JointsView
from humanoid_rl_ext.ui.robot.model import RobotModel
from humanoid_rl_ext.ui.theme import px
from humanoid_rl_ext.ui.workbench import Workbench

if TYPE_CHECKING:
    from humanoid_rl_ext.ui.robot.preview import PosedView

NARROW = 60
BUTTON_EDGE = 2
"""What a button is wider than its text, in characters."""
STAGE_HELP = "Takes the robot that is selected in the stage, or that the selected prim is part of, as it stands now"
PATH_HELP = "Path of a USD, MJCF (.xml) or URDF file; Enter reads it"
TABS = {
    "Joints": "Limits, drives, friction and the standing pose of each joint",
    "Bodies": "Mass and roles of each body",
}


class RobotSection:
    """One robot at a time: bundled ones by button, others by file."""

    title = "Robot"

    def __init__(self, workbench: Workbench, viewport: PosedView) -> None:
        self.model = RobotModel(workbench, viewport)
        self._disconnect = [
            self.model.changed.connect(self._on_changed),
            self.model.values_changed.connect(self._on_values),
        ]
        self._tab = "Joints"
        self._stale = self._old_values = False
        self._tables_for: list[str] = []
        self._table: JointsView | BodiesView | None = None

    def build(self) -> None:
        """Builds everything inside the current frame."""
        with ui.HStack(height=0):
            ui.Spacer(width=px(6))
            with ui.VStack(height=0, spacing=px(theme.SPACING)):
                ui.Spacer(height=px(2))
                self._build_choice()
                self._facts = ui.Frame(height=0, build_fn=self._build_facts)
                self._tables = ui.Frame(height=0, build_fn=self._build_tables)
                ui.Spacer(height=px(8))
            ui.Spacer(width=px(8))

    def update(self, now: float) -> None:
        """Shows what has changed since the last call."""
        if self._stale:
            self._stale = False
            self._show_choice()
            self._facts.rebuild()
            if self._names() != self._tables_for:
                self._tables.rebuild()
        if self._old_values and self._table is not None:
            self._table.show()
        self._old_values = False
        if isinstance(self._table, JointsView):
            self._table.update()

    def destroy(self) -> None:
        """Listens no longer."""
        for disconnect in self._disconnect:
            disconnect()
        self.model.destroy()

    def _build_choice(self) -> None:
        row = px(theme.ROW_HEIGHT)
        with ui.HStack(height=row, spacing=px(theme.SPACING)):
            ui.Label("Bundled", width=px(NARROW))
            self._bundled = {
                name: ui.Button(
                    name,
                    identifier=f"robot.bundled.{name}",
                    tooltip=f"Takes the {name} that comes with the project",
                    clicked_fn=partial(self.model.choose, name),
                )
                for name in self.model.bundled
            }
        with ui.HStack(height=row, spacing=px(theme.SPACING)):
            ui.Label("File", width=px(NARROW))
            self._path = ui.StringField(identifier="robot.source", tooltip=PATH_HELP)
            ui.Button(
                "Browse ...",
                width=px(84),
                identifier="robot.browse",
                tooltip="Looks for a USD, MJCF or URDF file",
                clicked_fn=self.model.browse,
            )
        if self.model.has_stage:
            self._build_stage()
        self._path.model.add_end_edit_fn(lambda model: self.model.choose(model.as_string))
        self._recent_row = ui.Frame(height=0)
        with self._recent_row:
            self._recent = Fold(
                "Recent files",
                self._build_recent,
                tooltip="Robot files that were used lately",
                identifier="robot.recent",
            )
        self._show_choice()

    def _build_stage(self) -> None:
        row = px(theme.ROW_HEIGHT)
        with ui.HStack(height=row, spacing=px(theme.SPACING)):
            ui.Label("Stage", width=px(NARROW))
            ui.Button(
                "Use selection",
                identifier="robot.use_selection",
                tooltip=STAGE_HELP,
                clicked_fn=self.model.use_selection,
            )
        with ui.HStack(height=row, spacing=px(theme.SPACING)):
            ui.Label("Library", width=px(NARROW))
            for name, robot in self.model.library.items():
                ui.Button(
                    name,
                    width=ui.Fraction(len(name) + BUTTON_EDGE),
                    identifier=f"robot.library.{name}",
                    tooltip=f"Fetches {robot.help}, from Isaac Sim's asset library",
                    clicked_fn=partial(self.model.use_library, name),
                )

    def _show_choice(self) -> None:
        source = self.model.source
        for name, button in self._bundled.items():
            button.name = "on" if name == source else ""
        shown = "" if source in self._bundled else source
        if not self.model.error and not self.model.reading and self._path.model.as_string != shown:
            self._path.model.set_value(shown)
            self._path.tooltip = "\n".join(filter(None, (shown, PATH_HELP)))
        self._path.name = "invalid" if self.model.error and self._path.model.as_string != shown else ""
        recent = self.model.recent
        self._recent_row.visible = bool(recent)
        self._recent.note = str(len(recent))
        self._recent.rebuild()

    def _build_recent(self) -> None:
        with ui.VStack(height=0):
            for path in self.model.recent:
                with ui.ZStack(height=px(theme.ROW_HEIGHT)):
                    ui.Button(
                        " ",
                        name="on" if path == self.model.source else "flat",
                        identifier=f"robot.recent.{Path(path).name}",
                        tooltip=path,
                        clicked_fn=partial(self.model.choose, path),
                    )
                    with ui.HStack(spacing=px(8)):
                        ui.Spacer(width=px(4))
                        ui.Label(Path(path).name, width=0)
                        ui.Label(str(Path(path).parent), name="small", elided_text=True)

    def _build_facts(self) -> None:
        model = self.model
        with ui.VStack(height=0, spacing=px(theme.SPACING)):
            if model.reading:
                ui.Label(f"Reading {Path(model.reading).name} ...", name="muted", height=px(theme.ROW_HEIGHT))
            if model.error:
                self._build_error()
            if model.workbench.robot is not None:
                with ui.HStack(height=px(theme.ROW_HEIGHT + 14)):
                    for title, text in model.summary():
                        with ui.VStack(width=ui.Percent(42 if title == "Base" else 19)):
                            ui.Label(title, name="small", height=px(16))
                            ui.Label(text, elided_text=True, tooltip=text)
            for warning, fix in model.warnings():
                self._build_warning(warning, fix)
            if model.waits:
                ui.Label(
                    "A run is at work: changes made here act in the next run.", name="muted", word_wrap=True, height=0
                )

    def _build_error(self) -> None:
        with ui.HStack(height=0, spacing=px(theme.SPACING)):
            ui.Label(self.model.error, name="error", word_wrap=True, identifier="robot.error")
            if self.model.can_undo:
                with ui.VStack(width=px(64), height=0):
                    ui.Button(
                        "Undo",
                        height=px(theme.ROW_HEIGHT),
                        identifier="robot.undo",
                        tooltip="Takes the last change back",
                        clicked_fn=self.model.undo,
                    )

    def _build_warning(self, warning: Warning, fix: Fix | None) -> None:
        with ui.VStack(height=0):
            ui.Label(
                warning.message, name="warning", word_wrap=True, height=0, identifier=f"robot.warning.{warning.code}"
            )
            if fix is not None:
                with ui.HStack(height=px(theme.ROW_HEIGHT)):
                    ui.Spacer()
                    ui.Button(
                        fix.label,
                        width=px(140),
                        identifier=f"robot.fix.{warning.code}",
                        tooltip=fix.help,
                        clicked_fn=partial(self.model.fix, warning),
                    )

    def _build_tables(self) -> None:
        robot = self.model.workbench.robot
        release(self._table)
        self._tables_for = self._names()
        counts = {"Joints": len(robot.joints), "Bodies": len(robot.bodies)} if robot else dict.fromkeys(TABS, 0)
        with ui.VStack(height=0, spacing=px(theme.SPACING)):
            with ui.HStack(height=px(theme.ROW_HEIGHT), spacing=px(1)):
                for tab, help in TABS.items():
                    ui.Button(
                        f"{tab} ({counts[tab]})",
                        name="on" if tab == self._tab else "",
                        identifier=f"robot.tab.{tab}",
                        tooltip=help,
                        clicked_fn=partial(self._open, tab),
                    )
            self._table = JointsView(self.model) if self._tab == "Joints" else BodiesView(self.model)

    def _open(self, tab: str) -> None:
        self._tab = tab
        self._tables.rebuild()

    def _names(self) -> list[str]:
        robot = self.model.workbench.robot
        return [*robot.joint_names, *robot.body_names] if robot is not None else []

    def _on_changed(self) -> None:
        self._stale = True

    def _on_values(self) -> None:
        self._old_values = True
