"""Policies as self-contained TorchScript modules, which load without this project's code."""

from __future__ import annotations

import copy
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import nn

from humanoid_rl_ext.errors import BadInputError

if TYPE_CHECKING:
    from humanoid_rl_ext.learn.learner import Learner


@dataclass(frozen=True, slots=True)
class Interface:
    """How a controller's observations and actions differ from what the policy was trained with.

    A controller gives observations as they are measured and takes one action per joint of its robot, in its own order.
    Per element of the policy's observation, (size,):
    """

    picks: list[int]
    """Where the element stands in the controller's observation."""
    gains: list[float]
    """Factor that brings the controller's unit to the Task's."""
    clips: list[float]
    scales: list[float]
    """Clip and scale of the Task's observation terms, in this order."""
    action_clip: float
    action_scales: list[float]
    """Factor of each of the policy's actions, (actions,)."""
    places: list[int]
    """The action for each joint of the controller, (joints,); the number of actions stands for zero."""


class DeterministicPolicy(nn.Module):
    """Normalised observations through the policy's layers: the most likely actions."""

    def __init__(self, learner: Learner) -> None:
        super().__init__()
        self.network = _own(learner.policy_network())
        size = learner.spec.observations["policy"]
        mean, gain, clip = torch.zeros(size), torch.ones(size), float("inf")
        if "policy" in learner.normalisers:
            normaliser = learner.normalisers["policy"]
            statistics, clip = normaliser.statistics, normaliser.clip
            mean = statistics.mean.float().cpu()
            gain = (statistics.var + normaliser.epsilon).rsqrt().float().cpu()
        self.mean = nn.Buffer(mean)
        self.gain = nn.Buffer(gain)
        self.clip = nn.Buffer(torch.tensor(clip))

    def forward(self, obs: torch.Tensor) -> torch.Tensor:
        """Actions (..., actions) for observations (..., size)."""
        return self.network(torch.clamp((obs - self.mean) * self.gain, -self.clip, self.clip))


class ControllerPolicy(nn.Module):
    """A policy behind the interface of a controller."""

    def __init__(self, policy: nn.Module, interface: Interface) -> None:
        super().__init__()
        self.policy = policy
        self.picks = nn.Buffer(torch.tensor(interface.picks))
        self.gains = nn.Buffer(torch.tensor(interface.gains))
        self.clips = nn.Buffer(torch.tensor(interface.clips))
        self.scales = nn.Buffer(torch.tensor(interface.scales))
        self.action_clip = nn.Buffer(torch.tensor(interface.action_clip))
        self.action_scales = nn.Buffer(torch.tensor(interface.action_scales))
        self.places = nn.Buffer(torch.tensor(interface.places))

    def forward(self, obs: torch.Tensor) -> torch.Tensor:
        """Actions (..., joints) for observations (..., controller's size)."""
        seen = torch.index_select(obs, -1, self.picks) * self.gains
        actions = torch.nan_to_num(self.policy(torch.clamp(seen, -self.clips, self.clips) * self.scales))
        actions = torch.clamp(actions, -self.action_clip, self.action_clip) * self.action_scales
        with_rest = torch.cat((actions, torch.zeros_like(actions[..., :1])), dim=-1)
        return torch.index_select(with_rest, -1, self.places)


def policy_module(learner: Learner, interface: Interface | None = None) -> torch.jit.ScriptModule:
    """A learner's deterministic policy on the CPU, its normaliser inside: (n,) or (m, n) to actions of the same rank.

    Equals ``learner.act_deterministic``. With an ``interface`` it takes and gives what a controller has instead.

    Raises:
        BadInputError: for an algorithm or a kind of action that has no such form.
    """
    if not hasattr(learner, "policy_network"):
        raise BadInputError(f"policies of {type(learner).__name__} cannot be exported as TorchScript")
    if learner.spec.action.kind != "box":
        raise BadInputError(f"a policy with {learner.spec.action.kind} actions cannot be exported: joints need numbers")
    policy: nn.Module = DeterministicPolicy(learner)
    if interface is not None:
        policy = ControllerPolicy(policy, interface)
    with _no_deprecations():
        return torch.jit.script(policy.eval().requires_grad_(False))


def save_module(module: torch.jit.ScriptModule, path: Path) -> None:
    """Writes a module to a file, replacing it in one go."""
    aside = path.with_name(f".{path.name}.unfinished")
    with _no_deprecations():
        torch.jit.save(module, str(aside))
    os.replace(aside, path)


def load_module(path: Path, device: torch.device | str = "cpu") -> torch.jit.ScriptModule:
    """The module in a file; raises BadInputError when it is missing or is no TorchScript."""
    if not path.is_file():
        raise BadInputError(f"{path}: no such file; a policy folder holds a TorchScript policy and its env.yaml")
    with _no_deprecations():
        try:
            return torch.jit.load(str(path), map_location=device).eval()
        except (RuntimeError, ValueError, OSError, EOFError) as error:
            reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
            raise BadInputError(f"{path}: not a TorchScript module ({reason})") from None


def _own(module: nn.Module) -> nn.Module:
    """A copy on the CPU whose weights are no longer parts of the learner's one vector of parameters."""
    with torch.no_grad():
        own = copy.deepcopy(module).cpu()
        for parameter in own.parameters():
            parameter.grad = None
            parameter.data = parameter.data.clone()
    return own


@contextmanager
def _no_deprecations() -> Iterator[None]:
    """Keeps torch's advice against TorchScript from users: it is the format that Isaac Sim loads."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"`torch\.jit", category=DeprecationWarning)
        yield
