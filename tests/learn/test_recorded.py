"""PPO recorded into CUDA graphs learns what it learns without, and never waits for the GPU in a rollout."""

from __future__ import annotations

import pytest
import torch

from humanoid_rl_ext.env.transition import ActionSpec, EnvSpec, Transition
from humanoid_rl_ext.learn.ppo import PPO
from humanoid_rl_ext.learn.settings_on_policy import PPOSettings
from humanoid_rl_ext.sim import recording

pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")]
NUM_ENVS, STEPS = 64, 8


def learned(kind: str, iterations: int = 6) -> tuple[dict[str, torch.Tensor], dict[str, float]]:
    """Weights and figures after some updates on made-up transitions, an edit on the way."""
    action = ActionSpec("box", 4, tuple("abcd")) if kind == "box" else ActionSpec("discrete", 4, ())
    spec = EnvSpec(NUM_ENVS, {"policy": 16}, action, 100, {"policy": tuple(str(i) for i in range(16))})
    settings = PPOSettings(num_steps=STEPS, num_minibatches=4, num_epochs=3, actor_hidden=[32], critic_hidden=[32])
    learner = PPO(spec, settings, "cuda:0", seed=1)
    generator = torch.Generator("cuda:0").manual_seed(5)

    def random(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator, device="cuda:0")

    obs = {"policy": random(NUM_ENVS, 16)}
    for iteration in range(iterations):
        if iteration == 4:
            learner.edit("clip_range", 0.1)
        for _ in range(STEPS):
            actions = learner.act(obs)
            reward = obs["policy"][:, 0] * (actions[:, 0] if kind == "box" else actions.float())
            done = random(NUM_ENVS) > 1.5
            obs = {"policy": random(NUM_ENVS, 16)}
            learner.observe(Transition(obs, reward, done, ~done & (random(NUM_ENVS) > 1.5), obs))
        for _ in learner.update():
            continue
    return {name: value.clone() for name, value in learner._weights().items()}, learner.metrics


@pytest.mark.parametrize("kind", ["box", "discrete"])
def test_recorded_learning_equals_eager_learning(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    weights, metrics = learned(kind)
    monkeypatch.setattr(recording, "EAGER_CALLS", 10**9)
    expected, figures = learned(kind)
    for name, value in expected.items():
        torch.testing.assert_close(weights[name], value, atol=1e-4, rtol=1e-3, msg=lambda said, n=name: f"{n}: {said}")
    assert metrics == pytest.approx(figures, rel=1e-2, abs=1e-4)
