"""The engine inside Isaac Sim keeps the contract of every engine, on real physics behind the stand-ins."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from pxr import Usd, UsdGeom, UsdPhysics
from standin import Kit

from humanoid_rl_ext.errors import EngineError
from humanoid_rl_ext.robot import load_robot
from humanoid_rl_ext.sim.engine import SceneSettings


def opened(kit: Kit, robot: str, num_envs: int, **settings: Any) -> Any:
    """An engine on the open stage."""
    from humanoid_rl_ext.sim.kit import KitEngine, KitScene

    description, wanted = load_robot(robot), SceneSettings(num_envs, **settings)
    physics = KitScene(description, wanted)
    for _ in physics.open():
        kit.update()
    return KitEngine(physics)


def closed(kit: Kit, engine: Any) -> None:
    """Closes an engine and puts everything back, as a host does."""
    physics = engine._backend
    engine.close()
    while not physics.can_clear:
        kit.update()
    physics.clear()
    kit.update()


@pytest.fixture
def cartpoles(kit: Kit) -> Iterator[Any]:
    kit.new_stage()
    engine = opened(kit, "cartpole", 12)
    yield engine
    closed(kit, engine)
    assert kit.leftovers() == {}


def test_rows_are_environments_whatever_order_physics_has_them_in(kit: Kit, cartpoles: Any) -> None:
    assert list(cartpoles._backend._view.prim_paths) != sorted(
        cartpoles._backend._view.prim_paths, key=lambda path: int(path.split("env_")[1].split("/")[0])
    )
    assert torch.allclose(cartpoles.state.root_pose[:, :2], cartpoles.env_origins[:, :2], atol=1e-4)
    targets = torch.zeros(12, 2)
    targets[7, 0] = 30.0
    cartpoles.set_targets("effort", targets)
    cartpoles.step(4)
    moved = cartpoles.state.joint_pos[:, 0].abs()
    assert moved.argmax() == 7 and moved[7] > 100 * moved[:7].max()


@pytest.mark.parametrize("robot", ["cartpole", "humanoid"])
def test_robots_move_as_they_do_outside_isaac_sim(kit: Kit, robot: str) -> None:
    from humanoid_rl_ext.sim.ovphysx import OvPhysxEngine

    description, settings = load_robot(robot), SceneSettings(3, dt=0.005)
    generator = torch.Generator().manual_seed(3)
    commands = 0.3 * torch.rand(40, 3, len(description.joints), generator=generator)

    def play(engine: Any) -> list[torch.Tensor]:
        seen = []
        for command in commands:
            engine.set_targets("position", command)
            engine.step(4)
            state = engine.state
            pose = state.body_pose - torch.nn.functional.pad(engine.env_origins, (0, 4)).unsqueeze(1)
            seen.append(torch.cat((pose.flatten(1), state.joint_vel, engine.read_contacts().flatten(1)), dim=1))
        return seen

    outside = OvPhysxEngine(description, settings)
    expected = play(outside)
    outside.close()
    kit.new_stage()
    inside = opened(kit, robot, 3, dt=0.005)
    found = play(inside)
    closed(kit, inside)
    assert torch.allclose(found[0], expected[0], atol=1e-3)
    heights = [torch.stack([seen[:, 2] for seen in trajectory]) for trajectory in (found, expected)]
    assert torch.allclose(*heights, atol=0.02)  # beyond the first contacts the paths drift apart, but they are alike


def test_a_reset_writes_the_chosen_environments_alone(cartpoles: Any) -> None:
    cartpoles.step(20)
    state, mask = cartpoles.state, torch.arange(12) % 3 == 0
    before = state.joint_pos.clone()
    wanted = torch.full((12, 2), 0.25)
    cartpoles.reset(mask, state.root_pose.clone(), state.root_velocity.clone(), wanted, torch.zeros(12, 2))
    assert torch.allclose(state.joint_pos[mask], wanted[mask], atol=1e-5)
    assert torch.equal(state.joint_pos[~mask], before[~mask])


def test_properties_reach_physics_row_by_row(cartpoles: Any) -> None:
    mass = cartpoles.get_property("mass")
    heavier = mass.clone()
    heavier[11] *= 50.0
    cartpoles.set_property("mass", heavier, torch.arange(12) == 11)
    cartpoles.set_property("joint_friction", torch.zeros(12, 2))
    cartpoles.set_targets("effort", torch.tensor([10.0, 0.0]).repeat(12, 1))
    cartpoles.step(10)
    speed = cartpoles.state.joint_vel[:, 0]
    assert torch.allclose(speed[:11], speed[0].expand(11), rtol=1e-3)
    assert speed[11] < 0.1 * speed[0]


def test_a_wrench_lifts_the_robot_it_is_applied_to(kit: Kit) -> None:
    kit.new_stage()
    engine = opened(kit, "humanoid", 11)
    before = engine.state.root_pose[:, 2].clone()
    wrench = torch.zeros(11, 6)
    wrench[10, 2] = 3.0 * 9.81 * engine.robot.total_mass
    engine.set_wrench(0, wrench)
    engine.step(12)
    risen = engine.state.root_pose[:, 2] - before
    assert risen[10] > 0.05 and (risen[:10] < 0.01).all()
    closed(kit, engine)


def fingerprints(stage: Usd.Stage) -> list[str]:
    return [layer.ExportToString() for layer in (stage.GetRootLayer(), stage.GetSessionLayer())]


def test_the_users_stage_is_as_it_was_and_its_physics_steps_aside(kit: Kit) -> None:
    stage = kit.new_stage()
    world = UsdGeom.Xform.Define(stage, "/World").GetPrim()
    stage.SetDefaultPrim(world)
    scene = UsdPhysics.Scene.Define(stage, "/World/scene")
    scene.CreateGravityMagnitudeAttr(1.0)
    table = UsdGeom.Cube.Define(stage, "/World/furniture/table").GetPrim()
    UsdPhysics.RigidBodyAPI.Apply(table)
    UsdGeom.Sphere.Define(stage, "/World/lamp")
    before = fingerprints(stage)

    engine = opened(kit, "cartpole", 2)
    assert not stage.GetPrimAtPath("/World/furniture").IsActive()
    assert stage.GetPrimAtPath("/World/lamp").IsActive()
    assert scene.GetGravityMagnitudeAttr().Get() == pytest.approx(9.81)
    assert not stage.GetPrimAtPath("/HumanoidRL/physicsScene")
    closed(kit, engine)
    assert fingerprints(stage) == before
    assert scene.GetGravityMagnitudeAttr().Get() == 1.0 and stage.GetPrimAtPath("/World/furniture").IsActive()
    assert kit.leftovers() == {}


def test_a_scene_can_be_opened_again_on_the_same_stage(kit: Kit) -> None:
    kit.new_stage()
    for count in (2, 5):
        engine = opened(kit, "cartpole", count)
        engine.step(3)
        assert engine.state.joint_pos.shape == (count, 2)
        closed(kit, engine)
    assert kit.leftovers() == {}


def test_a_timeline_that_plays_is_stopped_first(kit: Kit) -> None:
    stage = kit.new_stage()
    UsdPhysics.Scene.Define(stage, "/scene")
    kit.play()
    engine = opened(kit, "cartpole", 2)
    engine.step(1)
    closed(kit, engine)


def test_units_and_axes_that_physics_would_not_survive_are_refused(kit: Kit) -> None:
    for settings, said in (({"meters_per_unit": 0.01}, "0.01 m"), ({"up_axis": "Y"}, "Y up")):
        kit.new_stage(**settings)
        with pytest.raises(EngineError, match=said):
            opened(kit, "cartpole", 2)
    kit.context.close_stage()
    with pytest.raises(EngineError, match="no stage is open"):
        opened(kit, "cartpole", 2)


def test_a_step_that_isaac_sim_cannot_make_is_refused(kit: Kit) -> None:
    kit.new_stage()
    with pytest.raises(EngineError, match=r"whole number"):
        opened(kit, "cartpole", 2, dt=0.0123)


@pytest.mark.parametrize("rate", [60, 120, 200, 300])
def test_the_step_is_what_was_asked_for(kit: Kit, rate: int) -> None:
    kit.new_stage()
    engine = opened(kit, "cartpole", 1, dt=1.0 / rate)
    assert kit.simulation.get_physics_dt() == pytest.approx(1.0 / rate)
    closed(kit, engine)


def test_two_physics_scenes_are_refused_by_name(kit: Kit) -> None:
    stage = kit.new_stage()
    for path in ("/one", "/two"):
        UsdPhysics.Scene.Define(stage, path)
    with pytest.raises(EngineError, match=r"/one, /two"):
        opened(kit, "cartpole", 2)


def test_a_stopped_timeline_ends_the_engine_with_one_line(kit: Kit) -> None:
    kit.new_stage()
    engine = opened(kit, "cartpole", 2)
    kit.stop()
    with pytest.raises(EngineError, match="stopped"):
        engine.step(1)
    closed(kit, engine)


def test_newton_says_what_it_cannot_set(kit: Kit) -> None:
    kit.use_engine("newton")
    kit.new_stage()
    engine = opened(kit, "cartpole", 2)
    assert "mass" in engine.properties and "restitution" not in engine.properties
    with pytest.raises(EngineError, match="restitution"):
        engine.set_property("restitution", torch.zeros(2, 2))
    closed(kit, engine)


def test_robots_share_a_terrain_as_outside_isaac_sim(kit: Kit) -> None:
    sys.path.insert(0, str(Path(__file__).parents[1] / "sim"))
    from terrains import terrain

    built = terrain({"pyramid": {}, "stairs_up": {}})
    kit.new_stage()
    engine = opened(kit, "humanoid", 4, dt=0.005, terrain=built)
    assert torch.equal(engine.env_origins, torch.as_tensor(built.start_origins(4)))
    for _ in range(50):
        engine.step(4)
    above = engine.state.root_pose[:, :3] - engine.env_origins
    closed(kit, engine)
    assert kit.leftovers() == {}
    assert above[:, :2].abs().max() < 0.08
    assert above[:, 2].tolist() == pytest.approx([engine.robot.standing_height] * 4, abs=0.02)


def test_teams_are_refused_before_anything_is_built(kit: Kit) -> None:
    from humanoid_rl_ext.sim.kit import KitRobot, KitScene

    team = SceneSettings(4, team_size=2)
    for start in (lambda: KitScene(load_robot("walker"), team), lambda: KitRobot("/robot", load_robot("walker"), team)):
        with pytest.raises(
            EngineError, match=r"several robots in a scene \('team'\) need the engine ovphysx or newton"
        ):
            start()
