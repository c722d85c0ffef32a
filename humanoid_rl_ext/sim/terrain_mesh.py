"""Triangles from a height field, with vertical walls where the ground rises too steeply for a slope."""

from __future__ import annotations

import numpy as np

from humanoid_rl_ext.sim.terrain import Terrain


def triangulate(terrain: Terrain) -> tuple[np.ndarray, np.ndarray]:
    """Vertices (points, 3) float32 (m) and triangles (faces, 3) int32, counter-clockwise from above.

    Two triangles between four samples over the grid and one ring of the border, and eight for the rest of the border,
    which is level. A sample at the foot of a rise steeper than ``steepness`` moves under its upper neighbour, so that
    steps keep their height and get an upright face.
    """
    skip, h, res = terrain.border - 1, terrain.heights, terrain.resolution
    inner = h[skip : h.shape[0] - skip, skip : h.shape[1] - skip]
    nx, ny = inner.shape
    reach_x, reach_y = terrain.reach
    x = (skip + np.arange(nx))[:, None] * res - reach_x + res * _moves(inner, terrain.steepness * res)
    y = (skip + np.arange(ny))[None, :] * res - reach_y + res * _moves(inner.T, terrain.steepness * res).T
    points = np.stack((x, y, inner), axis=-1).reshape(-1, 3).astype(np.float32)
    at = np.arange(nx * ny, dtype=np.int32).reshape(nx, ny)
    a, b, c, d = (part.ravel() for part in (at[:-1, :-1], at[1:, :-1], at[1:, 1:], at[:-1, 1:]))
    faces = np.concatenate((np.stack((a, b, c), -1), np.stack((a, c, d), -1)))
    if skip:
        outer = np.array([[-reach_x, -reach_y], [reach_x, -reach_y], [reach_x, reach_y], [-reach_x, reach_y]])
        rim = [at[0, 0], at[-1, 0], at[-1, -1], at[0, -1]]
        far = [len(points) + k for k in range(4)]
        points = np.concatenate((points, np.pad(outer, ((0, 0), (0, 1))).astype(np.float32)))
        frame = [[(far[k], far[k - 3], rim[k - 3]), (far[k], rim[k - 3], rim[k])] for k in range(4)]
        faces = np.concatenate((faces, np.array(frame, np.int32).reshape(-1, 3)))
    return points, faces


def _moves(heights: np.ndarray, rise: float) -> np.ndarray:
    """(nx, ny) steps of -1, 0, 1 along the first axis that bring each foot of a wall under the wall's top."""
    steep = np.diff(heights, axis=0)
    moves = np.zeros(heights.shape, np.int8)
    moves[:-1] += steep > rise
    moves[1:] -= steep < -rise  # at the bottom of a ditch of one sample the two cancel out
    return moves
