"""QMIX: mixing and targets by hand, monotonicity by slopes and by trying all joint choices, and that it learns."""

from __future__ import annotations

import itertools
import math

import pytest
import torch

from humanoid_rl_ext.learn import LEARNERS, make_learner
from humanoid_rl_ext.learn.mixing import MonotonicMixer
from tests.learn.teaching import train
from tests.learn.team import NUM_ENVS, Team


def made(env: Team, **changes):
    small = {
        "num_steps": 8,
        "buffer_size": 4000,
        "batch_size": 8,
        "learning_starts": 0,
        "critic_hidden": [16],
        "mixing_width": 8,
    }
    settings = LEARNERS["qmix"].settings(**{**small, **changes})
    return make_learner("qmix", env.spec, settings, seed=3)


def test_mixing_by_hand():
    mixer = MonotonicMixer(2, 1, 2, torch.Generator().manual_seed(0))
    with torch.no_grad():
        for layer in (mixer.first_weight, mixer.first_bias, mixer.last_weight, mixer.last_bias[0], mixer.last_bias[2]):
            layer.weight.zero_()
            layer.bias.zero_()
        mixer.first_weight.weight[:, 0] = torch.tensor([1.0, -2.0, 0.0, 0.5])  # of the first agent, of the second
        mixer.first_weight.bias[2] = -3.0
        mixer.first_bias.bias[1] = -10.0
        mixer.last_weight.bias.copy_(torch.tensor([-2.0, 1.0]))
        mixer.last_bias[0].weight[0] = 1.0
        mixer.last_bias[2].weight[0, 0] = 4.0
        mixer.last_bias[2].bias.fill_(1.0)
    values = torch.tensor([[2.0, -1.0], [4.0, 1.0]])
    mixed = mixer(values, torch.tensor([[1.0], [-1.0]]))
    # weights |1|, |2|; |-3|, |0.5| in both states: hidden 2 - 3, 4 - 0.5 - 10 and 4 + 3, 8 + 0.5 - 10
    first = 2.0 * (math.exp(-1.0) - 1.0) + (math.exp(-6.5) - 1.0) + 4.0 * 1.0 + 1.0
    second = 2.0 * 7.0 + (math.exp(-1.5) - 1.0) + 4.0 * 0.0 + 1.0
    torch.testing.assert_close(mixed, torch.tensor([first, second]))


def test_the_team_s_value_never_falls_where_an_agent_s_rises():
    generator = torch.Generator().manual_seed(1)
    mixer = MonotonicMixer(4, 6, 16, generator)
    states = 5.0 * torch.randn(2000, 6, generator=generator)
    values = (10.0 * torch.randn(2000, 4, generator=generator)).requires_grad_()
    (slopes,) = torch.autograd.grad(mixer(values, states).sum(), values)
    assert slopes.min() >= 0.0
    assert slopes.max() > 0.1
    assert slopes.std(0).min() > 0.01  # it is the state's doing


@pytest.mark.parametrize("mixer", ["monotonic", "sum"])
@pytest.mark.parametrize("shared", [True, False])
def test_what_is_best_for_each_agent_is_best_for_the_team(mixer, shared):
    learner = made(Team("discrete", agents=3), mixer=mixer, share_networks=shared)
    obs = 3.0 * torch.randn(300, 4)
    best = learner._best(obs)
    joint = list(itertools.product(range(2), range(2), range(3)))
    together = torch.stack([learner.values(obs, obs, torch.tensor(each).expand(300, 3)) for each in joint])
    torch.testing.assert_close(together.max(0).values, learner.values(obs, obs, best))
    assert torch.equal(torch.tensor(joint)[together.argmax(0)], best)
    assert len(best.unique(dim=0)) > 2  # not the same everywhere


