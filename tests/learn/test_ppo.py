"""PPO: its losses by hand, its arithmetic against plain autograd, and that it learns."""

from __future__ import annotations

import collections
import math

import pytest
import torch

from humanoid_rl_ext.env.transition import ActionSpec, EnvSpec, Transition
from humanoid_rl_ext.errors import BadInputError, CheckpointError, TaskError
from humanoid_rl_ext.learn import PPOSettings, make_learner
from humanoid_rl_ext.learn.losses import clipped_surrogate, value_error
from humanoid_rl_ext.learn.ppo import PPO
from tests.learn.target import NUM_ENVS, Target
from tests.learn.teaching import train, weights


def settings(**changes) -> PPOSettings:
    small = {"num_steps": 16, "actor_hidden": [16], "critic_hidden": [16], "learning_rate": 3e-3, "schedule": "fixed"}
    return PPOSettings(**{**small, **changes})


def test_clipped_surrogate_on_hand_numbers():
    log_ratio = torch.tensor([1.5, 1.5, 0.5, 0.5, 1.1]).log()
    advantages = torch.tensor([2.0, -2.0, 2.0, -2.0, 3.0])
    # gains are cut at 1.2 x 2; losses are not; below 0.8 it is the other way round; inside nothing is cut
    expected = torch.tensor([2.4, -3.0, 1.0, -1.6, 3.3])
    torch.testing.assert_close(clipped_surrogate(log_ratio, advantages, 0.2), expected)


def test_value_error_on_hand_numbers():
    values, old, returns = torch.tensor([2.0, 1.1]), torch.tensor([1.0, 1.0]), torch.tensor([2.0, 3.0])
    torch.testing.assert_close(value_error(values, old, returns, 0.2), torch.tensor([0.32, 1.805]))
    torch.testing.assert_close(value_error(values, old, returns, math.inf), torch.tensor([0.0, 1.805]))


@pytest.mark.parametrize("kind", ["box", "discrete"])
@pytest.mark.parametrize("shared_trunk", [False, True])
def test_it_learns_what_to_do(kind, shared_trunk):
    env = Target(kind)
    learner = PPO(env.spec, settings(shared_trunk=shared_trunk, learning_rate=1e-2, gamma=0.0, init_noise_std=0.5))
    train(learner, env, 60)
    rewards = [env.step(learner.act_deterministic(env.obs)).reward.mean().item() for _ in range(20)]
    mean_reward = sum(rewards) / len(rewards)
    assert mean_reward > (-0.2 if kind == "box" else 0.9)  # at first: -2 and 0.5


def test_the_critic_may_have_observations_of_its_own():
    env = Target(critic=True)
    learner = PPO(env.spec, settings())
    train(learner, env, 1)
    learner.act_deterministic({"policy": env.obs["policy"]})
    with pytest.raises(BadInputError, match="shared_trunk"):
        make_learner("ppo", env.spec, settings(shared_trunk=True))


def test_slicing_a_minibatch_does_not_change_the_result(monkeypatch):
    learned = []
    for size in (1000, 7):
        monkeypatch.setattr(PPO, "_slices", lambda self, samples, size=size: samples.split(size))
        env = Target()
        learner = PPO(env.spec, settings(schedule="adaptive"))
        history = train(learner, env, 3)
        learned.append((weights(learner), history[-1]))
    torch.testing.assert_close(learned[0][0], learned[1][0], rtol=1e-3, atol=1e-5)
    assert learned[0][1] == pytest.approx(learned[1][1], rel=1e-2, abs=1e-4)


def test_the_same_seed_gives_identical_numbers_and_another_seed_does_not():
    runs = []
    for seed in (1, 1, 2):
        env = Target()
        learner = PPO(env.spec, settings(), seed=seed)
        runs.append((train(learner, env, 3), weights(learner)))
    assert runs[0][0] == runs[1][0]
    assert torch.equal(runs[0][1], runs[1][1])
    assert not torch.equal(runs[0][1], runs[2][1])


