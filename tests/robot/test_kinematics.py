from __future__ import annotations

import math

import numpy as np
import pytest

from humanoid_rl_ext.robot import load_robot
from humanoid_rl_ext.robot.kinematics import Kinematics

UPRIGHT = [0.0, 0.0, 0.0, 1.0]


def test_a_bent_knee_lifts_the_foot_as_trigonometry_says() -> None:
    robot = load_robot("humanoid")
    q = np.zeros(21)
    q[robot.joint_names.index("left_knee")] = math.pi / 2
    positions, _ = Kinematics(robot).body_poses([0, 0, 0], UPRIGHT, q)
    foot = positions[robot.body_names.index("left_foot")]
    assert foot == pytest.approx([-0.34, 0.09, -0.05 - 0.34])  # the shank points backward


def test_a_slider_slides() -> None:
    robot = load_robot("cartpole")
    positions, quats = Kinematics(robot).body_poses([0, 0, 1.5], UPRIGHT, [0.7, math.pi])
    assert positions[1] == pytest.approx([0.7, 0, 1.5])
    assert abs(quats[2] @ [0, 1, 0, 0]) == pytest.approx(1.0)


def test_a_batch_agrees_with_its_members() -> None:
    robot = load_robot("walker")
    kinematics = Kinematics(robot)
    rng = np.random.default_rng(0)
    q, root = rng.uniform(-1, 1, (5, 12)), rng.uniform(-1, 1, (5, 3))
    quat = rng.normal(size=(5, 4))
    quat /= np.linalg.norm(quat, axis=1, keepdims=True)
    positions, quats = kinematics.body_poses(root, quat, q)
    for i in range(5):
        one, turned = kinematics.body_poses(root[i], quat[i], q[i])
        assert positions[i] == pytest.approx(one)
        assert quats[i] == pytest.approx(turned)
