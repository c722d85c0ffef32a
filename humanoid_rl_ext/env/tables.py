"""The tables of a Task at work: observations, rewards and terminations of one environment."""

from __future__ import annotations

import torch

from humanoid_rl_ext.env.terms import BoundTerm, RandomBlock, bind, count
from humanoid_rl_ext.env.transition import Observations
from humanoid_rl_ext.errors import TaskError
from humanoid_rl_ext.mdp.step import Step
from humanoid_rl_ext.robot.description import RobotDescription
from humanoid_rl_ext.task.schema import ObservationSection, RewardSection, Task, TerminationSection


class ObservationTable:
    """One group of observations, concatenated, clipped and scaled."""

    def __init__(
        self, table: dict[str, ObservationSection], robot: RobotDescription, step: Step, block: RandomBlock
    ) -> None:
        self.terms = bind(table.items(), robot, step, block)
        sections = [table[name] for name in self.terms]
        values = [term(step) for term in self.terms.values()]
        widths = [value.shape[-1] for value in values]
        self.size = sum(widths)
        self.names = tuple(
            f"{name}[{part}]"
            for name, term, width in zip(self.terms, self.terms.values(), widths, strict=True)
            for part in _element_names(term, width, robot)
        )
        clip = [section.clip for section, width in zip(sections, widths, strict=True) for _ in range(width)]
        scale = [section.scale for section, width in zip(sections, widths, strict=True) for _ in range(width)]
        self._clip = torch.tensor(clip, device=step.device)
        self._scale = torch.tensor(scale, device=step.device)

    def __call__(self, step: Step) -> torch.Tensor:
        """(num_envs, size)."""
        values = torch.cat([term(step) for term in self.terms.values()], dim=-1)
        return torch.clamp(values, -self._clip, self._clip) * self._scale


class RewardTable:
    """All rewards of a Task; weights are device tensors, so an edit acts at the next step."""

    def __init__(
        self,
        table: dict[str, RewardSection],
        robot: RobotDescription,
        step: Step,
        block: RandomBlock,
        before: dict[str, BoundTerm] | None = None,
        scale: float = 1.0,
    ) -> None:
        """Terms of ``before`` that the table still asks for are used again, with what they remember.

        ``scale`` multiplies every weight.
        """
        kept = {
            name: term
            for name, term in (before or {}).items()
            if name in table and term.differs_in_numbers(table[name])
        }
        fresh = bind(((name, section) for name, section in table.items() if name not in kept), robot, step, block)
        self.terms = {name: (kept | fresh)[name] for name in table if name in kept or name in fresh}
        if not self.terms:
            raise TaskError("rewards: every entry is disabled; enable at least one")
        self.names = list(self.terms)
        self._weights = torch.tensor([scale * table[name].weight for name in self.names], device=step.device)

    def __call__(self, step: Step) -> torch.Tensor:
        """(num_envs, terms): weight times term times the control step (s)."""
        values = torch.stack([term(step) for term in self.terms.values()], dim=-1)
        return values * (self._weights * step.dt)

    def set_numbers(self, table: dict[str, RewardSection], scale: float = 1.0) -> None:
        """Takes over weights and parameters in place."""
        self._weights.copy_(torch.tensor([scale * table[name].weight for name in self.names]))
        for name, term in self.terms.items():
            term.set_numbers(table[name])

    def buffers(self) -> dict[str, torch.Tensor]:
        """What the terms remember, by name."""
        memories = [(name, term.memory) for name, term in self.terms.items()]
        return {f"reward.{name}.{key}": value for name, memory in memories for key, value in memory.items()}


class TerminationTable:
    """All terminations of a Task."""

    def __init__(
        self, table: dict[str, TerminationSection], robot: RobotDescription, step: Step, block: RandomBlock
    ) -> None:
        self.terms = bind(table.items(), robot, step, block)
        self._time_outs = {name for name, section in table.items() if section.time_out}
        self._successes = {name for name in self.terms if table[name].means_success}

    def __call__(self, step: Step, non_finite: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """(num_envs,) bool each: terminated, truncated (never both), success."""
        terminated, truncated = non_finite, torch.zeros_like(non_finite)
        success = torch.zeros_like(non_finite)
        for name, term in self.terms.items():
            ended = term(step)
            if name in self._time_outs:
                truncated = truncated | ended
            else:
                terminated = terminated | ended
            if name in self._successes:
                success = success | ended
        if not self._successes:  # then lasting until the time limit is success
            success = (step.episode_length >= step.max_episode_length) & ~terminated
        return terminated, truncated & ~terminated, success & ~non_finite


def observation_tables(
    task: Task, robot: RobotDescription, step: Step, block: RandomBlock
) -> dict[str, ObservationTable]:
    """One table per group that has enabled entries."""
    groups = {group: table for group, table in task.observations.items() if any(s.enabled for s in table.values())}
    if "policy" not in groups:
        raise TaskError("observations.policy: every entry is disabled; enable at least one")
    return {group: ObservationTable(table, robot, step, block) for group, table in groups.items()}


def observe(tables: dict[str, ObservationTable], step: Step) -> Observations:
    """The observations of all groups."""
    return {group: table(step) for group, table in tables.items()}


def _element_names(term: BoundTerm, width: int, robot: RobotDescription) -> list[str]:
    for key, spec in term.spec.params.items():
        if spec.type in ("joints", "bodies"):
            names = robot.joint_names if spec.type == "joints" else robot.body_names
            picks = term.param(key)
            if count(picks, len(names)) == width:
                return names[picks] if isinstance(picks, slice) else [names[index] for index in picks.tolist()]
    return [str(index) for index in range(width)]
