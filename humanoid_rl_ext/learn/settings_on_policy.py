"""Settings of the on-policy algorithms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from humanoid_rl_ext.errors import BadInputError
from humanoid_rl_ext.learn.settings import LIVE, LearnerSettings, Width

if TYPE_CHECKING:
    from humanoid_rl_ext.env.transition import EnvSpec


class OnPolicySettings(LearnerSettings):
    """What the on-policy algorithms share."""

    num_steps: int = Field(
        24, ge=1, le=16384, description="Steps per environment between updates.", json_schema_extra={"unit": "steps"}
    )
    gamma: float = Field(0.99, ge=0.0, le=1.0, description="Discount per step.", json_schema_extra=LIVE)
    gae_lambda: float = Field(
        0.95,
        ge=0.0,
        le=1.0,
        description="Trade between bias (0) and variance (1) of the advantages.",
        json_schema_extra=LIVE,
    )
    time_limit_bootstrap: bool = Field(
        True, description="Episodes cut by the time limit keep the value of their last observation."
    )
    learning_rate: float = Field(
        1e-3, gt=0.0, le=0.1, description="Adam's step size, at the start if it changes.", json_schema_extra=LIVE
    )
    schedule: str = Field("fixed", description="How the learning rate changes.")
    max_grad_norm: float = Field(
        1.0, gt=0.0, le=1000.0, description="Gradients are scaled down to this norm.", json_schema_extra=LIVE
    )
    adam_eps: float = Field(1e-5, gt=0.0, le=1e-2, description="Adam's epsilon.")
    actor_hidden: list[Width] = Field([128, 128], max_length=8, description="Widths of the policy's hidden layers.")
    critic_hidden: list[Width] = Field(
        [128, 128], max_length=8, description="Widths of the value function's hidden layers."
    )
    activation: Literal["elu", "tanh", "relu", "silu"] = Field("elu", description="Activation of the hidden layers.")
    init_noise_std: float = Field(
        1.0,
        gt=0.0,
        le=10.0,
        description="Exploration noise at the start, for continuous actions.",
        json_schema_extra={"unit": "action"},
    )
    min_noise_std: float = Field(
        0.01,
        gt=0.0,
        le=10.0,
        description="Exploration noise never falls below this.",
        json_schema_extra={"unit": "action"},
    )
    mixed_precision: bool = Field(
        True, description="On a GPU, take gradients through layers that multiply in bfloat16 (off: TensorFloat-32)."
    )
    normalise_observations: bool = Field(True, description="Shift and scale observations by running statistics.")
    observation_clip: float = Field(
        10.0, gt=0.0, le=1000.0, description="Bound of normalised observations.", json_schema_extra={"unit": "std"}
    )
    normalise_advantage: bool = Field(True, description="Shift and scale the advantages of each rollout.")
    normalise_reward: bool = Field(False, description="Scale rewards by the running deviation of the return.")
    reward_clip: float = Field(10.0, gt=0.0, le=1000.0, description="Bound of normalised rewards.")


class ActorCriticSettings(OnPolicySettings):
    """What the algorithms share that learn policy and value function by one loss."""

    value_loss_coef: float = Field(
        1.0,
        ge=0.0,
        le=100.0,
        description="Weight of the value loss (half the mean squared error).",
        json_schema_extra=LIVE,
    )
    entropy_coef: float = Field(
        0.005, ge=0.0, le=1.0, description="Weight of the entropy bonus.", json_schema_extra={**LIVE, "unit": "1/nat"}
    )


class TrunkSettings(ActorCriticSettings):
    """Of those, the ones whose policy and value function may be one network."""

    shared_trunk: bool = Field(
        False, description="Policy and value function share the policy's hidden layers; the critic's are not used."
    )

    def check_fit(self, spec: EnvSpec) -> None:
        """Raises BadInputError for a trunk shared by different observations."""
        super().check_fit(spec)
        if self.shared_trunk and "critic" in spec.observations:
            raise BadInputError("shared_trunk cannot be used where the critic has observations of its own")


class ClippedSettings(ActorCriticSettings):
    """What the algorithms share that maximise the clipped surrogate."""

    num_epochs: int = Field(5, ge=1, le=50, description="Passes over each rollout.", json_schema_extra=LIVE)
    num_minibatches: int = Field(
        4, ge=1, le=1024, description="Gradient steps per pass over a rollout.", json_schema_extra=LIVE
    )
    clip_range: float = Field(
        0.2, gt=0.0, le=1.0, description="How far the probability ratio may move for gain.", json_schema_extra=LIVE
    )
    clip_value_loss: bool = Field(True, description="Clip the change of the value function too.")
    schedule: Literal["fixed", "linear", "adaptive"] = Field(
        "adaptive", description="Learning rate: fixed, falling to zero at the last step, or steered by the divergence."
    )
    desired_kl: float = Field(
        0.01,
        gt=0.0,
        le=1.0,
        description="Divergence from the old policy that the adaptive schedule steers for.",
        json_schema_extra={**LIVE, "unit": "nat"},
    )

    def check_fit(self, spec: EnvSpec) -> None:
        """Raises BadInputError for more minibatches than samples."""
        check_minibatches("num_minibatches", self.num_minibatches, self.num_steps * spec.num_envs)
        super().check_fit(spec)


class PPOSettings(ClippedSettings, TrunkSettings):
    """Settings of proximal policy optimisation."""

    mirror_samples: bool = Field(
        False,
        description="Learn from the mirror image of every sample too, for robots whose left and right are alike.",
    )


def check_minibatches(name: str, count: int, samples: int) -> None:
    """Raises BadInputError for a setting that asks for more minibatches than a rollout has samples."""
    if count > samples:
        raise BadInputError(
            f"{name} {count} is more than the {samples} samples of a rollout (num_steps x environments): lower it"
        )


class A2CSettings(TrunkSettings):
    """Settings of advantage actor-critic."""

    num_steps: int = Field(
        5, ge=1, le=16384, description="Steps per environment between updates.", json_schema_extra={"unit": "steps"}
    )
    gae_lambda: float = Field(
        1.0,
        ge=0.0,
        le=1.0,
        description="Trade between bias (0) and variance (1) of the advantages; 1 is the paper's n-step return.",
        json_schema_extra=LIVE,
    )
    entropy_coef: float = Field(
        0.0, ge=0.0, le=1.0, description="Weight of the entropy bonus.", json_schema_extra={**LIVE, "unit": "1/nat"}
    )
    optimiser: Literal["rmsprop", "adam"] = Field("rmsprop", description="RMSprop, as published, or Adam.")
    rmsprop_decay: float = Field(0.99, ge=0.0, le=0.9999, description="Decay of RMSprop's mean square per step.")
    adam_eps: float = Field(1e-5, gt=0.0, le=1e-2, description="Epsilon of either optimiser.")
    learning_rate: float = Field(
        7e-4, gt=0.0, le=0.1, description="Step size, at the start if it changes.", json_schema_extra=LIVE
    )
    schedule: Literal["fixed", "linear"] = Field(
        "fixed", description="Learning rate: fixed, or falling to zero at the last step."
    )
    max_grad_norm: float = Field(
        0.5, gt=0.0, le=1000.0, description="Gradients are scaled down to this norm.", json_schema_extra=LIVE
    )
    normalise_advantage: bool = Field(False, description="Shift and scale the advantages of each rollout.")


class SeparateCriticSettings(OnPolicySettings):
    """What the algorithms share that take one step of the policy per rollout and fit the value function apart."""

    schedule: Literal["fixed", "linear"] = Field(
        "fixed", description="Learning rate: fixed, or falling to zero at the last step."
    )
    critic_epochs: int = Field(
        10, ge=1, le=200, description="The value function's passes over each rollout.", json_schema_extra=LIVE
    )
    critic_minibatches: int = Field(
        8, ge=1, le=1024, description="The value function's gradient steps per pass.", json_schema_extra=LIVE
    )

    def check_fit(self, spec: EnvSpec) -> None:
        """Raises BadInputError for more minibatches than samples."""
        super().check_fit(spec)
        check_minibatches("critic_minibatches", self.critic_minibatches, self.num_steps * spec.num_envs)


class ReinforceSettings(SeparateCriticSettings):
    """Settings of REINFORCE with a learned baseline."""

    num_steps: int = Field(
        256, ge=1, le=16384, description="Steps per environment between updates.", json_schema_extra={"unit": "steps"}
    )
    gae_lambda: float = Field(
        1.0,
        ge=0.0,
        le=1.0,
        description="1 is the Monte Carlo return; less lets the baseline's estimates shorten it.",
        json_schema_extra=LIVE,
    )
    learning_rate: float = Field(
        1e-2, gt=0.0, le=0.1, description="Step size of the policy, at the start if it changes.", json_schema_extra=LIVE
    )
    critic_learning_rate: float = Field(
        1e-3, gt=0.0, le=0.1, description="Step size of the baseline.", json_schema_extra=LIVE
    )
    entropy_coef: float = Field(
        0.0, ge=0.0, le=1.0, description="Weight of the entropy bonus.", json_schema_extra={**LIVE, "unit": "1/nat"}
    )


class TRPOSettings(SeparateCriticSettings):
    """Settings of trust region policy optimisation."""

    num_steps: int = Field(
        256, ge=1, le=16384, description="Steps per environment between updates.", json_schema_extra={"unit": "steps"}
    )
    max_kl: float = Field(
        0.01,
        gt=0.0,
        le=1.0,
        description="Bound of the mean divergence between the policies before and after an update.",
        json_schema_extra={**LIVE, "unit": "nat"},
    )
    cg_iterations: int = Field(
        15, ge=1, le=100, description="Conjugate gradient iterations for the step's direction.", json_schema_extra=LIVE
    )
    cg_damping: float = Field(
        0.1, ge=0.0, le=10.0, description="Added to the Fisher matrix' diagonal.", json_schema_extra=LIVE
    )
    line_search_steps: int = Field(
        10, ge=1, le=50, description="Step lengths that are tried, the longest first.", json_schema_extra=LIVE
    )
    line_search_shrink: float = Field(
        0.8, ge=0.1, le=0.99, description="Each step length as a share of the one before.", json_schema_extra=LIVE
    )
    learning_rate: float = Field(
        1e-3,
        gt=0.0,
        le=0.1,
        description="Step size of the value function, at the start if it changes.",
        json_schema_extra=LIVE,
    )
