"""Gymnasium environments coming in."""

from __future__ import annotations

import gymnasium
import numpy as np
import pytest
import torch

from humanoid_rl_ext.env.gymnasium_in import GymnasiumEnv
from humanoid_rl_ext.env.transition import ActionSpec
from humanoid_rl_ext.errors import BadInputError, TaskError


def test_the_specification_says_what_gymnasium_says():
    spec = GymnasiumEnv("CartPole-v1", num_envs=3).spec
    assert (spec.num_envs, spec.observations, spec.max_episode_length) == (3, {"policy": 4}, 500)
    assert spec.action == ActionSpec("discrete", 2)
    assert GymnasiumEnv("Pendulum-v1").spec.action == ActionSpec("box", 1, (), (-2.0,), (2.0,))


def test_half_cheetah_v4_runs():
    env = GymnasiumEnv("HalfCheetah-v4", num_envs=2)
    assert env.reset()["policy"].shape == (2, 17)
    transition = env.step(torch.full((2, 6), 50.0))
    assert transition.reward.dtype == torch.float32 and transition.reward.isfinite().all()


def test_an_episode_that_ends_is_reset_in_the_same_step():
    env = GymnasiumEnv("CartPole-v1", num_envs=2)
    env.reset()
    steps = 0
    while True:
        transition = env.step(torch.tensor([1, steps % 2]))
        steps += 1
        if transition.terminated[0]:
            break
        assert torch.equal(transition.final_obs["policy"][0], transition.obs["policy"][0])
    assert env.finished() == [(0, float(steps), steps, False)]
    assert transition.final_obs["policy"][0, 2].abs() > 0.2  # radians: fallen
    assert transition.obs["policy"][0].abs().max() <= 0.05  # a new start
    assert torch.equal(transition.final_obs["policy"][1], transition.obs["policy"][1])


def test_the_time_limit_truncates_and_counts_as_success():
    env = GymnasiumEnv("Pendulum-v1", num_envs=2)
    env.reset()
    for _ in range(200):
        transition = env.step(torch.zeros(2, 1))
    assert transition.truncated.all() and not transition.terminated.any()
    metrics = env.episode_metrics()
    assert (metrics["episodes"], metrics["length"], metrics["success_rate"]) == (2.0, 200.0, 1.0)
    assert metrics["return"] == pytest.approx(sum(total for _, total, _, _ in env.finished()) / 2)
    assert env.episode_metrics() == {"episodes": 0.0}


def test_box_actions_are_clipped_to_the_bounds():
    ends = []
    for force in (2.0, 1000.0):
        env = GymnasiumEnv("Pendulum-v1", seed=1)
        env.reset()
        ends.append(env.step(torch.tensor([[force]])).obs["policy"])
    assert torch.equal(ends[0], ends[1])


def test_the_same_seed_gives_the_same_episodes_and_every_environment_its_own():
    def play(seed):
        env = GymnasiumEnv("CartPole-v1", num_envs=2, seed=seed)
        seen = [env.reset()["policy"]]
        for step in range(100):
            seen.append(env.step(torch.tensor([step % 2, 1])).obs["policy"])
        return torch.stack(seen)

    first = play(5)
    assert torch.equal(first, play(5))
    assert not torch.equal(first, play(6))
    assert not torch.equal(first[0, 0], first[0, 1])


def test_a_restored_environment_starts_the_episodes_that_the_saved_one_would_start():
    saved, restored = GymnasiumEnv("HalfCheetah-v4", 2, seed=1), GymnasiumEnv("HalfCheetah-v4", 2, seed=8)
    saved.reset()
    saved.step(torch.zeros(2, 6))
    restored.load_state_dict(saved.state_dict())
    assert torch.equal(saved.reset()["policy"], restored.observations()["policy"])


def test_there_is_nothing_to_edit():
    with pytest.raises(TaskError, match="nothing to edit"):
        GymnasiumEnv("CartPole-v1").edit("rewards.alive.weight", 1.0)


def test_rewards_and_observations_are_those_of_gymnasium_itself():
    ours, theirs = GymnasiumEnv("CartPole-v1", seed=3), gymnasium.make("CartPole-v1")
    obs, _ = theirs.reset(seed=int(np.random.SeedSequence(3).generate_state(1)[0]))
    np.testing.assert_allclose(ours.reset()["policy"][0], obs, rtol=1e-6)
    for action in (0, 1, 1, 0):
        transition = ours.step(torch.tensor([action]))
        obs, reward, *_ = theirs.step(action)
        np.testing.assert_allclose(transition.obs["policy"][0], obs, rtol=1e-6)
        assert transition.reward.item() == reward


def test_observations_that_are_not_vectors_are_flattened():
    env = GymnasiumEnv("Blackjack-v1", num_envs=2)
    assert env.reset()["policy"].shape == (2, env.spec.observations["policy"])


@pytest.mark.parametrize(
    ("id", "message"),
    [
        ("HalfCheeta-v4", "did you mean 'HalfCheetah-v4'"),
        ("CartPole-v9", "did you mean 'CartPole-v1'"),
        ("HalfCheetah-v3", "cannot be made"),
        ("nowhere:Thing-v0", "cannot be made"),
    ],
)
def test_an_id_that_cannot_be_made_gets_one_clear_line(id, message):
    with pytest.raises(BadInputError, match=message) as error:
        GymnasiumEnv(id)
    assert "\n" not in str(error.value)
