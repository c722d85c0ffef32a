"""The terrain around a robot as a mesh: what is near, lit, and faded out. Numpy only; what is hidden is left out."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from humanoid_rl_ext.ui.viewport.shapes import AMBIENT, KEY, KEY_LIGHT, Faces

if TYPE_CHECKING:
    from humanoid_rl_ext.sim.terrain import Terrain

Array = NDArray[np.float64]

REACH = 3.5
"""Radius (m) of what is drawn; it moves by whole metres."""
SPACING = 0.2
"""Least distance between two points that are drawn (m)."""
COLOUR = np.array([104.0, 110.0, 118.0])
SQUARES = 0.86
"""Brightness of every other square metre: a pattern to judge distance and speed by."""
BACKGROUND = np.array([22.0, 20.0, 18.0])
"""What the ground fades into at its rim."""
NEAREST = 0.1
"""Distance (m) in front of the eye from which on ground is drawn."""


class GroundPatch:
    """The part of a terrain that is around one place."""

    def __init__(self, terrain: Terrain) -> None:
        self.terrain = terrain
        self._step = max(1, round(SPACING / terrain.resolution))
        self._place: tuple[int, int] | None = None
        self._points = np.zeros((0, 3), np.float32)
        self._quads = np.zeros((0, 4), np.int32)
        self._middles = self._normals = np.zeros((0, 3))
        self._colours = np.zeros(0, np.uint32)

    def height_at(self, place: Array) -> float:
        """Height of the ground (m) at a place (x, y, ...) in the world; beyond the terrain that of its rim."""
        heights = self.terrain.heights
        i, j = (
            min(max(round((float(place[axis]) + reach) / self.terrain.resolution), 0), heights.shape[axis] - 1)
            for axis, reach in enumerate(self.terrain.reach)
        )
        return float(heights[i, j])

    def seen(self, place: Array, eye: Array, ahead: Array) -> Faces:
        """What a camera at ``eye`` (3,) sees of the ground around ``place`` (x, y, ...), the farthest first.

        ``ahead`` (3,) is the unit vector of its direction: faces that reach behind it would cover everything.
        """
        self._move(place)
        to_eye = eye - self._middles
        before = (self._points - eye) @ ahead > NEAREST
        seen = (np.einsum("ni,ni->n", self._normals, to_eye) > 0.0) & before[self._quads].all(axis=1)
        kept = np.flatnonzero(seen)
        order = kept[np.argsort(-np.einsum("ni,ni->n", to_eye[kept], to_eye[kept]), kind="stable")]
        counts = np.full(len(order), 4)
        return Faces(self._points, counts, self._quads[order].reshape(-1), np.repeat(self._colours[order], 4))

    def _move(self, place: Array) -> None:
        """Makes points and faces anew where ``place`` is in another square metre than before."""
        at = round(float(place[0])), round(float(place[1]))
        if at == self._place:
            return
        self._place = at
        heights, resolution = self.terrain.heights, self.terrain.resolution
        along = []
        for axis, reach in enumerate(self.terrain.reach):
            first = math.floor((at[axis] - REACH + reach) / resolution / self._step) * self._step
            index = np.arange(first, first + 2 * REACH / resolution + self._step, self._step, dtype=int)
            along.append(index[(index >= 0) & (index < heights.shape[axis])])
        x, y = (index * resolution - reach for index, reach in zip(along, self.terrain.reach, strict=True))
        grid = np.stack([*np.meshgrid(x, y, indexing="ij"), heights[np.ix_(*along)]], axis=-1)
        number = np.arange(len(x) * len(y), dtype=np.int32).reshape(len(x), len(y))
        corners = (number[:-1, :-1], number[1:, :-1], number[1:, 1:], number[:-1, 1:])
        quads = np.stack(corners, axis=-1).reshape(-1, 4)
        points = grid.reshape(-1, 3)
        middles = points[quads].mean(axis=1)
        distance = np.hypot(middles[:, 0] - at[0], middles[:, 1] - at[1]) / REACH
        near = distance < 1.0
        self._points, self._quads, self._middles = points.astype(np.float32), quads[near], middles[near]
        a, b, c, d = points[self._quads].transpose(1, 0, 2)
        normals = np.cross(c - a, d - b)
        self._normals = normals / np.linalg.norm(normals, axis=1, keepdims=True)
        self._colours = self._painted(distance[near])

    def _painted(self, distance: Array) -> NDArray[np.uint32]:
        """The colour of each face, 0xAABBGGRR; ``distance`` is the share of the way to the rim."""
        light = AMBIENT + KEY * np.maximum(self._normals @ KEY_LIGHT, 0.0) / KEY_LIGHT[2]
        odd = np.floor(self._middles[:, :2]).sum(axis=1) % 2 == 1
        colour = COLOUR * (light * np.where(odd, SQUARES, 1.0))[:, None]
        fade = distance[:, None] ** 2
        red, green, blue = np.clip(colour * (1.0 - fade) + BACKGROUND * fade, 0.0, 255.0).astype(np.uint32).T
        painted: NDArray[np.uint32] = red | green << 8 | blue << 16 | np.uint32(0xFF000000)
        return painted
