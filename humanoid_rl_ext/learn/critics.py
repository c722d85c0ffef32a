"""Several action value functions at once, as one batched network."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from humanoid_rl_ext.learn.networks import ACTIVATIONS, mlp, uniform_linear


def in_place(module: nn.Module) -> nn.Module:
    """The module with its rectifiers writing over what they get, which spares memory its way to the core and back."""
    for part in module.modules():
        if isinstance(part, nn.ReLU):
            part.inplace = True
    return module


class Ensemble(nn.Module):
    """``members`` perceptrons of one shape with one output each, which differ in their weights alone.

    Their layers are multiplied in one batched product, so that two cost hardly more launches than one.
    """

    def __init__(
        self,
        members: int,
        inputs: int,
        hidden: Sequence[int],
        activation: str,
        generator: torch.Generator,
        initialisation: str = "uniform",
        layer_norm: bool = False,
    ) -> None:
        super().__init__()
        self.activation = in_place(ACTIVATIONS[activation]())
        networks = []
        for _ in range(members):
            trunk = mlp(inputs, hidden, activation, generator, initialisation)
            networks.append([layer for layer in trunk if isinstance(layer, nn.Linear)])
            networks[-1].append(uniform_linear(hidden[-1] if hidden else inputs, 1, generator))
        layers = list(zip(*networks, strict=True))
        with torch.no_grad():
            self.weights = nn.ParameterList(torch.stack([each.weight.t() for each in layer]) for layer in layers)
            self.biases = nn.ParameterList(torch.stack([each.bias[None] for each in layer]) for layer in layers)
        self.norms = hidden if layer_norm else ()
        self.scales = nn.ParameterList(torch.ones(members, 1, width) for width in self.norms)
        self.shifts = nn.ParameterList(torch.zeros(members, 1, width) for width in self.norms)

    def forward(self, inputs: torch.Tensor, members: slice = slice(None)) -> torch.Tensor:
        """Values (members, batch) of inputs (batch, inputs) or (members, batch, inputs); of some alone if asked for."""
        layers = [(weight[members], bias[members]) for weight, bias in zip(self.weights, self.biases, strict=True)]
        features = inputs.expand(len(layers[0][0]), *inputs.shape[-2:])
        for index, (weight, bias) in enumerate(layers[:-1]):
            features = torch.baddbmm(bias, features, weight)
            if self.norms:
                features = nn.functional.layer_norm(features, features.shape[-1:])
                features = torch.addcmul(self.shifts[index][members], features, self.scales[index][members])
            features = self.activation(features)
        weight, bias = layers[-1]
        return torch.baddbmm(bias, features, weight).squeeze(-1)
