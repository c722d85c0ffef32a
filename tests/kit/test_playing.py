"""A policy on the robot that the user has put on the stage, driven after each of the application's physics steps."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from pxr import Gf, UsdGeom, UsdPhysics
from standin import Kit

from humanoid_rl_ext.errors import EngineError
from humanoid_rl_ext.robot import load_robot
from humanoid_rl_ext.robot.bundled import bundled_path
from humanoid_rl_ext.sim.engine import SceneSettings
from humanoid_rl_ext.train.session import Session
from humanoid_rl_ext.train.start import open_session, plan_run

ROBOT = "/World/mine"


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Checkpoints of barely trained runs, made once each."""
    made: dict[str, Path] = {}

    def checkpoint(task: str) -> Path:
        if task not in made:
            session: Session = open_session(
                plan_run(task, num_envs=4, env_steps=400, run=tmp_path_factory.mktemp("runs") / task)
            )
            session.run()
            session.close()
            assert session.checkpoint is not None
            made[task] = session.checkpoint
        return made[task]

    return checkpoint


def put(kit: Kit, robot: str, place: tuple[float, float, float]) -> Any:
    """A stage with ground and the robot at ``place`` (m)."""
    stage = kit.new_stage()
    world = UsdGeom.Xform.Define(stage, "/World").GetPrim()
    stage.SetDefaultPrim(world)
    UsdPhysics.Scene.Define(stage, "/World/physics")
    ground = UsdGeom.Plane.Define(stage, "/World/ground")
    ground.CreateAxisAttr("Z")
    UsdPhysics.CollisionAPI.Apply(ground.GetPrim())
    prim = stage.DefinePrim(ROBOT, "Xform")
    prim.GetReferences().AddReference(str(bundled_path(robot)))
    UsdGeom.XformCommonAPI(prim).SetTranslate(Gf.Vec3d(*place))
    return stage


def standing(robot: str, path: str = ROBOT) -> Any:
    """Physics for a robot on the stage that is described as one of ours."""
    from humanoid_rl_ext.sim.kit import KitRobot

    return KitRobot(path, load_robot(robot), SceneSettings(1))


@pytest.fixture
def play(kit: Kit, runs: Callable[[str], Path]) -> Iterator[Callable[[str], Any]]:
    """Plays a task's policy on the robot of the open stage; afterwards nothing of it may be left."""
    from humanoid_rl_ext.hosts.kit.playing import open_stage_player
    from humanoid_rl_ext.train.player import plan_player

    opened: list[Any] = []

    def start(task: str) -> Any:
        plan = plan_player(runs(task))
        physics = standing(plan.task.robot.source)
        for _ in physics.open():
            kit.update()
        player = open_stage_player(plan, physics)
        opened.append((player, physics))
        return player

    yield start
    for player, physics in opened:
        player.close()
        kit.update(2)
        assert physics.can_clear
        physics.clear()
    assert kit.leftovers() == {}


def test_the_policy_acts_once_per_control_step_of_its_task(kit: Kit, play: Callable[[str], Any]) -> None:
    put(kit, "cartpole", (2.0, 1.0, 0.0))
    player = play("cartpole_balance")
    control = player.env.view.dt
    start = int(player.env.view.episode_length[0])
    kit.update(60)  # one second of the timeline
    player.pump(0.0)
    assert int(player.env.view.episode_length[0]) - start == pytest.approx(1.0 / control, abs=2)
    assert player.env.view.joint_vel.abs().max() > 0.0


def test_what_the_policy_wants_reaches_the_joints(kit: Kit, play: Callable[[str], Any]) -> None:
    put(kit, "humanoid", (0.0, 0.0, 1.4))
    player = play("humanoid_stand")
    kit.update(3)
    player.pump(0.0)
    engine = player.env.engine
    wanted = player.env._actions.targets(player.env.view.action)
    assert torch.allclose(engine._position_target.values, wanted, atol=1e-5)
    stiffness = torch.tensor([[joint.stiffness for joint in engine.robot.joints]])
    assert torch.allclose(engine.get_property("joint_stiffness"), stiffness, rtol=1e-4)


def test_a_robot_that_falls_is_put_back_where_it_stood(kit: Kit, play: Callable[[str], Any]) -> None:
    put(kit, "humanoid", (3.0, -2.0, 1.4))
    player = play("humanoid_stand")
    home = player.env.engine.state.root_pose[0, :2].clone()
    lengths = []
    for _ in range(240):
        kit.update()
        lengths.append(int(player.env.view.episode_length[0]))
    player.pump(0.0)
    assert any(after < before for before, after in itertools.pairwise(lengths))
    assert torch.allclose(player.env.engine.env_origins[0, :2], home)
    assert (player.env.engine.state.root_pose[0, :2] - home).norm() < 1.5


def test_a_joint_without_a_drive_gets_one_while_it_plays(kit: Kit, play: Callable[[str], Any]) -> None:
    stage = put(kit, "cartpole", (0.0, 0.0, 0.0))
    rail = next(prim for prim in stage.Traverse() if prim.IsA(UsdPhysics.PrismaticJoint))
    rail.RemoveAPI(UsdPhysics.DriveAPI, "linear")
    assert not rail.HasAPI(UsdPhysics.DriveAPI, "linear")
    player = play("cartpole_balance")
    kit.update(30)
    player.pump(0.0)
    assert rail.HasAPI(UsdPhysics.DriveAPI, "linear")
    player.close()
    kit.update(2)
    player._physics.clear()
    assert not rail.HasAPI(UsdPhysics.DriveAPI, "linear")


def test_the_users_robot_is_as_it_was_afterwards(kit: Kit, runs: Callable[[str], Path]) -> None:
    stage = put(kit, "cartpole", (0.0, 0.0, 0.0))
    before = [layer.ExportToString() for layer in (stage.GetRootLayer(), stage.GetSessionLayer())]
    physics = standing("cartpole")
    for _ in physics.open():
        kit.update()
    physics.close()
    kit.update(2)
    physics.clear()
    assert [layer.ExportToString() for layer in (stage.GetRootLayer(), stage.GetSessionLayer())] == before


def test_another_robot_than_the_tasks_is_refused_by_its_joints(kit: Kit, play: Callable[[str], Any]) -> None:
    put(kit, "walker", (0.0, 0.0, 1.3))
    with pytest.raises(EngineError, match="joints"):
        play("cartpole_balance")
    kit.stop()


def test_a_place_without_a_robot_is_refused(kit: Kit) -> None:
    put(kit, "cartpole", (0.0, 0.0, 0.0))
    for path, said in (("/World/nowhere", "no prim"), ("/World/ground", "no articulation")):
        with pytest.raises(EngineError, match=said):
            for _ in standing("cartpole", path).open():
                kit.update()
