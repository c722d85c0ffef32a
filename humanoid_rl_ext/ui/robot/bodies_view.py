"""The table of bodies: mass, and a button per role."""

from __future__ import annotations

from functools import partial

from omni import ui

from humanoid_rl_ext.robot.description import Body, Role
from humanoid_rl_ext.ui import theme
from humanoid_rl_ext.ui.robot.bodies import ROLES
from humanoid_rl_ext.ui.robot.model import RobotModel
from humanoid_rl_ext.ui.theme import px

MASS_WIDTH, ROLE_WIDTH = 66, 46


class BodiesView:
    """Built in the current frame; rows are made anew for other bodies."""

    def __init__(self, model: RobotModel) -> None:
        self._model = model
        self._roles: dict[tuple[str, Role], ui.Button] = {}
        self._build()

    def show(self) -> None:
        """Shows which roles are played now."""
        for body in self._model.bodies.bodies:
            for role in ROLES:
                if (body.name, role) in self._roles:
                    button = self._roles[body.name, role]
                    button.name = "on" if role in body.roles else "flat"
                    button.tooltip = self._model.bodies.tooltip(body, role)

    def _build(self) -> None:
        with ui.VStack(height=0, spacing=px(2), style={"Button.Label::flat": {"color": theme.MUTED}}):
            with ui.HStack(height=px(20), spacing=px(theme.SPACING)):
                ui.Label("body", name="small")
                ui.Label("mass", name="small", width=px(MASS_WIDTH))
                ui.Label("role: press to give it or take it away", name="small", width=px(4 * (ROLE_WIDTH + 4) - 4))
            for body in self._model.bodies.bodies:
                self._build_row(body)

    def _build_row(self, body: Body) -> None:
        with ui.HStack(height=px(theme.ROW_HEIGHT), spacing=px(theme.SPACING)):
            ui.Label(body.name, elided_text=True, tooltip=f"{body.name}, carried by {body.parent or 'nothing'}")
            ui.Label(f"{body.mass:.3g} kg", name="muted", width=px(MASS_WIDTH), tooltip="From the robot's file")
            for role in ROLES:
                self._roles[body.name, role] = ui.Button(
                    role,
                    name="on" if role in body.roles else "flat",
                    width=px(ROLE_WIDTH),
                    identifier=f"robot.roles.{body.name}.{role}",
                    tooltip=self._model.bodies.tooltip(body, role),
                    clicked_fn=partial(self._model.toggle_role, body.name, role),
                )
