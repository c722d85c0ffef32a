"""SAC, TD3 and DDPG: their equations by hand, and gradients by independent means."""

from __future__ import annotations

import math

import pytest
import torch
from torch.distributions import Normal, TanhTransform, TransformedDistribution

from humanoid_rl_ext.env.transition import ActionSpec, EnvSpec
from humanoid_rl_ext.learn import LEARNERS, make_learner
from humanoid_rl_ext.learn.critics import Ensemble
from humanoid_rl_ext.learn.distributions import SquashedGaussian

SPEC = EnvSpec(1, {"policy": 3}, ActionSpec("box", 2), 10)


def made(name: str, **changes):
    small = {"batch_size": 4, "buffer_size": 64, "learning_starts": 0, "actor_hidden": [8], "critic_hidden": [8]}
    return make_learner(name, SPEC, LEARNERS[name].settings(**{**small, **changes}), seed=3)


def batch_of(learner, **changes):
    generator = torch.Generator().manual_seed(0)
    batch = {
        "obs/policy": torch.randn(4, 3, generator=generator),
        "next/policy": torch.randn(4, 3, generator=generator),
        "action": torch.rand(4, 2, generator=generator) * 2 - 1,
        "reward": torch.tensor([1.0, 2.0, 3.0, 4.0]),
        "discount": torch.tensor([0.9, 0.9, 0.0, 0.9]),
    }
    return {**batch, **changes}


def test_squashed_log_density_is_that_of_a_transformed_normal():
    distribution = SquashedGaussian(-5.0, 2.0)
    params, noise = torch.randn(64, 6, dtype=torch.float64), torch.randn(64, 3, dtype=torch.float64)
    actions, log_prob = distribution.sample(params, noise)
    mean, raw = params[:, :3], params[:, 3:]
    std = (-5.0 + 0.5 * 7.0 * (raw.tanh() + 1.0)).exp()
    reference = TransformedDistribution(Normal(mean, std), TanhTransform(cache_size=1))
    torch.testing.assert_close(actions, (mean + std * noise).tanh())
    inside = actions.abs().amax(-1) < 0.9999  # further out the reference itself is not exact
    torch.testing.assert_close(log_prob[inside], reference.log_prob(actions).sum(-1)[inside], rtol=1e-5, atol=1e-5)


def test_squashed_density_by_hand():
    # mean 0, log std (-5 + 2) / 2, noise 0: log N(0) = 1.5 - log(2 pi) / 2, and tanh has slope 1 at 0
    _, log_prob = SquashedGaussian(-5.0, 2.0).sample(torch.zeros(1, 2), torch.zeros(1, 1))
    assert log_prob.item() == pytest.approx(1.5 - 0.5 * math.log(2.0 * math.pi), rel=1e-6)


def test_squashed_log_density_integrates_to_one():
    u = torch.linspace(-12.0, 12.0, 200_001, dtype=torch.float64).unsqueeze(-1)
    std = math.exp(-1.5)
    params = torch.tensor([[0.4, 0.0]], dtype=torch.float64).expand(len(u), 2)
    actions, log_prob = SquashedGaussian(-5.0, 2.0).sample(params, (u - 0.4) / std)
    assert torch.trapezoid(log_prob.exp(), actions[:, 0]).item() == pytest.approx(1.0, abs=1e-6)


def test_squashed_log_density_stays_finite_where_tanh_rounds_to_one():
    params = torch.tensor([[40.0, 0.0], [-40.0, 0.0]], requires_grad=True)
    actions, log_prob = SquashedGaussian(-5.0, 2.0).sample(params, torch.zeros(2, 1))
    assert actions.flatten().tolist() == [1.0, -1.0]
    # log(1 - tanh(40)^2) = log 4 - 80
    torch.testing.assert_close(log_prob, torch.full((2,), 1.5 - 0.5 * math.log(2 * math.pi) + 80.0 - math.log(4.0)))
    (gradient,) = torch.autograd.grad(log_prob.sum(), params)
    torch.testing.assert_close(gradient[:, 0], torch.tensor([2.0, -2.0]))


def test_the_gradient_of_the_squashed_log_density_agrees_with_finite_differences():
    distribution = SquashedGaussian(-5.0, 2.0)
    params = torch.randn(5, 4, dtype=torch.float64, requires_grad=True)
    noise = torch.randn(5, 2, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda p: distribution.sample(p, noise), (params,))


def test_an_ensemble_is_its_members_side_by_side():
    for layer_norm in (False, True):
        generator = torch.Generator().manual_seed(0)
        ensemble = Ensemble(2, 5, [7, 6], "relu", generator, "uniform", layer_norm)
        inputs = torch.randn(9, 5)
        values = ensemble(inputs)
        for member in (0, 1):
            features = inputs
            for index, (weight, bias) in enumerate(zip(ensemble.weights, ensemble.biases, strict=True)):
                features = features @ weight[member] + bias[member]
                if index < 2:
                    features = torch.nn.functional.layer_norm(features, features.shape[-1:]) if layer_norm else features
                    features = features.relu()
            torch.testing.assert_close(values[member], features[:, 0])
            torch.testing.assert_close(ensemble(inputs, slice(member, member + 1))[0], values[member])
        assert not torch.equal(values[0], values[1])


