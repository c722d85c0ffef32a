"""A2C's and REINFORCE's gradients and steps by hand."""

from __future__ import annotations

from collections import deque

import pytest
import torch

from humanoid_rl_ext.env.transition import ActionSpec, EnvSpec, Transition
from humanoid_rl_ext.learn.a2c import A2C
from humanoid_rl_ext.learn.on_policy import OnPolicy
from humanoid_rl_ext.learn.reinforce import Reinforce
from humanoid_rl_ext.learn.settings_on_policy import A2CSettings, ReinforceSettings

SPEC = EnvSpec(1, {"policy": 1}, ActionSpec("box", 1), 100)
LINEAR = {
    "gamma": 0.5,
    "actor_hidden": [],
    "critic_hidden": [],
    "normalise_observations": False,
    "normalise_advantage": False,
    "max_grad_norm": 1000.0,
}
"""The mean action is w x + b, with a standard deviation of 1; the value is u x + c."""


def roll(learner: OnPolicy, xs: list[float], actions: list[float], rewards: list[float], ended: list[bool]) -> None:
    """A rollout of one environment from chosen actions; ``xs`` has the observation after the last step too."""
    head, critic = learner.network.actor_head, learner.network.critic_head
    for parameter, value in ((head.weight, 0.5), (head.bias, 0.0), (critic.weight, 1.0), (critic.bias, 0.0)):
        parameter.data.fill_(value)
    for step, (action, reward, end) in enumerate(zip(actions, rewards, ended, strict=True)):
        learner.act({"policy": torch.tensor([[xs[step]]])})
        learner.rollout["action"][step] = action
        following = {"policy": torch.tensor([[xs[step + 1]]])}
        never = torch.tensor([False])
        learner.observe(Transition(following, torch.tensor([reward]), torch.tensor([end]), never, following))


def test_a2c_follows_the_gradient_of_policy_value_and_entropy():
    learner = A2C(SPEC, A2CSettings(num_steps=2, value_loss_coef=0.5, entropy_coef=0.1, learning_rate=0.1, **LINEAR))
    roll(learner, [1.0, 2.0, 3.0], [1.5, 0.0], [1.0, 2.0], [False, False])
    before = learner._parameters.detach().clone()
    deque(learner.update(), maxlen=0)
    # returns 1 + 0.5 (2 + 0.5 x 3) = 2.75 and 3.5, values 1 and 2: advantages 1.75 and 1.5; actions are +1 and -1
    # standard deviations off their means 0.5 and 1; each sample weighs a half
    to_mean = [-0.5 * 1.75, 0.5 * 1.5]
    to_value = [-0.5 * 0.5 * 1.75, -0.5 * 0.5 * 1.5]
    gradient = torch.tensor(
        [
            to_mean[0] * 1.0 + to_mean[1] * 2.0,
            sum(to_mean),
            to_value[0] * 1.0 + to_value[1] * 2.0,
            sum(to_value),
            -0.1,  # of the logarithm of the deviation: (1 - 1) A of each sample, and the entropy's 1
        ]
    )
    torch.testing.assert_close(gradient, torch.tensor([0.625, -0.125, -1.1875, -0.8125, -0.1]))
    step = 0.1 * gradient / (0.1 * gradient.abs() + 1e-5)  # the root of a hundredth of the square
    torch.testing.assert_close(learner._parameters.detach(), before - step)
    assert learner.metrics["grad_norm"] == pytest.approx(gradient.norm().item())


def test_a2c_can_be_stepped_by_adam():
    learner = A2C(SPEC, A2CSettings(num_steps=2, optimiser="adam", learning_rate=0.1, **LINEAR))
    roll(learner, [1.0, 2.0, 3.0], [1.5, 0.0], [1.0, 2.0], [False, False])
    before = learner._parameters.detach().clone()
    deque(learner.update(), maxlen=0)
    signs = torch.tensor([1.0, -1.0, -1.0, -1.0, 0.0])  # Adam's first step is as long as the learning rate
    torch.testing.assert_close(learner._parameters.detach(), before - 0.1 * signs, atol=1e-4, rtol=0.0)


def test_reinforce_follows_monte_carlo_returns_above_the_baseline():
    chosen = ReinforceSettings(num_steps=3, critic_minibatches=1, critic_epochs=1, learning_rate=0.1, **LINEAR)
    learner = Reinforce(SPEC, chosen)
    roll(learner, [1.0, 2.0, 4.0, 6.0], [1.5, 0.0, 4.0], [1.0, 2.0, 4.0], [False, True, False])
    deque(learner._run(learner._estimate), maxlen=0)
    # the episode ends with the second step: 1 + 0.5 x 2 and 2; the rollout's end cuts the next one off: 4 + 0.5 x 6
    torch.testing.assert_close(learner.rollout["return"].flatten(), torch.tensor([2.0, 2.0, 7.0]))
    torch.testing.assert_close(learner.rollout["advantage"].flatten(), torch.tensor([1.0, 0.0, 3.0]))
    (gradient,) = learner._gradient_of(torch.arange(3))
    # off their means (0.5, 1, 2) by 1, -1 and 2; of the deviation's logarithm: (1 - 1) and (4 - 1) of the advantage
    expected = -torch.tensor([1.0 * 1.0 + 2.0 * 3.0 * 4.0, 1.0 + 6.0, 3.0 * 3.0]) / 3.0
    torch.testing.assert_close(gradient, expected)


def test_a_constant_baseline_does_not_change_reinforces_mean_gradient():
    """Averaged over the actions, the gradient of the log-density is zero (Williams 1992, theorem 1)."""
    spec = EnvSpec(4096, {"policy": 1}, ActionSpec("discrete", 3), 100)
    chosen = ReinforceSettings(num_steps=4, critic_minibatches=1, **LINEAR)
    learner = Reinforce(spec, chosen)
    obs = {"policy": torch.ones(4096, 1)}
    for _ in range(4):
        actions = learner.act(obs)
        ends = torch.ones(4096, dtype=torch.bool)
        learner.observe(Transition(obs, (actions == 1).float(), ends, ~ends, obs))
    gradients = []
    for baseline in (0.0, 1.0 / 3.0):
        learner.rollout["advantage"].copy_((learner.rollout["action"] == 1).float() - baseline)
        gradients.append(learner._gradient_of(torch.arange(4 * 4096))[0])
    torch.testing.assert_close(gradients[0], gradients[1], atol=5e-3, rtol=0.0)
    # d p(1) / d logits = p(1) (e(1) - p), all probabilities being a third; the bias is the second half
    expected = -torch.tensor([-1.0, 2.0, -1.0]) / 9.0
    torch.testing.assert_close(gradients[1][3:], expected, atol=1e-2, rtol=0.0)
