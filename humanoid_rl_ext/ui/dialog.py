"""Windows that ask something and hold everything else until they are answered; made once and used again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from itertools import count

from omni import ui

from humanoid_rl_ext.ui import theme
from humanoid_rl_ext.ui.theme import px

WIDTH = 420
ENTER, KEYPAD_ENTER, ESCAPE = 257, 335, 256
"""Codes of keys as windows tell them."""
_number = count()

Action = tuple[str, Callable[[], object]] | tuple[str, Callable[[], object], str]
"""A button's text, what it does, and its style's name (``primary``, ``danger``; the first button is primary)."""


class Modal:
    """A window in the middle, in front of all others; ``build`` fills its frame anew whenever it is opened.

    ``enter`` is called for the Enter key, ``escape`` for Escape. ``height`` 0 fits the window to what is in it.
    """

    def __init__(
        self,
        name: str,
        width: float,
        height: float,
        build: Callable[[], None],
        enter: Callable[[], object],
        escape: Callable[[], object],
    ) -> None:
        self._name, self._size, self._build = f"{name}##modal{next(_number)}", (width, height or 160), build
        self._fits = not height
        self._content: ui.VStack | None = None
        self._keys = {ENTER: enter, KEYPAD_ENTER: enter, ESCAPE: escape}
        self.window: ui.Window | None = None
        """The window, once it has been opened for the first time."""

    @property
    def visible(self) -> bool:
        """Whether it is open."""
        return self.window is not None and bool(self.window.visible)

    def open(self) -> None:
        """Shows the window."""
        if self.window is None:
            self.window = self._make()
        self.window.frame.style = theme.style()
        self.window.width = px(self._size[0])
        self.window.height = px(self._size[1])
        self.window.visible = True
        self.window.frame.rebuild()
        self._centre()

    def close(self) -> None:
        """Hides the window."""
        if self.window is not None:
            self.window.visible = False

    def destroy(self) -> None:
        """Lets go of the window; ``open`` makes a new one."""
        if self.window is not None:
            self.window.destroy()
            self.window = self._content = None

    def _make(self) -> ui.Window:
        flags = (
            ui.WINDOW_FLAGS_MODAL
            | ui.WINDOW_FLAGS_NO_TITLE_BAR
            | ui.WINDOW_FLAGS_NO_RESIZE
            | ui.WINDOW_FLAGS_NO_MOVE
            | ui.WINDOW_FLAGS_NO_SCROLLBAR
            | ui.WINDOW_FLAGS_NO_COLLAPSE
            | ui.WINDOW_FLAGS_NO_DOCKING
            | ui.WINDOW_FLAGS_NO_SAVED_SETTINGS
        )
        window = ui.Window(self._name, flags=flags, visible=False)
        window.padding_x = window.padding_y = 0
        window.frame.set_build_fn(self._fill)
        window.set_key_pressed_fn(self._key)
        return window

    def _fill(self) -> None:
        margin = px(12)
        with ui.HStack():
            ui.Spacer(width=margin)
            self._content = ui.VStack(height=0 if self._fits else ui.Fraction(1))
            with self._content:
                ui.Spacer(height=margin)
                self._build()
                ui.Spacer(height=margin)
            ui.Spacer(width=margin)
        if self._fits:
            self._content.set_computed_content_size_changed_fn(self._fit)

    def _fit(self) -> None:
        if self.window is not None and self._content is not None:
            self.window.height = self._content.computed_height
            self._centre()

    def _centre(self) -> None:
        if self.window is not None:
            scale = ui.Workspace.get_dpi_scale() or 1.0
            width, height = ui.Workspace.get_main_window_width(), ui.Workspace.get_main_window_height()
            self.window.position_x = max(0, (width / scale - self.window.width) // 2)
            self.window.position_y = max(0, (height / scale - self.window.height) // 2)

    def _key(self, key: int, modifiers: int, pressed: bool) -> None:
        if pressed and key in self._keys and self.visible:
            self._keys[key]()


class Dialog:
    """A question with buttons under it, and a text field where a text is asked for."""

    def __init__(self, name: str = "Dialog") -> None:
        self._modal = Modal(name, WIDTH, 0, self._build, self._enter, self.close)
        self._title, self._text = "", ""
        self._actions: list[Action] = []
        self._answer: str | None = None
        self._check: Callable[[str], str] = lambda answer: ""
        self._field: ui.StringField | None = None
        self._reason: ui.Label | None = None

    @property
    def window(self) -> ui.Window | None:
        """The window, once something has been asked."""
        return self._modal.window

    @property
    def visible(self) -> bool:
        """Whether a question is open."""
        return self._modal.visible

    def confirm(self, title: str, text: str, actions: Sequence[Action]) -> None:
        """Asks with a button per action; Enter takes the primary one, Escape none. A lone action gets a Cancel."""
        self._title, self._text, self._answer = title, text, None
        self._actions = [*actions, ("Cancel", lambda: None, "")] if len(actions) == 1 else list(actions)
        self._modal.open()

    def ask_text(
        self,
        title: str,
        text: str,
        answer: str,
        done: Callable[[str], object],
        check: Callable[[str], str] = lambda answer: "",
    ) -> None:
        """Asks for a text, ``answer`` to begin with; ``done`` gets it. ``check`` says why one is refused."""
        self._title, self._text, self._answer, self._check = title, text, answer, check
        self._actions = [("OK", lambda: done(self._given()), "primary"), ("Cancel", lambda: None, "")]
        self._modal.open()

    def close(self) -> None:
        """Gives the question up."""
        self._modal.close()

    def destroy(self) -> None:
        """Lets go of the window."""
        self._modal.destroy()

    def _build(self) -> None:
        with ui.VStack(spacing=px(8)):
            ui.Label(self._title, name="heading", word_wrap=True, height=0)
            if self._text:
                ui.Label(self._text, word_wrap=True, height=0, identifier="dialog.text")
            if self._answer is not None:
                self._field = ui.StringField(
                    height=px(theme.ROW_HEIGHT), identifier="dialog.answer", tooltip="Enter takes it, Escape gives up"
                )
                self._field.model.set_value(self._answer)
                self._field.focus_keyboard()
                self._reason = ui.Label("", name="error", word_wrap=True, height=0, visible=False)
            ui.Spacer(height=px(16))  # a wrapped text may be a line higher than omni.ui thinks
            with ui.HStack(height=px(theme.ROW_HEIGHT + 2), spacing=px(8)):
                ui.Spacer()
                for index, (label, *_) in enumerate(self._actions):
                    ui.Button(
                        label,
                        name=_style(self._actions, index),
                        width=px(max(80, 9 * len(label) + 24)),
                        identifier=f"dialog.{label}",
                        tooltip="Enter" if _style(self._actions, index) == "primary" else "",
                        clicked_fn=lambda index=index: self._take(index),
                    )

    def _enter(self) -> None:
        styles = [_style(self._actions, index) for index in range(len(self._actions))]
        if "primary" in styles:
            self._take(styles.index("primary"))

    def _take(self, index: int) -> None:
        if self._answer is not None and index == 0 and (reason := self._check(self._given())):
            self._refuse(reason)
            return
        self.close()
        self._actions[index][1]()

    def _given(self) -> str:
        return str(self._field.model.as_string).strip() if self._field is not None else ""

    def _refuse(self, reason: str) -> None:
        if self._field is not None and self._reason is not None:
            self._field.name, self._reason.text, self._reason.visible = "invalid", reason, True
            self._field.focus_keyboard()


def _style(actions: Sequence[Action], index: int) -> str:
    action = actions[index]
    return action[2] if len(action) == 3 else "primary" if index == 0 else ""


@cache
def _shared() -> Dialog:
    return Dialog()


def confirm(title: str, text: str, actions: Sequence[Action]) -> None:
    """Asks as ``Dialog.confirm`` does, in a window that all of the panel shares."""
    _shared().confirm(title, text, actions)


def ask_text(
    title: str,
    text: str,
    answer: str,
    done: Callable[[str], object],
    check: Callable[[str], str] = lambda answer: "",
) -> None:
    """Asks as ``Dialog.ask_text`` does, in a window that all of the panel shares."""
    _shared().ask_text(title, text, answer, done, check)


def shared_window() -> ui.Window | None:
    """The window that ``confirm`` and ``ask_text`` use, once something has been asked."""
    return _shared().window


def destroy_shared() -> None:
    """Lets go of that window."""
    _shared().destroy()
