"""A list of values to choose from, with a field that searches it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from omni import ui

from humanoid_rl_ext.ui import theme
from humanoid_rl_ext.ui.curriculum.paths import Target
from humanoid_rl_ext.ui.theme import px

SHOWN = 12
"""Lines at a time; more are found by typing."""


class PathPicker:
    """Built in the current frame; ``choose`` gets what is clicked, ``interacted`` is called for every key."""

    def __init__(
        self,
        found: Sequence[Target],
        identifier: str,
        choose: Callable[[Target], object],
        interacted: Callable[[], object],
    ) -> None:
        self._interacted = interacted
        with ui.ZStack():
            ui.Rectangle(name="plot")
            with ui.HStack(height=0):
                ui.Spacer(width=px(4))
                with ui.VStack(height=0, spacing=px(1)):
                    ui.Spacer(height=px(3))
                    self._build_search(identifier)
                    self._lines = [(target, _line(target, identifier, choose)) for target in found]
                    self._note = ui.Label("", name="small", word_wrap=True, height=0)
                    ui.Spacer(height=px(3))
                ui.Spacer(width=px(4))
        self._filter("")

    def _build_search(self, identifier: str) -> None:
        with ui.ZStack(height=px(theme.ROW_HEIGHT)):
            field = ui.StringField(
                identifier=f"{identifier}:search",
                tooltip="Type part of a name, such as 'velocity'; only what can change while training is listed",
            )
            with ui.HStack():
                ui.Spacer(width=px(6))
                self._hint = ui.Label("Find a value ...", name="muted")
        field.model.add_value_changed_fn(self._search)

    def _search(self, model: Any) -> None:
        self._interacted()
        self._filter(model.as_string)

    def _filter(self, text: str) -> None:
        self._hint.visible = not text
        shown = hidden = 0
        for target, line in self._lines:
            matches = target.matches(text)
            line.visible = matches and shown < SHOWN
            shown += line.visible
            hidden += matches and not line.visible
        if hidden:
            self._note.text = f"{hidden} more; type to find them"
        else:
            self._note.text = "" if shown else f"Nothing that can change while training is called '{text}'."
        self._note.visible = bool(self._note.text)


def _line(target: Target, identifier: str, choose: Callable[[Target], object]) -> ui.HStack:
    line = ui.HStack(height=px(theme.ROW_HEIGHT - 2), spacing=px(theme.SPACING))
    with line, ui.ZStack():
        ui.Button(
            " ",
            name="flat",
            identifier=f"{identifier}:{target.path}",
            tooltip=target.help,
            clicked_fn=lambda: choose(target),
        )
        with ui.HStack(spacing=px(theme.SPACING)):
            ui.Spacer(width=px(4))
            ui.Label(target.title, elided_text=True, style={"font_size": px(theme.FONT_SMALL)}, tooltip=target.help)
            ui.Label(target.group, name="small", width=px(110), alignment=ui.Alignment.RIGHT_CENTER)
            ui.Spacer(width=px(4))
    return line
