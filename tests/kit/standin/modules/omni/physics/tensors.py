"""Stand-in for ``omni.physics.tensors``: views over real PhysX, with Kit's rules for buffers, types and order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import omni.physics.core
import omni.usd
from standin import arrays


def create_simulation_view(frontend_name: str, stage_id: int = -1, *, backend: str = "physx") -> SimulationView:
    """A view of the loaded physics; all views of a stage become invalid together.

    Raises:
        Exception: before physics is loaded, for another stage, or for an unknown frontend.
    """
    from isaacsim.core.simulation_manager import SimulationManager

    loaded = omni.physics.core.get_physics_simulation_interface()._loaded
    if loaded is None or stage_id not in (-1, omni.usd.get_context().get_stage_id()):
        raise Exception(f"there is no physics of stage {stage_id}")
    if backend != SimulationManager.get_active_physics_engine():
        raise Exception(f"the backend '{backend}' is not the active engine")
    if frontend_name not in ("torch", "warp"):
        raise Exception(f"this stand-in has the frontends torch and warp, not '{frontend_name}'")
    if not loaded.shared.valid:
        loaded.renew()
    return SimulationView(loaded, frontend_name)


class SimulationView:
    """The entry to the tensors of one stage."""

    def __init__(self, backend: Any, frontend: str) -> None:
        self._backend = backend
        self._shared = backend.shared
        self._frontend_name = frontend

    @property
    def device_ordinal(self) -> int:
        """-1, which is the CPU."""
        return -1

    @property
    def is_valid(self) -> bool:
        """Whether it may still be used."""
        return self._shared.valid

    def check(self) -> bool:
        """Whether all physics objects are still there."""
        return self._shared.valid

    def invalidate(self) -> None:
        """Ends this and every other view of the stage."""
        self._shared.valid = False

    def set_subspace_roots(self, pattern: Any) -> None:
        """Sets what poses are relative to; here '/' alone, the world."""
        self._require_valid()
        if pattern != "/":
            raise ValueError("this stand-in gives poses in the world alone")

    def create_articulation_view(self, pattern: Any) -> ArticulationView:
        """A view of the articulations whose root prims match; its ``_backend`` is None where none does."""
        from standin.rows import Rows

        self._require_valid()
        rows = Rows(self._backend, pattern, self._frontend())
        return ArticulationView(rows if rows.paths else None, self)

    def create_rigid_contact_view(
        self, pattern: Any, filter_patterns: Any = (), max_contact_data_count: int = 0
    ) -> RigidContactView:
        """A view of the bodies that match and report contacts; its ``_backend`` is None where none does."""
        self._require_valid()
        if filter_patterns:
            raise ValueError("this stand-in has no filtered contacts")
        return RigidContactView(self._backend.bind_contacts([pattern] if isinstance(pattern, str) else pattern), self)

    def update_articulations_kinematic(self) -> None:
        """Lets link transforms follow what was written to roots and joints."""
        self._require_valid()
        self._backend.update_kinematics()

    def _require_valid(self) -> None:
        if not self._shared.valid:
            raise Exception("the simulation view is not valid: physics was stopped or what it looked at is gone")

    def _frontend(self) -> Any:
        from standin.rows import TorchFrontend, WarpFrontend

        return WarpFrontend() if self._frontend_name == "warp" else TorchFrontend()


class ArticulationMetatype:
    """Names and indices that all articulations of a view share."""

    def __init__(self, binding: Any) -> None:
        self._binding = binding

    @property
    def link_count(self) -> int:
        """Number of links."""
        return len(self.link_names)

    @property
    def joint_count(self) -> int:
        """Number of joints."""
        return len(self.joint_names)

    @property
    def dof_count(self) -> int:
        """Number of degrees of freedom."""
        return len(self.dof_names)

    @property
    def link_names(self) -> list[str]:
        """Links in the engine's order."""
        return list(self._binding.body_names)

    @property
    def joint_names(self) -> list[str]:
        """Joints in the engine's order."""
        return list(self._binding.joint_names)

    @property
    def dof_names(self) -> list[str]:
        """Degrees of freedom in the engine's order."""
        return list(self._binding.dof_names)

    @property
    def link_indices(self) -> dict[str, int]:
        """Index of each link."""
        return {name: index for index, name in enumerate(self.link_names)}

    @property
    def joint_indices(self) -> dict[str, int]:
        """Index of each joint."""
        return {name: index for index, name in enumerate(self.joint_names)}

    @property
    def dof_indices(self) -> dict[str, int]:
        """Index of each degree of freedom."""
        return {name: index for index, name in enumerate(self.dof_names)}

    @property
    def fixed_base(self) -> bool:
        """Whether the root is fixed to the world."""
        return bool(self._binding.is_fixed_base)


