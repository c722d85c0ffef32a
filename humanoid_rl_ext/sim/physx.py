"""PhysX behind the engine protocol, wherever it runs: a backend brings the arrays, this brings targets and resets."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Protocol

import torch

from humanoid_rl_ext.errors import EngineError
from humanoid_rl_ext.robot.description import RobotDescription
from humanoid_rl_ext.sim.action_delay import ActionDelay
from humanoid_rl_ext.sim.contacts import ContactForces
from humanoid_rl_ext.sim.engine import PropertyAccess, SceneSettings, State, TargetMode
from humanoid_rl_ext.sim.ordering import Ordering, canonical_names, match
from humanoid_rl_ext.sim.physx_array import PhysxArray
from humanoid_rl_ext.sim.physx_properties import PROPERTIES, PropertyStore
from humanoid_rl_ext.sim.physx_wrench import Wrenches
from humanoid_rl_ext.sim.reset import check_finite

_SILENT_IN = {
    "position": frozenset[str](),
    "velocity": frozenset({"joint_stiffness"}),
    "effort": frozenset({"joint_stiffness", "joint_damping"}),
}
"""Gains that must not act in each target mode: PhysX gets zeros for them while the mode lasts."""


class Binding(Protocol):
    """One array of all robots, row i being environment i; joints and bodies in PhysX' order."""

    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def dof_names(self) -> Sequence[str]: ...
    @property
    def body_names(self) -> Sequence[str]: ...
    def read(self, out: torch.Tensor) -> None: ...
    def write(self, values: torch.Tensor, mask: torch.Tensor | None = None) -> None: ...


class PhysxBackend(Protocol):
    """A started scene with one robot per environment; who started it decides how it is stepped."""

    @property
    def robot_paths(self) -> Sequence[str]:
        """Path of each environment's robot, its root prim."""

    def bind(self, array: str) -> Binding:
        """The binding of ``ARTICULATION_<array>``, in the spelling of ovphysx' tensor types."""

    def bind_contacts(self, body_paths: Sequence[str]) -> Any:
        """A sensor on each body (paths relative to the robot's root prim) of each robot; see ``ContactForces``."""

    def step(self, substeps: int, dt: float) -> None:
        """Advances physics; raises EngineError when it fails."""

    def update_kinematics(self) -> None:
        """Makes body poses follow root and joints that were just written, on a GPU."""

    def close(self) -> None: ...


