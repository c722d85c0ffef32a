"""What a robot looks like: triangles of every body, few enough to be drawn many times a second."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pxr import Gf, Usd, UsdGeom, UsdShade

from humanoid_rl_ext.robot.description import Body, RobotDescription
from humanoid_rl_ext.robot.shapes import RING, Shape, read_shape
from humanoid_rl_ext.robot.shapes import fan as fan
from humanoid_rl_ext.robot.simplify import simplify
from humanoid_rl_ext.robot.stage import is_body, is_collider, open_stage, pose_and_scale, value

Array = NDArray[np.float64]
Triangles = NDArray[np.int64]
Colour = tuple[float, float, float]

SEGMENTS = (8, 12)
"""Corners that a small and a large circle are drawn with."""
SEGMENTS_PER_METRE = 150
"""Of radius."""
BUDGET = 3000
"""Triangles of a robot's meshes, more than which are simplified away."""
COLOURS: dict[str, Colour] = {
    "foot": (0.93, 0.42, 0.16),
    "hand": (0.93, 0.62, 0.36),
    "head": (0.90, 0.91, 0.93),
    "base": (0.34, 0.38, 0.45),
    "": (0.72, 0.75, 0.79),
}
"""Of bodies that the file gives no colour, by role."""
DIFFUSE = ("diffuseColor", "diffuse_color_constant", "diffuse_color", "base_color", "baseColor")


@dataclass(frozen=True, slots=True)
class Visual:
    """One piece of one body, in the body's frame (m); triangles are seen from where they run counter-clockwise."""

    body: int
    """Index in the description's order."""
    points: NDArray[np.float32]
    """(n, 3)."""
    triangles: NDArray[np.int32]
    """(m, 3) indices of points."""
    colour: Colour
    """Red, green, blue from 0 to 1."""


def read_visuals(robot: RobotDescription, budget: int = BUDGET) -> list[Visual]:
    """The visible geometry of every body; colliders for a body that shows nothing.

    Meshes are simplified until they have at most ``budget`` triangles together.

    Raises:
        RobotError: for a file that cannot be opened.
    """
    stage = open_stage(Path(robot.path))
    cache = UsdGeom.XformCache()
    root = stage.GetPrimAtPath(robot.root)
    pieces: list[tuple[int, Array, Triangles, Colour]] = []
    meshes: list[int] = []
    for index, body in enumerate(robot.bodies):
        prim = root.GetPrimAtPath(body.path) if body.path else root
        position, quat, _ = pose_and_scale(cache.GetLocalToWorldTransform(prim))
        own = list(_shapes(prim))
        shown = [shape for shape in own if _is_shown(shape)] or [shape for shape in own if is_collider(shape)]
        for shape_prim in shown:
            to_world = cache.GetLocalToWorldTransform(shape_prim)
            shape = read_shape(shape_prim, to_world * _inverse(position, quat))
            if shape is None:
                continue
            if shape_prim.IsA(UsdGeom.Mesh):
                points, triangles = shape.points, _mesh_triangles(shape_prim, to_world)
                meshes.append(len(pieces))
            else:
                points, triangles = _surface(shape_prim.GetTypeName(), shape)
            pieces.append((index, points, triangles, _colour(shape_prim, body)))
    simple = simplify([(pieces[place][1], pieces[place][2]) for place in meshes], budget)
    for place, (points, triangles) in zip(meshes, simple, strict=True):
        pieces[place] = (pieces[place][0], points, triangles, pieces[place][3])
    return [
        Visual(body, points.astype(np.float32), triangles.astype(np.int32), colour)
        for body, points, triangles, colour in pieces
        if len(triangles)
    ]


def _shapes(body: Usd.Prim) -> Iterator[Usd.Prim]:
    """Geometry below a body, without that of bodies nested in it."""
    walk = iter(Usd.PrimRange(body, Usd.TraverseInstanceProxies()))
    for prim in walk:
        if prim != body and is_body(prim):
            walk.PruneChildren()
        elif prim.IsA(UsdGeom.Gprim):
            yield prim


def _is_shown(prim: Usd.Prim) -> bool:
    image = UsdGeom.Imageable(prim)
    shown = image.ComputePurpose() in (UsdGeom.Tokens.default_, UsdGeom.Tokens.render)
    return shown and image.ComputeVisibility() != UsdGeom.Tokens.invisible


def _inverse(position: Array, quat: Array) -> Gf.Matrix4d:
    """From the world to a frame at that position and rotation."""
    x, y, z, w = (float(number) for number in quat)
    frame = Gf.Matrix4d(1.0)
    frame.SetRotateOnly(Gf.Quatd(w, x, y, z))
    frame.SetTranslateOnly(Gf.Vec3d(*(float(number) for number in position)))
    return frame.GetInverse()


