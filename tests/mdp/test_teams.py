"""What robots know of the others in their scene, against numbers worked out by hand."""

from __future__ import annotations

import math

import pytest
import torch

from humanoid_rl_ext.mdp import metrics, observations, rewards
from humanoid_rl_ext.mdp.step import Step
from humanoid_rl_ext.sim.engine import SceneSettings


def put(engine, row: int, position: tuple[float, ...], velocity: tuple[float, ...], yaw: float = 0.0) -> None:
    quaternion = (0.0, 0.0, math.sin(0.5 * yaw), math.cos(0.5 * yaw))
    engine.state.root_pose[row] = torch.tensor((*position, *quaternion))
    engine.state.root_velocity[row, :3] = torch.tensor(velocity)


def rows(values: torch.Tensor) -> list[list[float]]:
    return [pytest.approx(row, abs=1e-5) for row in values.tolist()]


def test_a_mate_is_seen_along_the_own_heading(engine, step: Step) -> None:
    """One robot faces the world's y axis: what lies there is ahead, and the world's x axis is to its right."""
    engine.settings = SceneSettings(2, team_size=2)
    put(engine, 0, (1.0, 2.0, 0.5), (0.5, 0.0, 0.0), yaw=math.pi / 2)
    put(engine, 1, (2.0, 5.0, 0.6), (0.0, 1.0, -0.2))
    seen = observations.teammates(step)
    assert rows(seen) == [[3.0, -1.0, 0.1, 1.0, 0.5, -0.2], [-1.0, -3.0, -0.1, 0.5, -1.0, 0.2]]


def test_a_tilted_robot_sees_its_mate_level_with_the_ground(engine, step: Step) -> None:
    engine.settings = SceneSettings(2, team_size=2)
    put(engine, 0, (0.0, 0.0, 1.0), (0.0, 0.0, 0.0))
    put(engine, 1, (2.0, 0.0, 1.0), (0.0, 0.0, 0.0))
    engine.state.root_pose[0, 3:] = torch.tensor((0.0, math.sin(0.3), 0.0, math.cos(0.3)))  # nose down
    assert rows(observations.teammates(step)[:1]) == [[2.0, 0.0, 0.0, 0.0, 0.0, 0.0]]


class Six:
    """Two scenes of three robots on the x axis; the second scene is far away."""

    num_envs, device = 6, torch.device("cpu")
    settings = SceneSettings(6, team_size=3)

    def __init__(self, like) -> None:
        self.robot = like.robot
        self.state = like.state
        self.state.root_pose = torch.zeros(6, 7)
        self.state.root_pose[:, 0] = torch.tensor([0.0, 1.0, 3.0, 100.0, 102.0, 106.0])
        self.state.root_pose[:, 6] = 1.0
        self.state.root_velocity = torch.zeros(6, 6)
        self.state.root_velocity[:, 0] = torch.arange(6)


def test_mates_come_in_turn_from_the_next_one_on_and_none_is_of_another_scene(engine) -> None:
    step = Step(Six(engine), dt=0.02, max_episode_length=100, joints=range(3))  # type: ignore[arg-type]
    seen = observations.teammates(step)
    assert seen.shape == (6, 12)
    assert seen[:, 0].tolist() == pytest.approx([1.0, 2.0, -3.0, 2.0, 4.0, -6.0])  # 0 sees 1, 1 sees 2, 2 sees 0
    assert seen[:, 6].tolist() == pytest.approx([3.0, -1.0, -2.0, 6.0, -2.0, -4.0])  # 0 sees 2, 1 sees 0, 2 sees 1
    assert seen[:, 3].tolist() == pytest.approx([1.0, 1.0, -2.0] * 2)
    assert seen[:, 9].tolist() == pytest.approx([2.0, -1.0, -1.0] * 2)


def test_the_nearest_mate_counts_and_how_high_it_is_does_not(engine) -> None:
    six = Six(engine)
    six.state.root_pose[1, 2] = 50.0
    step = Step(six, dt=0.02, max_episode_length=100, joints=range(3))  # type: ignore[arg-type]
    assert metrics.teammate_distance(step).tolist() == pytest.approx([1.0, 1.0, 2.0, 2.0, 2.0, 4.0])
    paid = rewards.teammate_distance(step, target=2.0, std=0.5)
    off = [1.0, 1.0, 0.0, 0.0, 0.0, 2.0]
    assert paid.tolist() == pytest.approx([math.exp(-((error / 0.5) ** 2)) for error in off])
