"""Rotations by unit quaternions x, y, z, w."""

from __future__ import annotations

import torch


def rotate(quaternion: torch.Tensor, vector: torch.Tensor) -> torch.Tensor:
    """``vector`` (..., 3) turned by ``quaternion`` (..., 4): from a body's frame into the world's for a body's pose."""
    axis, w = quaternion[..., :3], quaternion[..., 3:]
    twice = 2.0 * torch.linalg.cross(axis, vector)
    return vector + w * twice + torch.linalg.cross(axis, twice)
