"""The joints as a table: which rows and columns show, what stands in a cell, and what is typed into one."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from humanoid_rl_ext.errors import TaskError
from humanoid_rl_ext.robot.description import Joint
from humanoid_rl_ext.robot.overrides import JointOverride, matching
from humanoid_rl_ext.ui.fields.numbers import format_number, parse_number
from humanoid_rl_ext.ui.robot.joint_settings import Settings, by_joint, changed
from humanoid_rl_ext.ui.workbench import Workbench


@dataclass(frozen=True, slots=True)
class Column:
    """One setting of a joint."""

    field: str
    title: str
    endless: float | None = None
    """The value that is written ``none``, where the setting may be without limit."""

    @property
    def help(self) -> str:
        """What the setting is, with its units for joints that turn and that slide."""
        return JointOverride.model_fields[self.field].description or ""


GROUPS: dict[str, tuple[Column, ...]] = {
    "Limits": (
        Column("lower", "lower", -math.inf),
        Column("upper", "upper", math.inf),
        Column("velocity_limit", "speed", math.inf),
    ),
    "Drive": (
        Column("stiffness", "stiffness"),
        Column("damping", "damping"),
        Column("effort_limit", "effort"),
    ),
    "Friction": (
        Column("armature", "armature"),
        Column("friction", "friction"),
        Column("passive_damping", "viscous"),
    ),
    "Pose": (Column("default", "default"),),
}
"""Columns that are shown together, by the name of their button."""

GROUP_HELP = {
    "Limits": "How far and how fast each joint may move",
    "Drive": "The motor of each joint: stiffness, damping and its largest effort",
    "Friction": "What the motor adds in inertia, and what opposes motion",
    "Pose": "The standing pose: try positions with the sliders and keep them",
}
ANGLES = ("lower", "upper", "default", "velocity_limit")
ROUNDING = 1e-3
"""rad or m; a limit is shown rounded, and what is typed after it should not be refused for that."""


class JointTable:
    """Rows are the joints whose name matches ``pattern``; columns are those of ``group``."""

    def __init__(self, workbench: Workbench) -> None:
        self.workbench = workbench
        self.group = "Limits"
        self.pattern = ".*"
        """Matches the whole name of every joint in the table; what is written for all of them is written under it."""
        self.typed = ""

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns of the group that is shown."""
        return GROUPS[self.group]

    @property
    def joints(self) -> list[Joint]:
        """The joints that are shown, in the robot's order."""
        names = set(matching(self.pattern, self._names()))
        return [joint for joint in self._all() if joint.name in names]

    @property
    def count(self) -> int:
        """How many joints the robot has."""
        return len(self._all())

    def filter(self, text: str) -> None:
        """Shows the joints that match a regular expression, or that have the text in their name.

        Raises:
            TaskError: the text is no regular expression, or no joint matches; the table stays as it is.
        """
        text = text.strip()
        pattern = ".*"
        if text:
            try:
                pattern = next(p for p in (text, f".*{text}.*") if matching(p, self._names()))
            except re.error as error:
                raise TaskError(f"'{text}' is not a regular expression: {error}") from None
            except StopIteration:
                raise TaskError(f"no joint has '{text}' in its name") from None
        self.pattern, self.typed = pattern, text

    def text(self, joint: Joint, column: Column) -> str:
        """What stands in a cell: in rad or m, ``none`` where there is no limit."""
        return number_text(getattr(joint, column.field))

    def common_text(self, column: Column) -> str:
        """What stands in the cell for all shown joints: their value if it is one and the same, else nothing."""
        texts = {self.text(joint, column) for joint in self.joints}
        return texts.pop() if len(texts) == 1 else ""

    def tooltip(self, joint: Joint, column: Column) -> str:
        """What the cell is about, the value in degrees where it is an angle, and what was there before a change."""
        lines = [f"{joint.name}: {column.help}"]
        value = getattr(joint, column.field)
        if joint.type == "revolute" and column.field in ANGLES:
            if math.isfinite(value):
                per_second = "/s" if column.field == "velocity_limit" else ""
                lines.append(f"{math.degrees(value):.4g} degrees{per_second}; 90deg may be typed for 1.571")
            else:
                lines.append("90deg may be typed for 1.571")
        if column.endless is not None:
            lines.append("'none' takes the limit away")
        return "\n".join(lines)

    def is_changed(self, joint: Joint, column: Column) -> bool:
        """Whether the cell was given a value other than what the robot's file or the task's preset says."""
        mine = by_joint(self._settings(), [joint.name]).get(joint.name, {})
        return mine.get(column.field) != self._preset(joint.name).get(column.field)

    def write(self, joint: Joint, column: Column, text: str) -> None:
        """Takes what was typed into a cell. Raises TaskError with the reason; nothing has changed then."""
        if text.strip() != self.text(joint, column):
            self._write(joint.name, [joint], column, text)

    def write_all(self, column: Column, text: str) -> None:
        """Takes one value for all joints that are shown; an empty text stands for their various values.

        Raises TaskError as ``write`` does.
        """
        if text.strip() not in ("", self.common_text(column)):
            self._write(self.pattern, self.joints, column, text)

    def write_each(self, column: Column, values: Mapping[str, float]) -> None:
        """Takes a value for each of the named joints, as one edit."""
        settings = self._settings()
        for name, value in values.items():
            settings = changed(settings, self._names(), name, {column.field: value})
        self.workbench.edit("robot.joints", settings)

    def reset(self, joint: Joint) -> None:
        """Puts the shown columns of a joint back to what the robot's file or the task's preset says."""
        preset = self._preset(joint.name)
        before = {column.field: preset.get(column.field) for column in self.columns}
        self.workbench.edit("robot.joints", changed(self._settings(), self._names(), joint.name, before))

    def _write(self, pattern: str, joints: list[Joint], column: Column, text: str) -> None:
        value = parse(text, column, all(joint.type == "revolute" for joint in joints))
        for joint in joints:
            check(joint, column, value)
        self.workbench.edit("robot.joints", changed(self._settings(), self._names(), pattern, {column.field: value}))

    def _all(self) -> tuple[Joint, ...]:
        return self.workbench.robot.joints if self.workbench.robot is not None else ()

    def _names(self) -> list[str]:
        return [joint.name for joint in self._all()]

    def _settings(self) -> Settings:
        return _plain(self.workbench.draft.task.robot.joints)

    def _preset(self, name: str) -> dict[str, Any]:
        """What the task's preset says about a joint of its own robot."""
        preset, mine = self.workbench.draft.preset.robot, self.workbench.draft.task.robot
        settings = _plain(preset.joints) if preset.source == mine.source else {}
        return by_joint(settings, [name]).get(name, {})


