"""Settings of the algorithms that learn from a replay of older transitions. Imports no tensor library."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from humanoid_rl_ext.errors import BadInputError
from humanoid_rl_ext.learn.settings import LIVE, LearnerSettings, Width

if TYPE_CHECKING:
    from humanoid_rl_ext.env.transition import EnvSpec

TRANSITIONS: dict[str, Any] = {"unit": "transitions"}


class OffPolicySettings(LearnerSettings):
    """What all algorithms with a replay share."""

    num_steps: int = Field(
        32,
        ge=1,
        le=1_000_000,
        description="Steps per environment that make up an iteration: figures are written after each.",
        json_schema_extra={"unit": "steps"},
    )
    buffer_size: int = Field(
        1_000_000,
        ge=1,
        le=1_000_000_000,
        description="Newest transitions that are kept, of all environments together.",
        json_schema_extra=TRANSITIONS,
    )
    batch_size: int = Field(
        256, ge=1, le=1_048_576, description="Transitions per gradient step.", json_schema_extra=TRANSITIONS
    )
    learning_starts: int = Field(
        5000,
        ge=0,
        le=1_000_000_000,
        description="Transitions that are gathered, with random actions, before anything is learned.",
        json_schema_extra=TRANSITIONS,
    )
    gradient_steps: float = Field(
        1.0,
        gt=0.0,
        le=1024.0,
        description="Gradient steps per step of all environments; 0.25 is one in four.",
        json_schema_extra=LIVE,
    )
    gamma: float = Field(0.99, ge=0.0, le=1.0, description="Discount per step.", json_schema_extra=LIVE)
    n_step: int = Field(
        1,
        ge=1,
        le=64,
        description="Steps whose rewards are summed before the value of what follows is added.",
        json_schema_extra={**LIVE, "unit": "steps"},
    )
    prioritised: bool = Field(False, description="Draw transitions by how wrong their values were, not all alike.")
    priority_alpha: float = Field(
        0.6, ge=0.0, le=1.0, description="How much priorities count: not at all (0) to in proportion (1)."
    )
    priority_beta: float = Field(
        0.4,
        ge=0.0,
        le=1.0,
        description="How far priorities are made up for at the start; fully at the end of the run.",
        json_schema_extra=LIVE,
    )
    tau: float = Field(
        0.005,
        gt=0.0,
        le=1.0,
        description="How far target networks follow the others per gradient step.",
        json_schema_extra=LIVE,
    )
    save_replay: bool = Field(
        False,
        description="Store the replay in checkpoints; else a resumed run first gathers learning_starts anew.",
    )
    critic_hidden: list[Width] = Field(
        [256, 256], max_length=8, description="Widths of the action value functions' hidden layers."
    )
    activation: Literal["elu", "tanh", "relu", "silu"] = Field("relu", description="Activation of the hidden layers.")
    layer_norm: bool = Field(False, description="Normalise each hidden layer before its activation.")
    initialisation: Literal["uniform", "orthogonal"] = Field(
        "uniform", description="First weights: uniform by the number of inputs (PyTorch's own), or orthogonal."
    )
    adam_eps: float = Field(1e-8, gt=0.0, le=1e-2, description="Adam's epsilon.")
    normalise_observations: bool = Field(False, description="Shift and scale observations by running statistics.")
    observation_clip: float = Field(
        10.0, gt=0.0, le=1000.0, description="Bound of normalised observations.", json_schema_extra={"unit": "std"}
    )

    def check_fit(self, spec: EnvSpec) -> None:
        """Raises BadInputError for a replay that holds less than a batch, a warm-up or two steps can fill."""
        rows = self.buffer_size // spec.num_envs * spec.num_envs
        for name, least in (("batch_size", self.batch_size), ("learning_starts", self.learning_starts)):
            if least > rows:
                raise BadInputError(
                    f"{name} {least:,} is more than the {rows:,} transitions that the replay holds "
                    f"(buffer_size, in whole steps of {spec.num_envs:,} environments): raise buffer_size or lower it"
                )
        if self.n_step * spec.num_envs > rows:
            raise BadInputError(
                f"n_step {self.n_step} of {spec.num_envs:,} environments is more than the {rows:,} transitions that "
                "the replay holds: raise buffer_size"
            )


class ContinuousSettings(OffPolicySettings):
    """What SAC, TD3 and DDPG share."""

    actor_learning_rate: float = Field(
        3e-4, gt=0.0, le=0.1, description="Adam's step size for the policy.", json_schema_extra=LIVE
    )
    critic_learning_rate: float = Field(
        3e-4, gt=0.0, le=0.1, description="Adam's step size for the action values.", json_schema_extra=LIVE
    )
    actor_hidden: list[Width] = Field([256, 256], max_length=8, description="Widths of the policy's hidden layers.")
    action_range: Literal["environment", "around_zero"] = Field(
        "environment",
        description="Actions reach from the least to the greatest that the environment names; or around zero, which "
        "stays the policy's zero, to those and to action_bound at most.",
    )
    action_bound: float = Field(
        1.0,
        gt=0.0,
        le=1000.0,
        description="Largest action, either way, where the environment names none or the range is around zero.",
        json_schema_extra={"unit": "action"},
    )
    policy_delay: int = Field(
        1, ge=1, le=64, description="Gradient steps of the critics for one of the policy.", json_schema_extra=LIVE
    )


class SACSettings(ContinuousSettings):
    """Settings of soft actor-critic."""

    automatic_temperature: bool = Field(True, description="Steer the temperature so that the entropy meets its target.")
    init_temperature: float = Field(
        1.0, gt=0.0, le=100.0, description="Weight of the entropy, at the start if it is steered."
    )
    temperature_learning_rate: float = Field(
        3e-4, gt=0.0, le=0.1, description="Adam's step size for the temperature.", json_schema_extra=LIVE
    )
    target_entropy: float = Field(
        -1.0,
        ge=-10.0,
        le=1.0,
        description="Entropy that is steered for, per element of an action.",
        json_schema_extra={**LIVE, "unit": "nat"},
    )
    min_log_std: float = Field(
        -5.0, ge=-20.0, le=0.0, description="Least log standard deviation of actions before they are squashed."
    )
    max_log_std: float = Field(
        2.0, ge=-5.0, le=5.0, description="Greatest log standard deviation of actions before they are squashed."
    )
    critic_target: Literal["min", "mean"] = Field(
        "min", description="Which of two action values counts: the lesser, or their mean."
    )

    def check_fit(self, spec: EnvSpec) -> None:
        """Raises BadInputError as for every algorithm with a replay, and for bounds the wrong way round."""
        super().check_fit(spec)
        if self.min_log_std >= self.max_log_std:
            raise BadInputError(f"min_log_std {self.min_log_std:g} is not below max_log_std {self.max_log_std:g}")


class DeterministicSettings(ContinuousSettings):
    """Settings of deep deterministic policy gradient: the policy explores by noise of its own."""

    noise_std: float = Field(
        0.1,
        ge=0.0,
        le=2.0,
        description="Exploration noise, of half the range of an action.",
        json_schema_extra={**LIVE, "unit": "half range"},
    )
    min_noise_std: float = Field(
        2.0,
        ge=0.0,
        le=2.0,
        description="Exploration noise of the first environment, if less: it rises evenly to noise_std at the last.",
        json_schema_extra={**LIVE, "unit": "half range"},
    )


class TD3Settings(DeterministicSettings):
    """Settings of twin delayed DDPG."""

    policy_delay: int = Field(
        2, ge=1, le=64, description="Gradient steps of the critics for one of the policy.", json_schema_extra=LIVE
    )
    target_noise_std: float = Field(
        0.2,
        ge=0.0,
        le=2.0,
        description="Noise around the target policy's actions when what follows is valued.",
        json_schema_extra={**LIVE, "unit": "half range"},
    )
    target_noise_clip: float = Field(
        0.5, ge=0.0, le=2.0, description="Bound of that noise.", json_schema_extra={**LIVE, "unit": "half range"}
    )
