"""Randomisation in the Task section: entries, presets, how quantities are applied, and the failure map."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from omni import ui

from humanoid_rl_ext.task.randomisation_presets import RandomisationPreset
from humanoid_rl_ext.ui import theme
from humanoid_rl_ext.ui.fields.binding import touches
from humanoid_rl_ext.ui.fields.fold import Fold
from humanoid_rl_ext.ui.fields.row import FieldRow
from humanoid_rl_ext.ui.fields.spec import humanised
from humanoid_rl_ext.ui.randomisation.failures import FailureMapView
from humanoid_rl_ext.ui.randomisation.model import TABLE, RandomisationModel, interval_field
from humanoid_rl_ext.ui.randomisation.row import EntryRow, header
from humanoid_rl_ext.ui.release import release
from humanoid_rl_ext.ui.task.model import TaskModel
from humanoid_rl_ext.ui.theme import px

FETCH_S = 1.0
"""Time between two looks at the environments, which wait for the device."""


class RandomisationView:
    """A fold of the Task section; its table is built anew only when entries come or go."""

    def __init__(self, task: TaskModel) -> None:
        self.model = RandomisationModel(task)
        self._shape = self.model.shape()
        self._rows: list[EntryRow] = []
        self._opened: set[str] = set()
        self._listed = self._shown = ""
        self._interval: FieldRow | None = None
        self._failures: FailureMapView | None = None
        self._next_fetch, self._run = 0.0, self.model.workbench.session
        self.fold = Fold(TABLE.title, self._build, tooltip=TABLE.help, identifier=f"task.{TABLE.path}")
        self._count()

    def refresh(self, paths: set[str]) -> None:
        """Takes over what has changed at ``paths``."""
        shape = self.model.shape()
        if shape != self._shape:
            self._shape = shape
            self._count()
            self.fold.rebuild()
            return
        for row in self._rows:
            row.refresh(paths)
        if self._interval is not None and any(touches(path, self._interval.spec.path) for path in paths):
            self._interval.refresh()

    def update(self, now: float) -> None:
        """Draws what has changed, and once a second what the environments have; call it between steps."""
        if not self.fold.opened or self._failures is None:
            return
        run = self.model.workbench.session
        if run is not self._run or (run is not None and now >= self._next_fetch):
            self._run, self._next_fetch = run, now + FETCH_S
            self._fetch()
        if self._listed != self._shown:
            self._show_list()
        for row in self._rows:
            row.update()
        self._failures.update()

    def _fetch(self) -> None:
        for row in self._rows:
            row.show_waiting()
            row.fetch()
        self._batching.text = self.model.batching
        if self._failures is not None:
            self._failures.show(self.model.failures())

    def _count(self) -> None:
        count = len(self.model.entries())
        self.fold.note = str(count) if count else "none"

    def _build(self) -> None:
        release([self._rows, self._interval, self._failures])
        self._rows = []
        with ui.VStack(height=0, spacing=px(2)):
            ui.Spacer(height=px(2))
            self._build_tools()
            entries = self.model.entries()
            if entries:
                header()
            for entry in entries:
                self._rows.append(EntryRow(self.model, entry, self._opened, self._say))
            ui.Spacer(height=px(theme.SPACING))
            self._interval = FieldRow(interval_field(), self.model.workbench)
            self._batching = ui.Label(
                self.model.batching, name="small", word_wrap=True, height=0, identifier="randomisation:batching"
            )
            ui.Spacer(height=px(theme.SPACING))
            self._failures = FailureMapView(self.model)
            ui.Spacer(height=px(theme.SPACING))
        self._next_fetch = 0.0

    # Adding

    def _build_tools(self) -> None:
        with ui.HStack(height=px(theme.ROW_HEIGHT), spacing=px(theme.SPACING)):
            self._tools = {
                "add": self._tool("Add ...", "add", "Shows the quantities that can be added"),
                "presets": self._tool("Presets ...", "presets", "Shows usual ranges that can be added at once"),
            }
            ui.Spacer()
        self._problem = ui.Label(
            "", name="error", word_wrap=True, height=0, visible=False, identifier="randomisation:problem"
        )
        self._list = ui.VStack(height=0, spacing=px(2))
        self._show_list()

    def _tool(self, text: str, name: str, help: str) -> ui.Button:
        return ui.Button(
            text,
            width=px(90),
            tooltip=help,
            identifier=f"randomisation:{name}",
            clicked_fn=lambda: self._list_or_not(name),
        )

    def _list_or_not(self, name: str) -> None:
        self._listed = "" if self._listed == name else name

    def _show_list(self) -> None:
        self._shown = self._listed
        for tool, button in self._tools.items():
            button.name = "on" if tool == self._listed else ""
        self._list.clear()
        with self._list:
            if self._listed == "add":
                for term in self.model.task.addable(TABLE):
                    self._line(humanised(term.name), f"add:{term.name}", term.help, partial(self._add, term.name))
            if self._listed == "presets":
                for preset in self.model.presets().values():
                    adds = self.model.adds(preset)
                    help = f"{preset.description}. {f'Adds {adds}' if adds else 'The task has all of it'}."
                    add = partial(self._apply, preset)
                    self._line(humanised(preset.name), f"preset:{preset.name}", help, add, enabled=bool(adds))
            if self._listed:
                ui.Spacer(height=px(theme.SPACING))

    def _line(self, text: str, name: str, help: str, add: Callable[[], None], *, enabled: bool = True) -> None:
        with ui.HStack(height=0, spacing=px(theme.SPACING)):
            with ui.VStack(width=px(theme.LABEL_WIDTH), height=0):
                ui.Button(
                    text,
                    height=px(theme.ROW_HEIGHT),
                    tooltip=help,
                    enabled=enabled,
                    identifier=f"randomisation:{name}",
                    clicked_fn=add,
                )
            ui.Label(help, name="small", word_wrap=True, height=0)

    def _add(self, name: str) -> None:
        path = f"{TABLE.path}.{name}"
        reason = self.model.task.add(TABLE, name)
        if not reason:
            self._opened.add(path)
        self._then_close(reason)

    def _apply(self, preset: RandomisationPreset) -> None:
        self._then_close(self.model.apply(preset))

    def _then_close(self, reason: str) -> None:
        self._say(reason)
        if not reason:
            self._listed = ""

    def _say(self, reason: str) -> None:
        self._problem.text = reason
        self._problem.visible = bool(reason)
