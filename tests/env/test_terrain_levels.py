"""Environments on a terrain: where they start, who goes up and down, what they see of the ground."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from humanoid_rl_ext.env.terrain_levels import GridLevels
from humanoid_rl_ext.env.vec_env import VecEnv
from humanoid_rl_ext.sim import recording
from humanoid_rl_ext.sim.terrain import build_terrain
from humanoid_rl_ext.task.loading import load_task

sys.path.insert(0, str(Path(__file__).parent))
from puppets import Puppets

on_gpu = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")]
SMALL = ["scene.terrain.rows=4", "scene.terrain.columns=7", "scene.terrain.border=1.0", "scene.terrain.cell_size=6.0"]


def make(device: str = "cpu", num_envs: int = 32, reserved: int = 2, *overrides: str) -> tuple[VecEnv, GridLevels]:
    """The rough walk on puppets, and its levels."""
    task = load_task("humanoid_walk_rough", [*SMALL, "episode_length_s=0.8", *overrides])
    engine = Puppets(num_envs + reserved, device)
    terrain = build_terrain(task.scene.terrain)
    assert terrain is not None
    engine.settings = replace(engine.settings, terrain=terrain)
    env = VecEnv(task, engine, seed=3, reserved=reserved)  # type: ignore[arg-type]
    levels = env._restarts.levels
    assert isinstance(levels, GridLevels)
    return env, levels


def origins_of(env: VecEnv, levels: GridLevels) -> torch.Tensor:
    """Where the terrain says that environments of these levels and columns stand."""
    terrain = env.engine.settings.terrain
    assert terrain is not None
    return torch.as_tensor(terrain.origins)[levels.level.cpu(), levels.column.cpu()]


def test_environments_start_on_their_cells_on_levels_that_the_task_allows():
    env, levels = make("cpu", 40, 2, "scene.terrain.max_initial_level=2")
    assert levels.column[:8].tolist() == [0, 1, 2, 3, 4, 5, 6, 0]
    assert set(levels.level.tolist()) == {0, 1, 2}
    assert torch.equal(env.engine.env_origins, origins_of(env, levels))
    env.reset()
    start = env.engine.state.root_pose[:, :3] - env.engine.env_origins
    assert start[:, :2].abs().max() <= 0.5 and start[:, :2].std() > 0.1
    assert start[:, 2].tolist() == pytest.approx([env.engine.robot.standing_height] * 42, abs=1e-5)
    assert env.view.root_height.tolist() == pytest.approx([env.engine.robot.standing_height] * 42, abs=1e-4)


def test_an_episode_s_walk_moves_it_up_or_down_as_the_rule_says():
    env, levels = make("cpu", 6, 0)
    env.reset()
    levels.place(torch.tensor([1, 1, 1, 1, 0, 3]), torch.arange(6))
    env.engine.state.root_pose[:, :3] = env.engine.env_origins
    # Cells are 6 m wide; at 1 m/s over a whole episode of 0.8 s the command asks for 0.8 m.
    walked = [3.01, 0.41, 0.39, 0.0, 0.39, 3.01]
    env.engine.state.root_pose[:, 0] += torch.tensor(walked)
    env.view.commands["velocity"][:] = torch.tensor([0.6, -0.8, 0.3])
    done = torch.tensor([True, True, True, False, True, True])
    env._block.draw()
    held = [
        tensor.data_ptr() for tensor in (levels.level, levels.column, env.engine.env_origins, env.view.terrain_level)
    ]
    anywhere = (env._block[levels._draws].squeeze(-1) * 4).long()
    env.view.refresh()
    levels(done, env.view)
    assert levels.level.tolist() == [1, 1, 1, 1, 0, 3], "rewards may still ask where the episode took place"
    levels.settle()
    #                              up, far enough, down, goes on, lowest, past the last
    assert levels.level.tolist() == [2, 1, 0, 1, 0, int(anywhere[5])]
    assert torch.equal(env.engine.env_origins, origins_of(env, levels))
    moved = [
        tensor.data_ptr() for tensor in (levels.level, levels.column, env.engine.env_origins, env.view.terrain_level)
    ]
    assert moved == held, "a recorded step needs its tensors where they are"


def test_standing_robots_that_were_told_to_stand_stay_on_their_level():
    env, levels = make("cpu", 6, 0)
    env.reset()
    levels.place(torch.full((6,), 2), torch.arange(6))
    env.engine.state.root_pose[:, :3] = env.engine.env_origins
    env.view.commands["velocity"].zero_()
    env.view.refresh()
    levels(torch.ones(6, dtype=torch.bool), env.view)
    levels.settle()
    assert levels.level.tolist() == [2] * 6


def test_levels_stay_where_they_are_when_the_task_says_so():
    env, levels = make("cpu", 6, 0, "scene.terrain.levels_by_distance=false")
    before = levels.level.clone()
    play(env, 60)
    assert torch.equal(levels.level, before)


def test_those_past_the_last_level_spread_over_all_of_them():
    env, levels = make("cpu", 400, 0)
    env.reset()
    levels.place(torch.full((400,), 3), levels.column.clone())
    env._block.draw()
    everyone = torch.ones(400, dtype=torch.bool)
    levels.move(everyone, everyone, ~everyone)
    levels.settle()
    assert torch.bincount(levels.level, minlength=4).tolist() == pytest.approx([100] * 4, abs=35)


def test_no_level_is_more_difficult_than_the_task_allows_which_is_an_edit():
    env, levels = make("cpu", 400, 0, "scene.terrain.max_difficulty=0.25")
    env.reset()
    assert not levels.level.any()
    everyone = torch.ones(400, dtype=torch.bool)
    env._block.draw()
    levels.move(everyone, everyone, ~everyone)
    levels.settle()
    assert not levels.level.any(), "of the difficulties 0, 1/3, 2/3 and 1 one is allowed"
    env.edit("scene.terrain.max_difficulty", 0.5)
    levels.move(everyone, everyone, ~everyone)
    levels.settle()
    assert levels.level.tolist() == [1] * 400
    env.edit("scene.terrain.max_difficulty", 0.25)
    levels.move(~everyone, ~everyone, ~everyone)
    levels.settle()
    assert levels.level.tolist() == [1] * 400, "no episode has ended"
    levels.move(everyone, ~everyone, ~everyone)
    levels.settle()
    assert not levels.level.any()


def test_a_stage_of_difficulty_has_the_levels_up_to_it():
    terrain = build_terrain(load_task("humanoid_walk_stages").scene.terrain)
    assert terrain is not None and terrain.difficulties == pytest.approx([0.1 * row for row in range(11)])
    assert [terrain.levels_up_to(limit) for limit in (0.0, 0.1, 0.3, 0.5, 0.8, 1.0)] == [1, 2, 4, 6, 9, 11]


def test_levels_survive_a_checkpoint_whatever_the_number_of_reserved_environments():
    env, levels = make("cpu", 8, 2)
    env.reset()
    levels.place(torch.tensor([3, 0, 2, 1, 3, 2, 1, 0, 0, 0]), levels.column.clone())
    env.engine.state.root_pose[:, :3] = env.engine.env_origins + 0.5
    saved = env.state_dict()
    other, found = make("cpu", 8, 1)
    other.reset()
    other.load_state_dict(saved)
    assert found.level[:8].tolist() == [3, 0, 2, 1, 3, 2, 1, 0]
    assert torch.equal(other.engine.env_origins, origins_of(other, found))
    assert torch.allclose(other.engine.state.root_pose[:8, :3], env.engine.state.root_pose[:8, :3], atol=1e-5)


def test_flat_tasks_know_nothing_of_levels():
    task = load_task("humanoid_walk")
    env = VecEnv(task, Puppets(4, "cpu"), seed=3)  # type: ignore[arg-type]
    env.reset()
    assert env.view.ground is None
    assert not [key for key in env.state_dict() if "terrain" in key]


def test_the_height_scan_is_the_field_around_the_base():
    env, _ = make("cpu", 8, 0)
    env.reset()
    env.engine.state.root_pose[:, :2] += torch.linspace(-2, 2, 8).unsqueeze(-1)
    env.engine.state.root_pose[:, 2] += 0.3
    env.view.refresh()
    seen = env.observations()["policy"]
    scan = seen[:, -187:]
    ground = env.view.ground
    assert ground is not None
    heights = ground.scan(env.view.root_pos_w, env.view.heading_axes_w, (17, 11), 0.1)
    feet = env.view.root_pos_w[:, 2:3] - env.engine.robot.standing_height
    assert torch.allclose(scan, (heights - feet).clamp(-1, 1), atol=1e-5)
    below = scan.view(8, 11, 17)[:, 5, 8]
    assert below.tolist() == pytest.approx((env.engine.robot.standing_height - env.view.root_height).tolist(), abs=1e-4)


def play(env: VecEnv, steps: int) -> list[dict[str, torch.Tensor]]:
    """What every step gives, for the same actions each time."""
    generator = torch.Generator().manual_seed(7)
    env.reset()
    seen: list[dict[str, Any]] = []
    for _ in range(steps):
        actions = torch.rand(env.num_envs, env.spec.action.size, generator=generator) - 0.5
        transition = env.step(actions.to(env.device))
        seen.append(
            {
                "obs": transition.obs["policy"].clone().cpu(),
                "reward": transition.reward.clone().cpu(),
                "origins": env.engine.env_origins.clone().cpu(),
                "level": env.view.terrain_level.clone().cpu(),
            }
        )
    return seen


def test_puppets_change_levels():
    seen = play(make()[0], 100)
    assert len({tuple(step["level"].tolist()) for step in seen}) > 3


@pytest.mark.parametrize("steps", [pytest.param(100, marks=on_gpu)])
def test_a_recorded_step_on_terrain_equals_an_eager_one(steps, monkeypatch):
    replayed = play(make("cuda:0")[0], steps)
    monkeypatch.setattr(recording, "EAGER_CALLS", 10**9)
    eager = play(make("cuda:0")[0], steps)
    for step, (one, other) in enumerate(zip(replayed, eager, strict=True)):
        for name, value in other.items():
            torch.testing.assert_close(
                one[name], value, atol=1e-5, rtol=1e-5, msg=lambda s, n=name, k=step: f"{k} {n} {s}"
            )
    assert len({tuple(step["level"].tolist()) for step in replayed}) > 3


@pytest.mark.parametrize("num_envs", [pytest.param(4096, marks=on_gpu)])
def test_a_step_on_terrain_does_not_wait_for_the_gpu(num_envs):
    env, _ = make("cuda:0", num_envs)
    play(env, 6)
    actions = torch.zeros(num_envs, env.spec.action.size, device="cuda:0")
    torch.cuda.synchronize()
    torch.cuda.set_sync_debug_mode("error")
    try:
        for _ in range(20):
            env.step(actions)
    finally:
        torch.cuda.set_sync_debug_mode("default")
