"""From what a policy says to what the joints are driven towards."""

from __future__ import annotations

import math

import torch

from humanoid_rl_ext.env.terms import as_slice, pick
from humanoid_rl_ext.errors import TaskError
from humanoid_rl_ext.robot.description import Joint, RobotDescription
from humanoid_rl_ext.sim.engine import TargetMode
from humanoid_rl_ext.task.schema import ControlSection

_MODES: dict[str, TargetMode] = {"joint_position": "position", "joint_velocity": "velocity", "effort": "effort"}


class ActionMap:
    """Turns actions (num_envs, actions) into joint targets (num_envs, joints)."""

    def __init__(self, control: ControlSection, robot: RobotDescription, num_envs: int, device: torch.device) -> None:
        """Raises TaskError when the joint pattern picks nothing, or effort control meets a joint without a limit."""
        names = robot.joint_names
        picks = pick(control.joints, names, None, "control.joints")
        self.joints = list(range(len(names)))[picks] if isinstance(picks, slice) else picks.tolist()
        self.names = tuple(names[index] for index in self.joints)
        self.mode = _MODES[control.type]
        self.clip = control.clip
        self.picks = as_slice(self.joints)
        joints = [robot.joints[index] for index in self.joints]
        scale = _per_joint(control.scale, self.names)
        if self.mode == "effort":
            unlimited = [joint.name for joint in joints if not math.isfinite(joint.effort_limit)]
            if unlimited:
                raise TaskError(
                    f"control.type: effort needs an effort limit for {', '.join(unlimited)}; set robot.joints"
                )
            scale = [factor * joint.effort_limit for factor, joint in zip(scale, joints, strict=True)]
        self._scale = torch.tensor(scale, device=device)
        rest = [joint.default if self.mode == "position" else 0.0 for joint in robot.joints]
        self.bounds = _bounds(self.mode, self.clip, scale, joints)
        """Least and greatest of each action that make a difference."""
        self._targets = torch.tensor(rest, device=device).repeat(num_envs, 1)
        self._offset = torch.tensor([rest[index] for index in self.joints], device=device)

    def clean(self, actions: torch.Tensor, out: torch.Tensor | None = None) -> torch.Tensor:
        """Actions within the clip, anything that is not a number as zero."""
        return torch.clamp(torch.nan_to_num(actions), -self.clip, self.clip, out=out)

    def targets(self, actions: torch.Tensor) -> torch.Tensor:
        """(num_envs, joints) targets in the engine's mode for clean actions; joints not controlled keep their rest."""
        moved = torch.addcmul(self._offset, actions, self._scale)
        if moved.shape == self._targets.shape:
            return moved
        self._targets[:, self.picks] = moved
        return self._targets


def _bounds(
    mode: TargetMode, clip: float, scale: list[float], joints: list[Joint]
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Actions that reach a joint's limits of position or velocity, or its full effort; within the clip."""
    low, high = [], []
    for factor, joint in zip(scale, joints, strict=True):
        if mode == "position":
            ends = (joint.lower - joint.default, joint.upper - joint.default)
        else:
            most = joint.velocity_limit if mode == "velocity" else joint.effort_limit
            ends = (-most, most)
        reached = sorted(end / factor for end in ends) if factor else [0.0, 0.0]
        low.append(max(-clip, reached[0]))
        high.append(min(clip, reached[1]))
    return tuple(low), tuple(high)


def _per_joint(scale: float | dict[str, float], names: tuple[str, ...]) -> list[float]:
    if not isinstance(scale, dict):
        return [scale] * len(names)
    factors: dict[int, float] = {}
    for pattern, factor in scale.items():
        picks = pick(pattern, names, None, "control.scale")
        for index in list(range(len(names)))[picks] if isinstance(picks, slice) else picks.tolist():
            factors[index] = factor
    missing = [name for index, name in enumerate(names) if index not in factors]
    if missing:
        raise TaskError(f"control.scale: no pattern covers {', '.join(missing)}; add '.*' first for the rest")
    return [factors[index] for index in range(len(names))]
