from __future__ import annotations

import os
from pathlib import Path

import pytest

from humanoid_rl_ext.errors import RobotError
from humanoid_rl_ext.robot import load_robot

MJCF = """<mujoco model="two">
  <compiler angle="radian"/>
  <worldbody>
    <body name="trunk" pos="0 0 1">
      <freejoint/>
      <geom type="box" size="0.1 0.1 0.1" mass="4"/>
      <body name="left_foot" pos="0 0.2 -0.4">
        <joint name="left_ankle" axis="0 1 0" range="-0.5 1.0" armature="0.03"/>
        <geom type="sphere" size="0.05" mass="1"/>
      </body>
      <body name="right_foot" pos="0 -0.2 -0.4">
        <joint name="right_ankle" axis="0 1 0" range="-0.5 1.0" armature="0.03"/>
        <geom type="sphere" size="0.05" mass="1"/>
      </body>
    </body>
  </worldbody>
  <actuator>
    <position joint="left_ankle" kp="50" kv="3" forcerange="-25 25"/>
    <motor joint="right_ankle" gear="20" ctrlrange="-1 1" ctrllimited="true"/>
  </actuator>
</mujoco>
"""


@pytest.fixture
def mjcf(tmp_path: Path) -> Path:
    path = tmp_path / "two.xml"
    path.write_text(MJCF)
    return path


def test_an_mjcf_file_is_read_with_its_actuators(mjcf: Path) -> None:
    robot = load_robot(mjcf)
    left, right = robot.joints
    assert (left.stiffness, left.damping, left.effort_limit) == pytest.approx((50.0, 3.0, 25.0))
    assert right.effort_limit == pytest.approx(20.0)
    assert (left.lower, left.upper, left.armature) == pytest.approx((-0.5, 1.0, 0.03), abs=1e-5)
    assert robot.total_mass == pytest.approx(6.0)
    assert robot.with_role("foot") == ["left_foot", "right_foot"]
    assert robot.standing_height == pytest.approx(0.45, abs=1e-5)


def test_a_second_reading_takes_the_converted_file(mjcf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = load_robot(mjcf)
    monkeypatch.setattr("humanoid_rl_ext.robot.source._run_converter", None)
    assert load_robot(mjcf) == first


def test_a_broken_mjcf_file_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "broken.xml"
    path.write_text("<mujoco><worldbody>")
    with pytest.raises(RobotError, match="cannot be converted"):
        load_robot(path)
    cache = Path(os.environ["HUMANOID_RL_HOME"]) / "cache" / "robots"
    assert list(cache.iterdir()) == []
