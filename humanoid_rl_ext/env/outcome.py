"""What a step of the environment came to, before it is handed out."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from humanoid_rl_ext.env.transition import Observations


@dataclass(slots=True)
class Outcome:
    """What a step came to, for all environments (rows,); on a GPU the next step fills the same tensors."""

    terminated: torch.Tensor
    truncated: torch.Tensor
    done: torch.Tensor
    success: torch.Tensor
    non_finite: torch.Tensor | None
    """Environments whose state is broken; None when surely none is."""
    values: torch.Tensor
    """(rows, terms): weighted rewards as paid, then the metrics."""
    reward: torch.Tensor
    """(rows,), or (rows, agents) where agents are paid apart."""
    length: torch.Tensor
    """Control steps of the episodes, this one included."""
    final: Observations
    """Observations before anything was reset."""
    touched: torch.Tensor
    """Environments that the engine writes ``motion`` to: root pose and velocity, joint positions and velocities."""
    motion: tuple[torch.Tensor, ...] | None
    seen: Observations
    """Observations after all resets and new commands."""