class ArticulationView:
    """Arrays over articulations, rows in the order of ``prim_paths``."""

    def __init__(self, backend: Any, frontend: Any) -> None:
        self._backend = backend
        self._simulation = frontend

    @property
    def count(self) -> int:
        """Number of articulations."""
        return len(self._rows().paths)

    @property
    def prim_paths(self) -> list[str]:
        """Root prims: env_0, env_1, env_10, env_2, ..."""
        return list(self._rows().paths)

    @property
    def link_paths(self) -> list[list[str]]:
        """Prims of the links of each articulation."""
        return [[str(prim.GetPath()) for prim in self._rows().stage.links(path)] for path in self._rows().paths]

    @property
    def shared_metatype(self) -> ArticulationMetatype:
        """Names and indices."""
        return ArticulationMetatype(self._rows().binding("root_transforms"))

    @property
    def is_homogeneous(self) -> bool:
        """Whether all articulations are alike, which PhysX demands of a view."""
        return True

    @property
    def max_dofs(self) -> int:
        """Degrees of freedom of an articulation."""
        return self._rows().binding("dof_positions").shape[1]

    @property
    def max_links(self) -> int:
        """Links of an articulation."""
        return self._rows().binding("link_transforms").shape[1]

    @property
    def max_shapes(self) -> int:
        """Shapes of an articulation."""
        return self._rows().binding("material_properties").shape[1]

    def check(self) -> bool:
        """Whether all articulations are still there."""
        return self._simulation.is_valid

    def apply_forces_and_torques_at_position(
        self, force_data: Any, torque_data: Any, position_data: Any, indices: Any, is_global: bool
    ) -> bool:
        """Adds (count, links, 3) forces (at a position, else at the centre of mass) and torques for one step."""
        from standin.wrench import apply_wrench

        rows = self._rows()
        if force_data is None and (torque_data is None or position_data is not None):
            raise Exception("a force or a torque is needed, and a force for a position")
        apply_wrench(rows, force_data, torque_data, position_data, indices, is_global)
        return True

    def _rows(self) -> Any:
        if self._backend is None:
            raise AttributeError("no articulation matched this view's pattern")
        self._simulation._require_valid()
        return self._backend


class RigidContactView:
    """Contact forces on bodies."""

    def __init__(self, backend: Any, frontend: Any) -> None:
        self._backend = backend
        self._simulation = frontend
        self._net_forces: Any = None

    @property
    def sensor_paths(self) -> list[str]:
        """Bodies, pattern by pattern."""
        return list(self._sensors().sensor_paths)

    @property
    def sensor_count(self) -> int:
        """Number of bodies."""
        return self._sensors().sensor_count

    def get_net_contact_forces(self, dt: float) -> Any:
        """(sensors, 3) net normal contact force of the last step (N, world): the same array each time."""
        import torch

        sensors = self._sensors()
        if not dt > 0.0:
            raise ValueError(f"dt is {dt}: the physics step is needed to turn impulses into forces")
        if self._net_forces is None:
            self._tensor = torch.zeros(sensors.sensor_count, 3)
            self._net_forces = self._simulation._frontend().show(self._tensor)
        sensors.read_net_normal_forces(self._tensor)
        return self._net_forces

    def check(self) -> bool:
        """Whether all bodies are still there."""
        return self._simulation.is_valid

    def _sensors(self) -> Any:
        if self._backend is None:
            raise AttributeError("no body that reports contacts matched this view's pattern")
        self._simulation._require_valid()
        return self._backend


def _refuse_what_newton_lacks(view: ArticulationView, name: str) -> None:
    from isaacsim.core.simulation_manager import SimulationManager

    if SimulationManager.get_active_physics_engine() == "newton" and name in arrays.NOT_IN_NEWTON:
        raise Exception(f"Newton has no {name}")


def _getter(name: str) -> Callable[[ArticulationView], Any]:
    def get(self: ArticulationView) -> Any:
        rows = self._rows()
        _refuse_what_newton_lacks(self, name)
        return rows.get(name)

    return get


def _setter(name: str) -> Callable[[ArticulationView, Any, Any], None]:
    def set_(self: ArticulationView, data: Any, indices: Any) -> None:
        rows = self._rows()
        _refuse_what_newton_lacks(self, name)
        rows.set(name, data, indices)

    return set_


for _name in arrays.READ_WRITE | arrays.READ_ONLY:
    setattr(ArticulationView, f"get_{_name}", _getter(_name))
for _name in arrays.READ_WRITE:
    setattr(ArticulationView, f"set_{_name}", _setter(_name))
