"""Randomisation and sensing inside the recorded step: the same numbers as step by step, and what they cost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch

from humanoid_rl_ext.env.bench_full import bench_full
from humanoid_rl_ext.env.make import make_env
from humanoid_rl_ext.env.vec_env import VecEnv
from humanoid_rl_ext.sim import recording
from humanoid_rl_ext.task.loading import load_task

on_gpu = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")]
EVERYTHING = [
    "randomisation={initial_joint_pos: {}, mass: {}, centre_of_mass: {}, friction: {}, joint_stiffness: {},"
    " joint_damping: {}, joint_friction: {}, joint_armature: {}, motor_strength: {}, gravity: {}, action_delay: {},"
    " action_noise: {}, push: {interval_s: [0.1, 0.3]}, external_force: {interval_s: [0.1, 0.3]}}",
    "sim.randomisation_interval_s=0.1",
    *(
        f"observations.policy.{name}.{field}"
        for name in ("root_lin_vel", "root_ang_vel", "projected_gravity", "joint_pos", "joint_vel")
        for field in ("noise=0.01", "bias=0.01", "history=4", "delay_s=[0.0, 0.02]")
    ),
]


@pytest.fixture
def make() -> Iterator[Any]:
    opened: list[VecEnv] = []

    def start(engine: str, device: str, overrides: list[str], num_envs: int) -> VecEnv:
        while opened:
            opened.pop().close()
        task = load_task("humanoid_walk", ["episode_length_s=0.6", *overrides])
        opened.append(make_env(task, num_envs=num_envs, device=device, engine=engine, seed=1))  # type: ignore[arg-type]
        opened[-1].reset()
        return opened[-1]

    yield start
    while opened:
        opened.pop().close()


def play(env: VecEnv, steps: int) -> dict[str, torch.Tensor]:
    """What was seen and drawn in all steps, for the same actions each time."""
    generator = torch.Generator().manual_seed(7)
    rows: dict[str, list[torch.Tensor]] = {}
    for _ in range(steps):
        actions = 0.3 * (torch.rand(env.num_envs, env.spec.action.size, generator=generator) - 0.5)
        moved = env.step(actions.to(env.device))
        rows.setdefault("obs", []).append(moved.obs["policy"].clone())
        for name in env.randomiser.quantities:
            rows.setdefault(name, []).append(env.randomised(name).clone())
    return {name: torch.stack(values).cpu() for name, values in rows.items()}


@pytest.mark.parametrize("engine", ["ovphysx", "newton"])
def test_everything_at_once_runs_and_stays_finite(make, engine: str) -> None:
    env = make(engine, "cpu", EVERYTHING, 4)
    seen = play(env, 70)
    assert all(values.isfinite().all() for values in seen.values())
    assert all((values[0] != values[-1]).any() for name, values in seen.items())
    counted = env.randomiser.failures.read()
    assert counted["mass"].episodes and sum(counted["gravity"].episodes) >= 8


@pytest.mark.parametrize("engine", [pytest.param("newton", marks=on_gpu), pytest.param("ovphysx", marks=on_gpu)])
def test_a_recorded_step_draws_and_shows_what_an_eager_one_does(
    make, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Draws are the same to the last bit while the same episodes end; physics may differ by rounding, which grows."""
    often = [*EVERYTHING, "episode_length_s=0.16"]  # episodes of eight steps
    replayed = play(make(engine, "cuda:0", often, 64), 20)
    monkeypatch.setattr(recording, "EAGER_CALLS", 10**9)
    env = make(engine, "cuda:0", often, 64)
    names = env.spec.observation_names["policy"]
    smooth = torch.tensor([not name.startswith("contact_force") for name in names])
    eager = play(env, 20)
    difference = (replayed.pop("obs") - eager.pop("obs")).abs()[..., smooth].amax((1, 2))
    print(f"{engine}: largest difference of an observation, by step: {[f'{step:.1e}' for step in difference.tolist()]}")
    for name, values in eager.items():
        assert torch.equal(replayed[name], values), name
    assert difference[:8].max() < 0.05  # steps 4 and on are replayed


@pytest.mark.parametrize("num_envs", [pytest.param(64, marks=on_gpu)])
def test_what_was_drawn_is_what_newton_has_on_the_gpu(make, num_envs: int) -> None:
    env = make("newton", "cuda:0", EVERYTHING, num_envs)
    play(env, 60)
    engine = env.engine
    torch.testing.assert_close(-engine.get_property("gravity")[:, 2:], env.randomised("gravity"))
    torch.testing.assert_close(engine.get_property("action_delay"), env.randomised("action_delay"))
    mass = torch.tensor([body.mass for body in engine.robot.bodies], device=env.device)
    torch.testing.assert_close(engine.get_property("mass"), mass * env.randomised("mass"))
    assert env.randomised("gravity").unique().numel() > num_envs // 2


@pytest.mark.parametrize("num_envs", [pytest.param(4096, marks=on_gpu)])
def test_everything_adds_at_most_a_quarter_to_a_recorded_step_on_newton(num_envs: int) -> None:
    found = bench_full(load_task("humanoid_walk_rough"), engine="newton", num_envs=num_envs, device="cuda:0")
    print(f"{found['plain']:,.0f} steps/s plain, {found['full']:,.0f} with everything: {found['added']:.1%} added")
    assert found["added"] <= 0.25
