"""What every engine owes its callers, besides correct physics."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from humanoid_rl_ext.errors import EngineError
from humanoid_rl_ext.robot import load_robot

pytestmark = pytest.mark.parametrize("start", ["ovphysx", "newton"], indirect=True)


def test_a_description_of_another_robot_is_refused_and_leaves_no_scene_behind(start):
    walker = load_robot("walker")
    joints = (replace(walker.joints[0], name="tail"), *walker.joints[1:])
    with pytest.raises(EngineError, match="missing in the engine: tail"):
        start(replace(walker, joints=joints))
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
        if f"joint_{name}" not in engine.properties:
            assert engine.name == "newton" and name == "velocity_limit"
            continue
        described = [getattr(joint, name) for joint in engine.robot.joints]
        assert engine.get_property(f"joint_{name}")[0].tolist() == pytest.approx(described, rel=1e-4), name


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("dynamic_friction", -0.1, "outside 0"),
        ("dynamic_friction", float("nan"), "NaN"),
        ("mass", 0.0, "not above zero"),
        ("joint_stiffness", float("inf"), "finite"),
    ],
)
def test_values_that_physics_would_not_survive_are_refused(start, name, value, complaint):
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
