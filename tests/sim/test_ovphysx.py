from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from humanoid_rl_ext.errors import BadInputError, DeviceError, EngineError
from humanoid_rl_ext.robot import load_robot
from humanoid_rl_ext.sim.engine import SceneSettings
from humanoid_rl_ext.sim.engines import make_engine


def test_an_unknown_engine_is_bad_input_that_names_the_nearest():
    with pytest.raises(BadInputError, match="did you mean 'ovphysx'"):
        make_engine("ovphysics", load_robot("walker"), SceneSettings(1))


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has CUDA")
def test_asking_for_cuda_where_there_is_none_is_an_error_and_never_a_fallback():
    with pytest.raises(DeviceError, match="CUDA is not available"):
        make_engine("ovphysx", load_robot("walker"), SceneSettings(1, device="cuda:0"))


def test_a_device_nobody_knows_is_an_error():
    with pytest.raises(DeviceError, match="tpu"):
        make_engine("ovphysx", load_robot("walker"), SceneSettings(1, device="tpu"))


def test_a_second_engine_waits_for_the_first_to_close(start):
    engine = start("cartpole")
    with pytest.raises(EngineError, match="close the living engine first"):
        make_engine("ovphysx", load_robot("cartpole"), SceneSettings(1))
    engine.step(1)
    engine.close()
    engine.close()
    other = make_engine("ovphysx", load_robot("walker"), SceneSettings(2))
    other.step(1)
    assert other.state.joint_pos.shape == (2, 12)
    other.close()


def test_a_description_of_another_robot_is_refused_and_leaves_no_scene_behind(start):
    walker = load_robot("walker")
    joints = (replace(walker.joints[0], name="tail"), *walker.joints[1:])
    with pytest.raises(EngineError, match="missing in the engine: tail"):
        make_engine("ovphysx", replace(walker, joints=joints), SceneSettings(1))
    start("walker").step(1)


def test_two_runs_with_the_same_targets_are_identical_to_the_last_bit(start):
    def run() -> list[torch.Tensor]:
        engine = start("walker", 8)
        draws = torch.Generator().manual_seed(3)
        for _ in range(20):
            engine.set_targets("position", torch.rand(8, 12, generator=draws) - 0.5)
            engine.step(4)
        return [engine.state.root_pose.clone(), engine.state.joint_vel.clone(), engine.read_contacts().clone()]

    assert all(torch.equal(a, b) for a, b in zip(run(), run(), strict=True))


def test_contacts_belong_to_the_body_and_environment_that_touch(start, put):
    engine = start("humanoid", 3)
    put(engine, lift=2.0, mask=torch.tensor([False, True, False]))
    engine.step(30)
    touching = engine.read_contacts()[..., 2] > 1.0
    feet = [engine.robot.body_names.index(name) for name in engine.robot.with_role("foot")]
    assert touching.any(1).tolist() == [True, False, True]
    assert touching[0].nonzero().flatten().tolist() == feet
    assert engine.read_contacts() is engine.read_contacts()


def test_contacts_that_were_not_asked_for_cannot_be_read(start):
    with pytest.raises(EngineError, match="contacts=False"):
        start("walker", contacts=False).read_contacts()


def test_drive_effort_follows_gains_targets_and_limits(start):
    engine = start("walker", 2)
    engine.set_targets("position", torch.full((2, 12), 0.3))
    engine.step(3)
    stiffness, damping = engine.get_property("joint_stiffness"), engine.get_property("joint_damping")
    limit = engine.get_property("joint_effort_limit")
    wanted = stiffness * (0.3 - engine.state.joint_pos) - damping * engine.state.joint_vel
    assert torch.allclose(engine.joint_effort(), torch.maximum(torch.minimum(wanted, limit), -limit), atol=1e-4)


def test_drives_are_as_described(start):
    engine = start("humanoid")
    for name in ("stiffness", "damping", "effort_limit", "velocity_limit", "armature"):
        described = [getattr(joint, name) for joint in engine.robot.joints]
        assert engine.get_property(f"joint_{name}")[0].tolist() == pytest.approx(described, rel=1e-4), name


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("static_friction", -0.1, "outside 0"),
        ("restitution", 1.5, "outside 0 to 1"),
        ("dynamic_friction", float("nan"), "NaN"),
        ("mass", 0.0, "not above zero"),
        ("joint_stiffness", float("inf"), "finite"),
    ],
)
def test_values_that_physx_would_not_survive_are_refused(start, name, value, complaint):
    engine = start("walker", 2)
    good = engine.get_property(name)
    with pytest.raises(EngineError, match=complaint):
        engine.set_property(name, torch.full_like(good, value))
    engine.step(1)
    assert torch.equal(engine.get_property(name), good)


def test_a_masked_property_changes_its_rows_and_acts(start, put):
    engine = start("cartpole", 2, gravity=(0.0, 0.0, 0.0))
    mass = engine.get_property("mass")
    engine.set_property("mass", mass * 3.0, torch.tensor([False, True]))
    assert torch.allclose(engine.get_property("mass") / mass, torch.tensor([[1.0], [3.0]]))
    effort = torch.zeros(2, 2)
    effort[:, 0] = 5.0
    put(engine, joint_pos=torch.zeros(2, 2))
    engine.set_targets("effort", effort)
    engine.step(10)
    speed = engine.state.body_velocity[:, 1, 0]
    assert 2.0 < (speed[0] / speed[1]).item() <= 3.05


def test_an_unknown_property_names_the_nearest(start):
    with pytest.raises(EngineError, match="did you mean 'joint_stiffness'"):
        start("walker").get_property("joint_stifness")


def test_bodies_can_be_left_out_of_the_step_and_read_when_wanted(start, put):
    engine = start("walker", 1, body_state=False)
    put(engine, lift=1.0)
    before = engine.state.body_pose[0, 0, 2].item()
    engine.step(20)
    assert engine.state.body_pose[0, 0, 2].item() == before
    engine.refresh_bodies()
    assert engine.state.body_pose[0, 0, 2].item() == engine.state.root_pose[0, 2].item() < before


def test_a_run_of_isaac_sim_goes_on_here_with_the_physx_that_installs() -> None:
    engine = make_engine("kit", load_robot("cartpole"), SceneSettings(1, num_threads=1))
    assert engine.name == "ovphysx"
    engine.close()
