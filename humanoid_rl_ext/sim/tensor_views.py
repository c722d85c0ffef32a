"""Views of ``omni.physics.tensors`` (torch frontend) as the bindings that ``PhysxEngine`` works with.

A view's rows stand in an order of its own, its getters hand out one buffer that the next call refills, and its setters
take all rows and the numbers (int32) of those that count. What PhysX keeps on the host is read and written there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from humanoid_rl_ext.sim.ordering import robots_of

ON_DEVICE = {
    "ROOT_POSE": "root_transforms",
    "ROOT_VELOCITY": "root_velocities",
    "LINK_POSE": "link_transforms",
    "LINK_VELOCITY": "link_velocities",
    "DOF_POSITION": "dof_positions",
    "DOF_VELOCITY": "dof_velocities",
    "DOF_POSITION_TARGET": "dof_position_targets",
    "DOF_VELOCITY_TARGET": "dof_velocity_targets",
    "DOF_ACTUATION_FORCE": "dof_actuation_forces",
}
"""State and commands, on the simulation's device, by their names in ovphysx."""
ON_HOST = {
    "DOF_STIFFNESS": "dof_stiffnesses",
    "DOF_DAMPING": "dof_dampings",
    "DOF_MAX_FORCE": "dof_max_forces",
    "DOF_MAX_VELOCITY": "dof_max_velocities",
    "DOF_ARMATURE": "dof_armatures",
    "DOF_FRICTION_PROPERTIES": "dof_friction_properties",
    "DOF_LIMIT": "dof_limits",
    "DOF_DRIVE_TYPE": "drive_types",
    "BODY_MASS": "masses",
    "BODY_COM_POSE": "coms",
    "BODY_INERTIA": "inertias",
    "SHAPE_FRICTION_AND_RESTITUTION": "material_properties",
}
"""Properties, in host memory whatever the device."""


class Rows:
    """Which row of a view belongs to which environment."""

    def __init__(self, view_paths: Sequence[str], robot_paths: Sequence[str], device: torch.device) -> None:
        """Matches the paths of the view's articulations, which lie at or below the robots' root prims.

        Raises:
            EngineError: when a robot has no articulation in the view, or several.
        """
        env = robots_of(view_paths, robot_paths)
        order = torch.argsort(torch.tensor(env))
        self._in_order = env == sorted(env)
        self._rows = {kind: order.to(kind) for kind in {torch.device("cpu"), device}}
        self._numbers = {kind: rows.to(torch.int32) for kind, rows in self._rows.items()}

    def to_environments(self, values: torch.Tensor) -> torch.Tensor:
        """A view's rows in the environments' order."""
        return values if self._in_order else values.index_select(0, self._rows[values.device])

    def to_view(self, values: torch.Tensor) -> torch.Tensor:
        """Rows of environments in the view's order."""
        if self._in_order:
            return values.contiguous()
        return torch.empty_like(values).index_copy_(0, self._rows[values.device], values)

    def numbers(self, mask: torch.Tensor | None, device: torch.device) -> torch.Tensor:
        """(picked,) int32 numbers of the view's rows whose environments are set in ``mask``."""
        numbers = self._numbers[device]
        return numbers if mask is None else numbers[mask.to(device)]


class ArrayBinding:
    """One array of an articulation view; implements ``physx.Binding``."""

    def __init__(self, view: Any, array: str, rows: Rows, device: torch.device) -> None:
        name = ON_DEVICE.get(array) or ON_HOST[array]
        self._get, self._set = getattr(view, f"get_{name}"), getattr(view, f"set_{name}", None)
        self._rows, self._device = rows, device if array in ON_DEVICE else torch.device("cpu")
        self.shape: tuple[int, ...] = tuple(self._get().shape)
        self.dof_names: list[str] = list(view.shared_metatype.dof_names)
        self.body_names: list[str] = list(view.shared_metatype.link_names)

    def read(self, out: torch.Tensor) -> None:
        """Refreshes ``out`` (of ``shape``)."""
        out.copy_(self._rows.to_environments(self._get()))

    def write(self, values: torch.Tensor, mask: torch.Tensor | None = None) -> None:
        """Writes the rows of ``values`` where ``mask`` is set; all of them when it is None."""
        numbers = self._rows.numbers(mask, self._device)
        if len(numbers):
            assert self._set is not None
            self._set(self._rows.to_view(values), numbers)


class WrenchBinding:
    """Forces, torques and the world points where they act, (num_envs, bodies, 9); they last for one step."""

    def __init__(self, view: Any, rows: Rows, device: torch.device) -> None:
        self._view, self._rows, self._device = view, rows, device
        self.shape = (view.count, view.max_links, 9)
        self.dof_names: list[str] = list(view.shared_metatype.dof_names)
        self.body_names: list[str] = list(view.shared_metatype.link_names)

    def read(self, out: torch.Tensor) -> None:
        """Wrenches are gone once they have acted."""
        out.zero_()

    def write(self, values: torch.Tensor, mask: torch.Tensor | None = None) -> None:
        """Applies wrenches in the next step."""
        force, torque, point = (part.contiguous() for part in self._rows.to_view(values).split(3, dim=-1))
        numbers = self._rows.numbers(mask, self._device)
        self._view.apply_forces_and_torques_at_position(force, torque, point, numbers, True)


class ContactBinding:
    """Net contact forces on bodies, from a rigid contact view; what ``ContactForces`` reads."""

    def __init__(self, view: Any, dt: float) -> None:
        self._view, self._dt = view, dt
        self.sensor_paths: list[str] = list(view.sensor_paths)
        self.sensor_count: int = view.sensor_count

    def read_net_normal_forces(self, out: torch.Tensor) -> None:
        """Refreshes ``out`` (sensors, 3) with the forces of the last step (N)."""
        out.copy_(self._view.get_net_contact_forces(self._dt))
