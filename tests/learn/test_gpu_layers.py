"""Layers for GPUs give what plain layers give, forth and back."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from humanoid_rl_ext.learn import gpu_layers


def layers(inputs: int) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(inputs, 24), nn.ELU(), nn.Linear(24, 13), nn.Tanh())


def test_rows_are_padded_with_zeros_to_whole_words():
    padded = gpu_layers.aligned(torch.ones(3, 5), torch.bfloat16)
    assert padded.shape == (3, 8) and padded.dtype == torch.bfloat16
    assert padded[:, :5].eq(1).all() and padded[:, 5:].eq(0).all()


def outputs_and_gradients(device: str, precision: torch.dtype) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    """Those of plain layers, and those of layers for a GPU: a trunk of five inputs with a head."""
    plain, head = layers(5).to(device), nn.Linear(13, 3).to(device)
    same, same_head = copy.deepcopy(plain), copy.deepcopy(head)
    inputs, weights = torch.randn(48, 5, device=device), torch.randn(48, 3, device=device)
    expected = head(plain(inputs))
    found = gpu_layers.head(same_head, gpu_layers.trunk(same, gpu_layers.aligned(inputs, precision)))
    results = []
    for value, modules in ((expected, (plain, head)), (found, (same, same_head))):
        parameters = [parameter for module in modules for parameter in module.parameters()]
        results.append([value, *torch.autograd.grad((value * weights).sum(), parameters)])
    return results[0], results[1]


def test_layers_give_what_plain_layers_give():
    for expected, found in zip(*outputs_and_gradients("cpu", torch.float32), strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.gpu
@pytest.mark.parametrize(("precision", "error"), [(torch.float32, 3e-3), (torch.bfloat16, 3e-2)])
def test_layers_on_a_gpu_differ_by_rounding_alone(precision: torch.dtype, error: float):
    for expected, found in zip(*outputs_and_gradients("cuda", precision), strict=True):
        assert (found - expected).norm() < error * expected.norm()
