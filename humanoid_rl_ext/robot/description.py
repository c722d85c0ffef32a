"""What the rest of the house knows about a robot: joints, bodies, roles, a standing pose. Plain data, SI units."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Role = Literal["base", "foot", "hand", "head"]


@dataclass(frozen=True, slots=True)
class Joint:
    """One degree of freedom. Angles in rad, lengths in m, gains per rad (or per m), efforts in N m (or N)."""

    name: str
    """Canonical name: the prim's name; a D6 axis is ``joint:x``, ``joint:y`` or ``joint:z``.

    The only axis of a D6 joint that slides is ``joint:tx``, ``joint:ty`` or ``joint:tz``.
    """
    path: str
    """Prim path of the joint relative to the robot's root prim, e.g. ``joints/left_knee``."""
    type: Literal["revolute", "prismatic"]
    axis: tuple[float, float, float]
    """Unit axis of motion in the world frame (Z up), robot in the zero pose."""
    drive: str
    """USD drive instance: ``angular``, ``linear``, ``rotX``, ..., ``transZ``."""
    parent: str
    """Name of the body that carries the joint; of a D6 joint's axes all have the same parent and child."""
    child: str
    lower: float
    upper: float
    """Limits; -inf and inf where the joint is free."""
    stiffness: float
    damping: float
    effort_limit: float
    """Largest drive effort; estimated from weight where the file and the overrides are silent."""
    velocity_limit: float
    armature: float
    friction: float
    """Coulomb friction: the effort (N m, N) that opposes any motion, standing or moving, whatever the joint carries."""
    default: float
    """Position in the standing pose, inside the limits."""
    anchor: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """A point on the axis in the world frame, robot in the zero pose."""
    passive_damping: float = 0.0
    """Viscous friction (N m s/rad, N s/m) beside the drive's damping, not bounded by the effort limit."""
    friction_coefficient: float = 0.0
    """PhysX' friction in proportion to what the joint carries, dimensionless; in PhysX it acts only where ``friction``
    and ``passive_damping`` are zero. An effort cannot be had from it, so it stays a figure of its own."""


@dataclass(frozen=True, slots=True)
class Body:
    """One rigid body."""

    name: str
    path: str
    """Prim path relative to the robot's root prim ('' when the root prim itself is the body)."""
    mass: float
    roles: tuple[Role, ...] = ()
    parent: str | None = None
    """Name of the body that carries it; None for the base."""
    position: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """Origin of the body's frame in the world, robot in the zero pose."""
    rotation: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 1.0)
    """Rotation of the body's frame in the world, quaternion x, y, z, w, robot in the zero pose."""
    com: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """Centre of mass in the body's frame."""
    inertia: tuple[float, float, float, float, float, float] = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    """Inertia about the centre of mass along the body's axes: xx, yy, zz, xy, xz, yz (kg m2)."""


@dataclass(frozen=True, slots=True)
class Warning:
    """Something in the file that a user should know or mend; ``code`` is stable, ``message`` says what to do."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class RobotDescription:
    """A robot as read from one USD file.

    Joints stand in the canonical order: breadth first from the base, USD sibling order, D6 axes
    x, y, z.
    Siblings stand in the order in which a traversal of the stage meets their joints. Bodies stand breadth first
    from the base, the base first. In the zero pose the base is where the file puts it and every joint is at zero.
    """

    name: str
    path: str
    """The USD file that engines load (already converted when the source was MJCF or URDF)."""
    root: str
    """Path of the robot's root prim inside that file."""
    articulation_root: str
    """Prim path, relative to ``root``, of the body that is the base ('' for the root prim itself)."""
    up_axis: Literal["X", "Y", "Z"]
    meters_per_unit: float
    fixed_base: bool
    joints: tuple[Joint, ...]
    bodies: tuple[Body, ...]
    standing_height: float
    """Height of the base body's origin above the ground (m) in the standing pose, feet touching."""
    standing_rotation: tuple[float, float, float, float]
    """Rotation of the base body in the standing pose, quaternion x, y, z, w (identity for most files)."""
    self_collision_pairs: tuple[tuple[str, str], ...] = ()
    """Pairs of bodies (by name) that may touch each other: neither neighbours nor filtered in the file."""
    warnings: tuple[Warning, ...] = field(default=())
    source: str = ""
    """What the user named: a bundled robot or a file, before any conversion."""

    @property
    def base(self) -> str:
        """Name of the base body."""
        return self.bodies[0].name

    @property
    def total_mass(self) -> float:
        """Mass of all bodies (kg)."""
        return sum(body.mass for body in self.bodies)

    @property
    def joint_names(self) -> list[str]:
        return [joint.name for joint in self.joints]

    @property
    def body_names(self) -> list[str]:
        return [body.name for body in self.bodies]

    def with_role(self, role: Role) -> list[str]:
        """Names of the bodies that play a role, in body order."""
        return [body.name for body in self.bodies if role in body.roles]

    def to_json(self) -> dict[str, Any]:
        """The description as plain data, with the derived ``total_mass``; infinities stay as floats."""
        return {**asdict(self), "total_mass": self.total_mass}
