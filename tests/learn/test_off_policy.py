"""What algorithms with a replay share: warming up, counting, going back, resuming, refusing."""

from __future__ import annotations

import math

import pytest
import torch

from humanoid_rl_ext.deploy.torchscript import policy_module
from humanoid_rl_ext.env.transition import ActionSpec, EnvSpec, Transition
from humanoid_rl_ext.errors import BadInputError, CheckpointError, TaskError
from humanoid_rl_ext.learn import LEARNERS, make_learner
from humanoid_rl_ext.sim import memory
from tests.learn.teaching import check_that_bad_rewards_do_no_harm, train, weights

NUM_ENVS = 4
NAMES = ("sac", "td3", "ddpg")
LOW, HIGH = (-3.0, -1.0), (1.0, 1.0)


class Target:
    """Observations are random; the best action is (x - 1, x), the reward falls with the distance. All steps end."""

    def __init__(self, seed: int = 0, groups=("policy",)) -> None:
        self.spec = EnvSpec(NUM_ENVS, dict.fromkeys(groups, 1), ActionSpec("box", 2, (), LOW, HIGH), 1)
        self.generator = torch.Generator().manual_seed(seed)
        self.obs = self.draw()

    def draw(self):
        return dict.fromkeys(self.spec.observations, torch.rand(NUM_ENVS, 1, generator=self.generator) * 1.6 - 0.8)

    def step(self, actions: torch.Tensor) -> Transition:
        x = self.obs["policy"]
        reward = -(actions - torch.cat((x - 1.0, x), dim=-1)).square().sum(-1)
        self.obs, final = self.draw(), self.draw()
        always = torch.ones(NUM_ENVS, dtype=torch.bool)
        return Transition(self.obs, reward, always, ~always, final)


def settings(name: str, **changes):
    small = {
        "num_steps": 8,
        "buffer_size": 2000,
        "batch_size": 32,
        "learning_starts": 32,
        "actor_hidden": [16],
        "critic_hidden": [16],
        "actor_learning_rate": 3e-3,
        "critic_learning_rate": 3e-3,
    }
    return LEARNERS[name].settings(**{**small, **changes})


def made(name: str, seed: int = 1, env: Target | None = None, total=None, **changes):
    return make_learner(name, (env or Target()).spec, settings(name, **changes), seed=seed, total_env_steps=total)


@pytest.mark.parametrize("name", NAMES)
def test_it_learns_what_to_do(name):
    env = Target()
    extra = {"temperature_learning_rate": 1e-2, "init_temperature": 0.1} if name == "sac" else {"noise_std": 0.3}
    learner = made(name, env=env, actor_hidden=[32], critic_hidden=[64], actor_learning_rate=1e-2, **extra)
    learner.edit("critic_learning_rate", 1e-2)
    train(learner, env, 75)
    rewards = torch.stack([env.step(learner.act_deterministic(env.obs)).reward for _ in range(50)])
    assert rewards.mean() > -0.15  # at random: -2.2


@pytest.mark.parametrize("name", NAMES)
def test_warm_up_draws_actions_from_the_whole_range_and_learns_nothing(name):
    env = Target()
    learner = made(name, env=env, learning_starts=400)
    actions, before = [], weights(learner)
    for _ in range(99):
        actions.append(learner.act(env.obs).clone())
        learner.observe(env.step(actions[-1]))
        assert list(learner.update()) == []
    seen = torch.cat(actions)
    assert torch.equal(weights(learner), before)
    for column, (low, high) in enumerate(zip(LOW, HIGH, strict=True)):
        assert seen[:, column].min() == pytest.approx(low, abs=0.1)
        assert seen[:, column].max() == pytest.approx(high, abs=0.1)
        assert seen[:, column].mean() == pytest.approx((low + high) / 2, abs=0.25)
    learner.observe(env.step(learner.act(env.obs)))
    assert len(list(learner.update())) == 1
    assert not torch.equal(weights(learner), before)


@pytest.mark.parametrize("name", NAMES)
def test_actions_stay_within_bounds_and_are_stored_within_one(name):
    env = Target()
    learner = made(name, env=env)
    train(learner, env, 5)
    for _ in range(50):
        actions = learner.act(env.obs).clone()
        learner.observe(env.step(actions))
        assert (actions >= torch.tensor(LOW) - 1e-5).all()
        assert (actions <= torch.tensor(HIGH) + 1e-5).all()
    learner.replay.draw(learner.generator)
    assert learner.replay.batch(0.9)["action"].abs().max() <= 1.0


def test_a_range_around_zero_keeps_zero_and_ends_at_the_nearer_of_two_bounds():
    env = Target()
    learner = made("td3", env=env, action_range="around_zero", action_bound=1.5, learning_starts=200)
    bounds = [[max(low, -1.5) for low in LOW], [min(high, 1.5) for high in HIGH]]
    ends = torch.tensor([[-1.0, -1.0], [1.0, 1.0], [0.0, 0.0], [-0.5, -0.5]])
    expected = torch.tensor([*bounds, [0.0, 0.0], [low / 2 for low in bounds[0]]])
    torch.testing.assert_close(learner._for_env(ends), expected)
    network = learner.policy_network()
    seen = torch.ones(1, 1)
    torch.testing.assert_close(network(seen), learner.act_deterministic({"policy": seen}))


@pytest.mark.parametrize(("per_step", "due"), [(2.0, 16), (0.25, 2)])
def test_gradient_steps_keep_their_ratio_to_steps(per_step, due):
    env = Target()
    learner = made("td3", env=env, learning_starts=0, gradient_steps=per_step)
    assert train(learner, env, 1)[0]["gradient_steps"] == due


