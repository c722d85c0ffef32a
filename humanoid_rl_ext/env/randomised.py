"""What the targets of randomisations stand for: which of an engine's properties they change, and how."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from humanoid_rl_ext.task.schema import Task

Change = Literal["scale", "add", "set"]


@dataclass(frozen=True, slots=True)
class Target:
    """The properties that a quantity changes alike, per picked joint or body where ``per`` says so."""

    properties: tuple[str, ...]
    change: Change
    per: Literal["joints", "bodies", ""] = ""
    optional: tuple[str, ...] = ()
    """Properties that are changed as well where the engine has them."""


TARGETS: dict[str, Target] = {
    "mass": Target(("mass", "inertia"), "scale", "bodies"),
    "com": Target(("com",), "add", "bodies"),
    "friction": Target(("dynamic_friction",), "scale", optional=("static_friction",)),
    "restitution": Target(("restitution",), "set"),
    "joint_stiffness": Target(("joint_stiffness",), "scale", "joints"),
    "joint_damping": Target(("joint_damping",), "scale", "joints"),
    "joint_armature": Target(("joint_armature",), "scale", "joints"),
    "joint_friction": Target(("joint_friction",), "add", "joints"),
    "motor_strength": Target(("joint_stiffness", "joint_damping", "joint_effort_limit"), "scale", "joints"),
    "gravity": Target(("gravity",), "set"),
    "action_delay": Target(("action_delay",), "set"),
}
"""Targets that are properties; ``wrench`` and ``action`` are none, the rest belong to the robot's state."""
CONTACT = {"static_friction", "dynamic_friction", "restitution"}
"""Properties that a contact has from both sides."""


def contacts_vary(task: Task) -> bool:
    """Whether friction or restitution is randomised: contacts then have the robot's own alone, see SceneSettings."""
    targets = {section.spec.target for section in task.randomisation.values() if section.enabled}
    return bool(targets & {"friction", "restitution"})
