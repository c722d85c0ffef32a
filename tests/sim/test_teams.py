"""Several robots in one scene: they touch each other and nobody else, and each answers to its own row."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))
from terrains import terrain

from humanoid_rl_ext.errors import EngineError

BOTH = pytest.mark.parametrize("start", ["ovphysx", "newton"], indirect=True)
FLOATING = {"ground": False, "gravity": (0.0, 0.0, 0.0)}
PAIRS = {"team_size": 2, "team_spacing": 1.0, "spacing": 3.0, "dt": 1 / 240}


def place(engine, position: torch.Tensor, velocity: torch.Tensor) -> None:
    """Puts all robots' bases at positions (rows, 3) with velocities (rows, 3), joints at rest."""
    pose, motion = engine.state.root_pose.clone(), torch.zeros_like(engine.state.root_velocity)
    pose[:, :3], motion[:, :3] = position, velocity
    everywhere = torch.ones(engine.num_envs, dtype=torch.bool)
    joints = engine.state.joint_pos.clone()
    engine.reset(everywhere, pose, motion, joints, torch.zeros_like(joints))


def momentum(engine) -> torch.Tensor:
    """(rows, 3) kg m/s of each robot."""
    return (engine.get_property("mass").unsqueeze(-1) * engine.state.body_velocity[..., :3]).sum(1)


@BOTH
@pytest.mark.parametrize("self_collision", [False, True])
def test_a_robot_that_runs_into_its_mate_hands_its_momentum_on_and_robots_of_other_scenes_feel_nothing(
    start, self_collision
):
    """Two scenes in the very same place, and only in the first is a robot on its way."""
    engine = start("walker", 4, **PAIRS, **FLOATING, self_collision=self_collision)
    where = torch.tensor([[0.0, -0.5, 2.0], [0.0, 0.5, 2.0]]).repeat(2, 1)
    thrown = torch.zeros(4, 3)
    thrown[0, 1] = 2.0
    place(engine, where, thrown)
    engine.step(1)
    before = momentum(engine)
    touched = 0
    for _ in range(240):
        engine.step(1)
        forces = engine.read_contacts().sum(1)
        if forces[0].norm() > 1.0:
            touched += 1
            assert forces[1].tolist() == pytest.approx((-forces[0]).tolist(), abs=1e-2 * float(forces[0].norm()))
        assert not forces[2:].any()
    after = momentum(engine)
    assert touched > 0
    assert before[0, 1] == pytest.approx(2.0 * engine.get_property("mass")[0].sum(), rel=1e-3)
    assert after[1, 1] > 0.2 * before[0, 1]
    assert after[:2].sum(0).tolist() == pytest.approx(before[:2].sum(0).tolist(), abs=0.02 * float(before[0, 1]))
    assert torch.allclose(engine.state.root_pose[2:, :3], where[2:], atol=1e-3)


@BOTH
def test_robots_of_many_scenes_pass_through_each_other(start):
    """Eleven scenes: names beyond the ninth are in order, too."""
    engine = start("walker", 22, **PAIRS, **FLOATING)
    where = torch.zeros(22, 3)
    where[:, 2] = 2.0
    where[::2, 1], where[1::2, 1] = -20.0, 0.01 * torch.arange(11)
    place(engine, where, torch.zeros(22, 3))
    for _ in range(10):
        engine.step(1)
        assert not engine.read_contacts().any()
    assert torch.allclose(engine.state.root_pose[:, :3], where, atol=1e-3)


