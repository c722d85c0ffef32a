"""Coulomb friction, viscous friction and PhysX' coefficient: three figures that must not be taken for one another."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from humanoid_rl_ext.robot import JointOverride, RobotDescription, RobotOverrides, load_robot
from humanoid_rl_ext.sim.ovphysx import OvPhysxEngine

PhysX = Callable[[RobotDescription], OvPhysxEngine]

MJCF = """<mujoco model="sled">
  <worldbody>
    <body name="rail" pos="0 0 2">
      <geom type="box" size="0.1 0.1 0.1" mass="5"/>
      <body name="sled">
        <joint name="slide" type="slide" axis="1 0 0" damping="3" frictionloss="0.7"/>
        <geom type="box" size="0.1 0.1 0.1" mass="1.5"/>
        <body name="wheel">
          <joint name="turn" axis="0 1 0" damping="0.2" frictionloss="0.4"/>
          <geom type="cylinder" size="0.1 0.02" euler="90 0 0" mass="0.5"/>
        </body>
      </body>
    </body>
  </worldbody>
</mujoco>
"""


@pytest.fixture
def sled(tmp_path: Path) -> Path:
    path = tmp_path / "sled.xml"
    path.write_text(MJCF)
    return path


def in_physx(engine: OvPhysxEngine) -> list[list[float]]:
    """Static, dynamic and viscous friction of the first robot's joints as PhysX has them."""
    binding = engine._backend.bind("DOF_FRICTION_PROPERTIES")
    held = torch.zeros(binding.shape)
    binding.read(held)
    return held[0].tolist()


def coasting(engine: OvPhysxEngine, speed: float, seconds: float) -> float:
    """Speed (m/s) of the sled after coasting without drives."""
    engine.set_targets("effort", torch.zeros(2, 2))
    velocity = torch.tensor([[speed, 0.0]]).repeat(2, 1)
    everywhere = torch.ones(2, dtype=torch.bool)
    engine.reset(everywhere, engine.state.root_pose.clone(), torch.zeros(2, 6), torch.zeros(2, 2), velocity)
    engine.step(round(seconds / engine.dt))
    return float(engine.state.joint_vel[0, 0])


def test_frictions_of_an_mjcf_file_are_read_and_act(sled: Path, physx: PhysX) -> None:
    robot = load_robot(sled)
    assert [joint.friction for joint in robot.joints] == pytest.approx([0.7, 0.4])
    assert [joint.passive_damping for joint in robot.joints] == pytest.approx([3.0, 0.2], rel=1e-5)
    engine = physx(robot)
    for held, wanted in zip(in_physx(engine), ([0.7, 0.7, 3.0], [0.4, 0.4, 0.2]), strict=True):
        assert held == pytest.approx(wanted, rel=1e-4)
    # m dv/dt = -friction - damping v, from 2 m/s with 2 kg for 0.2 s
    decay = 2.718281828 ** (-3.0 / 2.0 * 0.2)
    assert coasting(engine, 2.0, 0.2) == pytest.approx((2.0 + 0.7 / 3.0) * decay - 0.7 / 3.0, rel=0.02)


def test_overridden_frictions_reach_physx_over_the_files(sled: Path, physx: PhysX) -> None:
    none = JointOverride(friction=0.0, passive_damping=0.0)
    some = JointOverride(friction=1.25, passive_damping=0.5)
    engine = physx(load_robot(sled, RobotOverrides(joints={"slide": none, "turn": some})))
    slide, turn = in_physx(engine)
    assert slide == [0.0, 0.0, 0.0]
    assert turn == pytest.approx([1.25, 1.25, 0.5], rel=1e-4)
    assert coasting(engine, 2.0, 0.2) == pytest.approx(2.0, rel=1e-3)


def test_physx_coefficient_is_a_figure_of_its_own_and_acts_in_proportion_to_load(sled: Path, physx: PhysX) -> None:
    only = JointOverride(friction=0.0, passive_damping=0.0, friction_coefficient=0.1)
    robot = load_robot(sled, RobotOverrides(joints={"slide": only}))
    assert (robot.joints[0].friction, robot.joints[0].friction_coefficient) == (0.0, 0.1)
    engine = physx(robot)
    assert in_physx(engine)[0] == [0.0, 0.0, 0.0]
    assert coasting(engine, 2.0, 0.2) < 1.95
