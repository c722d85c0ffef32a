"""What can be shown over the robot: each overlay turns what is known of an environment into marks. No omni.ui here."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from humanoid_rl_ext.env.snapshot import Snapshot, centre_of_mass
from humanoid_rl_ext.robot.rotation import quat_conjugate, quat_rotate
from humanoid_rl_ext.ui import theme
from humanoid_rl_ext.ui.viewport.sketch import Sketch, convex_hull, inside

if TYPE_CHECKING:
    from humanoid_rl_ext.robot.description import RobotDescription
    from humanoid_rl_ext.robot.visuals import Visual

Array = NDArray[np.float64]

GRAVITY = 9.81
FORCE_LENGTH = 0.5
"""Length (m) of the arrow of a force as large as the robot's weight."""
LEAST_FORCE = 1.0  # N
SPEED_LENGTH = 0.5
"""Length (m) of the arrow of 1 m/s."""
TOUCHING = 0.02
"""Height (m) up to which a foot's corner counts as standing on the ground."""
TRAIL_S = 2.0
LIFT = 0.004
"""Height (m) of flat marks over the ground."""

COMMANDED, ACTUAL = theme.rgb("#4aa3ff"), theme.rgb("#f2f4f7")
FORCE = theme.rgb("#ffd166")
SAFE, UNSAFE = theme.rgb("#8fd14f"), theme.rgb("#ff6b5e")
TARGET = theme.rgb("#e06bd8")


class Anatomy:
    """What the overlays need to know of a robot: boxes around its bodies, its feet, where its joints are."""

    def __init__(self, robot: RobotDescription, visuals: Sequence[Visual]) -> None:
        self.robot = robot
        self.weight = GRAVITY * robot.total_mass
        self.boxes: Array = np.zeros((len(robot.bodies), 8, 3))
        """Corners of each body's bounding box in the body's frame (m)."""
        for body in range(len(robot.bodies)):
            points = [visual.points for visual in visuals if visual.body == body]
            if points:
                every = np.concatenate(points)
                low, high = every.min(axis=0), every.max(axis=0)
                signs = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)])
                self.boxes[body] = low + signs * (high - low)
        index = {body.name: i for i, body in enumerate(robot.bodies)}
        self.feet = [index[name] for name in robot.with_role("foot")]
        self.limits = np.array([joint.effort_limit for joint in robot.joints])
        children = [robot.bodies[index[joint.child]] for joint in robot.joints]
        self.joint_body = np.array([index[joint.child] for joint in robot.joints], dtype=np.int64)
        offset = np.array([joint.anchor for joint in robot.joints]).reshape(-1, 3) - np.array(
            [body.position for body in children]
        ).reshape(-1, 3)
        turn = np.array([body.rotation for body in children]).reshape(-1, 4)
        self._anchor = quat_rotate(quat_conjugate(turn), offset)

    def joint_positions(self, body_pose: Array) -> Array:
        """(joints, 3) a point on each joint's axis in the world."""
        pose = body_pose[self.joint_body]
        return pose[:, :3] + quat_rotate(pose[:, 3:], self._anchor)

    def corners(self, body: int, body_pose: Array) -> Array:
        """(8, 3) corners of a body's box in the world."""
        return body_pose[body, :3] + quat_rotate(body_pose[body, 3:], self.boxes[body])


@dataclass(slots=True)
class Trail:
    """Where the feet have been in the last seconds of the episode."""

    points: deque[tuple[float, Array]] = field(default_factory=deque)
    """Time (s) in the episode and positions (feet, 3)."""

    def add(self, time: float, feet: Array) -> None:
        """Takes a new position; an earlier time than before begins anew."""
        if self.points and time < self.points[-1][0]:
            self.points.clear()
        if not self.points or time > self.points[-1][0]:
            self.points.append((time, feet))
        while self.points[0][0] < time - TRAIL_S:
            self.points.popleft()


