"""What the Agents fold shows: who moves which joints, what is wrong with that, and ways to share a robot out."""

from __future__ import annotations

from dataclasses import dataclass

from humanoid_rl_ext.env.picking import joint_groups, picked
from humanoid_rl_ext.errors import TaskError
from humanoid_rl_ext.robot.limbs import limbs, pattern_of
from humanoid_rl_ext.task.control import AgentSection
from humanoid_rl_ext.ui.fields.binding import tried
from humanoid_rl_ext.ui.fields.spec import FieldSpec, model_fields
from humanoid_rl_ext.ui.workbench import Workbench

PATH = "agents"


@dataclass(frozen=True, slots=True)
class Sharing:
    """Who moves what, as far as it is known: without a robot nothing is."""

    joints: dict[str, list[str]]
    """For each agent, the joints that it moves."""
    free: list[str]
    """Joints that nobody moves."""
    problem: str = ""
    """Why a run cannot start with this; empty where it can."""


class AgentsModel:
    """All logic of the fold; the draft lives in the workbench."""

    def __init__(self, workbench: Workbench) -> None:
        self.workbench = workbench

    @property
    def names(self) -> tuple[str, ...]:
        """The agents that share the robot; none where one moves everything, or where robots are a team."""
        return tuple(self.workbench.draft.task.agents or ())

    @property
    def team(self) -> int:
        """How many robots are a team; 0 where there is one robot."""
        task = self.workbench.draft.task
        return task.team_size if task.team is not None else 0

    @property
    def note(self) -> str:
        """The fold's heading in a few words."""
        return f"a team of {self.team} robots" if self.team else str(len(self.names) or "one")

    def fields(self, name: str) -> list[FieldSpec]:
        """What can be edited of an agent."""
        return model_fields(AgentSection, f"{PATH}.{name}")

    def sharing(self) -> Sharing:
        """Which joints the agents move."""
        agents = self.workbench.draft.task.agents
        if self.workbench.robot is None or agents is None:
            return Sharing({}, [])
        moved = self._moved()
        joints = {name: _picked(agent.joints, moved) for name, agent in agents.items()}
        owned = {joint for own in joints.values() for joint in own}
        problem = ""
        try:
            joint_groups(agents, tuple(moved))
        except TaskError as error:
            problem = str(error)
        return Sharing(joints, [joint for joint in moved if joint not in owned], problem)

    def limbs(self) -> dict[str, list[str]]:
        """The joints that move each limb; empty where there are fewer than two, or the robot is not known yet."""
        if self.workbench.robot is None:
            return {}
        moved = self._moved()
        found = {name: [joint for joint in own if joint in moved] for name, own in limbs(self.workbench.robot).items()}
        found = {name: own for name, own in found.items() if own}
        return found if len(found) > 1 else {}

    def split(self) -> str:
        """Gives every limb an agent; why that is not possible, or ''."""
        moved = self._moved()
        return tried(
            self.workbench, PATH, {name: {"joints": pattern_of(own, moved)} for name, own in self.limbs().items()}
        )

    def add(self) -> str:
        """Gives the joints that nobody moves an agent; why that is not possible, or ''."""
        free = self.sharing().free
        limb = [name for name, own in self.limbs().items() if set(free) <= set(own) and name not in self.names]
        number = next(n for n in range(1, len(self.names) + 2) if f"agent_{n}" not in self.names)
        name = limb[0] if limb else f"agent_{number}"
        return tried(self.workbench, f"{PATH}.{name}", {"joints": pattern_of(free, self._moved())})

    def remove(self, name: str) -> str:
        """Takes an agent out; why that is not possible, or ''."""
        return tried(self.workbench, f"{PATH}.{name}", None)

    def join(self) -> str:
        """Lets one agent move the whole robot; why that is not possible, or ''."""
        return tried(self.workbench, PATH, None)

    def _moved(self) -> list[str]:
        """The joints that actions move."""
        robot = self.workbench.robot
        return [] if robot is None else _picked(self.workbench.draft.task.control.joints, robot.joint_names)


def _picked(pattern: str, names: list[str]) -> list[str]:
    """The names that a regular expression matches; none for one that is broken or matches nothing."""
    try:
        return [names[place] for place in picked(pattern, names, "")]
    except TaskError:
        return []
