"""What PPO's policy and critic are judged by, per sample."""

from __future__ import annotations

import math

import torch


def clipped_surrogate(log_ratio: torch.Tensor, advantages: torch.Tensor, clip_range: float) -> torch.Tensor:
    """What the policy maximises, per sample (n,). Source: Schulman et al. 2017, equation 7."""
    ratio = log_ratio.exp()
    return torch.minimum(ratio * advantages, ratio.clamp(1.0 - clip_range, 1.0 + clip_range) * advantages)


def value_error(values: torch.Tensor, old_values: torch.Tensor, returns: torch.Tensor, clip: float) -> torch.Tensor:
    """Half the squared error, per sample (n,), or that of values held within ``clip`` of the old ones if larger.

    An infinite ``clip`` leaves the plain error. Source: Andrychowicz et al. 2021, appendix B.1 (value loss clipping).
    """
    error = (values - returns).square()
    if math.isfinite(clip):
        held = old_values + (values - old_values).clamp(-clip, clip)
        error = torch.maximum(error, (held - returns).square())
    return 0.5 * error
