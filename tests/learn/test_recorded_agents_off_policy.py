"""MADDPG and QMIX recorded into CUDA graphs learn what they learn without, and never wait for the GPU."""

from __future__ import annotations

import pytest
import torch

from humanoid_rl_ext.env.transition import Transition
from humanoid_rl_ext.learn import LEARNERS, make_learner
from humanoid_rl_ext.sim import recording
from tests.learn.team import NUM_ENVS, Team

pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")]
CASES = [("maddpg", "box"), ("maddpg", "discrete"), ("qmix", "discrete")]
cases = pytest.mark.parametrize(("name", "kind"), CASES)
FULL: dict[str, object] = {"n_step": 3, "prioritised": True, "priority_alpha": 0.0, "normalise_observations": True}


def made(name: str, kind: str, **options: object):
    small = {"num_steps": 8, "buffer_size": 1600, "batch_size": 64, "learning_starts": 64, "critic_hidden": [32]}
    small |= {"actor_hidden": [32]} if name == "maddpg" else {"target_interval": 3}
    settings = LEARNERS[name].settings(**{**small, **options})
    spec = Team(kind, agents=3, critic=True).spec
    return make_learner(name, spec, settings, "cuda:0", seed=1, total_env_steps=10_000)


def transitions(steps: int):
    """Observations to act on and what to make of the actions, all on the GPU from the beginning."""
    generator = torch.Generator("cuda:0").manual_seed(5)

    def observations():
        sizes = {"policy": 4, "critic": 3}
        return {name: torch.randn(NUM_ENVS, size, generator=generator, device="cuda:0") for name, size in sizes.items()}

    obs = observations()
    for _ in range(steps):
        after = observations()
        done = torch.rand(NUM_ENVS, generator=generator, device="cuda:0") > 0.9
        yield obs, after, done
        obs = after


def step(learner, obs, after, done) -> None:
    actions = learner.act(obs)
    reward = obs["policy"][:, :3] * actions[:, :3]
    learner.observe(Transition(after, reward, done, torch.zeros_like(done), after))
    for _ in learner.update():
        continue


@cases
@pytest.mark.parametrize("options", [{}, FULL], ids=["plain", "full"])
def test_recorded_learning_equals_eager_learning(name, kind, options, monkeypatch) -> None:
    learners = []
    for eager_calls in (recording.EAGER_CALLS, 10**9):
        monkeypatch.setattr(recording, "EAGER_CALLS", eager_calls)
        learners.append(made(name, kind, **options))
        for number, each in enumerate(transitions(40)):
            if number == 24:
                learners[-1].edit("max_grad_norm", 5.0)
            step(learners[-1], *each)
    recorded, eager = learners
    for key, value in eager.networks.state_dict().items():
        torch.testing.assert_close(recorded.networks.state_dict()[key], value, atol=2e-3, rtol=1e-2, msg=key)
    assert recorded.metrics == pytest.approx(eager.metrics, rel=5e-2, abs=1e-2)


@cases
@pytest.mark.parametrize("options", [{}, FULL], ids=["plain", "full"])
def test_nothing_waits_for_the_gpu_between_iterations(name, kind, options) -> None:
    learner = made(name, kind, num_steps=10_000, **options)
    prepared = list(transitions(40))
    for each in prepared[:30]:  # recorded by then
        step(learner, *each)
    torch.cuda.synchronize()
    torch.cuda.set_sync_debug_mode("error")
    try:
        for each in prepared[30:]:
            step(learner, *each)
    finally:
        torch.cuda.set_sync_debug_mode("default")
