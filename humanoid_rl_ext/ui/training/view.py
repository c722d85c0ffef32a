"""The Training section: algorithm, its settings, sizes and device of the run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from omni import ui

from humanoid_rl_ext.ui import theme
from humanoid_rl_ext.ui.fields.fold import Fold
from humanoid_rl_ext.ui.fields.row import FieldGroup
from humanoid_rl_ext.ui.fields.spec import FieldSpec
from humanoid_rl_ext.ui.release import release
from humanoid_rl_ext.ui.theme import px
from humanoid_rl_ext.ui.training.model import TrainingModel
from humanoid_rl_ext.ui.workbench import Workbench

WAITING = "A run is at work: what is marked 'next run' waits for the next one."


class TrainingSection:
    """One tab of the panel."""

    title = "Training"

    def __init__(self, workbench: Workbench) -> None:
        self.model = TrainingModel(workbench)
        self._workbench = workbench
        self._shown = self._choice
        self._groups: dict[str, FieldGroup] = {}
        self._changed: set[str] = set()
        self._stale, self._built = False, False
        self._disconnect = [
            workbench.draft_changed.connect(self._changed.add),
            workbench.state_changed.connect(self._on_state),
        ]

    def build(self) -> None:
        """Builds the section inside the current frame."""
        with ui.HStack(height=0):
            ui.Spacer(width=px(4))
            with ui.VStack(height=0, spacing=px(theme.SPACING)):
                ui.Spacer(height=0)
                self._settings = ui.Frame(height=0, build_fn=self._build_settings)
                ui.Spacer(height=px(8))
            ui.Spacer(width=px(4))

    def update(self, now: float) -> None:
        """Takes over what has changed since the last frame."""
        if not self._built or not (self._changed or self._stale):
            return
        paths = set(self._changed)
        self._changed.clear()
        self._stale = False
        if self._choice != self._shown:
            self._shown, self._built = self._choice, False
            self._settings.rebuild()
            return
        for group in self._groups.values():
            for path in paths:
                group.refresh(path)
        self._show()

    def destroy(self) -> None:
        """Ends the connections to the workbench."""
        for disconnect in self._disconnect:
            disconnect()

    @property
    def _choice(self) -> tuple[str, str]:
        """The algorithm, and what can be said about the others: the section is built anew when either changes."""
        return self.model.algorithm, self.model.choosing_help

    def _on_state(self) -> None:
        self._stale = True

    def _build_settings(self) -> None:
        model = self.model
        self._groups.clear()
        with ui.VStack(height=0, spacing=px(theme.SPACING)):
            self._build_algorithm()
            ui.Label(model.help, name="small", word_wrap=True, height=0, identifier="training.help")
            self._waiting = ui.Label(WAITING, name="small", word_wrap=True, height=0, visible=False)
            with ui.VStack(height=0):
                self._run = Fold(
                    "Run",
                    self._group("run", model.run_specs),
                    tooltip="How large and how long the run is, where it runs, what it keeps",
                    identifier="training.run",
                    opened=True,
                )
                self._summary = ui.Label(
                    "",
                    name="small",
                    word_wrap=True,
                    height=px(20),
                    identifier="training.summary",
                    tooltip="The run in sum",
                )
                self._live = Fold(
                    "Settings that may change while training",
                    self._group("live", model.live_specs),
                    tooltip="An edit reaches a run at work before its next iteration",
                    identifier="training.live",
                    opened=True,
                )
                self._fixed = Fold(
                    "Settings of a whole run",
                    self._group("fixed", model.fixed_specs),
                    tooltip="Networks, rollouts, normalisation: a run keeps them from its start",
                    identifier="training.fixed",
                )
        self._built = True
        self._show()

    def _build_algorithm(self) -> None:
        algorithms = self.model.algorithms
        with ui.HStack(height=px(theme.ROW_HEIGHT), spacing=px(theme.SPACING)):
            ui.Label("Algorithm", width=px(theme.LABEL_WIDTH), tooltip="How the policy learns")
            with ui.VStack():
                ui.Spacer(height=px(2))
                box = ui.ComboBox(
                    algorithms.index(self.model.algorithm),
                    *algorithms,
                    identifier="training.algorithm",
                    tooltip=self.model.choosing_help,
                )
            self._reset = ui.Button(
                "Reset all",
                width=px(80),
                identifier="training.reset",
                clicked_fn=self.model.put_back,
            )

        def chosen(items: Any, item: Any) -> None:
            self.model.choose(algorithms[items.get_item_value_model().as_int])

        box.model.add_item_changed_fn(chosen)

    def _group(self, name: str, specs: Callable[[], Sequence[FieldSpec]]) -> Callable[[], None]:
        def build() -> None:
            with ui.VStack(height=0):
                ui.Spacer(height=px(theme.SPACING))
                release(self._groups.get(name))
                self._groups[name] = FieldGroup("", specs(), self._workbench)
                ui.Spacer(height=px(theme.SPACING))

        return build

    def _show(self) -> None:
        model, waits = self.model, self.model.at_work
        self._waiting.visible = waits
        self._run.note = self._fixed.note = "next run" if waits else ""
        self._live.note = "act at once" if waits else ""
        if self._summary.text != model.summary:
            self._summary.text = model.summary
        count = len(model.changed)
        self._reset.enabled = bool(count)
        self._reset.tooltip = (
            f"Puts back {'the setting' if count == 1 else f'all {count} settings'} changed from the preset"
            if count
            else "Everything is as in the preset"
        )
