"""The engine and the environment on a GPU: the same physics; what can differ is how data get there and back."""

from __future__ import annotations

import pytest
import torch

from humanoid_rl_ext.env.make import make_env
from humanoid_rl_ext.task.loading import load_task

pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")]
CUDA = "cuda:0"
G = 9.81


def masks(engine, *chosen: int) -> torch.Tensor:
    mask = torch.zeros(engine.num_envs, dtype=torch.bool, device=CUDA)
    mask[list(chosen)] = True
    return mask


def test_state_lives_on_the_device_and_robots_stand_with_their_weight(start) -> None:
    engine = start("humanoid", 64, device=CUDA)
    assert engine.state.joint_pos.device == torch.device(CUDA)
    engine.step(360)
    loads = []
    for _ in range(20):
        engine.step(1)
        loads.append(engine.read_contacts()[..., 2].sum(1).clone())
    weight = torch.stack(loads).mean(0)
    assert torch.allclose(weight, torch.full_like(weight, engine.robot.total_mass * G), rtol=0.02)


def test_a_masked_reset_writes_its_rows_and_no_other(start) -> None:
    engine = start("walker", 8, device=CUDA)
    engine.step(20)
    state = engine.state
    before = state.root_pose.clone()
    pose, velocity = state.root_pose.clone(), torch.zeros_like(state.root_velocity)
    pose[:, 2] += 5.0
    engine.reset(masks(engine, 2, 5), pose, velocity, state.joint_pos.clone(), torch.zeros_like(state.joint_vel))
    lifted = (state.root_pose[:, 2] - before[:, 2]) > 4.9
    assert lifted.nonzero().flatten().tolist() == [2, 5]
    assert torch.allclose(state.body_pose[2, :, 2] > 4.9, torch.ones(13, dtype=torch.bool, device=CUDA))
    height = state.root_pose[2, 2].item()
    engine.step(60)
    time = 60 / 120
    assert height - state.root_pose[2, 2].item() == pytest.approx(G * time * (time + 1 / 120) / 2, rel=5e-3)


def test_targets_move_the_joints_and_efforts_are_read_back(start) -> None:
    engine = start("humanoid", 4, device=CUDA, gravity=(0.0, 0.0, 0.0))
    elbow = engine.robot.joint_names.index("left_elbow")
    targets = engine.state.joint_pos.clone()
    targets[1, elbow] -= 1.0
    engine.set_targets("position", targets)
    engine.step(240)
    moved = engine.state.joint_pos[:, elbow] - engine.state.joint_pos[0, elbow]
    assert moved[1].item() == pytest.approx(-1.0, abs=0.05)
    assert moved[2:].abs().max() < 0.01


def test_an_environment_that_went_non_finite_recovers(start) -> None:
    engine = start("walker", 4, device=CUDA)
    state = engine.state
    home = [tensor.clone() for tensor in (state.root_pose, state.root_velocity, state.joint_pos, state.joint_vel)]
    broken = [tensor.clone() for tensor in home]
    broken[3][1] = float("nan")
    engine.reset(masks(engine, 1), *broken)
    engine.step(2)
    assert not torch.isfinite(state.joint_pos[1]).all()
    assert torch.isfinite(state.joint_pos[[0, 2, 3]]).all()
    engine.reset(masks(engine, 1), *home)
    engine.step(10)
    assert torch.isfinite(state.joint_pos).all()


def test_properties_go_through_the_host_and_act(start) -> None:
    engine = start("humanoid", 4, device=CUDA)
    heavy = engine.get_property("mass")
    heavy[1] *= 2.0
    engine.set_property("mass", heavy, masks(engine, 1))
    engine.step(480)
    weight = engine.read_contacts()[:, :, 2].sum(1)
    assert weight[1].item() > 1.5 * weight[0].item()


def test_a_delay_that_a_recording_changes_acts_at_once(start) -> None:
    engine = start("humanoid", 2, device=CUDA, gravity=(0.0, 0.0, 0.0))
    home = [value.clone() for value in (engine.state.root_pose, engine.state.root_velocity, engine.state.joint_pos)]
    home[0][:, 2] += 2.0
    elbow = engine.robot.joint_names.index("left_elbow")
    delay, where = torch.zeros(2, 1, device=CUDA), masks(engine, 0, 1)
    engine.set_property("action_delay", delay, where)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        engine.set_property("action_delay", delay, where)
    paths = []
    for change in (lambda: engine.set_property("action_delay", delay, where), graph.replay):
        delay.zero_()
        engine.set_property("action_delay", delay, where)
        engine.reset(where, *home, torch.zeros_like(home[2]))
        for step, target in enumerate((-0.3, -1.2, -0.1, -0.8, -0.4)):
            if step == 3:
                delay[1] = 6 * engine.dt
                change()
            targets = home[2].clone()
            targets[:, elbow] = target
            engine.set_targets("position", targets)
            engine.step(4)
        paths.append(engine.state.joint_pos[:, elbow].clone())
    print(f"elbows, set {paths[0].tolist()}, replayed {paths[1].tolist()}")
    torch.testing.assert_close(paths[1], paths[0], rtol=0.0, atol=1e-4)
    assert (paths[0][0] - paths[0][1]).abs() > 1e-2


def test_an_own_gravity_pulls_as_one_of_the_scene(start) -> None:
    engine = start("humanoid", 3, device=CUDA)
    own = torch.tensor([9.81, 3.0, 12.0], device=CUDA)
    engine.set_property("gravity", own.unsqueeze(-1) * torch.tensor([0.0, 0.0, -1.0], device=CUDA))
    engine.step(960)
    loads = []
    for _ in range(20):
        engine.step(1)
        loads.append(engine.read_contacts()[..., 2].sum(1).clone())
    weight = torch.stack(loads).mean(0)
    print(f"weights {weight.tolist()} N, expected {(engine.robot.total_mass * own).tolist()} N")
    torch.testing.assert_close(weight, engine.robot.total_mass * own, rtol=0.02, atol=0.0)


@pytest.mark.parametrize("name", ["humanoid_walk", "humanoid_stand", "walker_run", "cartpole_balance"])
def test_environments_step_on_the_device_without_a_non_finite_value(name: str) -> None:
    env = make_env(load_task(name), num_envs=64, device=CUDA)
    try:
        obs = env.reset()
        for _ in range(100):
            moved = env.step(torch.randn(64, env.spec.action.size, device=CUDA))
            assert torch.isfinite(moved.obs["policy"]).all() and torch.isfinite(moved.reward).all()
        assert obs["policy"].device == torch.device(CUDA)
        assert env.episode_metrics()["non_finite"] == 0
    finally:
        env.close()
