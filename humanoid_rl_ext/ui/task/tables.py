"""One table of terms: every entry with a switch and its parameters, a list of terms to add."""

from __future__ import annotations

from omni import ui

from humanoid_rl_ext.ui import theme
from humanoid_rl_ext.ui.fields.binding import touches
from humanoid_rl_ext.ui.fields.fold import Fold
from humanoid_rl_ext.ui.fields.row import FieldGroup, NumberField
from humanoid_rl_ext.ui.release import release
from humanoid_rl_ext.ui.task.known_terms import list_terms, tell
from humanoid_rl_ext.ui.task.model import Entry, Table, TaskModel, enabled_field
from humanoid_rl_ext.ui.theme import px


class TableView:
    """A fold with the entries of one table; it is built anew only when entries come or go."""

    def __init__(self, model: TaskModel, table: Table) -> None:
        self._model, self._table = model, table
        self._shape = model.shape(table)
        self._groups: dict[str, FieldGroup] = {}
        self._switches: list[NumberField] = []
        self._open: set[str] = set()
        self._adding = False
        self.fold = Fold(table.title, self._build, tooltip=table.help, identifier=f"task.{table.path}")
        self._count()

    def refresh(self, paths: set[str]) -> None:
        """Takes over what has changed at ``paths``."""
        shape = self._model.shape(self._table)
        if shape != self._shape:
            self._shape = shape
            self._count()
            self.fold.rebuild()
            return
        for path in paths:
            for switch in self._switches:
                if touches(path, switch.spec.path):
                    switch.refresh()
            for group in self._groups.values():
                group.refresh(path)

    def _count(self) -> None:
        count = len(self._model.entries(self._table))
        self.fold.note = str(count) if count else "none"

    def _build(self) -> None:
        release([self._groups, self._switches])
        self._groups.clear()
        self._switches.clear()
        with ui.VStack(height=0, spacing=px(2)):
            ui.Spacer(height=px(2))
            for entry in self._model.entries(self._table):
                self._build_entry(entry)
            self._build_adding()
            ui.Spacer(height=px(theme.SPACING))

    def _build_entry(self, entry: Entry) -> None:
        opened = entry.path in self._open
        with ui.HStack(height=px(theme.ROW_HEIGHT), spacing=px(theme.SPACING)):
            self._switches.append(NumberField(self._model.workbench, enabled_field(entry), 20))
            ui.Label(entry.label, tooltip=f"{entry.term.help}\n{entry.path}", identifier=f"{entry.path}:label")
            if entry.specs:
                button = ui.Button(
                    "Hide" if opened else "Edit",
                    width=px(60),
                    name="flat",
                    tooltip="Shows or hides the parameters of this entry",
                    identifier=f"{entry.path}:edit",
                )
            remove = ui.Button(
                "Remove",
                width=px(70),
                name="flat",
                tooltip="Takes this entry out of the task",
                identifier=f"{entry.path}:remove",
            )
        problem = ui.Label(
            "", name="error", word_wrap=True, height=0, visible=False, identifier=f"{entry.path}:problem"
        )
        remove.set_clicked_fn(lambda: tell(problem, self._model.remove(entry)))
        if entry.specs:
            below = ui.Frame(height=0, visible=opened, build_fn=lambda: self._build_parameters(entry))
            button.set_clicked_fn(lambda: self._toggle(entry, button, below))

    def _build_parameters(self, entry: Entry) -> None:
        with ui.VStack(height=0):
            ui.Label(entry.term.help, name="small", word_wrap=True, height=0)
            self._groups[entry.path] = FieldGroup("", entry.specs, self._model.workbench)
            ui.Spacer(height=px(theme.SPACING))
            ui.Line(height=1)

    def _toggle(self, entry: Entry, button: ui.Button, below: ui.Frame) -> None:
        below.visible = not below.visible
        button.text = "Hide" if below.visible else "Edit"
        (self._open.add if below.visible else self._open.discard)(entry.path)

    def _build_adding(self) -> None:
        known = self._model.addable(self._table)
        button = ui.Button(
            "Add ...",
            width=px(70),
            height=px(theme.ROW_HEIGHT),
            enabled=bool(known),
            tooltip=f"Shows the {self._table.kind} terms that can be added" if known else "All terms are in use",
            identifier=f"{self._table.path}:add",
        )
        self._problem = ui.Label(
            "", name="error", word_wrap=True, height=0, visible=False, identifier=f"{self._table.path}:problem"
        )
        listed = ui.Frame(
            height=0,
            visible=self._adding and bool(known),
            build_fn=lambda: list_terms(known, self._table.path, self._add),
        )

        def toggle() -> None:
            self._adding = listed.visible = not listed.visible

        button.set_clicked_fn(toggle)

    def _add(self, name: str) -> None:
        reason = self._model.add(self._table, name)
        if not reason:
            self._adding = False
            self._open.add(f"{self._table.path}.{name}")
        tell(self._problem, reason)
