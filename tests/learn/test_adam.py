"""Adam against PyTorch's."""

from __future__ import annotations

import pytest
import torch

from humanoid_rl_ext.learn.adam import Adam


@pytest.mark.parametrize("fused", [False, True])
def test_it_makes_the_same_steps_as_pytorch(fused):
    start = torch.randn(50)
    ours, theirs = torch.nn.Parameter(start.clone()), torch.nn.Parameter(start.clone())
    adam = Adam(ours, learning_rate=0.01, epsilon=1e-5, fused=fused)
    reference = torch.optim.Adam([theirs], lr=0.01, eps=1e-5)
    for _ in range(20):
        gradient = torch.randn(50)
        theirs.grad = gradient.clone()
        adam.step(gradient, torch.ones(()))
        reference.step()
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-6)


def test_a_restored_optimiser_goes_on_where_it_was():
    parameters = torch.nn.Parameter(torch.zeros(3))
    adam = Adam(parameters, learning_rate=0.1)
    adam.step(torch.tensor([1.0, 2.0, 3.0]), torch.ones(()))
    other_parameters = torch.nn.Parameter(parameters.detach().clone())
    other = Adam(other_parameters, learning_rate=0.5)
    other.load_state_dict(adam.state_dict())
    adam.step(torch.ones(3), torch.ones(()))
    other.step(torch.ones(3), torch.ones(()))
    assert torch.equal(parameters, other_parameters)
