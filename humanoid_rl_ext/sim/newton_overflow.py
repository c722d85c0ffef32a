"""Notices that MuJoCo-Warp lost contacts or constraints because a buffer was too small."""

from __future__ import annotations

import torch
import warp as wp

from humanoid_rl_ext.errors import EngineError
from humanoid_rl_ext.sim.newton_model import NewtonModel

ROWS, CONTACTS = 0b0011, 0b1100
"""Flags that the solver leaves behind per environment: too few rows; too little room for contacts."""
EVERY = 64
"""Steps between two looks."""


class OverflowWatch:
    """Looks at the solver's sticky flags every so often; on a GPU the answer is fetched without waiting for it."""

    def __init__(self, built: NewtonModel, device: torch.device) -> None:
        self._data = built.solver.mjw_data
        self._flags = wp.to_torch(self._data.overflow)
        found = built.terrain.found if built.terrain else None
        self._found = wp.to_torch(found.rigid_contact_count) if found else torch.zeros(1, device=device)
        self._room = found.rigid_contact_max if found else 0
        self._answer = torch.zeros(2, dtype=torch.bool)
        self._event: torch.cuda.Event | None = None
        if device.type == "cuda":
            self._answer = self._answer.pin_memory()
        self._device = device
        self._steps = 0

    def after_step(self) -> None:
        """Counts a step, and looks when it is time.

        Raises:
            EngineError: when contacts or constraints were lost since the last look.
        """
        self._steps += 1
        if self._steps % EVERY == 0:
            self._ask()
        if self._event is not None and self._event.query():
            self._event = None
            self._judge()

    def check(self) -> None:
        """Looks at once, waiting for the device; raises EngineError like ``after_step``."""
        self._ask()
        if self._event is not None:
            self._event.synchronize()
            self._event = None
            self._judge()

    def _ask(self) -> None:
        lost = torch.stack(
            ((self._flags & ROWS).any(), (self._flags & CONTACTS).any() | (self._found > self._room).any())
        )
        self._answer.copy_(lost, non_blocking=True)
        if self._device.type == "cpu":
            self._judge()
        else:
            self._event = torch.cuda.Event()
            self._event.record(torch.cuda.current_stream(self._device))

    def _judge(self) -> None:
        rows, contacts = self._answer.tolist()
        if contacts:
            per_env = self._data.naconmax // self._data.nworld
            raise EngineError(
                f"contacts are being lost: environments have room for {per_env} contact points each; "
                "raise sim.newton.max_contacts"
            )
        if rows:
            raise EngineError(
                f"constraints are being lost: environments have room for {self._data.njmax} rows each; "
                "raise sim.newton.max_constraints"
            )
