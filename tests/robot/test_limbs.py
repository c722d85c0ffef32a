"""Limbs are told apart by what hangs on what, and patterns name their joints in few words."""

from __future__ import annotations

import re

import pytest

from humanoid_rl_ext.robot import load_robot
from humanoid_rl_ext.robot.limbs import limbs, pattern_of


def test_a_humanoid_has_legs_arms_and_a_trunk() -> None:
    robot = load_robot("humanoid")
    found = limbs(robot)
    assert {name: len(joints) for name, joints in found.items()} == {
        "left_leg": 6,
        "right_leg": 6,
        "left_arm": 3,
        "right_arm": 3,
        "trunk": 3,
    }
    assert all(joint.startswith("left_") for joint in found["left_leg"] + found["left_arm"])
    assert pattern_of(found["left_leg"], robot.joint_names) == "left_(hip|knee|ankle).*"
    assert pattern_of(found["trunk"], robot.joint_names) == "abdomen_(yaw|roll|pitch).*"


def test_legs_of_one_side_are_told_apart_and_a_machine_has_no_limbs() -> None:
    assert list(limbs(load_robot("walker"))) == ["front_left_leg", "rear_left_leg", "front_right_leg", "rear_right_leg"]
    assert limbs(load_robot("cartpole")) == {"trunk": ["slider", "hinge"]}


@pytest.mark.parametrize(
    ("picked", "pattern"),
    [
        (["arm_1", "arm_2"], "arm_(1|2).*"),
        (["arm_1", "leg_1"], "arm_1|leg_1"),  # arm.* would take arm_2 as well
        (["neck"], "neck"),
        (["neck", "arm_1"], "neck|arm_1"),
        (["hip:x", "hip:y"], "(hip:x|hip:y).*"),
    ],
)
def test_patterns_match_what_is_meant_and_no_more(picked: list[str], pattern: str) -> None:
    names = ["arm_1", "arm_2", "leg_1", "leg_2", "neck", "hip:x", "hip:y", "hip:z"]
    assert pattern_of(picked, names) == pattern
    assert {name for name in names if re.fullmatch(pattern, name)} == set(picked)
