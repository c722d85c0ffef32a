"""Net contact forces per body, from PhysX' sensors (in an order of their own) to the description's order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from humanoid_rl_ext.errors import EngineError


class ContactForces:
    """Reads the net normal contact force on every body into one persistent tensor."""

    def __init__(
        self, binding: Any, robot_paths: Sequence[str], body_paths: Sequence[str], device: torch.device
    ) -> None:
        """Builds the index from the sensors' paths; ``body_paths`` are relative to each robot's root prim.

        Raises:
            EngineError: when a body has no sensor, as its force would read zero for ever.
        """
        self._binding = binding
        place = {path: row for row, path in enumerate(binding.sensor_paths)}
        wanted = [f"{robot}/{path}".rstrip("/") for robot in robot_paths for path in body_paths]
        missing = [path for path in wanted if path not in place]
        if missing:
            raise EngineError(f"{len(missing)} bodies have no contact sensor, {missing[0]} among them")
        self._index = torch.tensor([place[path] for path in wanted], device=device)
        self._sensors = torch.zeros(binding.sensor_count, 3, device=device)
        self._forces = torch.zeros(len(robot_paths), len(body_paths), 3, device=device)
        self._rows = self._forces.view(-1, 3)

    def read(self) -> torch.Tensor:
        """(num_envs, bodies, 3) forces of the last sub-step (N, world frame); the same tensor each call."""
        self._binding.read_net_normal_forces(self._sensors)
        torch.index_select(self._sensors, 0, self._index, out=self._rows)
        return self._forces
