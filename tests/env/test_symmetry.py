"""The mirror image of a robot sees and does the mirror image, which physics agrees with."""

from __future__ import annotations

import pytest
import torch

from humanoid_rl_ext.env.make import make_env
from humanoid_rl_ext.env.symmetry import mirrored_joints, other_side, symmetry
from humanoid_rl_ext.env.vec_env import VecEnv
from humanoid_rl_ext.errors import TaskError
from humanoid_rl_ext.robot import load_robot
from humanoid_rl_ext.task.loading import load_task

FEET = "observations.policy.feet={term: body_pos, history: 2}"


@pytest.fixture
def make():
    opened: list[VecEnv] = []

    def start(task: str, engine: str, *overrides: str) -> VecEnv:
        opened.append(make_env(load_task(task, overrides), num_envs=2, seed=1, engine=engine))  # type: ignore[arg-type]
        opened[-1].reset()
        return opened[-1]

    yield start
    while opened:
        opened.pop().close()


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("left_knee", "right_knee"),
        ("RightFoot", "LeftFoot"),
        ("l_hip_yaw", "r_hip_yaw"),
        ("FL_hip", "FL_hip"),
        ("knee_R", "knee_L"),
        ("abdomen_yaw", "abdomen_yaw"),
        ("roll", "roll"),
    ],
)
def test_the_other_side_of_a_name(name: str, other: str) -> None:
    assert other_side(name) == other


@pytest.mark.parametrize("robot", ["humanoid", "walker"])
def test_joints_pair_up_and_flip_about_the_axes_that_a_mirror_flips(robot: str) -> None:
    description = load_robot(robot)
    places = mirrored_joints(description)
    for index, (partner, sign) in enumerate(places):
        assert places[partner] == (index, sign)
        assert sign == (
            1.0 if "pitch" in (name := description.joint_names[index]) or "knee" in name or "elbow" in name else -1.0
        )


@pytest.mark.parametrize("engine", ["ovphysx", "newton"])
@pytest.mark.parametrize("task", ["humanoid_walk", "walker_run"])
def test_a_mirrored_state_and_action_lead_to_the_mirrored_observation(make, engine: str, task: str) -> None:
    env = make(task, engine, "randomisation={}", FEET)
    mirror = symmetry(env)
    generator = torch.Generator().manual_seed(4)
    state, joints = env.engine.state, mirrored_joints(env.engine.robot)
    places, signs = [place for place, _ in joints], torch.tensor([sign for _, sign in joints])

    def pair(values: torch.Tensor) -> torch.Tensor:
        return torch.stack((values, values[places] * signs))

    polar, axial = torch.tensor([1.0, -1.0, 1.0]), torch.tensor([-1.0, 1.0, -1.0])
    root_pose, lin, ang = (
        state.root_pose.clone(),
        torch.randn(3, generator=generator),
        torch.randn(3, generator=generator),
    )
    # PhysX solves one contact after the other: an impact depends on which foot comes first, so it stays in the air.
    root_pose[:, 2] += 0.4 if engine == "ovphysx" else 0.05
    tilt = torch.nn.functional.normalize(torch.tensor([0.1, 0.05, 0.1, 1.0]), dim=0)
    root_pose[0, 3:], root_pose[1, 3:] = tilt, tilt * torch.tensor([-1.0, 1.0, -1.0, 1.0])
    velocity = torch.stack((torch.cat((lin, ang)), torch.cat((lin * polar, ang * axial)))) * 0.3
    joint_pos = pair(state.joint_pos[0] + 0.1 * torch.randn(len(joints), generator=generator))
    joint_vel = pair(torch.randn(len(joints), generator=generator))
    env.engine.reset(torch.ones(2, dtype=torch.bool), root_pose, velocity, joint_pos, joint_vel)
    env.view.refresh()
    for name, command in env.view.commands.items():
        command[0] = torch.tensor([0.7, 0.2, -0.4])
        command[1] = torch.tensor([0.7, -0.2, 0.4])
        env._commands[name].timer = None
    touched = False
    for _ in range(12):
        action = 0.5 * torch.randn(env.spec.action.size, generator=generator)
        env.step(torch.stack((action, mirror.actions(action))))
        seen = env.observations()["policy"]
        torch.testing.assert_close(mirror.observations["policy"](seen[0]), seen[1], atol=2e-2, rtol=2e-2)
        touched |= bool((env.view.contact_force_w[0].norm(dim=-1) > 1.0).any())
    assert touched == (engine == "newton") and (seen[0] - seen[1]).abs().max() > 0.1


def test_the_ground_seen_by_the_mirror_image_is_that_on_the_other_side(make) -> None:
    scan = "observations={policy: {scan: {term: height_scan, params: {points_x: 3, points_y: 2}}}}"
    mirror = symmetry(make("humanoid_stand", "newton", scan))
    right, left = [1.0, 2.0, 3.0], [4.0, 5.0, 6.0]
    assert mirror.observations["policy"](torch.tensor(right + left)).tolist() == left + right


@pytest.mark.parametrize("offsets", [[], [0.0, 0.0], [0.2, 0.7]])
def test_the_mirror_image_steps_with_the_other_foot_as_its_clock_says(make, offsets: list[float]) -> None:
    clock = "observations={policy: {clock: {term: command, params: {command: gait}}}}"
    gait = f"commands={{gait: {{params: {{offsets: {offsets}}}}}}}"
    env = make("humanoid_stand", "newton", clock, gait)
    mirror = symmetry(env).observations["policy"]
    command = env._commands["gait"]
    for phase in (0.05, 0.3, 0.62, 0.9):
        drawn = torch.tensor([[0.0, 0.55, phase], [0.0, 0.55, phase]])
        seen = command.term.follow(env.view, drawn)[0]  # of an episode that begins
        image = mirror(seen)
        drawn[:, 2] = torch.atan2(image[0], image[1]) / (2 * torch.pi)
        torch.testing.assert_close(command.term.follow(env.view, drawn)[0], image, atol=1e-5, rtol=0.0)


def test_a_gait_that_favours_one_side_has_no_mirror_image(make) -> None:
    clock = "observations={policy: {clock: {term: command, params: {command: gait}}}}"
    gait = "commands={gait: {params: {offsets: [0.0, 0.3]}}}"
    env = make("humanoid_stand", "newton", clock, gait)
    with pytest.raises(TaskError, match=r"observations.policy.clock: feet whose partners"):
        symmetry(env)


def test_mirrored_twice_is_as_before(make) -> None:
    env = make("humanoid_walk", "newton", FEET)
    mirror = symmetry(env)
    values = torch.randn(3, env.spec.observations["policy"])
    torch.testing.assert_close(mirror.observations["policy"](mirror.observations["policy"](values)), values)
    actions = torch.randn(3, env.spec.action.size)
    torch.testing.assert_close(mirror.actions(mirror.actions(actions)), actions)


def test_one_leg_alone_has_no_mirror_image(make) -> None:
    env = make("humanoid_stand", "newton", "observations.policy.joint_pos.params.joints=left_.*")
    with pytest.raises(TaskError, match=r"observations.policy.joint_pos: picks one side"):
        symmetry(env)
