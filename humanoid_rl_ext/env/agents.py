"""Which of several agents sees what: a Task's agents as columns of observations and actions."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from humanoid_rl_ext.env.actions import ActionMap
from humanoid_rl_ext.env.tables import ObservationTable
from humanoid_rl_ext.env.transition import AgentSpec
from humanoid_rl_ext.errors import TaskError, did_you_mean
from humanoid_rl_ext.robot.description import RobotDescription
from humanoid_rl_ext.task.control import AgentSection

Owners = frozenset[str]
"""Agents that something belongs to; nobody's where it is empty."""
_ELEMENT = re.compile(r"(?P<entry>.+)\[(?P<part>.+?)(?P<axis>\.[xyz])?(@\d+)?\]")


def agent_specs(
    agents: Mapping[str, AgentSection] | None, robot: RobotDescription, actions: ActionMap, policy: ObservationTable
) -> tuple[AgentSpec, ...]:
    """The agents of a Task with the columns of the group 'policy' that they see and of the actions that they fill.

    Raises:
        TaskError: for an agent that would see nothing, or a pattern that picks no observation.
    """
    if agents is None:
        return ()
    owners = element_owners(robot, actions, policy)
    found = []
    for (name, agent), spec in zip(agents.items(), actions.agents, strict=True):
        columns: set[int] = set()
        for view in agent.views:
            columns |= _seen(view, name, policy.names, owners)
        if not columns:
            raise TaskError(
                f"agents.{name}.observes: nothing of observations.policy is its own; use 'all', or patterns"
            )
        acts = tuple(actions.groups[name]) if spec.kind == "box" else ()
        found.append(AgentSpec(name, tuple(sorted(columns)), spec, acts))
    return tuple(found)


def element_owners(robot: RobotDescription, actions: ActionMap, policy: ObservationTable) -> list[Owners]:
    """For each element of the group 'policy', the agents whose joint or body it is about.

    A body is its joint's, and so are those behind it that no moved joint carries; the base is nobody's.
    """
    of_joint = {actions.names[place]: frozenset({name}) for name, places in actions.groups.items() for place in places}
    of_body: dict[str, Owners] = {}
    for body in robot.bodies:  # the base first, each after the one that carries it
        moved = [of_joint[joint.name] for joint in robot.joints if joint.child == body.name and joint.name in of_joint]
        of_body[body.name] = frozenset().union(*moved) if moved else of_body.get(body.parent or "", frozenset())
    owners: list[Owners] = []
    for element in policy.names:
        match = _ELEMENT.fullmatch(element)
        assert match is not None
        term, part = policy.terms[match["entry"]].spec, match["part"]
        kinds = {param.type for param in term.params.values()}
        if term.name == "last_action":
            owners.append(of_joint[actions.names[int(part)]])
        elif "joints" in kinds:
            owners.append(of_joint.get(part, frozenset()))
        else:
            owners.append(of_body.get(part, frozenset()) if "bodies" in kinds else frozenset())
    return owners


def _seen(view: str, agent: str, names: Sequence[str], owners: Sequence[Owners]) -> set[int]:
    if view == "all":
        return set(range(len(names)))
    if view == "own":
        return {column for column, who in enumerate(owners) if agent in who or not who}
    where = f"agents.{agent}.observes"
    try:
        pattern = re.compile(view)
    except re.error as error:
        raise TaskError(f"{where}: '{view}' is not a regular expression ({error})") from None
    entries = [name.rpartition("[")[0] for name in names]
    columns = {
        column
        for column, (name, entry) in enumerate(zip(names, entries, strict=True))
        if pattern.fullmatch(name) or pattern.fullmatch(entry)
    }
    if not columns:
        raise TaskError(f"{where}: '{view}' picks no observation; {did_you_mean(view, ['own', 'all', *set(entries)])}")
    return columns