@dataclass(frozen=True, slots=True)
class Seen:
    """All that an overlay may use."""

    anatomy: Anatomy
    snapshot: Snapshot
    trail: Trail


def contacts(sketch: Sketch, seen: Seen) -> None:
    """Adds an arrow for the contact force on each body that touches anything."""
    snapshot, anatomy = seen.snapshot, seen.anatomy
    if snapshot.contact_force is None:
        return
    sizes = np.linalg.norm(snapshot.contact_force, axis=1)
    for body in np.flatnonzero(sizes > LEAST_FORCE).tolist():
        corners = anatomy.corners(body, snapshot.body_pose)
        lowest = corners[corners[:, 2] < corners[:, 2].min() + TOUCHING].mean(axis=0)
        scale = FORCE_LENGTH / anatomy.weight * min(1.0, 2.0 * anatomy.weight / sizes[body])
        sketch.arrow(lowest, snapshot.contact_force[body] * scale, FORCE, 3.0)


def balance(sketch: Sketch, seen: Seen) -> None:
    """Adds the centre of mass, the point below it, and the polygon of the corners of the feet that stand."""
    pose, ground = seen.snapshot.body_pose, float(seen.snapshot.origin[2])
    centre = centre_of_mass(seen.anatomy.robot, pose)
    corners = [seen.anatomy.corners(foot, pose) for foot in seen.anatomy.feet]
    standing = np.concatenate([np.zeros((0, 3)), *corners])
    standing = standing[standing[:, 2] < ground + TOUCHING]
    hull = convex_hull(standing[:, :2])
    colour = SAFE if inside(centre[:2], hull) else UNSAFE
    if len(hull) >= 3:
        outline = np.column_stack([hull, np.full(len(hull), ground + LIFT)])
        sketch.area(outline, colour & 0x00FFFFFF | 0x40000000)
        sketch.path(np.vstack([outline, outline[:1]]), colour, 2.0)
    below = np.array([centre[0], centre[1], ground + LIFT])
    sketch.line(centre, below, colour & 0x00FFFFFF | 0xA0000000, 1.5)
    sketch.dot(below, 4.0, colour)
    sketch.dot(centre, 7.0, theme.BACKGROUND)
    sketch.dot(centre, 5.5, colour)


def velocity(sketch: Sketch, seen: Seen) -> None:
    """Adds the commanded and the actual velocity: arrows, and arcs for the yaw rate."""
    snapshot = seen.snapshot
    if snapshot.base_velocity is None:
        return
    start = snapshot.body_pose[0, :3]
    command = snapshot.commands.get("velocity")
    forward = quat_rotate(snapshot.body_pose[0, 3:], [1.0, 0.0, 0.0])
    heading = float(np.arctan2(forward[1], forward[0]))
    if command is not None:
        c, s = np.cos(heading), np.sin(heading)
        asked = np.array([c * command[0] - s * command[1], s * command[0] + c * command[1], 0.0])
        sketch.arrow(start, SPEED_LENGTH * asked, COMMANDED, 4.0)
        _arc(sketch, start, heading, float(command[2]), 0.32, COMMANDED)
    moved = snapshot.base_velocity[:3] * [1.0, 1.0, 0.0]
    sketch.arrow(start, SPEED_LENGTH * moved, ACTUAL, 2.5)
    _arc(sketch, start, heading, float(snapshot.base_velocity[5]), 0.27, ACTUAL)


def _arc(sketch: Sketch, centre: Array, heading: float, rate: float, radius: float, colour: int) -> None:
    """Adds the turn of 1 s at ``rate`` (rad/s), at most half a turn."""
    sweep = min(max(rate, -np.pi), np.pi)
    if abs(sweep) < 0.05:
        return
    angle = heading + np.linspace(0.0, sweep, max(3, int(8 * abs(sweep))))
    circle = np.column_stack([np.cos(angle), np.sin(angle), np.zeros_like(angle)])
    sketch.path(centre + radius * circle, colour, 2.0)
    sketch.dot(centre + radius * circle[-1], 3.5, colour)


