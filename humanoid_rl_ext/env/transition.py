"""What environments give to learners: specifications and transitions, the same for every kind of environment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import torch

    from humanoid_rl_ext.env.symmetry import Symmetry

Observations = dict[str, "torch.Tensor"]
"""Groups of observations by name, each (num_envs, size): 'policy' always, 'critic' where it sees more."""


@dataclass(frozen=True, slots=True)
class ActionSpec:
    """What an environment accepts as actions.

    ``box``: float tensors (num_envs, size), clipped by the environment to what it can do.
    ``discrete``: int64 tensors (num_envs,) in [0, size); of several agents (num_envs, agents), where ``size`` is that
    of the one with the most to choose from.
    """

    kind: Literal["box", "discrete"]
    size: int
    names: tuple[str, ...] = ()
    low: tuple[float, ...] = ()
    """For each element of a box, the least that makes a difference; empty where nothing bounds it."""
    high: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class AgentSpec:
    """One of several agents that act in every environment at once: which columns it sees and which it fills."""

    name: str
    observes: tuple[int, ...]
    """Columns of the observation group 'policy'."""
    action: ActionSpec
    acts: tuple[int, ...] = ()
    """Columns of a box action, as many as ``action.size``; empty for discrete ones."""


@dataclass(frozen=True, slots=True)
class EnvSpec:
    """The shapes a learner is built for."""

    num_envs: int
    observations: dict[str, int]
    """Size of each observation group."""
    action: ActionSpec
    max_episode_length: int
    """Control steps until the time limit."""
    observation_names: dict[str, tuple[str, ...]] | None = None
    """A name per observation element, where the environment knows them."""
    agents: tuple[AgentSpec, ...] = ()
    """Who acts, where that is more than one: they share the box action by columns, or each have a column of (num_envs,
    agents) int64 actions. Empty for a single agent."""
    reward_per_agent: bool = False
    """Whether rewards are (num_envs, agents); they are (num_envs,), shared by all, otherwise."""
    symmetry: Callable[[], Symmetry] | None = field(default=None, compare=False)
    """Tells how to exchange left and right, where the environment can; raises TaskError for what has no such image."""


@dataclass(slots=True)
class Transition:
    """One control step of every environment. Environments that ended have been reset within the same step."""

    obs: Observations
    """What the next action is chosen from (after the reset where one happened)."""
    reward: torch.Tensor
    """(num_envs,) float, or (num_envs, agents) where the EnvSpec says so."""
    terminated: torch.Tensor
    """(num_envs,) bool: the task ended; the value of what follows is zero."""
    truncated: torch.Tensor
    """(num_envs,) bool: cut off from outside (time limit); what follows has a value, see ``final_obs``."""
    final_obs: Observations
    """The observation before the reset; equal to ``obs`` where nothing ended."""
