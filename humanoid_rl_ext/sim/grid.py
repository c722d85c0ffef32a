"""Where environments stand."""

from __future__ import annotations

import torch

from humanoid_rl_ext.sim.engine import SceneSettings


def start_origins(settings: SceneSettings) -> torch.Tensor:
    """(num_envs, 3) where environments are at first: on cells of the terrain, or on a grid of their own."""
    if settings.terrain is not None:
        return torch.as_tensor(settings.terrain.start_origins(settings.num_envs))
    origins = square_grid(settings.num_scenes, settings.spacing)
    if settings.team_size == 1:
        return origins
    return (origins.unsqueeze(1) + abreast(settings.team_size, settings.team_spacing)).flatten(0, 1)


def abreast(robots: int, spacing: float) -> torch.Tensor:
    """(robots, 3) places in a row along the world's y axis, centred on the origin, neighbours ``spacing`` (m) apart."""
    along = (torch.arange(robots) - 0.5 * (robots - 1)) * spacing
    return torch.stack((torch.zeros(robots), along, torch.zeros(robots)), dim=-1)


def square_grid(num_envs: int, spacing: float) -> torch.Tensor:
    """(num_envs, 3) origins of a square grid centred on the world's origin, neighbours ``spacing`` (m) apart."""
    side = int(max(num_envs - 1, 0) ** 0.5) + 1
    index = torch.arange(num_envs)
    cells = torch.stack((index % side, index // side), dim=-1).float()
    middle = 0.5 * (cells.amin(0) + cells.amax(0))
    return torch.cat(((cells - middle) * spacing, torch.zeros(num_envs, 1)), dim=-1)
