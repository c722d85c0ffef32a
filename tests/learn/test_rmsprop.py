"""RMSprop against PyTorch's."""

from __future__ import annotations

import torch

from humanoid_rl_ext.learn.rmsprop import RMSprop


def test_it_makes_the_same_steps_as_pytorch():
    generator = torch.Generator().manual_seed(0)
    start = torch.randn(50, generator=generator)
    ours, theirs = torch.nn.Parameter(start.clone()), torch.nn.Parameter(start.clone())
    rmsprop = RMSprop(ours, learning_rate=0.01, decay=0.9, epsilon=1e-3)
    reference = torch.optim.RMSprop([theirs], lr=0.01, alpha=0.9, eps=1e-3)
    for _ in range(20):
        gradient = torch.randn(50, generator=generator)
        theirs.grad = gradient / 2.0
        rmsprop.step(gradient.clone(), torch.tensor(2.0))
        reference.step()
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-6)


def test_a_restored_optimiser_goes_on_where_it_was():
    parameters = torch.nn.Parameter(torch.zeros(3))
    rmsprop = RMSprop(parameters, learning_rate=0.1)
    rmsprop.step(torch.tensor([1.0, 2.0, 3.0]), torch.ones(()))
    other_parameters = torch.nn.Parameter(parameters.detach().clone())
    other = RMSprop(other_parameters, learning_rate=0.5)
    other.load_state_dict(rmsprop.state_dict())
    rmsprop.step(torch.ones(3), torch.ones(()))
    other.step(torch.ones(3), torch.ones(()))
    assert torch.equal(parameters, other_parameters)
