"""Rows and fields that edit values of the draft: made from a spec, refusing what is not allowed in place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from omni import ui

from humanoid_rl_ext.ui import theme
from humanoid_rl_ext.ui.fields.binding import Binding, bind, touches
from humanoid_rl_ext.ui.fields.cells import make_cell
from humanoid_rl_ext.ui.fields.numbers import format_number
from humanoid_rl_ext.ui.fields.spec import FieldSpec
from humanoid_rl_ext.ui.theme import px
from humanoid_rl_ext.ui.workbench import Workbench

UNIT_WIDTH = 46
MARK_WIDTH = 16
"""Width of the column of marks that say 'differs from the preset', before ``px``."""


class Scrub:
    """Lets a drag on a label change a number; it is written once, when the button is let go."""

    def __init__(self, label: ui.Label, binding: Binding, show: Callable[[str | None], None], workbench: Workbench):
        self._binding, self._show, self._workbench = binding, show, workbench
        self._start: tuple[float, float] | None = None
        self._value: float | None = None
        label.set_mouse_pressed_fn(self._pressed)
        label.set_mouse_moved_fn(self._moved)
        label.set_mouse_released_fn(self._released)

    def _pressed(self, x: float, y: float, button: int, modifiers: int) -> None:
        value = self._binding.value
        if button == 0 and isinstance(value, int | float):
            self._start, self._value = (x, value), None

    def _moved(self, x: float, y: float, *_: Any) -> None:
        if self._start is not None and abs(x - self._start[0]) >= 2:
            self._workbench.host.interacted()
            self._value = self._binding.scrubbed(self._start[1], (x - self._start[0]) / theme.scale())
            self._show(format_number(self._value))

    def _released(self, *_: Any) -> None:
        value, self._start, self._value = self._value, None, None
        if value is not None:
            self._binding.set(value)
            self._show(None)


class ResetMark:
    """A dot that says that a value differs from its default, and puts it back when it is clicked."""

    def __init__(self, binding: Binding, identifier: str, after: Callable[[], None]) -> None:
        self._binding, self._after = binding, after
        with ui.ZStack(width=px(MARK_WIDTH)):
            self._stack = ui.ZStack()
            with self._stack:
                ui.Circle(
                    radius=px(4),
                    size_policy=ui.CircleSizePolicy.FIXED,
                    alignment=ui.Alignment.CENTER,
                    style={"background_color": theme.ACCENT},
                )
                self._button = ui.InvisibleButton(
                    identifier=f"{identifier}:reset",
                    clicked_fn=self._reset,
                    mouse_hovered_fn=lambda hovered: self._tell(),
                )
        self.show()

    def show(self) -> None:
        """Shows or hides the dot."""
        self._stack.visible = self._binding.changed

    def _reset(self) -> None:
        self._binding.reset()
        self._after()

    def _tell(self) -> None:
        if self._binding.changed:
            default = self._binding.spec.format(self._binding.default)
            self._button.tooltip = f"Differs from the preset; click to put back {default or 'none'}"


class FieldRow:
    """Label, field, unit and mark of one value, and below them why what was typed is not allowed.

    Built in the current frame. ``binding`` ties it to something else than the draft.
    """

    def __init__(self, spec: FieldSpec, workbench: Workbench, binding: Binding | None = None) -> None:
        self.spec, self.binding = spec, binding or bind(workbench, spec)
        self._why_disabled = ""
        self._frame = ui.VStack(height=0)
        with self._frame:
            with ui.HStack(height=px(theme.ROW_HEIGHT), spacing=px(theme.SPACING)):
                self._label = ui.Label(
                    spec.label,
                    width=px(theme.LABEL_WIDTH),
                    elided_text=True,
                    identifier=f"{spec.path}:label",
                    mouse_hovered_fn=lambda hovered: self._tell(),
                )
                self._cell = make_cell(self.binding, spec.path, self.show)
                ui.Label(spec.unit, name="small", width=px(UNIT_WIDTH))
                self._mark = ResetMark(self.binding, spec.path, self.show)
            self._reason_row = ui.HStack(height=0, visible=False)
            with self._reason_row:
                ui.Spacer(width=px(theme.LABEL_WIDTH + theme.SPACING))
                self._reason = ui.Label("", name="error", word_wrap=True, height=0, identifier=f"{spec.path}:reason")
        if spec.scrubs:
            Scrub(self._label, self.binding, self.show, workbench)
        for widget in self._cell.widgets:
            widget.set_mouse_hovered_fn(lambda hovered: self._tell())
        self._tell()

    @property
    def visible(self) -> bool:
        """Whether the row is shown."""
        return bool(self._frame.visible)

    @visible.setter
    def visible(self, visible: bool) -> None:
        self._frame.visible = visible

    def refresh(self) -> None:
        """Takes over the draft's value, unless the user is typing here."""
        if not self._cell.editing:
            self.binding.refresh()
        self.show()

    def enable(self, enabled: bool, why_not: str = "") -> None:
        """Lets the user edit it or not; the tooltip says why not."""
        self._why_disabled = "" if enabled else why_not
        for widget in self._cell.widgets:
            widget.enabled = enabled
        self._label.name = "" if enabled else "muted"
        self._tell()

    def show(self, text: str | None = None) -> None:
        """Shows what the binding says, or ``text`` in the field while it is dragged."""
        self._cell.show(text)
        self._mark.show()
        reason = self.binding.reason
        if self._reason.text != reason:
            self._reason.text = reason
            self._reason_row.visible = bool(reason)

    def _tell(self) -> None:
        drag = "Drag the name sideways to change it" if self.spec.scrubs else ""
        text = "\n".join(filter(None, (self.binding.tooltip, drag, self._why_disabled)))
        for widget in (self._label, *self._cell.widgets):
            if widget.tooltip != text:
                widget.tooltip = text


