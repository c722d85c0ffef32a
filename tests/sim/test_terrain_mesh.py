"""The mesh that PhysX gets is the height field, with upright walls."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from terrains import terrain

KINDS = {"stairs_down": {}, "obstacles": {}, "random_rough": {}, "gaps": {}, "pyramid": {}}


def areas(points: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """(faces,) signed area seen from above (m2)."""
    a, b, c = (points[faces[:, k]].astype(np.float64) for k in range(3))
    return 0.5 * np.cross(b - a, c - a)[:, 2]


def test_seen_from_above_the_mesh_covers_the_field_once_and_faces_up():
    built = terrain({name: {} for name in KINDS}, rows=2)
    seen = areas(*built.mesh)
    assert (seen < -1e-6).mean() < 1e-3, "but where walls of rough ground meet at a corner"
    assert seen.sum() == pytest.approx(4 * built.reach[0] * built.reach[1], rel=1e-5)


def test_gentle_ground_is_the_height_field_itself():
    built = terrain({"pyramid": {"rise": [0.0, 0.5]}})
    points, _ = built.mesh
    i, j = (np.round((points[:, k] + built.reach[k]) / built.resolution).astype(int) for k in range(2))
    assert np.abs(points[:, 0] - (i * built.resolution - built.reach[0])).max() < 1e-5
    assert np.array_equal(points[:, 2], built.heights[i, j])


def test_steps_are_as_high_as_asked_for_and_upright():
    built = terrain({"stairs_down": {"height": [0.0, 0.18], "depth": 0.5}})
    points, faces = built.mesh
    corners = points[faces]
    heights = np.unique(np.round(points[:, 2], 5))
    assert np.diff(heights) == pytest.approx(0.18, abs=1e-4)
    rise = np.ptp(corners[..., 2], axis=1)
    walls = corners[rise > 1e-6]
    flat = np.minimum(np.ptp(walls[..., 0], axis=1), np.ptp(walls[..., 1], axis=1))
    assert len(walls) and flat.max() < 1e-5, "every triangle that rises stands in a vertical plane"
    assert rise[rise > 1e-6] == pytest.approx(0.18, abs=1e-4)


def test_a_ditch_of_one_sample_stays_open():
    built = terrain({"gaps": {"width": [0.0, 0.1], "depth": 1.0}})
    points, _ = built.mesh
    assert points[:, 2].min() == pytest.approx(-1.0)
