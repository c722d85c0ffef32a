"""The view of one control step that terms are written against: quantities are computed when first asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING

from humanoid_rl_ext.sim.rotation import matrix_from_quat

if TYPE_CHECKING:
    import torch

    from humanoid_rl_ext.sim.engine import Engine
    from humanoid_rl_ext.sim.ground import Ground
else:
    from humanoid_rl_ext.lazy import LazyModule

    torch = LazyModule("torch")


class Step:
    """State of all environments after the current control step.

    Suffix ``_w``: world frame; ``_b``: frame of the base body; ``_e``: world axes, from the environment's origin.
    Tensors have the environments first; a term must not write to them.
    """

    def __init__(self, engine: Engine, dt: float, max_episode_length: int, joints: Sequence[int]) -> None:
        """``dt`` is the control step (s); ``joints`` are the joints that the policy moves."""
        self._engine = engine
        state, device = engine.state, engine.device
        robot = engine.robot
        self.num_envs, self.device, self.dt = engine.num_envs, device, dt
        self.max_episode_length = max_episode_length
        self.joint_pos, self.joint_vel = state.joint_pos, state.joint_vel
        self.root_pos_w, self.root_quat_w = state.root_pose[:, :3], state.root_pose[:, 3:]
        self.root_lin_vel_w, self.root_ang_vel_w = state.root_velocity[:, :3], state.root_velocity[:, 3:]
        self.default_joint_pos = torch.tensor([joint.default for joint in robot.joints], device=device)
        self.joint_lower = torch.tensor([joint.lower for joint in robot.joints], device=device)
        self.joint_upper = torch.tensor([joint.upper for joint in robot.joints], device=device)
        self.joint_effort_limit = torch.tensor([joint.effort_limit for joint in robot.joints], device=device)
        self.standing_height = robot.standing_height
        shape = (self.num_envs, len(joints))
        self.action = torch.zeros(shape, device=device)
        """The action of this step, clipped, (num_envs, actions)."""
        self.last_action = torch.zeros(shape, device=device)
        """The action of the step before."""
        self.episode_length = torch.zeros(self.num_envs, dtype=torch.int64, device=device)
        """Control steps taken in the current episode."""
        self.failed = torch.zeros(self.num_envs, dtype=torch.bool, device=device)
        """Environments whose episode ended in this step by failing: neither a time limit nor a success."""
        self.reads_contacts = False
        """Whether a term asks for contact forces; then the environment has the engine refresh them in every step."""
        self.reads_bodies = False
        """Whether the bodies' poses or velocities have been looked at since this was last set to False."""
        self._contacts = torch.zeros(0, device=device)
        # Of the rotation's entries (row by row): the level part of the forward axis, and that turned to the left.
        self._level_entries = torch.tensor([0, 3, 3, 0], device=device)
        self._level_signs = torch.tensor([1.0, 1.0, -1.0, 1.0], device=device)
        self.commands: Mapping[str, torch.Tensor] = {}
        """Current command of each kind, (num_envs, size)."""
        self._looked_up_apart: list[torch.Tensor] = []
        self.ground: Ground | None = None
        """The uneven ground; None where it is a plane at the height of the environments' origins."""
        self.terrain_level = torch.zeros(self.num_envs, dtype=torch.int64, device=device)
        """Level of difficulty of the ground that each environment is on."""
        self._fixed = frozenset(self.__dict__)

    def refresh(self) -> None:
        """Forgets what was computed from the previous state; called after physics and after resets."""
        for name in [name for name in self.__dict__ if name not in self._fixed and name != "_fixed"]:
            del self.__dict__[name]
        self._looked_up_apart.clear()

    @contextmanager
    def apart(self) -> Iterator[None]:
        """On a GPU, what is computed inside is not there for what is launched beside it."""
        if self.device.type == "cpu":
            yield
            return
        known = set(self.__dict__)
        yield
        # Its memory stays in use until all have met.
        self._looked_up_apart += [self.__dict__.pop(name) for name in set(self.__dict__) - known]

    @cached_property
    def root_pos_e(self) -> torch.Tensor:
        """(num_envs, 3) position of the base relative to its environment's origin (m)."""
        return self.root_pos_w - self._engine.env_origins

    @cached_property
    def root_height(self) -> torch.Tensor:
        """(num_envs,) height of the base's origin above the ground under it (m)."""
        if self.ground is not None:
            return self.root_pos_w[:, 2] - self.ground.height(self.root_pos_w)
        return self.root_pos_e[:, 2]

    @cached_property
    def rotation_w(self) -> torch.Tensor:
        """(num_envs, 3, 3) rotation from the base frame to the world."""
        return matrix_from_quat(self.root_quat_w)

    @cached_property
    def _velocity_b(self) -> torch.Tensor:
        return self.to_base(self._engine.state.root_velocity.unflatten(-1, (2, 3)))

    @cached_property
    def root_lin_vel_b(self) -> torch.Tensor:
        """(num_envs, 3) velocity of the base's centre of mass in the base frame (m/s)."""
        return self._velocity_b[:, 0]

    @cached_property
    def root_ang_vel_b(self) -> torch.Tensor:
        """(num_envs, 3) angular velocity of the base in the base frame (rad/s)."""
        return self._velocity_b[:, 1]

    @cached_property
    def projected_gravity_b(self) -> torch.Tensor:
        """(num_envs, 3) unit vector of gravity in the base frame; (0, 0, -1) when upright."""
        return -self.rotation_w[:, 2]

    @cached_property
    def heading_w(self) -> torch.Tensor:
        """(num_envs,) yaw of the base's forward axis in the world (rad)."""
        forward = self.rotation_w[:, :, 0]
        return torch.atan2(forward[:, 1], forward[:, 0])

    @cached_property
    def yaw_velocity(self) -> torch.Tensor:
        """(num_envs, 2) velocity (m/s) along the heading and to its left, level with the ground."""
        axes, length = self._level_axes
        return (axes * self.root_lin_vel_w[:, None, :2]).sum(-1) / length

    @cached_property
    def heading_axes_w(self) -> torch.Tensor:
        """(num_envs, 2, 2) unit vectors ahead and to the left, level with the ground."""
        axes, length = self._level_axes
        return axes / length.unsqueeze(-1)

    @cached_property
    def _level_axes(self) -> tuple[torch.Tensor, torch.Tensor]:
        """The level parts of the forward axis and of that turned to the left, (num_envs, 2, 2), and their length."""
        entries = self.rotation_w.flatten(1).index_select(1, self._level_entries)
        axes = (entries * self._level_signs).unflatten(1, (2, 2))
        return axes, axes[:, :1].norm(dim=-1).clamp_min_(1e-12)

    def of_mates(self, values: torch.Tensor) -> torch.Tensor:
        """(num_envs, mates, ...) what the other robots of the scene have of (num_envs, ...) values, the next first."""
        size = self._engine.settings.team_size
        teams = values.unflatten(0, (-1, size))
        return torch.stack([teams.roll(-place, 1) for place in range(1, size)], 2).flatten(0, 1)

    @cached_property
    def mate_distance(self) -> torch.Tensor:
        """(num_envs,) distance to the nearest other robot of the scene, base to base and level with the ground (m)."""
        level = self.root_pos_w[:, :2]
        return (self.of_mates(level) - level.unsqueeze(1)).norm(dim=-1).amin(-1)

    @property
    def body_pose_w(self) -> torch.Tensor:
        """(num_envs, bodies, 7) positions (m) of the bodies' origins and quaternions xyzw."""
        self.reads_bodies = True
        return self._engine.state.body_pose

    @property
    def body_velocity_w(self) -> torch.Tensor:
        """(num_envs, bodies, 6) velocities of the bodies' centres of mass (m/s), angular velocities (rad/s)."""
        self.reads_bodies = True
        return self._engine.state.body_velocity

    @property
    def body_pos_w(self) -> torch.Tensor:
        """(num_envs, bodies, 3) positions of the bodies' origins (m)."""
        return self.body_pose_w[..., :3]

    @property
    def body_lin_vel_w(self) -> torch.Tensor:
        """(num_envs, bodies, 3) velocities of the bodies' centres of mass (m/s)."""
        return self.body_velocity_w[..., :3]

    @cached_property
    def joint_pos_rel(self) -> torch.Tensor:
        """(num_envs, joints) joint positions relative to the standing pose (rad or m)."""
        return self.joint_pos - self.default_joint_pos

    @cached_property
    def joint_effort(self) -> torch.Tensor:
        """(num_envs, joints) effort of the joints' drives (N m or N)."""
        return self._engine.joint_effort()

    @cached_property
    def contact_force_w(self) -> torch.Tensor:
        """(num_envs, bodies, 3) net normal contact force on each body (N)."""
        if not self.reads_contacts:
            self.reads_contacts = True
            self._contacts = self._engine.read_contacts()
        return self._contacts

    def forget_contacts(self, begun: torch.Tensor) -> None:
        """Zeroes contact forces where an episode has just ``begun`` (num_envs,): they were not this episode's."""
        if self.reads_contacts:
            self._contacts.masked_fill_(begun.view(-1, 1, 1), 0.0)

    @cached_property
    def _contact_force_norms(self) -> torch.Tensor:
        return self.contact_force_w.norm(dim=-1)

    def contact_force_norm(self, bodies: slice | torch.Tensor) -> torch.Tensor:
        """(num_envs, picked) size of the net normal contact force on the picked bodies (N)."""
        return self._contact_force_norms[:, bodies]

    def to_base(self, vectors_w: torch.Tensor) -> torch.Tensor:
        """(num_envs, ..., 3) vectors of the world frame, in the base frame; no matrix product, which would be rounded
        to TensorFloat-32 on a GPU."""
        rotation = self.rotation_w if vectors_w.dim() == 2 else self.rotation_w.unsqueeze(1)
        return (vectors_w.unsqueeze(-1) * rotation).sum(-2)