@pytest.mark.parametrize("kind", ["box", "discrete"])
@pytest.mark.parametrize("schedule", ["adaptive", "linear"])
def test_a_resumed_run_goes_on_bit_by_bit(kind, schedule):
    chosen = settings(schedule=schedule, normalise_reward=True)
    total = 6 * 16 * NUM_ENVS
    env = Target(kind)
    learner = PPO(env.spec, chosen, seed=1, total_env_steps=total)
    train(learner, env, 3)
    resumed = PPO(env.spec, chosen, seed=9, total_env_steps=total)
    resumed.load_state_dict(learner.state_dict())
    random_state, steps, obs = env.generator.get_state(), env.steps, env.obs
    expected = train(learner, env, 3)
    env.generator.set_state(random_state)
    env.steps, env.obs = steps, obs
    assert train(resumed, env, 3) == expected
    assert torch.equal(weights(resumed), weights(learner))


def test_a_checkpoint_of_another_kind_of_device_is_taken_over_without_its_random_numbers():
    learner = PPO(Target().spec, settings(), seed=1)
    there = learner.state_dict() | {"generator": torch.zeros(16, dtype=torch.uint8)}  # what a GPU's generator holds
    here = PPO(Target().spec, settings(), seed=2)
    before = here.generator.get_state()
    here.load_state_dict(there)
    assert torch.equal(weights(here), weights(learner))
    assert torch.equal(here.generator.get_state(), before)


def test_a_checkpoint_of_other_shapes_is_refused_by_name():
    learner = PPO(Target().spec, settings())
    wider = EnvSpec(NUM_ENVS, {"policy": 4}, ActionSpec("box", 2), 3)
    with pytest.raises(CheckpointError, match="'policy' has 1 elements in the checkpoint but 4"):
        PPO(wider, settings()).load_state_dict(learner.state_dict())
    with pytest.raises(CheckpointError, match="actor_trunk"):
        PPO(Target().spec, settings(actor_hidden=[8])).load_state_dict(learner.state_dict())
    with pytest.raises(CheckpointError, match="discrete"):
        PPO(Target("discrete").spec, settings()).load_state_dict(learner.state_dict())


def test_the_adaptive_rate_falls_when_the_policy_runs_away_and_rises_when_it_hardly_moves():
    for desired_kl, rises in ((1e-6, False), (1.0, True)):
        env = Target()
        learner = PPO(env.spec, settings(schedule="adaptive", desired_kl=desired_kl))
        history = train(learner, env, 2)
        assert (history[-1]["learning_rate"] > 3e-3) == rises


def test_metrics_are_plain_finite_numbers():
    env = Target()
    metrics = train(PPO(env.spec, settings()), env, 1)[0]
    assert {"policy_loss", "value_loss", "entropy", "kl", "clip_fraction", "learning_rate"} <= metrics.keys()
    assert {"explained_variance", "noise_std", "grad_norm"} <= metrics.keys()
    assert all(type(value) is float and math.isfinite(value) for value in metrics.values())


def test_update_is_empty_until_the_rollout_is_full():
    env = Target()
    learner = PPO(env.spec, settings())
    for step in range(16):
        learner.observe(env.step(learner.act(env.obs)))
        pieces = len(list(learner.update()))
        assert (pieces > 0) == (step == 15)


def test_time_outs_carry_value_only_when_asked_to():
    spec = EnvSpec(1, {"policy": 1}, ActionSpec("box", 1), 1)
    obs = {"policy": torch.zeros(1, 1)}
    cut = Transition(obs, torch.ones(1), torch.tensor([False]), torch.tensor([True]), obs)
    for bootstrap, expected in ((True, 1.0 + 0.9 * 5.0), (False, 1.0)):
        chosen = PPOSettings(num_steps=1, num_minibatches=1, gamma=0.9, time_limit_bootstrap=bootstrap)
        learner = PPO(spec, chosen)
        learner.network.critic_head.bias.data.fill_(5.0)
        learner.act(obs)
        learner.observe(cut)
        collections.deque(learner.update(), maxlen=0)
        assert learner.rollout["return"].item() == pytest.approx(expected)


def test_edits_act_on_the_next_update():
    env = Target()
    learner = PPO(env.spec, settings())
    learner.edit("learning_rate", 1e-4)
    assert train(learner, env, 1)[0]["learning_rate"] == pytest.approx(1e-4)
    with pytest.raises(TaskError):
        learner.edit("activation", "tanh")


def test_more_minibatches_than_samples_are_refused():
    with pytest.raises(BadInputError, match="num_minibatches 200"):
        make_learner("ppo", Target().spec, settings(num_minibatches=200))
