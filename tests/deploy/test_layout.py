"""Where a controller with another order of joints has what the policy sees."""

from __future__ import annotations

from dataclasses import replace

import pytest

from humanoid_rl_ext.deploy.layout import action_scales, controller_interface, observed_terms, target_names
from humanoid_rl_ext.errors import BadInputError
from humanoid_rl_ext.robot import load_robot
from humanoid_rl_ext.sim.ordering import canonical_names
from humanoid_rl_ext.task.loading import load_task
from humanoid_rl_ext.task.schema import Task

D6 = ["hip:x", "hip:y", "knee:z", "ankle"]


def test_axes_of_d6_joints_are_spelled_as_physx_does_and_back() -> None:
    spelled = target_names(D6, None, "robot")
    assert spelled == {"hip:x": "hip:0", "hip:y": "hip:1", "knee:z": "knee", "ankle": "ankle"}
    assert canonical_names(list(spelled.values()), D6) == D6
    turned = target_names(D6, ["ankle", "knee", "hip:1", "hip:0"], "robot")
    assert list(turned.items()) == [("ankle", "ankle"), ("knee:z", "knee"), ("hip:y", "hip:1"), ("hip:x", "hip:0")]


@pytest.mark.parametrize("named", [["ankle"], [*D6, "toe"], [*D6, "ankle"]])
def test_other_joints_than_the_robots_are_told(named: list[str]) -> None:
    with pytest.raises(BadInputError, match=r"not those of robot 'robot': .* 4 in the robot"):
        target_names(D6, named, "robot")


@pytest.fixture
def task() -> Task:
    words = ["control.joints=.*_(knee|hip_pitch)", 'control.scale={".*": 0.5, ".*_knee": -0.25}']
    return load_task("walker_run", words)


def test_each_action_has_the_factor_of_its_joint(task: Task) -> None:
    assert action_scales(task.control, load_robot("walker")) == [0.5] * 4 + [-0.25] * 4


def test_elements_are_found_in_the_controllers_order_and_unit(task: Task) -> None:
    terms = observed_terms(
        task,
        ["heading[0]", "heading[1]", "joint_pos[a]", "joint_pos[b]", "last_action[0]", "last_action[1]"],
        ["b", "c"],
    )
    assert [(entry.term, entry.parts, entry.joints) for entry in terms] == [
        ("heading", ("0", "1"), False),
        ("joint_pos", ("a", "b"), True),
        ("last_action", ("b", "c"), True),
    ]
    interface = controller_interface(task, terms, ["b", "c"], ["c", "b", "a"], [1.0, -0.5])
    # The controller sees: heading 0 1, joint_pos b a, last action c b a.
    assert interface.picks == [0, 1, 3, 2, 5, 4]
    assert interface.gains == [1.0, 1.0, 1.0, 1.0, 1.0, -2.0]
    assert interface.places == [1, 0, 2]  # a is not driven: the place after both actions, which holds zero
    assert interface.action_clip == task.control.clip


def test_a_joint_whose_actions_do_nothing_cannot_be_told_from_the_last_action(task: Task) -> None:
    with pytest.raises(BadInputError, match=r"leave those out of control\.joints"):
        controller_interface(task, [], ["b", "c"], ["b", "c"], [1.0, 0.0])


def test_joints_that_rest_elsewhere_keep_their_exact_factor(task: Task) -> None:
    robot = load_robot("walker")
    bent = replace(robot, joints=tuple(replace(joint, default=0.7654321) for joint in robot.joints))
    assert action_scales(task.control, bent)[0] == 0.5
