"""The robot's surface as one mesh: placed, seen from the camera, lit. Numpy only; what is hidden is left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from humanoid_rl_ext.robot.rotation import matrix_from_quat

if TYPE_CHECKING:
    from humanoid_rl_ext.robot.visuals import Visual

Array = NDArray[np.float32]
Indices = NDArray[np.int32]

KEY_LIGHT = np.array([0.35, -0.45, 0.82], dtype=np.float32)
KEY_LIGHT /= np.linalg.norm(KEY_LIGHT)
AMBIENT, KEY, HEADLIGHT = 0.36, 0.44, 0.34
LIFT = 10.0
"""Added to every colour, of 255: dark parts stay apart from the dark background."""
SKY = 0.08
"""Light from above over light from below."""
LONGEST_EDGE, FINE_EDGE = 0.18, 0.05
"""Triangles with a longer edge (m) are split: what is drawn is sorted by distance, triangle by triangle."""
MOST_SPLITS = 6
DETAIL, DETAIL_NEARER = 0.1, 0.05
"""A piece below this share of its body's largest (by its box) is sorted as if it were so much nearer (m)."""
FLAT = 0.9995
"""Cosine of the angle between two triangles up to which they are drawn as one quadrilateral."""


@dataclass(frozen=True, slots=True)
class Faces:
    """The triangles and quadrilaterals that can be seen, as omni.ui's PolygonMesh takes them."""

    positions: Array
    """(n, 3) all points in the world (m); some are moved towards the eye, which only changes what hides what."""
    counts: NDArray[np.int64]
    """(m,) corners of each face."""
    corners: Indices
    """(sum of counts,) indices of points."""
    colours: NDArray[np.uint32]
    """(sum of counts,) colour of each corner, 0xAABBGGRR; one for all corners of a face."""


class Surface:
    """All visuals of one robot, ready to be posed; made once per robot."""

    def __init__(self, visuals: Sequence[Visual]) -> None:
        parts = [(visual, *_outer(visual, visuals)) for visual in visuals]
        starts = np.cumsum([0, *(len(points) for _, points, _ in parts)])
        self.points: Array = np.concatenate([np.zeros((0, 3), np.float32), *(points for _, points, _ in parts)])
        """(n, 3) in the frame of their body."""
        faces = [_paired(points, corners) for _, points, corners in parts]
        every = [np.where(own >= 0, own + start, -1) for own, start in zip(faces, starts, strict=False)]
        self.faces: Indices = np.concatenate([np.zeros((0, 4), np.int32), *every]).astype(np.int32)
        """(m, 4) indices of points, the last of a triangle -1."""
        self._body = np.repeat([v.body for v, _, _ in parts], [len(points) for _, points, _ in parts]).astype(np.int64)
        self._nearer = np.repeat(_nearer(visuals), [len(points) for _, points, _ in parts])[:, None]
        colours = np.array([v.colour for v, _, _ in parts], dtype=np.float32).reshape(-1, 3)
        self._colour = np.repeat(255.0 * colours, [len(own) for own in faces], axis=0)
        self._normal = _normals(self.points, self.faces)
        self._face_body = self._body[self.faces[:, 0]]
        self._counts = np.where(self.faces[:, 3] < 0, 3, 4)

    def placed(self, body_pose: NDArray[np.float64]) -> Array:
        """(n, 3) all points in the world with the bodies at ``body_pose`` (bodies, 7: position, quaternion xyzw)."""
        return self._placed(matrix_from_quat(body_pose[:, 3:]).astype(np.float32), body_pose)

    def seen(self, body_pose: NDArray[np.float64], eye: NDArray[np.float64]) -> Faces:
        """What is seen from ``eye`` (3,) with the bodies at ``body_pose`` (bodies, 7: position, quaternion xyzw)."""
        turn = matrix_from_quat(body_pose[:, 3:]).astype(np.float32)
        placed = self._placed(turn, body_pose)
        normal = np.einsum("nij,nj->ni", turn[self._face_body], self._normal)
        to_eye = eye.astype(np.float32) - placed[self.faces[:, 0]]
        facing = np.einsum("ni,ni->n", normal, to_eye)
        front = np.flatnonzero(facing > 0.0)
        normal = normal[front]
        light = AMBIENT + SKY * normal[:, 2] + KEY * np.maximum(normal @ KEY_LIGHT, 0.0)
        light += HEADLIGHT * facing[front] / np.linalg.norm(to_eye[front], axis=1)
        red, green, blue = np.minimum(LIFT + self._colour[front] * light[:, None], 255.0).astype(np.uint32).T
        towards = eye.astype(np.float32) - placed
        placed += towards * (self._nearer / np.linalg.norm(towards, axis=1, keepdims=True))
        colour = red | green << 8 | blue << 16 | np.uint32(0xFF000000)
        counts, corners = self._counts[front], self.faces[front].reshape(-1)
        return Faces(placed, counts, corners[corners >= 0], np.repeat(colour, counts))

    def _placed(self, turn: Array, body_pose: NDArray[np.float64]) -> Array:
        position = body_pose[:, :3].astype(np.float32)
        placed: Array = np.einsum("nij,nj->ni", turn[self._body], self.points) + position[self._body]
        return placed


