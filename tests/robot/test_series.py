from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import mujoco
import numpy as np
import pytest
import torch

from humanoid_rl_ext.robot import RobotDescription, load_robot
from humanoid_rl_ext.robot.kinematics import Kinematics
from humanoid_rl_ext.robot.mass import MassProperties, principal, total
from humanoid_rl_ext.sim.ovphysx import OvPhysxEngine

PhysX = Callable[[RobotDescription], OvPhysxEngine]

MJCF = """<mujoco model="hips">
  <compiler angle="radian"/>
  <worldbody>
    <body name="trunk" pos="0 0 1">
      <freejoint/>
      <geom type="box" size="0.1 0.15 0.1" mass="4"/>
      <body name="thigh" pos="0 0.1 -0.1" euler="0.2 0 0.3">
        <joint name="hip_x" axis="1 0 0" range="-0.4 0.5" armature="0.01"/>
        <joint name="hip_z" axis="0 0.6 0.8" pos="0.01 0 0.02" range="-1 0.6" armature="0.02"/>
        <joint name="hip_slide" type="slide" axis="0 0 1" range="-0.05 0.1"/>
        <joint name="hip_y" axis="0 1 0" range="-1.4 0.3"/>
        <geom type="capsule" fromto="0 0 0 0 0.01 -0.34" size="0.06" mass="3"/>
        <body name="foot" pos="0 0 -0.45">
          <joint name="foot_y" axis="0 1 0" range="-0.8 0.8"/>
          <joint name="foot_x" axis="1 0 0.5" range="-0.8 0.8"/>
          <geom type="box" size="0.1 0.04 0.02" pos="0.05 0 0" mass="1"/>
        </body>
      </body>
    </body>
  </worldbody>
  <actuator>
    <motor joint="hip_x" gear="40" ctrlrange="-1 1" ctrllimited="true"/>
    <motor joint="hip_y" gear="90" ctrlrange="-1 1" ctrllimited="true"/>
    <position joint="foot_x" kp="30" kv="2" forcerange="-20 20"/>
  </actuator>
</mujoco>
"""
INERTIA_LAYOUT = ((0, 3, 4), (3, 1, 5), (4, 5, 2))
"""Where a description's six numbers stand in the matrix."""


@pytest.fixture(scope="module")
def hips(tmp_path_factory: pytest.TempPathFactory) -> RobotDescription:
    """The robot, converted once."""
    folder: Path = tmp_path_factory.mktemp("hips")
    (folder / "hips.xml").write_text(MJCF)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HUMANOID_RL_HOME", str(folder / "home"))
        return load_robot(folder / "hips.xml")


def test_every_joint_of_a_body_is_kept_with_its_own_settings(hips: RobotDescription) -> None:
    assert hips.joint_names == ["hip_x", "hip_z", "hip_slide", "hip_y", "foot_y", "foot_x"]
    by_name = {joint.name: joint for joint in hips.joints}
    assert (by_name["hip_z"].lower, by_name["hip_z"].upper) == pytest.approx((-1.0, 0.6), abs=1e-5)
    assert (by_name["hip_slide"].lower, by_name["hip_slide"].upper) == pytest.approx((-0.05, 0.1))
    assert (by_name["hip_x"].armature, by_name["hip_z"].armature) == pytest.approx((0.01, 0.02))
    assert (by_name["hip_x"].effort_limit, by_name["hip_y"].effort_limit) == pytest.approx((40.0, 90.0))
    assert (by_name["foot_x"].stiffness, by_name["foot_x"].effort_limit) == pytest.approx((30.0, 20.0))


def test_links_between_joints_take_mass_but_no_role(hips: RobotDescription) -> None:
    mass = {body.name: body.mass for body in hips.bodies}
    assert mass["thigh_hip_x"] == pytest.approx(0.02 * 3.0)
    assert mass["thigh"] == pytest.approx(3.0 * (1.0 - 3 * 0.02))
    assert hips.total_mass == pytest.approx(8.0)
    assert hips.with_role("foot") == ["foot"]
    assert {warning.code for warning in hips.warnings} & {"parallel_joints", "links_added"} == {"links_added"}


def test_a_series_weighs_and_turns_as_the_one_body_did(hips: RobotDescription) -> None:
    series = [body for body in hips.bodies if body.name.startswith("thigh")]
    whole = total(
        MassProperties(
            body.mass, np.array(body.com), np.array([[body.inertia[i] for i in row] for row in INERTIA_LAYOUT])
        )
        for body in series
    )
    model = mujoco.MjModel.from_xml_string(MJCF)
    thigh = model.body("thigh")
    assert len(series) == 4
    assert whole.com == pytest.approx(thigh.ipos, abs=1e-6)
    assert np.sort(principal(whole.inertia)[0]) == pytest.approx(np.sort(thigh.inertia), rel=1e-4)


def test_bodies_stand_where_mujoco_puts_them(hips: RobotDescription) -> None:
    kinematics = Kinematics(hips)
    model = mujoco.MjModel.from_xml_string(MJCF)
    data = mujoco.MjData(model)
    random = np.random.default_rng(3)
    for _ in range(5):
        data.qpos[7:] = random.uniform(-0.5, 0.5, 6)
        mujoco.mj_kinematics(model, data)
        named = {name: data.joint(name).qpos[0] for name in hips.joint_names}
        positions, _ = kinematics.body_poses([0, 0, 1], [0, 0, 0, 1], list(named.values()))
        for name in ("thigh", "foot"):
            assert positions[hips.body_names.index(name)] == pytest.approx(data.body(name).xpos, abs=1e-5)


def test_a_stack_of_joints_moves_in_physx_and_stays_finite(hips: RobotDescription, physx: PhysX) -> None:
    engine = physx(hips)
    lower = torch.tensor([joint.lower for joint in hips.joints])
    upper = torch.tensor([joint.upper for joint in hips.joints])
    random = torch.Generator().manual_seed(1)
    travelled = torch.zeros(len(hips.joints))
    for _ in range(50):
        engine.set_targets("position", lower + (upper - lower) * torch.rand(2, len(hips.joints), generator=random))
        engine.step(5)
        assert all(part.isfinite().all() for part in (engine.state.body_pose, engine.state.body_velocity))
        travelled = torch.maximum(travelled, engine.state.joint_pos.abs().amax(dim=0))
    assert (travelled > 0.2 * (upper - lower)).all()


def test_an_armature_of_zero_reaches_physx_over_the_files(hips: RobotDescription, physx: PhysX) -> None:
    engine = physx(replace(hips, joints=tuple(replace(joint, armature=0.0) for joint in hips.joints)))
    assert engine.get_property("joint_armature").abs().max() == 0.0
