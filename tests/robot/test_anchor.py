"""Robots on rails: MJCF's joints between the world and the first body."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import gymnasium
import mujoco
import numpy as np
import pytest
import torch

from humanoid_rl_ext.robot import RobotDescription, RobotOverrides, load_robot
from humanoid_rl_ext.robot.kinematics import Kinematics
from humanoid_rl_ext.sim.ovphysx import OvPhysxEngine

PhysX = Callable[[RobotDescription], OvPhysxEngine]

PLANAR = """<mujoco model="planar">
  <worldbody>
    <body name="torso" pos="0.1 0 2">
      <joint name="root_x" type="slide" axis="1 0 0" pos="0 0 -2"/>
      <joint name="root_z" type="slide" axis="0 0 1" pos="0 0 -2"/>
      <joint name="root_y" axis="0 1 0"/>
      <geom type="box" size="0.1 0.1 0.2" mass="4"/>
      <body name="leg" pos="0 0 -0.25">
        <joint name="hip" axis="0 1 0" range="-60 40" damping="0.3" frictionloss="0.2"/>
        <geom type="capsule" fromto="0 0 0 0 0 -0.3" size="0.05" mass="2"/>
      </body>
    </body>
  </worldbody>
  <actuator><motor joint="hip" gear="30" ctrlrange="-1 1" ctrllimited="true"/></actuator>
</mujoco>
"""
ASSETS = Path(gymnasium.__file__).parent / "envs" / "mujoco" / "assets"


@pytest.fixture
def planar(tmp_path: Path) -> Path:
    path = tmp_path / "planar.xml"
    path.write_text(PLANAR)
    return path


def random_targets(robot: RobotDescription, engine: OvPhysxEngine, substeps: int) -> None:
    """Drives every joint to random places and asks after each that all is finite."""
    lower = torch.tensor([joint.lower for joint in robot.joints]).clamp(min=-1.0)
    upper = torch.tensor([joint.upper for joint in robot.joints]).clamp(max=1.0)
    random = torch.Generator().manual_seed(4)
    for _ in range(substeps // 5):
        engine.set_targets("position", lower + (upper - lower) * torch.rand(2, len(robot.joints), generator=random))
        engine.step(5)
        assert all(part.isfinite().all() for part in (engine.state.body_pose, engine.state.body_velocity))


def test_joints_to_the_world_start_from_a_body_fixed_to_it(planar: Path) -> None:
    robot = load_robot(planar)
    assert robot.fixed_base
    assert robot.joint_names == ["root_x", "root_z", "root_y", "hip"]
    assert robot.with_role("base") == ["torso"]
    assert robot.total_mass == pytest.approx(6.0, abs=0.002)
    assert "world_joint" not in {warning.code for warning in robot.warnings}


def test_bodies_on_rails_stand_where_mujoco_puts_them(planar: Path) -> None:
    robot = load_robot(planar)
    model = mujoco.MjModel.from_xml_string(PLANAR)
    data = mujoco.MjData(model)
    data.qpos[:] = [0.3, -0.2, 0.7, -0.5]
    mujoco.mj_kinematics(model, data)
    positions, _ = Kinematics(robot).body_poses(robot.bodies[0].position, [0, 0, 0, 1], data.qpos)
    for name in ("torso", "leg"):
        assert positions[robot.body_names.index(name)] == pytest.approx(data.body(name).xpos, abs=1e-5)


def test_rails_without_an_actuator_are_left_to_gravity(planar: Path, physx: PhysX) -> None:
    robot = load_robot(planar)
    engine = physx(robot)
    seconds = 0.25
    engine.step(round(seconds / engine.dt))
    _, z, y, _ = engine.state.joint_pos[0].tolist()
    assert z == pytest.approx(-0.5 * 9.81 * seconds**2, rel=0.05)
    assert y == pytest.approx(0.0, abs=1e-3)


def test_a_free_base_can_be_asked_for(planar: Path, physx: PhysX) -> None:
    robot = load_robot(planar, RobotOverrides(fixed_base=False))
    assert (robot.fixed_base, robot.joint_names, robot.base) == (False, ["hip"], "torso")
    assert "world_joint" in {warning.code for warning in robot.warnings}
    assert physx(robot).state.joint_pos.shape == (2, 1)


@pytest.mark.parametrize(("name", "dofs"), [("half_cheetah", 9), ("hopper", 6), ("walker2d", 9)])
def test_a_planar_robot_of_gymnasium_moves_and_stays_finite(name: str, dofs: int, physx: PhysX) -> None:
    robot = load_robot(ASSETS / f"{name}.xml")
    assert robot.joint_names[:3] == ["rootx", "rootz", "rooty"]
    assert len(robot.joints) == dofs
    engine = physx(robot)
    start = engine.state.joint_pos.clone()
    random_targets(robot, engine, 300)
    assert (engine.state.joint_pos - start).abs().amax(dim=0).min() > 1e-3
    assert np.isfinite(engine.state.root_pose.numpy()).all()


def test_a_robot_on_rails_below_the_ground_is_told_of() -> None:
    warnings = {warning.code: warning.message for warning in load_robot(ASSETS / "inverted_pendulum.xml").warnings}
    assert warnings["below_ground"].startswith("cart, pole reach 0.1")


def test_a_pole_without_a_motor_falls(tmp_path: Path, physx: PhysX) -> None:
    raised = tmp_path / "raised.xml"
    text = (ASSETS / "inverted_pendulum.xml").read_text()
    raised.write_text(text.replace('<body name="cart" pos="0 0 0">', '<body name="cart" pos="0 0 1">'))
    robot = load_robot(raised)
    hinge = robot.joints[1]
    assert (hinge.stiffness, hinge.damping, hinge.effort_limit) == (0.0, 0.0, 0.0)
    assert "no_actuator" in {warning.code for warning in robot.warnings}
    engine = physx(robot)
    tilted = torch.tensor([[0.0, 0.3]]).repeat(2, 1)
    everywhere = torch.ones(2, dtype=torch.bool)
    engine.reset(everywhere, engine.state.root_pose.clone(), torch.zeros(2, 6), tilted, torch.zeros(2, 2))
    engine.step(60)
    assert (engine.state.joint_pos[:, 1] > 0.5).all()
