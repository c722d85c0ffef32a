"""What a bundled robot is made of: solids, links and motors, as plain data. SI units, Z up, X forward, Y left."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from humanoid_rl_ext.robot import mass as solids
from humanoid_rl_ext.robot.mass import MassProperties
from humanoid_rl_ext.robot.rotation import matrix_from_quat

Vec = tuple[float, float, float]
Quat = tuple[float, float, float, float]

UNLIMITED = (-math.inf, math.inf)


@dataclass(frozen=True, slots=True)
class Solid:
    """A shape of a link: kind, size, place in the link's frame, and whether it collides.

    ``size`` is (x, y, z) for a box, (radius,) for a sphere, (radius, height) for a capsule or cylinder along
    its z axis (a capsule's height is the distance between the centres of its caps).
    """

    name: str
    kind: str
    size: tuple[float, ...]
    at: Vec = (0.0, 0.0, 0.0)
    rotation: Quat = (0.0, 0.0, 0.0, 1.0)
    collides: bool = True
    colour: Vec | None = None

    def mass_properties(self) -> MassProperties:
        """Mass properties at a density of 1 kg/m3 in the link's frame."""
        if self.kind == "box":
            own = solids.box(np.array(self.size), 1.0)
        elif self.kind == "sphere":
            own = solids.sphere(self.size[0], 1.0)
        else:
            own = (solids.capsule if self.kind == "capsule" else solids.cylinder)(self.size[0], self.size[1], 1.0)
        return own.moved(matrix_from_quat(self.rotation), np.array(self.at))


@dataclass(frozen=True, slots=True)
class Motor:
    """The joint that carries a link: axis, limits (rad or m) and drive (gains per rad or per m, effort, speed)."""

    name: str
    axis: str
    limits: tuple[float, float]
    stiffness: float
    damping: float
    effort: float
    speed: float
    armature: float
    kind: str = "revolute"


@dataclass(frozen=True, slots=True)
class Link:
    """A rigid body whose frame stands at its joint, parallel to the world when all joints are at zero."""

    name: str
    mass: float
    solids: tuple[Solid, ...]
    colour: Vec
    parent: str | None = None
    at: Vec = (0.0, 0.0, 0.0)
    """Place of the joint in the parent's frame; of the base in the world."""
    motor: Motor | None = None

    def mass_properties(self) -> MassProperties:
        """Mass properties of the link: its mass spread evenly over its solids."""
        whole = solids.total(solid.mass_properties() for solid in self.solids)
        return whole.scaled(self.mass / whole.mass)


@dataclass(frozen=True, slots=True)
class Robot:
    """A robot: the base first, every parent before its children."""

    name: str
    links: tuple[Link, ...]
    fixed_base: bool = False
    doc: str = ""
    origins: dict[str, Vec] = field(init=False)
    """Place of every link's frame in the world when all joints are at zero."""

    def __post_init__(self) -> None:
        origins: dict[str, Vec] = {}
        for link in self.links:
            parent = origins[link.parent] if link.parent else (0.0, 0.0, 0.0)
            # Rounded so that the file shows 0.41 and not 0.41000000000000003.
            x, y, z = (round(p + a, 6) for p, a in zip(parent, link.at, strict=True))
            origins[link.name] = (x, y, z)
        object.__setattr__(self, "origins", origins)


def capsule(name: str, start: Vec, end: Vec, radius: float, collides: bool = True, colour: Vec | None = None) -> Solid:
    """A capsule between two points (the centres of its caps)."""
    a, b = np.array(start), np.array(end)
    length = float(np.linalg.norm(b - a))
    along = (b - a) / length
    quat = np.array([-along[1], along[0], 0.0, 1.0 + along[2]])  # the shortest turn that takes +z to `along`
    norm = float(np.linalg.norm(quat))
    unit = quat / norm if norm > 1e-9 else np.array([1.0, 0.0, 0.0, 0.0])
    middle = np.round((a + b) / 2.0, 9)
    return Solid(
        name,
        "capsule",
        (radius, round(length, 9)),
        (float(middle[0]), float(middle[1]), float(middle[2])),
        (float(unit[0]), float(unit[1]), float(unit[2]), float(unit[3])),
        collides,
        colour,
    )


def box(name: str, size: Vec, at: Vec = (0.0, 0.0, 0.0), collides: bool = True, colour: Vec | None = None) -> Solid:
    """A box of edge lengths ``size`` centred at ``at``."""
    return Solid(name, "box", size, at, collides=collides, colour=colour)


def sphere(
    name: str, radius: float, at: Vec = (0.0, 0.0, 0.0), collides: bool = True, colour: Vec | None = None
) -> Solid:
    """A ball centred at ``at``."""
    return Solid(name, "sphere", (radius,), at, collides=collides, colour=colour)
