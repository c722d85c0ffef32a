"""Asks for a file: an existing one, or where to write a new one. For hosts without a file dialog of their own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from omni import ui

from humanoid_rl_ext.ui import theme
from humanoid_rl_ext.ui.dialog import Modal
from humanoid_rl_ext.ui.file_listing import MOST_ROWS, Entry, FileListing
from humanoid_rl_ext.ui.theme import px

WIDTH, HEIGHT = 640, 460


class FileDialog:
    """One window for all questions about files. A click picks, a double click opens, Escape gives up."""

    def __init__(self) -> None:
        self.listing = FileListing()
        self._modal = Modal("Files", WIDTH, HEIGHT, self._build, self._enter, self.close)
        self._chosen: Callable[[Path], None] = lambda path: None
        self._title = ""
        self._typing_folder = False
        self._list: ui.Frame | None = None
        self._rows: dict[str, ui.Button] = {}

    @property
    def window(self) -> ui.Window | None:
        """The window, once a file has been asked for."""
        return self._modal.window

    @property
    def visible(self) -> bool:
        """Whether a file is being asked for."""
        return self._modal.visible

    def open(
        self, title: str, suffixes: Sequence[str], chosen: Callable[[Path], None], start: Path | None = None
    ) -> None:
        """Asks for an existing file with one of the suffixes; ``chosen`` gets it, unless the user gives up."""
        self.listing.start_open(suffixes, start or self.listing.folder)
        self._show(title, chosen)

    def save(self, title: str, name: str, chosen: Callable[[Path], None], start: Path | None = None) -> None:
        """Asks where to write a file called ``name`` unless the user says otherwise; asks before replacing one."""
        self.listing.start_save(name, start or self.listing.folder)
        self._show(title, chosen)

    def close(self) -> None:
        """Gives the question up."""
        self._modal.close()

    def destroy(self) -> None:
        """Lets go of the window."""
        self._modal.destroy()

    def _show(self, title: str, chosen: Callable[[Path], None]) -> None:
        self._title, self._chosen, self._typing_folder = title, chosen, False
        self._modal.open()

    def _build(self) -> None:
        row = px(theme.ROW_HEIGHT)
        with ui.VStack(spacing=px(6)):
            ui.Label(self._title, name="heading", height=row)
            with ui.HStack(height=row, spacing=px(theme.SPACING)):
                for label, act, tooltip in (
                    ("Up", self.listing.up, "The folder above this one"),
                    ("Home", self.listing.home, "Your own folder"),
                ):
                    ui.Button(
                        label,
                        width=px(56),
                        identifier=f"files.{label.lower()}",
                        tooltip=tooltip,
                        clicked_fn=lambda act=act: self._move(act),
                    )
                self._folder = ui.StringField(
                    identifier="files.folder", tooltip="The folder that is shown; type another one and press Enter"
                )
            with ui.ZStack():
                ui.Rectangle(name="plot")
                with ui.ScrollingFrame(
                    horizontal_scrollbar_policy=ui.ScrollBarPolicy.SCROLLBAR_ALWAYS_OFF,
                    style={"ScrollingFrame": {"background_color": theme.CLEAR}},
                ):
                    self._list = ui.Frame(build_fn=self._build_list)
            with ui.HStack(height=row, spacing=px(theme.SPACING)):
                ui.Label("File", width=px(40))
                self._name = ui.StringField(
                    identifier="files.name", tooltip="A file's name, a part of it, or any path; Enter takes it"
                )
            self._error = ui.Label("", name="error", height=px(18), elided_text=True, identifier="files.error")
            with ui.HStack(height=px(theme.ROW_HEIGHT + 2), spacing=px(8)):
                kinds = ", ".join(self.listing.suffixes)
                ui.Label(f"Shows folders and {kinds} files" if kinds else "", name="small", elided_text=True)
                self._accept = ui.Button(
                    "Save" if self.listing.new else "Open",
                    name="primary",
                    width=px(96),
                    identifier="files.accept",
                    tooltip="Takes this file (Enter)",
                    clicked_fn=self._submit,
                )
                ui.Button(
                    "Cancel",
                    width=px(96),
                    identifier="files.cancel",
                    tooltip="Gives up (Escape)",
                    clicked_fn=self.close,
                )
        self._folder.model.add_begin_edit_fn(lambda model: self._set_typing_folder(True))
        self._folder.model.add_end_edit_fn(self._folder_typed)
        self._name.model.add_value_changed_fn(self._typed)
        self._refresh()
        self._name.focus_keyboard()

    def _build_list(self) -> None:
        self._rows = {}
        with ui.VStack(height=0):
            for entry in self.listing.rows[:MOST_ROWS]:
                with ui.ZStack(height=px(theme.ROW_HEIGHT)):
                    self._rows[entry.path.name] = ui.Button(
                        " ",
                        name="flat",
                        identifier=f"files.row.{entry.path.name}",
                        tooltip=str(entry.path),
                        clicked_fn=lambda entry=entry: self._pick(entry),
                        mouse_double_clicked_fn=lambda x, y, button, keys, entry=entry: self._open(entry),
                    )
                    with ui.HStack():
                        ui.Spacer(width=px(8))
                        name = f"{entry.path.name}/" if entry.is_folder else entry.path.name
                        ui.Label(name, name="muted" if entry.is_folder else "", elided_text=True)
                        ui.Label(entry.size_text, name="small", width=0)
                        ui.Spacer(width=px(12))
            if self.listing.note:
                ui.Label(f"  {self.listing.note}", name="muted", height=px(theme.ROW_HEIGHT))
        self._mark()

    def _pick(self, entry: Entry) -> None:
        self.listing.pick(entry)
        self._refresh(rebuild=False)

    def _open(self, entry: Entry) -> None:
        if entry.is_folder:
            self._move(lambda: self.listing.go(entry.path))
        else:
            self.listing.pick(entry)
            self._submit()

    def _move(self, act: Callable[[], object]) -> None:
        act()
        self._refresh()

    def _set_typing_folder(self, typing: bool) -> None:
        self._typing_folder = typing

    def _folder_typed(self, model: ui.AbstractValueModel) -> None:
        self._typing_folder = False
        if self.visible and model.as_string != str(self.listing.folder):
            self._move(lambda: self.listing.go(model.as_string))

    def _typed(self, model: ui.AbstractValueModel) -> None:
        if model.as_string != self.listing.name:
            self.listing.type(model.as_string)
            self._refresh()

    def _enter(self) -> None:
        if not self._typing_folder and self.listing.replaces is None:
            self._submit()

    def _submit(self) -> None:
        path = self.listing.submit()
        if path is None:
            self._refresh()
            return
        self.close()
        self._chosen(path)

    def _refresh(self, rebuild: bool = True) -> None:
        listing = self.listing
        if not listing.error:
            self._folder.model.set_value(str(listing.folder))
        if self._name.model.as_string != listing.name:
            self._name.model.set_value(listing.name)
        self._name.name = "invalid" if listing.error else ""
        self._error.text = self._error.tooltip = listing.error
        verb = "Replace" if listing.replaces is not None else "Save" if listing.new else "Open"
        self._accept.text, self._accept.name = verb, "danger" if verb == "Replace" else "primary"
        if rebuild and self._list is not None:
            self._list.rebuild()
        self._mark()

    def _mark(self) -> None:
        for name, button in self._rows.items():
            button.name = "on" if name == self.listing.name else "flat"
