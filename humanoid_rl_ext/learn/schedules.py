"""How the learning rate changes during training."""

from __future__ import annotations

import torch

from humanoid_rl_ext.errors import BadInputError

MIN_LEARNING_RATE = 1e-5
MAX_LEARNING_RATE = 1e-2


def constant(initial: float, progress: float) -> float:
    """The initial value, whatever the progress."""
    return initial


def linear(initial: float, progress: float) -> float:
    """``initial`` at progress 0, zero at progress 1 and after."""
    return initial * max(0.0, 1.0 - progress)


def scheduled_learning_rate(schedule: str, initial: float, env_steps: int, total_env_steps: int | None) -> float | None:
    """The learning rate at ``env_steps``, or None where the divergence decides (``adaptive``).

    Raises BadInputError for a linear schedule without an end.
    """
    if schedule == "adaptive":
        return None
    if schedule == "fixed":
        return constant(initial, 0.0)
    if total_env_steps is None:
        raise BadInputError("schedule 'linear' needs the total number of steps: give --steps, or use 'fixed'")
    return linear(initial, env_steps / total_env_steps)


def adapt_learning_rate(learning_rate: torch.Tensor, kl: torch.Tensor, desired_kl: float) -> None:
    """Changes ``learning_rate`` (a scalar tensor) in place so that the divergence of an update nears ``desired_kl``.

    Divides by 1.5 above twice the desired divergence and multiplies by 1.5 below half of it, within 1e-5 and 1e-2;
    both inputs stay on their device. Source: Schulman et al. 2017, section 4 (the rule for the penalty, applied to
    the step size as in Rudin et al. 2022).
    """
    slower = (kl > 2.0 * desired_kl).to(learning_rate.dtype)
    faster = (kl < 0.5 * desired_kl).to(learning_rate.dtype)
    learning_rate.mul_(torch.pow(1.5, faster - slower)).clamp_(MIN_LEARNING_RATE, MAX_LEARNING_RATE)
