"""The heading of one stage or schedule: it opens and closes what stands below, and has small buttons beside it."""

from __future__ import annotations

from collections.abc import Callable

from omni import ui

from humanoid_rl_ext.ui.fields.fold import Arrow
from humanoid_rl_ext.ui.theme import px

GAP = 4


class Heading:
    """A button with an arrow, a name and a few words at its right; built in the current frame."""

    def __init__(self, title: str, words: str, tooltip: str, identifier: str, toggle: Callable[[], object]) -> None:
        with ui.ZStack():
            ui.Button(" ", identifier=f"{identifier}:open", tooltip=tooltip, clicked_fn=toggle)
            with ui.HStack(spacing=px(GAP)):
                ui.Spacer(width=px(2))
                self._arrow = Arrow()
                self.title = ui.Label(title, elided_text=True, identifier=f"{identifier}:title", tooltip=tooltip)
                self.words = ui.Label(
                    words,
                    name="small",
                    width=0,
                    alignment=ui.Alignment.RIGHT_CENTER,
                    identifier=f"{identifier}:words",
                    tooltip=tooltip,
                )
                ui.Spacer(width=px(2))

    def point(self, opened: bool) -> None:
        """Turns the arrow."""
        self._arrow.point(opened)


class Below:
    """What stands below a heading, built when it is first shown; ``opened`` holds the names of those that are."""

    def __init__(self, heading: Heading, name: Callable[[], str], opened: set[str], build: Callable[[], None]) -> None:
        """``name`` says what it is called now; ``build`` fills the current frame."""
        self._heading, self._name, self._opened, self._build = heading, name, opened, build
        self._built = False
        self._stack = ui.VStack(height=0, visible=False)
        if name() in opened:
            self.toggle()
        else:
            heading.point(False)

    def toggle(self) -> None:
        """Opens or closes it."""
        opened = not self._stack.visible
        if opened and not self._built:
            self._built = True
            with self._stack:
                self._build()
        self._stack.visible = opened
        (self._opened.add if opened else self._opened.discard)(self._name())
        self._heading.point(opened)


class Reason:
    """A line that says why something was refused; it takes no room while nothing was."""

    def __init__(self, identifier: str, name: str = "error") -> None:
        self._label = ui.Label("", name=name, word_wrap=True, height=0, visible=False, identifier=identifier)

    def say(self, reason: str) -> None:
        """Shows a reason, or nothing where there is none."""
        if self._label.text != reason:
            self._label.text = reason
            self._label.visible = bool(reason)
