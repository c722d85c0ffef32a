"""Networks: initialisation, trunks, and parameters that share one vector."""

from __future__ import annotations

import math

import torch

from humanoid_rl_ext.learn.networks import ActorCritic, flatten_parameters, linear
from humanoid_rl_ext.sim.recording import Branch


def network(shared: bool) -> ActorCritic:
    return ActorCritic(5, 7, 3, [16, 8], [12], "elu", shared, torch.Generator().manual_seed(0))


def test_weights_are_orthogonal_with_the_gain_asked_for():
    layer = linear(10, 6, math.sqrt(2.0), torch.Generator().manual_seed(0))
    torch.testing.assert_close(layer.weight @ layer.weight.T, 2.0 * torch.eye(6))
    assert not layer.bias.any()


def test_making_a_network_leaves_the_global_random_numbers_alone():
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    network(shared=False)
    assert torch.equal(torch.rand(1), expected)


def test_separate_trunks_take_observations_of_their_own():
    params, values = network(shared=False)(torch.randn(4, 5), torch.randn(4, 7), Branch(torch.device("cpu")))
    assert params.shape == (4, 3) and values.shape == (4,)


def test_a_shared_trunk_is_counted_once_and_read_by_both_heads():
    shared = network(shared=True)
    obs = torch.randn(4, 5)
    params, values = shared(obs, obs, Branch(torch.device("cpu")))
    torch.testing.assert_close(params, shared.policy(obs))
    torch.testing.assert_close(values, shared.value(obs))
    assert sum(p.numel() for p in shared.parameters()) == 5 * 16 + 16 + 16 * 8 + 8 + 8 * 3 + 3 + 8 + 1


def test_the_flat_vector_and_the_layers_are_the_same_memory():
    net = network(shared=False)
    flat, parameters = flatten_parameters(net)
    assert [id(parameter) for parameter in parameters] == [id(parameter) for parameter in net.parameters()]
    assert torch.equal(flat, torch.cat([parameter.flatten() for parameter in parameters]))
    flat.data.zero_()
    assert not any(parameter.any() for parameter in parameters)
