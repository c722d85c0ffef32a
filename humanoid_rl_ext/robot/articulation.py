"""Finds the one articulation of a stage and lays it out as a tree. SI units, Z up (the stage is normalised)."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from pxr import Sdf, Usd, UsdGeom, UsdPhysics

from humanoid_rl_ext.errors import RobotError
from humanoid_rl_ext.robot.description import Warning
from humanoid_rl_ext.robot.rotation import quat_conjugate, quat_multiply, quat_rotate
from humanoid_rl_ext.robot.stage import is_body, pose_and_scale, prims, targets, value

Array = NDArray[np.float64]
Frame = tuple[Array, Array]
"""Position (3,) and quaternion (4,)."""

WORLD = Sdf.Path.emptyPath


@dataclass(slots=True)
class BodyPrim:
    """A rigid body as the stage has it; pose at the file's rest."""

    prim: Usd.Prim
    position: Array
    rotation: Array
    scale: Array


@dataclass(slots=True)
class JointPrim:
    """A joint as the stage has it: two sides (``WORLD`` for none) and its frame in each."""

    prim: Usd.Prim
    sides: tuple[Sdf.Path, Sdf.Path]
    frames: tuple[Frame, Frame]

    @property
    def is_fixed(self) -> bool:
        return bool(self.prim.IsA(UsdPhysics.FixedJoint))

    def other(self, body: Sdf.Path) -> Sdf.Path:
        """The body at the other side."""
        return self.sides[1] if self.sides[0] == body else self.sides[0]


@dataclass(slots=True)
class Edge:
    """A joint of the tree, and which of its sides is the child (0 or 1)."""

    joint: JointPrim
    parent: Sdf.Path
    child: Sdf.Path
    child_side: int


@dataclass(slots=True)
class Articulation:
    """The tree: bodies breadth first, and the edge that leads to each body but the first."""

    root: Usd.Prim
    bodies: list[BodyPrim]
    edges: list[Edge]
    fixed_base: bool
    root_apis: list[Usd.Prim]
    world_joints: list[JointPrim]
    """Fixed joints between the robot and the world."""
    rails: list[JointPrim]
    """Joints that move a body of the robot against the world; not part of the tree."""
    loops: list[JointPrim]
    warnings: list[Warning] = field(default_factory=list)


def find_articulation(stage: Usd.Stage, source: str, base_patterns: Iterable[str] = ()) -> Articulation:
    """The only articulation of the stage.

    The base is the body that a fixed joint ties to the world; else the body that a pattern in ``base_patterns``
    names; else the body that carries ArticulationRootAPI; else the body that no joint leads to, of several the one
    with the shallowest tree, then the greatest authored mass, then the first in the stage.
    RobotError when there is no articulation or more than one.
    """
    everything = list(prims(stage.GetPseudoRoot()))
    roots = [prim for prim in everything if prim.HasAPI(UsdPhysics.ArticulationRootAPI)]
    if not roots:
        raise RobotError(
            f"{source}: holds no articulation; apply PhysicsArticulationRootAPI to the robot's base body or root prim"
        )
    cache = UsdGeom.XformCache()
    bodies = {prim.GetPath(): _body(cache, prim) for prim in everything if is_body(prim)}
    warnings: list[Warning] = []
    joints = [
        joint
        for prim in everything
        if prim.IsA(UsdPhysics.Joint) and (joint := _joint(stage, cache, prim, bodies)) is not None
    ]
    groups = [(api, _group(api, bodies, joints)) for api in roots]
    distinct = {frozenset(group): api for api, group in groups}
    if len(distinct) > 1:
        first, second = list(distinct.values())[:2]
        raise RobotError(
            f"{source}: holds {len(distinct)} articulations ({first.GetPath()} and {second.GetPath()}); "
            "keep one robot per file"
        )
    group = groups[0][1]
    if not group:
        raise RobotError(f"{source}: the articulation at {roots[0].GetPath()} has no rigid body")
    mine = [joint for joint in joints if any(side in group for side in joint.sides)]
    world = [joint for joint in mine if WORLD in joint.sides and joint.is_fixed]
    rails = [joint for joint in mine if WORLD in joint.sides and not joint.is_fixed]
    for joint in rails:
        text = "moves the robot against the world and is left out, because its base is free or fixed to the world"
        warnings.append(Warning("world_joint", f"joint {joint.prim.GetPath()} {text}"))
    inner = [joint for joint in mine if WORLD not in joint.sides]
    base = _base(group, inner, world, roots[0], base_patterns, bodies)
    order, edges, loops = _breadth_first(base, inner)
    tied = {frozenset(edge.joint.sides) for edge in edges}
    for joint in loops:
        if frozenset(joint.sides) in tied:
            text = "is a second joint between the same two bodies and is left out: put a small body between the joints"
            warnings.append(Warning("parallel_joints", f"joint {joint.prim.GetPath()} {text}"))
        else:
            text = "closes a loop and is left out: a robot has to be a tree here"
            warnings.append(Warning("loop", f"joint {joint.prim.GetPath()} {text}"))
    tree = set(order)
    root = _root_prim(stage, [*order, *(j.prim.GetPath() for j in mine), *(api.GetPath() for api in roots)])
    loose = [path for path in bodies if path not in tree and path.HasPrefix(root.GetPath())]
    if loose:
        names = ", ".join(path.name for path in loose)
        warnings.append(Warning("loose_body", f"no joint ties {names} to the robot: left out of the description"))
    return Articulation(
        root, [bodies[path] for path in order], edges, bool(world), roots, world, rails, loops, warnings
    )


