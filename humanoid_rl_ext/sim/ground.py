"""The height field on the device: how high the ground is under any number of points, in one lookup."""

from __future__ import annotations

import torch

from humanoid_rl_ext.sim.terrain import Terrain


class Ground:
    """Batched lookups in a terrain's height field; beyond its edge the ground goes on level."""

    def __init__(self, terrain: Terrain, device: torch.device) -> None:
        self.terrain = terrain
        nx, ny = terrain.heights.shape
        # grid_sample takes pictures (height, width) and points (width, height) from -1 to 1: width is x, height y.
        self._picture = torch.as_tensor(terrain.heights.T.copy(), device=device).view(1, 1, ny, nx)
        self._scale = torch.tensor([1.0 / reach for reach in terrain.reach], device=device)
        self._patterns: dict[tuple[int, int], tuple[torch.Tensor, torch.Tensor]] = {}

    def height(self, position: torch.Tensor) -> torch.Tensor:
        """(num_envs,) height of the ground (m, world) under points (num_envs, 2 or more) of the world."""
        points = (position[:, :2] * self._scale).view(1, 1, -1, 2)
        return self._lookup(points).view(-1)

    def scan(
        self, position: torch.Tensor, axes: torch.Tensor, grid: tuple[int, int], spacing: float | torch.Tensor
    ) -> torch.Tensor:
        """(num_envs, points) height of the ground (m, world) on a grid that turns with the heading.

        ``position`` (num_envs, 2 or more) is its middle in the world, ``axes`` (num_envs, 2, 2) the unit vectors ahead
        and to the left, ``grid`` the points ahead and across, ``spacing`` (m) their distance. Points run from the right
        to the left, and from behind to ahead in each line.
        """
        ahead, left = self._pattern(grid)
        axes = axes * (self._scale * spacing)
        middle = (position[:, :2] * self._scale).unsqueeze(1)
        # No matrix product, which would be rounded to TensorFloat-32 on a GPU.
        points = torch.addcmul(middle, ahead, axes[:, :1]).addcmul_(left, axes[:, 1:])
        return self._lookup(points.unsqueeze(0)).view(len(points), -1)

    def _lookup(self, points: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.grid_sample(self._picture, points, padding_mode="border", align_corners=True)

    def _pattern(self, grid: tuple[int, int]) -> tuple[torch.Tensor, torch.Tensor]:
        """(points, 1) steps ahead and to the left of the middle."""
        if grid not in self._patterns:
            ahead, left = (torch.arange(count, device=self._scale.device) - 0.5 * (count - 1) for count in grid)
            y, x = torch.meshgrid(left, ahead, indexing="ij")
            self._patterns[grid] = x.reshape(-1, 1), y.reshape(-1, 1)
        return self._patterns[grid]