def test_soft_targets_by_hand():
    learner = made("sac", init_temperature=0.5)
    learner.distribution.sample = lambda params, noise: (torch.zeros(4, 2), torch.tensor([1.0, 2.0, 3.0, -1.0]))
    learner.target_critics.forward = lambda pairs: torch.tensor([[5.0, 1.0, 9.0, 2.0], [3.0, 4.0, 9.0, 2.0]])
    # r + discount (lesser value - 0.5 log_prob)
    expected = torch.tensor([1.0 + 0.9 * 2.5, 2.0 + 0.9 * 0.0, 3.0, 4.0 + 0.9 * 2.5])
    torch.testing.assert_close(learner._targets(batch_of(learner)), expected)
    learner.settings = learner.settings.model_copy(update={"critic_target": "mean"})
    torch.testing.assert_close(learner._targets(batch_of(learner))[0], torch.tensor(1.0 + 0.9 * 3.5))


def test_smoothed_targets_by_hand():
    learner = made("td3", target_noise_std=0.2, target_noise_clip=0.5)
    learner.target_actor.forward = lambda obs: torch.tensor([0.0, 0.9, -0.9, 0.0]).atanh().unsqueeze(-1).expand(4, 2)
    learner._noise.copy_(torch.tensor([[1.0, -1.0], [2.0, -5.0], [-2.0, 0.0], [5.0, 0.0]]))
    expected = torch.tensor([[0.2, -0.2], [1.0, 0.4], [-1.0, -0.9], [0.5, 0.0]])
    torch.testing.assert_close(learner._next_actions(batch_of(learner)), expected)
    learner.target_critics.forward = lambda pairs: torch.tensor([[5.0, 1.0, 9.0, 2.0], [3.0, 4.0, 9.0, 2.0]])
    torch.testing.assert_close(learner._targets(batch_of(learner)), torch.tensor([3.7, 2.9, 3.0, 5.8]))


def test_ddpg_has_one_critic_and_no_smoothing():
    learner = made("ddpg")
    batch = batch_of(learner)
    torch.testing.assert_close(learner._next_actions(batch), learner.target_actor(batch["next/policy"]).tanh())
    assert learner.critics(torch.zeros(1, 5)).shape == (1, 1)


def test_td3_moves_policy_and_targets_at_every_second_step_alone():
    learner = made("td3")
    for step in range(4):
        actor, target = (network.state_dict() for network in (learner.actor, learner.target_critics))
        before = [{name: value.clone() for name, value in state.items()} for state in (actor, target)]
        learner._learn(batch_of(learner), learner._moves_policy())
        learner.gradient_steps += 1
        for state, old in zip((actor, target), before, strict=True):
            assert any(not torch.equal(state[name], old[name]) for name in state) == (step % 2 == 0)


@pytest.mark.parametrize("name", ["td3", "ddpg"])
def test_saturation_is_the_share_of_actions_at_their_bounds(name):
    learner = made(name)
    with torch.no_grad():
        learner.actor[-1].weight.zero_()
        learner.actor[-1].bias.copy_(torch.tensor([-2.7, 2.6]))  # tanh of 2.7 is 0.991, of 2.6 0.989
    _, saturation = learner._teach_policy(batch_of(learner))
    assert saturation.item() == 0.5


def test_the_temperature_rises_below_the_target_entropy_and_falls_above():
    for target, rises in ((5.0 / 5.0, True), (-10.0, False)):
        learner = made("sac", target_entropy=target, temperature_learning_rate=1e-2)
        learner.distribution.sample = lambda params, noise: (params[:, :2].tanh(), params.sum(-1) * 0.0 + 1.0)
        learner._teach_policy(batch_of(learner))
        # Adam's first step is its step size whatever the gradient
        assert learner._log_temperature.item() == pytest.approx(0.01 if rises else -0.01, rel=1e-4)


@pytest.mark.parametrize("name", ["sac", "td3", "ddpg"])
def test_the_policy_gradient_agrees_with_finite_differences(name):
    fixed = {"automatic_temperature": False} if name == "sac" else {}  # each call would change it otherwise
    learner = made(name, activation="tanh", **fixed)
    batch = batch_of(learner)
    caught = {}
    learner._descend = lambda network, loss: caught.update(loss=loss)
    learner._draw_learning()
    if name == "sac":
        learner._noise.normal_(generator=torch.Generator().manual_seed(4))

    def loss() -> torch.Tensor:
        learner._teach_policy(batch)
        return caught["loss"]

    weight = learner.actor[0].weight
    (gradient,) = torch.autograd.grad(loss(), weight)
    for place in ((0, 0), (3, 1)):
        values = []
        for change in (1e-2, -2e-2):
            weight.data[place] += change
            values.append(loss().item())
        weight.data[place] += 1e-2
        assert gradient[place].item() == pytest.approx((values[0] - values[1]) / 2e-2, rel=2e-2, abs=2e-4)


def test_importance_weights_scale_the_critics_loss():
    learner = made("td3")
    loss = []
    learner._descend = lambda network, value: loss.append(value.item())
    batch = batch_of(learner)
    targets = torch.zeros(4)
    learner._teach_critics(batch, targets)
    learner._teach_critics({**batch, "weight": torch.full((4,), 0.25)}, targets)
    values = learner.critics(learner._pairs(batch, "obs", batch["action"]))
    assert loss[0] == pytest.approx(values.square().mean(-1).sum().item())
    assert loss[1] == pytest.approx(0.25 * loss[0])


def test_noise_rises_from_the_first_environment_to_the_last():
    spec = EnvSpec(5, {"policy": 3}, ActionSpec("box", 2), 10)
    learner = make_learner("td3", spec, LEARNERS["td3"].settings(min_noise_std=0.1, noise_std=0.5))
    torch.testing.assert_close(learner._noise_std[:, 0], torch.tensor([0.1, 0.2, 0.3, 0.4, 0.5]))
    learner.edit("noise_std", 0.1)
    torch.testing.assert_close(learner._noise_std[:, 0], torch.full((5,), 0.1))
