"""Joints by patterns: which are meant, what each is given, which agent moves them. Plain Python, for the panel too."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from humanoid_rl_ext.errors import TaskError, did_you_mean
from humanoid_rl_ext.task.control import AgentSection


def picked(pattern: str, names: Sequence[str], where: str) -> list[int]:
    """Indices into ``names`` of what a name or a regular expression picks.

    Raises:
        TaskError: when the pattern is no regular expression or picks nothing.
    """
    try:
        expression = re.compile(pattern)
    except re.error as error:
        raise TaskError(f"{where}: '{pattern}' is not a regular expression ({error})") from None
    chosen = [index for index, name in enumerate(names) if expression.fullmatch(name)]
    if not chosen:
        raise TaskError(f"{where}: '{pattern}' picks nothing; {did_you_mean(pattern, names)}")
    return chosen


def per_joint[Value](values: Value | dict[str, Value], joints: Sequence[str], where: str) -> list[Value]:
    """A value for each joint, of one for all or of a table by patterns, where a later one outdoes an earlier one.

    Raises:
        TaskError: when a pattern picks nothing, or none picks a joint.
    """
    if not isinstance(values, dict):
        return [values] * len(joints)
    found: dict[int, Value] = {}
    for pattern, value in values.items():
        found |= dict.fromkeys(picked(pattern, joints, where), value)
    missing = [name for index, name in enumerate(joints) if index not in found]
    if missing:
        raise TaskError(f"{where}: no pattern covers {', '.join(missing)}; add '.*' first for the rest")
    return [found[index] for index in range(len(joints))]


def joint_groups(agents: Mapping[str, AgentSection], joints: tuple[str, ...]) -> dict[str, list[int]]:
    """For each agent, the places of its joints among ``joints``.

    Raises:
        TaskError: when a joint belongs to two agents or to none.
    """
    owner: dict[str, str] = {}
    groups: dict[str, list[int]] = {}
    for name, agent in agents.items():
        groups[name] = picked(agent.joints, joints, f"agents.{name}.joints")
        for joint in (joints[place] for place in groups[name]):
            if joint in owner:
                raise TaskError(f"agents.{name}.joints: '{joint}' belongs to the agent '{owner[joint]}' already")
            owner[joint] = name
    left = [joint for joint in joints if joint not in owner]
    if left:
        raise TaskError(
            f"agents: nobody moves {', '.join(left)}; give them to an agent, or leave them out of control.joints"
        )
    return groups
