"""The list of what differs from the preset, each with a button that puts it back."""

from __future__ import annotations

from omni import ui

from humanoid_rl_ext.ui import theme
from humanoid_rl_ext.ui.draft import Change
from humanoid_rl_ext.ui.fields.fold import Fold
from humanoid_rl_ext.ui.task.model import TaskModel, short
from humanoid_rl_ext.ui.theme import px


class ChangesView:
    """A fold with one row per change; rows are made anew only when a change comes or goes."""

    def __init__(self, model: TaskModel) -> None:
        self._model = model
        self._changes = model.changes
        self._texts: list[ui.Label] = []
        self.fold = Fold(
            "Changes",
            self._build,
            tooltip="Everything that differs from the preset, the run's settings among it",
            identifier="task.changes",
        )
        self._note()

    def refresh(self) -> None:
        """Takes over what has changed."""
        before, self._changes = self._changes, self._model.changes
        self._note()
        if [change.path for change in before] != [change.path for change in self._changes]:
            self.fold.rebuild()
        else:
            for label, change in zip(self._texts, self._changes, strict=False):
                label.text = _words(change)

    def _note(self) -> None:
        count = len(self._changes)
        self.fold.note = f"{count} from the preset" if count else "none"

    def _build(self) -> None:
        self._texts.clear()
        with ui.VStack(height=0, spacing=px(theme.SPACING)):
            ui.Spacer(height=px(2))
            if not self._changes:
                ui.Label("Everything is as in the preset.", name="muted", height=px(theme.ROW_HEIGHT))
            for index, change in enumerate(self._changes):
                self._build_row(index, change)
            self._problem = ui.Label("", name="error", word_wrap=True, height=0, visible=False)
            ui.Spacer(height=px(2))

    def _build_row(self, index: int, change: Change) -> None:
        with ui.HStack(height=0, spacing=px(theme.SPACING)):
            with ui.VStack(height=0):
                ui.Label(change.path, word_wrap=True, height=0)
                self._texts.append(ui.Label(_words(change), name="small", word_wrap=True, height=0))
            ui.Button(
                "Reset",
                name="flat",
                width=px(60),
                height=px(theme.ROW_HEIGHT),
                tooltip=f"Puts {change.path} back to the preset's {short(change.old)}",
                identifier=f"{change.path}:put_back",
                clicked_fn=lambda: self._put_back(index),
            )

    def _put_back(self, index: int) -> None:
        reason = self._model.put_back(self._changes[index])
        self._problem.text = reason
        self._problem.visible = bool(reason)


def _words(change: Change) -> str:
    if change.old is None and isinstance(change.new, dict):
        return "added"
    if change.new is None and isinstance(change.old, dict):
        return "removed"
    return f"preset {short(change.old)}, now {short(change.new)}"
