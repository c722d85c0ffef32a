from __future__ import annotations

import math
from pathlib import Path

import pytest
from pxr import Usd, UsdGeom, UsdPhysics

from humanoid_rl_ext.robot import RobotDescription, load_robot
from humanoid_rl_ext.robot.prepare import author_overrides
from humanoid_rl_ext.robot.stage import has_schema

CLUTTERED = """#usda 1.0
(
    defaultPrim = "R"
    metersPerUnit = 1
    upAxis = "Z"
)
def Xform "R" (prepend apiSchemas = ["PhysicsArticulationRootAPI"])
{
    def PhysicsScene "scene"
    {
    }
    def PhysicsCollisionGroup "group"
    {
    }
    def Plane "floor" (prepend apiSchemas = ["PhysicsCollisionAPI"])
    {
    }
    def Xform "a" (prepend apiSchemas = ["PhysicsRigidBodyAPI"])
    {
        double3 xformOp:translate = (0, 0, 2)
        uniform token[] xformOpOrder = ["xformOp:translate"]
        def Sphere "shape" (prepend apiSchemas = ["PhysicsCollisionAPI"])
        {
            double radius = 0.1
        }
    }
    def Xform "b" (prepend apiSchemas = ["PhysicsRigidBodyAPI"])
    {
    }
    def PhysicsSphericalJoint "ball"
    {
        rel physics:body0 = </R/a>
        rel physics:body1 = </R/b>
        uniform token physics:axis = "X"
        float physics:coneAngle0Limit = 40
        float physics:coneAngle1Limit = 50
    }
    def PhysicsFixedJoint "world"
    {
        rel physics:body1 = </R/a>
    }
}
"""


def composed(robot: RobotDescription, self_collision: bool = False) -> tuple[Usd.Stage, Usd.Prim]:
    stage = Usd.Stage.CreateInMemory()
    UsdGeom.Xform.Define(stage, "/World")
    prim = stage.DefinePrim("/World/Robot")
    prim.GetReferences().AddReference(robot.path, robot.root)
    author_overrides(stage, "/World/Robot", robot, self_collision)
    return stage, prim


@pytest.fixture
def cluttered(tmp_path: Path) -> Path:
    path = tmp_path / "cluttered.usda"
    path.write_text(CLUTTERED)
    return path


def test_every_joint_says_what_the_description_says() -> None:
    robot = load_robot("humanoid")
    stage, _ = composed(robot)
    for joint in robot.joints:
        prim = stage.GetPrimAtPath(f"/World/Robot/{joint.path}")
        drive = UsdPhysics.DriveAPI(prim, "angular")
        assert drive.GetStiffnessAttr().Get() == pytest.approx(joint.stiffness * math.pi / 180)
        assert drive.GetMaxForceAttr().Get() == pytest.approx(joint.effort_limit)
        assert UsdPhysics.RevoluteJoint(prim).GetUpperLimitAttr().Get() == pytest.approx(math.degrees(joint.upper))
        assert has_schema(prim, "PhysxJointAPI")
        assert prim.GetAttribute("physxJoint:armature").Get() == pytest.approx(joint.armature)


def test_the_articulation_starts_at_the_base_and_never_sleeps() -> None:
    stage, _ = composed(load_robot("walker"))
    roots = [prim for prim in stage.Traverse() if prim.HasAPI(UsdPhysics.ArticulationRootAPI)]
    assert [str(prim.GetPath()) for prim in roots] == ["/World/Robot/trunk"]
    assert roots[0].GetAttribute("physxArticulation:sleepThreshold").Get() == 0.0


def test_what_is_not_the_robot_is_silenced(cluttered: Path) -> None:
    _, prim = composed(load_robot(cluttered))
    assert not prim.GetChild("scene").IsActive()
    assert not prim.GetChild("group").IsActive()
    assert UsdPhysics.CollisionAPI(prim.GetChild("floor")).GetCollisionEnabledAttr().Get() is False
    assert not prim.HasAPI(UsdPhysics.ArticulationRootAPI)
    assert prim.GetChild("fixed_base").HasAPI(UsdPhysics.ArticulationRootAPI)
    assert not prim.GetChild("world").IsActive()


def test_a_fixed_base_stays_where_the_file_puts_it(cluttered: Path) -> None:
    _, prim = composed(load_robot(cluttered))
    joint = UsdPhysics.FixedJoint(prim.GetChild("fixed_base"))
    assert tuple(joint.GetLocalPos0Attr().Get()) == pytest.approx((0, 0, 2))


def test_a_ball_joint_becomes_a_d6_joint_with_three_drives(cluttered: Path) -> None:
    _, prim = composed(load_robot(cluttered))
    ball = prim.GetChild("ball")
    assert ball.GetTypeName() == "PhysicsJoint"
    assert all(ball.HasAPI(UsdPhysics.DriveAPI, axis) for axis in ("rotX", "rotY", "rotZ"))
    assert UsdPhysics.LimitAPI(ball, "rotY").GetHighAttr().Get() == pytest.approx(40.0)


def test_a_body_without_mass_or_shape_is_given_the_described_mass(cluttered: Path) -> None:
    _, prim = composed(load_robot(cluttered))
    assert UsdPhysics.MassAPI(prim.GetChild("b")).GetMassAttr().Get() == 1.0
    assert not prim.GetChild("a").HasAPI(UsdPhysics.MassAPI)


def test_self_collision_filters_only_pairs_that_may_not_touch() -> None:
    robot = load_robot("humanoid")
    stage, _ = composed(robot, self_collision=True)
    allowed = {frozenset(pair) for pair in robot.self_collision_pairs}
    for body in robot.bodies:
        prim = stage.GetPrimAtPath(f"/World/Robot/{body.path}")
        for target in UsdPhysics.FilteredPairsAPI(prim).GetFilteredPairsRel().GetTargets():
            assert frozenset((body.name, target.name)) not in allowed
    assert frozenset(("left_foot", "right_foot")) in allowed
