"""The list of runs: filtered, sorted, in pages; and what can be done with the one that is selected."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, Protocol

from humanoid_rl_ext.home import runs_folder
from humanoid_rl_ext.task.foreign import is_foreign
from humanoid_rl_ext.train.runs import RunSummary, delete_run, list_runs
from humanoid_rl_ext.ui.signal import Signal
from humanoid_rl_ext.ui.workbench import Workbench

Column = Literal["task", "started", "env_steps", "last_return"]
PAGE = 10
"""Runs that are shown at once."""
REFRESH_S = 5.0
"""Time between two looks at the folder while a run trains."""


class Comparison(Protocol):
    """The plots, which draw several runs over each other."""

    def compare(self, runs: list[Path]) -> Any:
        """Draws these runs beside the one at work."""


class RunsModel:
    """What the Runs section shows. ``changed`` tells that any of it is different."""

    def __init__(self, workbench: Workbench, plots: Comparison) -> None:
        self.workbench, self._plots = workbench, plots
        self.changed: Signal[()] = Signal()
        self.runs: list[RunSummary] = []
        """All of them, newest first."""
        self.loading = False
        self.task = ""
        """Only runs of this task are shown; empty for all."""
        self.column: Column = "started"
        self.descending = True
        self.page = 0
        self.compared: list[Path] = []
        self._selected: Path | None = None
        self._read_at = 0.0
        self._again = False
        self._disconnect = workbench.state_changed.connect(self.refresh)

    def destroy(self) -> None:
        """Listens no longer."""
        self._disconnect()

    def refresh(self) -> None:
        """Reads the folder again, in the background."""
        if self.loading:
            self._again = True
            return
        self.loading, self._again = True, False
        folder = runs_folder()
        self.workbench.background.run(lambda: list_runs(folder), self._take, self._fail)
        self.changed.emit()

    def tick(self, now: float) -> None:
        """Reads the folder now and then while a run trains; ``now`` is ``time.perf_counter()``."""
        if self.workbench.state == "training" and now - self._read_at > REFRESH_S:
            self._read_at = now
            self.refresh()

    # What is shown

    @property
    def tasks(self) -> list[str]:
        """Names of all tasks that have been trained."""
        return sorted({run.task for run in self.runs})

    @property
    def shown(self) -> list[RunSummary]:
        """Runs of the chosen task in the chosen order, on all pages; those without a value come last."""
        runs = [run for run in self.runs if self.task in ("", run.task)]
        with_value = [run for run in runs if getattr(run, self.column) is not None]
        with_value.sort(key=lambda run: getattr(run, self.column), reverse=self.descending)
        return with_value + [run for run in runs if getattr(run, self.column) is None]

    @property
    def pages(self) -> int:
        """How many pages there are, at least one."""
        return max(1, -(-len(self.shown) // PAGE))

    @property
    def rows(self) -> list[RunSummary]:
        """The runs on the present page."""
        return self.shown[self.page * PAGE : (self.page + 1) * PAGE]

    @property
    def selected(self) -> RunSummary | None:
        """The run that the actions are about."""
        return next((run for run in self.runs if run.path == self._selected), None)

    def choose_task(self, task: str) -> None:
        """Shows runs of one task only; all of them for an empty name."""
        self.task, self.page = task, 0
        self.changed.emit()

    def sort_by(self, column: Column) -> None:
        """Sorts by a column, largest first; the other way round when it is the column already."""
        self.descending = not self.descending if column == self.column else column != "task"
        self.column, self.page = column, 0
        self.changed.emit()

    def turn_page(self, by: int) -> None:
        """Goes some pages on or back."""
        self.page = min(max(self.page + by, 0), self.pages - 1)
        self.changed.emit()

    def select(self, path: Path) -> None:
        """Makes a run the one that the actions are about."""
        self._selected = path
        self.changed.emit()

    def compare(self, path: Path, wanted: bool) -> None:
        """Draws a run's curves beside the one at work, or no longer."""
        if wanted == (path in self.compared):
            return
        self.compared = [*self.compared, path] if wanted else [other for other in self.compared if other != path]
        self._plots.compare(list(self.compared))
        self.changed.emit()

    # What can be done with the selected run

    @property
    def at_work(self) -> Path | None:
        """Folder of the run that is being trained."""
        return self.workbench.session.folder.path if self.workbench.session is not None else None

    def why_not(self, action: Literal["resume", "load_task", "delete"]) -> str:
        """Why an action cannot be had for the selected run now; empty when it can."""
        run = self.selected
        if run is None:
            return "Select a run first"
        if action == "delete":
            return "This run is at work: stop it first" if run.path == self.at_work else ""
        if self.workbench.state in ("starting", "training", "paused"):
            return "Another run is at work: stop it first"
        if action == "load_task":
            return "This task brings its own environment and has no settings" if is_foreign(run.task) else ""
        if run.resumable:
            return ""
        return f"Damaged: {run.problem}" if run.problem else "It holds no checkpoint to go on from"

    def resume(self) -> None:
        """Goes on training the selected run."""
        self._with_selected("resume", lambda run: self.workbench.resume_run(run.path))

    def load_task(self) -> None:
        """Takes the selected run's task as the draft."""
        self._with_selected("load_task", lambda run: self.workbench.load_task(run.path / "task.yaml"))

    def open_folder(self) -> None:
        """Shows the selected run's folder in the desktop's file manager."""
        if self.selected is not None:
            self.workbench.host.open_folder(self.selected.path)

    def delete(self) -> None:
        """Deletes the selected run's folder, in the background. Ask the user before."""
        self._with_selected("delete", self._delete)

    def _with_selected(
        self, action: Literal["resume", "load_task", "delete"], act: Callable[[RunSummary], None]
    ) -> None:
        reason, run = self.why_not(action), self.selected
        if reason or run is None:
            self.workbench.say(reason, "warning")
        else:
            act(run)

    def _delete(self, run: RunSummary) -> None:
        folder, at_work = runs_folder(), self.at_work
        self.compare(run.path, False)

        def done(_: None) -> None:
            self.workbench.say(f"Deleted {run.path}")
            self.refresh()

        def failed(error: Exception) -> None:
            self.workbench.say(str(error), "error")

        self.workbench.background.run(lambda: delete_run(run.path, folder, at_work), done, failed)

    def _take(self, runs: list[RunSummary]) -> None:
        self.runs, self.loading, self._read_at = runs, False, time.perf_counter()
        if self.task not in ("", *self.tasks):
            self.task = ""
        self.page = min(self.page, self.pages - 1)
        there = {run.path for run in runs}
        for path in [path for path in self.compared if path not in there]:
            self.compare(path, False)
        if self._again:
            self.refresh()
        self.changed.emit()

    def _fail(self, error: Exception) -> None:
        self.loading = False
        self.workbench.say(str(error), "error")
        self.changed.emit()
