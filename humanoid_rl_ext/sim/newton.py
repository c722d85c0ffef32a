"""Newton's MuJoCo-Warp solver behind the engine protocol: CPU and CUDA, state as views of the solver's own arrays."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
import warp as wp

from humanoid_rl_ext.errors import EngineError
from humanoid_rl_ext.robot.description import RobotDescription
from humanoid_rl_ext.sim.action_delay import ActionDelay
from humanoid_rl_ext.sim.device import check_device
from humanoid_rl_ext.sim.engine import PropertyAccess, SceneSettings, State, TargetMode
from humanoid_rl_ext.sim.grid import start_origins
from humanoid_rl_ext.sim.newton_contacts import NewtonContacts
from humanoid_rl_ext.sim.newton_kernels import Control, Gather, LateTargets, Restart
from humanoid_rl_ext.sim.newton_model import NewtonModel, build, newton
from humanoid_rl_ext.sim.newton_overflow import OverflowWatch
from humanoid_rl_ext.sim.newton_properties import PROPERTIES, NewtonProperties
from humanoid_rl_ext.sim.ordering import Ordering
from humanoid_rl_ext.sim.reset import check_finite

Pair = tuple[torch.Tensor, torch.Tensor]

WARM_UP_STEPS = 3
"""Eager sub-steps before a capture: whatever the solver allocates or compiles, it does then."""


class NewtonEngine:
    """N copies of one robot, one MuJoCo world each or for each team, on one ground; implements ``sim.engine.Engine``.

    Worlds never touch each other, but stand apart at their origins: the state needs no offset then, and all of them can
    share one uneven ground.
    """

    name = "newton"
    records_resets = True

    def __init__(self, description: RobotDescription, settings: SceneSettings) -> None:
        """Builds the model and puts every robot into its standing pose.

        Raises:
            DeviceError: when CUDA is asked for and absent.
            EngineError: when Newton cannot load the robot, or holds other joints or bodies than the description.
        """
        self.device = check_device(settings.device, self.name)
        wp.init()
        self.num_envs = settings.num_envs
        self.dt = settings.dt
        self.robot = description
        self.settings = settings
        self.env_origins = start_origins(settings).to(self.device)
        self.stream = _own_stream(self.device)
        self._streams: dict[int, Any] = {}
        self.properties: Mapping[str, PropertyAccess] = {**PROPERTIES, "action_delay": "device"}
        if settings.team_size > 1:  # a world has one gravity
            self.properties = {name: access for name, access in self.properties.items() if name != "gravity"}
        self._delay: ActionDelay | None = None
        self._late: LateTargets | None = None
        with self._on_torch_stream():
            self._built: NewtonModel = build(description, settings, self.device)
            self._bind(self._built)
            self._stand()
        if self.device.type == "cuda":  # what comes next may run on another stream
            torch.cuda.synchronize(self.device)

    def _bind(self, built: NewtonModel) -> None:
        num_envs, joints, bodies = self.num_envs, len(self.robot.joints), len(self.robot.bodies)
        model, state = built.model, built.state
        if model.articulation_count != num_envs:
            raise EngineError(f"Newton holds {model.articulation_count} articulations for {num_envs} environments")
        q, qd = wp.to_torch(state.joint_q).view(num_envs, -1), wp.to_torch(state.joint_qd).view(num_envs, -1)
        body_q = wp.to_torch(state.body_q).view(num_envs, bodies, 7)
        body_qd = wp.to_torch(state.body_qd).view(num_envs, bodies, 6)
        root_pose, root_velocity = (q[:, :7], qd[:, :6]) if built.floating else (body_q[:, 0], body_qd[:, 0])
        # A fixed base hangs on a joint whose frame in the world is the base's pose.
        self._base_frame = wp.to_torch(model.joint_X_p).view(num_envs, -1, 7)[:, 0]
        self._wrench = wp.to_torch(state.body_f).view(num_envs, bodies, 6)
        places = built.body_order
        self._body_places = list(range(bodies)) if places is None else places.from_native.tolist()

        joints_native = q[:, q.shape[1] - joints :], qd[:, qd.shape[1] - joints :]
        self._gather_joints, joints_described = self._described(joints_native, built.joint_order)
        self._gather_bodies, bodies_described = self._described((body_q, body_qd), built.body_order)
        self.state = State(root_pose, root_velocity, *joints_described, *bodies_described)
        self._properties = NewtonProperties(built, self.robot, self.settings, self.device)
        team_size, worlds = self.settings.team_size, self.settings.num_scenes
        self._contacts = (
            NewtonContacts(built, num_envs, bodies, self.device, team_size) if self.settings.contacts else None
        )
        self._overflow = OverflowWatch(built, self.device)
        self._substep_graph: Any = None
        self._targets = torch.zeros(num_envs, joints, device=self.device)
        joint_of_actuator, control = self._properties.joint_of_actuator, built.solver.mjw_data.ctrl
        of_worlds = self._targets.view(worlds, team_size * joints)
        self._write_targets = [Control(of_worlds, joint_of_actuator, control)] if joints else []
        self._world_mask = wp.zeros(worlds + 1, dtype=wp.bool, device=str(self.device))  # the last one: the ground
        self._articulation_mask = wp.zeros(num_envs, dtype=wp.bool, device=str(self.device))
        order = torch.arange(joints) if built.joint_order is None else built.joint_order.to_native
        self._restart = Restart(
            order.to(self.device),
            self._properties.values["joint_limits"],
            q,
            qd,
            root_pose if built.floating else self._base_frame,
            built.floating,
            self._targets,
            (self._world_mask, self._articulation_mask),
            team_size,
        )

    @staticmethod
    def _described(native: Pair, order: Ordering | None) -> tuple[list[Gather], Pair]:
        """The tensors themselves where Newton's order is the description's, else some that a gather fills."""
        if order is None or not native[0].numel():
            return [], native
        first, second = (torch.zeros_like(values, memory_format=torch.contiguous_format) for values in native)
        described = first, second
        return [Gather(order.from_native, native, described)], described

    def _stand(self) -> None:
        description, device = self.robot, self.device
        pose = self._base_frame[:1].repeat(self.num_envs, 1)
        if not description.fixed_base:
            pose[:] = torch.tensor((0.0, 0.0, description.standing_height, *description.standing_rotation))
        pose[:, :3] += self.env_origins
        joints = torch.tensor([joint.default for joint in description.joints], device=device).repeat(self.num_envs, 1)
        everywhere = torch.ones(self.num_envs, dtype=torch.bool, device=device)
        self.reset(everywhere, pose, torch.zeros(self.num_envs, 6, device=device), joints, torch.zeros_like(joints))

    def set_targets(self, mode: TargetMode, targets: torch.Tensor) -> None:
        """Sets what the joints are driven towards; see ``Engine.set_targets``. One that is not finite is ignored."""
        if mode != self._properties.mode:
            if mode not in ("position", "velocity", "effort"):
                raise EngineError(f"target mode '{mode}' is unknown: position, velocity or effort")
            self._properties.mode = mode
            self._properties.write_drives()
            self._targets.copy_(self.state.joint_pos if mode == "position" else torch.zeros_like(self._targets))
            if self._delay is not None:
                self._delay.history.copy_(self._targets.expand_as(self._delay.history))
        if self._delay is not None:
            self._delay.push(targets)
            return
        torch.where((targets * 0.0).eq(0.0), targets, self._targets, out=self._targets)

    def set_wrench(self, body: int, wrench: torch.Tensor | None) -> None:
        """Applies (num_envs, 6) force and torque at a body's centre of mass; see ``Engine.set_wrench``."""
        held = self._wrench[:, self._body_places[body]]
        if wrench is None:
            held.zero_()
        else:
            held.copy_(torch.nan_to_num(wrench, nan=0.0, posinf=0.0, neginf=0.0))

    def step(self, substeps: int) -> None:
        """Advances physics by ``substeps * dt`` and refreshes ``state``.

        Raises:
            EngineError: when contacts were lost for want of room, some steps after it happened.
        """
        with self._on_torch_stream():
            self._properties.flush()
            self._advance(substeps)
            if self._substep_graph is None and self.device.type == "cpu":
                self._substep_graph = self._record_substep()
        self._overflow.after_step()

    def _record_substep(self) -> Any:
        """A sub-step as a graph for the CPU, where starting a hundred kernels from Python costs up to 20 ms."""
        built = self._built
        with wp.ScopedCapture("cpu", force_module_load=False) as capture:
            built.advance(self.dt)
        return capture.graph

    def _advance(self, substeps: int) -> None:
        """What a graph records: no host work, nothing allocated but from Warp's memory pool."""
        built = self._built
        if self._late is None:
            for write in self._write_targets:
                write()
        for substep in range(substeps):
            if self._late is not None:
                self._late(substep, substeps)
                for write in self._write_targets:
                    write()
            if self._substep_graph is None:
                built.advance(self.dt)
            else:
                wp.capture_launch(self._substep_graph)
        self._refresh(self.settings.body_state)

    def _refresh(self, bodies: bool) -> None:
        for gather in self._gather_joints + self._gather_bodies * bodies:
            gather()

    def record(self, substeps: int) -> Callable[[], None] | None:
        """A launch that repeats ``step(substeps)`` from a Warp graph on the current torch stream; None on the CPU.

        Properties, targets, wrenches and resets between launches act as they do between steps.
        """
        if self.stream is None:
            return None
        torch.cuda.synchronize(self.device)
        with torch.cuda.stream(self.stream), self._on_torch_stream():
            self._properties.flush()
            self._warm_up()
            torch.cuda.synchronize(self.device)
            with (
                _no_garbage_collection(),
                wp.ScopedCapture(stream=self._warp_stream(), force_module_load=False) as capture,
            ):
                self._advance(substeps)
        torch.cuda.synchronize(self.device)
        graph = capture.graph

        def launch() -> None:
            with self._on_torch_stream():
                self._properties.flush()
                wp.capture_launch(graph)
            self._overflow.after_step()

        return launch

    def _warm_up(self) -> None:
        """Steps a little and takes it back."""
        built = self._built
        data, state = built.solver.mjw_data, built.state
        arrays = [wp.to_torch(array) for array in (state.joint_q, state.joint_qd, data.qacc_warmstart, data.overflow)]
        before = [array.clone() for array in arrays]
        self._advance(WARM_UP_STEPS)
        for array, values in zip(arrays, before, strict=True):
            array.copy_(values)
        newton.eval_fk(built.model, state.joint_q, state.joint_qd, state)
        self._refresh(bodies=True)

    def read_contacts(self) -> torch.Tensor:
        """(num_envs, bodies, 3) net normal contact force of the last sub-step (N, world); the same buffer each call.

        Raises:
            EngineError: when the scene was built with ``contacts=False``.
        """
        if self._contacts is None:
            raise EngineError("contact forces were not asked for when the scene was built (contacts=False)")
        with self._on_torch_stream():
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
        """Writes full-size state where ``mask`` is set; see ``Engine.reset``. On a GPU nothing waits for the host.

        Joint positions are clamped into their limits. Targets of the reset environments become the new joint positions
        (position mode) or zero. A fixed base takes the pose and ignores the velocity.

        Raises:
            EngineError: on the CPU, for values that are not finite or a quaternion near zero; nothing is written then.
        """
        if self.device.type == "cpu":
            if not mask.any():
                return
            check_finite(mask, (root_pose, root_velocity, joint_pos, joint_vel))
        built, motion = self._built, (root_pose, root_velocity, joint_pos, joint_vel)
        # A fixed base's pose is that of its body; contacts with a terrain are found from the bodies' poses.
        bodies = bodies or not built.floating or built.terrain is not None
        with self._on_torch_stream():
            self._restart(mask, motion, self._properties.mode == "position")
            if self._delay is not None:
                self._delay.fill(mask.unsqueeze(-1), self._targets)
            if not built.floating:
                built.solver.notify_model_changed(newton.ModelFlags.JOINT_PROPERTIES)
            built.solver.reset(built.state, self._world_mask, flags=0)
            if bodies:
                positions, velocities = built.state.joint_q, built.state.joint_qd
                newton.eval_fk(built.model, positions, velocities, built.state, mask=self._articulation_mask)
            self._refresh(bodies)

    def joint_effort(self) -> torch.Tensor:
        """(num_envs, joints) effort the drives ask for now; see ``Engine.joint_effort``."""
        values, state, mode = self._properties.values, self.state, self._properties.mode
        if mode == "effort":
            effort = self._targets
        elif mode == "velocity":
            effort = values["joint_damping"] * (self._targets - state.joint_vel)
        else:
            effort = values["joint_stiffness"] * (self._targets - state.joint_pos)
            effort.addcmul_(values["joint_damping"], state.joint_vel, value=-1.0)
        limit = values["joint_effort_limit"]
        return torch.clamp(effort, -limit, limit)

    def get_property(self, name: str) -> torch.Tensor:
        """A copy of a property's values, (num_envs, k); see ``newton_properties.PROPERTIES``."""
        if name == "action_delay":
            return self._targets.new_zeros(self.num_envs, 1) if self._delay is None else self._delay.seconds.clone()
        return self._properties.get(name)

    def set_property(self, name: str, values: torch.Tensor, mask: torch.Tensor | None = None) -> None:
        """Stores full-size (num_envs, k) values where ``mask`` is set; see ``NewtonProperties.set``.

        ``action_delay`` must be set once before steps are recorded, if ever.

        Raises:
            EngineError: for a property Newton does not support, or on the CPU values it would not survive.
        """
        self.set_properties({name: values}, mask)

    def set_properties(self, values: Mapping[str, torch.Tensor], mask: torch.Tensor | None = None) -> None:
        """``set_property`` of several at once: the actuators are written once."""
        if "action_delay" in values:
            if self._delay is None:
                self._delay = ActionDelay(self._targets, self.dt)
                self._late = LateTargets(self._delay.history, self._delay.substeps, self._targets)
            self._delay.set(values["action_delay"], mask)
        self._properties.set_several({name: rows for name, rows in values.items() if name != "action_delay"}, mask)

    def refresh_bodies(self) -> None:
        """Refreshes ``state.body_pose`` and ``state.body_velocity`` now, for scenes with ``body_state=False``."""
        with self._on_torch_stream():
            self._refresh(bodies=True)

    def check_capacity(self) -> None:
        """Waits for the device and raises EngineError if contacts were lost for want of room."""
        self._overflow.check()

    def close(self) -> None:
        """Frees the model; closing twice is fine."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        self._substep_graph = None
        self.__dict__.pop("_built", None)

    def _on_torch_stream(self) -> contextlib.AbstractContextManager[Any]:
        """Puts Warp's work on the stream that torch works on now, so that each sees what the other wrote."""
        if self.device.type == "cpu":
            return contextlib.nullcontext()
        return wp.ScopedStream(self._warp_stream(), sync_enter=False)

    def _warp_stream(self) -> Any:
        """Warp's view of the current torch stream."""
        stream = torch.cuda.current_stream(self.device)
        if stream.cuda_stream not in self._streams:
            self._streams[stream.cuda_stream] = wp.stream_from_torch(stream)
        return self._streams[stream.cuda_stream]


@contextlib.contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Memory that Python happens to free during a capture would end it."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _own_stream(device: torch.device) -> torch.cuda.Stream | None:
    """The current torch stream, or a new one where that is the default stream, which cannot be captured."""
    if device.type == "cpu":
        return None
    current = torch.cuda.current_stream(device)
    return torch.cuda.Stream(device) if current == torch.cuda.default_stream(device) else current
