"""First episodes of different ages, so that their time limits do not come all at once (Rudin et al. 2022)."""

from __future__ import annotations

import torch

from humanoid_rl_ext.env.vec_env import VecEnv


def stagger(env: VecEnv) -> None:
    """Makes the episodes that have just begun of any age up to the time limit; to be called right after a reset.

    Statistics leave these episodes out, for they are shorter than they seem. The ages come from torch's own generator.
    """
    mates = env.engine.settings.team_size  # they begin and end together
    ages = (torch.rand(env.num_envs // mates) * env.view.max_episode_length).long().repeat_interleave(mates)
    env.view.episode_length[: env.num_envs] = ages.to(env.device)
    env.statistics.leave_out(torch.arange(env.engine.num_envs, device=env.device) < env.num_envs)
