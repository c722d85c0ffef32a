"""Learning algorithms. Names and settings are known at once; tensors load when a learner is made."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import BaseModel

from humanoid_rl_ext.errors import BadInputError, did_you_mean
from humanoid_rl_ext.learn.settings import PPOSettings

if TYPE_CHECKING:
    import torch

    from humanoid_rl_ext.env.transition import EnvSpec
    from humanoid_rl_ext.learn.learner import Learner

__all__ = ["LEARNERS", "LearnerEntry", "PPOSettings", "learner_entry", "make_learner"]


@dataclass(frozen=True, slots=True)
class LearnerEntry:
    """What is known of an algorithm before it is imported."""

    name: str
    settings: type[BaseModel]
    path: str
    """``module:Class``."""
    help: str
    action_kinds: tuple[str, ...]


LEARNERS: dict[str, LearnerEntry] = {
    entry.name: entry
    for entry in (
        LearnerEntry(
            name="ppo",
            settings=PPOSettings,
            path="humanoid_rl_ext.learn.ppo:PPO",
            help="Proximal policy optimisation: on-policy, robust, made for many environments.",
            action_kinds=("box", "discrete"),
        ),
    )
}


def learner_entry(name: str) -> LearnerEntry:
    """The entry called ``name``; raises BadInputError naming the closest one."""
    if name not in LEARNERS:
        raise BadInputError(f"unknown algorithm '{name}': {did_you_mean(name, LEARNERS)}")
    return LEARNERS[name]


def make_learner(
    name: str,
    spec: EnvSpec,
    settings: BaseModel | None = None,
    device: torch.device | str = "cpu",
    seed: int = 0,
    total_env_steps: int | None = None,
) -> Learner:
    """A new learner for environments of the given shapes; default settings when none are given.

    ``total_env_steps`` counts all environments and is what schedules run over. Raises BadInputError for an unknown
    name, for settings of another algorithm and for actions it cannot learn.
    """
    entry = learner_entry(name)
    settings = entry.settings() if settings is None else settings
    if not isinstance(settings, entry.settings):
        raise BadInputError(f"algorithm '{name}' takes {entry.settings.__name__}, not {type(settings).__name__}")
    if spec.action.kind not in entry.action_kinds:
        kinds = " or ".join(entry.action_kinds)
        raise BadInputError(f"algorithm '{name}' learns {kinds} actions, not {spec.action.kind}")
    module, _, attribute = entry.path.partition(":")
    return getattr(importlib.import_module(module), attribute)(spec, settings, device, seed, total_env_steps)
