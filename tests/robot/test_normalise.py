"""Copies in Z up and metres, made from the bundled walker retold in other conventions, weighed and stood in PhysX."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from pxr import Gf, Sdf, Usd, UsdGeom, UsdPhysics

from humanoid_rl_ext.robot import RobotDescription, load_robot
from humanoid_rl_ext.robot.bundled import bundled_path
from humanoid_rl_ext.robot.overrides import PRESET_FOLDER, read_overrides
from humanoid_rl_ext.sim.ovphysx import OvPhysxEngine

PhysX = Callable[[RobotDescription], OvPhysxEngine]

LENGTHS = ("size", "radius", "height", "physics:centerOfMass", "physics:localPos0", "physics:localPos1")
SQUARED = ("physics:diagonalInertia", "physxJoint:armature", "maxForce", "stiffness", "damping")
"""kg m2, N m, N m/rad: of an angular drive all go with the square of the length."""


@dataclass(frozen=True)
class Convention:
    up: str
    metre: float
    turn: Gf.Rotation
    """Takes a vector with Z up to the same vector in this convention."""


CONVENTIONS = {
    "Z up, metres": Convention("Z", 1.0, Gf.Rotation(Gf.Vec3d(1, 0, 0), 0.0)),
    "X up, metres": Convention("X", 1.0, Gf.Rotation(Gf.Vec3d(0, 1, 0), 90.0)),
    "Y up, centimetres": Convention("Y", 0.01, Gf.Rotation(Gf.Vec3d(1, 0, 0), -90.0)),
}


def retold(convention: Convention, path: Path) -> Path:
    """The walker's file with all its numbers and the poses of its bodies told in the convention."""
    stage = Usd.Stage.Open(bundled_path("walker").as_posix(), Usd.Stage.LoadAll)
    layer = Sdf.Layer.CreateNew(str(path))
    layer.TransferContent(stage.GetRootLayer())
    copy = Usd.Stage.Open(layer)
    longer = 1.0 / convention.metre
    for prim in copy.Traverse():
        for attribute in prim.GetAuthoredAttributes():
            name = attribute.GetName()
            if name in LENGTHS or name.startswith("xformOp:translate"):
                attribute.Set(attribute.Get() * longer)
            elif name.endswith(SQUARED):
                attribute.Set(attribute.Get() * longer**2)
        if prim.HasAPI(UsdPhysics.RigidBodyAPI):
            place = prim.GetAttribute("xformOp:translate")
            place.Set(convention.turn.TransformDir(place.Get()))
            body = UsdGeom.Xformable(prim)
            assert [op.GetOpName() for op in body.GetOrderedXformOps()] == ["xformOp:translate"]
            body.AddOrientOp(UsdGeom.XformOp.PrecisionDouble).Set(Gf.Quatd(convention.turn.GetQuat()))
    UsdGeom.SetStageUpAxis(copy, convention.up) if convention.up != "X" else copy.SetMetadata("upAxis", "X")
    UsdGeom.SetStageMetersPerUnit(copy, convention.metre)
    layer.Save()
    return path


def read(convention: str, folder: Path) -> RobotDescription:
    path = retold(CONVENTIONS[convention], folder / "retold.usda")
    return load_robot(path, read_overrides(PRESET_FOLDER / "walker.yaml"))


def resting_weight(engine: OvPhysxEngine) -> float:
    """Upward contact force (N) on a robot, averaged over half a second after two seconds on the ground."""
    engine.step(round(2.0 / engine.dt))
    forces = []
    for _ in range(round(0.5 / engine.dt)):
        engine.step(1)
        forces.append(engine.read_contacts()[0, :, 2].sum().clone())
    return float(torch.stack(forces).mean())


@pytest.mark.parametrize("convention", list(CONVENTIONS))
def test_a_robot_weighs_and_stands_the_same_in_every_convention(convention: str, tmp_path: Path, physx: PhysX) -> None:
    walker = load_robot("walker")
    robot = read(convention, tmp_path)
    assert (robot.up_axis, robot.meters_per_unit) == (CONVENTIONS[convention].up, CONVENTIONS[convention].metre)
    assert robot.joint_names == walker.joint_names
    assert robot.standing_height == pytest.approx(walker.standing_height, rel=0.01)
    for mine, theirs in zip(robot.joints, walker.joints, strict=True):
        for name in ("lower", "upper", "stiffness", "damping", "effort_limit", "velocity_limit", "armature"):
            assert getattr(mine, name) == pytest.approx(getattr(theirs, name), rel=1e-3), (mine.name, name)
    engine = physx(robot)
    masses = torch.tensor([body.mass for body in walker.bodies])
    assert torch.allclose(engine.get_property("mass")[0], masses, rtol=0.01)
    assert float(engine.state.root_pose[0, 2]) == pytest.approx(walker.standing_height, rel=0.01)
    assert resting_weight(engine) == pytest.approx(9.81 * walker.total_mass, rel=0.01)
