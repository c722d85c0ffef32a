"""Actions of agents: taken apart and put together again, and choices that an agent has not got are never taken."""

from __future__ import annotations

import pytest
import torch

from humanoid_rl_ext.env.transition import ActionSpec, AgentSpec, EnvSpec
from humanoid_rl_ext.learn.agent_actions import AgentActions
from humanoid_rl_ext.learn.agent_networks import AgentNorm, agent_mlp

CPU = torch.device("cpu")


def mixed_up() -> EnvSpec:
    """Two agents whose columns lie between each other's: the first has two actions, the second one."""
    agents = (
        AgentSpec("a", (1, 3), ActionSpec("box", 2), (2, 0)),
        AgentSpec("b", (0,), ActionSpec("box", 1), (1,)),
    )
    return EnvSpec(3, {"policy": 4}, ActionSpec("box", 3), 10, None, agents)


def choosers() -> EnvSpec:
    agents = (AgentSpec("a", (0,), ActionSpec("discrete", 2)), AgentSpec("b", (1,), ActionSpec("discrete", 4)))
    return EnvSpec(3, {"policy": 2}, ActionSpec("discrete", 4), 10, None, agents)


def test_a_box_goes_to_its_agents_and_comes_back_in_order():
    actions = AgentActions(mixed_up(), CPU)
    stored = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    apart = actions.apart(stored)
    assert apart.tolist() == [[[3.0, 1.0], [2.0, 0.0]], [[6.0, 4.0], [5.0, 0.0]]]
    assert torch.equal(actions.joint(apart), stored)
    several = torch.stack((apart, apart + 10.0))
    assert torch.equal(actions.joint(several)[1], stored + 10.0)
    assert actions.joint_size == 3


def test_choices_are_ones_in_their_places():
    actions = AgentActions(choosers(), CPU)
    apart = actions.apart(torch.tensor([[1.0, 3.0]]))
    assert apart.tolist() == [[[0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]]]
    assert actions.joint(apart).tolist() == [[0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0]]
    assert actions.joint_size == 8


def test_the_best_choice_is_one_that_the_agent_has():
    values = torch.tensor([[[-5.0, -4.0, 9.0, 9.0], [0.0, 1.0, 3.0, 2.0]]])
    assert AgentActions(choosers(), CPU).best(values).tolist() == [[1, 2]]


def test_random_choices_are_all_equally_likely():
    stored = torch.zeros(8000, 2)
    AgentActions(choosers(), CPU).draw_choices(stored, torch.Generator().manual_seed(0))
    for agent, size in enumerate((2, 4)):
        counts = stored[:, agent].long().bincount(minlength=4) / 8000
        expected = torch.tensor([1 / size] * size + [0.0] * (4 - size))
        torch.testing.assert_close(counts, expected, atol=0.02, rtol=0.0)


@pytest.mark.parametrize("initialisation", ["uniform", "orthogonal"])
def test_an_agent_s_network_sees_its_columns_and_no_others(initialisation):
    network = agent_mlp(mixed_up(), 2, False, [8], "relu", torch.Generator().manual_seed(0), initialisation, True)
    obs = torch.randn(5, 4, requires_grad=True)
    for agent, seen in enumerate(((1, 3), (0,))):
        (slope,) = torch.autograd.grad(network(obs)[:, agent].sum(), obs)
        assert {column for column in range(4) if slope[:, column].any()} == set(seen)


def test_each_agent_is_normalised_by_itself():
    norm = AgentNorm(2, 3)
    with torch.no_grad():
        norm.scale.copy_(torch.tensor([[1.0], [10.0]]).expand(2, 3))
        norm.shift[1] = 5.0
    out = norm(torch.tensor([[[1.0, 2.0, 3.0], [10.0, 20.0, 30.0]]]))
    edge = 1.5**0.5  # (3 - 2) / sqrt(2 / 3)
    expected = [[[-edge, 0.0, edge], [5.0 - 10.0 * edge, 5.0, 5.0 + 10.0 * edge]]]
    torch.testing.assert_close(out, torch.tensor(expected), atol=1e-4, rtol=1e-4)
