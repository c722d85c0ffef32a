"""One line of the table of runs; it stays for good and shows whatever run comes to stand there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from omni import ui

from humanoid_rl_ext.train.runs import RunSummary
from humanoid_rl_ext.ui import theme
from humanoid_rl_ext.ui.runs import figures
from humanoid_rl_ext.ui.runs.model import Column, RunsModel
from humanoid_rl_ext.ui.theme import px

COLUMNS: dict[Column, tuple[str, Callable[[], float] | None, str]] = {
    "task": ("Task", None, "Task that was trained"),
    "started": ("Started", lambda: px(98), "When training began"),
    "env_steps": ("Steps", lambda: px(66), "Control steps of all environments together"),
    "last_return": ("Return", lambda: px(70), "Mean return of the last episodes"),
}
"""Title, width (None: the rest) and meaning."""
TASK_LETTERS = 18
ARROW = 11
"""Room right of a column's title for the arrow that says how it is sorted."""


def column(kind: Any, name: Column, text: str, name_style: str = "") -> Any:
    """A label in one of the columns; numbers stand at the right."""
    right = name in ("env_steps", "last_return")
    return kind(text, name=name_style, alignment=ui.Alignment.RIGHT_CENTER if right else ui.Alignment.LEFT_CENTER)


class RunRow:
    """A tick for comparing, and a button as wide as the table that selects the run."""

    def __init__(self, model: RunsModel, index: int) -> None:
        self._model = model
        self._run: RunSummary | None = None
        self._showing = False
        self._labels: dict[Column, ui.Label] = {}
        self._row = ui.HStack(height=px(theme.ROW_HEIGHT), spacing=px(theme.SPACING), visible=False)
        with self._row:
            with ui.VStack(width=px(22)):
                ui.Spacer()
                self._compare = ui.CheckBox(
                    height=px(18),
                    width=px(20),
                    identifier=f"runs.compare.{index}",
                    tooltip="Draw this run's curves in the plots beside the run at work",
                )
                ui.Spacer()
            with ui.ZStack():
                self._select = ui.Button(
                    " ", name="flat", identifier=f"runs.row.{index}", clicked_fn=self._clicked
                )  # without a text it would be as high as its padding
                with ui.HStack(spacing=px(theme.SPACING)):
                    for name, (_, width, _) in COLUMNS.items():
                        with ui.HStack(width=width() if width else ui.Fraction(1)):
                            ui.Spacer(width=px(4))
                            self._labels[name] = column(ui.Label, name, "")
                            ui.Spacer(width=px(ARROW))
        self._compare.model.add_value_changed_fn(self._ticked)

    def show(self, run: RunSummary | None) -> None:
        """Shows a run; nothing at all for None."""
        self._run = run
        self._row.visible = run is not None
        if run is None:
            return
        selected = self._model.selected
        self._select.name = "on" if selected is not None and selected.path == run.path else "flat"
        self._select.tooltip = f"{run.path}\n{run.problem}" if run.problem else str(run.path)
        self._labels["task"].text = figures.shortened(run.task, TASK_LETTERS)
        self._labels["task"].name = "warning" if run.problem else ""
        self._labels["started"].text = figures.when(run.started)
        self._labels["env_steps"].text = figures.count(run.env_steps)
        self._labels["last_return"].text = figures.figure(run.last_return)
        self._showing = True
        self._compare.model.set_value(run.path in self._model.compared)
        self._showing = False

    def _clicked(self) -> None:
        if self._run is not None:
            self._model.select(self._run.path)

    def _ticked(self, value: Any) -> None:
        if self._run is not None and not self._showing:
            self._model.compare(self._run.path, value.as_bool)
