"""MADDPG: its target by hand, its policies' gradients agent by agent in naive form, and that it learns."""

from __future__ import annotations

import pytest
import torch

from humanoid_rl_ext.learn import LEARNERS, make_learner
from humanoid_rl_ext.learn.maddpg import gumbel
from tests.learn.teaching import train
from tests.learn.team import Team

KINDS = ("box", "discrete")


def made(env: Team, **changes):
    small = {
        "num_steps": 8,
        "buffer_size": 4000,
        "batch_size": 8,
        "learning_starts": 0,
        "actor_hidden": [8],
        "critic_hidden": [8],
    }
    return make_learner("maddpg", env.spec, LEARNERS["maddpg"].settings(**{**small, **changes}), seed=3)


def batch_of(learner, env: Team):
    for _ in range(4):
        learner.observe(env.step(learner.act(env.obs)))
    learner.replay.draw(learner.generator)
    learner._draw_learning()
    return learner.replay.batch(0.9)


@pytest.mark.parametrize("paid_apart", [True, False])
def test_targets_by_hand(paid_apart):
    learner = made(Team(paid_apart=paid_apart))
    values = torch.tensor([[10.0, 20.0], [30.0, 40.0]])
    learner.target_critics.forward = lambda pairs: values
    reward = torch.tensor([[1.0, 2.0], [3.0, 4.0]]) if paid_apart else torch.tensor([1.0, 3.0])
    batch = {"next/policy": torch.zeros(2, 3), "reward": reward, "discount": torch.tensor([0.5, 0.0])}
    # by agent: 1 + 10 / 2 and 3 (it ended); 2 + 30 / 2 and 4; with one reward for all the second gets 1 and 3
    expected = [[6.0, 3.0], [17.0, 4.0]] if paid_apart else [[6.0, 3.0], [16.0, 3.0]]
    torch.testing.assert_close(learner._targets(batch), torch.tensor(expected))


def test_next_actions_are_those_of_the_target_policies():
    learner = made(Team())
    obs = torch.randn(8, 3)
    learner.target_actor.forward = lambda seen: torch.stack(
        (torch.stack((seen[:, 0], 0 * seen[:, 0]), -1), seen[:, 1:3]), dim=1
    )
    expected = obs.tanh()
    torch.testing.assert_close(learner._next_actions({"next/policy": obs}), expected)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("critic", [False, True])
def test_every_policy_climbs_its_own_critic_with_the_others_actions_as_they_were(kind, critic):
    """Equation 5 of Lowe et al., agent by agent: the slope of the critic at an action times that of the action."""
    env = Team(kind, agents=3, critic=critic)
    learner = made(env, output_penalty=0.01, max_grad_norm=1000.0, gumbel_temperature=0.7)
    batch = batch_of(learner, env)
    batch["actions"] = learner.actions.apart(batch["action"])
    batch["action"] = learner.actions.joint(batch["actions"])
    taken = {}
    learner.optimisers["actor"].step = lambda gradient: taken.update(gradient=gradient)
    learner._teach_policy(batch)
    parameters = list(learner.actor.parameters())
    expected = [torch.zeros_like(parameter) for parameter in parameters]
    width = learner.actions.width
    state = batch["obs/critic" if critic else "obs/policy"]
    for index, agent in enumerate(env.spec.agents):
        size = agent.action.size
        outputs = learner.actor(batch["obs/policy"])[:, index, :size]
        if kind == "box":
            places, action = list(agent.acts), outputs.tanh()
            done = action
        else:
            places = list(range(index * width, index * width + size))
            action = ((outputs + gumbel(learner._noise[1][:, index, :size])) / 0.7).softmax(-1)
            done = torch.zeros_like(action).scatter(-1, action.argmax(-1, keepdim=True), 1.0)
        joint = batch["action"].clone()
        joint[:, places] = done.detach()
        joint.requires_grad_()
        value = learner.critics(torch.cat((state, joint), dim=-1))[index].mean()
        (slope,) = torch.autograd.grad(value, joint)
        surrogate = 0.01 * outputs.square().mean() - (slope[:, places] * action).sum()
        for total, part in zip(expected, torch.autograd.grad(surrogate, parameters), strict=True):
            total += part
    flat = torch.cat([part.flatten() for part in expected])
    assert flat.abs().max() > 1e-4
    torch.testing.assert_close(taken["gradient"], flat, rtol=1e-4, atol=1e-7)


