"""Policy and value function learned apart: one step of the policy per rollout, several passes of regression."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import nn

from humanoid_rl_ext.env.transition import EnvSpec
from humanoid_rl_ext.learn.adam import Adam
from humanoid_rl_ext.learn.losses import value_error
from humanoid_rl_ext.learn.on_policy import OnPolicy
from humanoid_rl_ext.learn.rmsprop import RMSprop
from humanoid_rl_ext.learn.settings_on_policy import SeparateCriticSettings


class SeparateCritic[Settings: SeparateCriticSettings](OnPolicy[Settings]):
    """An on-policy learner whose value function is fitted to the returns by minibatches of its own.

    An algorithm's ``_step_policy`` moves ``_policy``, the first part of the vector of parameters; its ``summed`` has
    'value_loss' in second place.
    """

    critic_optimiser: Adam | RMSprop
    """What fits the value function; the very ``optimiser`` where the policy needs none."""

    def __init__(
        self,
        spec: EnvSpec,
        settings: Settings,
        device: torch.device | str = "cpu",
        seed: int = 0,
        total_env_steps: int | None = None,
    ) -> None:
        super().__init__(spec, settings, device, seed, total_env_steps)
        self._minibatch = self._make_minibatch()

    def _parts(self) -> Sequence[nn.Module]:
        network = self.network
        assert network.critic_trunk is not None
        return network.actor_trunk, network.actor_head, self.distribution, network.critic_trunk, network.critic_head

    def _make_optimiser(self) -> Adam | RMSprop:
        self._divide()
        self.critic_optimiser = Adam(self._critic, self.settings.learning_rate, epsilon=self.settings.adam_eps)
        return self.critic_optimiser

    def _divide(self) -> None:
        """Tells the policy's parameters from the value function's: vectors that are parts of the one, and leaves."""
        count = sum(len(list(part.parameters())) for part in self._parts()[:3])
        self._policy_leaves, self._critic_leaves = self._leaves[:count], self._leaves[count:]
        size = sum(leaf.numel() for leaf in self._policy_leaves)
        self._policy = nn.Parameter(self._parameters.data[:size])
        self._critic = nn.Parameter(self._parameters.data[size:])

    def _improve(self) -> Iterator[None]:
        """The policy's step, then passes of regression over the rollout."""
        settings, samples = self.settings, len(self.rollout)
        orders = [
            torch.randperm(samples, generator=self.generator, device=self.device) for _ in range(settings.critic_epochs)
        ]
        yield from self._run(self._estimate)
        yield from self._step_policy()
        for order in orders:
            for minibatch in order.tensor_split(settings.critic_minibatches):
                if self._on_gpu and len(minibatch) == len(self._minibatch):
                    self._minibatch.copy_(minibatch)
                    yield from self._run(self._fit_to_minibatch)
                else:
                    yield from self._fit(minibatch)

    def _step_policy(self) -> Iterator[None]:
        """Improves the policy by the rollout's advantages."""
        raise NotImplementedError

    @torch.inference_mode()
    def _evaluate(self, rows: torch.Tensor) -> None:
        """Values some samples (n,) of the rollout and takes the actions' log-densities by the policy as it acted.

        The policy's layers are never rounded to bfloat16: there is one gradient of it per rollout.
        """
        batch = self.rollout.gather(rows)
        self.rollout.rows("value")[rows] = self.network.value(batch[f"obs/{self._critic_group}"])
        self.rollout.rows("log_prob")[rows] = self.distribution.log_prob(batch["params"], batch["action"])

    def _fit_to_minibatch(self) -> Iterator[None]:
        return self._fit(self._minibatch)

    def _fit(self, minibatch: torch.Tensor) -> Iterator[None]:
        """One step of the value function towards the returns."""
        (gradient,) = yield from self._mean_over(minibatch, self._value_gradient_of)
        norm = gradient.norm()
        self.critic_optimiser.step(gradient, (norm / self.settings.max_grad_norm).clamp(min=1.0))

    def _value_gradient_of(self, indices: torch.Tensor) -> tuple[torch.Tensor, ...]:
        batch = self.rollout.gather(indices)
        values = self.network.value(batch[f"obs/{self._critic_group}"])
        loss = value_error(values, batch["value"], batch["return"], math.inf).mean()
        gradients = torch.autograd.grad(loss, self._critic_leaves)
        self._sums[1].add_(loss.detach(), alpha=len(indices) / (self.settings.critic_epochs * len(self.rollout)))
        return (torch.cat([part.flatten() for part in gradients]),)

    def edit(self, name: str, value: Any) -> None:
        """Changes a setting marked live; raises TaskError for others and for values out of bounds."""
        super().edit(name, value)
        if name == "critic_minibatches":
            self._minibatch = self._make_minibatch()

    def _make_minibatch(self) -> torch.Tensor:
        """Where the indices of a minibatch's samples stand, for a GPU."""
        samples = len(self.rollout) // self.settings.critic_minibatches
        return torch.zeros(samples, dtype=torch.int64, device=self.device)
