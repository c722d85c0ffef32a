"""Off-policy learning recorded into CUDA graphs learns what it learns without, and never waits for the GPU."""

from __future__ import annotations

import pytest
import torch

from humanoid_rl_ext.env.transition import ActionSpec, EnvSpec, Transition
from humanoid_rl_ext.learn import LEARNERS, make_learner
from humanoid_rl_ext.sim import recording

pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")]
NUM_ENVS = 64
NAMES = ("sac", "td3", "ddpg")
PLAIN: dict[str, object] = {}
FULL: dict[str, object] = {
    "n_step": 3,
    "prioritised": True,
    "priority_alpha": 0.6,
    "normalise_observations": True,
    "layer_norm": True,
    "activation": "silu",
}


def made(name: str, **options: object):
    small = {
        "num_steps": 8,
        "batch_size": 256,
        "buffer_size": 4096,
        "learning_starts": 256,
        "gradient_steps": 2,
        "actor_hidden": [32, 32],
        "critic_hidden": [32, 32],
    }
    spec = EnvSpec(NUM_ENVS, {"policy": 16}, ActionSpec("box", 4), 100)
    settings = LEARNERS[name].settings(**{**small, **options})
    return make_learner(name, spec, settings, "cuda:0", seed=1, total_env_steps=100_000)


def transitions(steps: int):
    """Observations to act on and what to make of the actions."""
    generator = torch.Generator("cuda:0").manual_seed(5)

    def random(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator, device="cuda:0")

    obs = {"policy": random(NUM_ENVS, 16)}
    for _ in range(steps):
        after, final = {"policy": random(NUM_ENVS, 16)}, {"policy": random(NUM_ENVS, 16)}
        done, cut = random(NUM_ENVS) > 1.5, random(NUM_ENVS) > 1.5
        final = {"policy": torch.where((done | cut).unsqueeze(-1), final["policy"], after["policy"])}
        yield obs, done, cut & ~done, after, final
        obs = after


def train(learner, steps: int, edit_at: int = -1) -> None:
    for step, (obs, terminated, truncated, after, final) in enumerate(transitions(steps)):
        if step == edit_at:
            learner.edit("gamma", 0.9)
            learner.edit("tau", 0.02)
        actions = learner.act(obs)
        reward = obs["policy"][:, 0] * actions[:, 0]
        learner.observe(Transition(after, reward, terminated, truncated, final))
        for _ in learner.update():
            continue


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("options", [PLAIN, FULL], ids=["plain", "full"])
def test_recorded_learning_equals_eager_learning(name, options, monkeypatch) -> None:
    if options:  # a priority that differs in its last digit draws another transition
        options = {**options, "priority_alpha": 0.0}
    recorded = made(name, **options)
    train(recorded, 40, edit_at=24)
    monkeypatch.setattr(recording, "EAGER_CALLS", 10**9)
    eager = made(name, **options)
    train(eager, 40, edit_at=24)
    for key, value in eager.networks.state_dict().items():
        torch.testing.assert_close(recorded.networks.state_dict()[key], value, atol=2e-3, rtol=1e-2, msg=key)
    assert recorded.metrics == pytest.approx(eager.metrics, rel=5e-2, abs=1e-2)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("options", [PLAIN, FULL], ids=["plain", "full"])
def test_nothing_waits_for_the_gpu_between_iterations(name, options) -> None:
    learner = made(name, num_steps=10_000, **options)
    prepared = list(transitions(24))
    learner_steps = iter(prepared)

    def step() -> None:
        obs, terminated, truncated, after, final = next(learner_steps)
        actions = learner.act(obs)
        learner.observe(Transition(after, obs["policy"][:, 0] * actions[:, 0], terminated, truncated, final))
        for _ in learner.update():
            continue

    for _ in range(16):  # recorded by then
        step()
    torch.cuda.synchronize()
    torch.cuda.set_sync_debug_mode("error")
    try:
        for _ in range(8):
            step()
    finally:
        torch.cuda.set_sync_debug_mode("default")


@pytest.mark.parametrize("name", NAMES)
def test_a_learner_on_the_gpu_goes_back_to_a_checkpoint(name) -> None:
    learner = made(name, save_replay=True, **FULL)
    train(learner, 24)
    state = learner.state_dict()
    weights = {key: value.clone() for key, value in learner.networks.state_dict().items()}
    train(learner, 16)
    learner.load_state_dict(state)
    for key, value in learner.networks.state_dict().items():
        assert torch.equal(value, weights[key]), key
    train(learner, 8)
    assert learner.iteration == 4
