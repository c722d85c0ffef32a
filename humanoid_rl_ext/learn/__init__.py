"""Learning algorithms. Names and settings are known at once; tensors load when a learner is made."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from humanoid_rl_ext.errors import BadInputError, did_you_mean
from humanoid_rl_ext.learn.settings import LearnerSettings
from humanoid_rl_ext.learn.settings_dqn import DQNSettings
from humanoid_rl_ext.learn.settings_multi_agent import IPPOSettings, MAPPOSettings
from humanoid_rl_ext.learn.settings_multi_agent_off_policy import MADDPGSettings, QMIXSettings
from humanoid_rl_ext.learn.settings_off_policy import DeterministicSettings, SACSettings, TD3Settings
from humanoid_rl_ext.learn.settings_on_policy import A2CSettings, PPOSettings, ReinforceSettings, TRPOSettings

if TYPE_CHECKING:
    import torch

    from humanoid_rl_ext.env.transition import EnvSpec
    from humanoid_rl_ext.learn.learner import Learner

__all__ = ["LEARNERS", "LearnerEntry", "PPOSettings", "fitting", "learner_entry", "make_learner", "refusal"]


WORDS = {"box": "continuous", "discrete": "discrete"}
"""Kinds of action as people call them."""


@dataclass(frozen=True, slots=True)
class LearnerEntry:
    """What is known of an algorithm before it is imported."""

    name: str
    settings: type[LearnerSettings]
    path: str
    """``module:Class``."""
    help: str
    action_kinds: tuple[str, ...]
    on_policy: bool
    """Whether it learns from what its present policy did, and from nothing older."""
    multi_agent: bool = False
    """Whether it teaches several agents; the others take all of them for one, where they can."""

    @property
    def properties(self) -> tuple[str, str, str]:
        """In words: its actions, what it learns from, and whom it teaches."""
        kinds = ", ".join(WORDS[kind] for kind in self.action_kinds)
        return kinds, "on-policy" if self.on_policy else "off-policy", "several" if self.multi_agent else "one"

    def misfit(self, spec: EnvSpec) -> str | None:
        """Why it cannot learn in such environments; None where it can. Sizes are not looked at."""
        if self.multi_agent and not spec.agents:
            return "teaches several agents, and there is one"
        kind = spec.action.kind
        if kind not in self.action_kinds:
            return f"learns {' or '.join(WORDS[kind] for kind in self.action_kinds)} actions, not {WORDS[kind]} ones"
        if spec.agents and not self.multi_agent and (kind == "discrete" or spec.reward_per_agent):
            return f"teaches one agent, and there are {len(spec.agents)}"
        return None


LEARNERS: dict[str, LearnerEntry] = {
    entry.name: entry
    for entry in (
        LearnerEntry(
            name="ppo",
            settings=PPOSettings,
            path="humanoid_rl_ext.learn.ppo:PPO",
            help="Proximal policy optimisation: on-policy, robust, made for many environments.",
            action_kinds=("box", "discrete"),
            on_policy=True,
        ),
        LearnerEntry(
            name="a2c",
            settings=A2CSettings,
            path="humanoid_rl_ext.learn.a2c:A2C",
            help="Advantage actor-critic: on-policy, one gradient step after every few steps.",
            action_kinds=("box", "discrete"),
            on_policy=True,
        ),
        LearnerEntry(
            name="reinforce",
            settings=ReinforceSettings,
            path="humanoid_rl_ext.learn.reinforce:Reinforce",
            help="REINFORCE with a learned baseline: on-policy, returns of whole episodes; the plainest there is.",
            action_kinds=("box", "discrete"),
            on_policy=True,
        ),
        LearnerEntry(
            name="trpo",
            settings=TRPOSettings,
            path="humanoid_rl_ext.learn.trpo:TRPO",
            help="Trust region policy optimisation: on-policy, steps that keep a bound on how far the policy moves.",
            action_kinds=("box", "discrete"),
            on_policy=True,
        ),
        LearnerEntry(
            name="sac",
            settings=SACSettings,
            path="humanoid_rl_ext.learn.sac:SAC",
            help="Soft actor-critic: off-policy, few samples, explores by itself.",
            action_kinds=("box",),
            on_policy=False,
        ),
        LearnerEntry(
            name="td3",
            settings=TD3Settings,
            path="humanoid_rl_ext.learn.td3:TD3",
            help="Twin delayed DDPG: off-policy, a deterministic policy, noise of its own.",
            action_kinds=("box",),
            on_policy=False,
        ),
        LearnerEntry(
            name="ddpg",
            settings=DeterministicSettings,
            path="humanoid_rl_ext.learn.ddpg:DDPG",
            help="Deep deterministic policy gradient: the ancestor of TD3, simpler and less steady.",
            action_kinds=("box",),
            on_policy=False,
        ),
        LearnerEntry(
            name="dqn",
            settings=DQNSettings,
            path="humanoid_rl_ext.learn.dqn:DQN",
            help="Deep Q-learning: off-policy, values of choices, double and dueling by a switch.",
            action_kinds=("discrete",),
            on_policy=False,
        ),
        LearnerEntry(
            name="mappo",
            settings=MAPPOSettings,
            path="humanoid_rl_ext.learn.mappo:MAPPO",
            help="Multi-agent PPO: on-policy, each agent's policy judged by a critic that sees everything.",
            action_kinds=("box", "discrete"),
            on_policy=True,
            multi_agent=True,
        ),
        LearnerEntry(
            name="ippo",
            settings=IPPOSettings,
            path="humanoid_rl_ext.learn.mappo:IPPO",
            help="Independent PPO: on-policy, each agent judged by what it sees itself.",
            action_kinds=("box", "discrete"),
            on_policy=True,
            multi_agent=True,
        ),
        LearnerEntry(
            name="maddpg",
            settings=MADDPGSettings,
            path="humanoid_rl_ext.learn.maddpg:MADDPG",
            help="Multi-agent DDPG: off-policy, a policy for each agent, critics that see what all do.",
            action_kinds=("box", "discrete"),
            on_policy=False,
            multi_agent=True,
        ),
        LearnerEntry(
            name="qmix",
            settings=QMIXSettings,
            path="humanoid_rl_ext.learn.qmix:QMIX",
            help="Monotonic mixing: off-policy, choices of a team, by values that are mixed into one.",
            action_kinds=("discrete",),
            on_policy=False,
            multi_agent=True,
        ),
    )
}


def learner_entry(name: str) -> LearnerEntry:
    """The entry called ``name``; raises BadInputError naming the closest one."""
    if name not in LEARNERS:
        raise BadInputError(f"unknown algorithm '{name}': {did_you_mean(name, LEARNERS)}")
    return LEARNERS[name]


def fitting(spec: EnvSpec) -> list[str]:
    """Names of the algorithms that can learn in such environments."""
    return [name for name, entry in LEARNERS.items() if entry.misfit(spec) is None]


def refusal(name: str, spec: EnvSpec) -> str | None:
    """Why an algorithm cannot learn in such environments and which could, in one line; None where it can."""
    reason = learner_entry(name).misfit(spec)
    return reason and f"algorithm '{name}' {reason}: what fits is {', '.join(fitting(spec)) or 'none of those here'}"


def make_learner(
    name: str,
    spec: EnvSpec,
    settings: LearnerSettings | None = None,
    device: torch.device | str = "cpu",
    seed: int = 0,
    total_env_steps: int | None = None,
) -> Learner:
    """A new learner for environments of the given shapes; default settings when none are given.

    ``total_env_steps`` counts all environments and is what schedules run over. Raises BadInputError for an unknown
    name, for settings of another algorithm or out of proportion, and for actions it cannot learn.
    """
    entry = learner_entry(name)
    settings = entry.settings() if settings is None else settings
    if not isinstance(settings, entry.settings):
        raise BadInputError(f"algorithm '{name}' takes {entry.settings.__name__}, not {type(settings).__name__}")
    if reason := refusal(name, spec):
        raise BadInputError(reason)
    settings.check_fit(spec)
    module, _, attribute = entry.path.partition(":")
    return getattr(importlib.import_module(module), attribute)(spec, settings, device, seed, total_env_steps)
