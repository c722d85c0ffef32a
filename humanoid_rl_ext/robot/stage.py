"""Opening USD files and asking prims for what physics needs."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pxr import Gf, Sdf, Tf, Usd, UsdGeom, UsdPhysics

from humanoid_rl_ext.errors import RobotError
from humanoid_rl_ext.robot.rotation import quat_from_matrix

Array = NDArray[np.float64]

USD_SUFFIXES = (".usd", ".usda", ".usdc", ".usdz")


def open_stage(path: Path) -> Usd.Stage:
    """The stage of a USD file with all payloads loaded; RobotError when it cannot be opened."""
    try:
        return Usd.Stage.Open(str(path))
    except Tf.ErrorException as error:
        reason = _reason(str(error))
        raise RobotError(f"{path}: not a readable USD file: {reason}") from error


def _reason(message: str) -> str:
    """What USD says went wrong, without the names of its source files."""
    said = re.findall(r" : '(.+?)'?\s*$", message, flags=re.MULTILINE)
    return said[0] if said else " ".join(message.split())


def prims(root: Usd.Prim) -> Iterator[Usd.Prim]:
    """Active, defined, loaded prims from ``root`` on in traversal order, those inside instances included."""
    return iter(Usd.PrimRange(root, Usd.TraverseInstanceProxies()))


def has_schema(prim: Usd.Prim, name: str) -> bool:
    """Whether an API schema is applied, known to this USD build or not (``Name`` or ``Name:instance``)."""
    return name in prim.GetPrimTypeInfo().GetAppliedAPISchemas()


def is_body(prim: Usd.Prim) -> bool:
    """Whether the prim is a rigid body that takes part in physics."""
    if not prim.HasAPI(UsdPhysics.RigidBodyAPI):
        return False
    return UsdPhysics.RigidBodyAPI(prim).GetRigidBodyEnabledAttr().Get() is not False


def is_collider(prim: Usd.Prim) -> bool:
    """Whether the prim is a shape that collides."""
    return bool(prim.HasAPI(UsdPhysics.CollisionAPI)) and (
        UsdPhysics.CollisionAPI(prim).GetCollisionEnabledAttr().Get() is not False
    )


def value(prim: Usd.Prim, attribute: str, default: Any = None) -> Any:
    """The attribute's authored or fallback value, ``default`` where it has neither."""
    found = prim.GetAttribute(attribute).Get() if prim.HasAttribute(attribute) else None
    return default if found is None else found


def authored(prim: Usd.Prim, attribute: str) -> float | None:
    """The attribute's authored number; None where the file does not say."""
    attr = prim.GetAttribute(attribute)
    if not attr or not attr.HasAuthoredValue():
        return None
    found = attr.Get()
    return None if found is None or math.isnan(float(found)) else float(found)


def unlimited(number: float | None) -> float | None:
    """The number with USD's stand-ins for infinity (anything from 1e30 on) made infinite."""
    if number is None or abs(number) < 1e30:
        return number
    return math.copysign(math.inf, number)


def targets(prim: Usd.Prim, relationship: str) -> list[Sdf.Path]:
    """Paths that a relationship points to; none where it is absent."""
    rel = prim.GetRelationship(relationship)
    return list(rel.GetTargets()) if rel else []


def pose_and_scale(matrix: Gf.Matrix4d) -> tuple[Array, Array, Array]:
    """Position (3,), quaternion (4,) and scale (3,) of a transform; shear is dropped."""
    rows = np.array(matrix, dtype=np.float64)  # USD matrices act on row vectors
    scale = np.linalg.norm(rows[:3, :3], axis=1)
    if np.linalg.det(rows[:3, :3]) < 0.0:
        scale = -scale
    safe = np.where(np.abs(scale) < 1e-12, 1.0, scale)
    left, _, right = np.linalg.svd((rows[:3, :3] / safe[:, None]).T)
    return rows[3, :3].copy(), quat_from_matrix(left @ right), scale


def world_matrix(cache: UsdGeom.XformCache, prim: Usd.Prim) -> Gf.Matrix4d:
    """Transform of the prim to the world at the default time."""
    return cache.GetLocalToWorldTransform(prim)