def _nearer(visuals: Sequence[Visual]) -> Array:
    """(pieces,) by how much (m) each piece is sorted nearer to the eye: details would sink into what bears them."""
    boxes = [float(np.prod(np.ptp(visual.points, axis=0))) for visual in visuals]
    largest: dict[int, float] = {}
    for visual, box in zip(visuals, boxes, strict=True):
        largest[visual.body] = max(box, largest.get(visual.body, 0.0))
    small = [box < DETAIL * largest[visual.body] for visual, box in zip(visuals, boxes, strict=True)]
    return np.where(small, DETAIL_NEARER, 0.0).astype(np.float32)


def _normals(points: Array, corners: Indices) -> Array:
    """(m, 3) unit normals of faces, from their first three corners."""
    a, b, c = points[corners[:, :3]].transpose(1, 0, 2)
    normal: Array = np.cross(b - a, c - a)
    return normal / np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12)


def _outer(visual: Visual, visuals: Sequence[Visual]) -> tuple[Array, Indices]:
    """Points and triangles of a piece, without what lies inside other convex pieces of its body; long edges halved.

    Edges are halved down to ``FINE_EDGE`` where two pieces meet, else to ``LONGEST_EDGE``.
    """
    points, corners = visual.points, visual.triangles
    others = [other for other in visuals if other is not visual and other.body == visual.body and _is_hull(other)]
    boxes = [(other.points.min(axis=0), other.points.max(axis=0)) for other in others]
    for _ in range(MOST_SPLITS):
        for other in others:
            corners = corners[~_within(points, other)[corners].all(axis=1)]
        lower, upper = points[corners].min(axis=1), points[corners].max(axis=1)
        limit = np.full(len(corners), LONGEST_EDGE)
        for low, high in boxes:
            limit[((lower < high) & (upper > low)).all(axis=1)] = FINE_EDGE
        edges = np.linalg.norm(points[np.roll(corners, -1, axis=1)] - points[corners], axis=2)
        long = edges.max(axis=1, initial=0.0) > limit
        if not long.any():
            break
        points, corners = _halved(points, corners, long, edges.argmax(axis=1))
    return points, corners


def _is_hull(visual: Visual) -> bool:
    """Whether the piece is convex."""
    return bool(_heights(visual.points, visual).max() < 1e-4)


def _within(points: Array, hull: Visual) -> NDArray[np.bool_]:
    """(n,) which points lie inside a convex piece."""
    return _heights(points, hull).max(axis=1) < 0.0


def _heights(points: Array, hull: Visual) -> Array:
    """(n, m) how far points lie above the planes of a piece's triangles (m)."""
    normal = _normals(hull.points, hull.triangles)
    heights: Array = points @ normal.T - np.einsum("mi,mi->m", normal, hull.points[hull.triangles[:, 0]])
    return heights


def _halved(
    points: Array, corners: Indices, long: NDArray[np.bool_], longest: NDArray[np.int64]
) -> tuple[Array, Indices]:
    """The same surface with the triangles ``long`` cut in two through their longest edge (0, 1 or 2)."""
    turned = (longest[long, None] + np.arange(3)) % 3  # first the two ends of the longest edge
    a, b, c = np.take_along_axis(corners[long], turned, axis=1).T
    ends, place = np.unique(np.sort(np.stack([a, b], axis=1), axis=1), axis=0, return_inverse=True)
    middle = (len(points) + place.reshape(-1)).astype(np.int32)
    halves = [np.stack([a, middle, c], axis=1), np.stack([middle, b, c], axis=1)]
    return np.concatenate([points, points[ends].mean(axis=1)]), np.concatenate([corners[~long], *halves])


def _paired(points: Array, corners: Indices) -> Indices:
    """(m, 4) faces: triangles that lie flat beside each other made into convex quadrilaterals, others with a last -1.

    Half as many faces take little more than half the time to draw.
    """
    normal = _normals(points, corners)
    beside: dict[tuple[int, int], int] = {}
    faces: dict[int, list[int]] = {}
    for face, (a, b, c) in enumerate(corners.tolist()):
        faces[face] = [a, b, c, -1]
        best: tuple[float, int, list[int]] | None = None
        for first, second, third in ((a, b, c), (b, c, a), (c, a, b)):
            other = beside.get((second, first))
            if other is None or faces[other][3] >= 0 or normal[face] @ normal[other] < FLAT:
                continue
            apex = next(corner for corner in faces[other][:3] if corner not in (first, second))
            quad = [first, apex, second, third]
            if _is_convex(points[quad], normal[face]):
                shared = float(np.linalg.norm(points[second] - points[first]))
                if best is None or shared > best[0]:
                    best = shared, other, quad
        if best is not None:
            faces[best[1]] = best[2]
            del faces[face]
        else:
            beside |= {(a, b): face, (b, c): face, (c, a): face}
    return np.array(list(faces.values()), dtype=np.int32).reshape(-1, 4)


def _is_convex(quad: Array, normal: Array) -> bool:
    edges = np.roll(quad, -1, axis=0) - quad
    return bool((np.cross(edges, np.roll(edges, -1, axis=0)) @ normal > 1e-9).all())
