"""Moving commands, staggered episodes and starts from the past in a recorded step: as in an eager one, unwaited for."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest
import torch

from humanoid_rl_ext.env.stagger import stagger
from humanoid_rl_ext.env.vec_env import VecEnv
from humanoid_rl_ext.sim import recording
from humanoid_rl_ext.task.loading import load_task

sys.path.insert(0, str(Path(__file__).parent))
from puppets import Puppets

on_gpu = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")]
EVERYTHING = (
    "commands.velocity.params.heading=true",
    "commands.velocity.resample_s=[0.1, 0.3]",
    "commands.gait={resample_s: [0.1, 0.2]}",
    "commands.base_height={}",
    "observations.policy.clock={term: command, params: {command: gait}}",
    "observations.policy.wanted_height={term: command, params: {command: base_height}}",
    "rewards.gait_contact={weight: 0.5}",
    "rewards.track_base_height={weight: 0.5}",
    "episodes.start_from=buffer",
    "episodes.share=0.7",
    "episodes.interval_s=0.1",
    "episodes.capacity=100",
    "episode_length_s=0.8",
)
PLAIN = ("commands.velocity.resample_s=[0.1, 0.3]", "episode_length_s=0.8")


def make(device: str, num_envs: int = 32, overrides: tuple[str, ...] = EVERYTHING) -> VecEnv:
    return VecEnv(load_task("humanoid_walk", overrides), Puppets(num_envs + 2, device), seed=3, reserved=2)  # type: ignore[arg-type]


def play(device: str, steps: int) -> list[dict[str, torch.Tensor]]:
    """What every step gives, for the same actions each time; a command, an edit and a stage's numbers on the way."""
    torch.manual_seed(5)
    env = make(device)
    generator = torch.Generator().manual_seed(7)
    env.reset()
    stagger(env)
    seen = []
    for step in range(steps):
        if step == steps // 4:
            env.drive("gait", [3.0, 0.5])
            env.drive("velocity", [0.5, 0.1, -0.2])
        if step == steps // 3:
            env.edit("commands.gait.params.frequency", [2.0, 3.0])
            env.edit("commands.velocity.params.heading_gain", 1.5)
            env.edit("reward_scale", 2.0)
        if step == 2 * steps // 3:
            env.drive("gait", None)
            env.drive("velocity", None)
        actions = torch.rand(env.num_envs, env.spec.action.size, generator=generator) - 0.5
        moved = env.step(actions.to(env.device))
        commands = torch.cat(list(env.view.commands.values()), dim=-1)
        values = {"obs": moved.obs["policy"], "reward": moved.reward, "done": moved.truncated, "commands": commands}
        values["counted"] = env.statistics.done
        seen.append({name: value.clone().cpu() for name, value in values.items()})
    return seen


def test_puppets_end_episodes_and_start_in_past_states() -> None:
    env = make("cpu")
    env.reset()
    for _ in range(60):
        env.step(torch.ones(env.num_envs, env.spec.action.size))
    assert env._restarts._stored._count == 100
    seen = play("cpu", 60)
    assert any(step["done"].any() for step in seen)
    phase = torch.stack([step["commands"][0, 3:5] for step in seen])
    assert torch.allclose(phase.norm(dim=-1), torch.ones(60), atol=1e-5)


@pytest.mark.parametrize("steps", [pytest.param(120, marks=on_gpu)])
def test_a_recorded_step_equals_an_eager_one(steps: int, monkeypatch: pytest.MonkeyPatch) -> None:
    replayed = play("cuda:0", steps)
    monkeypatch.setattr(recording, "EAGER_CALLS", 10**9)
    eager = play("cuda:0", steps)
    for step, (one, other) in enumerate(zip(replayed, eager, strict=True)):
        for name, value in other.items():
            torch.testing.assert_close(
                one[name], value, atol=1e-5, rtol=1e-5, msg=lambda said, s=step, n=name: f"step {s}, {n}: {said}"
            )


@pytest.mark.parametrize("num_envs", [pytest.param(4096, marks=on_gpu)])
def test_a_recorded_step_does_not_wait_for_the_gpu_and_costs_little_more(num_envs: int) -> None:
    costs = {}
    for name, overrides in (("plain", PLAIN), ("everything", EVERYTHING)):
        env = make("cuda:0", num_envs, overrides)
        env.reset()
        if overrides is EVERYTHING:
            stagger(env)
        actions = torch.zeros(num_envs, env.spec.action.size, device="cuda:0")
        for _ in range(10):
            env.step(actions)
        torch.cuda.synchronize()
        torch.cuda.set_sync_debug_mode("error")
        try:
            began = time.perf_counter()
            for _ in range(100):
                env.step(actions)
        finally:
            torch.cuda.set_sync_debug_mode("default")
        torch.cuda.synchronize()
        costs[name] = 1e3 * (time.perf_counter() - began) / 100
    print(
        f"ms a step: {costs['plain']:.3f} as humanoid_walk is, {costs['everything']:.3f} with gait, heading and buffer"
    )
    assert costs["everything"] < 2 * costs["plain"]
