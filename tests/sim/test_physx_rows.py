"""Rows that PhysX holds in an order of its own are read and written in the robots'."""

from __future__ import annotations

import pytest
import torch

from humanoid_rl_ext.errors import EngineError
from humanoid_rl_ext.sim.physx_rows import in_order


class Held:
    """A binding over robots held as c, a, b."""

    shape, dof_names, body_names = (3, 2), ["joint"], ["trunk"]

    def __init__(self, *paths: str) -> None:
        self.prim_paths = list(paths)
        self.values = torch.zeros(3, 2)

    def read(self, out: torch.Tensor) -> None:
        out.copy_(self.values)

    def write(self, values: torch.Tensor, mask: torch.Tensor | None = None) -> None:
        rows = torch.ones(3, dtype=torch.bool) if mask is None else mask
        self.values[rows] = values[rows]


ROBOTS = ["/a/Robot", "/b/Robot", "/c/Robot"]


def test_a_binding_in_order_is_left_alone() -> None:
    held = Held("/a/Robot/trunk", "/b/Robot/trunk", "/c/Robot/trunk")
    assert in_order(held, ROBOTS) is held


def test_values_reach_the_robots_they_are_for_and_come_back() -> None:
    held = Held("/c/Robot/trunk", "/a/Robot", "/b/Robot/trunk")
    binding = in_order(held, ROBOTS)
    values = torch.tensor([[1.0, 1.5], [2.0, 2.5], [3.0, 3.5]])
    binding.write(values)
    assert held.values[:, 0].tolist() == [3.0, 1.0, 2.0]
    seen = torch.zeros(3, 2)
    binding.read(seen)
    assert torch.equal(seen, values)
    binding.write(-values, torch.tensor([False, True, False]))
    binding.read(seen)
    assert seen[:, 0].tolist() == [1.0, -2.0, 3.0]


@pytest.mark.parametrize("paths", [("/a/Robot", "/a/Robot", "/b/Robot"), ("/a/Robot", "/b/Robot", "/other/Robot")])
def test_robots_without_a_row_or_with_two_are_refused(paths: tuple[str, ...]) -> None:
    with pytest.raises(EngineError, match="3 articulations for 3 robots"):
        in_order(Held(*paths), ROBOTS)
