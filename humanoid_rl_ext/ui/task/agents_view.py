"""The Agents fold: one agent or several that share the robot out, who moves which joints and sees what."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from omni import ui

from humanoid_rl_ext.ui import theme
from humanoid_rl_ext.ui.fields.fold import Fold
from humanoid_rl_ext.ui.fields.row import FieldGroup
from humanoid_rl_ext.ui.release import release
from humanoid_rl_ext.ui.task.agents_model import PATH, AgentsModel
from humanoid_rl_ext.ui.task.known_terms import tell
from humanoid_rl_ext.ui.theme import px
from humanoid_rl_ext.ui.workbench import Workbench

TEAM = "Every robot of the team is an agent. A team is set up in the task's YAML: team."
UNREAD = "The robot is not read yet."


class AgentsView:
    """A fold of the Task section; it is built anew only when agents come or go, or the robot is another one."""

    def __init__(self, workbench: Workbench) -> None:
        self.model = AgentsModel(workbench)
        self._shape = self._seen()
        self._groups: dict[str, FieldGroup] = {}
        self._moves: dict[str, ui.Label] = {}
        self._built = False
        self.fold = Fold(
            "Agents",
            self._build,
            tooltip="Whether one agent moves the robot, or several share it out; 'mappo' and its like teach several",
            identifier="task.Agents",
        )
        self.fold.note = self.model.note

    def refresh(self, paths: set[str]) -> None:
        """Takes over what has changed at ``paths``."""
        self.fold.note = self.model.note
        if self._seen() != self._shape:
            self._shape, self._built = self._seen(), False
            self.fold.rebuild()
            return
        for path in paths:
            for group in self._groups.values():
                group.refresh(path)
        self._show()

    def _seen(self) -> tuple[object, ...]:
        robot = self.model.workbench.robot
        return self.model.names, self.model.team, None if robot is None else tuple(robot.joint_names)

    def _build(self) -> None:
        release([self._groups, self._moves])
        self._groups.clear()
        self._moves.clear()
        with ui.VStack(height=0, spacing=px(theme.SPACING)):
            ui.Spacer(height=px(2))
            if self.model.team:
                ui.Label(TEAM, name="muted", word_wrap=True, height=0)
            else:
                self._build_buttons()
            self._said = ui.Label("", name="error", word_wrap=True, height=0, visible=False, identifier=f"{PATH}:said")
            self._problem = ui.Label(
                "", name="error", word_wrap=True, height=0, visible=False, identifier=f"{PATH}:problem"
            )
            for name in self.model.names:
                self._build_agent(name)
            ui.Spacer(height=px(theme.SPACING))
        self._built = True
        self._show()

    def _build_agent(self, name: str) -> None:
        path = f"{PATH}.{name}"
        ui.Line(height=1)
        with ui.HStack(height=px(theme.ROW_HEIGHT), spacing=px(theme.SPACING)):
            ui.Label(name, name="heading", identifier=f"{path}:label")
            said = "Takes this agent out"
            self._button("Remove", f"{path}:remove", said, lambda: self.model.remove(name), name="flat", width=px(70))
        self._moves[name] = ui.Label(UNREAD, name="small", word_wrap=True, height=0, identifier=f"{path}:moves")
        self._groups[name] = FieldGroup("", self.model.fields(name), self.model.workbench)

    def _build_buttons(self) -> None:
        names, limbs = self.model.names, self.model.limbs()
        if limbs:
            said = f"An agent each for {', '.join(limbs)}"
        else:
            said = UNREAD if self.model.workbench.robot is None else "The robot has no limbs to tell apart"
        with ui.HStack(height=px(theme.ROW_HEIGHT), spacing=px(theme.SPACING)):
            if not names:
                ui.Label("One moves the whole robot.", name="muted")
            split = self._button("Split by limb", f"{PATH}:split", said, self.model.split)
            split.enabled = bool(limbs)
            if names:
                self._add = self._button("Add", f"{PATH}:add", "", self.model.add)
                self._button("One agent", f"{PATH}:join", "Lets one agent move the whole robot", self.model.join)

    def _button(self, text: str, identifier: str, tooltip: str, act: Callable[[], str], **look: Any) -> ui.Button:
        return ui.Button(
            text, tooltip=tooltip, identifier=identifier, clicked_fn=lambda: tell(self._said, act()), **look
        )

    def _show(self) -> None:
        """Says who moves what, and what is wrong with it."""
        if not self._built:
            return
        sharing = self.model.sharing()
        for name, label in self._moves.items():
            own = sharing.joints.get(name)
            if own is not None:
                label.text = f"moves {', '.join(own) or 'nothing'}"
        tell(self._problem, sharing.problem)
        if self.model.names:
            self._add.enabled = bool(sharing.free)
            self._add.tooltip = (
                f"An agent for {', '.join(sharing.free)}" if sharing.free else "Every joint has an agent"
            )
