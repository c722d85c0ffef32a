"""A text field in a table that says in place why it does not take what was typed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from omni import ui

from humanoid_rl_ext.errors import TaskError
from humanoid_rl_ext.ui import theme


class Cell:
    """Built in the current frame. ``write`` takes a text or raises TaskError; ``refused`` gets the reason, or ''."""

    def __init__(
        self,
        identifier: str,
        width: ui.Length,
        read: Callable[[], str],
        write: Callable[[str], None],
        tooltip: Callable[[], str],
        refused: Callable[[str], None],
    ) -> None:
        self._read, self._write, self._tooltip, self._refused = read, write, tooltip, refused
        self._editing = False
        self._changed = False
        self._reason = ""
        self.field = ui.StringField(identifier=identifier, width=width)
        self.field.model.set_value(read())
        self.field.model.add_begin_edit_fn(lambda model: self._begin())
        self.field.model.add_end_edit_fn(self._end)
        self.field.set_mouse_hovered_fn(lambda hovered: self._tell() if hovered else None)
        self._tell()

    def show(self, changed: bool = False) -> None:
        """Shows the value as it is now, unless something is being typed or was refused; ``changed`` colours it."""
        if not self._editing and not self._reason and self.field.model.as_string != self._read():
            self.field.model.set_value(self._read())
        if changed != self._changed:
            self._changed = changed
            self.field.set_style({"color": theme.ACCENT if changed else theme.TEXT})

    def _begin(self) -> None:
        self._editing = True

    def _end(self, model: Any) -> None:
        self._editing = False
        text = model.as_string
        if text.strip() == self._read():
            self._say("")
            return
        try:
            self._write(text)
            self._say("")
        except TaskError as error:
            self._say(str(error))

    def _say(self, reason: str) -> None:
        if reason != self._reason:
            self._reason, self.field.name = reason, "invalid" if reason else ""
            self._tell()
            self._refused(reason)

    def _tell(self) -> None:
        text = "\n".join(filter(None, (self._reason, self._tooltip())))
        if self.field.tooltip != text:
            self.field.tooltip = text
