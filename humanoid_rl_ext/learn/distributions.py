"""Action distributions: sampling, log-probability, entropy and divergence in closed form.

All kinds take the policy network's output as parameters, (batch, size): means for ``DiagonalGaussian``, logits for
``Categorical``, means and deviations for ``SquashedGaussian``. They skip ``torch.distributions``, whose objects cost
more than the arithmetic for small batches.
"""

from __future__ import annotations

import math

import torch
from torch import nn

from humanoid_rl_ext.env.transition import ActionSpec

LOG_2PI = math.log(2.0 * math.pi)


class DiagonalGaussian(nn.Module):
    """Independent normal actions; the standard deviations are parameters that do not depend on the observation."""

    reference_log_std: torch.Tensor

    def __init__(self, size: int, init_std: float, min_std: float) -> None:
        super().__init__()
        self.log_std = nn.Parameter(torch.full((size,), math.log(init_std)))
        self.min_log_std = math.log(min_std)
        self.register_buffer("reference_log_std", self.log_std.detach().clone(), persistent=False)

    def draw(self, noise: torch.Tensor, generator: torch.Generator) -> None:
        """Fills ``noise`` (batch, size) with what ``sample`` needs."""
        noise.normal_(generator=generator)

    def sample(self, params: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        """Actions, (batch, size), for noise that was drawn."""
        return torch.addcmul(params, noise, self.log_std.exp())

    def mode(self, params: torch.Tensor) -> torch.Tensor:
        """The most likely actions, (batch, size)."""
        return params

    def log_prob(self, params: torch.Tensor, actions: torch.Tensor) -> torch.Tensor:
        """Log-densities of ``actions``, (batch,)."""
        standardised = (actions - params) * (-self.log_std).exp()
        constant = self.log_std.sum() + 0.5 * LOG_2PI * self.log_std.numel()
        return -0.5 * (standardised * standardised).sum(-1) - constant

    def entropy(self, params: torch.Tensor) -> torch.Tensor:
        """The entropy in nats, a scalar: it is the same for every observation."""
        return self.log_std.sum() + 0.5 * (1.0 + LOG_2PI) * self.log_std.numel()

    def remember(self) -> None:
        """Keeps the present standard deviations as those of the old policy in ``kl``."""
        self.reference_log_std.copy_(self.log_std.detach())

    def kl(self, old_params: torch.Tensor, params: torch.Tensor) -> torch.Tensor:
        """KL(old || new) in nats, (batch,); the old policy is that of the last ``remember``."""
        inverse_variance = (-2.0 * self.log_std).exp()
        log_ratio = self.log_std - self.reference_log_std
        spread = (2.0 * self.reference_log_std).exp() * inverse_variance
        shift = (old_params - params).square() * inverse_variance
        return 0.5 * shift.sum(-1) + (log_ratio + 0.5 * (spread - 1.0)).sum()

    def constrain(self) -> None:
        """Raises standard deviations to the smallest one allowed."""
        self.log_std.data.clamp_(min=self.min_log_std)

    def noise_std(self) -> torch.Tensor:
        """The mean standard deviation, a scalar."""
        return self.log_std.detach().exp().mean()


class Categorical(nn.Module):
    """One of ``size`` actions, from logits."""

    def draw(self, noise: torch.Tensor, generator: torch.Generator) -> None:
        """Fills ``noise`` (batch, size) with what ``sample`` needs."""
        noise.exponential_(generator=generator)

    def sample(self, params: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        """Actions, (batch,) int64, for noise that was drawn.

        Of exponential times with the probabilities as rates, the first comes from each with its probability.
        """
        return (params.softmax(-1) / noise).argmax(-1)

    def mode(self, params: torch.Tensor) -> torch.Tensor:
        """The most likely actions, (batch,) int64."""
        return params.argmax(-1)

    def log_prob(self, params: torch.Tensor, actions: torch.Tensor) -> torch.Tensor:
        """Log-probabilities of ``actions``, (batch,)."""
        return params.log_softmax(-1).gather(-1, actions.long().unsqueeze(-1)).squeeze(-1)

    def entropy(self, params: torch.Tensor) -> torch.Tensor:
        """Entropies in nats, (batch,)."""
        log_probs = params.log_softmax(-1)
        return -(log_probs.exp() * log_probs).sum(-1)

    def remember(self) -> None:
        """Keeps nothing: logits are all there is to the policy."""

    def kl(self, old_params: torch.Tensor, params: torch.Tensor) -> torch.Tensor:
        """KL(old || new) in nats, (batch,)."""
        old_log_probs = old_params.log_softmax(-1)
        return (old_log_probs.exp() * (old_log_probs - params.log_softmax(-1))).sum(-1)

    def constrain(self) -> None:
        """Leaves the logits free."""

    def noise_std(self) -> torch.Tensor:
        """Zero: there is no Gaussian noise."""
        return torch.zeros(())


class SquashedGaussian:
    """Normal actions squashed into (-1, 1) by tanh; means and standard deviations both depend on the observation.

    Parameters are (batch, 2 size): means, and what tanh maps to a log standard deviation between two bounds. Source:
    Haarnoja et al. 2018, "Soft Actor-Critic Algorithms and Applications", appendix C.
    """

    def __init__(self, min_log_std: float, max_log_std: float) -> None:
        self.min_log_std, self.max_log_std = min_log_std, max_log_std

    def sample(self, params: torch.Tensor, noise: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Actions (batch, size) for standard normal ``noise`` of that shape, and their log-densities (batch,).

        The log-density of tanh(u) is that of u less log(1 - tanh(u)^2), which is 2 (log 2 - u - softplus(-2 u)) and
        stays finite where tanh rounds to 1.
        """
        mean, log_std = self._split(params)
        u = torch.addcmul(mean, noise, log_std.exp())
        normal = log_std + 0.5 * noise.square() + 0.5 * LOG_2PI
        squashed = 2.0 * (math.log(2.0) - u - nn.functional.softplus(-2.0 * u))
        return u.tanh(), -(normal + squashed).sum(-1)

    def explore(self, params: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        """The actions of ``sample`` alone."""
        mean, log_std = self._split(params)
        return torch.addcmul(mean, noise, log_std.exp()).tanh()

    def mode(self, params: torch.Tensor) -> torch.Tensor:
        """Actions for no noise, (batch, size)."""
        return params.chunk(2, dim=-1)[0].tanh()

    def _split(self, params: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        mean, spread = params.chunk(2, dim=-1)
        half = 0.5 * (self.max_log_std - self.min_log_std)
        return mean, torch.add(self.min_log_std + half, spread.tanh(), alpha=half)


Distribution = DiagonalGaussian | Categorical


def make_distribution(action: ActionSpec, init_std: float, min_std: float) -> Distribution:
    """The distribution for a kind of action: Gaussian for ``box``, categorical for ``discrete``."""
    return DiagonalGaussian(action.size, init_std, min_std) if action.kind == "box" else Categorical()
