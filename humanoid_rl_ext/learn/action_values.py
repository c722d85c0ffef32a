"""A value for each of the actions that there are to choose from."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from humanoid_rl_ext.learn.networks import layer, mlp


class ActionValues(nn.Module):
    """Values of all actions from one observation: Mnih et al. 2015, and with ``dueling`` Wang et al. 2016.

    The dueling form has two streams of their own from the last hidden layer on.
    """

    def __init__(
        self,
        inputs: int,
        actions: int,
        hidden: Sequence[int],
        activation: str,
        generator: torch.Generator,
        initialisation: str = "uniform",
        layer_norm: bool = False,
        dueling: bool = False,
    ) -> None:
        super().__init__()

        def layers(size: int, widths: Sequence[int]) -> nn.Sequential:
            return mlp(size, widths, activation, generator, initialisation, layer_norm)

        def stream(size: int, widths: Sequence[int], outputs: int) -> nn.Sequential:
            features = widths[-1] if widths else size
            last = layer(features, outputs, 1.0, generator, initialisation)
            return layers(size, widths).append(last)

        shared, own = (hidden[:-1], hidden[-1:]) if dueling else (hidden, ())
        self.trunk = layers(inputs, shared)
        features = shared[-1] if shared else inputs
        self.advantages = stream(features, own, actions)
        self.state = stream(features, own, 1) if dueling else None

    def forward(self, obs: torch.Tensor) -> torch.Tensor:
        """Values (..., actions) of observations (..., inputs)."""
        features = self.trunk(obs)
        advantages = self.advantages(features)
        return advantages if self.state is None else dueling(self.state(features), advantages)


def dueling(state: torch.Tensor, advantages: torch.Tensor) -> torch.Tensor:
    """Values of actions (..., actions) from those of states (..., 1) and advantages: Wang et al. 2016, equation 9."""
    return state + advantages - advantages.mean(-1, keepdim=True)
