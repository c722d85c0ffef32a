"""The user's hand on the watched environment: which command is driven, pushes, and its reward terms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from humanoid_rl_ext.ui.policy.bars import TermBars
from humanoid_rl_ext.ui.policy.drive import Component, Drive, components

if TYPE_CHECKING:
    from humanoid_rl_ext.task.schema import Task
    from humanoid_rl_ext.train.watch import Watch

LOOK_S = 0.15
"""Time between two looks at the reward terms and the task's command."""
MAX_PUSH = 5.0  # m/s
PUSHES = {"forward": (1.0, 0.0), "back": (-1.0, 0.0), "left": (0.0, 1.0), "right": (0.0, -1.0)}
"""Directions in the robot's frame: x forward, y left."""


class Control:
    """Drives, pushes and reads whatever environment is watched."""

    def __init__(self) -> None:
        self.commands: list[str] = []
        """Names of the commands that can be driven."""
        self.command = ""
        """The one that keys and sliders move."""
        self.drive = Drive([])
        self.push_speed = 1.0
        self.bars = TermBars()
        self._watch: Watch | None = None
        self._task: Task | None = None
        self._components: dict[str, list[Component]] = {}
        self._given: list[float] | None = None
        self._looked_at = 0.0

    @property
    def watching(self) -> bool:
        """Whether there is anything to drive, push and read."""
        return self._watch is not None

    @property
    def can_push(self) -> bool:
        """Whether the watched robot has a base that moves."""
        return self._watch is not None and not self._watch.env.engine.robot.fixed_base

    def on_key(self, key: int, modifiers: int, pressed: bool) -> bool:
        """Takes a key of the window (GLFW codes); whether it drives."""
        return self.drive.on_key(key, modifiers, pressed and self._watch is not None)

    def choose_command(self, name: str) -> None:
        """Drives another command; the one before goes back to the task."""
        self.release()
        self.command = name
        self.drive = Drive(self._components.get(name, []))

    def release(self) -> None:
        """Gives the command back to the task."""
        self.drive.release()
        if self._watch is not None and self._given is not None:
            self._watch.drive(self.command, None)
        self._given = None

    def push(self, direction: str) -> None:
        """Shoves the robot with ``push_speed`` (m/s) in one of ``PUSHES``."""
        if self._watch is not None and self.can_push:
            forward, left = PUSHES[direction]
            self._watch.push((forward * self.push_speed, left * self.push_speed, 0.0))

    def tick(self, watch: Watch | None, now: float) -> bool:
        """Hands driven values on, at ``now`` (s); whether there is another watch, or other commands, than before."""
        changed = self._follow(watch)
        self.drive.tick(now)
        if watch is not None and self.drive.active and self.drive.values != self._given:
            watch.drive(self.command, self.drive.values)
            self._given = list(self.drive.values)
        return changed

    def look(self, now: float) -> bool:
        """Reads the terms and the task's own command, if that is due; whether it was."""
        watch = self._watch
        if watch is None or now - self._looked_at < LOOK_S:
            return False
        self._looked_at = now
        if not self.drive.active and self.command:
            self.drive.mirror(watch.env.view.commands[self.command][watch.env.num_envs].tolist())
        self.bars.take(watch.terms())
        return True

    def _follow(self, watch: Watch | None) -> bool:
        task = watch.env.task if watch is not None else None
        other = watch is not self._watch
        if not other and task is self._task:
            return False
        if other:
            self.bars.clear()
            self._given = None
        found = (
            {name: components(section) for name, section in task.commands.items() if section.enabled}
            if task is not None
            else {}
        )
        self._watch, self._task = watch, task
        if found == self._components:
            return other
        self._components, self.commands = found, list(found)
        self.choose_command(self.command if self.command in found else next(iter(found), ""))
        return True
