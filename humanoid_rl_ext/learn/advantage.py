"""Generalised advantage estimation."""

from __future__ import annotations

import torch


def generalised_advantages(
    rewards: torch.Tensor,
    values: torch.Tensor,
    last_values: torch.Tensor,
    terminated: torch.Tensor,
    truncated: torch.Tensor,
    final_values: torch.Tensor,
    gamma: float,
    gae_lambda: float,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Advantages and the returns that the value function is fitted to, both (num_steps, num_envs).

    Rewards and values may have a column per agent more, (num_steps, num_envs, agents); the flags hold for all agents.

    ``last_values`` (num_envs,) are those of the observations after the last step. An episode that terminated is worth
    nothing afterwards; one that was truncated is worth ``final_values`` (num_steps, num_envs; read only where
    truncated), the value of its last observation before the reset. Either way the sum stops there. Where both flags
    are set, termination counts. Source: Schulman et al. 2016, equation 16; time limits: Pardo et al. 2018.
    """
    if rewards.dim() > terminated.dim():
        terminated, truncated = terminated.unsqueeze(-1), truncated.unsqueeze(-1)
    next_values = torch.cat([values[1:], last_values.unsqueeze(0)])
    next_values = torch.where(truncated, final_values, next_values).masked_fill_(terminated, 0.0)
    deltas = rewards + gamma * next_values - values
    carry = (gamma * gae_lambda) * (~(terminated | truncated)).to(rewards.dtype)

    advantages = torch.empty_like(deltas)
    following = torch.zeros_like(last_values)
    steps = zip(deltas.unbind(), carry.unbind(), advantages.unbind(), strict=True)
    for delta, weight, out in reversed(list(steps)):
        following = torch.addcmul(delta, weight, following, out=out)
    return advantages, advantages + values
