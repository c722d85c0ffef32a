"""The panel: the run bar, a row of tabs and the section that is open; fits into any omni.ui frame."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from omni import ui

from humanoid_rl_ext.ui import theme
from humanoid_rl_ext.ui.curriculum.view import CurriculumSection
from humanoid_rl_ext.ui.plots.model import PlotsModel
from humanoid_rl_ext.ui.policy.view import PolicySection
from humanoid_rl_ext.ui.rewards.view import RewardsSection
from humanoid_rl_ext.ui.robot.view import RobotSection
from humanoid_rl_ext.ui.runs.view import RunsSection
from humanoid_rl_ext.ui.task.view import TaskSection
from humanoid_rl_ext.ui.theme import px
from humanoid_rl_ext.ui.training.bar import RunBar
from humanoid_rl_ext.ui.training.view import TrainingSection
from humanoid_rl_ext.ui.viewport.model import ViewportModel
from humanoid_rl_ext.ui.workbench import Workbench

SCROLLBAR = 10
"""Room for the scroll bar beside a section, before ``px``."""
TOOLTIPS = {
    "Robot": "Load a robot, see and set its joints and bodies",
    "Task": "What the robot has to do: scene, commands, observations, terminations, randomisation",
    "Rewards": "What the robot is rewarded for, and how much each part counts",
    "Curriculum": "What changes while training: stages with their rules, and schedules",
    "Training": "Algorithm, its settings, number of environments, device",
    "Policy": "Watch, drive, push and evaluate what was learned",
    "Runs": "Earlier runs: compare, go on, delete",
}


class Section(Protocol):
    """One tab of the panel."""

    title: str

    def build(self) -> None: ...
    def update(self, now: float) -> None: ...
    def destroy(self) -> None: ...


class Panel:
    """Shows one section at a time; the others are neither drawn nor updated."""

    def __init__(self, workbench: Workbench, viewport: ViewportModel, plots: PlotsModel) -> None:
        self.bar = RunBar(workbench)
        self._policy = PolicySection(workbench)
        self.sections: list[Section] = [
            RobotSection(workbench, viewport),
            TaskSection(workbench),
            RewardsSection(workbench),
            CurriculumSection(workbench),
            TrainingSection(workbench),
            self._policy,
            RunsSection(workbench, plots, self._show_policies),
        ]
        self._frames: dict[str, ui.Frame] = {}
        self._tabs: dict[str, ui.Button] = {}
        self._open = self.sections[0]

    def build(self) -> None:
        """Builds the panel inside the current frame."""
        with ui.VStack(spacing=px(theme.SPACING)):
            self.bar.build()
            with ui.HStack(height=px(theme.ROW_HEIGHT + 4), spacing=1):
                for section in self.sections:
                    self._tabs[section.title] = ui.Button(
                        section.title,
                        width=ui.Fraction(len(section.title) + 2),
                        identifier=f"tab.{section.title}",
                        tooltip=TOOLTIPS[section.title],
                        clicked_fn=lambda title=section.title: self.show(title),
                    )
            with ui.ZStack():
                for section in self.sections:
                    self._frames[section.title] = ui.Frame(visible=False)
        self.show(self._open.title)

    def show(self, title: str) -> None:
        """Opens the section of that title; it is built when it is first shown."""
        self._open = next(section for section in self.sections if section.title == title)
        frame = self._frames[title]
        if not ui.Inspector.get_children(frame):
            with (
                frame,
                ui.ScrollingFrame(
                    horizontal_scrollbar_policy=ui.ScrollBarPolicy.SCROLLBAR_ALWAYS_OFF,
                    vertical_scrollbar_policy=ui.ScrollBarPolicy.SCROLLBAR_AS_NEEDED,
                ),
                ui.HStack(height=0),
            ):
                with ui.VStack(height=0):
                    self._open.build()
                ui.Spacer(width=px(SCROLLBAR))
        for name, tab in self._tabs.items():
            tab.name = "on" if name == title else "flat"
            self._frames[name].visible = name == title

    @property
    def section(self) -> Section:
        """The section that is open."""
        return self._open

    def tab(self, title: str) -> ui.Button:
        """The button that opens a section."""
        return self._tabs[title]

    def on_key(self, key: int, modifiers: int, pressed: bool) -> bool:
        """Takes a key (GLFW's code): presses that no text field wants, and all releases; whether it meant something."""
        return self._policy.on_key(key, modifiers, pressed)

    def update(self, now: float) -> None:
        """Brings the run bar and the open section up to date; call it before every frame."""
        self.bar.update(now)
        if self._open is not self._policy:
            self._policy.tick(now)
        self._open.update(now)

    def destroy(self) -> None:
        """Disconnects everything from the workbench."""
        self.bar.destroy()
        for section in self.sections:
            section.destroy()

    def _show_policies(self, run: Path) -> None:
        self._policy.show_run(run)
        self.show(self._policy.title)
