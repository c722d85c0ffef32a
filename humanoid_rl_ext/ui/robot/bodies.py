"""The bodies as a table, with the roles that each of them plays."""

from __future__ import annotations

from humanoid_rl_ext.robot.description import Body, Role
from humanoid_rl_ext.ui.workbench import Workbench

ROLES: dict[Role, str] = {
    "base": "carries the robot: its height, tilt and speed are the robot's (one body)",
    "foot": "touches the ground: gaits and foot contacts are about these",
    "hand": "reaches for targets",
    "head": "the head",
}
"""Each role with what it means for a task."""


class BodyTable:
    """One row per body; a role is played or not."""

    def __init__(self, workbench: Workbench) -> None:
        self.workbench = workbench

    @property
    def bodies(self) -> tuple[Body, ...]:
        """The robot's bodies, the base first."""
        return self.workbench.robot.bodies if self.workbench.robot is not None else ()

    def tooltip(self, body: Body, role: Role) -> str:
        """What a press on the role's button does."""
        if role == "base" and role in body.roles:
            return f"{body.name} is the base; press the button of another body to change that"
        verb = "is no longer" if role in body.roles else "becomes"
        return f"{body.name} {verb} a {role}: {ROLES[role]}" if role != "base" else f"{body.name} becomes the base"

    def toggle(self, body: str, role: Role) -> None:
        """Gives a body a role or takes it away; the base moves to the body. Raises TaskError where that cannot be."""
        robot = self.workbench.robot
        if robot is None or (role == "base" and body in robot.with_role(role)):
            return
        players = {body} if role == "base" else {*robot.with_role(role)} ^ {body}
        roles = self.workbench.draft.task.robot.model_dump()["roles"]
        self.workbench.edit("robot.roles", {**roles, role: [name for name in robot.body_names if name in players]})
