"""Settings of deep Q-learning. Imports no tensor library."""

from __future__ import annotations

from pydantic import Field

from humanoid_rl_ext.learn.settings import LIVE
from humanoid_rl_ext.learn.settings_epsilon_greedy import EpsilonGreedySettings


class DQNSettings(EpsilonGreedySettings):
    """Settings of deep Q-learning: the widths of its network are ``critic_hidden``."""

    double: bool = Field(
        True, description="The network that learns chooses the next action and the target network values it."
    )
    dueling: bool = Field(
        False,
        description="Values of states and advantages of actions apart, each with a last hidden layer of its own.",
    )
    huber_delta: float = Field(
        1.0,
        gt=0.0,
        le=1e6,
        description="Error of a value from which on it counts in proportion, not squared: 1 as published; more where "
        "returns are large and ends of episodes are rare.",
        json_schema_extra=LIVE,
    )
