"""A policy of ours in a file, for environments whose joints may stand in another order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from humanoid_rl_ext.env.transition import EnvSpec
    from humanoid_rl_ext.learn.learner import Learner

BEFORE_JOINTS = 12
"""Observations of the base and the command; then come three blocks with one element per joint."""


def save_policy(path: str, learner: Learner, spec: EnvSpec, settings: Any, joints: Sequence[str]) -> None:
    """Writes what a learner needs to act, and the joints' names."""
    stored = {"spec": spec, "settings": settings, "state": learner.state_dict(), "joints": list(joints)}
    torch.save(stored, path)


def load_policy(path: str, joints: Sequence[str], device: str) -> Callable[[torch.Tensor], torch.Tensor]:
    """The stored policy as a function from observations to its best actions, both in the order of ``joints``."""
    from humanoid_rl_ext.learn import make_learner

    stored = torch.load(path, map_location=device, weights_only=False)
    learner = make_learner("ppo", stored["spec"], stored["settings"], device)
    learner.load_state_dict(stored["state"])
    there, here = axes(stored["joints"]), axes(joints)
    to_stored = [here.index(axis) for axis in there]
    to_here = [there.index(axis) for axis in here]
    blocks = [BEFORE_JOINTS + block * len(here) + index for block in range(3) for index in to_stored]
    columns = [*range(BEFORE_JOINTS), *blocks]
    return lambda obs: learner.act_deterministic({"policy": obs[:, columns]})[:, to_here]


def axes(joints: Sequence[str]) -> list[tuple[str, int]]:
    """Each joint's name and which of its axes it is: ``thigh:x``, ``thigh:z`` and ``thigh:0``, ``thigh:1`` are equal.

    The axes of one joint have to stand in their order.
    """
    seen: dict[str, int] = {}
    found = []
    for joint in joints:
        name = joint.partition(":")[0]
        seen[name] = seen.get(name, -1) + 1
        found.append((name, seen[name]))
    return found
