"""The same robot, scene and targets on PhysX and on Newton."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from humanoid_rl_ext.robot import RobotDescription, RobotOverrides, load_robot
from humanoid_rl_ext.sim.engine import SceneSettings
from humanoid_rl_ext.sim.engines import make_engine

DT = 1 / 200


def on_both(robot: RobotDescription, play: Callable[[Any], torch.Tensor], **settings: Any) -> list[torch.Tensor]:
    """What ``play`` returns on each engine, one after the other."""
    results = []
    for name in ("ovphysx", "newton"):
        engine = make_engine(name, robot, SceneSettings(1, dt=DT, **settings))
        try:
            results.append(play(engine).clone())
        finally:
            engine.close()
    return results


def test_free_fall() -> None:
    def play(engine: Any) -> torch.Tensor:
        state = engine.state
        pose = state.root_pose.clone()
        pose[:, 2] += 5.0
        velocity = torch.tensor([[0.3, -0.2, 1.0, 0.0, 0.0, 0.0]])
        engine.reset(torch.tensor([True]), pose, velocity, state.joint_pos.clone(), torch.zeros_like(state.joint_vel))
        engine.step(100)
        return torch.cat((state.root_pose[0, :3], state.root_velocity[0, :3]))

    physx, newton = on_both(load_robot("humanoid"), play)
    assert torch.allclose(physx, newton, atol=5e-3)


def test_a_pole_swings_alike_on_its_cart() -> None:
    def play(engine: Any) -> torch.Tensor:
        state = engine.state
        still = torch.zeros(1, 2)
        engine.set_targets("effort", still)
        engine.reset(
            torch.tensor([True]), state.root_pose.clone(), torch.zeros(1, 6), torch.tensor([[0.0, 2.5]]), still
        )
        path = []
        for _ in range(150):
            engine.step(1)
            path.append(state.joint_pos[0].clone())
        return torch.stack(path)

    physx, newton = on_both(load_robot("cartpole"), play)
    assert physx[:, 1].max() - physx[:, 1].min() > 1.0, "the pole does not swing: the test shows nothing"
    assert torch.allclose(physx, newton, atol=0.03)


def test_each_foot_of_the_standing_robot_carries_as_much() -> None:
    def play(engine: Any) -> torch.Tensor:
        engine.step(60)
        loads = []
        for _ in range(20):
            engine.step(1)
            loads.append(engine.read_contacts()[0, :, 2].clone())
        return torch.stack(loads).mean(0)

    robot = load_robot("humanoid")
    physx, newton = on_both(robot, play)
    feet = [robot.body_names.index(name) for name in robot.with_role("foot")]
    assert newton[feet].sum().item() == pytest.approx(robot.total_mass * 9.81, rel=0.01)
    assert torch.allclose(physx, newton, atol=0.02 * robot.total_mass * 9.81)


def test_joints_follow_a_step_of_their_targets_alike() -> None:
    def play(engine: Any) -> torch.Tensor:
        lower, upper = engine.get_property("joint_limits").view(1, -1, 2).unbind(-1)
        engine.set_targets("position", 0.5 * engine.state.joint_pos + 0.5 * (0.7 * lower + 0.3 * upper))
        path = []
        for _ in range(60):
            engine.step(2)
            path.append(engine.state.joint_pos[0].clone())
        return torch.stack(path)

    robot = load_robot("humanoid", RobotOverrides(fixed_base=True))
    physx, newton = on_both(robot, play, ground=False)
    travel = (physx[-1] - physx[0]).abs()
    assert travel.max() > 0.4
    apart = (physx - newton).abs()
    assert apart[-1].max() < 0.02 and apart.max() < 0.08


def test_a_robot_on_rails_lands_alike() -> None:
    spec = importlib.util.find_spec("gymnasium")
    assert spec is not None and spec.origin is not None
    cheetah = load_robot(Path(spec.origin).parent / "envs" / "mujoco" / "assets" / "half_cheetah.xml")

    def play(engine: Any) -> torch.Tensor:
        engine.step(70)
        return engine.state.joint_pos[0]

    physx, newton = on_both(cheetah, play)
    assert physx.abs().max() > 0.1, "nothing moved: the test shows nothing"
    assert torch.allclose(physx, newton, atol=0.02)
