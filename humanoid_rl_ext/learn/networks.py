"""Multi-layer perceptrons and the actor-critic built of them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import nn

ACTIVATIONS: dict[str, type[nn.Module]] = {"elu": nn.ELU, "tanh": nn.Tanh, "relu": nn.ReLU, "silu": nn.SiLU}


def linear(inputs: int, outputs: int, gain: float, generator: torch.Generator) -> nn.Linear:
    """A layer with orthogonal weights scaled by ``gain`` and zero bias; they follow from ``generator`` alone."""
    with torch.random.fork_rng(devices=[]):  # torch's own initialisation, replaced below, draws from the global numbers
        layer = nn.Linear(inputs, outputs)
    nn.init.orthogonal_(layer.weight, gain, generator=generator)
    nn.init.zeros_(layer.bias)
    return layer


def mlp(inputs: int, hidden: Sequence[int], activation: str, generator: torch.Generator) -> nn.Sequential:
    """Hidden layers with an activation after each; identity when ``hidden`` is empty.

    Orthogonal initialisation with gain sqrt(2) (Andrychowicz et al. 2021, section 3.2).
    """
    layers: list[nn.Module] = []
    for outputs in hidden:
        layers += [linear(inputs, outputs, math.sqrt(2.0), generator), ACTIVATIONS[activation]()]
        inputs = outputs
    return nn.Sequential(*layers)


class ActorCritic(nn.Module):
    """A policy and a value function, on trunks of their own or on one shared trunk.

    The policy's last layer starts 100 times smaller than the others, so that the first policy hardly depends on
    the observation (Andrychowicz et al. 2021, section 3.2).
    """

    def __init__(
        self,
        actor_inputs: int,
        critic_inputs: int,
        outputs: int,
        actor_hidden: Sequence[int],
        critic_hidden: Sequence[int],
        activation: str,
        shared_trunk: bool,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.actor_trunk = mlp(actor_inputs, actor_hidden, activation, generator)
        self.actor_head = linear(actor_hidden[-1] if actor_hidden else actor_inputs, outputs, 0.01, generator)
        self.critic_trunk: nn.Sequential | None = None
        if shared_trunk:
            features = self.actor_head.in_features
        else:
            self.critic_trunk = mlp(critic_inputs, critic_hidden, activation, generator)
            features = critic_hidden[-1] if critic_hidden else critic_inputs
        self.critic_head = linear(features, 1, 1.0, generator)

    def policy(self, obs: torch.Tensor) -> torch.Tensor:
        """Distribution parameters, (batch, outputs)."""
        return self.actor_head(self.actor_trunk(obs))

    def value(self, obs: torch.Tensor) -> torch.Tensor:
        """Values, (batch,)."""
        trunk = self.actor_trunk if self.critic_trunk is None else self.critic_trunk
        return self.critic_head(trunk(obs)).squeeze(-1)

    def forward(self, actor_obs: torch.Tensor, critic_obs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Distribution parameters (batch, outputs) and values (batch,); a shared trunk is evaluated once."""
        features = self.actor_trunk(actor_obs)
        critic_features = features if self.critic_trunk is None else self.critic_trunk(critic_obs)
        return self.actor_head(features), self.critic_head(critic_features).squeeze(-1)


def flatten_parameters(*modules: nn.Module) -> tuple[nn.Parameter, torch.Tensor]:
    """One vector that all parameters of the modules become views of, and one for their gradients.

    Optimiser, gradient clipping and snapshots then cost one operation each instead of one per layer. Gradients must
    be cleared with ``zero_()``, never set to None.
    """
    parameters = [parameter for module in modules for parameter in module.parameters()]
    values = torch.cat([parameter.detach().reshape(-1) for parameter in parameters])
    gradients = torch.zeros_like(values)
    start = 0
    for parameter in parameters:
        end = start + parameter.numel()
        parameter.data = values[start:end].view_as(parameter)
        parameter.grad = gradients[start:end].view_as(parameter)
        start = end
    return nn.Parameter(values), gradients
