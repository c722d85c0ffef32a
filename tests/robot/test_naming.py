from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from humanoid_rl_ext.robot import RobotDescription, load_robot
from humanoid_rl_ext.sim.ovphysx import OvPhysxEngine

LEG = """
      <body name="{side}_leg" pos="0 {y} -0.1">
        <joint axis="0 1 0" range="-60 60"/>
        <geom type="capsule" fromto="0 0 0 0 0 -0.3" size="0.05" mass="2"/>
        <body pos="0 0 -0.35">
          <joint axis="0 1 0" range="-45 45"/>
          <geom type="box" size="0.1 0.05 0.02" mass="{mass}"/>
        </body>
      </body>"""
MJCF = f"""<mujoco model="nameless">
  <worldbody>
    <body name="trunk" pos="0 0 1">
      <freejoint/>
      <geom type="box" size="0.1 0.15 0.1" mass="4"/>
      {LEG.format(side="left", y=0.1, mass=1)}
      {LEG.format(side="right", y=-0.1, mass=3)}
    </body>
  </worldbody>
</mujoco>
"""

BOXED = """(prepend apiSchemas = ["PhysicsRigidBodyAPI", "PhysicsCollisionAPI", "PhysicsMassAPI"])"""
USD = f"""#usda 1.0
(
    defaultPrim = "link"
    metersPerUnit = 1
    upAxis = "Z"
)
def Cube "link" (prepend apiSchemas = ["PhysicsRigidBodyAPI", "PhysicsCollisionAPI", "PhysicsMassAPI",
    "PhysicsArticulationRootAPI"])
{{
    double size = 0.2
    float physics:mass = 4
    SIDES
}}
def "leg"
{{
    def Cube "link" {BOXED}
    {{
        double size = 0.1
        float physics:mass = 2
        double3 xformOp:translate = (0, 0, -0.3)
        uniform token[] xformOpOrder = ["xformOp:translate"]
    }}
    def Cube "foot" {BOXED}
    {{
        double size = 0.1
        float physics:mass = 1
        double3 xformOp:translate = (0, 0, -0.5)
        uniform token[] xformOpOrder = ["xformOp:translate"]
    }}
    def PhysicsRevoluteJoint "joint" (prepend apiSchemas = ["PhysicsDriveAPI:angular"])
    {{
        uniform token physics:axis = "Y"
        rel physics:body0 = </leg/link>
        rel physics:body1 = </leg/foot>
        point3f physics:localPos0 = (0, 0, -0.1)
        point3f physics:localPos1 = (0, 0, 0.1)
        float drive:angular:physics:stiffness = 1
        float drive:angular:physics:maxForce = 20
    }}
}}
"""
SIDE = """
    def Xform "{side}" (instanceable = true
        prepend references = </leg>)
    {{
        double3 xformOp:translate = (0, {y}, 0)
        uniform token[] xformOpOrder = ["xformOp:translate"]
    }}
    def Scope "{side}_hip"
    {{
        def PhysicsRevoluteJoint "joint" (prepend apiSchemas = ["PhysicsDriveAPI:angular"])
        {{
            uniform token physics:axis = "X"
            rel physics:body0 = </link>
            rel physics:body1 = </link/{side}/link>
            point3f physics:localPos0 = (0, {y}, -0.2)
            point3f physics:localPos1 = (0, 0, 0.1)
            float drive:angular:physics:stiffness = 1
            float drive:angular:physics:maxForce = 20
        }}
    }}"""


def test_names_repeated_in_instances_and_below_a_root_that_is_a_body_reach_physics(
    tmp_path: Path, physx: Callable[[RobotDescription], OvPhysxEngine]
) -> None:
    sides = SIDE.format(side="left", y=0.2) + SIDE.format(side="right", y=-0.2)
    (tmp_path / "twins.usda").write_text(USD.replace("SIDES", sides))
    robot = load_robot(tmp_path / "twins.usda")
    assert robot.base == "link"
    assert set(robot.body_names) == {"link", "left_link", "right_link", "left_foot", "right_foot"}
    assert set(robot.joint_names) == {"left_hip_joint", "right_hip_joint", "left_joint", "right_joint"}
    assert robot.with_role("foot") == ["left_foot", "right_foot"]
    engine = physx(robot)
    targets = torch.tensor([0.1 * (index + 1) for index in range(4)]).repeat(2, 1)
    for _ in range(30):
        engine.set_targets("position", targets)
        engine.step(5)
    assert torch.allclose(engine.state.joint_pos, targets, atol=0.15)
    assert engine.state.joint_pos[0].argsort().tolist() == [0, 1, 2, 3]


def test_joints_and_bodies_without_names_of_their_own_reach_physics(
    tmp_path: Path, physx: Callable[[RobotDescription], OvPhysxEngine]
) -> None:
    (tmp_path / "nameless.xml").write_text(MJCF)
    robot = load_robot(tmp_path / "nameless.xml")
    assert len(robot.joints) == len(set(robot.joint_names)) == 4
    assert len(robot.bodies) == len(set(robot.body_names)) == 5
    feet = [body.mass for body in robot.bodies if not any(child.parent == body.name for child in robot.bodies)]
    assert sorted(feet) == pytest.approx([1.0, 3.0])
    engine = physx(robot)
    described = torch.tensor([body.mass for body in robot.bodies])
    assert torch.allclose(engine.get_property("mass")[0], described, rtol=1e-4)
