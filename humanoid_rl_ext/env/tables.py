"""The tables of a Task at work: observations, rewards and terminations of one environment."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from contextlib import nullcontext

import torch

from humanoid_rl_ext.env.sensing import sensing
from humanoid_rl_ext.env.terms import BoundTerm, RandomBlock, bind
from humanoid_rl_ext.env.transition import Observations
from humanoid_rl_ext.errors import TaskError
from humanoid_rl_ext.mdp.step import Step
from humanoid_rl_ext.robot.description import RobotDescription
from humanoid_rl_ext.sim.recording import Branch
from humanoid_rl_ext.task.schema import ObservationSection, RewardSection, Task, TerminationSection

BRANCHES = 3
"""Groups of rewards that a GPU computes beside another one."""


class ObservationTable:
    """One group of observations, concatenated, clipped and scaled."""

    def __init__(
        self, table: dict[str, ObservationSection], robot: RobotDescription, step: Step, block: RandomBlock
    ) -> None:
        self.terms = bind(table.items(), robot, step, block)
        sections = [table[name] for name in self.terms]
        values = [term(step) for term in self.terms.values()]
        widths = [value.shape[-1] for value in values]
        names = tuple(
            f"{name}[{part}]"
            for name, term, width in zip(self.terms, self.terms.values(), widths, strict=True)
            for part in _element_names(term, width, robot)
        )
        clip = [section.clip for section, width in zip(sections, widths, strict=True) for _ in range(width)]
        scale = [section.scale for section, width in zip(sections, widths, strict=True) for _ in range(width)]
        self.sensing = sensing(sections, widths, step, block)
        if self.sensing is not None:
            columns, lags = self.sensing.columns, self.sensing.lags
            names = tuple(_aged(names[column], lag) for column, lag in zip(columns, lags, strict=True))
            clip, scale = [clip[column] for column in columns], [scale[column] for column in columns]
        self.names, self.size = names, len(names)
        self._upper = torch.tensor(clip, device=step.device)
        self._lower = -self._upper
        self._scale = torch.tensor(scale, device=step.device) if set(scale) != {1.0} else None

    def __call__(self, step: Step) -> torch.Tensor:
        """(num_envs, size)."""
        values = torch.cat([term(step) for term in self.terms.values()], dim=-1)
        if self.sensing is not None:
            values = self.sensing(values)
        values.clamp_(self._lower, self._upper)
        return values if self._scale is None else values.mul_(self._scale)


class RewardTable:
    """All rewards of a Task; weights are device tensors, so an edit acts at the next step."""

    def __init__(
        self,
        table: dict[str, RewardSection],
        robot: RobotDescription,
        step: Step,
        block: RandomBlock,
        metrics: int = 0,
        before: dict[str, BoundTerm] | None = None,
        scale: float = 1.0,
        agents: Sequence[str] = (),
    ) -> None:
        """Terms of ``before`` that the table still asks for are used again, with what they remember.

        So many ``metrics`` go along with the rewards of a step, unweighted. ``scale`` multiplies every weight.
        ``agents`` are paid apart.
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
        self._dt = step.dt
        self._branches = [Branch(step.device) for _ in range(BRANCHES)] if step.device.type == "cuda" else []
        self._factors = torch.ones(len(self.names) + metrics, device=step.device)
        self._factors[: len(self.names)] = self._weights(table, scale)
        self.agents = tuple(agents)
        self._paid_to = self._payees(table).to(step.device)

    def _payees(self, table: dict[str, RewardSection]) -> torch.Tensor:
        """(terms, agents): one where a reward is paid to an agent."""
        named = [table[name].agents for name in self.names]
        paid = [[float(agents is None or agent in agents) for agent in self.agents] for agents in named]
        return torch.tensor(paid)

    def _weights(self, table: dict[str, RewardSection], scale: float) -> torch.Tensor:
        return torch.tensor([scale * table[name].weight for name in self.names]) * self._dt

    def __call__(self, step: Step, metrics: Sequence[BoundTerm] = ()) -> torch.Tensor:
        """(num_envs, terms + metrics): weight times term times the control step (s), then the metrics.

        On a GPU groups of them are computed side by side.
        """
        terms = [*self.terms.values(), *metrics]
        size = -(-len(terms) // (len(self._branches) + 1))
        values: list[torch.Tensor] = []
        for branch, start in zip((*self._branches, None), range(0, len(terms), size), strict=False):
            with branch() if branch else nullcontext(), step.apart():
                values += [term(step) for term in terms[start : start + size]]
        for branch in self._branches:
            branch.join(*values)
        return torch.stack(values, dim=-1).mul_(self._factors)

    def total(self, paid: torch.Tensor) -> torch.Tensor:
        """(num_envs,) sums of rewards (num_envs, terms); (num_envs, agents) where agents are paid apart.

        ``paid`` then becomes the mean over the agents, so that its sum is the mean of what they get.
        """
        if not self.agents:
            return paid.sum(-1)
        total = (paid.unsqueeze(-1) * self._paid_to).sum(1)  # a product of matrices would be rounded on a GPU
        paid.mul_(self._paid_to.mean(-1))
        return total

    def set_numbers(self, table: dict[str, RewardSection], scale: float = 1.0) -> None:
        """Takes over weights, parameters and whom it is paid to in place."""
        self._factors[: len(self.names)] = self._weights(table, scale)
        self._paid_to.copy_(self._payees(table))
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

    def __call__(self, step: Step, non_finite: torch.Tensor | None) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """(num_envs,) bool each: terminated, truncated (never both), success; ``non_finite`` states terminate."""
        ended = {name: term(step) for name, term in self.terms.items()}
        lasted = step.episode_length >= step.max_episode_length
        solved = [ended[name] for name in self._successes]
        failed = [value for name, value in ended.items() if name not in self._time_outs]
        broken = [] if non_finite is None else [non_finite]
        terminated = _any_of(broken + failed, lasted)
        truncated = _any_of([ended[name] for name in self._time_outs if name in ended], lasted)
        # Where no term says what success is, it is lasting until the time limit. On flags, a > b is a and not b.
        success = lasted > terminated if not solved else _any_of(solved, lasted)
        if solved and non_finite is not None:
            success = success > non_finite
        return terminated, truncated > terminated, success


def _any_of(flags: Sequence[torch.Tensor], like: torch.Tensor) -> torch.Tensor:
    """Where any of the flags is set; nowhere if there are none."""
    return functools.reduce(torch.bitwise_or, flags) if flags else torch.zeros_like(like)


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


def _aged(name: str, lag: int) -> str:
    return f"{name.removesuffix(']')}@{lag}]" if lag else name


def _element_names(term: BoundTerm, width: int, robot: RobotDescription) -> list[str]:
    for key, spec in term.spec.params.items():
        if spec.type in ("joints", "bodies"):
            names = robot.joint_names if spec.type == "joints" else robot.body_names
            picks = term.param(key)
            picked = names[picks] if isinstance(picks, slice) else [names[index] for index in picks.tolist()]
            if len(picked) == width:
                return picked
            if 3 * len(picked) == width:
                return [f"{part}.{axis}" for part in picked for axis in "xyz"]
    return [str(index) for index in range(width)]
