from __future__ import annotations

import math
from pathlib import Path

import pytest

from humanoid_rl_ext.robot import bundled_robots, load_robot
from humanoid_rl_ext.robot.bundled import bundled_path, write_bundled_robots


def test_the_files_in_data_are_what_the_script_writes(tmp_path: Path) -> None:
    for path in write_bundled_robots(tmp_path):
        assert path.read_text() == bundled_path(path.stem).read_text(), f"{path.stem}: run the script again"


@pytest.mark.parametrize("name", bundled_robots())
def test_a_bundled_robot_has_nothing_to_warn_about(name: str) -> None:
    assert load_robot(name).warnings == ()


def test_the_humanoid_weighs_45_kg_and_has_21_joints() -> None:
    robot = load_robot("humanoid")
    assert len(robot.joints) == 21
    assert robot.total_mass == pytest.approx(45.0)
    assert robot.with_role("foot") == ["left_foot", "right_foot"]
    assert robot.with_role("base") == ["pelvis"]


def test_the_humanoid_stands_with_flat_feet_on_bent_knees() -> None:
    robot = load_robot("humanoid")
    default = {joint.name: joint.default for joint in robot.joints}
    assert default["left_hip_pitch"] + default["left_knee"] + default["left_ankle_pitch"] == pytest.approx(0.0)
    # hip drop, thigh and shank leaning by 0.2 rad either way, ankle height
    assert robot.standing_height == pytest.approx(0.05 + 0.68 * math.cos(0.2) + 0.07, abs=1e-6)


def test_the_walker_stands_on_four_feet() -> None:
    robot = load_robot("walker")
    assert len(robot.joints) == 12
    assert robot.total_mass == pytest.approx(15.0)
    assert len(robot.with_role("foot")) == 4
    assert robot.standing_height == pytest.approx(2 * 0.213 * math.cos(0.75) + 0.022, abs=1e-6)


def test_the_cartpole_is_fixed_and_its_drives_are_slack() -> None:
    robot = load_robot("cartpole")
    assert robot.fixed_base
    slider, hinge = robot.joints
    assert (slider.type, slider.lower, slider.upper, slider.effort_limit) == ("prismatic", -3.0, 3.0, 400.0)
    assert (hinge.lower, hinge.upper, hinge.stiffness) == (-math.inf, math.inf, 0.0)


def test_joints_are_listed_breadth_first() -> None:
    names = load_robot("humanoid").joint_names
    assert names[:3] == ["abdomen_yaw", "left_hip_yaw", "right_hip_yaw"]
    assert names.index("left_knee") < names.index("left_ankle_pitch") < names.index("left_ankle_roll")