def torques(sketch: Sketch, seen: Seen) -> None:
    """Adds a dot at each joint, from green to red by the share of its effort limit; of joints in one place the most."""
    snapshot, anatomy = seen.snapshot, seen.anatomy
    if snapshot.joint_effort is None:
        return
    bounded = np.isfinite(anatomy.limits) & (anatomy.limits > 0.0)
    share = np.where(bounded, np.abs(snapshot.joint_effort) / np.where(bounded, anatomy.limits, 1.0), 0.0)
    places = anatomy.joint_positions(snapshot.body_pose)
    drawn: list[Array] = []
    for joint in np.argsort(-share).tolist():
        if bounded[joint] and all(np.abs(places[joint] - other).max() > 0.01 for other in drawn):
            drawn.append(places[joint])
            size = 3.5 + 6.0 * min(float(share[joint]), 1.0)
            sketch.dot(places[joint], size + 1.5, theme.BACKGROUND)
            sketch.dot(places[joint], size, share_colour(float(share[joint])))


def share_colour(share: float) -> int:
    """Green at 0, yellow at half, red from 1 on."""
    stops = np.array([[0x5F, 0xC2, 0x3A], [0xFF, 0xD1, 0x3D], [0xFF, 0x3B, 0x30]], dtype=float)
    place = 2.0 * min(max(share, 0.0), 1.0)
    low = min(int(place), 1)
    red, green, blue = (stops[low] + (place - low) * (stops[low + 1] - stops[low])).astype(int).tolist()
    return 0xFF000000 | blue << 16 | green << 8 | red


def trajectory(sketch: Sketch, seen: Seen) -> None:
    """Adds the feet's paths, fading with age."""
    points = list(seen.trail.points)
    if len(points) < 2:
        return
    newest = points[-1][0]
    for (_, before), (time, after) in pairwise(points):
        alpha = round(230 * (1.0 - (newest - time) / TRAIL_S))
        for foot in range(len(after)):
            colour = theme.SERIES[(1, 2)[foot % 2]] & 0x00FFFFFF | max(alpha, 0) << 24
            sketch.line(before[foot], after[foot], colour, 2.0)


def target(sketch: Sketch, seen: Seen) -> None:
    """Adds the point that the robot has to reach, with a ring on the ground below it."""
    command = seen.snapshot.commands.get("target")
    if command is None:
        return
    place = seen.snapshot.origin + command
    below = place * [1.0, 1.0, 0.0] + [0.0, 0.0, seen.snapshot.origin[2] + LIFT]
    angle = np.linspace(0.0, 2.0 * np.pi, 21)
    ring = np.column_stack([np.cos(angle), np.sin(angle), np.zeros_like(angle)])
    sketch.path(below + 0.2 * ring, TARGET, 2.0)
    sketch.line(below, place, TARGET, 2.0)
    sketch.dot(place, 6.0, TARGET)


@dataclass(frozen=True, slots=True)
class Overlay:
    """One toggle of the viewport."""

    label: str
    help: str
    draw: Callable[[Sketch, Seen], None]


OVERLAYS = {
    "contacts": Overlay("Contacts", "Contact forces; an arrow of half a metre is the robot's weight", contacts),
    "balance": Overlay("Balance", "Centre of mass, and the polygon of the feet that stand (green: above it)", balance),
    "velocity": Overlay("Velocity", "Commanded (blue) and actual (white) velocity and turning", velocity),
    "torques": Overlay("Torques", "Joint torques: green is little, red is at the effort limit", torques),
    "trajectory": Overlay("Feet", "Paths of the feet in the last 2 s", trajectory),
    "target": Overlay("Target", "The point to reach, where the task has one", target),
}
"""All overlays, in the order of their buttons."""