@pytest.mark.parametrize("paid_apart", [True, False])
def test_targets_by_hand(paid_apart):
    learner = made(Team("discrete", paid_apart=paid_apart), mixer="sum")
    learner.values.utilities.forward = lambda obs: torch.tensor([[1.0, 5.0, 99.0], [0.0, 2.0, 1.0]]).expand(2, 2, 3)
    there = torch.tensor([[10.0, 20.0, 70.0], [80.0, 40.0, 90.0]]).expand(2, 2, 3)
    learner.target_values.utilities.forward = lambda obs: there
    reward = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    batch = {"next/policy": torch.zeros(2, 3), "discount": torch.tensor([0.5, 0.0])}
    batch["reward"] = reward if paid_apart else reward.sum(-1)
    # the learning network chooses 1 (the first agent has two choices) and 1, which the target network values 20 and 40
    torch.testing.assert_close(learner._targets(batch), torch.tensor([3.0 + 60.0 / 2, 7.0]))


def test_the_mixing_state_is_what_critics_see():
    env = Team("discrete", critic=True)
    learner = made(env)
    assert learner.values.mixer.first_bias.in_features == 3
    obs, choices = torch.randn(5, 3), torch.zeros(5, 2, dtype=torch.int64)
    states = torch.randn(5, 3)
    assert not torch.allclose(learner.values(obs, states, choices), learner.values(obs, obs, choices))
    learner.act_deterministic({"policy": obs})


def test_agents_that_share_a_network_are_told_apart():
    learner = made(Team("discrete", agents=3))
    same = torch.ones(1, 4)  # all see ones; the last sees one more
    values = learner.values.utilities(same)[0]
    assert not torch.allclose(values[0], values[1])
    assert learner.values.utilities[1].weight.shape[0] == 1
    assert made(Team("discrete", agents=3), share_networks=False).values.utilities[1].weight.shape[0] == 3


def test_every_agent_draws_a_lot_of_its_own():
    learner = made(Team("discrete"), epsilon_end=0.3)
    learner._random_actions, learner._lots = torch.zeros(20_000, 2), torch.zeros(20_000, 2)
    learner._draw_exploration()
    obs = torch.randn(1, 3).expand(20_000, 3)
    strays = learner._explore(obs).long() != learner._best(obs)
    # of the random ones, one in two and one in three is the best by chance
    torch.testing.assert_close(strays.float().mean(0), torch.tensor([0.15, 0.2]), atol=0.01, rtol=0.0)
    assert strays.all(-1).float().mean().item() == pytest.approx(0.15 * 0.2, abs=0.005)


class Signals(Team):
    """Two agents who see the state and are paid together, for acting alike or unlike as it says: 1 alone, 8 together.

    Each alone earns little by doing its part. The team's value is no sum of the agents' values.
    """

    def __init__(self) -> None:
        super().__init__("discrete", paid_apart=False)

    def step(self, actions: torch.Tensor):
        right = actions == (self.obs["policy"][:, :2] > 0)
        transition = super().step(actions)
        transition.reward = right.sum(-1) + 6.0 * right.all(-1)
        return transition


@pytest.mark.parametrize("mixer", ["monotonic", "sum"])
@pytest.mark.parametrize("paid_apart", [True, False])
def test_it_learns_what_to_do(mixer, paid_apart):
    env = Team("discrete", paid_apart=paid_apart)
    learner = made(
        env, gamma=0.1, learning_rate=1e-2, batch_size=64, learning_starts=64, mixer=mixer, target_interval=20
    )
    train(learner, env, 50)
    rewards = torch.stack([env.step(learner.act_deterministic(env.obs)).reward for _ in range(50)])
    assert (rewards.sum(-1) if paid_apart else rewards).mean() > 1.85  # at random: 0.83


def test_mixing_fits_what_no_sum_can():
    errors = {}
    for mixer in ("monotonic", "sum"):
        env = Signals()
        learner = made(
            env, gamma=0.0, learning_rate=1e-2, batch_size=64, learning_starts=64, mixer=mixer, epsilon_end=1.0
        )
        errors[mixer] = train(learner, env, 80)[-1]["value_loss"]
    assert errors["monotonic"] < 0.6 < 1.5 < errors["sum"]  # the best sum leaves 36 * 1/4 * 2/9 = 2


def test_choices_come_for_every_environment_and_agent():
    env = Team("discrete", agents=3)
    actions = made(env).act(env.obs)
    assert actions.shape == (NUM_ENVS, 3)
    assert actions.dtype == torch.int64