class PhysxEngine:
    """N copies of one robot in PhysX; implements ``sim.engine.Engine``."""

    name: str

    records_resets = False

    def __init__(
        self,
        description: RobotDescription,
        settings: SceneSettings,
        device: torch.device,
        backend: PhysxBackend,
        env_origins: torch.Tensor,
        unsupported: Collection[str] = (),
        stand: bool = True,
    ) -> None:
        """Binds all arrays of the robots in ``backend``, which the engine closes with itself.

        ``env_origins`` is (num_envs, 3); ``unsupported`` are the properties that this PhysX cannot set, and
        ``drive_type`` where it does not tell a joint's.
        Robots are put into their standing pose, or stay as they are where ``stand`` is false.

        Raises:
            EngineError: when PhysX holds other joints or bodies than the description.
        """
        self.device = device
        self.num_envs = settings.num_envs
        self.dt = settings.dt
        self.robot = description
        self.settings = settings
        self.env_origins = env_origins.to(device)
        self.stream = None if device.type == "cpu" else torch.cuda.current_stream(device)
        access: PropertyAccess = "device" if device.type == "cpu" else "host"
        self.properties: Mapping[str, PropertyAccess] = {
            **{name: access for name in PROPERTIES if name not in unsupported},
            "gravity": "device",
            "action_delay": "device",
        }
        self._backend = backend
        self._knows_drives = "drive_type" not in unsupported
        try:
            self._bind(description, settings)
            if stand:
                self._stand()
        except BaseException:
            backend.close()
            raise

    def _bind(self, description: RobotDescription, settings: SceneSettings) -> None:
        root = self._backend.bind("ROOT_POSE")
        if root.shape[0] != self.num_envs:
            raise EngineError(f"PhysX holds {root.shape[0]} articulations for {self.num_envs} environments")
        described = description.joint_names
        native = canonical_names(root.dof_names, described)
        joints = match("joints", native, described, self.device)
        # A root prim that is itself a body bears the name it is referenced under.
        root_prim = self._backend.robot_paths[0].rpartition("/")[2]
        root_body = next((body.name for body in description.bodies if not body.path), root_prim)
        native_bodies = [root_body if name == root_prim else name for name in root.body_names]
        bodies = match("bodies", native_bodies, description.body_names, self.device)
        if self._knows_drives:
            self._require_drives(native)

        self._root_pose = PhysxArray(root, self.device)
        self._root_velocity = self._array("ROOT_VELOCITY")
        self._joint_pos = self._array("DOF_POSITION", joints)
        self._joint_vel = self._array("DOF_VELOCITY", joints)
        self._body_pose = self._array("LINK_POSE", bodies)
        self._body_velocity = self._array("LINK_VELOCITY", bodies)
        self._position_target = self._array("DOF_POSITION_TARGET", joints)
        self._velocity_target = self._array("DOF_VELOCITY_TARGET", joints)
        self._effort = self._array("DOF_ACTUATION_FORCE", joints)
        self.state = State(
            self._root_pose.values,
            self._root_velocity.values,
            self._joint_pos.values,
            self._joint_vel.values,
            self._body_pose.values,
            self._body_velocity.values,
        )
        host = {"joint": _on_host(joints), "body": _on_host(bodies)}
        self._properties = PropertyStore(self._backend.bind, host, self.num_envs, self.device, self.properties)
        self._contacts = None
        if settings.contacts:
            paths = [body.path for body in description.bodies]
            sensors = self._backend.bind_contacts(paths)
            self._contacts = ContactForces(sensors, self._backend.robot_paths, paths, self.device)

        self._mode: TargetMode = "position"
        self._targets_changed = True
        self._delay: ActionDelay | None = None
        self._targets_anew = torch.zeros(self.num_envs, dtype=torch.bool, device=self.device)
        free = self.device.type == "cpu" and not description.fixed_base  # there PhysX takes forces one by one
        self._wrenches = Wrenches(
            self._array("LINK_WRENCH", bodies),
            self._body_pose,
            self._properties.mirror,
            settings.gravity,
            self._root_velocity if free else None,
            self.dt,
        )

    def _array(self, name: str, ordering: Ordering | None = None) -> PhysxArray:
        return PhysxArray(self._backend.bind(name), self.device, ordering)

    def _require_drives(self, names: list[str]) -> None:
        """PhysX ignores gains on a joint without an authored drive, and says nothing."""
        binding = self._backend.bind("DOF_DRIVE_TYPE")
        kinds = torch.zeros(binding.shape, dtype=torch.uint8)
        if kinds.numel():
            binding.read(kinds)
        bare = [name for name, kind in zip(names, kinds[0].tolist(), strict=True) if kind == 0]
        if bare:
            raise EngineError(f"no drive was authored on {', '.join(bare)}: the joints would not move")

    def _stand(self) -> None:
        """The first reset: warming up from the file's pose may have given any velocity, so all four are written."""
        description, device = self.robot, self.device
        pose = torch.zeros(self.num_envs, 7, device=device)
        pose[:, :3] = self.env_origins
        if description.fixed_base:
            self._root_pose.read()
            home = self._root_pose.values[0].clone()
            pose[:, :3] += home[:3]
            pose[:, 3:] = home[3:]
        else:
            pose[:, 2] += description.standing_height
            pose[:, 3:] = torch.tensor(description.standing_rotation, device=device)
        joints = torch.tensor([joint.default for joint in description.joints], device=device).repeat(self.num_envs, 1)
        everywhere = torch.ones(self.num_envs, dtype=torch.bool, device=device)
        self.reset(everywhere, pose, torch.zeros(self.num_envs, 6, device=device), joints, torch.zeros_like(joints))

    def set_targets(self, mode: TargetMode, targets: torch.Tensor) -> None:
        """Sets what the joints are driven towards; see ``Engine.set_targets``. One that is not finite is ignored."""
        if mode != self._mode:
            self._change_mode(mode)
        held = self._active_targets().values
        if self._delay is None:
            torch.where((targets * 0.0).eq(0.0), targets, held, out=held)
        else:
            self._delay.push(targets)
            held = self._delay.history[0]
        if mode == "effort":
            limit = self._properties.mirror("joint_effort_limit")
            torch.clamp(held, -limit, limit, out=held)
        self._targets_changed = True

    def _change_mode(self, mode: TargetMode) -> None:
        if mode not in _SILENT_IN:
            raise EngineError(f"target mode '{mode}' is unknown: position, velocity or effort")
        self._properties.silence(_SILENT_IN[mode])
        for array in (self._velocity_target, self._effort):
            array.values.zero_()
            array.write()
        self._mode = mode
        if self._delay is not None:
            self._delay.history.copy_(self._active_targets().values.expand_as(self._delay.history))
            self._targets_anew.fill_(True)

    def _active_targets(self) -> PhysxArray:
        if self._mode == "position":
            return self._position_target
        return self._velocity_target if self._mode == "velocity" else self._effort

    def set_wrench(self, body: int, wrench: torch.Tensor | None) -> None:
        """Applies (num_envs, 6) force and torque at a body's centre of mass; see ``Engine.set_wrench``."""
        self._wrenches.set(body, wrench)

    def step(self, substeps: int) -> None:
        """Advances physics by ``substeps * dt`` and refreshes ``state``.

        Raises:
            EngineError: when PhysX fails to step.
        """
        self.apply()
        if self._wrenches.active or self._delay is not None:
            schedule = self._schedule(substeps)
            for substep in range(substeps):
                if schedule is not None:
                    self._active_targets().write_from(schedule[0][substep], schedule[1][substep])
                if self._wrenches.active:
                    self._wrenches.write(self._settle)
                self._backend.step(1, self.dt)
        else:
            self._backend.step(substeps, self.dt)
        self.refresh()

    def apply(self) -> None:
        """Hands changed properties and targets to PhysX, as ``step`` does first."""
        self._properties.flush()
        if self._targets_changed and self._delay is None:
            self._settle()
            self._active_targets().write()
            self._targets_changed = False

    def _schedule(self, substeps: int) -> tuple[torch.Tensor, torch.Tensor] | None:
        """The targets of each sub-step and where PhysX has to be told, if they come late; all before physics steps.

        (substeps, num_envs, joints) and (substeps, num_envs) bool.
        """
        if self._delay is None:
            return None
        targets, due = self._delay.schedule(substeps)
        due[0].logical_or_(self._targets_anew)
        self._targets_anew.zero_()
        self._active_targets().values.copy_(targets[-1])
        self._settle()
        return targets, due

    def record(self, substeps: int) -> Callable[[], None] | None:
        """None: PhysX' step cannot be captured into a CUDA graph."""
        return None

    def read_contacts(self) -> torch.Tensor:
        """(num_envs, bodies, 3) net normal contact force of the last sub-step (N, world); the same buffer each call.

        Raises:
            EngineError: when the scene was built with ``contacts=False``.
        """
        if self._contacts is None:
            raise EngineError("contact forces were not asked for when the scene was built (contacts=False)")
        return self._contacts.read()

    def reset(
        self,
        mask: torch.Tensor,
        root_pose: torch.Tensor,
        root_velocity: torch.Tensor,
        joint_pos: torch.Tensor,
        joint_vel: torch.Tensor,
        *,
        bodies: bool = True,
    ) -> None:
        """Writes full-size state where ``mask`` is set; see ``Engine.reset``.

        Joint positions are clamped into their limits, from outside of which PhysX would throw the robot. Targets of the
        reset environments become the new joint positions (position mode) or zero.

        Raises:
            EngineError: on the CPU, for values that are not finite or a quaternion near zero; nothing is written then.
        """
        if self.device.type == "cpu":
            if not mask.any():
                return
            check_finite(mask, (root_pose, root_velocity, joint_pos, joint_vel))
        self._properties.flush()
        limits = self._properties.mirror("joint_limits").view(self.num_envs, -1, 2)
        joint_pos = torch.clamp(joint_pos, limits[..., 0], limits[..., 1])
        self._settle()
        self._root_pose.write_from(root_pose, mask)
        if not self.robot.fixed_base:
            self._root_velocity.write_from(root_velocity, mask)
        self._joint_pos.write_from(joint_pos, mask)
        self._joint_vel.write_from(joint_vel, mask)
        held = self._active_targets().values
        fresh = joint_pos if self._mode == "position" else torch.zeros_like(held)
        torch.where(mask[:, None], fresh, held, out=held)
        if self._delay is not None:
            self._delay.fill(mask[:, None], fresh)
            self._targets_anew.logical_or_(mask)
        self._targets_changed = True
        if self.device.type == "cuda":  # on the CPU link poses follow the writes by themselves
            self._backend.update_kinematics()
        self.refresh(bodies)

    def joint_effort(self) -> torch.Tensor:
        """(num_envs, joints) effort the drives ask for now; see ``Engine.joint_effort``."""
        if self._mode == "effort":
            return self._effort.values.clone()
        effort = self._properties.mirror("joint_damping") * (self._velocity_target.values - self._joint_vel.values)
        if self._mode == "position":
            stiffness = self._properties.mirror("joint_stiffness")
            effort.addcmul_(stiffness, self._position_target.values - self._joint_pos.values)
        limit = self._properties.mirror("joint_effort_limit")
        return torch.clamp(effort, -limit, limit)

    def get_property(self, name: str) -> torch.Tensor:
        """A copy of a property's values, (num_envs, k); layouts in ``physx_properties.PROPERTIES``."""
        if name == "gravity":
            return self._wrenches.gravity
        if name == "action_delay":
            return torch.zeros(self.num_envs, 1).to(self.device) if self._delay is None else self._delay.seconds.clone()
        return self._properties.get(name)

    def set_property(self, name: str, values: torch.Tensor, mask: torch.Tensor | None = None) -> None:
        """Stores full-size (num_envs, k) values where ``mask`` is set; PhysX gets them before the next step.

        ``gravity`` and ``action_delay`` are made here, sub-step by sub-step, from when they are first set.

        Raises:
            EngineError: for a property PhysX does not support, or values it would not survive.
        """
        if name == "gravity":
            self._wrenches.set_gravity(values, mask)
        elif name == "action_delay":
            if self._delay is None:
                self._delay = ActionDelay(self._active_targets().values, self.dt)
                self._targets_anew.fill_(True)
            self._delay.set(values, mask)
            self._targets_anew.logical_or_(torch.ones_like(self._targets_anew) if mask is None else mask)
        else:
            self._properties.set(name, values, mask)

    def set_properties(self, values: Mapping[str, torch.Tensor], mask: torch.Tensor | None = None) -> None:
        """``set_property`` of several."""
        for name, rows in values.items():
            self.set_property(name, rows, mask)

    def refresh_bodies(self) -> None:
        """Refreshes ``state.body_pose`` and ``state.body_velocity`` now, for scenes with ``body_state=False``."""
        self._body_pose.read()
        self._body_velocity.read()

    def close(self) -> None:
        """Frees the scene; closing twice is fine."""
        self._backend.close()

    def refresh(self, bodies: bool | None = None) -> None:
        """Reads ``state`` from PhysX, as ``step`` does last; ``bodies`` if asked for, else if the scene has them."""
        self._root_pose.read()
        self._root_velocity.read()
        self._joint_pos.read()
        self._joint_vel.read()
        if self.settings.body_state if bodies is None else bodies:
            self.refresh_bodies()

    def _settle(self) -> None:
        """Waits for torch's pending work on CUDA: PhysX reads the tensors it is given on a stream of its own."""
        if self.stream is not None:
            torch.cuda.current_stream(self.device).synchronize()


def _on_host(ordering: Ordering | None) -> Ordering | None:
    return None if ordering is None else Ordering(ordering.from_native.cpu(), ordering.to_native.cpu())
