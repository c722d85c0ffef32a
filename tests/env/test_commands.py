"""Commands that move between two draws, on real physics of both engines."""

from __future__ import annotations

import pytest
import torch

from humanoid_rl_ext.env.make import make_env
from humanoid_rl_ext.errors import TaskError
from humanoid_rl_ext.sim.engines import ENGINES
from humanoid_rl_ext.task.loading import load_task

HEADING = (
    "commands.velocity.params.heading=true",
    "commands.velocity.params.heading_range=[0.2, 0.2]",
    "commands.velocity.params.standing_share=0.0",
)
GAIT = "commands={gait: {params: {frequency: [2, 2], stance: [%s, %s]}}}"
PLAIN = ("rewards={gait_contact: {weight: 1}}", "observations.policy.command.params.command=gait", "metrics={}")


@pytest.fixture(params=list(ENGINES))
def on(request):
    """Makes an environment on one of the engines."""
    opened = []

    def on(task: str, *overrides: str, reserved: int = 0):
        opened.append(make_env(load_task(task, overrides), num_envs=2, engine=request.param, reserved=reserved))
        return opened[-1]

    yield on
    for env in opened:
        env.close()


def still(env) -> torch.Tensor:
    return torch.zeros(env.num_envs, env.spec.action.size)


@pytest.mark.parametrize(("yaw", "rate"), [(1.0, -0.4), (-0.6, 0.4)])
def test_a_robot_that_faces_elsewhere_is_told_to_turn_to_its_heading(on, yaw: float, rate: float) -> None:
    env = on("humanoid_walk", *HEADING, f"randomisation.initial_root.params.yaw=[{yaw}, {yaw}]")
    env.reset()
    assert env.view.commands["velocity"][:, 2].tolist() == pytest.approx([rate] * 2, abs=1e-4)
    velocity = env.view.commands["velocity"][:, :2].clone()
    for _ in range(10):
        env.step(still(env))
        wanted = (0.5 * (0.2 - env.view.heading_w)).clamp(-1, 1)
        assert torch.allclose(env.view.commands["velocity"][:, 2], wanted, atol=1e-5)
    assert torch.equal(env.view.commands["velocity"][:, :2], velocity)  # nothing was drawn anew


def test_a_robot_that_is_turned_to_its_heading_as_told_gets_there(on) -> None:
    env = on("humanoid_walk", *HEADING, "randomisation.initial_root.params.yaw=[1.0, 1.0]", "terminations={}")
    env.reset()
    state = env.engine.state
    everywhere = torch.ones(2, dtype=torch.bool)
    for _ in range(100):  # 2 s: what is left of the error is exp(-0.5 * 2) of it
        twist = torch.zeros(2, 6)
        twist[:, 5] = env.view.commands["velocity"][:, 2]
        pose = state.root_pose.clone()
        pose[:, :3] = torch.tensor([0.0, 0.0, 3.0]) + env.engine.env_origins
        env.engine.reset(everywhere, pose, twist, env.view.default_joint_pos.expand(2, -1).clone(), 0 * state.joint_vel)
        env.step(still(env))
    assert torch.allclose(env.view.heading_w - 0.2, torch.full((2,), 0.8 * 0.368), atol=0.06)


def test_a_standing_robot_is_paid_for_a_gait_of_stance_alone_and_not_for_one_of_swing(on) -> None:
    for share, paid in ((1.0, 1.0), (0.0, 0.0)):
        env = on("humanoid_walk", GAIT % (share, share), *PLAIN, "randomisation={}")
        env.reset()
        for _ in range(25):
            moved = env.step(still(env))
        assert (moved.reward / env.view.dt).tolist() == pytest.approx([paid] * 2, abs=1e-5)
        env.close()


def test_a_standing_robot_is_as_high_as_a_command_of_the_standing_height(on) -> None:
    env = on(
        "humanoid_stand",
        "commands={base_height: {params: {share: [1, 1]}}}",
        "metrics={base_height_error: {}}",
        "randomisation={}",
        "episode_length_s=1",
    )
    env.reset()
    for _ in range(40):
        env.step(still(env))
    assert env.episode_metrics()["base_height_error"] < 0.03


def test_a_gait_is_driven_by_frequency_and_stance_share_and_its_clock_goes_on(make) -> None:
    env = make("humanoid_walk", GAIT % (0.5, 0.5), *PLAIN, reserved=1)
    env.reset()
    env.drive("gait", [0.0, 1.0])
    env.step(still(env))
    held = env.view.commands["gait"][-1].clone()
    assert held[2:].tolist() == [1.0, 1.0]
    env.step(still(env))
    assert torch.equal(env.view.commands["gait"][-1], held)  # no cycles per second: the clock stands
    env.drive("gait", None)
    env.step(still(env))
    assert not torch.equal(env.view.commands["gait"][-1], held)
    with pytest.raises(TaskError, match="takes 2 finite"):
        env.drive("gait", [1.0, 0.5, 0.0])


def test_a_driven_velocity_is_what_is_told_in_heading_mode_too(make) -> None:
    env = make("humanoid_walk", *HEADING, reserved=1)
    env.reset()
    env.drive("velocity", [0.4, 0.0, -0.3])
    assert env.view.commands["velocity"][-1].tolist() == pytest.approx([0.4, 0.0, -0.3])
    env.step(still(env))
    assert env.view.commands["velocity"][-1].tolist() == pytest.approx([0.4, 0.0, -0.3])


def test_a_gait_goes_on_from_a_checkpoint_in_the_same_phase(make) -> None:
    overrides = (GAIT % (0.5, 0.5), *PLAIN)
    env = make("humanoid_walk", *overrides)
    env.reset()
    for _ in range(7):
        env.step(still(env))
    saved = env.state_dict()
    env.step(still(env))
    after = env.view.commands["gait"].clone()
    again = make("humanoid_walk", *overrides, seed=9)
    again.reset()
    again.load_state_dict(saved)
    again.step(still(again))
    assert torch.allclose(again.view.commands["gait"], after, atol=1e-5)


def test_as_many_offsets_as_feet_are_needed(make) -> None:
    with pytest.raises(TaskError, match="offsets has 3 numbers"):
        make("humanoid_walk", "commands={gait: {params: {offsets: [0, 0.3, 0.6]}}}", *PLAIN)
