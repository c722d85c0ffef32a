"""Checks of the state that a reset is about to write."""

from __future__ import annotations

import torch

from humanoid_rl_ext.errors import EngineError


def check_finite(mask: torch.Tensor, arrays: tuple[torch.Tensor, ...]) -> None:
    """Raises EngineError where a selected row of root pose, root or joint state cannot be simulated."""
    names = ("root pose", "root velocity", "joint positions", "joint velocities")
    for name, array in zip(names, arrays, strict=True):
        broken = ~array.isfinite().all(dim=-1) & mask
        if broken.any():
            raise EngineError(f"reset of environment {int(broken.nonzero()[0])}: {name} not finite")
    broken = (arrays[0][:, 3:].square().sum(dim=-1) < 0.5) & mask
    if broken.any():
        raise EngineError(f"reset of environment {int(broken.nonzero()[0])}: the root's quaternion is near zero")
