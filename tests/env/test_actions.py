"""Actions become joint targets, and say how far they make a difference."""

from __future__ import annotations

import pytest
import torch

from humanoid_rl_ext.env.actions import ActionMap
from humanoid_rl_ext.env.make import task_robot
from humanoid_rl_ext.task.loading import load_task


@pytest.mark.parametrize("clip", [0.5, 100.0])
def test_bounds_are_the_actions_that_reach_a_joints_limits(clip: float) -> None:
    task = load_task("humanoid_walk", [f"control.clip={clip}", "control.scale=-0.25"])
    robot = task_robot(task)
    actions = ActionMap(task.control, robot, 1, torch.device("cpu"))
    low, high = (actions.targets(torch.tensor([bound]))[0].tolist() for bound in actions.bounds)
    for joint, first, last in zip(robot.joints, low, high, strict=True):
        # the factor is negative: the least action reaches the upper limit
        assert first == pytest.approx(min(joint.upper, joint.default + 0.25 * clip), abs=1e-5)
        assert last == pytest.approx(max(joint.lower, joint.default - 0.25 * clip), abs=1e-5)


def test_effort_is_bounded_by_all_of_it() -> None:
    task = load_task("humanoid_walk", ["control.type=effort", "control.scale=0.5"])
    actions = ActionMap(task.control, task_robot(task), 1, torch.device("cpu"))
    assert set(actions.bounds[0]) == {-2.0} and set(actions.bounds[1]) == {2.0}
