"""The rough walk on real physics, small."""

from __future__ import annotations

import pytest
import torch

from humanoid_rl_ext.env.make import make_env
from humanoid_rl_ext.task.loading import load_task

SMALL = ["scene.terrain.rows=2", "scene.terrain.columns=7", "scene.terrain.cell_size=5.0", "scene.terrain.border=1.0"]


@pytest.mark.parametrize("engine", ["ovphysx", "newton"])
def test_it_runs_on_shared_cells_and_sees_the_ground(engine):
    seen_on_flat_ground = flat_size()
    env = make_env(load_task("humanoid_walk_rough", [*SMALL, "episode_length_s=0.5"]), num_envs=16, engine=engine)
    try:
        assert env.spec.observations["policy"] == seen_on_flat_ground + 187
        env.reset()
        draws = torch.Generator().manual_seed(1)
        for _ in range(40):
            transition = env.step(0.3 * torch.randn(16, env.spec.action.size, generator=draws))
            assert transition.obs["policy"].isfinite().all() and transition.reward.isfinite().all()
        heights = env.view.root_height
        assert ((heights > 0.4) & (heights < 1.2)).all(), "above the ground, wherever that is"
        assert 0.0 <= env.episode_metrics()["terrain_level"] <= 1.0
    finally:
        env.close()


def flat_size() -> int:
    """Width of what the flat walk's policy sees."""
    env = make_env(load_task("humanoid_walk"), num_envs=1, engine="newton")
    size = env.spec.observations["policy"]
    env.close()
    return size
