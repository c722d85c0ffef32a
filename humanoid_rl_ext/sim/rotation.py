"""Rotations for batches of environments. Quaternions are x, y, z, w.

Every result is one weighted sum over the products of its factors: on a GPU the number of operations is what costs.
"""

from __future__ import annotations

import itertools
import re
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
else:
    from humanoid_rl_ext.lazy import LazyModule

    torch = LazyModule("torch")

MATRIX = "xx+ww-yy-zz 2xy-2wz 2xz+2wy 2xy+2wz yy+ww-xx-zz 2yz-2wx 2xz-2wy 2yz+2wx zz+ww-xx-yy"
"""The entries of a rotation matrix, row by row, in products of a quaternion's components."""
PRODUCT = "xw+wx+yz-zy yw+wy+zx-xz zw+wz+xy-yx ww-xx-yy-zz"
"""The components of a product of two quaternions."""
ANGLES = "scc-css csc+scs ccs-ssc ccc+sss"
"""Quaternion components from cosines and sines of half of roll, pitch and yaw."""

TERM = re.compile(r"([+-]?)(2?)([a-z]+)")


@cache
def _weights(formulas: str, letters: str, device: torch.device) -> torch.Tensor:
    """(formulas, products): the weight of each product of as many components as a formula's terms have factors."""
    sums = [
        {
            factors: float(f"{sign}{weight or 1}")
            for sign, weight, factors in re.findall(r"([+-]?)(2?)([a-z]+)", formula)
        }
        for formula in formulas.split()
    ]
    products = ["".join(factors) for factors in itertools.product(letters, repeat=len(next(iter(sums[0]))))]
    return torch.tensor([[terms.get(product, 0.0) for product in products] for terms in sums], device=device)


def _combined(formulas: str, letters: str, products: torch.Tensor) -> torch.Tensor:
    """(..., formulas) weighted sums of ``products`` (..., products)."""
    return (products.unsqueeze(-2) * _weights(formulas, letters, products.device)).sum(-1)


def matrix_from_quat(quat: torch.Tensor) -> torch.Tensor:
    """(..., 4) unit quaternions xyzw to (..., 3, 3) rotation matrices."""
    products = quat.unsqueeze(-1) * quat.unsqueeze(-2)
    return _combined(MATRIX, "xyzw", products.flatten(-2)).unflatten(-1, (3, 3))


def quat_from_euler(angles: torch.Tensor) -> torch.Tensor:
    """(..., 3) roll, pitch and yaw (rad) about fixed x, then y, then z axes to (..., 4) quaternions xyzw."""
    half = 0.5 * angles
    roll, pitch, yaw = torch.stack((torch.cos(half), torch.sin(half)), dim=-1).unbind(-2)
    products = roll[..., :, None, None] * pitch[..., None, :, None] * yaw[..., None, None, :]
    return _combined(ANGLES, "cs", products.flatten(-3))


def quat_mul(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """The rotation ``b`` followed by ``a``: (..., 4) quaternions xyzw."""
    return _combined(PRODUCT, "xyzw", (a.unsqueeze(-1) * b.unsqueeze(-2)).flatten(-2))


def rotate(quat: torch.Tensor, vector: torch.Tensor) -> torch.Tensor:
    """``vector`` (..., 3) turned by ``quat`` (..., 4): from a body's frame into the world's for a body's rotation."""
    axis, w = quat[..., :3], quat[..., 3:]
    twice = 2.0 * torch.linalg.cross(axis, vector)
    return vector + w * twice + torch.linalg.cross(axis, twice)