def _mesh_triangles(prim: Usd.Prim, to_world: Gf.Matrix4d) -> Triangles:
    """(m, 3) triangles that run counter-clockwise seen from outside."""
    mesh = UsdGeom.Mesh(prim)
    counts = np.array(mesh.GetFaceVertexCountsAttr().Get() or [], dtype=np.int64)
    triangles = fan(counts, np.array(mesh.GetFaceVertexIndicesAttr().Get() or [], dtype=np.int64))
    mirrored = to_world.GetDeterminant3() < 0.0
    left_handed = value(prim, "orientation", "rightHanded") == UsdGeom.Tokens.leftHanded
    return triangles[:, ::-1] if mirrored != left_handed else triangles


def _colour(prim: Usd.Prim, body: Body) -> Colour:
    """The shape's display colour, else its material's, else one that suits the body's role."""
    shown = UsdGeom.Gprim(prim).GetDisplayColorPrimvar().ComputeFlattened()
    if shown:
        return _rgb(shown[0])
    subsets = UsdGeom.Subset.GetAllGeomSubsets(UsdGeom.Imageable(prim))
    for painted in (prim, *(subset.GetPrim() for subset in subsets)):
        material = UsdShade.MaterialBindingAPI(painted).ComputeBoundMaterial()[0]
        for shader in Usd.PrimRange(material.GetPrim()) if material else ():
            for name in DIFFUSE:
                found = value(shader, f"inputs:{name}")
                if found is not None and len(found) >= 3:
                    return _rgb(found)
    role = next((role for role in COLOURS if role in body.roles), "")
    return COLOURS[role]


def _rgb(colour: Gf.Vec3f) -> Colour:
    red, green, blue = (min(max(float(colour[i]), 0.0), 1.0) for i in range(3))
    return red, green, blue


_BOX_FACES = ((0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3))
_BOX = np.array([(face[0], face[i], face[i + 1]) for face in _BOX_FACES for i in (1, 2)])


def _surface(kind: str, shape: Shape) -> tuple[Array, Triangles]:
    """Points and triangles around a box, ball, capsule, cylinder or cone."""
    points = shape.points
    if kind == "Cube":
        return points, _BOX
    if kind in ("Sphere", "Capsule", "Capsule_1"):
        return _rounded(points[0], points[-1], shape.radius)
    lower, upper = points[: RING : RING // 12], points[RING :: RING // 12]
    return _loft(lower.mean(axis=0), [lower, upper] if len(upper) > 1 else [lower], upper.mean(axis=0))


def _rounded(start: Array, end: Array, radius: float) -> tuple[Array, Triangles]:
    """A capsule between two centres; a ball where they are one."""
    span = end - start
    length = float(np.linalg.norm(span))
    along = span / length if length > 0.0 else np.array([0.0, 0.0, 1.0])
    side = np.cross(along, np.eye(3)[np.abs(along).argmin()])
    side /= np.linalg.norm(side)
    segments = int(np.clip(round(SEGMENTS_PER_METRE * radius), *SEGMENTS))
    turn = np.linspace(0.0, 2.0 * np.pi, segments, endpoint=False)[:, None]
    circle = radius * (np.cos(turn) * side + np.sin(turn) * np.cross(along, side))
    narrow, lift = circle * np.sqrt(0.5), radius * np.sqrt(0.5) * along
    rings = [start - lift + narrow, start + circle, end + circle, end + lift + narrow]
    if length == 0.0:
        del rings[2]
    return _loft(start - radius * along, rings, end + radius * along)


def _loft(start: Array, rings: list[Array], end: Array) -> tuple[Array, Triangles]:
    """A closed surface through rings of equally many points, pointed or flat at ``start`` and ``end``.

    Seen from ``end``, rings run counter-clockwise.
    """
    count = len(rings[0])
    here = np.arange(count)
    following = (here + 1) % count
    triangles = []
    for k in range(len(rings) - 1):
        low, high = 1 + k * count, 1 + (k + 1) * count
        triangles.append(np.stack([low + here, low + following, high + following], axis=1))
        triangles.append(np.stack([low + here, high + following, high + here], axis=1))
    last = 1 + (len(rings) - 1) * count
    top = np.full(count, last + count)
    triangles.append(np.stack([1 + following, 1 + here, np.zeros(count, dtype=np.int64)], axis=1))
    triangles.append(np.stack([last + here, last + following, top], axis=1))
    return np.concatenate([start[None], *rings, end[None]]), np.concatenate(triangles)
