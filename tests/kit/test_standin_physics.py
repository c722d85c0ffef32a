"""The miniature Kit's physics is real, and follows Kit's rules."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from pxr import Sdf, UsdGeom, UsdPhysics
from stages import ROOTS, STEP, Listener, add_robot, articulations, cartpoles, position, rows, simulation_view
from standin import Kit


def test_playing_starts_physics_with_two_steps_and_two_events(kit: Kit):
    from isaacsim.core.simulation_manager import SimulationEvent, SimulationManager

    setup, started = Listener(), Listener()
    cartpoles(kit, 1)
    SimulationManager.register_callback(setup.hear, SimulationEvent.SIMULATION_SETUP)
    SimulationManager.register_callback(started.hear, SimulationEvent.SIMULATION_STARTED)
    kit.settings.set_bool("/app/player/playSimulations", True)
    kit.timeline.play()
    kit.timeline.commit()
    assert len(setup.heard) == len(started.heard) == 1
    assert SimulationManager.get_simulation_time() == pytest.approx(2 * STEP)
    assert SimulationManager.is_simulating()


def test_playing_without_simulation_starts_no_physics(kit: Kit):
    cartpoles(kit, 1)
    kit.settings.set_bool("/app/player/playSimulations", False)
    kit.play()
    assert kit.simulation.get_physics_simulation_view() is None


def test_an_update_makes_the_steps_that_are_due_while_the_player_may_simulate(kit: Kit):
    from isaacsim.core.simulation_manager import SimulationEvent, SimulationManager

    cartpoles(kit, 1)
    before, after = Listener(), Listener()
    SimulationManager.register_callback(before.hear, SimulationEvent.PHYSICS_PRE_STEP)
    SimulationManager.register_callback(after.hear, SimulationEvent.PHYSICS_POST_STEP)
    kit.play()
    counted = len(after.heard)
    kit.update(3)
    assert len(after.heard) - counted == 6 and len(before.heard) == len(after.heard)
    assert after.heard[-1][0] == pytest.approx(STEP)
    kit.settings.set_bool("/app/player/playSimulations", False)
    kit.update(3)
    assert len(after.heard) - counted == 6
    SimulationManager.step(steps=4)
    assert len(after.heard) - counted == 10


def test_the_step_is_a_whole_number_of_steps_per_second_cut_off(kit: Kit):
    kit.new_stage()
    kit.simulation.setup_simulation(dt=0.0035)
    assert kit.simulation.get_physics_dt() == pytest.approx(1 / 285)


def test_robots_fall_as_bodies_fall(kit: Kit):
    stage = kit.new_stage()
    kit.simulation.setup_simulation(dt=STEP)
    add_robot(stage, "/World/Robot", "humanoid").GetPrim()
    kit.play()
    kit.settings.set_bool("/app/player/playSimulations", False)
    view = simulation_view(kit).create_articulation_view("/World/Robot/pelvis")
    height, speed = float(view.get_root_transforms()[0, 2]), float(view.get_root_velocities()[0, 2])
    kit.simulation.step(steps=60)
    fallen = float(view.get_root_transforms()[0, 2]) - height
    assert fallen == pytest.approx(speed * 0.5 - 0.5 * 9.81 * 0.25, rel=0.02)


def test_rows_are_in_the_order_of_the_alphabet(kit: Kit):
    cartpoles(kit)
    kit.play()
    view = articulations(kit)
    names = [path.split("/")[3] for path in view.prim_paths]
    assert names[:5] == ["env_0", "env_1", "env_10", "env_11", "env_2"] and view.count == 12
    assert view.get_root_transforms()[:4, 1].tolist() == pytest.approx([0.0, 3.0, 30.0, 33.0])
    assert view.link_paths[2][0] == "/World/envs/env_10/Robot/rail"
    assert view.shared_metatype.dof_indices == {"slider": 0, "hinge": 1} and view.shared_metatype.fixed_base


def test_a_getter_refills_one_tensor(kit: Kit):
    cartpoles(kit, 2)
    kit.play()
    view = articulations(kit)
    first = view.get_dof_positions()
    before = first.clone()
    view.set_dof_positions(torch.ones(2, 2), rows(0, 1))
    assert view.get_dof_positions() is first and not torch.equal(first, before)


def test_a_setter_applies_the_rows_that_are_named(kit: Kit):
    cartpoles(kit, 3)
    kit.play()
    view = articulations(kit)
    for name, value in (("dof_positions", 0.25), ("dof_stiffnesses", 7.0), ("dof_actuation_forces", 1.5)):
        before = getattr(view, f"get_{name}")().clone()
        getattr(view, f"set_{name}")(torch.full((3, 2), value), rows(2))
        after = getattr(view, f"get_{name}")()
        assert torch.equal(after[:2], before[:2]) and torch.allclose(after[2], torch.full((2,), value))


@pytest.mark.parametrize(
    ("data", "indices", "error"),
    [
        (torch.zeros(3, 2, dtype=torch.float64), rows(0), TypeError),
        (torch.zeros(3, 2), torch.tensor([0]), TypeError),
        (torch.zeros(3, 2).numpy(), rows(0), TypeError),
        (torch.zeros(1, 2), rows(0), ValueError),
        (torch.zeros(3, 2), rows(3), ValueError),
        (torch.zeros(3, 2), rows(-1), ValueError),
    ],
)
def test_a_setter_refuses_other_types_sizes_and_rows(kit: Kit, data: Any, indices: Any, error: type[Exception]):
    cartpoles(kit, 3)
    kit.play()
    view = articulations(kit)
    before = view.get_dof_positions().clone()
    with pytest.raises(error):
        view.set_dof_positions(data, indices)
    assert torch.equal(view.get_dof_positions(), before)


def test_warps_view_takes_and_gives_warp_arrays(kit: Kit):
    import warp

    cartpoles(kit, 2)
    kit.play()
    view = articulations(kit, "warp")
    given = view.get_dof_positions()
    view.set_dof_positions(warp.from_torch(torch.full((2, 2), 0.5)), warp.from_torch(rows(0, 1)))
    assert view.get_dof_positions() is given and given.numpy().tolist() == [[0.5, 0.5], [0.5, 0.5]]
    with pytest.raises(TypeError):
        view.set_dof_positions(torch.zeros(2, 2), rows(0))


def test_forces_add_up_and_act_for_one_step(kit: Kit):
    cartpoles(kit, 2)
    kit.play()
    kit.settings.set_bool("/app/player/playSimulations", False)
    view = articulations(kit)
    view.set_dof_velocities(torch.zeros(2, 2), rows(0, 1))
    force = torch.zeros(2, 3, 3)
    force[:, view.shared_metatype.link_indices["cart"], 0] = 11.0
    for _ in range(2):
        view.apply_forces_and_torques_at_position(force, None, None, rows(1), True)
    kit.simulation.step()
    once = view.get_dof_velocities()[:, 0].clone()
    kit.simulation.step()
    assert once[0] == pytest.approx(0.0, abs=1e-4)
    assert once[1] == pytest.approx(22.0 * STEP / 1.025, rel=0.02)  # the cart's 1 kg and a quarter of the pole's 0.1 kg
    assert view.get_dof_velocities()[1, 0] == pytest.approx(float(once[1]), rel=0.05)


def test_a_force_off_the_centre_of_mass_turns_the_body(kit: Kit):
    stage = kit.new_stage()
    add_robot(stage, "/World/Robot", "humanoid")
    kit.play()
    kit.settings.set_bool("/app/player/playSimulations", False)
    view = simulation_view(kit).create_articulation_view("/World/Robot/pelvis")
    force, point = torch.zeros(1, view.max_links, 3), view.get_link_transforms()[..., :3].clone()
    force[0, 0, 0] = 50.0
    point[..., 2] += 0.3
    view.apply_forces_and_torques_at_position(force, None, point, rows(0), True)
    kit.simulation.step()
    assert view.get_root_velocities()[0, 4] > 0.05


def test_contact_forces_carry_the_weight(kit: Kit):
    stage = kit.new_stage()
    add_robot(stage, "/World/Robot", "humanoid")
    UsdPhysics.CollisionAPI.Apply(UsdGeom.Plane.Define(stage, "/World/ground").GetPrim())
    bodies = [prim for prim in stage.Traverse() if prim.HasAPI(UsdPhysics.RigidBodyAPI)]
    for prim in bodies:
        prim.AddAppliedSchema("PhysxContactReportAPI")
        prim.CreateAttribute("physxContactReport:threshold", Sdf.ValueTypeNames.Float).Set(0.0)
    bodies[0].AddAppliedSchema("PhysxArticulationAPI")  # a robot that sleeps reports no forces
    for name in ("sleepThreshold", "stabilizationThreshold"):
        bodies[0].CreateAttribute(f"physxArticulation:{name}", Sdf.ValueTypeNames.Float).Set(0.0)
    kit.play()
    kit.update(150)
    view = simulation_view(kit)
    contacts = view.create_rigid_contact_view([str(prim.GetPath()) for prim in bodies])
    masses = view.create_articulation_view("/World/Robot/pelvis").get_masses()
    forces = contacts.get_net_contact_forces(kit.simulation.get_physics_dt())
    assert contacts.sensor_count == len(bodies) and forces is contacts.get_net_contact_forces(1.0 / 60.0)
    assert float(forces[:, 2].sum()) == pytest.approx(9.81 * float(masses.sum()), rel=0.1)


def test_a_pattern_without_a_match_gives_a_view_without_a_backend(kit: Kit):
    cartpoles(kit, 2)
    kit.play()
    assert simulation_view(kit).create_articulation_view("/World/none/*")._backend is None
    assert simulation_view(kit).create_rigid_contact_view("/World/none/*")._backend is None
    with pytest.raises(ValueError, match="not a pattern"):
        simulation_view(kit).create_articulation_view("/World/**")


def test_stopping_invalidates_every_view_and_gives_the_authored_poses_back(kit: Kit):
    stage = cartpoles(kit, 2)
    cart, layers = "/World/envs/env_1/Robot/cart", stage.GetRootLayer().ExportToString()
    authored = position(stage, cart)
    kit.play()
    view, parent = articulations(kit), simulation_view(kit)
    view.set_dof_positions(torch.full((2, 2), 1.0), rows(0, 1))
    kit.update()
    assert position(stage, cart)[0] == pytest.approx(authored[0] + 1.0, abs=0.1)
    assert kit.rendered_poses[cart][0] == pytest.approx(position(stage, cart)[0])
    kit.stop()
    assert not parent.is_valid and not view.check()
    for use in (view.get_dof_positions, lambda: view.count, parent.update_articulations_kinematic):
        with pytest.raises(Exception, match="not valid"):
            use()
    with pytest.raises(RuntimeError, match="not loaded"):
        kit.simulation.step()
    assert position(stage, cart) == authored
    assert stage.GetRootLayer().ExportToString() == layers


def test_invalidating_one_view_invalidates_all(kit: Kit):
    cartpoles(kit, 2)
    kit.play()
    one, other = simulation_view(kit), articulations(kit)
    one.invalidate()
    assert not other.check() and not kit.simulation.get_physics_simulation_view().is_valid
    assert simulation_view(kit).is_valid


def test_views_die_with_the_prims_they_look_at(kit: Kit):
    stage = cartpoles(kit, 2)
    kit.play()
    view = simulation_view(kit)
    stage.RemovePrim("/World/envs/env_1")
    assert not view.is_valid


@pytest.mark.parametrize("act", ["step", "register", "deregister"])
def test_a_step_callback_may_neither_step_nor_change_subscriptions(kit: Kit, act: str):
    from isaacsim.core.simulation_manager import SimulationEvent, SimulationManager

    acts = {
        "step": lambda *_: SimulationManager.step(),
        "register": lambda *_: SimulationManager.register_callback(print, SimulationEvent.PHYSICS_PRE_STEP),
        "deregister": lambda *_: SimulationManager.deregister_callback(uid),
    }
    cartpoles(kit, 1)
    kit.play()
    uid: int = SimulationManager.register_callback(acts[act], SimulationEvent.PHYSICS_POST_STEP)
    SimulationManager.step()
    assert "physics step callback" in kit.logs.errors[0]
    kit.logs.clear()


def test_fabric_has_to_be_enabled_before_it_is_updated(kit: Kit):
    cartpoles(kit, 1)
    kit.play()
    kit.settings.set_bool("/app/player/playSimulations", False)
    with pytest.raises(ValueError, match="fabric"):
        kit.simulation.step(update_fabric=True)
    kit.simulation.enable_fabric(True)
    kit.simulation.step(steps=3, update_fabric=True)
    assert kit.fabric_updates == 3 and not kit.settings.get_as_bool("/physics/updateToUsd")
    assert {"fabric", "settings"} <= kit.leftovers().keys()


def test_replication_refuses_what_kit_would_get_wrong_without_a_word(kit: Kit):
    from isaacsim.core.cloner import Cloner

    stage = cartpoles(kit, 2)
    cloner = Cloner(stage)
    paths = ["/World/envs/env_0", "/World/envs/env_1"]
    UsdGeom.Xform.Define(stage, "/World/envs/lamp")
    with pytest.raises(ValueError, match="lamp"):
        cloner.replicate_physics(paths[0], paths, "/World/envs", "/World/envs/env_")
    stage.RemovePrim("/World/envs/lamp")
    with pytest.raises(ValueError, match="env_2"):
        cloner.replicate_physics(paths[0], [*paths, "/World/envs/env_2"], "/World/envs", "/World/envs/env_")
    kit.play()
    with pytest.raises(ValueError, match="before play"):
        cloner.replicate_physics(paths[0], paths, "/World/envs", "/World/envs/env_")


def test_a_physics_scene_that_goes_with_its_parent_stays_known_until_play(kit: Kit):
    stage = kit.new_stage()
    UsdPhysics.Scene.Define(stage, "/Group/scene")
    kit.simulation.setup_simulation(dt=STEP)
    stage.RemovePrim("/Group")
    with pytest.raises(RuntimeError, match="expired"):
        kit.simulation.setup_simulation(dt=STEP)
    kit.play()
    assert "/Group/scene" in kit.logs.warnings[0]
    assert kit.simulation.get_physics_dt() == pytest.approx(1 / 60)
    stage.GetPrimAtPath("/PhysicsScene")


def test_a_physics_scene_whose_type_comes_with_a_schema_goes_unnoticed(kit: Kit):
    stage = kit.new_stage()
    with Sdf.ChangeBlock():
        spec = Sdf.CreatePrimInLayer(stage.GetRootLayer(), "/scene")
        spec.specifier, spec.typeName = Sdf.SpecifierDef, "PhysicsScene"
        spec.SetInfo("apiSchemas", Sdf.TokenListOp.CreateExplicit(["PhysxSceneAPI"]))
    kit.simulation.setup_simulation(dt=STEP)
    assert stage.GetPrimAtPath("/PhysicsScene")


def test_newton_says_no_where_it_has_nothing(kit: Kit):
    cartpoles(kit, 1)
    kit.use_engine("newton")
    kit.play()
    view = kit["omni.physics.tensors"].create_simulation_view("torch", backend="newton").create_articulation_view(ROOTS)
    assert view.get_masses().shape == (1, 3)
    for name in ("drive_types", "material_properties", "dof_friction_properties"):
        with pytest.raises(Exception, match="Newton has no"):
            getattr(view, f"get_{name}")()
    assert kit["isaacsim.physics.newton"].acquire_stage() is not None
