"""Trust region policy optimisation.

Schulman et al. 2015, "Trust Region Policy Optimization": the surrogate is maximised (equation 14) where the mean
divergence from the old policy stays below a bound, by a natural gradient step (appendix C: conjugate gradient on
products with the Fisher matrix, then a line search). Advantages as in Schulman et al. 2016.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch

from humanoid_rl_ext.env.transition import EnvSpec
from humanoid_rl_ext.learn.separate_critic import SeparateCritic
from humanoid_rl_ext.learn.settings_on_policy import TRPOSettings

SOLVED = 1e-10
"""The squared residual, as a share of the squared gradient, at which the direction is good enough."""


class TRPO(SeparateCritic[TRPOSettings]):
    """A learner: see ``humanoid_rl_ext.learn.learner.Learner`` for what each method promises.

    Each iteration of the conjugate gradient and each step length that is tried is a piece of work of its own, sliced
    further where the rollout is large. The policy stays as it was where no length keeps the bound and gains anything.
    """

    summed = ("policy_loss", "value_loss", "entropy", "kl", "step_share", "grad_norm")

    def __init__(
        self,
        spec: EnvSpec,
        settings: TRPOSettings,
        device: torch.device | str = "cpu",
        seed: int = 0,
        total_env_steps: int | None = None,
    ) -> None:
        super().__init__(spec, settings, device, seed, total_env_steps)
        self._cost *= 3  # a product with the Fisher matrix goes forth once and back thrice
        self._old, self._best, self._gradient, self._direction, self._residual, self._conjugate = (
            torch.zeros_like(self._policy.data) for _ in range(6)
        )
        self._squared, self._solved_at = (torch.zeros((), device=self.device) for _ in range(2))
        self._share = torch.ones((), device=self.device)
        self._found = torch.zeros((), dtype=torch.bool, device=self.device)
        self._figures = torch.zeros(4, device=self.device)

    def _step_policy(self) -> Iterator[None]:
        settings = self.settings
        yield from self._run(self._differentiate)
        for _ in range(settings.cg_iterations):
            if not self._on_gpu and bool(self._squared <= self._solved_at):
                break
            yield from self._run(self._solve)
        yield from self._run(self._reach_for_bound)
        for _ in range(settings.line_search_steps):
            if not self._on_gpu and bool(self._found):
                break
            yield from self._run(self._try_length)
        yield from self._run(self._take_best)

    def _differentiate(self) -> Iterator[None]:
        """The surrogate's gradient, from which the conjugate gradient starts."""
        gradient, entropy = yield from self._mean_over(self._all(len(self.rollout)), self._gradient_of)
        self._old.copy_(self._policy.data)
        self._best.copy_(self._policy.data)
        for vector in (self._gradient, self._residual, self._conjugate):
            vector.copy_(gradient)
        self._direction.zero_()
        self._squared.copy_(gradient @ gradient)
        self._solved_at.copy_(SOLVED * self._squared)
        self._share.fill_(1.0)
        self._found.fill_(False)
        self._figures.zero_()
        self._figures[1] = entropy
        self._sums[-1] += gradient.norm()

    def _gradient_of(self, indices: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """The surrogate's gradient for some samples (n,) at the old policy, and the entropy there."""
        batch = self.rollout.gather(indices)
        params = self.network.policy(batch["obs/policy"])
        log_ratio = self.distribution.log_prob(params, batch["action"]) - batch["log_prob"]
        surrogate = (log_ratio.exp() * batch["advantage"]).mean()
        gradients = torch.autograd.grad(surrogate, self._policy_leaves)
        return _flat(gradients), self.distribution.entropy(params).mean().detach()

    def _solve(self) -> Iterator[None]:
        """One iteration of the conjugate gradient on (Fisher matrix + damping) x direction = gradient."""
        (product,) = yield from self._mean_over(self._all(len(self.rollout)), self._fisher_product_of)
        product.add_(self._conjugate, alpha=self.settings.cg_damping)
        unsolved = self._squared > self._solved_at  # a GPU goes through all iterations, and stays where it is
        length = torch.where(unsolved, self._squared / (self._conjugate @ product), 0.0)
        self._direction.addcmul_(length, self._conjugate)
        self._residual.addcmul_(length, product, value=-1.0)
        squared = self._residual @ self._residual
        self._conjugate.mul_(torch.where(unsolved, squared / self._squared, 0.0)).add_(self._residual)
        self._squared.copy_(squared)

    def _fisher_product_of(self, indices: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """The Fisher matrix of some samples (n,) times ``_conjugate``.

        The matrix is the divergence's second derivative where both policies are the same (appendix C.1).
        """
        params = self.network.policy(self.rollout.rows("obs/policy")[indices])
        kl = self.distribution.kl(params.detach(), params).mean()
        slope = _flat(torch.autograd.grad(kl, self._policy_leaves, create_graph=True))
        return (_flat(torch.autograd.grad(slope @ self._conjugate, self._policy_leaves)),)

    def _reach_for_bound(self) -> Iterator[None]:
        """Scales the direction so that its divergence is the bound, to second order."""
        curvature = self._direction @ (self._gradient - self._residual)
        self._direction.mul_((2.0 * self.settings.max_kl / curvature).sqrt())
        yield

    def _try_length(self) -> Iterator[None]:
        """Tries a share of the step; the first that keeps the bound and gains anything is the one to take."""
        self._policy.data.copy_(torch.addcmul(self._old, self._share, self._direction))
        self.distribution.constrain()
        gain, entropy, kl = yield from self._mean_over(self._all(len(self.rollout)), self._judge)
        better = (kl <= self.settings.max_kl) & (gain > 0.0) & ~self._found
        self._best.copy_(torch.where(better, self._policy.data, self._best))
        self._figures.copy_(torch.where(better, torch.stack((gain, entropy, kl, self._share)), self._figures))
        self._found.logical_or_(better)
        self._share.mul_(self.settings.line_search_shrink)

    @torch.no_grad()
    def _judge(self, indices: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """What the present policy gains by the surrogate, its entropy and its divergence, for some samples (n,)."""
        batch = self.rollout.gather(indices)
        params = self.network.policy(batch["obs/policy"])
        ratio = (self.distribution.log_prob(params, batch["action"]) - batch["log_prob"]).exp()
        gain = ((ratio - 1.0) * batch["advantage"]).mean()
        return gain, self.distribution.entropy(params).mean(), self.distribution.kl(batch["params"], params).mean()

    def _take_best(self) -> Iterator[None]:
        self._policy.data.copy_(self._best)
        gain, entropy, kl, share = self._figures
        self._sums[0] -= gain
        self._sums[2:5] += torch.stack((entropy, kl, share))
        yield


def _flat(parts: Sequence[torch.Tensor]) -> torch.Tensor:
    return torch.cat([part.flatten() for part in parts])
