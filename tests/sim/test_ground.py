"""Lookups in the height field on the device."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import pytest
import torch

from humanoid_rl_ext.sim.ground import Ground

sys.path.insert(0, str(Path(__file__).parent))
from terrains import terrain

BUILT = terrain({"random_rough": {}, "waves": {}, "stairs_up": {}}, rows=2, seed=5)
GROUND = Ground(BUILT, torch.device("cpu"))


def by_hand(x: float, y: float) -> float:
    """Bilinear height at a point, written out."""
    u, v = ((value + reach) / BUILT.resolution for value, reach in zip((x, y), BUILT.reach, strict=True))
    i, j = int(u), int(v)
    u, v, h = u - i, v - j, BUILT.heights
    return float(
        h[i, j] * (1 - u) * (1 - v) + h[i + 1, j] * u * (1 - v) + h[i, j + 1] * (1 - u) * v + h[i + 1, j + 1] * u * v
    )


def test_the_height_under_a_point_is_that_of_the_field():
    draws = torch.Generator().manual_seed(2)
    points = (torch.rand(200, 2, generator=draws) - 0.5) * 1.9 * torch.tensor(BUILT.reach)
    expected = [by_hand(*point) for point in points.tolist()]
    assert GROUND.height(points).tolist() == pytest.approx(expected, abs=2e-5)


def test_every_origin_stands_on_the_ground():
    origins = torch.as_tensor(BUILT.origins.reshape(-1, 3))
    assert GROUND.height(origins).tolist() == pytest.approx(origins[:, 2].tolist(), abs=1e-5)


def test_beyond_the_edge_the_ground_is_level():
    assert GROUND.height(torch.tensor([[500.0, 0.0], [-3.0, -700.0]])).tolist() == [0.0, 0.0]


def test_a_scan_turns_with_the_heading_and_runs_from_right_to_left_and_behind_to_ahead():
    middle, yaw = torch.tensor([[1.3, -0.4, 2.0], [-5.1, 7.7, 0.0]]), (0.7, -2.1)
    axes = [[[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]] for angle in yaw]
    scan = GROUND.scan(middle, torch.tensor(axes), (17, 11), torch.tensor(0.1))
    assert scan.shape == (2, 187)
    for env, angle in enumerate(yaw):
        for index in (0, 16, 93, 170, 186):
            ahead, left = (index % 17 - 8) * 0.1, (index // 17 - 5) * 0.1
            x = middle[env, 0].item() + ahead * math.cos(angle) - left * math.sin(angle)
            y = middle[env, 1].item() + ahead * math.sin(angle) + left * math.cos(angle)
            assert scan[env, index].item() == pytest.approx(by_hand(x, y), abs=2e-5)
