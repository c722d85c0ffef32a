"""The benchmark of everything at once compares like with like."""

from __future__ import annotations

import pytest

from humanoid_rl_ext.env.bench_full import bench_full, variants
from humanoid_rl_ext.task.loading import load_task


def test_the_two_variants_differ_in_what_is_measured_alone():
    both = variants(load_task("humanoid_walk_rough"))
    plain, full = both["plain"], both["full"]
    assert "height_scan" not in plain.observations["policy"] and "mass" not in plain.randomisation
    assert "height_scan" in full.observations["policy"] and {"mass", "gravity", "action_delay"} <= set(
        full.randomisation
    )
    assert full.observations["policy"]["joint_pos"].history == 4
    assert full.observations["policy"]["last_action"].history == 1
    assert plain.scene == full.scene and plain.rewards == full.rewards


@pytest.mark.slow
def test_both_variants_are_measured_in_turn():
    small = load_task("humanoid_walk_rough", ["scene.terrain.rows=2", "scene.terrain.columns=7"])
    result = bench_full(small, engine="newton", num_envs=4, device="cpu", steps=4, rounds=2)
    assert result["plain"] > 0 and result["full"] > 0 and -1.0 < result["added"] < 5.0
