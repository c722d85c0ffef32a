"""From what a policy says to what the joints are driven towards."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch

from humanoid_rl_ext.env.moves import MoveTable, moves_of
from humanoid_rl_ext.env.picking import joint_groups, per_joint, picked
from humanoid_rl_ext.env.terms import as_slice
from humanoid_rl_ext.env.transition import ActionSpec, EnvSpec
from humanoid_rl_ext.errors import TaskError
from humanoid_rl_ext.robot.description import Joint, RobotDescription
from humanoid_rl_ext.sim.engine import TargetMode
from humanoid_rl_ext.task.control import AgentSection, ControlSection, action_kind, choices_of

_MODES: dict[str, TargetMode] = {"joint_position": "position", "joint_velocity": "velocity", "effort": "effort"}


class ActionMap:
    """Turns actions into joint targets (num_envs, joints).

    Actions are (num_envs, joints moved); where control is discrete, the choices (num_envs,) or (num_envs, agents).
    """

    def __init__(
        self,
        control: ControlSection,
        robot: RobotDescription,
        num_envs: int,
        device: torch.device,
        agents: Mapping[str, AgentSection] | None = None,
    ) -> None:
        """Raises TaskError when a pattern picks nothing, effort control meets a joint without a limit, there are more
        than 4096 moves, or the agents do not share the joints out among them."""
        names = robot.joint_names
        self.joints = picked(control.joints, names, "control.joints")
        self.names = tuple(names[index] for index in self.joints)
        self.mode = _MODES[control.type]
        self.clip = control.clip
        self.picks = as_slice(self.joints)
        joints = [robot.joints[index] for index in self.joints]
        scale = per_joint(control.scale, self.names, "control.scale")
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
        self.groups = joint_groups(agents, self.names) if agents is not None else {}
        """For each agent, the places of its joints among those that are moved."""
        self.spec, self.agents = self._box(range(len(self.names))), [self._box(own) for own in self.groups.values()]
        """What is accepted as actions, of all and of each agent."""
        self._moves: MoveTable | None = None
        if action_kind(control, agents) == "discrete":
            self._choose(control, agents)

    def _box(self, places: range | list[int]) -> ActionSpec:
        low, high = (tuple(bound[place] for place in places) for bound in self.bounds)
        return ActionSpec("box", len(places), tuple(self.names[place] for place in places), low, high)

    def _choose(self, control: ControlSection, agents: Mapping[str, AgentSection] | None) -> None:
        """Makes actions choices among moves."""
        if agents is None:
            moves, places = [moves_of(control, self.names, "control")], [list(range(len(self.names)))]
            self.spec = ActionSpec("discrete", len(moves[0].names), moves[0].names)
        else:
            places = list(self.groups.values())
            moves = []
            for (name, agent), own in zip(agents.items(), places, strict=True):
                where = f"agents.{name}" if agent.is_discrete else "control"
                moves.append(moves_of(choices_of(control, agent), [self.names[place] for place in own], where))
            self.agents = [ActionSpec("discrete", len(each.names), each.names) for each in moves]
            self.spec = ActionSpec("discrete", max(agent.size for agent in self.agents))
        self._moves = MoveTable(moves, places, self._scale.device)

    def clean(self, actions: torch.Tensor, out: torch.Tensor | None = None) -> torch.Tensor:
        """(num_envs, joints moved): actions within the clip, anything that is not a number as zero; moves as rows."""
        if self._moves is not None:
            return self._moves.look_up(actions, out)
        return torch.clamp(torch.nan_to_num(actions), -self.clip, self.clip, out=out)

    def at_rest(self, rows: int) -> torch.Tensor:
        """Actions for so many environments that ask for nothing, or for the least there is to choose."""
        if self._moves is None:
            return torch.zeros(rows, len(self.joints), device=self._scale.device)
        return self._moves.at_rest(rows, not self.groups)

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


def random_actions(spec: EnvSpec, steps: int, device: torch.device, seed: int = 0) -> torch.Tensor:
    """(steps, num_envs, ...) actions: standard normal ones, or choices with equal odds."""
    generator = torch.Generator(device=device).manual_seed(seed)
    if spec.action.kind == "box":
        return torch.randn(steps, spec.num_envs, spec.action.size, generator=generator, device=device)
    sizes = [agent.action.size for agent in spec.agents] or [spec.action.size]
    columns = [torch.randint(size, (steps, spec.num_envs), generator=generator, device=device) for size in sizes]
    return torch.stack(columns, dim=-1) if spec.agents else columns[0]
