"""Where environments stand."""

from __future__ import annotations

import torch

from humanoid_rl_ext.sim.engine import SceneSettings


def start_origins(settings: SceneSettings) -> torch.Tensor:
    """(num_envs, 3) where environments are at first: on cells of the terrain, or on a grid of their own."""
    if settings.terrain is None:
        return square_grid(settings.num_envs, settings.spacing)
    return torch.as_tensor(settings.terrain.start_origins(settings.num_envs))


def square_grid(num_envs: int, spacing: float) -> torch.Tensor:
    """(num_envs, 3) origins of a square grid centred on the world's origin, neighbours ``spacing`` (m) apart."""
    side = int(max(num_envs - 1, 0) ** 0.5) + 1
    index = torch.arange(num_envs)
    cells = torch.stack((index % side, index // side), dim=-1).float()
    middle = 0.5 * (cells.amin(0) + cells.amax(0))
    return torch.cat(((cells - middle) * spacing, torch.zeros(num_envs, 1)), dim=-1)
