"""Small buttons at the end of a line."""

from __future__ import annotations

from collections.abc import Callable

from omni import ui

from humanoid_rl_ext.ui import theme
from humanoid_rl_ext.ui.theme import px

BUTTON = 18
"""Side of a small button, before ``px``."""


def cross(identifier: str, tooltip: str, clicked: Callable[[], object]) -> None:
    """A small button that removes something."""
    with ui.VStack(width=px(BUTTON)):
        ui.Spacer()
        ui.Button(
            "x",
            name="danger",
            height=px(BUTTON),
            identifier=identifier,
            tooltip=tooltip,
            clicked_fn=clicked,
            style={"padding": 0, "background_color": theme.CLEAR},
        )
        ui.Spacer()


def arrow(up: bool, enabled: bool, identifier: str, tooltip: str, clicked: Callable[[], object]) -> None:
    """A small button that moves something up or down."""
    color = theme.MUTED if enabled else theme.BORDER
    with ui.ZStack(width=px(BUTTON)):
        ui.Button(" ", name="flat", enabled=enabled, identifier=identifier, tooltip=tooltip, clicked_fn=clicked)
        with ui.HStack():
            ui.Spacer()
            with ui.VStack(width=px(8)):
                ui.Spacer()
                ui.Triangle(
                    width=px(8),
                    height=px(7),
                    alignment=ui.Alignment.CENTER_TOP if up else ui.Alignment.CENTER_BOTTOM,
                    style={"background_color": color},
                )
                ui.Spacer()
            ui.Spacer()
