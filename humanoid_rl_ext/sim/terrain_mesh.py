"""Triangles from a height field, with vertical walls where the ground rises too steeply for a slope."""

from __future__ import annotations

import numpy as np

from humanoid_rl_ext.sim.terrain import Terrain


def triangulate(terrain: Terrain) -> tuple[np.ndarray, np.ndarray]:
    """Vertices (points, 3) float32 (m) and triangles (faces, 3) int32, counter-clockwise from above.

    Two triangles between four samples over the grid and two rings of the border, and eight for the rest of the border,
    which is level. A sample at the foot of a rise steeper than ``steepness`` moves under its upper neighbour, so that
    steps keep their height and get an upright face.
    """
    skip, h, res = terrain.border - 2, terrain.heights, terrain.resolution
    inner = h[skip : h.shape[0] - skip, skip : h.shape[1] - skip]
    nx, ny = inner.shape
    reach_x, reach_y = terrain.reach
    ahead, left = _moves(inner, terrain.steepness * res)
    x = (skip + np.arange(nx))[:, None] * res - reach_x + res * ahead
    y = (skip + np.arange(ny))[None, :] * res - reach_y + res * left
    points = np.stack((x, y, inner), axis=-1).reshape(-1, 3).astype(np.float32)
    at = np.arange(nx * ny, dtype=np.int32).reshape(nx, ny)
    a, b, c, d = (part.ravel() for part in (at[:-1, :-1], at[1:, :-1], at[1:, 1:], at[:-1, 1:]))
    faces = np.where(
        _folds(points, a, b, c, d) & ~_folds(points, b, c, d, a),
        np.stack((b, c, d, b, d, a)),
        np.stack((a, b, c, a, c, d)),
    )
    faces = faces.T.reshape(-1, 3)
    if skip:
        outer = np.array([[-reach_x, -reach_y], [reach_x, -reach_y], [reach_x, reach_y], [-reach_x, reach_y]])
        rim = [at[0, 0], at[-1, 0], at[-1, -1], at[0, -1]]
        far = [len(points) + k for k in range(4)]
        points = np.concatenate((points, np.pad(outer, ((0, 0), (0, 1))).astype(np.float32)))
        frame = [[(far[k], far[k - 3], rim[k - 3]), (far[k], rim[k - 3], rim[k])] for k in range(4)]
        faces = np.concatenate((faces, np.array(frame, np.int32).reshape(-1, 3)))
    return points, faces


def _moves(heights: np.ndarray, rise: float) -> tuple[np.ndarray, np.ndarray]:
    """Steps of -1, 0, 1 along both axes that bring each foot of a wall, and of a wall's corner, under its top."""
    ahead, left = _towards(heights, rise), _towards(heights.T, rise).T
    still = (ahead == 0) & (left == 0)
    padded = np.pad(heights, 1, mode="edge")
    nx, ny = heights.shape
    for dx in (1, -1):
        for dy in (1, -1):
            corner = still & (padded[1 + dx : 1 + dx + nx, 1 + dy : 1 + dy + ny] - heights > rise)
            ahead[corner], left[corner] = dx, dy
    return ahead, left


def _folds(points: np.ndarray, a: np.ndarray, b: np.ndarray, c: np.ndarray, d: np.ndarray) -> np.ndarray:
    """(quads,) whether one of the triangles a b c and a c d faces down."""
    diagonal, one, other = (points[end, :2] - points[a, :2] for end in (c, b, d))
    cross = [side[:, 0] * diagonal[:, 1] - side[:, 1] * diagonal[:, 0] for side in (one, other)]
    return (cross[0] < -1e-6) | (cross[1] > 1e-6)


def _towards(heights: np.ndarray, rise: float) -> np.ndarray:
    steep = np.diff(heights, axis=0)
    moves = np.zeros(heights.shape, np.int8)
    moves[:-1] += steep > rise
    moves[1:] -= steep < -rise  # at the bottom of a ditch of one sample the two cancel out
    return moves
