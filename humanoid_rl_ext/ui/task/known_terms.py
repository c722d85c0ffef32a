"""The list of registered terms that can be added to a table, and the line that says why one was not."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from omni import ui

from humanoid_rl_ext.task.registry import TermSpec
from humanoid_rl_ext.ui import theme
from humanoid_rl_ext.ui.fields.spec import humanised
from humanoid_rl_ext.ui.theme import px


def list_terms(terms: Iterable[TermSpec], table: str, add: Callable[[str], None]) -> None:
    """A button for each term, with its help beside it, in the current frame."""
    with ui.VStack(height=0, spacing=px(2)):
        for term in terms:
            with ui.HStack(height=0, spacing=px(theme.SPACING)):
                ui.Button(
                    humanised(term.name),
                    width=px(theme.LABEL_WIDTH),
                    height=px(theme.ROW_HEIGHT),
                    tooltip=term.help,
                    identifier=f"{table}:add:{term.name}",
                    clicked_fn=lambda name=term.name: add(name),
                )
                ui.Label(term.help, name="small", word_wrap=True, height=0)


def tell(problem: ui.Label, reason: str) -> None:
    """Shows a reason, or nothing where there is none."""
    problem.text = reason
    problem.visible = bool(reason)
