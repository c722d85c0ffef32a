"""What the benchmark of climbing reads off the environment and makes of its curve."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch


@pytest.fixture
def climbing(monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).parents[2] / "benchmarks")
    import climbing

    return climbing


def world(levels: list[int], columns: list[int], watched: int) -> Any:
    """As much of an environment as is asked about levels; the last robots are watched and not learned from."""
    level, column = torch.tensor(levels), torch.tensor(columns)
    ours = len(levels) - watched
    terrain = SimpleNamespace(rows=4, column_kinds=("waves", "waves", "stairs_up"))
    return SimpleNamespace(
        num_envs=ours,
        view=SimpleNamespace(terrain_level=level),
        engine=SimpleNamespace(settings=SimpleNamespace(terrain=terrain)),
        state_dict=lambda: {"terrain_level": level[:ours], "terrain_column": column[:ours]},
    )


def test_levels_are_those_of_the_robots_that_are_learned_from(climbing):
    env = world([*[0] * 5, *[3] * 10, *[1] * 5, 3, 3], [0] * 22, watched=2)
    assert climbing.levels(env) == (pytest.approx(1.75), 0.0, 3.0)


def test_robots_are_counted_by_the_ground_of_their_column(climbing):
    found = climbing.levels_of(world([0, 3, 1, 1, 2], [0, 1, 2, 2, 0], watched=1))
    assert found == {"stairs_up": [0, 2, 0, 0], "waves": [1, 0, 0, 1]}
    assert climbing.mean_level(found["waves"]) == 1.5


def test_a_climb_is_told_from_its_lowest_point_to_its_last_tenth(climbing):
    mean = [1.5, 0.2, *np.linspace(1.0, 5.0, 18).tolist()]
    curve = [[0.0] * climbing.COLUMNS.index("mean_level") + [value, 0.0, 9.0] for value in mean]
    start, lowest, end = climbing.climb({"curve": curve})
    assert (start, lowest) == (1.5, 0.2) and end == pytest.approx((mean[-2] + mean[-1]) / 2)


def test_a_run_that_was_cut_off_says_so(climbing):
    curve = [[0.0] * climbing.COLUMNS.index("mean_level") + [1.0, 0.0, 2.0]]
    assert climbing.report({"curve": curve}).endswith("cut off")


def test_robots_that_move_exactly_as_told_climb(climbing):
    up, down = climbing.obedient(samples=20_000)
    assert up > 0.8 and down < 0.1, "else the Task's levels would be out of reach for whoever does as the Task says"
