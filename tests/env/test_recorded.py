"""The recorded step is the eager step: same numbers, same edits, no waiting for the GPU."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from humanoid_rl_ext.env.vec_env import VecEnv
from humanoid_rl_ext.sim import recording
from humanoid_rl_ext.task.loading import load_task

sys.path.insert(0, str(Path(__file__).parent))
from puppets import Puppets

on_gpu = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")]
WALK = ("humanoid_walk", ["commands.velocity.resample_s=[0.1, 0.3]", "episode_length_s=0.8"])


def make(device: str, num_envs: int = 32, reserved: int = 2) -> VecEnv:
    return VecEnv(load_task(*WALK), Puppets(num_envs + reserved, device), seed=3, reserved=reserved)  # type: ignore[arg-type]


def play(env: VecEnv, steps: int) -> list[dict[str, torch.Tensor]]:
    """What every step gives, for the same actions each time; a shove, a command and an edit on the way."""
    generator = torch.Generator().manual_seed(7)
    env.reset()
    seen: list[dict[str, Any]] = []
    for step in range(steps):
        actions = torch.rand(env.num_envs, env.spec.action.size, generator=generator) - 0.5
        if step == steps // 4:
            env.drive("velocity", [0.5, 0.1, -0.2])
        if step == steps // 3:
            env.edit("rewards.alive.weight", 4.0)
        if step == steps // 2:
            env.push_reserved(torch.tensor([0.3, 0.0, 0.0], device=env.device))
            env.edit("rewards.extra", {"term": "alive", "weight": 0.5})
        if step == 2 * steps // 3:
            env.drive("velocity", None)
            env.restart_reserved()
        transition = env.step(actions.to(env.device))
        seen.append(
            {
                "obs": transition.obs["policy"].clone().cpu(),
                "final": transition.final_obs["policy"].clone().cpu(),
                "reward": transition.reward.clone().cpu(),
                "terminated": transition.terminated.clone().cpu(),
                "truncated": transition.truncated.clone().cpu(),
                "reserved": env.reserved_observations()["policy"].clone().cpu(),
                "metrics": torch.tensor(sorted(env.episode_metrics().values())) if step % 10 == 9 else torch.zeros(0),
            }
        )
    return seen


def assert_same(found: list[dict[str, torch.Tensor]], expected: list[dict[str, torch.Tensor]], atol: float) -> None:
    for step, (one, other) in enumerate(zip(found, expected, strict=True)):
        for name, value in other.items():
            torch.testing.assert_close(
                one[name], value, atol=atol, rtol=atol, msg=lambda said, s=step, n=name: f"step {s}, {n}: {said}"
            )


def recorded(num_envs: int) -> tuple[VecEnv, torch.Tensor]:
    """An environment on the GPU whose step has been recorded, and actions for it."""
    env = make("cuda:0", num_envs)
    env.reset()
    actions = torch.zeros(num_envs, env.spec.action.size, device="cuda:0")
    for _ in range(6):
        env.step(actions)
    torch.cuda.synchronize()
    return env, actions


def test_puppets_end_episodes_in_every_way() -> None:
    seen = play(make("cpu"), 100)
    assert any(step["terminated"].any() for step in seen) and any(step["truncated"].any() for step in seen)


@pytest.mark.parametrize("steps", [pytest.param(100, marks=on_gpu)])
def test_a_recorded_step_equals_an_eager_one(steps: int, monkeypatch: pytest.MonkeyPatch) -> None:
    replayed = play(make("cuda:0"), steps)
    monkeypatch.setattr(recording, "EAGER_CALLS", 10**9)
    eager = play(make("cuda:0"), steps)
    assert_same(replayed, eager, 1e-6)


def test_a_reset_leaves_what_recorded_steps_fill_in_its_place() -> None:
    env = make("cpu")
    env.reset()
    env.step(torch.zeros(env.num_envs, env.spec.action.size))
    outcome = env._outcome
    env.reset()
    assert env._outcome is outcome


@pytest.mark.parametrize("device", [pytest.param("cuda:0", marks=on_gpu)])
def test_a_reset_between_recorded_steps_starts_episodes_anew(device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def after_a_reset() -> list[dict[str, torch.Tensor]]:
        env = make(device)
        play(env, 10)
        return play(env, 30)

    replayed = after_a_reset()
    monkeypatch.setattr(recording, "EAGER_CALLS", 10**9)
    assert_same(replayed, after_a_reset(), 1e-6)


@pytest.mark.parametrize("num_envs", [pytest.param(4096, marks=on_gpu)])
def test_a_recorded_step_does_not_wait_for_the_gpu(num_envs: int) -> None:
    env, actions = recorded(num_envs)
    torch.cuda.set_sync_debug_mode("error")
    try:
        began = time.perf_counter()
        for _ in range(50):
            env.step(actions)
        launched = time.perf_counter() - began
    finally:
        torch.cuda.set_sync_debug_mode("default")
    torch.cuda.synchronize()
    print(f"{1e3 * launched / 50:.2f} ms of Python a step, {1e3 * (time.perf_counter() - began) / 50:.2f} ms in all")


@pytest.mark.parametrize("num_envs", [pytest.param(256, marks=on_gpu)])
def test_a_new_reward_is_recorded_within_a_second(num_envs: int) -> None:
    env, actions = recorded(num_envs)
    began = time.perf_counter()
    env.edit("rewards.extra", {"term": "alive", "weight": 0.5})
    env.step(actions)
    torch.cuda.synchronize()
    assert time.perf_counter() - began < 1.0
