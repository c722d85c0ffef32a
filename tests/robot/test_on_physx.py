"""What the description says about a robot is what PhysX makes of the same file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from humanoid_rl_ext.robot import RobotDescription, RobotOverrides, bundled_robots, load_robot
from humanoid_rl_ext.robot.kinematics import Kinematics
from humanoid_rl_ext.sim.ovphysx import OvPhysxEngine

PhysX = Callable[[RobotDescription], OvPhysxEngine]

CRANE = """#usda 1.0
(
    defaultPrim = "crane"
    metersPerUnit = 0.01
    upAxis = "Y"
)
def Xform "crane"
{
    def Xform "base" (prepend apiSchemas = ["PhysicsRigidBodyAPI", "PhysicsMassAPI"])
    {
        float physics:mass = 8
        double3 xformOp:translate = (0, 80, 0)
        uniform token[] xformOpOrder = ["xformOp:translate"]
        def Cube "shape" (prepend apiSchemas = ["PhysicsCollisionAPI"])
        {
            double size = 20
        }
        def Xform "upper" (prepend apiSchemas = ["PhysicsRigidBodyAPI"])
        {
            double3 xformOp:translate = (0, 30, 5)
            float3 xformOp:rotateXYZ = (0, 0, 30)
            uniform token[] xformOpOrder = ["xformOp:translate", "xformOp:rotateXYZ"]
            def Sphere "shape" (prepend apiSchemas = ["PhysicsCollisionAPI"])
            {
                double radius = 6
            }
            def Xform "fore" (prepend apiSchemas = ["PhysicsRigidBodyAPI", "PhysicsMassAPI"])
            {
                float physics:mass = 0.7
                float3 physics:diagonalInertia = (20, 30, 25)
                point3f physics:centerOfMass = (1, 2, 3)
                double3 xformOp:translate = (0, 30, 0)
                uniform token[] xformOpOrder = ["xformOp:translate"]
            }
        }
    }
    def Xform "hook" (prepend apiSchemas = ["PhysicsRigidBodyAPI"])
    {
        double3 xformOp:translate = (-30, 170, 5)
        uniform token[] xformOpOrder = ["xformOp:translate"]
        def Capsule "shape" (prepend apiSchemas = ["PhysicsCollisionAPI"])
        {
            double radius = 3
            double height = 10
        }
    }
    def PhysicsFixedJoint "ground" (prepend apiSchemas = ["PhysicsArticulationRootAPI"])
    {
        rel physics:body1 = </crane/base>
        point3f physics:localPos0 = (0, 80, 0)
    }
    def PhysicsRevoluteJoint "turn"
    {
        uniform token physics:axis = "Z"
        rel physics:body0 = </crane/base/upper>
        rel physics:body1 = </crane/base>
        point3f physics:localPos0 = (0, -15, 0)
        quatf physics:localRot0 = (0.9659258, 0, 0, -0.2588190)
        point3f physics:localPos1 = (7.5, 17.009619, 5)
        float physics:lowerLimit = -60
        float physics:upperLimit = 100
    }
    def PhysicsJoint "ball" (
        prepend apiSchemas = [LIMITS]
    )
    {
        rel physics:body0 = </crane/base/upper>
        rel physics:body1 = </crane/base/upper/fore>
        point3f physics:localPos0 = (0, 20, 0)
        point3f physics:localPos1 = (0, -10, 0)
        LOCKED
        float limit:rotX:physics:low = -40
        float limit:rotX:physics:high = 40
        float limit:rotY:physics:low = -30
        float limit:rotY:physics:high = 60
        float limit:rotZ:physics:low = -50
        float limit:rotZ:physics:high = 20
    }
    def PhysicsPrismaticJoint "reach"
    {
        uniform token physics:axis = "Y"
        rel physics:body0 = </crane/base/upper/fore>
        rel physics:body1 = </crane/hook>
        point3f physics:localPos0 = (0, 8, 0)
        quatf physics:localRot0 = (0.9659258, 0, 0, -0.2588190)
        float physics:lowerLimit = -5
        float physics:upperLimit = 20
    }
}
"""
AXES = ("transX", "transY", "transZ", "rotX", "rotY", "rotZ")


def random_pose(robot: RobotDescription, engine: OvPhysxEngine) -> torch.Tensor:
    """Resets every environment to its own random joint positions inside the limits, tilted and lifted if it floats."""
    random = torch.Generator().manual_seed(7)
    lower = torch.tensor([max(joint.lower, -3.0) for joint in robot.joints])
    upper = torch.tensor([min(joint.upper, 3.0) for joint in robot.joints])
    joints = lower + (upper - lower) * torch.rand(2, len(robot.joints), generator=random)
    root = engine.state.root_pose.clone()
    if not robot.fixed_base:
        root[:, 2] += 1.0
        root[:, 3:] = torch.nn.functional.normalize(torch.randn(2, 4, generator=random), dim=-1)
    engine.reset(torch.ones(2, dtype=torch.bool), root, torch.zeros(2, 6), joints, torch.zeros_like(joints))
    return joints


def check(robot: RobotDescription, engine: OvPhysxEngine) -> None:
    """Masses and, after a reset to random joint positions, the poses of all bodies; names agree if it started."""
    masses = torch.tensor([body.mass for body in robot.bodies])
    assert torch.allclose(engine.get_property("mass"), masses.expand(2, -1), rtol=1e-5)
    joints = random_pose(robot, engine)
    assert torch.allclose(engine.state.joint_pos, joints, atol=1e-5)
    root = engine.state.root_pose.numpy()
    positions, quats = Kinematics(robot).body_poses(root[:, :3], root[:, 3:], joints.numpy())
    found = engine.state.body_pose.numpy()
    assert np.abs(found[..., :3] - positions).max() < 1e-4
    same_way = np.sign((found[..., 3:] * quats).sum(axis=-1, keepdims=True))
    assert np.abs(found[..., 3:] - same_way * quats).max() < 1e-4


@pytest.mark.parametrize("name", bundled_robots())
def test_a_bundled_robot_stands_in_physx_as_described(name: str, physx: PhysX) -> None:
    robot = load_robot(name)
    check(robot, physx(robot))


def test_a_file_with_every_oddity_stands_in_physx_as_described(tmp_path: Path, physx: PhysX) -> None:
    path = tmp_path / "crane.usda"
    limits = ", ".join(f'"PhysicsLimitAPI:{axis}"' for axis in AXES)
    locked = "\n".join(f"float limit:{a}:physics:low = 1\nfloat limit:{a}:physics:high = -1" for a in AXES[:3])
    path.write_text(CRANE.replace("LIMITS", limits).replace("LOCKED", locked))
    robot = load_robot(path)
    assert robot.fixed_base
    assert robot.joint_names == ["turn", "ball:x", "ball:y", "ball:z", "reach"]
    check(robot, physx(robot))


def test_a_floating_base_chosen_by_override_stands_in_physx_as_described(physx: PhysX) -> None:
    robot = load_robot("cartpole", RobotOverrides(fixed_base=False))
    check(robot, physx(robot))
