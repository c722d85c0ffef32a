"""What a press of a button can mend of a robot's warnings, as edits of a task; the other warnings need the file."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from humanoid_rl_ext.robot.description import Joint, RobotDescription, Warning
from humanoid_rl_ext.robot.overrides import RobotOverrides

Edit = tuple[str, Any]
"""A path of a task, such as ``robot.joints``, and the value to put there."""


@dataclass(frozen=True, slots=True)
class Fix:
    """One way out of a kind of warning."""

    label: str
    """What stands on the button."""
    help: str
    """What the edits do."""
    edits: Callable[[Warning, RobotDescription, RobotOverrides], list[Edit]]
    """The edits for a warning of this kind, given the robot and what the task says about it."""


def find_fix(warning: Warning) -> Fix | None:
    """The way out of a warning; None where only the file can be mended, or nothing has to be."""
    return FIXES.get(warning.code)


def _keep_gains(warning: Warning, robot: RobotDescription, task: RobotOverrides) -> list[Edit]:
    driven = [joint for joint in robot.joints if joint.stiffness or joint.damping]
    return _with_settings(task, _meant(warning, driven), "stiffness", "damping")


def _keep_efforts(warning: Warning, robot: RobotDescription, task: RobotOverrides) -> list[Edit]:
    return _with_settings(task, _meant(warning, [j for j in robot.joints if j.effort_limit]), "effort_limit")


def _limit_to_a_turn(warning: Warning, robot: RobotDescription, task: RobotOverrides) -> list[Edit]:
    endless = [j for j in robot.joints if j.type == "revolute" and j.upper == math.inf and j.lower == -math.inf]
    joints = _plain(task)
    for joint in _meant(warning, endless):
        joints[joint.name] = {**joints.get(joint.name, {}), "lower": -round(math.pi, 4), "upper": round(math.pi, 4)}
    return [("robot.joints", joints)]


def _free_the_base(warning: Warning, robot: RobotDescription, task: RobotOverrides) -> list[Edit]:
    return [("robot.fixed_base", False)]


FIXES = {
    "no_drive": Fix("Keep these gains", "Writes the gains that were worked out into the task", _keep_gains),
    "no_gains": Fix("Keep these gains", "Writes the gains that were worked out into the task", _keep_gains),
    "effort_limit_missing": Fix(
        "Keep these efforts", "Writes the effort limits that were estimated into the task", _keep_efforts
    ),
    "limits_missing": Fix(
        "Limit to a turn", "Lets these joints turn by half a turn either way, and no further", _limit_to_a_turn
    ),
    "fixed_base": Fix("Free the base", "Takes the robot off the world, so that it stands on its feet", _free_the_base),
}


def _meant(warning: Warning, candidates: Sequence[Joint]) -> list[Joint]:
    """Those of the joints that the warning is about: the ones it names, or all where it only counts the rest."""
    if re.search(r" and \d+ more\b", warning.message):
        return list(candidates)
    words = set(re.split(r"[\s,]+|:\s", warning.message))
    return [joint for joint in candidates if joint.name in words]


def _with_settings(task: RobotOverrides, joints: list[Joint], *fields: str) -> list[Edit]:
    settings = _plain(task)
    for joint in joints:
        said = {field: getattr(joint, field) for field in fields}
        settings[joint.name] = {**settings.get(joint.name, {}), **said}
    return [("robot.joints", settings)]


def _plain(task: RobotOverrides) -> dict[str, dict[str, Any]]:
    return {pattern: own.model_dump(exclude_none=True) for pattern, own in task.joints.items()}
