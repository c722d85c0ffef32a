"""What every on-policy algorithm keeps to."""

from __future__ import annotations

import math

import pytest
import torch

from humanoid_rl_ext.deploy.torchscript import policy_module
from humanoid_rl_ext.errors import BadInputError, HumanoidRLError
from humanoid_rl_ext.learn import learner_entry, make_learner
from humanoid_rl_ext.learn.on_policy import OnPolicy
from humanoid_rl_ext.learn.settings_on_policy import OnPolicySettings
from tests.learn.target import NUM_ENVS, Target
from tests.learn.teaching import train, weights

ALGORITHMS = ("ppo", "a2c", "reinforce", "trpo")
FAST = {  # at small scale
    "ppo": {"num_steps": 16},
    "a2c": {"num_steps": 5, "learning_rate": 1e-2},
    "reinforce": {"num_steps": 16, "learning_rate": 2e-2, "critic_minibatches": 2},
    "trpo": {"num_steps": 16, "max_kl": 0.03, "critic_minibatches": 2},
}


def settings(algorithm: str, **changes) -> OnPolicySettings:
    small = {"actor_hidden": [16], "critic_hidden": [16], **FAST[algorithm]}
    return learner_entry(algorithm).settings(**{**small, **changes})


def make(algorithm: str, env: Target, seed: int = 0, total: int | None = None, **changes) -> OnPolicy:
    learner = make_learner(algorithm, env.spec, settings(algorithm, **changes), seed=seed, total_env_steps=total)
    assert isinstance(learner, OnPolicy)
    return learner


@pytest.mark.parametrize("kind", ["box", "discrete"])
@pytest.mark.parametrize("algorithm", ["a2c", "reinforce", "trpo"])
def test_it_learns_what_to_do(algorithm, kind):
    env = Target(kind)
    learner = make(algorithm, env, gamma=0.0, init_noise_std=0.5)
    train(learner, env, 300 if algorithm == "a2c" else 60)
    rewards = [env.step(learner.act_deterministic(env.obs)).reward.mean().item() for _ in range(20)]
    assert sum(rewards) / len(rewards) > (-0.2 if kind == "box" else 0.9)  # at first: -2 and 0.5


@pytest.mark.parametrize("kind", ["box", "discrete"])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_resumed_run_goes_on_bit_by_bit(algorithm, kind):
    changes = {"schedule": "linear", "normalise_reward": True, "total": 10**4}
    env = Target(kind)
    learner = make(algorithm, env, 1, **changes)
    train(learner, env, 3)
    resumed = make(algorithm, env, 9, **changes)
    resumed.load_state_dict(learner.state_dict())
    random_state, steps, obs = env.generator.get_state(), env.steps, env.obs
    expected = train(learner, env, 3)
    env.generator.set_state(random_state)
    env.steps, env.obs = steps, obs
    assert train(resumed, env, 3) == expected
    assert torch.equal(weights(resumed), weights(learner))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_slicing_the_rollout_does_not_change_the_result(algorithm, monkeypatch):
    learned = []
    for size in (1000, 7):
        monkeypatch.setattr(OnPolicy, "_slices", lambda self, samples, size=size: samples.split(size))
        env = Target()
        learner = make(algorithm, env)
        learned.append((train(learner, env, 3)[-1], weights(learner)))
    torch.testing.assert_close(learned[0][1], learned[1][1], rtol=1e-3, atol=2e-5)
    assert learned[0][0] == pytest.approx(learned[1][0], rel=1e-2, abs=1e-4)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_work_comes_in_pieces_once_the_rollout_is_full(algorithm):
    env = Target(critic=True)
    learner = make(algorithm, env)
    for step in range(learner.settings.num_steps):
        learner.observe(env.step(learner.act(env.obs)))
        pieces = len(list(learner.update()))
        assert (pieces >= 3) == (step + 1 == learner.settings.num_steps)
    assert learner.iteration == 1 and learner.env_steps == learner.settings.num_steps * NUM_ENVS
    assert all(type(value) is float and math.isfinite(value) for value in learner.metrics.values())


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_non_finite_reward_is_an_error_and_keeps_the_last_good_policy(algorithm):
    env = Target()
    learner = make(algorithm, env)
    train(learner, env, 2)
    good = weights(learner)
    for _ in range(learner.settings.num_steps):
        transition = env.step(learner.act(env.obs))
        transition.reward[0] = math.nan
        learner.observe(transition)
    with pytest.raises(HumanoidRLError, match=f"{type(learner).__name__}'s update 3 gave .* not finite"):
        list(learner.update())
    assert torch.equal(weights(learner), good)
    train(learner, env, 1)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_policy_can_be_exported(algorithm):
    env = Target()
    learner = make(algorithm, env)
    train(learner, env, 2)
    obs = torch.randn(20, 1)
    wanted = learner.act_deterministic({"policy": obs})
    torch.testing.assert_close(policy_module(learner)(obs), wanted, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("algorithm", ["reinforce", "trpo"])
def test_the_value_function_comes_to_explain_the_returns(algorithm):
    env = Target()
    learner = make(algorithm, env, gamma=0.0, init_noise_std=0.01, learning_rate=1e-3, critic_epochs=20)
    history = train(learner, env, 40)  # actions stay near zero, rewards are -2 x^2
    assert history[-1]["explained_variance"] > 0.8


def test_edits_act_on_the_next_update():
    env = Target()
    learner = make("reinforce", env)
    learner.edit("critic_learning_rate", 1e-4)
    learner.edit("critic_minibatches", 3)
    assert learner.critic_optimiser.learning_rate.item() == pytest.approx(1e-4)
    trust = make("trpo", env)
    trust.edit("max_kl", 1e-4)
    assert train(trust, env, 1)[0]["kl"] <= 1e-4


@pytest.mark.parametrize("algorithm", ["reinforce", "trpo"])
def test_more_minibatches_than_samples_are_refused(algorithm):
    with pytest.raises(BadInputError, match="critic_minibatches 200 is more than the 128 samples"):
        make(algorithm, Target(), critic_minibatches=200)


@pytest.mark.parametrize("kind", ["box", "discrete"])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_work_that_asks_nothing_back_comes_to_the_same(algorithm, kind):
    """A GPU gets all of an update's work without being waited for: no early ends, nothing sliced."""
    learned = []
    for on_gpu in (False, True):
        env = Target(kind)
        learner = make(algorithm, env)
        learner._on_gpu = on_gpu
        learned.append((train(learner, env, 4)[-1], weights(learner)))
    torch.testing.assert_close(learned[0][1], learned[1][1], rtol=1e-3, atol=1e-4)
    assert learned[0][0] == pytest.approx(learned[1][0], rel=2e-2, abs=1e-4)
