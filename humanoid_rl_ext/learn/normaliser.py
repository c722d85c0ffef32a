"""Running mean and standard deviation, and the two normalisers that learners own."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from humanoid_rl_ext.errors import CheckpointError


class RunningStatistics:
    """Mean and variance of everything seen, element by element, in double precision.

    Batches are merged by the parallel update of Chan, Golub and LeVeque (1979).
    """

    def __init__(self, size: int, device: torch.device | str = "cpu") -> None:
        self.count = torch.zeros((), dtype=torch.float64, device=device)
        self.mean = torch.zeros(size, dtype=torch.float64, device=device)
        self.var = torch.ones(size, dtype=torch.float64, device=device)

    def update(self, batch: torch.Tensor) -> None:
        """Merges a batch, (n, size)."""
        n = batch.shape[0]
        batch_var, batch_mean = torch.var_mean(batch.double(), dim=0, correction=0)
        total = self.count + n
        weight = n / total
        delta = batch_mean - self.mean
        self.mean.addcmul_(delta, weight)
        self.var.lerp_(batch_var, weight).addcmul_(delta.square_(), weight * (1.0 - weight))
        self.count.copy_(total)

    def state_dict(self) -> dict[str, torch.Tensor]:
        """The count, mean and variance."""
        return {"count": self.count.clone(), "mean": self.mean.clone(), "var": self.var.clone()}

    def load_state_dict(self, state: dict[str, torch.Tensor]) -> None:
        """Restores ``state_dict``; raises CheckpointError when the size differs."""
        if state["mean"].shape != self.mean.shape:
            raise CheckpointError(
                f"normaliser has {self.mean.numel()} elements here but {state['mean'].numel()} in the checkpoint"
            )
        self.count.copy_(state["count"])
        self.mean.copy_(state["mean"])
        self.var.copy_(state["var"])


class ObservationNormaliser:
    """Shifts and scales observations to zero mean and unit variance, then clips them to +-``clip``."""

    def __init__(self, size: int, clip: float, device: torch.device | str = "cpu", epsilon: float = 1e-8) -> None:
        self.statistics = RunningStatistics(size, device)
        self.clip = clip
        self.epsilon = epsilon
        self.frozen = False
        self._mean = torch.zeros(size, device=device)
        self._scale = torch.ones(size, device=device)

    def update(self, obs: torch.Tensor) -> None:
        """Takes a batch, (n, size), into the statistics unless frozen."""
        if not self.frozen:
            self.statistics.update(obs)
            self._refresh()

    def __call__(self, obs: torch.Tensor) -> torch.Tensor:
        """Normalised observations, (n, size)."""
        return (obs - self._mean).mul_(self._scale).clamp_(-self.clip, self.clip)

    def state_dict(self) -> dict[str, torch.Tensor]:
        """The statistics."""
        return self.statistics.state_dict()

    def load_state_dict(self, state: dict[str, torch.Tensor]) -> None:
        """Restores ``state_dict``."""
        self.statistics.load_state_dict(state)
        self._refresh()

    def _refresh(self) -> None:
        self._mean.copy_(self.statistics.mean)
        self._scale.copy_((self.statistics.var + self.epsilon).rsqrt_())


class RewardNormaliser:
    """Scales rewards by the running standard deviation of the discounted return.

    The reward keeps its sign and its zero: nothing is subtracted. Source: Engstrom et al. 2020, section 3,
    "reward scaling".
    """

    def __init__(
        self, shape: int | Sequence[int], clip: float, device: torch.device | str = "cpu", epsilon: float = 1e-8
    ) -> None:
        """``shape`` is that of rewards: (num_envs,), or (num_envs, agents)."""
        self.statistics = RunningStatistics(1, device)
        self.clip = clip
        self.epsilon = epsilon
        self.frozen = False
        self.returns = torch.zeros(shape, device=device)

    def __call__(self, reward: torch.Tensor, done: torch.Tensor, gamma: float) -> torch.Tensor:
        """Scaled rewards of the shape given; ``done`` (num_envs,) marks episodes that ended with this reward."""
        if not self.frozen:
            self.returns.mul_(gamma).add_(reward)
            self.statistics.update(self.returns.reshape(-1, 1))
            self.returns.masked_fill_(done if self.returns.dim() == 1 else done.unsqueeze(-1), 0.0)
        scale = (self.statistics.var + self.epsilon).rsqrt().float()
        return (reward * scale).clamp_(-self.clip, self.clip)

    def state_dict(self) -> dict[str, torch.Tensor]:
        """The statistics and the returns under way."""
        return {**self.statistics.state_dict(), "returns": self.returns.clone()}

    def load_state_dict(self, state: dict[str, torch.Tensor]) -> None:
        """Restores ``state_dict``; returns under way start from zero when the number of environments differs."""
        self.statistics.load_state_dict(state)
        if state["returns"].shape == self.returns.shape:
            self.returns.copy_(state["returns"])
        else:
            self.returns.zero_()
