"""The Runs section: a table of runs and what can be done with the selected one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from omni import ui

from humanoid_rl_ext.train.runs import RunSummary
from humanoid_rl_ext.ui import theme
from humanoid_rl_ext.ui.dialog import confirm
from humanoid_rl_ext.ui.runs import figures
from humanoid_rl_ext.ui.runs.model import PAGE, Column, Comparison, RunsModel
from humanoid_rl_ext.ui.runs.row import COLUMNS, RunRow, column
from humanoid_rl_ext.ui.theme import px
from humanoid_rl_ext.ui.workbench import Workbench

ALL = "All tasks"


class RunsSection:
    """List, compare, resume and delete runs. ``show_policies`` opens a run's checkpoints elsewhere in the panel."""

    title = "Runs"

    def __init__(
        self, workbench: Workbench, plots: Comparison, show_policies: Callable[[Path], None] | None = None
    ) -> None:
        self.model = RunsModel(workbench, plots)
        self._show_policies = show_policies
        self._stale = True
        self._tasks: list[str] = []
        self._rows: list[RunRow] = []
        self._sorts: dict[Column, ui.Triangle] = {}
        self._actions: dict[str, ui.Button] = {}
        self._disconnect = self.model.changed.connect(self._mark)

    def build(self) -> None:
        """Builds the section; the folder is read the first time."""
        with ui.VStack(height=0, spacing=px(theme.SPACING)):
            self._build_top()
            self._build_header()
            with ui.VStack(height=0, spacing=1):
                self._rows = [RunRow(self.model, index) for index in range(PAGE)]
            self._build_pages()
            ui.Line(height=px(6))
            self._build_selected()
        self.model.refresh()

    def update(self, now: float) -> None:
        """Shows what has changed since the last frame."""
        self.model.tick(now)
        if self._stale:
            self._stale = False
            self._show()

    def destroy(self) -> None:
        """Listens no longer."""
        self._disconnect()
        self.model.destroy()

    def _mark(self) -> None:
        self._stale = True

    def _build_top(self) -> None:
        with ui.HStack(height=px(theme.ROW_HEIGHT), spacing=px(theme.SPACING)):
            ui.Label("Task", width=px(40))
            self._filter = ui.Frame(build_fn=self._build_filter)
            ui.Button(
                "Refresh",
                width=px(80),
                identifier="runs.refresh",
                tooltip="Read the folder of runs again",
                clicked_fn=self.model.refresh,
            )

    def _build_filter(self) -> None:
        chosen = self._tasks.index(self.model.task) + 1 if self.model.task in self._tasks else 0
        combo = ui.ComboBox(chosen, ALL, *self._tasks, identifier="runs.filter", tooltip="Show runs of this task only")

        def choose(model: Any, _: Any) -> None:
            index = model.get_item_value_model().as_int
            self.model.choose_task(self._tasks[index - 1] if index else "")

        combo.model.add_item_changed_fn(choose)

    def _build_header(self) -> None:
        with ui.HStack(height=px(theme.ROW_HEIGHT), spacing=px(theme.SPACING)):
            ui.Spacer(width=px(22))
            for name, (title, width, help) in COLUMNS.items():
                with ui.ZStack(width=width() if width else ui.Fraction(1)):
                    ui.Button(
                        name="flat",
                        identifier=f"runs.sort.{name}",
                        tooltip=f"{help}. Click to sort",
                        clicked_fn=lambda name=name: self.model.sort_by(name),
                    )
                    with ui.HStack(spacing=px(3)):
                        column(ui.Label, name, title, name_style="small")
                        with ui.VStack(width=px(8)):
                            ui.Spacer()
                            self._sorts[name] = ui.Triangle(
                                height=px(6), width=px(8), style={"background_color": theme.ACCENT}
                            )
                            ui.Spacer()

    def _build_pages(self) -> None:
        with ui.HStack(height=px(theme.ROW_HEIGHT), spacing=px(theme.SPACING)):
            self._count = ui.Label("", name="small", identifier="runs.count")
            self._turns = [
                ui.Button(
                    text,
                    name="flat",
                    width=px(80),
                    identifier=f"runs.page.{by:+d}",
                    tooltip=f"{text} page of the list",
                    clicked_fn=lambda by=by: self.model.turn_page(by),
                )
                for text, by in (("Previous", -1), ("Next", 1))
            ]

    def _build_selected(self) -> None:
        self._name = ui.Label("", name="heading", height=px(theme.ROW_HEIGHT), identifier="runs.selected")
        self._details = ui.Label("", name="muted", height=0, word_wrap=True, identifier="runs.details")
        self._path = ui.Label("", name="small", height=0, word_wrap=True, identifier="runs.path")
        self._problem = ui.Label("", name="warning", height=0, word_wrap=True, identifier="runs.problem")
        actions: list[tuple[str, str, str, Callable[[], None]]] = [
            ("resume", "Resume", "primary", self.model.resume),
            ("load_task", "Load task", "", self.model.load_task),
            ("open_folder", "Open folder", "", self.model.open_folder),
            ("delete", "Delete ...", "danger", self._ask_to_delete),
        ]
        if self._show_policies is not None:
            actions.insert(1, ("policies", "Policies", "", self._open_policies))
        with ui.HStack(height=px(theme.ROW_HEIGHT + 4), spacing=px(theme.SPACING)):
            for action, text, style, clicked in actions:
                self._actions[action] = ui.Button(text, name=style, identifier=f"runs.{action}", clicked_fn=clicked)

    def _show(self) -> None:
        model = self.model
        if model.tasks != self._tasks:
            self._tasks = model.tasks
            self._filter.rebuild()
        rows = model.rows
        for index, row in enumerate(self._rows):
            row.show(rows[index] if index < len(rows) else None)
        for name, triangle in self._sorts.items():
            triangle.visible = model.column == name
            triangle.alignment = ui.Alignment.CENTER_BOTTOM if model.descending else ui.Alignment.CENTER_TOP
        self._count.text = self._counted()
        for turn, possible in zip(self._turns, (model.page > 0, model.page + 1 < model.pages), strict=True):
            turn.visible, turn.enabled = model.pages > 1, possible
        self._show_selected()

    def _counted(self) -> str:
        shown = len(self.model.shown)
        if self.model.loading and not shown:
            return "Reading the folder of runs ..."
        if not shown:
            return "No runs yet: start one in the Training section"
        first = self.model.page * PAGE
        return f"{first + 1} to {first + len(self.model.rows)} of {shown} runs"

    def _show_selected(self) -> None:
        run = self.model.selected
        for action, button in self._actions.items():
            reason = self.model.why_not(action) if action in HELP else "" if run else "Select a run first"  # type: ignore[arg-type]
            button.enabled = not reason
            button.tooltip = reason or HELP.get(action) or OTHER_HELP[action]
        self._problem.visible = run is not None and bool(run.problem)
        self._details.visible = self._path.visible = run is not None
        if run is None:
            self._name.text = "Select a run above"
            return
        self._name.text = figures.shortened(run.task, 44)
        self._details.text = (
            f"{run.algorithm or 'unknown algorithm'}, {figures.count(run.env_steps)} of {figures.count(run.budget)} "
            f"steps, return {figures.figure(run.last_return)} (best {figures.figure(run.best_return)}), "
            f"{_checkpoints(run)}, {figures.size(run.size)}"
        )
        self._path.text = str(run.path)
        self._problem.text = f"Damaged: {run.problem}"

    def _open_policies(self) -> None:
        if self._show_policies is not None and self.model.selected is not None:
            self._show_policies(self.model.selected.path)

    def _ask_to_delete(self) -> None:
        run = self.model.selected
        if run is not None:
            text = f"{run.path}\n\n{figures.size(run.size)}, {_checkpoints(run)}: gone for good."
            confirm(f"Delete this run of {run.task}?", text, [("Delete", self.model.delete, "danger")])


def _checkpoints(run: RunSummary) -> str:
    return "1 checkpoint" if run.num_checkpoints == 1 else f"{run.num_checkpoints} checkpoints"


HELP = {
    "resume": "Go on training this run in its own folder, from its newest checkpoint",
    "load_task": "Take this run's task as the task to edit and train",
    "delete": "Delete this run's folder with all its checkpoints",
}
OTHER_HELP = {
    "open_folder": "Show this run's folder in the file manager",
    "policies": "Show this run's checkpoints in the Policy section",
}