def test_targets_follow_by_tau():
    env = Target()
    learner = made("sac", env=env, tau=0.25)
    train(learner, env, 2)
    old = learner.target_critics.weights[0].clone()
    learner.gradient_step()
    torch.testing.assert_close(learner.target_critics.weights[0], old.lerp(learner.critics.weights[0], 0.25))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("options", [{}, {"prioritised": True, "n_step": 3, "normalise_observations": True}])
def test_a_resumed_run_goes_on_bit_by_bit(name, options):
    env = Target()
    learner = made(name, 1, env, 2000, save_replay=True, buffer_size=80, gradient_steps=0.75, **options)
    train(learner, env, 4)
    resumed = made(name, 9, env, 2000, save_replay=True, buffer_size=80, gradient_steps=0.75, **options)
    resumed.load_state_dict(learner.state_dict())
    random_state, obs = env.generator.get_state(), env.obs
    expected = train(learner, env, 3)
    env.generator.set_state(random_state)
    env.obs = obs
    assert train(resumed, env, 3) == expected
    assert torch.equal(weights(resumed), weights(learner))


def test_without_a_saved_replay_the_policy_gathers_anew_before_it_learns():
    env = Target()
    learner = made("td3", env=env, noise_std=0.0)
    train(learner, env, 6)
    state = learner.state_dict()
    assert "replay" not in state
    resumed = made("td3", 9, env, noise_std=0.0)
    resumed.load_state_dict(state)
    before = weights(resumed)
    for step in range(8):
        assert torch.equal(weights(resumed), before)
        actions = resumed.act(env.obs).clone()
        torch.testing.assert_close(actions, resumed.act_deterministic(env.obs))  # its own, not random ones
        resumed.observe(env.step(actions))
        assert len(list(resumed.update())) == (step == 7)
    assert not torch.equal(weights(resumed), before)


@pytest.mark.parametrize("name", NAMES)
def test_a_learner_that_went_on_can_go_back(name):
    env = Target()
    learner = made(name, env=env, save_replay=True)
    train(learner, env, 3)
    state, then = learner.state_dict(), weights(learner)
    train(learner, env, 2)
    learner.load_state_dict(state)
    assert torch.equal(weights(learner), then)
    assert len(learner.replay) == 3 * 8 * NUM_ENVS


def test_a_checkpoint_of_other_shapes_is_refused_by_name():
    state = made("sac").state_dict()
    with pytest.raises(CheckpointError, match="actor"):
        made("sac", actor_hidden=[8]).load_state_dict(state)
    with pytest.raises(CheckpointError, match="normaliser of 'policy'"):
        made("sac", normalise_observations=True).load_state_dict(state)


@pytest.mark.parametrize("name", NAMES)
def test_a_non_finite_loss_is_an_error_and_keeps_the_last_good_policy(name):
    env = Target()
    learner = made(name, env=env)
    train(learner, env, 2)
    check_that_bad_rewards_do_no_harm(learner, env)


@pytest.mark.parametrize("name", NAMES)
def test_the_network_that_is_exported_gives_the_best_actions(name):
    env = Target()
    learner = made(name, env=env, layer_norm=True, normalise_observations=True)
    train(learner, env, 3)
    torch.testing.assert_close(policy_module(learner)(env.obs["policy"]), learner.act_deterministic(env.obs))


@pytest.mark.parametrize("name", NAMES)
def test_critics_may_have_observations_of_their_own(name):
    env = Target(groups=("policy", "critic"))
    learner = made(name, env=env, normalise_observations=True)
    train(learner, env, 3)
    assert set(learner.normalisers) == {"policy", "critic"}
    learner.act_deterministic({"policy": env.obs["policy"]})


@pytest.mark.parametrize("name", NAMES)
def test_edits_act_at_once_and_fixed_settings_stay(name):
    learner = made(name)
    learner.edit("actor_learning_rate", 1e-4)
    learner.edit("critic_learning_rate", 2e-4)
    assert learner.optimisers["actor"].learning_rate.item() == pytest.approx(1e-4)
    assert learner.optimisers["critics"].learning_rate.item() == pytest.approx(2e-4)
    with pytest.raises(TaskError):
        learner.edit("batch_size", 8)


def test_metrics_are_plain_finite_numbers():
    env = Target()
    for name in NAMES:
        metrics = train(made(name, env=env), env, 2)[-1]
        assert {"critic_loss", "value", "policy_loss", "replay_size", "gradient_steps"} <= metrics.keys()
        assert all(type(value) is float and math.isfinite(value) for value in metrics.values())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"batch_size": 4000}, "batch_size 4,000 is more than the 2,000 transitions"),
        ({"learning_starts": 2001}, "learning_starts 2,001 is more than the 2,000"),
        ({"buffer_size": 3, "batch_size": 1, "learning_starts": 0}, "batch_size 1 is more than the 0"),
        ({"buffer_size": 40, "n_step": 11, "learning_starts": 0}, "n_step 11 of 4 environments"),
    ],
)
def test_settings_out_of_proportion_are_refused_in_one_line(changes, message):
    with pytest.raises(BadInputError, match=message):
        made("sac", **changes)


def test_a_run_whose_replay_does_not_fit_is_refused_and_a_player_is_not(monkeypatch):
    monkeypatch.setattr(memory, "available_memory", lambda: 1e4)
    with pytest.raises(BadInputError, match="lower buffer_size"):
        made("sac", total=1000)
    made("sac").act_deterministic(Target().obs)


def test_discrete_actions_are_refused_with_what_fits():
    spec = EnvSpec(1, {"policy": 2}, ActionSpec("discrete", 3), 10)
    with pytest.raises(BadInputError, match=r"not discrete.*: what fits is ppo, a2c"):
        make_learner("sac", spec)
