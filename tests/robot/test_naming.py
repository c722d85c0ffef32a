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
