"""Settings of the algorithms that choose by values. Imports no tensor library."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from humanoid_rl_ext.errors import BadInputError
from humanoid_rl_ext.learn.settings import LIVE
from humanoid_rl_ext.learn.settings_off_policy import OffPolicySettings

if TYPE_CHECKING:
    from humanoid_rl_ext.env.transition import EnvSpec


class EpsilonGreedySettings(OffPolicySettings):
    """What they share: the widths of what values actions are ``critic_hidden``."""

    learning_rate: float = Field(5e-4, gt=0.0, le=0.1, description="Adam's step size.", json_schema_extra=LIVE)
    epsilon_start: float = Field(
        1.0, ge=0.0, le=1.0, description="Share of random actions at the start.", json_schema_extra=LIVE
    )
    epsilon_end: float = Field(
        0.05, ge=0.0, le=1.0, description="Share of random actions that it falls to.", json_schema_extra=LIVE
    )
    exploration_fraction: float = Field(
        0.2, ge=0.0, le=1.0, description="Part of the run over which it falls, evenly.", json_schema_extra=LIVE
    )
    target_interval: int = Field(
        250,
        ge=1,
        le=1_000_000,
        description="Gradient steps between moves of the target network; it moves by tau, all the way at tau 1.",
        json_schema_extra={**LIVE, "unit": "gradient steps"},
    )
    tau: float = Field(
        1.0,
        gt=0.0,
        le=1.0,
        description="How far the target network moves each time: 1 copies; small ones follow slowly.",
        json_schema_extra=LIVE,
    )
    max_grad_norm: float = Field(
        10.0, gt=0.0, le=1000.0, description="Gradients are scaled down to this norm.", json_schema_extra=LIVE
    )

    def check_fit(self, spec: EnvSpec) -> None:
        """Raises BadInputError as for every algorithm with a replay, and for one action or a rising epsilon."""
        super().check_fit(spec)
        if spec.action.size < 2:
            raise BadInputError(f"the task has {spec.action.size} action to choose from: at least two are needed")
        if self.epsilon_end > self.epsilon_start:
            raise BadInputError(f"epsilon_end {self.epsilon_end:g} is above epsilon_start {self.epsilon_start:g}")
