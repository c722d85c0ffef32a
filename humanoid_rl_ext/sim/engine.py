"""The contract between the environment and whatever moves the robots: N copies of one scene, batched torch tensors.

Conventions: SI units, Z up, world frame (environment offsets included), quaternions x, y, z, w, linear velocities at
the body's centre of mass along world axes. Joints and bodies stand in the robot description's order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

from humanoid_rl_ext.robot.description import RobotDescription

if TYPE_CHECKING:
    import torch

    from humanoid_rl_ext.sim.terrain import Terrain

TargetMode = Literal["position", "velocity", "effort"]
PropertyAccess = Literal["device", "host"]
"""``device``: written on the engine's device between steps. ``host``: goes through host memory, batch the writes."""


@dataclass(frozen=True, slots=True)
class NewtonSettings:
    """Solver settings of the ``newton`` engine."""

    iterations: int = 6
    """Most iterations of the constraint solver in a sub-step; it stops where it has converged."""
    line_search_iterations: int = 10
    max_contacts: int | None = None
    """Contact points that one environment may have at a time; None: as many as the robot can make."""
    max_constraints: int | None = None
    """Constraint rows that one environment may have at a time; None: as many as its contacts and joints can make."""


@dataclass(frozen=True, slots=True)
class SceneSettings:
    """What one scene needs to be built; comes from the Task (physics, ground) and the run (copies, device)."""

    num_envs: int
    """Robots; several of them share a scene where there are teams."""
    device: str = "cpu"
    dt: float = 1 / 120
    """Physics sub-step (s)."""
    gravity: tuple[float, float, float] = (0.0, 0.0, -9.81)
    spacing: float = 4.0
    """Distance between neighbouring environments (m)."""
    static_friction: float = 1.0
    dynamic_friction: float = 1.0
    restitution: float = 0.0
    ground: bool = True
    terrain: Terrain | None = field(default=None, compare=False)
    """The ground that all environments share, and where they start on it; None: a plane, and starts on a grid."""
    contact_of: Literal["both", "robot"] = "both"
    """Whose friction and restitution a contact has: ``contact_material.of_both``, or the robot's alone."""
    self_collision: bool = False
    position_iterations: int = 8
    velocity_iterations: int = 1
    newton: NewtonSettings = NewtonSettings()
    num_threads: int = 2
    contacts: bool = True
    """Whether contact forces will be read."""
    body_state: bool = True
    """Whether ``step`` refreshes body poses and velocities; root and joints always are."""
    team_size: int = 1
    """Robots of one scene, which touch each other and nobody else; they stand one after another in every array."""
    team_spacing: float = 0.0
    """Distance between neighbours of a team (m), along the world's y axis."""

    @property
    def num_scenes(self) -> int:
        """Scenes, each with one team of robots."""
        return self.num_envs // self.team_size


@dataclass(slots=True)
class State:
    """The robots' state, refreshed in place by every ``step`` and ``reset``: hold on to the tensors, never rebind."""

    root_pose: torch.Tensor
    """(num_envs, 7): position (m) of the base body's origin, quaternion xyzw."""
    root_velocity: torch.Tensor
    """(num_envs, 6): linear velocity of the base's centre of mass (m/s), angular velocity (rad/s)."""
    joint_pos: torch.Tensor
    """(num_envs, joints), rad or m."""
    joint_vel: torch.Tensor
    """(num_envs, joints), rad/s or m/s."""
    body_pose: torch.Tensor
    """(num_envs, bodies, 7)."""
    body_velocity: torch.Tensor
    """(num_envs, bodies, 6)."""


class Engine(Protocol):
    """N copies of one scene. One engine at a time may live in a process (``ovphysx`` allows no second)."""

    name: str
    device: torch.device
    num_envs: int
    dt: float
    robot: RobotDescription
    settings: SceneSettings
    state: State
    env_origins: torch.Tensor
    """(num_envs, 3) on the device; curricula may move them, and the next reset uses them."""
    stream: torch.cuda.Stream | None
    """The stream that the environment's own work must run on; None on the CPU."""
    records_resets: bool
    """Whether ``read_contacts`` and ``reset`` can be part of a CUDA graph of the caller's."""
    properties: Mapping[str, PropertyAccess]
    """Quantities ``get_property`` and ``set_property`` accept; anything absent is unsupported."""

    def set_targets(self, mode: TargetMode, targets: torch.Tensor) -> None:
        """Sets what the joints are driven towards until the next call, (num_envs, joints).

        ``position`` and ``velocity`` use the drives' gains; ``effort`` (N m or N) is clipped to the effort limits.
        The tensor is read at once and may be reused by the caller.
        """

    def set_wrench(self, body: int, wrench: torch.Tensor | None) -> None:
        """Applies (num_envs, 6) force (N) and torque (N m), world frame, at a body's centre of mass in every sub-step.

        Lasts until the next call; None removes it.
        """

    def step(self, substeps: int) -> None:
        """Advances physics by ``substeps * dt`` and refreshes ``state``."""

    def record(self, substeps: int) -> Callable[[], None] | None:
        """A launch that repeats ``step(substeps)`` without host work, or None where the engine cannot be recorded."""

    def read_contacts(self) -> torch.Tensor:
        """(num_envs, bodies, 3) net normal contact force on each body (N, world frame); the same buffer each call."""

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
        """Writes full-size state where ``mask`` (num_envs,) bool is set, and refreshes ``state``.

        Without ``bodies`` the bodies' poses and velocities are those of before until the next step. Root poses are in
        the world frame (origins included). Also recovers environments whose state is not finite.
        """

    def joint_effort(self) -> torch.Tensor:
        """(num_envs, joints) effort (N m or N) the drives ask for now, from gains, targets and state, within limits."""

    def get_property(self, name: str) -> torch.Tensor:
        """A copy of a property's values, (num_envs, k); layouts in ``physx_properties.PROPERTIES``.

        Beside those: ``gravity`` (num_envs, 3) in m/s2 and ``action_delay`` (num_envs, 1) in s, the time from
        ``set_targets`` to their acting, rounded to sub-steps; both act sub-step by sub-step.
        """

    def set_property(self, name: str, values: torch.Tensor, mask: torch.Tensor | None = None) -> None:
        """Writes full-size (num_envs, k) values where ``mask`` is set (everywhere when None).

        Raises:
            EngineError: for a property the engine does not support, or values physics would not survive.
        """

    def set_properties(self, values: Mapping[str, torch.Tensor], mask: torch.Tensor | None = None) -> None:
        """``set_property`` of several at once, for less."""

    def close(self) -> None:
        """Frees the scene; the engine cannot be used afterwards."""
