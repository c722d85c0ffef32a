"""Coarser meshes for drawing: points that lie close together become one (Rossignac and Borrel 1993)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Triangles = NDArray[np.int64]
Mesh = tuple[Array, Triangles]
"""Points (n, 3) and triangles (m, 3)."""

HALVINGS = 8


def simplify(meshes: Sequence[Mesh], budget: int) -> list[Mesh]:
    """The meshes with at most about ``budget`` triangles together, as even in detail as that allows."""
    if sum(len(triangles) for _, triangles in meshes) <= budget:
        return list(meshes)
    spread = max(float(np.ptp(points, axis=0).max()) for points, _ in meshes)
    coarse = [clustered(mesh, spread) for mesh in meshes]
    low, high = 0.0, spread
    for _ in range(HALVINGS):
        cell = (low + high) / 2.0
        candidate = [clustered(mesh, cell) for mesh in meshes]
        if sum(len(triangles) for _, triangles in candidate) <= budget:
            coarse, high = candidate, cell
        else:
            low = cell
    return coarse


def clustered(mesh: Mesh, cell: float) -> Mesh:
    """The mesh with the points of each cube of edge ``cell`` (m) put into their middle; cubes fit the mesh's box."""
    points, triangles = mesh
    low, size = points.min(axis=0), np.ptp(points, axis=0)
    cells = np.maximum(np.round(size / cell), 1.0)  # at least the two ends of each extent stay apart
    place = np.round((points - low) / np.where(size > 0.0, size, 1.0) * cells).astype(np.int64)
    _, owner = np.unique(place, axis=0, return_inverse=True)
    owner = owner.reshape(-1)
    total = np.bincount(owner)
    merged = np.stack([np.bincount(owner, weights=points[:, axis]) / total for axis in range(3)], axis=1)
    corners = owner[triangles]
    a, b, c = corners.T
    kept = corners[(a != b) & (b != c) & (c != a)]
    first = np.argmin(kept, axis=1)[:, None]
    rolled = np.take_along_axis(kept, (first + np.arange(3)) % 3, axis=1)
    return merged, np.unique(rolled, axis=0)
