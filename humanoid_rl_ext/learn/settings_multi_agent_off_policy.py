"""Settings of the algorithms that teach several agents from a replay. Imports no tensor library."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from humanoid_rl_ext.learn.settings import LIVE, Width
from humanoid_rl_ext.learn.settings_epsilon_greedy import EpsilonGreedySettings
from humanoid_rl_ext.learn.settings_off_policy import DeterministicSettings


class MADDPGSettings(DeterministicSettings):
    """Settings of multi-agent DDPG: agents with boxes explore by noise, those with choices by sampling."""

    gumbel_temperature: float = Field(
        1.0,
        gt=0.0,
        le=100.0,
        description="Softness of the choices that gradients go through, for discrete actions.",
        json_schema_extra=LIVE,
    )
    output_penalty: float = Field(
        1e-3,
        ge=0.0,
        le=1.0,
        description="Weight of the policies' squared outputs, before they become actions, in what they minimise.",
        json_schema_extra=LIVE,
    )
    max_grad_norm: float = Field(
        0.5,
        gt=0.0,
        le=1000.0,
        description="Gradients of each agent's policy and of each critic are scaled down to this norm.",
        json_schema_extra=LIVE,
    )


class QMIXSettings(EpsilonGreedySettings):
    """Settings of QMIX: ``critic_hidden`` are the widths of the networks that value each agent's actions."""

    mixer: Literal["monotonic", "sum"] = Field(
        "monotonic",
        description="How the agents' values make the team's: by a network that never falls with any of them (QMIX), "
        "or added up (VDN).",
    )
    mixing_width: Width = Field(32, description="Width of the mixing network's hidden layer.")
    share_networks: bool = Field(
        True, description="One network values the actions of all agents, told which it is; else each has its own."
    )