class FieldGroup:
    """A heading with rows below it, built in the current frame."""

    def __init__(self, title: str, specs: Sequence[FieldSpec], workbench: Workbench) -> None:
        with ui.VStack(height=0, spacing=px(theme.SPACING)):
            if title:
                ui.Label(title, name="heading", height=px(theme.ROW_HEIGHT))
            self.rows = [FieldRow(spec, workbench) for spec in specs]

    def refresh(self, path: str = "") -> None:
        """Takes over the draft's values at, above and below ``path``; '' for all."""
        for row in self.rows:
            if touches(path, row.spec.path):
                row.refresh()


class NumberField:
    """A field alone, for tables: no label, a fixed width; what is refused is told in the tooltip and by ``refused``.

    Built in the current frame; ``width`` is before ``px``. ``binding`` ties it to something else than the draft;
    ``refused`` gets the reason, or '' once the text is allowed again; without it the workbench says it.
    """

    def __init__(
        self,
        workbench: Workbench,
        spec: FieldSpec,
        width: float,
        binding: Binding | None = None,
        *,
        refused: Callable[[str], None] | None = None,
        identifier: str = "",
    ) -> None:
        self.spec, self.binding = spec, binding or bind(workbench, spec)
        self._refused = refused or (lambda reason: workbench.say(reason, "warning" if reason else "info"))
        self._told = ""
        with ui.HStack(width=px(width), height=px(theme.ROW_HEIGHT)):
            self._cell = make_cell(self.binding, identifier or spec.path, self.show)
        for widget in self._cell.widgets:
            widget.set_mouse_hovered_fn(lambda hovered: self._tell())
        self._tell()

    def refresh(self) -> None:
        """Takes over the value, unless the user is typing here."""
        if not self._cell.editing:
            self.binding.refresh()
        self.show()

    def enable(self, enabled: bool) -> None:
        """Lets the user edit it or not."""
        for widget in self._cell.widgets:
            widget.enabled = enabled

    def show(self, text: str | None = None) -> None:
        """Shows what the binding says."""
        self._cell.show(text)
        if self.binding.reason != self._told:
            self._told = self.binding.reason
            self._refused(f"{self.spec.label}: {self._told}" if self._told else "")
            self._tell()

    def _tell(self) -> None:
        text = "\n".join(filter(None, (self.binding.reason, self.binding.tooltip)))
        for widget in self._cell.widgets:
            if widget.tooltip != text:
                widget.tooltip = text
