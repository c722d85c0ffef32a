"""The table of kinds of ground: a switch, a share and the columns of each, its parameters, a list of kinds to add."""

from __future__ import annotations

from omni import ui

from humanoid_rl_ext.ui import theme
from humanoid_rl_ext.ui.fields.binding import touches
from humanoid_rl_ext.ui.fields.row import MARK_WIDTH, FieldGroup, NumberField, ResetMark
from humanoid_rl_ext.ui.release import release
from humanoid_rl_ext.ui.task.known_terms import list_terms, tell
from humanoid_rl_ext.ui.task.model import Entry, enabled_field
from humanoid_rl_ext.ui.terrain.model import TERRAIN, TerrainModel, is_file, share_field
from humanoid_rl_ext.ui.theme import px

SWITCH, SHARE, COLUMNS, EDIT, REMOVE = 20, 54, 56, 44, 62
"""Widths of the columns before ``px``; the name takes what is left."""
SHARE_HELP = "Share of the columns, in proportion to the others'"
COLUMNS_HELP = "How many columns of the grid that makes"


class KindsView:
    """Built in the current frame; it is built anew only when kinds come or go."""

    def __init__(self, model: TerrainModel) -> None:
        self._model = model
        self._shape = model.shape()
        self._fields: dict[str, tuple[NumberField, NumberField, ResetMark]] = {}
        self._groups: dict[str, FieldGroup] = {}
        self._counts: dict[str, ui.Label] = {}
        self._columns: dict[str, int] = {}
        self._open: set[str] = set()
        self._adding = False
        self._stack = ui.VStack(height=0, spacing=px(2))
        self._build()

    def refresh(self, paths: set[str]) -> None:
        """Takes over what has changed at ``paths``."""
        shape = self._model.shape()
        if shape != self._shape:
            self._shape = shape
            self._stack.clear()
            release([self._fields, self._groups])
            self._fields.clear()
            self._groups.clear()
            self._counts.clear()
            self._build()
            return
        for path in paths:
            for entry, (enabled, share, mark) in self._fields.items():
                if touches(path, entry):
                    enabled.refresh()
                    share.refresh()
                    mark.show()
            for group in self._groups.values():
                group.refresh(path)

    def show_columns(self, columns: dict[str, int]) -> None:
        """Says how many columns each kind has got; none where that is not known."""
        self._columns = columns
        for name, label in self._counts.items():
            text = str(columns.get(name, "-"))
            if label.text != text:
                label.text = text

    def _build(self) -> None:
        with self._stack:
            with ui.HStack(height=px(18), spacing=px(theme.SPACING)):
                ui.Spacer(width=px(SWITCH))
                ui.Label("Kind of ground", name="small")
                ui.Label("Share", name="small", width=px(SHARE), tooltip=SHARE_HELP)
                ui.Label("Columns", name="small", width=px(COLUMNS), tooltip=COLUMNS_HELP)
                ui.Spacer(width=px(EDIT + theme.SPACING + REMOVE + theme.SPACING + MARK_WIDTH))
            for entry in self._model.entries():
                self._build_entry(entry)
            self._build_adding()
        self.show_columns(self._columns)

    def _build_entry(self, entry: Entry) -> None:
        name, bench, opened = entry.path.rpartition(".")[2], self._model.workbench, entry.path in self._open
        with ui.HStack(height=px(theme.ROW_HEIGHT), spacing=px(theme.SPACING)):
            enabled = NumberField(bench, enabled_field(entry), SWITCH)
            ui.Label(
                entry.label,
                tooltip=f"{entry.term.help}\n{entry.path}",
                elided_text=True,
                identifier=f"{entry.path}:label",
            )
            problem_of_share: list[ui.Label] = []
            share = NumberField(
                bench, share_field(entry), SHARE, refused=lambda reason: tell(problem_of_share[0], reason)
            )
            self._counts[name] = ui.Label(
                "-", name="muted", width=px(COLUMNS), tooltip=COLUMNS_HELP, identifier=f"{entry.path}:columns"
            )
            edit = ui.Button(
                "Hide" if opened else "Edit",
                width=px(EDIT),
                name="flat",
                tooltip="Shows or hides the parameters of this kind",
                identifier=f"{entry.path}:edit",
            )
            remove = ui.Button(
                "Remove",
                width=px(REMOVE),
                name="flat",
                tooltip="Takes this kind of ground away",
                identifier=f"{entry.path}:remove",
            )
            mark = ResetMark(share.binding, f"{entry.path}.share", share.show)
        problem = ui.Label(
            "", name="error", word_wrap=True, height=0, visible=False, identifier=f"{entry.path}:problem"
        )
        problem_of_share.append(problem)
        self._fields[entry.path] = enabled, share, mark
        remove.set_clicked_fn(lambda: tell(problem, self._model.remove(entry)))
        below = ui.Frame(height=0, visible=opened, build_fn=lambda: self._build_parameters(entry))
        edit.set_clicked_fn(lambda: self._toggle(entry, edit, below))

    def _build_parameters(self, entry: Entry) -> None:
        with ui.VStack(height=0):
            ui.Label(entry.term.help, name="small", word_wrap=True, height=0)
            files = [spec for spec in entry.specs if is_file(spec)]
            for spec in files:
                self._groups[spec.path] = FieldGroup("", [spec], self._model.workbench)
                with ui.HStack(height=px(theme.ROW_HEIGHT + theme.SPACING)):
                    ui.Spacer(width=px(theme.LABEL_WIDTH + theme.SPACING))
                    with ui.VStack(width=px(90)):
                        ui.Button(
                            "Choose ...",
                            height=px(theme.ROW_HEIGHT),
                            tooltip="Asks for a PNG or NPY file",
                            identifier=f"{spec.path}:choose",
                            clicked_fn=lambda spec=spec: self._model.choose_file(spec),
                        )
            others = [spec for spec in entry.specs if spec not in files]
            self._groups[entry.path] = FieldGroup("", others, self._model.workbench)
            ui.Spacer(height=px(theme.SPACING))
            ui.Line(height=1)

    def _toggle(self, entry: Entry, button: ui.Button, below: ui.Frame) -> None:
        below.visible = not below.visible
        button.text = "Hide" if below.visible else "Edit"
        (self._open.add if below.visible else self._open.discard)(entry.path)

    def _build_adding(self) -> None:
        button = ui.Button(
            "Add ...",
            width=px(70),
            height=px(theme.ROW_HEIGHT),
            tooltip="Shows the kinds of ground that there are",
            identifier=f"{TERRAIN}.kinds:add",
        )
        self._problem = ui.Label("", name="error", word_wrap=True, height=0, visible=False)
        listed = ui.Frame(height=0, visible=self._adding, build_fn=self._build_list)

        def toggle() -> None:
            self._adding = listed.visible = not listed.visible

        button.set_clicked_fn(toggle)

    def _build_list(self) -> None:
        list_terms(self._model.known(), f"{TERRAIN}.kinds", self._add)

    def _add(self, name: str) -> None:
        self._adding = False
        tell(self._problem, self._model.add(name))