def _plain(joints: Mapping[str, JointOverride]) -> Settings:
    return {pattern: own.model_dump(exclude_none=True) for pattern, own in joints.items()}


def number_text(value: float) -> str:
    """A number as a cell shows it, ``none`` for infinity."""
    return format_number(float(f"{value:.4g}")) if math.isfinite(value) else "none"


def parse(text: str, column: Column, turning: bool) -> float:
    """The number that was typed: ``none`` where that is allowed, ``90deg`` where it is an angle; else TaskError."""
    word = text.strip().lower()
    if word in ("none", "inf", "-inf", "+inf"):
        if column.endless is None:
            raise TaskError(f"{column.title} has to be a number")
        return column.endless
    factor = 1.0
    if turning and column.field in ANGLES and (degrees := re.fullmatch(r"(.+?)\s*(deg|degrees|°)", word)):
        word, factor = degrees[1], math.pi / 180
    try:
        return parse_number(word) * factor
    except ValueError as error:
        raise TaskError(f"{column.title} {error}") from None


def check(joint: Joint, column: Column, value: float) -> None:
    """Raises TaskError where the value does not go with the joint's other settings."""
    lower = value if column.field == "lower" else joint.lower
    upper = value if column.field == "upper" else joint.upper
    if column.field in ("lower", "upper") and lower >= upper:
        raise TaskError(f"{joint.name}: lower ({number_text(lower)}) has to be below upper ({number_text(upper)})")
    if column.field == "default" and not lower - ROUNDING <= value <= upper + ROUNDING:
        raise TaskError(
            f"{joint.name}: {number_text(value)} is outside its limits {number_text(lower)} to {number_text(upper)}"
        )
    if column.field not in ("lower", "upper", "default") and value < 0.0:
        raise TaskError(f"{joint.name}: {column.title} cannot be negative")
    if column.field == "velocity_limit" and value == 0.0:
        raise TaskError(f"{joint.name}: a speed limit of zero would lock the joint")
