"""Rotations for batches of environments. Quaternions are x, y, z, w."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
else:
    from humanoid_rl_ext.lazy import LazyModule

    torch = LazyModule("torch")


def matrix_from_quat(quat: torch.Tensor) -> torch.Tensor:
    """(..., 4) unit quaternions xyzw to (..., 3, 3) rotation matrices."""
    xyz, w = quat[..., :3], quat[..., 3:]
    xx2, yy2, zz2 = (2 * xyz * xyz).unbind(-1)
    xy2, yz2, xz2 = (2 * xyz * xyz.roll(-1, -1)).unbind(-1)
    wx2, wy2, wz2 = (2 * w * xyz).unbind(-1)
    entries = (
        *(1 - yy2 - zz2, xy2 - wz2, xz2 + wy2),
        *(xy2 + wz2, 1 - xx2 - zz2, yz2 - wx2),
        *(xz2 - wy2, yz2 + wx2, 1 - xx2 - yy2),
    )
    return torch.stack(entries, dim=-1).unflatten(-1, (3, 3))


def quat_from_euler(roll: torch.Tensor, pitch: torch.Tensor, yaw: torch.Tensor) -> torch.Tensor:
    """(...) angles (rad) about fixed x, then y, then z axes to (..., 4) quaternions xyzw."""
    cr, cp, cy = torch.cos(roll / 2), torch.cos(pitch / 2), torch.cos(yaw / 2)
    sr, sp, sy = torch.sin(roll / 2), torch.sin(pitch / 2), torch.sin(yaw / 2)
    return torch.stack(
        (
            sr * cp * cy - cr * sp * sy,
            cr * sp * cy + sr * cp * sy,
            cr * cp * sy - sr * sp * cy,
            cr * cp * cy + sr * sp * sy,
        ),
        dim=-1,
    )


def quat_mul(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """The rotation ``b`` followed by ``a``: (..., 4) quaternions xyzw."""
    va, wa, vb, wb = a[..., :3], a[..., 3:], b[..., :3], b[..., 3:]
    vector = wa * vb + wb * va + torch.linalg.cross(*torch.broadcast_tensors(va, vb), dim=-1)
    return torch.cat((vector, wa * wb - (va * vb).sum(-1, keepdim=True)), dim=-1)


def rotate(quat: torch.Tensor, vector: torch.Tensor) -> torch.Tensor:
    """``vector`` (..., 3) turned by ``quat`` (..., 4): from a body's frame into the world's for a body's rotation."""
    axis, w = quat[..., :3], quat[..., 3:]
    twice = 2.0 * torch.linalg.cross(axis, vector)
    return vector + w * twice + torch.linalg.cross(axis, twice)
