"""The Task section: where the task comes from, what was changed, and every field of its schema."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from omni import ui

from humanoid_rl_ext.ui import theme
from humanoid_rl_ext.ui.fields.fold import Fold
from humanoid_rl_ext.ui.fields.row import FieldGroup
from humanoid_rl_ext.ui.randomisation.view import RandomisationView
from humanoid_rl_ext.ui.release import release
from humanoid_rl_ext.ui.task.agents_view import AgentsView
from humanoid_rl_ext.ui.task.changes import ChangesView
from humanoid_rl_ext.ui.task.model import PLAIN, TABLES, TaskModel
from humanoid_rl_ext.ui.task.tables import TableView
from humanoid_rl_ext.ui.terrain.view import TerrainView
from humanoid_rl_ext.ui.theme import px
from humanoid_rl_ext.ui.workbench import Workbench

PATIENCE = 0.2
"""How long (s) after the last key the search starts."""
SOURCES = "sources"
"""Stands among changed paths for what can be chosen at the top; no path of a draft is called that."""
ROBOT = "robot"
"""Stands among them once another robot has been read, which may be later than it was chosen."""
GROUP_HELP = {
    "General": "What the task is called",
    "Scene": "How far the environments stand apart; friction of contacts",
    "Simulation": "Time step, gravity and the solver",
    "Control": "What an action of the policy does to the joints",
    "Episode": "How long an episode lasts; the seed",
}


class TaskSection:
    """One tab of the panel."""

    title = "Task"

    def __init__(self, workbench: Workbench) -> None:
        self.model = TaskModel(workbench)
        self._workbench = workbench
        self._changed: set[str] = set()
        self._groups: dict[str, FieldGroup] = {}
        self._found: list[FieldGroup] = []
        self._searched, self._typed_at = "", 0.0
        self._typed = ""
        self._built = False
        self._undo: ui.Button | None = None
        self._disconnect = [
            workbench.draft_changed.connect(lambda path: self._changed.add(path)),
            self.model.sources_changed.connect(lambda: self._changed.add(SOURCES)),
            workbench.robot_changed.connect(lambda: self._changed.add(ROBOT)),
        ]

    def build(self) -> None:
        """Builds the section inside the current frame."""
        with ui.VStack(height=0, spacing=px(theme.SPACING)):
            self._source = ui.VStack(height=0)  # a frame without height would never be drawn, and so never built
            self._show_source()
            self._build_search()
            self._results = ui.Frame(height=0, visible=False, build_fn=self._build_results)
            self._folds = ui.VStack(height=0)
            with self._folds:
                self._changes = ChangesView(self.model)
                for title in PLAIN:
                    Fold(
                        title,
                        partial(self._build_group, title),
                        tooltip=GROUP_HELP[title],
                        identifier=f"task.{title}",
                    )
                    if title == "Scene":
                        self._terrain = TerrainView(self.model)
                    elif title == "Control":
                        self._agents = AgentsView(self._workbench)
                self._tables = [
                    RandomisationView(self.model) if table.path == "randomisation" else TableView(self.model, table)
                    for table in TABLES
                ]
        self._changed.clear()
        self._built = True

    def update(self, now: float) -> None:
        """Takes over what has changed since the last frame."""
        if not self._built:
            return
        if self._typed != self._searched:
            self._typed_at = self._typed_at or now
            if now - self._typed_at >= PATIENCE:
                self._search()
        if self._changed:
            paths = set(self._changed)
            self._changed.clear()
            self._refresh(paths)
        self._terrain.update(now)
        for table in self._tables:
            if isinstance(table, RandomisationView):
                table.update(now)

    def destroy(self) -> None:
        """Ends the connection to the workbench."""
        for disconnect in self._disconnect:
            disconnect()

    def _refresh(self, paths: set[str]) -> None:
        if paths & {"", "description", SOURCES}:
            self._show_source()
        for path in paths:
            for group in (*self._groups.values(), *self._found):
                group.refresh(path)
        for table in self._tables:
            table.refresh(paths)
        self._terrain.refresh(paths)
        self._agents.refresh(paths)
        self._changes.refresh()
        self._show_undo()

    # Where the task comes from

    def _show_source(self) -> None:
        self._source.clear()
        with self._source:
            self._build_source()

    def _build_source(self) -> None:
        model = self.model
        choices = model.choices
        names = [Path(choice).name if choice.endswith((".yaml", ".yml")) else choice for choice in choices]
        with ui.VStack(height=0, spacing=px(theme.SPACING)):
            with ui.HStack(height=px(theme.ROW_HEIGHT), spacing=px(theme.SPACING)):
                ui.Label("Preset", width=px(theme.LABEL_WIDTH), tooltip="What the task starts from")
                with ui.VStack():
                    ui.Spacer(height=px(2))
                    box = ui.ComboBox(
                        choices.index(self._workbench.draft.source),
                        *names,
                        identifier="task.preset",
                        tooltip="Presets, and task files that were used lately",
                    )
                box.model.add_item_changed_fn(lambda items, item: self._choose(items, choices))
            if model.description:
                ui.Label(model.description, name="small", word_wrap=True, height=0, identifier="task.description")
            with ui.HStack(height=px(theme.ROW_HEIGHT), spacing=px(theme.SPACING)):
                ui.Button(
                    "Load file ...",
                    clicked_fn=model.load_file,
                    tooltip="Takes a task.yaml, such as one in a run's folder",
                    identifier="task.load",
                )
                ui.Button(
                    "Save as ...",
                    clicked_fn=model.save_as,
                    tooltip="Writes the task as YAML that the command line takes too",
                    identifier="task.save",
                )
                self._undo = ui.Button("Undo", clicked_fn=self._workbench.undo, identifier="task.undo")
            self._build_question()
        self._show_undo()

    def _build_question(self) -> None:
        pending = self.model.pending
        if pending is None:
            return
        count = len(self.model.task_changes)
        lost = "one change" if count == 1 else f"{count} changes"
        ui.Label(f"Loading {Path(pending).name} loses {lost}.", name="warning", word_wrap=True, height=0)
        with ui.HStack(height=px(theme.ROW_HEIGHT), spacing=px(theme.SPACING)):
            ui.Button(
                "Load it",
                name="danger",
                clicked_fn=self.model.confirm,
                tooltip="Loads it; the changes are gone",
                identifier="task.load_anyway",
            )
            ui.Button(
                "Keep mine",
                clicked_fn=self.model.keep,
                tooltip="Keeps the task with its changes",
                identifier="task.keep",
            )

    def _choose(self, items: Any, choices: list[str]) -> None:
        choice = choices[items.get_item_value_model().as_int]
        if choice != self._workbench.draft.source:
            self.model.choose(choice)

    def _show_undo(self) -> None:
        if self._undo is None:
            return
        text = self.model.undo_help
        self._undo.enabled = bool(text)
        self._undo.tooltip = text or "Nothing to undo"

    # Fields

    def _build_group(self, title: str) -> None:
        with ui.VStack(height=0):
            ui.Spacer(height=px(theme.SPACING))
            release(self._groups.get(title))
            self._groups[title] = FieldGroup("", self.model.group_specs(title), self._workbench)
            ui.Spacer(height=px(theme.SPACING))

    def _build_search(self) -> None:
        with ui.ZStack(height=px(theme.ROW_HEIGHT)):
            field = ui.StringField(
                identifier="task.search", tooltip="Type part of a field's name or help, such as 'friction'"
            )
            with ui.HStack():
                ui.Spacer(width=px(6))
                hint = ui.Label("Find a field ...", name="muted")

        def typed(model: Any) -> None:
            hint.visible = not model.as_string
            self._typed, self._typed_at = model.as_string.strip(), 0.0
            self._workbench.host.interacted()

        field.model.add_value_changed_fn(typed)

    def _search(self) -> None:
        self._searched = self._typed
        self._results.visible = bool(self._searched)
        self._folds.visible = not self._searched
        self._results.rebuild()

    def _build_results(self) -> None:
        release(self._found)
        with ui.VStack(height=0, spacing=px(theme.SPACING)):
            found = self.model.find(self._searched) if self._searched else []
            if self._searched and not found:
                ui.Label(f"No field is called '{self._searched}'.", name="muted", height=px(theme.ROW_HEIGHT))
            self._found = [FieldGroup(heading, specs, self._workbench) for heading, specs in found]
