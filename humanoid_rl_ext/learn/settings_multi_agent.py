"""Settings of the algorithms that teach several agents."""

from __future__ import annotations

from pydantic import Field

from humanoid_rl_ext.learn.settings_on_policy import ClippedSettings


class AgentsPPOSettings(ClippedSettings):
    """What MAPPO and IPPO share."""

    share_networks: bool = Field(
        True,
        description="One policy for all agents, told which of them it acts for; off: one each, and critics likewise.",
    )
    normalise_value: bool = Field(
        True, description="The critic learns returns that are shifted and scaled by running statistics."
    )


class MAPPOSettings(AgentsPPOSettings):
    """Settings of multi-agent PPO."""


class IPPOSettings(AgentsPPOSettings):
    """Settings of independent PPO."""
