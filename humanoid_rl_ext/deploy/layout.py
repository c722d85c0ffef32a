"""Which element of an observation is what, and where a controller with another order of joints has it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby

import torch

from humanoid_rl_ext.deploy.torchscript import Interface
from humanoid_rl_ext.env.actions import ActionMap
from humanoid_rl_ext.errors import BadInputError
from humanoid_rl_ext.robot.description import RobotDescription
from humanoid_rl_ext.sim.ordering import canonical_names
from humanoid_rl_ext.task.registry import term
from humanoid_rl_ext.task.schema import ControlSection, Task

PHYSX_AXES = {"x": "0", "y": "1", "z": "2"}


@dataclass(frozen=True, slots=True)
class ObservedTerm:
    """One entry of the policy's observations: its name in the Task, its term, and what each element is."""

    name: str
    term: str
    parts: tuple[str, ...]
    """Joint or body names where the term has them, the actions' joints for the last action, else numbers."""
    joints: bool
    """Whether ``parts`` are joints, which stand in the order of whoever measures them."""

    def ordered(self, joints: Sequence[str]) -> tuple[str, ...]:
        """The parts for a controller with this order of joints."""
        if not self.joints:
            return self.parts
        place = {name: index for index, name in enumerate(joints)}
        return tuple(sorted(self.parts, key=place.__getitem__))


def observed_terms(task: Task, element_names: Sequence[str], action_names: Sequence[str]) -> list[ObservedTerm]:
    """The policy's entries in order, from the names that an environment gives its elements (``joint_pos[knee]``).

    Raises:
        BadInputError: for an entry with a history.
    """
    for name, section in task.observations["policy"].items():
        if section.history > 1:
            raise BadInputError(
                f"observations.policy.{name}.history is {section.history}: a policy that sees the past cannot be "
                "exported for a controller that shows it the present alone"
            )
    split = [(name, part.removesuffix("]")) for name, _, part in (text.rpartition("[") for text in element_names)]
    terms = []
    for name, elements in groupby(split, key=lambda element: element[0]):
        parts = tuple(part for _, part in elements)
        used = task.observations["policy"][name].term or name
        if used == "last_action":
            parts = tuple(action_names)
        of_joints = any(param.type == "joints" for param in term("observation", used).params.values())
        terms.append(ObservedTerm(name, used, parts, used == "last_action" or of_joints))
    return terms


def target_names(described: Sequence[str], dof_names: Sequence[str] | None, robot: str) -> dict[str, str]:
    """The target's spelling of each joint of the description, in the target's order.

    Raises:
        BadInputError: when ``dof_names`` are not all joints of the robot.
    """
    if dof_names is None:
        axes = [name.rpartition(":")[0] for name in described]
        return {name: _physx_name(name, axes.count(axis)) for name, axis in zip(described, axes, strict=True)}
    names = canonical_names(dof_names, described)
    missing = [name for name in described if name not in names]
    unknown = [given for given, name in zip(dof_names, names, strict=True) if name not in described]
    if missing or unknown or len(names) != len(described):
        raise BadInputError(
            f"the joints named are not those of robot '{robot}': missing: {', '.join(missing) or 'none'}; "
            f"unknown: {', '.join(unknown) or 'none'}; {len(names)} named, {len(described)} in the robot"
        )
    return dict(zip(names, dof_names, strict=True))


def _physx_name(name: str, axes: int) -> str:
    """PhysX' name of a joint: a D6 joint's axes carry numbers, but for the only one of a joint."""
    joint, colon, axis = name.rpartition(":")
    if not colon:
        return name
    return joint if axes == 1 else f"{joint}:{PHYSX_AXES.get(axis, axis)}"


def action_scales(control: ControlSection, robot: RobotDescription) -> list[float]:
    """Factor of each action: what an action of one does to joints that rest at zero, in single precision as trained."""
    at_zero = replace(robot, joints=tuple(replace(joint, default=0.0) for joint in robot.joints))
    actions = ActionMap(control, at_zero, 1, torch.device("cpu"))
    targets = actions.targets(torch.ones(1, len(actions.joints)))[0, actions.joints]
    return [float(f"{value:.7g}") for value in targets.tolist()]


def controller_interface(
    task: Task, terms: list[ObservedTerm], action_names: Sequence[str], joints: list[str], shares: list[float]
) -> Interface:
    """How a controller whose robot has its ``joints`` in this order calls the policy; its observations are as measured.

    ``shares`` are the factors of the actions relative to the controller's one action scale.

    Raises:
        BadInputError: for a factor of zero beside others: no last action could be told from the controller's.
    """
    if 0.0 in shares:
        raise BadInputError("control.scale is zero for some joints but not for all: leave those out of control.joints")
    picks: list[int] = []
    gains: list[float] = []
    clips: list[float] = []
    scales: list[float] = []
    start = 0
    for entry in terms:
        stands = joints if entry.term == "last_action" else entry.ordered(joints)
        place = {part: start + index for index, part in enumerate(stands)}
        picks += [place[part] for part in entry.parts]
        gains += [1.0 / share for share in shares] if entry.term == "last_action" else [1.0] * len(entry.parts)
        section = task.observations["policy"][entry.name]
        clips += [section.clip] * len(entry.parts)
        scales += [section.scale] * len(entry.parts)
        start += len(stands)
    places = [action_names.index(name) if name in action_names else len(action_names) for name in joints]
    return Interface(picks, gains, clips, scales, task.control.clip, shares, places)
