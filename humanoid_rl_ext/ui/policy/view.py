"""The Policy section: checkpoints of a run, driving and pushing the robot, its rewards, evaluation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from omni import ui

from humanoid_rl_ext.train.runs import RunSummary
from humanoid_rl_ext.ui import theme
from humanoid_rl_ext.ui.policy.checkpoints import CheckpointList
from humanoid_rl_ext.ui.policy.driving import DriveView
from humanoid_rl_ext.ui.policy.model import PolicyModel, title_of
from humanoid_rl_ext.ui.policy.results import ResultsView
from humanoid_rl_ext.ui.policy.terms import TermBarsView
from humanoid_rl_ext.ui.runs import figures
from humanoid_rl_ext.ui.theme import px
from humanoid_rl_ext.ui.workbench import Workbench

ON_HELP = "Prim path of the robot on the stage that the policy drives; empty: a robot in a scene of its own"
OPEN_HELP = (
    "Plays policy.pt with its env.yaml, as this project, Isaac Lab and Isaac Sim write them, on the present robot"
)
EXPORT_HELP = "Writes {} as a policy folder:\nTorchScript and env.yaml, as Isaac Sim's PolicyController loads them"
CHOICES = 30
"""Newest runs that the picker offers; the Runs section reaches all."""


class PolicySection:
    """Watch, drive, push and evaluate policies.

    ``tick`` and ``on_key`` serve the keys, also while another section is open.
    """

    title = "Policy"

    def __init__(self, workbench: Workbench) -> None:
        self.model = PolicyModel(workbench)
        self._checkpoints = CheckpointList(self.model)
        self._drive = DriveView(self.model.control, workbench.host.interacted)
        self._terms = TermBarsView(self.model.control.bars)
        self._results = ResultsView(self.model)
        self._choices: list[RunSummary] = []
        self._titles: list[str] = []
        self._listed: Path | None = None
        self._drivable: tuple[Any, ...] = ()
        self._stale = True
        self._disconnect = self.model.changed.connect(self._mark)

    def build(self) -> None:
        """Builds the section; runs and checkpoints are read the first time."""
        with ui.VStack(height=0, spacing=px(theme.SPACING)):
            with ui.HStack(height=px(theme.ROW_HEIGHT), spacing=px(theme.SPACING)):
                ui.Label("Run", width=px(40))
                self._picker = ui.Frame(build_fn=self._build_picker)
            self._checkpoints.build()
            if self.model.has_stage:
                self._build_stage()
            self._status = ui.Label("", height=0, word_wrap=True, identifier="policy.status")
            with ui.HStack(height=px(theme.ROW_HEIGHT + 4), spacing=px(theme.SPACING)):
                self._follow = ui.Button(
                    "Follow the policy being learned", identifier="policy.follow", clicked_fn=self.model.follow
                )
                self._stop = ui.Button(
                    "Stop playing", width=px(120), identifier="policy.stop", clicked_fn=self.model.stop_playing
                )
            with ui.HStack(height=px(theme.ROW_HEIGHT + 4), spacing=px(theme.SPACING)):
                self._open = ui.Button(
                    "Play a policy file ...",
                    identifier="policy.open",
                    tooltip=OPEN_HELP,
                    clicked_fn=self.model.open_policy,
                )
                self._export = ui.Button(
                    "Export", width=px(120), identifier="policy.export", clicked_fn=self.model.export
                )
            for title, part in (
                ("Drive and push", self._drive),
                ("Rewards", self._terms),
                ("Evaluate", self._results),
            ):
                with ui.CollapsableFrame(title, height=0, identifier=f"policy.{title}"), ui.HStack():
                    ui.Spacer(width=px(theme.SPACING))
                    with ui.VStack(height=0, spacing=px(theme.SPACING)):
                        ui.Spacer(height=px(2))
                        part.build()
                        ui.Spacer(height=px(2))
                    ui.Spacer(width=px(theme.SPACING))
        self.model.refresh()

    def _build_stage(self) -> None:
        with ui.HStack(height=px(theme.ROW_HEIGHT), spacing=px(theme.SPACING)):
            ui.Label("Play on", width=px(60))
            self._on = ui.StringField(identifier="policy.on", tooltip=ON_HELP)
            ui.Button(
                "Use selection",
                width=px(110),
                identifier="policy.use_selection",
                tooltip="Plays on the robot that is selected in the stage, or that the selected prim is part of",
                clicked_fn=self.model.play_on_selection,
            )
        self._on.model.add_end_edit_fn(lambda field: self.model.play_on(field.as_string))

    def show_run(self, run: Path) -> None:
        """Lists another run's checkpoints."""
        self.model.show_run(run)

    def on_key(self, key: int, modifiers: int, pressed: bool) -> bool:
        """Takes a key of any window (GLFW codes) unless a text field is being edited; whether it drives."""
        return self.model.control.on_key(key, modifiers, pressed)

    def tick(self, now: float) -> None:
        """Moves the driven command on; call it once per frame while the section is not open."""
        self.model.tick(now)

    def update(self, now: float) -> None:
        """Shows what has changed since the last frame."""
        self.model.tick(now)
        looked = self.model.control.look(now)
        if self._stale:
            self._stale = False
            self._show()
        if looked:
            self._terms.update()
            self._results.update()
            self._status.text = self.model.status
        self._drive.update()

    def destroy(self) -> None:
        """Listens no longer."""
        self._disconnect()
        self.model.destroy()

    def _mark(self) -> None:
        self._stale = True

    def _show(self) -> None:
        model, control = self.model, self.model.control
        choices = self._runs()
        titles = [self._title(run) for run in choices]
        if (titles, model.run) != (self._titles, self._listed):
            self._choices, self._titles, self._listed = choices, titles, model.run
            self._picker.rebuild()
        self._checkpoints.show()
        self._status.text = model.status
        training = model.workbench.session is not None
        self._follow.enabled = training and not model.follows
        self._follow.tooltip = (
            "Watch the policy as it is now, at every step"
            if training
            else "No run is at work: nothing is being learned"
        )
        self._stop.enabled = model.watch is not None and not model.follows
        self._stop.tooltip = "Back to the policy being learned" if training else "Close the scene that is played"
        self._open.enabled = not training and model.workbench.state != "starting"
        exportable = model.exportable
        self._export.enabled = exportable is not None
        self._export.tooltip = (
            EXPORT_HELP.format(title_of(exportable)) if exportable is not None else "No checkpoint yet"
        )
        if model.has_stage and self._on.model.as_string != model.on:
            self._on.model.set_value(model.on)
        drivable = (control.watching, control.can_push, control.command, control.drive.components)
        if drivable != self._drivable:
            self._drivable = drivable
            self._drive.rebuild()
        self._terms.update()
        self._results.show()

    def _runs(self) -> list[RunSummary]:
        """The newest runs, and the one that is listed."""
        runs = self.model.runs
        listed = [run for run in runs[CHOICES:] if run.path == self.model.run]
        return [*listed, *runs[:CHOICES]]

    def _build_picker(self) -> None:
        if not self._choices:
            ui.Label("No runs yet: start one in the Training section", name="muted", identifier="policy.run.none")
            return
        listed = [index for index, run in enumerate(self._choices) if run.path == self._listed]
        combo = ui.ComboBox(
            *listed[:1] or [0],
            *self._titles,
            identifier="policy.run",
            tooltip="The run whose checkpoints are listed",
        )
        combo.model.add_item_changed_fn(self._choose)

    def _title(self, run: RunSummary) -> str:
        session = self.model.workbench.session
        at_work = session is not None and session.folder.path == run.path
        return f"{figures.shortened(run.task, 24)}, {figures.when(run.started)}{' (at work)' if at_work else ''}"

    def _choose(self, model: Any, _: Any) -> None:
        self.model.show_run(self._choices[model.get_item_value_model().as_int].path)
