"""Several action value functions at once, as one batched network."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from humanoid_rl_ext.learn.networks import ACTIVATIONS, mlp, uniform_linear


class Ensemble(nn.Module):
    """``members`` perceptrons of one shape, which differ in their weights alone.

    Their layers are multiplied in one batched product, so that two cost hardly more launches than one. Members may
    have fewer inputs than others: their weights for the rest are zero, and stay so as long as those inputs are.
    """

    def __init__(
        self,
        members: int,
        inputs: int | Sequence[int],
        hidden: Sequence[int],
        activation: str,
        generator: torch.Generator,
        initialisation: str = "uniform",
        layer_norm: bool = False,
        outputs: int | None = None,
    ) -> None:
        """``inputs``: of all members, or of each. ``outputs``: None for one, without a dimension of its own."""
        super().__init__()
        self.activation = ACTIVATIONS[activation]()
        networks = []
        for own in [inputs] * members if isinstance(inputs, int) else inputs:
            trunk = mlp(own, hidden, activation, generator, initialisation)
            networks.append([layer for layer in trunk if isinstance(layer, nn.Linear)])
            networks[-1].append(uniform_linear(hidden[-1] if hidden else own, outputs or 1, generator))
        self.single = outputs is None
        layers = list(zip(*networks, strict=True))
        with torch.no_grad():
            self.weights = nn.ParameterList(stacked([each.weight.t() for each in layer]) for layer in layers)
            self.biases = nn.ParameterList(torch.stack([each.bias[None] for each in layer]) for layer in layers)
        self.norms = hidden if layer_norm else ()
        self.scales = nn.ParameterList(torch.ones(members, 1, width) for width in self.norms)
        self.shifts = nn.ParameterList(torch.zeros(members, 1, width) for width in self.norms)

    def forward(self, inputs: torch.Tensor, members: slice = slice(None)) -> torch.Tensor:
        """Values (members, batch), or (members, batch, outputs); of some members alone where asked for.

        ``inputs`` are (batch, inputs) for all members, or (members, batch, inputs).
        """
        layers = [(weight[members], bias[members]) for weight, bias in zip(self.weights, self.biases, strict=True)]
        features = inputs.expand(len(layers[0][0]), *inputs.shape[-2:])
        for index, (weight, bias) in enumerate(layers[:-1]):
            features = torch.baddbmm(bias, features, weight)
            if self.norms:
                features = nn.functional.layer_norm(features, features.shape[-1:])
                features = torch.addcmul(self.shifts[index][members], features, self.scales[index][members])
            features = self.activation(features)
        weight, bias = layers[-1]
        values = torch.baddbmm(bias, features, weight)
        return values.squeeze(-1) if self.single else values


def stacked(weights: Sequence[torch.Tensor]) -> torch.Tensor:
    """Weights (members, inputs, outputs) of layers (inputs, outputs), with zeros for inputs that a member has not."""
    most = max(len(weight) for weight in weights)
    return torch.stack([nn.functional.pad(weight, (0, 0, 0, most - len(weight))) for weight in weights])
