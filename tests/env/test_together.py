"""Terrain, moving commands, stored starts, randomisation, sensing and a curriculum's edits in one environment."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from humanoid_rl_ext.env.make import make_env
from humanoid_rl_ext.env.stagger import stagger
from humanoid_rl_ext.env.terrain_levels import GridLevels
from humanoid_rl_ext.env.vec_env import VecEnv
from humanoid_rl_ext.sim import recording
from humanoid_rl_ext.sim.terrain import build_terrain
from humanoid_rl_ext.task.loading import load_task

sys.path.insert(0, str(Path(__file__).parent))
from puppets import Puppets

on_gpu = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")]
EVERYTHING = (
    "scene.terrain.rows=4",
    "scene.terrain.columns=7",
    "scene.terrain.cell_size=4.0",
    "scene.terrain.border=1.0",
    "commands.velocity.resample_s=[0.1, 0.3]",
    "commands.gait={resample_s: [0.1, 0.2]}",
    "observations.policy.clock={term: command, params: {command: gait}}",
    "observations.policy.height_scan.noise=0.01",
    "observations.policy.joint_pos={noise: 0.01, bias: 0.01, history: 4, delay_s: [0.0, 0.02]}",
    "rewards.gait_contact={weight: 0.5}",
    "randomisation.push.interval_s=[0.1, 0.3]",
    "randomisation.action_noise={}",
    "episodes.start_from=buffer",
    "episodes.interval_s=0.1",
    "episodes.capacity=50",
    "episode_length_s=0.6",
)
OF_ENGINES = ("randomisation.gravity={}", "randomisation.action_delay={}", "sim.randomisation_interval_s=0.1")
"""What Puppets have not got; nor have they ``mass`` and ``friction``."""


def on_puppets(device: str, num_envs: int = 32, *overrides: str) -> VecEnv:
    without = "randomisation.mass.enabled=false", "randomisation.friction.enabled=false"
    task = load_task("humanoid_walk_stages", [*EVERYTHING, *without, *overrides])
    engine = Puppets(num_envs + 2, device)
    engine.settings = replace(engine.settings, terrain=build_terrain(task.scene.terrain))
    return VecEnv(task, engine, seed=3, reserved=2)  # type: ignore[arg-type]


def play(env: VecEnv, steps: int, generator: torch.Generator) -> list[dict[str, torch.Tensor]]:
    seen = []
    for _ in range(steps):
        actions = 0.3 * (torch.rand(env.num_envs, env.spec.action.size, generator=generator) - 0.5)
        moved = env.step(actions.to(env.device))
        values = {"obs": moved.obs["policy"], "reward": moved.reward, "cut": moved.truncated}
        values |= {"level": env.view.terrain_level, "counted": env.statistics.done}
        seen.append({name: value.clone().cpu() for name, value in values.items()})
    return seen


@pytest.fixture
def make() -> Iterator[Any]:
    opened: list[VecEnv] = []

    def start(engine: str) -> VecEnv:
        while opened:
            opened.pop().close()
        task = load_task("humanoid_walk_stages", [*EVERYTHING, *OF_ENGINES])
        opened.append(make_env(task, num_envs=6, engine=engine, seed=1))  # type: ignore[arg-type]
        opened[-1].reset()
        return opened[-1]

    yield start
    while opened:
        opened.pop().close()


@pytest.mark.parametrize("engine", ["ovphysx", "newton"])
def test_all_of_it_runs_is_edited_stage_by_stage_and_goes_on_from_a_checkpoint(make, engine: str) -> None:
    env, generator = make(engine), torch.Generator().manual_seed(7)
    stagger(env)
    for stage in env.task.curriculum.stages.values():
        for path, value in stage.set.items():
            env.edit(path, value)
        assert all(value.isfinite().all() for step in play(env, 20, generator) for value in step.values())
    assert env.episode_metrics()["episodes"] > 0 and env.randomised("mass").min() >= 0.8
    saved, known = env.state_dict(), env.randomised("gravity").clone()
    again = make(engine)
    again.load_state_dict(saved)
    torch.testing.assert_close(again.randomised("gravity"), known)
    torch.testing.assert_close(again.engine.get_property("gravity")[:, 2:], -known)
    found = again.state_dict()
    for name in ("root_pose", "episode_length", "terrain_level"):
        torch.testing.assert_close(found[name], saved[name], atol=1e-5, rtol=1e-5)
    for name, value in saved["buffers"].items():
        torch.testing.assert_close(found["buffers"][name], value, msg=name)
    torch.testing.assert_close(found["stored"]["states"], saved["stored"]["states"])
    steps = 0 if engine == "ovphysx" else 20 * len(env.task.curriculum.stages)  # ovphysx takes all without batches
    counted = [state["randomiser"]["failures"]["counts"] for state in (found, saved)]
    assert torch.equal(*counted) and counted[0].sum() > 0
    assert found["randomiser"]["steps"] == saved["randomiser"]["steps"] == steps
    again.load_state_dict({name: value for name, value in saved.items() if name != "randomiser"})  # one of before
    assert torch.equal(again.state_dict()["randomiser"]["failures"]["counts"], counted[0])
    assert all(value.isfinite().all() for step in play(again, 10, generator) for value in step.values())


def test_a_start_from_the_past_is_over_the_cell_that_the_robot_goes_to() -> None:
    env = on_puppets("cpu", 32, "episodes.share=1.0")
    env.reset()
    play(env, 10, torch.Generator().manual_seed(7))
    levels, done = env._restarts.levels, torch.ones(34, dtype=torch.bool)
    assert isinstance(levels, GridLevels)
    env._block.draw()
    levels.move(done, done, ~done)
    _, motion = env._restarts(done, env.view)
    assert motion is not None and not torch.equal(levels.origins, env.engine.env_origins)
    torch.testing.assert_close(motion[0][:, :2], levels.origins[:, :2])
    assert (motion[0][:, 2] - levels.origins[:, 2]).min() > 0.3


@pytest.mark.parametrize("steps", [pytest.param(100, marks=on_gpu)])
def test_a_recorded_step_equals_an_eager_one(steps: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def played() -> list[dict[str, torch.Tensor]]:
        torch.manual_seed(5)
        env, generator = on_puppets("cuda:0"), torch.Generator().manual_seed(7)
        env.reset()
        stagger(env)
        seen = play(env, steps // 2, generator)
        env.edit("scene.terrain.max_difficulty", 0.3)
        env.edit("commands.velocity.params.lin_vel_x", [-0.5, 1.5])
        env.edit("reward_scale", 2.0)
        return seen + play(env, steps // 2, generator)

    replayed = played()
    monkeypatch.setattr(recording, "EAGER_CALLS", 10**9)
    for step, (one, other) in enumerate(zip(replayed, played(), strict=True)):
        for name, value in other.items():
            torch.testing.assert_close(
                one[name], value, atol=1e-5, rtol=1e-5, msg=lambda said, s=step, n=name: f"step {s}, {n}: {said}"
            )
    assert any(step["cut"].any() for step in replayed)


@pytest.mark.parametrize("num_envs", [pytest.param(4096, marks=on_gpu)])
def test_a_recorded_step_does_not_wait_for_the_gpu(num_envs: int) -> None:
    env = on_puppets("cuda:0", num_envs)
    env.reset()
    actions = torch.zeros(num_envs, env.spec.action.size, device="cuda:0")
    for _ in range(10):
        env.step(actions)
    torch.cuda.synchronize()
    torch.cuda.set_sync_debug_mode("error")
    try:
        for _ in range(20):
            env.step(actions)
    finally:
        torch.cuda.set_sync_debug_mode("default")
