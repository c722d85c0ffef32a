"""Multi-layer perceptrons and the actor-critic built of them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from torch import nn

from humanoid_rl_ext.errors import CheckpointError
from humanoid_rl_ext.learn import gpu_layers
from humanoid_rl_ext.sim.recording import Branch

ACTIVATIONS: dict[str, type[nn.Module]] = {"elu": nn.ELU, "tanh": nn.Tanh, "relu": nn.ReLU, "silu": nn.SiLU}


def linear(inputs: int, outputs: int, gain: float, generator: torch.Generator) -> nn.Linear:
    """A layer with orthogonal weights scaled by ``gain`` and zero bias; they follow from ``generator`` alone."""
    with torch.random.fork_rng(devices=[]):  # torch's own initialisation, replaced below, draws from the global numbers
        made = nn.Linear(inputs, outputs)
    nn.init.orthogonal_(made.weight, gain, generator=generator)
    nn.init.zeros_(made.bias)
    return made


def uniform_linear(inputs: int, outputs: int, generator: torch.Generator) -> nn.Linear:
    """A layer whose weights and biases are uniform within 1 / sqrt(inputs), as PyTorch's own are, from ``generator``.

    Published figures of off-policy algorithms were reached with it (Lillicrap et al. 2016, section 7).
    """
    made = linear(inputs, outputs, 1.0, generator)
    bound = 1.0 / math.sqrt(inputs)
    nn.init.uniform_(made.weight, -bound, bound, generator=generator)
    nn.init.uniform_(made.bias, -bound, bound, generator=generator)
    return made


def layer(inputs: int, outputs: int, gain: float, generator: torch.Generator, initialisation: str) -> nn.Linear:
    """A layer that starts ``uniform``, or ``orthogonal`` and scaled by ``gain``."""
    if initialisation == "uniform":
        return uniform_linear(inputs, outputs, generator)
    return linear(inputs, outputs, gain, generator)


def mlp(
    inputs: int,
    hidden: Sequence[int],
    activation: str,
    generator: torch.Generator,
    initialisation: str = "orthogonal",
    layer_norm: bool = False,
) -> nn.Sequential:
    """Hidden layers with an activation after each; identity when ``hidden`` is empty.

    ``initialisation``: ``orthogonal`` with gain sqrt(2) (Andrychowicz et al. 2021, section 3.2) or ``uniform``.
    ``layer_norm``: normalises what each activation gets (Ba et al. 2016).
    """
    layers: list[nn.Module] = []
    for outputs in hidden:
        layers.append(layer(inputs, outputs, math.sqrt(2.0), generator, initialisation))
        layers += [nn.LayerNorm(outputs)] * layer_norm + [ACTIVATIONS[activation]()]
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
        mixed_precision: bool = False,
    ) -> None:
        """``mixed_precision``: on a GPU, large batches go through the trunks in bfloat16."""
        super().__init__()
        self.precision = torch.bfloat16 if mixed_precision else torch.float32
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
        return self._values(self._features(self.critic_trunk or self.actor_trunk, self._inputs(obs)))

    def forward(
        self, actor_obs: torch.Tensor, critic_obs: torch.Tensor, beside: Branch
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Distribution parameters (batch, outputs) and values (batch,), as gradients are taken of them.

        A shared trunk is evaluated once. The values come from ``beside``, which the caller joins.
        """
        inputs = self._inputs(actor_obs)
        if self.critic_trunk is None:
            features = self._features(self.actor_trunk, inputs)
            return self._output(self.actor_head, features), self._values(features)
        with beside():
            critic_inputs = inputs if critic_obs is actor_obs else self._inputs(critic_obs)
            values = self._values(self._features(self.critic_trunk, critic_inputs))
        return self._output(self.actor_head, self._features(self.actor_trunk, inputs)), values

    def _inputs(self, obs: torch.Tensor) -> torch.Tensor:
        return gpu_layers.aligned(obs, self.precision) if obs.is_cuda else obs

    def _features(self, trunk: nn.Sequential, inputs: torch.Tensor) -> torch.Tensor:
        return gpu_layers.trunk(trunk, inputs) if inputs.is_cuda else trunk(inputs)

    def _output(self, head: nn.Linear, features: torch.Tensor) -> torch.Tensor:
        return gpu_layers.head(head, features) if features.is_cuda else head(features)

    def _values(self, features: torch.Tensor) -> torch.Tensor:
        return self._output(self.critic_head, features).squeeze(-1)


def flatten_parameters(*modules: nn.Module) -> tuple[nn.Parameter, list[nn.Parameter]]:
    """One vector that all parameters of the modules become views of, and these parameters in their order.

    Optimiser, gradient clipping and snapshots then cost one operation each instead of one per layer.
    """
    parameters = [parameter for module in modules for parameter in module.parameters()]
    values = torch.cat([parameter.detach().reshape(-1) for parameter in parameters])
    start = 0
    for parameter in parameters:
        end = start + parameter.numel()
        parameter.data = values[start:end].view_as(parameter)
        start = end
    return nn.Parameter(values), parameters


def copy_parameters(saved: Mapping[str, torch.Tensor], own: Mapping[str, torch.Tensor]) -> None:
    """Writes saved parameters to one's own, by name; raises CheckpointError, with nothing written, if they differ."""
    for name in {**own, **saved}:
        here, there = (tuple(values[name].shape) if name in values else "absent" for values in (own, saved))
        if here != there:
            raise CheckpointError(f"'{name}' is {there} in the checkpoint but {here} by the learner's settings")
    for name, value in own.items():
        value.copy_(saved[name])
