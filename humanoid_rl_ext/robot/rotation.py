"""Rotations in numpy: quaternions x, y, z, w and 3 x 3 matrices, single or batched in front."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


def quat_multiply(a: ArrayLike, b: ArrayLike) -> Array:
    """Product a * b (..., 4): first rotate by b, then by a."""
    ax, ay, az, aw = np.moveaxis(np.asarray(a, dtype=np.float64), -1, 0)
    bx, by, bz, bw = np.moveaxis(np.asarray(b, dtype=np.float64), -1, 0)
    return np.stack(
        [
            aw * bx + ax * bw + ay * bz - az * by,
            aw * by - ax * bz + ay * bw + az * bx,
            aw * bz + ax * by - ay * bx + az * bw,
            aw * bw - ax * bx - ay * by - az * bz,
        ],
        axis=-1,
    )


def quat_conjugate(quat: ArrayLike) -> Array:
    """The inverse rotation of a unit quaternion (..., 4)."""
    return np.asarray(quat, dtype=np.float64) * np.array([-1.0, -1.0, -1.0, 1.0])


def quat_rotate(quat: ArrayLike, vector: ArrayLike) -> Array:
    """Vectors (..., 3) rotated by unit quaternions (..., 4)."""
    quat, vector = np.asarray(quat, dtype=np.float64), np.asarray(vector, dtype=np.float64)
    axis, w = quat[..., :3], quat[..., 3:]
    twice = 2.0 * np.cross(axis, vector)
    return vector + w * twice + np.cross(axis, twice)


def quat_from_axis_angle(axis: ArrayLike, angle: ArrayLike) -> Array:
    """Unit quaternion (..., 4) of a turn by ``angle`` (...) rad about the unit ``axis`` (..., 3)."""
    half = 0.5 * np.asarray(angle, dtype=np.float64)[..., None]
    axis = np.broadcast_to(np.asarray(axis, dtype=np.float64), (*half.shape[:-1], 3))
    return np.concatenate([axis * np.sin(half), np.cos(half)], axis=-1)


def quat_from_vector(vector: ArrayLike) -> Array:
    """Unit quaternion (..., 4) of a rotation vector (..., 3): a turn by its length (rad) about its direction."""
    vector = np.asarray(vector, dtype=np.float64)
    angle = np.linalg.norm(vector, axis=-1, keepdims=True)
    return np.concatenate([0.5 * np.sinc(angle / (2.0 * np.pi)) * vector, np.cos(0.5 * angle)], axis=-1)


def quat_from_matrix(matrix: ArrayLike) -> Array:
    """Unit quaternion (4,) of a rotation matrix (3, 3), w not negative."""
    m = np.asarray(matrix, dtype=np.float64)
    # Bar-Itzhack (2000): the quaternion is the leading eigenvector, which stays accurate for every angle.
    k = np.array(
        [
            [m[0, 0] - m[1, 1] - m[2, 2], m[0, 1] + m[1, 0], m[0, 2] + m[2, 0], m[2, 1] - m[1, 2]],
            [m[0, 1] + m[1, 0], m[1, 1] - m[0, 0] - m[2, 2], m[1, 2] + m[2, 1], m[0, 2] - m[2, 0]],
            [m[0, 2] + m[2, 0], m[1, 2] + m[2, 1], m[2, 2] - m[0, 0] - m[1, 1], m[1, 0] - m[0, 1]],
            [m[2, 1] - m[1, 2], m[0, 2] - m[2, 0], m[1, 0] - m[0, 1], m[0, 0] + m[1, 1] + m[2, 2]],
        ]
    )
    quat: Array = np.linalg.eigh(k)[1][:, -1]
    return -quat if quat[3] < 0.0 else quat


def matrix_from_quat(quat: ArrayLike) -> Array:
    """Rotation matrices (..., 3, 3) of unit quaternions (..., 4)."""
    quat = np.asarray(quat, dtype=np.float64)
    columns = [quat_rotate(quat, np.broadcast_to(unit, (*quat.shape[:-1], 3))) for unit in np.eye(3)]
    return np.stack(columns, axis=-1)
