"""Layers as a GPU likes them where gradients are taken of large batches.

Rows are padded so that they begin on 16 bytes, sums over the batch are matrix products, and matrices may be multiplied
in bfloat16 with sums in single precision.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import torch
from torch import nn

ALIGNMENT = 8
"""Columns: 16 bytes of bfloat16."""


class _Affine(torch.autograd.Function):
    """``inputs @ weight.T + bias`` for inputs that are padded and have the precision wanted."""

    @staticmethod
    def forward(ctx: Any, inputs: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
        padded = aligned(weight, inputs.dtype)
        ctx.save_for_backward(inputs, padded)
        ctx.columns = weight.shape[1]
        return torch.addmm(bias.to(inputs.dtype), inputs, padded.t())

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        (gradient,) = gradients
        inputs, weight = ctx.saved_tensors
        to_inputs = gradient @ weight if ctx.needs_input_grad[0] else None
        if gradient.dtype == torch.float32:
            to_weight = gradient.t() @ inputs
        else:
            to_weight = torch.mm(gradient.t(), inputs, out_dtype=torch.float32)
        return to_inputs, to_weight[:, : ctx.columns], _sum_of_rows(gradient)


@cache
def _ones(columns: int, dtype: torch.dtype, device: torch.device) -> torch.Tensor:
    return torch.ones(ALIGNMENT, columns, dtype=dtype, device=device)


def _sum_of_rows(values: torch.Tensor) -> torch.Tensor:
    """(columns,) in single precision: as a product with ones it takes a quarter of a reduction's time."""
    ones = _ones(values.shape[0], values.dtype, values.device)
    if values.dtype == torch.float32:
        return (ones @ values)[0]
    return torch.mm(ones, values, out_dtype=torch.float32)[0]


def aligned(values: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """(rows, columns) in another precision, with zeros on the right up to a multiple of ALIGNMENT."""
    rows, columns = values.shape
    missing = -columns % ALIGNMENT
    if not missing:
        return values.to(dtype)
    padded = torch.empty(rows, columns + missing, dtype=dtype, device=values.device)
    padded[:, :columns] = values
    padded[:, columns:] = 0.0
    return padded


def trunk(layers: nn.Sequential, inputs: torch.Tensor) -> torch.Tensor:
    """What a stack of linear layers and activations makes of aligned inputs (batch, columns)."""
    for layer in layers:
        inputs = _Affine.apply(inputs, layer.weight, layer.bias) if isinstance(layer, nn.Linear) else layer(inputs)
    return inputs


def head(layer: nn.Linear, features: torch.Tensor) -> torch.Tensor:
    """A last layer's outputs (batch, outputs), in single precision."""
    return _Affine.apply(aligned(features, torch.float32), layer.weight, layer.bias)
