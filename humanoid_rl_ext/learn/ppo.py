"""Proximal policy optimisation.

Schulman et al. 2017, "Proximal Policy Optimization Algorithms" (the clipped surrogate); Andrychowicz et al. 2021, "What
Matters for On-Policy Deep Actor-Critic Methods?" (clipping of values); Mittal et al. 2024, "Symmetry Considerations for
Learning Task Symmetric Robot Policies" (mirror images as samples).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import torch

from humanoid_rl_ext.env.symmetry import Symmetry
from humanoid_rl_ext.env.transition import EnvSpec
from humanoid_rl_ext.errors import BadInputError
from humanoid_rl_ext.learn.losses import clipped_surrogate, value_error
from humanoid_rl_ext.learn.on_policy import OnPolicy
from humanoid_rl_ext.learn.schedules import adapt_learning_rate
from humanoid_rl_ext.learn.settings_on_policy import ClippedSettings, PPOSettings
from humanoid_rl_ext.sim.recording import Branch


class PPO[Settings: ClippedSettings](OnPolicy[Settings]):
    """A learner: see ``humanoid_rl_ext.learn.learner.Learner`` for what each method promises."""

    summed = ("policy_loss", "value_loss", "entropy", "kl", "clip_fraction", "grad_norm")

    def __init__(
        self,
        spec: EnvSpec,
        settings: Settings,
        device: torch.device | str = "cpu",
        seed: int = 0,
        total_env_steps: int | None = None,
    ) -> None:
        super().__init__(spec, settings, device, seed, total_env_steps)
        mirrors = isinstance(settings, PPOSettings) and settings.mirror_samples
        self._symmetry = mirrored_spec(spec) if mirrors else None
        self._minibatch = self._make_minibatch()
        self._measuring = Branch(self.device)

    def _improve(self) -> Iterator[None]:
        """Epochs of gradient steps on minibatches."""
        settings, samples = self.settings, len(self.rollout)
        with self._measuring():
            orders = [
                torch.randperm(samples, generator=self.generator, device=self.device)
                for _ in range(settings.num_epochs)
            ]
        yield from self._run(self._estimate)
        self._measuring.join(*orders)
        for order in orders:
            for minibatch in order.tensor_split(settings.num_minibatches):
                if self._on_gpu and len(minibatch) == len(self._minibatch):
                    self._minibatch.copy_(minibatch)
                    yield from self._run(self._learn_from_minibatch)
                else:
                    yield from self._gradient_step(minibatch)

    def _num_gradients(self) -> int:
        return self.settings.num_epochs * self.settings.num_minibatches

    def _learn_from_minibatch(self) -> Iterator[None]:
        return self._gradient_step(self._minibatch)

    def _gradient_step(self, minibatch: torch.Tensor) -> Iterator[None]:
        """One step of Adam on the mean loss of a minibatch."""
        gradient, kl = yield from self._mean_over(minibatch, self._gradient_of)
        if self.settings.schedule == "adaptive":
            adapt_learning_rate(self.optimiser.learning_rate, kl, self.settings.desired_kl)
        self._descend(gradient)

    def _gradient_of(self, indices: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """The gradient of the mean loss of some samples, and how far the policy has moved from the old one."""
        settings, batch = self.settings, self._with_mirror_images(self.rollout.gather(indices))
        params, values = self.network(batch["obs/policy"], batch[f"obs/{self._critic_group}"], self._valuing)
        with self._valuing():
            value_clip = settings.clip_range if settings.clip_value_loss else math.inf
            value_loss = value_error(values, batch["value"], batch["return"], value_clip).mean()
        log_ratio = self.distribution.log_prob(params, batch["action"]) - batch["log_prob"]
        policy_loss = -clipped_surrogate(log_ratio, batch["advantage"], settings.clip_range).mean()
        entropy = self.distribution.entropy(params).mean()
        with self._measuring(), torch.no_grad():
            kl = self.distribution.kl(batch["params"][: len(indices)], params[: len(indices)]).mean()
            clipped = (log_ratio.exp() - 1.0).abs_().gt(settings.clip_range).float().mean()
        self._valuing.join(value_loss)
        loss = policy_loss + settings.value_loss_coef * value_loss - settings.entropy_coef * entropy
        gradients = torch.autograd.grad(loss, self._leaves)
        self._measuring.join(kl, clipped)
        share = len(indices) * settings.num_minibatches / len(self.rollout)
        figures = torch.stack((policy_loss, value_loss, entropy, kl, clipped)).detach()
        self._sums[:-1].add_(figures, alpha=share)
        return torch.cat([part.flatten() for part in gradients]), kl

    @torch.no_grad()
    def _with_mirror_images(self, batch: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """The samples and, where asked for, their mirror images: what was done on the left is as good on the right."""
        if self._symmetry is None:
            return batch
        images = {f"obs/{group}": self._symmetry.observations[group] for group in self._groups}
        images["action"] = self._symmetry.actions
        return {
            name: torch.cat((values, images[name](values) if name in images else values))
            for name, values in batch.items()
        }

    def _learn_statistics(self, group: str, obs: torch.Tensor) -> None:
        """The mirror images are normalised as what they are images of, so they take part."""
        if self._symmetry is not None:
            obs = torch.cat((obs, self._symmetry.observations[group](obs)))
        super()._learn_statistics(group, obs)

    def edit(self, name: str, value: Any) -> None:
        """Changes a setting marked live; raises TaskError for others and for values out of bounds."""
        super().edit(name, value)
        if name == "num_minibatches":
            self._minibatch = self._make_minibatch()

    def _make_minibatch(self) -> torch.Tensor:
        """Where the indices of a minibatch's samples stand, for a GPU."""
        samples = len(self.rollout) // self.settings.num_minibatches
        return torch.zeros(samples, dtype=torch.int64, device=self.device)


def mirrored_spec(spec: EnvSpec) -> Symmetry:
    """How left and right are exchanged; raises BadInputError or TaskError where they cannot be."""
    if spec.symmetry is None or spec.action.kind != "box":
        raise BadInputError("mirror_samples: actions here have no left and right; leave it off")
    return spec.symmetry()