@BOTH
@pytest.mark.parametrize(("robot", "mode", "size"), [("humanoid", "position", 0.2), ("cartpole", "effort", 10.0)])
def test_a_robot_of_a_team_moves_as_it_does_alone(start, robot, mode, size):
    draws = torch.Generator().manual_seed(1)

    def run(num_envs: int, rows: list[int], **team: float) -> torch.Tensor:
        engine = start(robot, num_envs, **team)
        joints = len(engine.robot.joints)
        targets = torch.zeros(num_envs, joints)
        targets[rows] = size * torch.randn(joints, generator=draws.manual_seed(1))
        engine.set_targets(mode, targets)
        engine.step(24)
        root = engine.state.root_pose.clone()
        root[:, :3] -= engine.env_origins
        return torch.cat((root, engine.state.joint_pos), -1)

    alone = run(2, [1])
    mates = run(6, [3], team_size=3, team_spacing=2.0)
    tolerance = 0.02 if robot == "humanoid" else 1e-4
    assert torch.allclose(mates[3], alone[1], atol=tolerance)
    for row in (0, 1, 2, 4, 5):
        assert torch.allclose(mates[row], alone[0], atol=tolerance)
    assert (alone[1] - alone[0]).abs().max() > 0.1


@BOTH
def test_robots_stand_abreast_scene_by_scene(start):
    engine = start("walker", 6, team_size=3, team_spacing=0.8, spacing=5.0)
    origins = engine.env_origins.view(2, 3, 3)
    assert torch.allclose(origins[:, 1:] - origins[:, :-1], torch.tensor([0.0, 0.8, 0.0]).expand(2, 2, 3))
    assert (origins[1] - origins[0]).norm(dim=-1).tolist() == pytest.approx([5.0] * 3)
    assert torch.allclose(engine.state.root_pose[:, :2], engine.env_origins[:, :2], atol=1e-4)


@BOTH
def test_what_is_set_for_one_robot_is_that_robots(start):
    engine = start("walker", 4, **PAIRS, **FLOATING)
    free = torch.tensor([False, False, True, False])
    for name in ("joint_stiffness", "joint_damping"):
        engine.set_property(name, torch.zeros_like(engine.get_property(name)), free)
    mass = engine.get_property("mass")
    engine.set_property("mass", 3.0 * mass, torch.tensor([False, True, False, False]))
    assert torch.allclose(engine.get_property("mass").sum(-1) / mass.sum(-1), torch.tensor([1.0, 3.0, 1.0, 1.0]))
    start_at = engine.state.joint_pos.clone()
    engine.set_targets("position", start_at + 0.3)
    wrench = torch.zeros(4, 6)
    wrench[:, 0] = 10.0
    engine.set_wrench(0, wrench)
    engine.step(24)
    moved = (engine.state.joint_pos - start_at).abs().mean(-1)
    assert moved[2] < 0.3 * moved[[0, 1, 3]].min()
    push = 10.0 * 24 / 240
    assert momentum(engine)[:, 0].tolist() == pytest.approx([push] * 4, rel=0.02)
    speed = momentum(engine)[:, 0] / engine.get_property("mass").sum(-1)
    assert speed[0] / speed[1] == pytest.approx(3.0, rel=0.05)


@BOTH
def test_one_robot_of_a_team_can_be_put_somewhere_and_its_mate_goes_on(start):
    engine = start("walker", 4, **PAIRS, **FLOATING)
    place(engine, engine.state.root_pose[:, :3] + torch.tensor([0.0, 0.0, 2.0]), torch.ones(4, 3) * 0.5)
    engine.step(5)
    before = engine.state.root_pose.clone()
    pose, still = before.clone(), torch.zeros_like(engine.state.root_velocity)
    pose[:, :3] = torch.tensor([0.0, 9.0, 3.0])
    joints = engine.state.joint_pos.clone()
    engine.reset(torch.tensor([False, False, False, True]), pose, still, joints, torch.zeros_like(joints))
    assert torch.equal(engine.state.root_pose[:3], before[:3])
    engine.step(12)
    assert torch.allclose(engine.state.root_pose[3, :3], pose[3, :3], atol=1e-3)
    ahead = before[:3, :3] + 0.5 * 12 / 240
    assert torch.allclose(engine.state.root_pose[:3, :3], ahead, atol=2e-3)


@BOTH
def test_teams_that_cannot_be_had_are_refused(start):
    with pytest.raises(EngineError, match="5 robots make no teams of 2"):
        start("walker", 5, team_size=2)
    with pytest.raises(EngineError, match="flat ground"):
        start("walker", 4, team_size=2, terrain=terrain({"random_rough": {}}))