def _body(cache: UsdGeom.XformCache, prim: Usd.Prim) -> BodyPrim:
    position, rotation, scale = pose_and_scale(cache.GetLocalToWorldTransform(prim))
    return BodyPrim(prim, position, rotation, scale)


def _joint(
    stage: Usd.Stage, cache: UsdGeom.XformCache, prim: Usd.Prim, bodies: dict[Sdf.Path, BodyPrim]
) -> JointPrim | None:
    if value(prim, "physics:excludeFromArticulation") or value(prim, "physics:jointEnabled") is False:
        return None
    sides: list[Sdf.Path] = []
    frames: list[Frame] = []
    for side in (0, 1):
        path, frame = _side(stage, cache, prim, side, bodies)
        sides.append(path)
        frames.append(frame)
    return JointPrim(prim, (sides[0], sides[1]), (frames[0], frames[1])) if sides[0] != sides[1] else None


def _side(
    stage: Usd.Stage, cache: UsdGeom.XformCache, prim: Usd.Prim, side: int, bodies: dict[Sdf.Path, BodyPrim]
) -> tuple[Sdf.Path, Frame]:
    """The body at one side of a joint and the joint's frame in it (in the world where there is no body)."""
    position = np.array(value(prim, f"physics:localPos{side}", (0.0, 0.0, 0.0)), dtype=np.float64)
    local = value(prim, f"physics:localRot{side}")
    quat = np.array([*local.GetImaginary(), local.GetReal()]) if local is not None else np.array([0.0, 0.0, 0.0, 1.0])
    norm = float(np.linalg.norm(quat))
    quat = quat / norm if norm > 1e-9 else np.array([0.0, 0.0, 0.0, 1.0])
    linked = targets(prim, f"physics:body{side}")
    target = stage.GetPrimAtPath(linked[0]) if linked else None
    if not target:
        return WORLD, (position, quat)
    origin, turn, scale = pose_and_scale(cache.GetLocalToWorldTransform(target))
    placed = origin + quat_rotate(turn, position * scale), quat_multiply(turn, quat)
    owner = target
    while owner and owner.GetPath() not in bodies:
        owner = owner.GetParent()
    if not owner:
        return WORLD, placed
    body = bodies[owner.GetPath()]
    return owner.GetPath(), relative(placed, (body.position, body.rotation))


def relative(frame: Frame, to: Frame) -> Frame:
    """A world frame as seen from another world frame."""
    back = quat_conjugate(to[1])
    return quat_rotate(back, frame[0] - to[0]), quat_multiply(back, frame[1])


