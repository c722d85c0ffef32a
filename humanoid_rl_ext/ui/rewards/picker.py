"""The list of rewards that can be added, with a field that searches it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from omni import ui

from humanoid_rl_ext.ui import theme
from humanoid_rl_ext.ui.rewards.model import Candidate, RewardsModel
from humanoid_rl_ext.ui.theme import px

NAME_WIDTH = 128


class Picker:
    """Built in the current frame, hidden; ``added`` is called after something was added.

    Its lines are made when it is shown; the search hides those that it does not find.
    """

    def __init__(self, model: RewardsModel, added: Callable[[], None]) -> None:
        self._model, self._added = model, added
        self._lines: list[tuple[Candidate, ui.HStack]] = []
        self._text = ""
        self._frame = ui.Frame(height=0, visible=False)

    @property
    def shown(self) -> bool:
        """Whether it is on the screen."""
        return bool(self._frame.visible)

    def show(self, shown: bool) -> None:
        """Shows everything that can be added, or hides it."""
        self._frame.visible = shown
        self._text = ""
        self.renew()

    def renew(self) -> None:
        """Lists anew what can be added, if it is shown."""
        if not self.shown:
            return
        if self._frame.has_build_fn():
            self._frame.rebuild()
        else:
            self._frame.set_build_fn(self._build)

    def _build(self) -> None:
        candidates = self._model.candidates()
        with ui.VStack(height=0, spacing=px(theme.SPACING)):
            with ui.ZStack(height=px(theme.ROW_HEIGHT)):
                field = ui.StringField(
                    identifier="rewards.search", tooltip="Type part of a term's name or description, such as 'foot'"
                )
                field.model.set_value(self._text)
                with ui.HStack():
                    ui.Spacer(width=px(6))
                    self._hint = ui.Label("Find a reward term ...", name="muted", visible=not self._text)
            field.model.add_value_changed_fn(self._search)
            self._problem = ui.Label(
                "", name="error", word_wrap=True, height=0, visible=False, identifier="rewards.add:problem"
            )
            self._lines = [(candidate, self._build_line(candidate)) for candidate in candidates]
            self._none = ui.Label("", name="muted", word_wrap=True, height=0, visible=False)
        self._filter()

    def _build_line(self, candidate: Candidate) -> ui.HStack:
        line = ui.HStack(height=0, spacing=px(6))
        with line:
            with ui.VStack(width=px(NAME_WIDTH), height=0):
                ui.Button(
                    candidate.name,
                    height=px(theme.ROW_HEIGHT - 2),
                    enabled=not candidate.obstacle,
                    identifier=f"rewards.add.{candidate.name}",
                    tooltip=candidate.obstacle or f"Adds {candidate.name}: {candidate.origin}",
                    clicked_fn=lambda: self._add(candidate),
                    style={"Button.Label": {"font_size": px(theme.FONT_SMALL)}},
                )
            with ui.VStack(height=0):
                ui.Label(candidate.term.help, name="small", word_wrap=True, height=0, style={"color": theme.TEXT})
                note = candidate.obstacle or candidate.origin
                ui.Label(f"{note[:1].upper()}{note[1:]}", name="small", word_wrap=True, height=0)
        return line

    def _search(self, model: Any) -> None:
        self._model.workbench.host.interacted()
        self._text = model.as_string
        self._hint.visible = not self._text
        self._filter()

    def _filter(self) -> None:
        shown = 0
        for candidate, line in self._lines:
            line.visible = candidate.matches(self._text)
            shown += line.visible
        self._none.visible = not shown
        self._none.text = "" if shown else f"No reward term has '{self._text}' in its name or description."

    def _add(self, candidate: Candidate) -> None:
        reason = self._model.add(candidate)
        self._problem.text = reason
        self._problem.visible = bool(reason)
        if not reason:
            self._added()
