"""What MADDPG and QMIX do as every algorithm with a replay does: warming up, resuming, going back, refusing."""

from __future__ import annotations

import math

import pytest
import torch

from humanoid_rl_ext.env.transition import ActionSpec, EnvSpec
from humanoid_rl_ext.errors import BadInputError, CheckpointError, TaskError
from humanoid_rl_ext.learn import LEARNERS, fitting, make_learner
from humanoid_rl_ext.sim import memory
from tests.learn.teaching import check_that_bad_rewards_do_no_harm, train, weights
from tests.learn.team import NUM_ENVS, Team

CASES = [("maddpg", "box"), ("maddpg", "discrete"), ("qmix", "discrete")]
cases = pytest.mark.parametrize(("name", "kind"), CASES)


def made(name: str, env: Team, seed: int = 1, total: int | None = None, **changes):
    small = {"num_steps": 8, "buffer_size": 800, "batch_size": 16, "learning_starts": 16, "critic_hidden": [8]}
    small |= {"actor_hidden": [8]} if name == "maddpg" else {"target_interval": 5}
    return make_learner(name, env.spec, LEARNERS[name].settings(**{**small, **changes}), "cpu", seed, total)


@cases
@pytest.mark.parametrize(
    "options", [{}, {"prioritised": True, "n_step": 3, "normalise_observations": True, "layer_norm": True}]
)
def test_a_resumed_run_goes_on_bit_by_bit(name, kind, options):
    env = Team(kind, critic=True)
    learner = made(name, env, 1, 2000, save_replay=True, gradient_steps=0.75, **options)
    train(learner, env, 4)
    resumed = made(name, env, 9, 2000, save_replay=True, gradient_steps=0.75, **options)
    resumed.load_state_dict(learner.state_dict())
    random_state, obs, steps = env.generator.get_state(), env.obs, env.steps
    expected = train(learner, env, 3)
    env.generator.set_state(random_state)
    env.obs, env.steps = obs, steps
    assert train(resumed, env, 3) == expected
    assert torch.equal(weights(resumed), weights(learner))


@cases
def test_warm_up_draws_from_all_that_agents_can_do_and_learns_nothing(name, kind):
    env = Team(kind)
    learner = made(name, env, learning_starts=800)
    actions, before = [], weights(learner)
    for _ in range(99):
        actions.append(learner.act(env.obs).clone())
        learner.observe(env.step(actions[-1]))
        assert list(learner.update()) == []
    seen = torch.cat(actions)
    assert torch.equal(weights(learner), before)
    if kind == "discrete":
        assert seen.dtype == torch.int64
        assert [sorted(column.unique().tolist()) for column in seen.t()] == [[0, 1], [0, 1, 2]]
    else:
        torch.testing.assert_close(seen.amax(0) - seen.amin(0), torch.full((3,), 2.0), atol=0.05, rtol=0.0)
    learner.observe(env.step(learner.act(env.obs)))
    assert len(list(learner.update())) == 1
    assert not torch.equal(weights(learner), before)


@cases
def test_a_non_finite_loss_is_an_error_and_keeps_the_last_good_policies(name, kind):
    env = Team(kind)
    learner = made(name, env)
    train(learner, env, 2)
    check_that_bad_rewards_do_no_harm(learner, env)


@cases
def test_the_best_actions_follow_the_observations_alone(name, kind):
    env = Team(kind, critic=True)
    learner = made(name, env, normalise_observations=True)
    train(learner, env, 3)
    obs, before = torch.randn(100, 3), learner.generator.get_state()
    best = learner.act_deterministic({"policy": obs})
    assert best.shape == ((100, 3) if kind == "box" else (100, 2))
    assert torch.equal(best, learner.act_deterministic({"policy": obs}))
    assert torch.equal(learner.generator.get_state(), before)


@cases
def test_edits_act_at_once_and_fixed_settings_stay(name, kind):
    env = Team(kind)
    learner = made(name, env)
    rates = ("actor_learning_rate", "critic_learning_rate") if name == "maddpg" else ("learning_rate",)
    for rate, optimiser in zip(rates, learner.optimisers.values(), strict=True):
        learner.edit(rate, 2e-4)
        assert optimiser.learning_rate.item() == pytest.approx(2e-4)
    learner.edit("max_grad_norm", 3.0)
    train(learner, env, 1)
    with pytest.raises(TaskError):
        learner.edit("critic_hidden", [4])


@cases
def test_metrics_are_plain_finite_numbers(name, kind):
    env = Team(kind)
    metrics = train(made(name, env), env, 2)[-1]
    expected = {"critic_loss", "value", "policy_loss"} if name == "maddpg" else {"value_loss", "value", "epsilon"}
    assert expected <= metrics.keys()
    assert all(type(value) is float and math.isfinite(value) for value in metrics.values())


@cases
def test_a_checkpoint_of_other_agents_is_refused(name, kind):
    state = made(name, Team(kind)).state_dict()
    with pytest.raises(CheckpointError):
        made(name, Team(kind, agents=3)).load_state_dict(state)


def test_what_fits_whom():
    box, discrete, alone = Team("box").spec, Team("discrete").spec, EnvSpec(1, {"policy": 2}, ActionSpec("box", 2), 9)
    assert "maddpg" in fitting(box) and "qmix" not in fitting(box)
    assert {"maddpg", "qmix"} <= set(fitting(discrete))
    with pytest.raises(
        BadInputError, match=r"'qmix' learns discrete actions, not continuous ones: what fits is .*maddpg"
    ):
        make_learner("qmix", box)
    with pytest.raises(BadInputError, match="'maddpg' teaches several agents, and there is one: what fits is ppo"):
        make_learner("maddpg", alone)


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        ("maddpg", {"batch_size": 4000}, "batch_size 4,000 is more than the 800 transitions"),
        ("qmix", {"learning_starts": 801}, "learning_starts 801 is more than the 800"),
        ("qmix", {"epsilon_end": 0.5, "epsilon_start": 0.2}, "epsilon_end 0.5 is above epsilon_start 0.2"),
    ],
)
def test_settings_out_of_proportion_are_refused_in_one_line(name, changes, message):
    with pytest.raises(BadInputError, match=message):
        made(name, Team("discrete"), **changes)


@cases
def test_a_replay_that_does_not_fit_is_refused_and_counts_rewards_and_actions_of_all_agents(name, kind, monkeypatch):
    env = Team(kind)
    floats = 2 * 3 + (3 if kind == "box" else 2) + 2 + 2  # observations twice, actions, rewards, two flags
    needed = 4 * 800 * floats
    for room, fits in ((needed * 3, True), (needed * 0.9, False)):
        monkeypatch.setattr(memory, "available_memory", lambda room=room: room)
        if fits:
            made(name, env, total=1000)
            continue
        with pytest.raises(BadInputError, match="lower buffer_size"):
            made(name, env, total=1000)
    assert made(name, env).act_deterministic(env.obs).shape[0] == NUM_ENVS