def _group(api: Usd.Prim, bodies: dict[Sdf.Path, BodyPrim], joints: list[JointPrim]) -> set[Sdf.Path]:
    """Bodies of the articulation that an ArticulationRootAPI marks: the largest set that joints tie together."""
    path = api.GetPath()
    if api.IsA(UsdPhysics.Joint):
        starts = [side for joint in joints if joint.prim == api for side in joint.sides if side != WORLD]
    elif path in bodies:
        starts = [path]
    else:
        starts = [body for body in bodies if body.HasPrefix(path)]
    ties: dict[Sdf.Path, list[Sdf.Path]] = {}
    for joint in joints:
        if WORLD not in joint.sides:
            ties.setdefault(joint.sides[0], []).append(joint.sides[1])
            ties.setdefault(joint.sides[1], []).append(joint.sides[0])
    best: set[Sdf.Path] = set()
    seen: set[Sdf.Path] = set()
    for start in starts:
        if start in seen:
            continue
        group, queue = {start}, [start]
        while queue:
            for other in ties.get(queue.pop(), []):
                if other not in group:
                    group.add(other)
                    queue.append(other)
        seen |= group
        if len(group) > len(best):
            best = group
    return best


def _base(
    group: set[Sdf.Path],
    joints: list[JointPrim],
    world: list[JointPrim],
    api: Usd.Prim,
    patterns: Iterable[str],
    bodies: dict[Sdf.Path, BodyPrim],
) -> Sdf.Path:
    for joint in world:
        return joint.other(WORLD)
    ordered = [path for path in bodies if path in group]
    for path in ordered:
        if any(re.fullmatch(pattern, path.name) for pattern in patterns):
            return path
    if api.GetPath() in group:
        return api.GetPath()
    led_to = {joint.sides[1] for joint in joints}
    candidates = [path for path in ordered if path not in led_to] or ordered
    if len(candidates) == 1:
        return candidates[0]

    def depth(path: Sdf.Path) -> int:
        depths = {path: 0}
        for edge in _breadth_first(path, joints)[1]:
            depths[edge.child] = depths[edge.parent] + 1
        return max(depths.values())

    def mass(path: Sdf.Path) -> float:
        return float(value(bodies[path].prim, "physics:mass", 0.0))

    return min(candidates, key=lambda path: (depth(path), -mass(path), ordered.index(path)))


def _breadth_first(base: Sdf.Path, joints: list[JointPrim]) -> tuple[list[Sdf.Path], list[Edge], list[JointPrim]]:
    """Bodies from the base on, the edges that lead to them, and the joints that would close loops."""
    touching: dict[Sdf.Path, list[JointPrim]] = {}
    for joint in joints:
        for side in joint.sides:
            touching.setdefault(side, []).append(joint)
    order, edges, used = [base], [], set()
    seen, queue = {base}, deque([base])
    while queue:
        body = queue.popleft()
        for joint in touching.get(body, []):
            child = joint.other(body)
            if child in seen:
                continue
            seen.add(child)
            used.add(joint.prim.GetPath())
            order.append(child)
            edges.append(Edge(joint, body, child, joint.sides.index(child)))
            queue.append(child)
    loops = [joint for joint in joints if joint.prim.GetPath() not in used and set(joint.sides) <= seen]
    return order, edges, loops


def _root_prim(stage: Usd.Stage, paths: list[Sdf.Path]) -> Usd.Prim:
    """The robot's root: the default prim when it holds every part, else the top-level prim that does, else their
    closest common ancestor."""
    default = stage.GetDefaultPrim()
    if default and all(path.HasPrefix(default.GetPath()) for path in paths):
        return default
    common = paths[0]
    for path in paths[1:]:
        common = common.GetCommonPrefix(path)
    if common == Sdf.Path.absoluteRootPath:
        raise RobotError(
            f"{stage.GetRootLayer().realPath}: the robot's parts ({paths[0]}, {paths[-1]}) have no prim in common; "
            "put bodies and joints under one root prim"
        )
    return stage.GetPrimAtPath(common.GetPrefixes()[0])
