"""On-policy algorithms recorded into CUDA graphs learn what they learn without."""

from __future__ import annotations

import pytest
import torch

from humanoid_rl_ext.env.transition import ActionSpec, EnvSpec, Transition
from humanoid_rl_ext.learn import learner_entry, make_learner
from humanoid_rl_ext.learn.on_policy import OnPolicy
from humanoid_rl_ext.sim import recording

pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")]
NUM_ENVS, STEPS = 64, 8
SETTINGS = {
    "ppo": {"num_minibatches": 4, "num_epochs": 3},
    "a2c": {"learning_rate": 1e-2},
    "reinforce": {"critic_minibatches": 4, "critic_epochs": 3},
    "trpo": {"critic_minibatches": 4, "critic_epochs": 3},
}
EDITS = {
    "ppo": ("clip_range", 0.1),
    "a2c": ("value_loss_coef", 0.5),
    "reinforce": ("critic_minibatches", 2),
    "trpo": ("max_kl", 3e-3),
}


def learned(algorithm: str, kind: str, iterations: int = 6) -> tuple[dict[str, torch.Tensor], dict[str, float]]:
    """Weights and figures after some updates on made-up transitions, an edit on the way."""
    action = ActionSpec("box", 4, tuple("abcd")) if kind == "box" else ActionSpec("discrete", 4, ())
    spec = EnvSpec(NUM_ENVS, {"policy": 16}, action, 100, {"policy": tuple(str(i) for i in range(16))})
    shape = {"num_steps": STEPS, "actor_hidden": [32], "critic_hidden": [32]}
    settings = learner_entry(algorithm).settings(**{**shape, **SETTINGS[algorithm]})
    learner = make_learner(algorithm, spec, settings, "cuda:0", seed=1)
    assert isinstance(learner, OnPolicy)
    generator = torch.Generator("cuda:0").manual_seed(5)

    def random(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator, device="cuda:0")

    obs = {"policy": random(NUM_ENVS, 16)}
    for iteration in range(iterations):
        if iteration == 4:
            learner.edit(*EDITS[algorithm])
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
@pytest.mark.parametrize("algorithm", SETTINGS)
def test_recorded_learning_equals_eager_learning(algorithm: str, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    weights, metrics = learned(algorithm, kind)
    monkeypatch.setattr(recording, "EAGER_CALLS", 10**9)
    expected, figures = learned(algorithm, kind)
    for name, value in expected.items():
        torch.testing.assert_close(weights[name], value, atol=1e-4, rtol=1e-3, msg=lambda said, n=name: f"{n}: {said}")
    assert metrics == pytest.approx(figures, rel=1e-2, abs=1e-4)
