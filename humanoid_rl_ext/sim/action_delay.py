"""Targets that reach the joints late: a short memory of what was asked for, and how late each environment is."""

from __future__ import annotations

import torch

from humanoid_rl_ext.errors import EngineError

MEMORY = 5
"""Control steps that are remembered, the current one among them: the longest delay is ``MEMORY - 1`` control steps."""


class ActionDelay:
    """Delays of all environments, in whole sub-steps, and the targets of the last control steps."""

    def __init__(self, targets: torch.Tensor, dt: float) -> None:
        """Starts with ``targets`` (num_envs, joints) as if they had been there for ever, and no delay."""
        self.history = targets.repeat(MEMORY, 1, 1)
        """(MEMORY, num_envs, joints), the newest first."""
        self.seconds = torch.zeros(len(targets), 1, device=targets.device)
        self.substeps = torch.zeros(len(targets), dtype=torch.int32, device=targets.device)
        """(num_envs,) sub-steps from a target's setting to its acting."""
        self._rows = torch.arange(len(targets), device=targets.device)
        self._dt = dt

    def set(self, seconds: torch.Tensor, mask: torch.Tensor | None) -> None:
        """Delays (num_envs, 1) in s, rounded to sub-steps, where ``mask`` is set.

        Raises:
            EngineError: for a wrong shape; on the CPU also for a delay that is negative or not finite.
        """
        if seconds.shape != self.seconds.shape:
            raise EngineError(f"property 'action_delay' takes values of shape {tuple(self.seconds.shape)}")
        if seconds.device.type == "cpu" and not bool(((seconds >= 0) & seconds.isfinite()).all()):
            raise EngineError("property 'action_delay': delays must be finite and at least 0")
        new = seconds if mask is None else torch.where(mask.unsqueeze(-1), seconds, self.seconds)
        self.seconds.copy_(new.clamp(min=0.0))
        self.substeps.copy_((self.seconds.squeeze(-1) / self._dt).round())

    def push(self, targets: torch.Tensor) -> None:
        """Takes the targets of a new control step; what is not finite is taken as the target before."""
        self.history.copy_(self.history.roll(1, 0))
        torch.where(targets.isfinite(), targets, self.history[1], out=self.history[0])

    def fill(self, rows: torch.Tensor, targets: torch.Tensor) -> None:
        """Forgets the past where ``rows`` (num_envs, 1) is set: ``targets`` stand there as if for ever."""
        torch.where(rows, targets, self.history, out=self.history)

    def schedule(self, substeps: int) -> tuple[torch.Tensor, torch.Tensor]:
        """What acts in each sub-step of this control step, and where it is not what acted in the sub-step before.

        (substeps, num_envs, joints) and (substeps, num_envs) bool.
        """
        ahead = self.substeps - torch.arange(substeps, device=self.substeps.device).unsqueeze(-1)
        age = (ahead + substeps - 1).div(substeps, rounding_mode="floor").clamp_(0, MEMORY - 1)
        rows = age.mul_(len(self._rows)).add_(self._rows)
        targets = self.history.flatten(0, 1).index_select(0, rows.flatten())
        return targets.view(substeps, *self.history.shape[1:]), ahead % substeps == 0
