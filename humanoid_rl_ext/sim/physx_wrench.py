"""Forces and torques on PhysX' bodies, renewed in every sub-step; gravity per environment is made of them."""

from __future__ import annotations

from collections.abc import Callable

import torch

from humanoid_rl_ext.errors import EngineError
from humanoid_rl_ext.sim.physx_array import PhysxArray
from humanoid_rl_ext.sim.rotation import rotate


class Wrenches:
    """What acts on the bodies beside contacts and drives.

    PhysX applies a wrench for one step and at a world point, which moves with the body. Its gravity is that of the
    whole scene: an environment with another one gets the difference as a force at each body's centre of mass.
    """

    def __init__(
        self,
        array: PhysxArray,
        body_pose: PhysxArray,
        mirror: Callable[[str], torch.Tensor],
        scene_gravity: tuple[float, float, float],
    ) -> None:
        """``mirror`` gives device copies of the properties ``mass`` and ``com`` that stay current."""
        self._array, self._body_pose, self._mirror = array, body_pose, mirror
        self._scene_gravity = torch.tensor(scene_gravity, device=array.values.device)
        self._held: dict[int, torch.Tensor] = {}
        self._gravity: torch.Tensor | None = None

    @property
    def active(self) -> bool:
        """Whether PhysX has to be told before every sub-step."""
        return bool(self._held) or self._gravity is not None

    @property
    def gravity(self) -> torch.Tensor:
        """(num_envs, 3) gravity of each environment (m/s2); a copy."""
        if self._gravity is None:
            return self._scene_gravity.repeat(len(self._array.values), 1)
        return self._gravity.clone()

    def set(self, body: int, wrench: torch.Tensor | None) -> None:
        """Holds (num_envs, 6) force and torque on a body, or removes it."""
        if wrench is None:
            if self._held.pop(body, None) is not None:
                self._array.values[:, body].zero_()
            return
        held = self._held.setdefault(body, torch.zeros_like(self._array.values[:, body, :6]))
        torch.nan_to_num(wrench, nan=0.0, posinf=0.0, neginf=0.0, out=held)

    def set_gravity(self, values: torch.Tensor, mask: torch.Tensor | None) -> None:
        """Gravity (num_envs, 3) where ``mask`` is set.

        Raises:
            EngineError: for a wrong shape; on the CPU also for values that are not finite.
        """
        before = self.gravity if self._gravity is None else self._gravity
        if values.shape != before.shape:
            raise EngineError(f"property 'gravity' takes values of shape {tuple(before.shape)}")
        if values.device.type == "cpu" and not bool(values.isfinite().all()):
            raise EngineError("property 'gravity': values must be finite")
        self._gravity = before
        rows = values.isfinite() if mask is None else mask.unsqueeze(-1) & values.isfinite()
        torch.where(rows, values, before, out=before)

    def write(self, settle: Callable[[], None]) -> None:
        """Tells PhysX what acts in the next sub-step; ``settle`` is called when the values are ready."""
        self._body_pose.read()
        rows, pose = self._array.values, self._body_pose.values
        com = self._mirror("com").view(len(rows), -1, 3)
        if self._gravity is None:
            for body, wrench in self._held.items():
                rows[:, body, :6] = wrench
                rows[:, body, 6:] = pose[:, body, :3] + rotate(pose[:, body, 3:], com[:, body])
        else:
            excess = (self._gravity - self._scene_gravity).unsqueeze(1)
            torch.mul(self._mirror("mass").unsqueeze(-1), excess, out=rows[..., :3])
            rows[..., 3:6] = 0.0
            torch.add(pose[..., :3], rotate(pose[..., 3:], com), out=rows[..., 6:])
            for body, wrench in self._held.items():
                rows[:, body, :6] += wrench
        settle()
        self._array.write()
