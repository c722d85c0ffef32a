"""env.yaml as Isaac Sim reads it, and as ours reads Isaac Lab's."""

from __future__ import annotations

import math
import random
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from humanoid_rl_ext.deploy.isaac_env import joint_settings, matches, read_env_yaml, robot_data, write_env_yaml
from humanoid_rl_ext.errors import BadInputError
from humanoid_rl_ext.robot import load_robot
from humanoid_rl_ext.robot.description import RobotDescription
from tests.deploy.isaac_sim import GAINS, as_isaac_sim_reads, isaac_lab_data

NAMES = ["left_hip", "left_hip_yaw", "left_hip_yaw_2", "knee", "knee_fine", "ankle"]


@pytest.fixture
def robot() -> RobotDescription:
    """A robot whose joints' names begin with one another, no two settings alike."""
    joints = load_robot("walker").joints[: len(NAMES)]
    made = [
        replace(
            joint,
            name=name,
            **{key: 1.0 + index + 0.1 * place for place, key in enumerate(GAINS)},
            default=0.1 * index,
        )
        for index, (name, joint) in enumerate(zip(NAMES, joints, strict=True))
    ]
    made[3] = replace(made[3], effort_limit=math.inf)
    return replace(load_robot("walker"), joints=tuple(made))


def test_isaac_sim_finds_each_joints_own_settings_in_any_order_of_joints(robot: RobotDescription) -> None:
    data = {"scene": {"robot": robot_data(robot, {name: name for name in NAMES}, {})}}
    data = yaml.safe_load(yaml.safe_dump(data, sort_keys=False))
    order = list(NAMES)
    random.Random(3).shuffle(order)
    assert order != NAMES
    joints = {joint.name: joint for joint in robot.joints}
    read = as_isaac_sim_reads(data, order)
    for key in (*GAINS, "default"):
        wanted = [min(getattr(joints[name], key), float(sys.maxsize)) for name in order]
        assert read[key] == wanted, key


def test_the_description_s_own_order_would_have_mixed_joints_up(robot: RobotDescription) -> None:
    data = {"scene": {"robot": robot_data(robot, {name: name for name in NAMES}, {})}}
    data["scene"]["robot"]["actuators"]["joints"]["joint_names_expr"] = NAMES
    read = as_isaac_sim_reads(data, NAMES)
    assert read["stiffness"][1] == read["stiffness"][0] == robot.joints[0].stiffness


def test_what_was_written_is_read_back(robot: RobotDescription, tmp_path: Path) -> None:
    path = tmp_path / "env.yaml"
    write_env_yaml({"scene": {"robot": robot_data(robot, {name: name for name in NAMES}, {})}}, path)
    settings = joint_settings(read_env_yaml(path), reversed(NAMES), path)
    for joint in robot.joints:
        for key in (*GAINS, "default"):
            assert getattr(settings[joint.name], key) == getattr(joint, key)
    assert settings["knee"].effort_limit == math.inf
    assert path.parent.joinpath("env.yaml").read_text().count("!!") == 0


def test_numbers_patterns_and_what_is_left_out_are_read_as_isaac_sim_does(tmp_path: Path) -> None:
    names = load_robot("humanoid").joint_names
    data = isaac_lab_data()
    settings = joint_settings(data, names, tmp_path)
    assert list(settings) == names
    read = as_isaac_sim_reads(data, names)
    for key in (*GAINS, "default"):
        ours = [min(getattr(settings[name], key), float(sys.maxsize)) for name in names]
        assert ours == read[key], key
    knee, ankle = settings["left_knee"], settings["left_ankle_roll"]
    assert (knee.stiffness, knee.effort_limit, knee.armature, knee.default) == (200.0, 300.0, 0.0, 0.5)
    assert (ankle.stiffness, ankle.effort_limit, ankle.velocity_limit) == (40.0, math.inf, math.inf)


def test_newer_names_of_limits_count_where_the_older_ones_are_empty(tmp_path: Path) -> None:
    data = isaac_lab_data()
    legs = data["scene"]["robot"]["actuators"]["legs"]
    legs |= {"effort_limit": None, "effort_limit_sim": {".*_hip_.*": 88.0, ".*_knee": 139.0}}
    settings = joint_settings(data, ["left_hip_yaw", "left_knee"], tmp_path)
    assert [entry.effort_limit for entry in settings.values()] == [88.0, 139.0]


def test_a_joint_that_no_group_covers_is_left_out(tmp_path: Path) -> None:
    data = isaac_lab_data()
    del data["scene"]["robot"]["actuators"]["rest"]
    assert list(joint_settings(data, ["left_knee", "left_elbow"], tmp_path)) == ["left_knee"]


def test_patterns_are_prefixes_first_and_regular_expressions_else() -> None:
    assert matches("left_hip_yaw", ["left_hip", "left_hip_yaw"]) == "left_hip"
    assert matches("left_hip_yaw", [".*_hip_.*"]) == ".*_hip_.*"
    assert matches("left_knee", [".*_(hip|knee)", ".*"]) == ".*"  # as Isaac Sim: no star matches a bracket
    assert matches("left_knee", [".*_(hip|knee)"]) == ".*_(hip|knee)"
    assert matches("left_knee", ["*(", "right_knee"]) is None


ODD = """
decimation: 4
sim: {dt: 0.005, gravity: !!python/tuple [0.0, 0.0, -9.81]}
size: &size !!python/tuple
- 1
- !!python/tuple [2, 3]
again: *size
made: !!python/object/apply:builtins.slice [null, null, null]
named: !!python/name:isaaclab.envs.mdp.base_lin_vel ''
other: !anything {a: 1}
limit: .inf
"""


def test_tags_that_are_not_known_are_none_and_nothing_is_executed(tmp_path: Path) -> None:
    path = tmp_path / "env.yaml"
    path.write_text(ODD)
    data = read_env_yaml(path)
    assert data["sim"]["gravity"] == (0.0, 0.0, -9.81)
    assert data["size"] == data["again"] == (1, (2, 3))
    assert (data["made"], data["named"], data["other"], data["limit"]) == (None, None, None, math.inf)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [1", r"env\.yaml:1: not valid YAML"),
        ("- 1", "expected 'key: value' lines"),
        ("", "expected 'key: value' lines"),
        ("a: !!python/tuple {b: 1}", r"env\.yaml:1: not valid YAML: a tuple must be a sequence"),
        ("a: \x00", "not valid YAML"),
    ],
)
def test_broken_files_are_told_in_one_line(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "env.yaml"
    path.write_text(text)
    with pytest.raises(BadInputError, match=said) as error:
        read_env_yaml(path)
    assert "\n" not in str(error.value)


def test_actuators_that_make_no_sense_are_told_with_their_place(tmp_path: Path) -> None:
    data = isaac_lab_data()
    data["scene"]["robot"]["actuators"]["legs"]["stiffness"] = "much"
    with pytest.raises(BadInputError, match=r"actuators\.legs\.stiffness: must be a number, not 'much'"):
        joint_settings(data, ["left_knee"], tmp_path)
    data["scene"]["robot"]["actuators"]["legs"] = {"stiffness": 1.0}
    with pytest.raises(BadInputError, match=r"actuators\.legs: 'joint_names_expr' is missing"):
        joint_settings(data, ["left_knee"], tmp_path)
    with pytest.raises(BadInputError, match=r"'scene\.robot' is missing"):
        joint_settings({"scene": {"robot": None}}, ["left_knee"], tmp_path)
