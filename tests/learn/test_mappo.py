"""MAPPO and IPPO: their parts by hand, what they are for one agent, and that teams learn."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import pytest
import torch

from humanoid_rl_ext.deploy.torchscript import policy_module
from humanoid_rl_ext.env.transition import ActionSpec, AgentSpec, EnvSpec, Transition
from humanoid_rl_ext.errors import BadInputError, CheckpointError
from humanoid_rl_ext.learn import LEARNERS, make_learner
from humanoid_rl_ext.learn.advantage import generalised_advantages
from humanoid_rl_ext.learn.agent_distributions import AgentCategoricals, AgentGaussians
from humanoid_rl_ext.learn.agent_networks import NEVER, AgentLinear, AgentViews, JointParameters
from humanoid_rl_ext.learn.mappo import MAPPO
from humanoid_rl_ext.learn.normaliser import RewardNormaliser
from humanoid_rl_ext.learn.ppo import PPO
from humanoid_rl_ext.learn.settings_on_policy import PPOSettings
from humanoid_rl_ext.learn.value_scale import ValueScale
from humanoid_rl_ext.sim import recording
from tests.learn.teaching import train, weights
from tests.learn.team import NUM_ENVS, Team

SMALL: dict[str, Any] = {
    **{"num_steps": 16, "actor_hidden": [16], "critic_hidden": [16]},
    **{"learning_rate": 3e-3, "schedule": "fixed", "num_minibatches": 2},
}
ALGORITHMS = ("mappo", "ippo")


def make(spec: EnvSpec, algorithm: str = "mappo", seed: int = 0, **changes) -> MAPPO:
    settings = LEARNERS[algorithm].settings(**{**SMALL, **changes})
    learner = make_learner(algorithm, spec, settings, seed=seed)
    assert isinstance(learner, MAPPO)
    return learner


@pytest.mark.parametrize("copies", [1, 3])
def test_a_layer_of_all_agents_is_one_layer_for_each(copies):
    layer = AgentLinear(copies, 4, 2, 1.0, torch.Generator().manual_seed(1))
    layer.bias.data.normal_()
    inputs = torch.randn(5, 3, 4)
    outputs = layer(inputs)
    for agent in range(3):
        own = min(agent, copies - 1)
        expected = inputs[:, agent] @ layer.weight[own].T + layer.bias[own]
        torch.testing.assert_close(outputs[:, agent], expected)
    torch.testing.assert_close(layer(inputs[0]), outputs[0])
    assert copies == 1 or not torch.equal(layer.weight[0], layer.weight[1])


def test_agents_are_shown_their_columns_filled_up_with_zeros_and_who_they_are():
    views = AgentViews([(2, 0), (1,)], 3, with_ids=True)
    seen = views(torch.tensor([[1.0, 2.0, 3.0]]))
    assert seen.tolist() == [[[3, 1, 1, 0], [2, 0, 0, 1]]]
    assert views(torch.tensor([1.0, 2.0, 3.0])).tolist() == seen[0].tolist()
    assert AgentViews([(2, 0), (1,)], 3, with_ids=False).width == 2


def test_outputs_go_to_the_columns_that_agents_fill():
    agents = (AgentSpec("a", (0,), ActionSpec("box", 2), (2, 0)), AgentSpec("b", (0,), ActionSpec("box", 1), (1,)))
    joint = JointParameters(EnvSpec(1, {"policy": 1}, ActionSpec("box", 3), 1, None, agents))
    assert joint(torch.tensor([[[1.0, 2.0], [3.0, 9.0]]])).tolist() == [[2.0, 3.0, 1.0]]


def test_choices_that_an_agent_has_not_got_are_never_taken():
    spec = Team("discrete").spec
    params = JointParameters(spec)(torch.zeros(1000, 2, 3))
    assert params[0].tolist() == [0, 0, NEVER, 0, 0, 0]
    distribution = AgentCategoricals(2)
    noise = torch.empty(1000, 6)
    distribution.draw(noise, torch.Generator().manual_seed(1))
    assert distribution.sample(params, noise).amax(0).tolist() == [1, 2]


def test_what_is_said_of_normal_actions_is_said_of_each_agent():
    spec = Team("box", agents=3).spec
    ours = AgentGaussians(spec, 1.0, 0.01)
    ours.log_std.data = torch.tensor([0.3, -0.2, 0.1, 0.5])
    ours.remember()
    old, old_std = torch.randn(5, 4), ours.log_std.detach().exp()
    ours.log_std.data = torch.tensor([0.1, 0.2, -0.4, 0.0])
    params, actions = torch.randn(5, 4), torch.randn(5, 4)
    normal = torch.distributions.Normal(params, ours.log_std.detach().exp())

    def by_agent(values: torch.Tensor) -> torch.Tensor:
        return torch.stack((values[:, 0], values[:, 1], values[:, 2] + values[:, 3]), dim=-1)

    torch.testing.assert_close(ours.log_prob(params, actions), by_agent(normal.log_prob(actions)))
    torch.testing.assert_close(ours.entropy(params).expand(5, 3), by_agent(normal.entropy()))
    expected = torch.distributions.kl_divergence(torch.distributions.Normal(old, old_std), normal)
    torch.testing.assert_close(ours.kl(old, params), by_agent(expected))


def test_what_is_said_of_choices_is_said_of_each_agent():
    logits, old = (torch.randn(5, 2, 3).index_fill(2, torch.tensor([2]), NEVER) for _ in range(2))
    actions = torch.randint(2, (5, 2))
    ours, theirs = AgentCategoricals(2), torch.distributions.Categorical(logits=logits[..., :2])
    flat = logits.flatten(1)
    torch.testing.assert_close(ours.log_prob(flat, actions.float()), theirs.log_prob(actions))
    torch.testing.assert_close(ours.entropy(flat), theirs.entropy())
    before = torch.distributions.Categorical(logits=old[..., :2])
    torch.testing.assert_close(
        ours.kl(old.flatten(1), flat), torch.distributions.kl_divergence(before, theirs), atol=1e-6, rtol=1e-5
    )
    assert torch.equal(ours.mode(flat), logits.argmax(-1))


def test_advantages_of_several_agents_are_those_of_each_alone():
    generator = torch.Generator().manual_seed(3)
    rewards, values, finals = (torch.randn(6, 4, 3, generator=generator) for _ in range(3))
    last = torch.randn(4, 3, generator=generator)
    terminated, truncated = (torch.rand(6, 4, generator=generator) > 0.7 for _ in range(2))
    both = generalised_advantages(rewards, values, last, terminated, truncated, finals, 0.9, 0.8)
    for agent in range(3):
        own = (rewards[..., agent], values[..., agent], last[..., agent], terminated, truncated, finals[..., agent])
        for ours, alone in zip(both, generalised_advantages(*own, 0.9, 0.8), strict=True):
            torch.testing.assert_close(ours[..., agent], alone)


def test_rewards_of_several_agents_are_scaled_by_one_deviation():
    normaliser = RewardNormaliser((2, 2), 10.0)
    reward = torch.tensor([[1.0, 3.0], [5.0, 7.0]])
    scaled = normaliser(reward, torch.tensor([True, False]), 0.5)
    torch.testing.assert_close(scaled, reward / 5.0**0.5)  # the variance of 1, 3, 5, 7
    assert normaliser.returns.tolist() == [[0, 0], [5, 7]]


@pytest.mark.parametrize("copies", [1, 2])
def test_a_critic_says_the_same_after_its_scale_has_moved(copies):
    scale, head = ValueScale(copies, torch.device("cpu")), AgentLinear(copies, 3, 1, 1.0, torch.Generator())
    head.bias.data.normal_()
    features = torch.randn(7, 2, 3)
    for _ in range(2):
        before = scale.to_returns(head(features).squeeze(-1))
        scale.update(torch.tensor([[10.0, 10.0], [30.0, 50.0]]) + torch.rand(2, 2), head)
        torch.testing.assert_close(scale.to_returns(head(features).squeeze(-1)), before, rtol=1e-4, atol=1e-4)


def test_the_scale_of_values_is_the_mean_and_deviation_of_returns():
    scale, head = ValueScale(2, torch.device("cpu")), AgentLinear(2, 3, 1, 1.0, torch.Generator())
    scale.update(torch.tensor([[10.0, 1.0], [30.0, 1.0]]), head)
    torch.testing.assert_close(scale.from_returns(torch.tensor([40.0, 1.01])), torch.tensor([2.0, 1.0]))
    shared = ValueScale(1, torch.device("cpu"))
    shared.update(torch.tensor([[1.0, 3.0], [5.0, 7.0]]), AgentLinear(1, 3, 1, 1.0, torch.Generator()))
    torch.testing.assert_close(shared.to_returns(torch.tensor([0.0, 1.0])), torch.tensor([4.0, 4.0 + 5.0**0.5]))


@pytest.mark.parametrize("share", [True, False])
@pytest.mark.parametrize(("algorithm", "sees_others"), [("mappo", True), ("ippo", False)])
def test_only_a_centralised_critic_sees_what_other_agents_see(algorithm, sees_others, share):
    spec = Team(agents=3, critic=algorithm == "ippo").spec  # IPPO takes no notice of a group for critics
    network = make(spec, algorithm, share_networks=share).network
    obs = torch.randn(4, 4, requires_grad=True)
    (gradient,) = torch.autograd.grad(network.value(obs)[:, 0].sum(), obs)
    assert gradient[:, 0].abs().min() > 0
    assert bool((gradient[:, 1:].abs() > 0).all()) == sees_others
    (gradient,) = torch.autograd.grad(network.policy(obs)[:, 0].sum(), obs)
    assert not gradient[:, 1:].any() and gradient[:, 0].all()  # a policy never does


def test_a_team_that_is_paid_alike_has_one_value():
    alike, apart = (make(Team(paid_apart=paid, critic=True).spec).network for paid in (False, True))
    state = torch.randn(5, 3)
    values = alike.value(state)
    assert values.shape == (5, 2) and torch.equal(values[:, 0], values[:, 1])
    values = apart.value(state)
    assert values.shape == (5, 2) and not torch.allclose(values[:, 0], values[:, 1])


@pytest.mark.parametrize("kind", ["box", "discrete"])
def test_for_one_agent_it_is_ppo(kind):
    """The same weights, the same random numbers: the same actions and, after updates, the same weights."""
    size = 2
    agent = AgentSpec("only", (0, 1), ActionSpec(kind, size), (0, 1) if kind == "box" else ())
    single = EnvSpec(NUM_ENVS, {"policy": 2}, ActionSpec(kind, size), 10)
    shapes: dict[str, Any] = {"actor_hidden": [8], "critic_hidden": [8], "num_steps": 8, "entropy_coef": 0.01}
    ppo = PPO(single, PPOSettings(**shapes), seed=3)
    ours = make(
        dataclasses.replace(single, agents=(agent,)),
        share_networks=False,
        normalise_value=False,
        **{**shapes, "schedule": "adaptive", "learning_rate": 1e-3, "num_minibatches": 4},
    )
    names = {"actor_trunk.0": "actor_trunk.1", "critic_trunk.0": "critic_trunk.1"}
    theirs = {
        re.sub(r"\w+_trunk\.0", lambda found: names[found[0]], name): value for name, value in ppo._weights().items()
    }
    for name, value in ours._weights().items():
        value.copy_(theirs[name].view_as(value))
    ours.generator.manual_seed(3)
    generator = torch.Generator().manual_seed(4)
    for _ in range(3):
        for _ in range(8):
            obs = {"policy": torch.randn(NUM_ENVS, 2, generator=generator)}
            actions, same = ppo.act(obs), ours.act(obs)
            torch.testing.assert_close(same.squeeze(-1) if kind == "discrete" else same, actions)
            reward = torch.randn(NUM_ENVS, generator=generator)
            done = torch.rand(NUM_ENVS, generator=generator) > 0.8
            moved = Transition(obs, reward, done, ~done & (reward > 1), obs)
            ppo.observe(moved)
            ours.observe(moved)
        assert list(ppo.update()) and list(ours.update())
        assert ours.metrics == pytest.approx(ppo.metrics, rel=1e-4, abs=1e-6)
    for name, value in ours._weights().items():
        torch.testing.assert_close(value.flatten(), theirs[name].flatten(), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("share", [True, False])
@pytest.mark.parametrize("kind", ["box", "discrete"])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_team_of_unlike_agents_learns_what_each_is_to_do(algorithm, kind, share):
    env = Team(kind, agents=3)
    learner = make(env.spec, algorithm, share_networks=share, learning_rate=1e-2, gamma=0.0, init_noise_std=0.5)
    train(learner, env, 60)  # type: ignore[arg-type]
    rewards = torch.stack([env.step(learner.act_deterministic(env.obs)).reward.mean(0) for _ in range(20)]).mean(0)
    assert rewards.min() > (-0.15 if kind == "box" else 0.85)  # at first: -1 and 0.5


def test_a_team_that_is_paid_alike_learns_too():
    env = Team("discrete", paid_apart=False)
    learner = make(env.spec, learning_rate=1e-2, gamma=0.0)
    train(learner, env, 60)  # type: ignore[arg-type]
    reward = torch.stack([env.step(learner.act_deterministic(env.obs)).reward.mean() for _ in range(20)]).mean()
    assert reward > 1.7  # of 2; at first 1


@pytest.mark.parametrize("kind", ["box", "discrete"])
@pytest.mark.parametrize("share", [True, False])
def test_a_resumed_run_goes_on_bit_by_bit(kind, share):
    env = Team(kind)
    learner = make(env.spec, share_networks=share, normalise_reward=True, seed=1)
    train(learner, env, 3)  # type: ignore[arg-type]
    resumed = make(env.spec, share_networks=share, normalise_reward=True, seed=9)
    resumed.load_state_dict(learner.state_dict())
    random_state, steps, obs = env.generator.get_state(), env.steps, env.obs
    expected = train(learner, env, 3)  # type: ignore[arg-type]
    env.generator.set_state(random_state)
    env.steps, env.obs = steps, obs
    assert train(resumed, env, 3) == expected  # type: ignore[arg-type]
    assert torch.equal(weights(resumed), weights(learner))


def test_slicing_a_minibatch_does_not_change_the_result(monkeypatch):
    learned = []
    for size in (1000, 7):
        monkeypatch.setattr(MAPPO, "_slices", lambda self, samples, size=size: samples.split(size))
        env = Team()
        learner = make(env.spec)
        history = train(learner, env, 3)  # type: ignore[arg-type]
        learned.append((weights(learner), history[-1]))
    torch.testing.assert_close(learned[0][0], learned[1][0], rtol=1e-3, atol=1e-5)
    assert learned[0][1] == pytest.approx(learned[1][1], rel=1e-2, abs=1e-4)


@pytest.mark.parametrize("share", [True, False])
def test_policies_of_all_agents_are_exported_as_one(share):
    env = Team(agents=3)
    learner = make(env.spec, share_networks=share)
    train(learner, env, 2)  # type: ignore[arg-type]
    module = policy_module(learner)
    torch.testing.assert_close(module(env.obs["policy"]), learner.act_deterministic(env.obs))
    torch.testing.assert_close(module(env.obs["policy"][0]), learner.act_deterministic(env.obs)[0])


def test_what_does_not_fit_is_one_clear_line():
    single = EnvSpec(NUM_ENVS, {"policy": 2}, ActionSpec("box", 2), 10)
    with pytest.raises(BadInputError, match="'mappo' teaches several agents, and there is one: what fits is ppo"):
        make_learner("mappo", single)
    with pytest.raises(BadInputError, match="num_minibatches 999 is more than the 128 samples"):
        make(Team().spec, num_minibatches=999)
    saved = make(Team(agents=3).spec).state_dict()
    with pytest.raises(CheckpointError, match="observation 'policy' has 4 elements in the checkpoint but 3 here"):
        make(Team().spec).load_state_dict(saved)


def learned_on_a_gpu(kind: str, share: bool, algorithm: str) -> tuple[dict[str, torch.Tensor], dict[str, float]]:
    """Weights and figures after some updates on made-up transitions, an edit on the way."""
    spec = dataclasses.replace(Team(kind, agents=3).spec, num_envs=64)
    changes = {"num_steps": 8, "actor_hidden": [32], "critic_hidden": [32], "num_minibatches": 4}
    settings = LEARNERS[algorithm].settings(**{**changes, "share_networks": share})
    learner = make_learner(algorithm, spec, settings, "cuda:0", seed=1)
    assert isinstance(learner, MAPPO)
    generator = torch.Generator("cuda:0").manual_seed(5)

    def random(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator, device="cuda:0")

    obs = {"policy": random(64, 4)}
    for iteration in range(6):
        if iteration == 4:
            learner.edit("clip_range", 0.1)
        for _ in range(8):
            actions = learner.act(obs)
            reward = obs["policy"][:, :3] * actions[:, :3].float()
            done = random(64) > 1.5
            obs = {"policy": random(64, 4)}
            learner.observe(Transition(obs, reward, done, ~done & (random(64) > 1.5), obs))
        for _ in learner.update():
            continue
    return {name: value.clone() for name, value in learner._weights().items()}, learner.metrics


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
@pytest.mark.parametrize("share", [True, False])
@pytest.mark.parametrize("kind", ["box", "discrete"])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_recorded_learning_equals_eager_learning(algorithm, kind, share, monkeypatch):
    weights_, metrics = learned_on_a_gpu(kind, share, algorithm)
    monkeypatch.setattr(recording, "EAGER_CALLS", 10**9)
    expected, figures = learned_on_a_gpu(kind, share, algorithm)
    for name, value in expected.items():
        torch.testing.assert_close(weights_[name], value, atol=1e-4, rtol=1e-3, msg=lambda said, n=name: f"{n}: {said}")
    assert metrics == pytest.approx(figures, rel=1e-2, abs=1e-4)
