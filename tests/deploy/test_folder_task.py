"""Policy folders as Tasks."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from humanoid_rl_ext.deploy.folder_task import task_from_policy_folder
from humanoid_rl_ext.deploy.policy_folder import export_policy_folder
from humanoid_rl_ext.env.make import task_robot
from humanoid_rl_ext.errors import BadInputError
from humanoid_rl_ext.task.loading import load_task, task_yaml
from humanoid_rl_ext.task.yaml_source import parse_scalar

pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")
Write = Callable[..., Path]


def test_an_isaac_lab_folder_becomes_a_task_with_its_terms_in_order(isaac_lab_folder: Write) -> None:
    task = task_from_policy_folder(isaac_lab_folder(), "humanoid")
    seen = task.observations["policy"]
    assert [entry.term for entry in seen.values()] == [
        "root_lin_vel",
        "root_ang_vel",
        "projected_gravity",
        "command",
        "joint_pos",
        "joint_vel",
        "last_action",
    ]
    assert list(seen)[3] == "velocity_commands" and seen["velocity_commands"].params == {"command": "base_velocity"}
    assert (seen["base_ang_vel"].scale, seen["joint_vel"].clip) == (0.25, 5.0)
    assert (seen["base_lin_vel"].scale, seen["base_lin_vel"].clip) == (1.0, 1e9)
    assert (task.sim.dt, task.sim.decimation, task.sim.self_collision) == (0.005, 4, True)
    assert (task.sim.ovphysx.position_iterations, task.sim.ovphysx.velocity_iterations) == (4, 2)
    assert (task.control.type, task.control.scale, task.control.joints) == ("joint_position", 0.5, ".*")
    command = task.commands["base_velocity"]
    assert command.spec.name == "velocity" and command.resample_s == (10.0, 10.0)
    assert command.params["lin_vel_x"] == (0.0, 1.0) and command.params["standing_share"] == 0.02


def test_the_robot_has_the_folders_gains_limits_and_default_pose(isaac_lab_folder: Write) -> None:
    joints = {joint.name: joint for joint in task_robot(task_from_policy_folder(isaac_lab_folder(), "humanoid")).joints}
    knee, hip, ankle = joints["left_knee"], joints["right_hip_yaw"], joints["left_ankle_roll"]
    assert (knee.stiffness, knee.damping, knee.effort_limit, knee.default) == (200.0, 5.0, 300.0, 0.5)
    assert (hip.stiffness, hip.velocity_limit, hip.armature, hip.default) == (150.0, 100.0, 0.0, 0.0)
    assert (ankle.stiffness, ankle.effort_limit, ankle.velocity_limit) == (40.0, math.inf, math.inf)


def test_the_task_can_be_stored_and_loaded(isaac_lab_folder: Write, tmp_path: Path) -> None:
    task = task_from_policy_folder(isaac_lab_folder(), "humanoid")
    (tmp_path / "task.yaml").write_text(task_yaml(task))
    assert load_task(tmp_path / "task.yaml") == task


def test_our_own_folder_gives_the_task_its_policy_was_trained_for(walk_run: Path, tmp_path: Path) -> None:
    export_policy_folder(walk_run, tmp_path / "policy")
    task, trained = task_from_policy_folder(tmp_path / "policy"), load_task(walk_run / "task.yaml")
    assert task.robot.source == "humanoid" and task.name == "humanoid_walk"
    assert list(task.observations["policy"]) == list(trained.observations["policy"])
    assert task.observations["policy"]["contact_force"].params == {"bodies": "foot", "scale": 0.004}
    assert task.observations["policy"]["joint_vel"].scale == 1.0  # the policy scales for itself
    command = task.commands["velocity"]
    assert (command.spec, command.params) == (trained.commands["velocity"].spec, trained.commands["velocity"].params)
    assert command.resample_s == (5.0, 5.0) and task.scene == trained.scene and task.sim == trained.sim
    assert task.control_dt == trained.control_dt and task.control.clip == 5.0
    assert task_robot(task) == task_robot(trained)


def test_what_the_run_said_about_its_robot_beside_gains_is_kept(walk_run: Path, tmp_path: Path) -> None:
    folder = export_policy_folder(walk_run, tmp_path / "policy")
    said = {"left_knee": {"friction": 1.5}, ".*": {"stiffness": 1.0, "upper": 3.0}}
    folder.data["humanoid_rl"]["robot"] |= {"joints": said, "standing_height": 0.9}
    robot = task_robot(task_from_policy_folder(folder))
    knee = next(joint for joint in robot.joints if joint.name == "left_knee")
    assert (knee.friction, knee.upper, robot.standing_height) == (1.5, 3.0, 0.9)
    assert knee.stiffness == folder.joints(["left_knee"])["left_knee"].stiffness != 1.0


def test_joints_may_be_picked_for_a_term(isaac_lab_folder: Write) -> None:
    def change(data: dict[str, Any]) -> None:
        asset = {"name": "robot", "joint_names": [".*_knee", ".*_ankle_.*"], "joint_ids": None}
        data["observations"]["policy"]["joint_pos"]["params"] = {"asset_cfg": asset}

    task = task_from_policy_folder(isaac_lab_folder(change), "humanoid")
    assert task.observations["policy"]["joint_pos"].params == {"joints": ".*_knee|.*_ankle_.*"}


def policy(name: str, **values: Any) -> Callable[[dict[str, Any]], Any]:
    return lambda data: data["observations"]["policy"][name].update(values)


def actions(**values: Any) -> Callable[[dict[str, Any]], Any]:
    return lambda data: data["actions"]["joint_pos"].update(values)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            policy("joint_pos", func="isaaclab.envs.mdp.observations:height_scan"),
            r"joint_pos: .*height_scan' is not known",
        ),
        (policy("joint_pos", func="isaaclab.envs.mdp.observations:joint_pos"), "known: .*joint_pos_rel"),
        (policy("joint_pos", func="humanoid_rl_ext.mdp.observations:joint_pots"), "did you mean 'joint_pos'"),
        (policy("joint_pos", history_length=5), r"joint_pos\.history_length: 5"),
        (policy("joint_pos", modifiers=[{"func": "x"}]), r"joint_pos\.modifiers"),
        (policy("joint_pos", scale=(1.0, 2.0)), r"joint_pos\.scale: must be one number"),
        (policy("joint_pos", clip=(-1.0, 2.0)), r"joint_pos\.clip: must reach from minus to plus"),
        (policy("joint_pos", clip=(1.0,)), r"joint_pos\.clip: must be \[low, high\]"),
        (
            policy("joint_pos", params={"asset_cfg": {"joint_names": ["b", "a"], "preserve_order": True}}),
            "preserve_order",
        ),
        (actions(class_type="isaaclab.envs.mdp:JointEffortAction"), "known: JointPositionAction"),
        (actions(use_default_offset=False), "must be offsets from the default position"),
        (lambda data: data["actions"].update(gripper={"scale": 1.0}), "joint_pos, gripper; policies with one kind"),
        (
            lambda data: data["commands"]["base_velocity"].update(class_type="x:UniformPoseCommand"),
            r"commands\.base_velocity: 'x:UniformPoseCommand' is not known",
        ),
        (
            lambda data: data["commands"]["base_velocity"]["ranges"].update(lin_vel_x=3.0),
            r"ranges\.lin_vel_x: must be \[low, high\]",
        ),
        (lambda data: data["sim"].update(dt=5.0), r"sim\.dt: .*less than or equal to 0\.1"),
        (lambda data: data["scene"]["robot"].pop("actuators"), r"'scene\.robot\.actuators' is missing"),
        (
            lambda data: data["scene"]["robot"].update(
                actuators={"all": {"joint_names_expr": ["fl_hx"], "stiffness": 1.0, "damping": 1.0}}
            ),
            "no pattern matches a joint of robot 'humanoid'",
        ),
    ],
)
def test_what_a_task_cannot_express_is_told_in_one_line(
    change: Callable[[dict[str, Any]], Any], said: str, isaac_lab_folder: Write
) -> None:
    with pytest.raises(BadInputError, match=said) as error:
        task_from_policy_folder(isaac_lab_folder(change), "humanoid")
    assert str(error.value).startswith(str(isaac_lab_folder(change) / "env.yaml")) and "\n" not in str(error.value)


@pytest.mark.parametrize("part", ["actions", "commands", "scene.robot.spawn", "sim.physics_material", "sim.gravity"])
@pytest.mark.parametrize("value", ["null", "[1, 2]", "text"])
def test_parts_that_are_odd_or_absent_are_told_or_done_without(part: str, value: str, isaac_lab_folder: Write) -> None:
    def change(data: dict[str, Any]) -> None:
        *above, last = part.split(".")
        for name in above:
            data = data[name]
        data[last] = parse_scalar(value)

    folder = isaac_lab_folder(change)
    if part == "sim.gravity" and value != "null":
        with pytest.raises(BadInputError, match=r"sim\.gravity"):
            task_from_policy_folder(folder, "humanoid")
    else:
        assert len(task_from_policy_folder(folder, "humanoid").observations["policy"]) == 7


def test_a_foreign_folder_needs_a_robot(isaac_lab_folder: Write) -> None:
    with pytest.raises(BadInputError, match="does not name its robot"):
        task_from_policy_folder(isaac_lab_folder())


def test_an_own_folder_that_was_spoilt_is_told(walk_run: Path, tmp_path: Path) -> None:
    folder = export_policy_folder(walk_run, tmp_path / "policy")
    folder.data["humanoid_rl"]["robot"]["standing_height"] = "tall"
    with pytest.raises(BadInputError, match=r"env\.yaml: standing_height"):
        task_from_policy_folder(folder)
