"""Moves single joints of the robot in the viewport, without physics, to see what they do and to find a pose."""

from __future__ import annotations

import math
from typing import Protocol

from humanoid_rl_ext.robot.description import Joint
from humanoid_rl_ext.ui.robot.joints import GROUPS, JointTable
from humanoid_rl_ext.ui.workbench import Workbench

SAME = 1e-4  # rad or m


class PosedView(Protocol):
    """What the preview needs of the viewport."""

    preview_joints: dict[str, float]

    def set_preview_joint(self, name: str, value: float) -> None: ...
    def clear_preview(self) -> None: ...


class Preview:
    """Positions of the sliders; the viewport keeps those that differ from the standing pose."""

    def __init__(self, workbench: Workbench, viewport: PosedView, table: JointTable) -> None:
        self._workbench, self._viewport, self._table = workbench, viewport, table

    @property
    def enabled(self) -> bool:
        """Whether the viewport is free for a preview: nothing is trained or played."""
        return self._workbench.state == "idle"

    @property
    def posed(self) -> bool:
        """Whether any joint has been moved."""
        return bool(self._viewport.preview_joints)

    def range(self, joint: Joint) -> tuple[float, float]:
        """The slider's ends: the limits, or half a turn (1 m) either way where there are none."""
        reach = math.pi if joint.type == "revolute" else 1.0
        lower = joint.lower if math.isfinite(joint.lower) else min(-reach, joint.upper - 2 * reach)
        upper = joint.upper if math.isfinite(joint.upper) else max(reach, joint.lower + 2 * reach)
        return (lower if math.isfinite(lower) else -reach), (upper if math.isfinite(upper) else reach)

    def position(self, joint: Joint) -> float:
        """Where the joint is in the viewport (rad or m)."""
        return self._viewport.preview_joints.get(joint.name, joint.default)

    def move(self, joint: Joint, position: float) -> None:
        """Moves a joint in the viewport."""
        if self.enabled and abs(position - self.position(joint)) > SAME:
            lower, upper = self.range(joint)
            self._viewport.set_preview_joint(joint.name, min(max(position, lower), upper))

    def stand(self) -> None:
        """Puts the robot back into its standing pose."""
        self._viewport.clear_preview()

    def adopt(self) -> None:
        """Makes the pose in the viewport the robot's standing pose."""
        pose = {name: round(value, 4) for name, value in self._viewport.preview_joints.items()}
        self._table.write_each(GROUPS["Pose"][0], pose)

    def follow(self) -> None:
        """Forgets what the robot that was just read has as its own pose, or has no joint for."""
        joints = {joint.name: joint for joint in self._workbench.robot.joints} if self._workbench.robot else {}
        kept = {
            name: value
            for name, value in self._viewport.preview_joints.items()
            if name in joints and abs(value - joints[name].default) > SAME
        }
        if kept != self._viewport.preview_joints:
            self._viewport.clear_preview()
            for name, value in kept.items():
                self._viewport.set_preview_joint(name, value)
