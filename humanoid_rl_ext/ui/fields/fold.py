"""A heading that opens and closes what stands below it."""

from __future__ import annotations

from collections.abc import Callable

from omni import ui

from humanoid_rl_ext.ui import theme
from humanoid_rl_ext.ui.theme import px


class Arrow:
    """A small arrow in the middle of the line, which points down when what stands below is open."""

    def __init__(self, size: int = 7) -> None:
        """``size`` before ``px``."""
        with ui.VStack(width=px(8)):
            ui.Spacer()
            self._shape = ui.Triangle(width=px(size), height=px(size), style={"background_color": theme.MUTED})
            ui.Spacer()

    def point(self, opened: bool) -> None:
        """Turns it."""
        self._shape.alignment = ui.Alignment.CENTER_BOTTOM if opened else ui.Alignment.RIGHT_CENTER


class Fold:
    """A heading in the current frame; ``build`` makes what is below it when it is first opened."""

    def __init__(
        self, title: str, build: Callable[[], object], *, tooltip: str, identifier: str, opened: bool = False
    ) -> None:
        self._stale, self.opened = False, False
        with ui.VStack(height=0):
            with ui.ZStack(height=px(theme.ROW_HEIGHT)):
                self._heading = ui.Button(
                    title,
                    height=px(theme.ROW_HEIGHT),
                    alignment=ui.Alignment.LEFT_CENTER,
                    identifier=identifier,
                    tooltip=tooltip,
                    clicked_fn=self.toggle,
                    style={"Button.Label": {"alignment": ui.Alignment.LEFT_CENTER}},
                )
                with ui.HStack():
                    ui.Spacer(width=px(6))
                    self._arrow = Arrow(8)
                    ui.Spacer()
            with ui.HStack(height=0):
                ui.Spacer(width=px(8))
                self._content = ui.Frame(height=0, visible=False)
            ui.Spacer(height=px(2))
        self._build, self._words, self._note = build, title, ""
        self._write()
        self._arrow.point(self.opened)
        if opened:
            self.toggle()

    @property
    def note(self) -> str:
        """A few words beside the title, such as how many entries there are."""
        return self._note

    @note.setter
    def note(self, text: str) -> None:
        if self._note != text:
            self._note = text
            self._write()

    def toggle(self) -> None:
        """Opens or closes it."""
        self.opened = not self.opened
        if self.opened and not self._content.has_build_fn():
            self._content.set_build_fn(self._build)
        elif self.opened and self._stale:
            self._content.rebuild()
        self._stale = self._stale and not self.opened
        self._content.visible = self.opened
        self._arrow.point(self.opened)

    def rebuild(self) -> None:
        """Makes what is below the heading anew, now or when it is next opened."""
        if self.opened:
            self._content.rebuild()
        else:
            self._stale = True

    def _write(self) -> None:
        self._heading.text = f"      {self._words}" + (f"   ({self._note})" if self._note else "")
