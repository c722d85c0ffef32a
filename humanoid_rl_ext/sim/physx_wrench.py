"""What acts on PhysX' bodies beside contacts and drives, renewed in every sub-step: wrenches, an own gravity."""

from __future__ import annotations

from collections.abc import Callable

import torch

from humanoid_rl_ext.errors import EngineError
from humanoid_rl_ext.sim.physx_array import PhysxArray
from humanoid_rl_ext.sim.rotation import rotate


class Wrenches:
    """Wrenches that are held, and gravity of each environment.

    PhysX applies a wrench for one step and at a world point, which moves with the body. Its gravity is that of the
    whole scene: an environment with another one gets the difference as a force at each body's centre of mass. Such
    forces accelerate all bodies of a free robot alike, so there the root's velocity is changed by as much instead.
    """

    def __init__(
        self,
        array: PhysxArray,
        body_pose: PhysxArray,
        mirror: Callable[[str], torch.Tensor],
        scene_gravity: tuple[float, float, float],
        root_velocity: PhysxArray | None,
        dt: float,
    ) -> None:
        """``mirror`` gives device copies of the properties ``mass`` and ``com`` that stay current.

        ``root_velocity`` is that of robots whose root is free to move; None: gravity is made of forces.
        """
        self._array, self._body_pose, self._mirror = array, body_pose, mirror
        self._scene_gravity = torch.tensor(scene_gravity, device=array.values.device)
        self._root_velocity, self._dt = root_velocity, dt
        self._held: dict[int, torch.Tensor] = {}
        self._gravity: torch.Tensor | None = None
        self._excess = torch.zeros(len(array.values), 3, device=array.values.device)
        """(num_envs, 3) what gravity is more than the scene's."""

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
        torch.sub(before, self._scene_gravity, out=self._excess)

    def write(self, settle: Callable[[], None]) -> None:
        """Tells PhysX what acts in the next sub-step; ``settle`` is called when the values are ready."""
        root = None if self._gravity is None else self._root_velocity
        forces = bool(self._held) or root is None
        if forces:
            self._add_up()
        if root is not None:
            root.read()
            root.values[:, :3].add_(self._excess, alpha=self._dt)
        settle()
        if forces:
            self._array.write()
        if root is not None:
            root.write()

    def _add_up(self) -> None:
        """Fills the array with all forces and torques of the next sub-step."""
        self._body_pose.read()
        rows, pose = self._array.values, self._body_pose.values
        com = self._mirror("com").view(len(rows), -1, 3)
        if self._gravity is None or self._root_velocity is not None:
            for body, wrench in self._held.items():
                rows[:, body, :6] = wrench
                rows[:, body, 6:] = pose[:, body, :3] + rotate(pose[:, body, 3:], com[:, body])
        else:
            torch.mul(self._mirror("mass").unsqueeze(-1), self._excess.unsqueeze(1), out=rows[..., :3])
            rows[..., 3:6] = 0.0
            torch.add(pose[..., :3], rotate(pose[..., 3:], com), out=rows[..., 6:])
            for body, wrench in self._held.items():
                rows[:, body, :6] += wrench