def test_gradients_are_bounded_agent_by_agent():
    learner = made(Team(), max_grad_norm=0.5)
    taken = {}
    learner.optimisers["critics"].step = lambda gradient: taken.update(gradient=gradient)
    first, second = learner.critics.weights[0][0], learner.critics.weights[0][1]
    learner._descend(
        "critics", 0.01 * first.sum() + 7.0 * second.sum() + 0.0 * sum(p.sum() for p in learner._leaves["critics"])
    )
    gradient = taken["gradient"][: 2 * first.numel()].view(2, -1)
    torch.testing.assert_close(gradient[0], torch.full_like(gradient[0], 0.01))  # small: as it was
    assert gradient[1].norm().item() == pytest.approx(0.5, rel=1e-5)


def test_choices_are_made_outright_and_gradients_go_through_soft_ones():
    learner = made(Team("discrete"), gumbel_temperature=2.0)
    outputs = torch.randn(8, 2, 3, requires_grad=True)
    noise = torch.ones(8, 2, 3)  # exponential time 1 is Gumbel 0
    acted = learner._acted(outputs, noise)
    chosen = torch.stack((outputs[:, 0, :2].argmax(-1), outputs[:, 1].argmax(-1)), dim=-1)
    assert torch.equal(acted, learner.actions.one_hot(chosen))
    weights = torch.randn(8, 2, 3)
    (slope,) = torch.autograd.grad((acted * weights).sum(), outputs)
    soft = torch.cat((outputs[:, 0, :2].div(2.0).softmax(-1), torch.zeros(8, 1)), dim=-1)
    soft = torch.stack((soft, outputs[:, 1].div(2.0).softmax(-1)), dim=1).detach()
    expected = soft * (weights - (soft * weights).sum(-1, keepdim=True)) / 2.0
    torch.testing.assert_close(slope, expected)


def test_exploring_draws_choices_by_their_probabilities():
    learner = made(Team("discrete"))
    learner._exploration = torch.ones(40_000, 2, 3)
    learner._draw_exploration()
    logits = torch.tensor([[0.0, 1.0, 50.0], [2.0, 0.0, 1.0]])
    learner.actor.forward = lambda obs: logits
    chosen = learner._explore(torch.zeros(1, 3))
    for agent, size in enumerate((2, 3)):
        shares = chosen[:, agent].bincount(minlength=size) / 40_000
        torch.testing.assert_close(shares, logits[agent, :size].softmax(-1), atol=0.01, rtol=0.0)


@pytest.mark.parametrize("paid_apart", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_it_learns_what_to_do(kind, paid_apart):
    env = Team(kind, paid_apart=paid_apart)
    rates = {"actor_learning_rate": 1e-2, "critic_learning_rate": 1e-2}
    sizes = {"batch_size": 64, "learning_starts": 64, "actor_hidden": [16], "critic_hidden": [32]}
    learner = made(env, gamma=0.1, action_bound=3.0, noise_std=0.3, max_grad_norm=10.0, **rates, **sizes)
    train(learner, env, 60)
    rewards = [env.step(learner.act_deterministic(env.obs)).reward for _ in range(50)]
    reward = torch.stack(rewards).sum(-1).mean() if paid_apart else torch.stack(rewards).mean()
    print(reward)
    assert reward > (-0.3 if kind == "box" else 1.8)  # at random: about -11 and 0.83


def test_the_network_that_is_exported_gives_the_best_actions():
    env = Team(agents=3)
    learner = made(env, layer_norm=True, batch_size=32)
    train(learner, env, 3)
    network = torch.jit.script(learner.policy_network())
    torch.testing.assert_close(network(env.obs["policy"]), learner.act_deterministic(env.obs))
    torch.testing.assert_close(network(env.obs["policy"][0]), learner.act_deterministic(env.obs)[0])
