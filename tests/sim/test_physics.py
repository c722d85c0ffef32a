"""The engines against closed-form mechanics."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch

pytestmark = pytest.mark.parametrize("start", ["ovphysx", "newton"], indirect=True)
DT = 1 / 120
G = 9.81


def test_a_robot_in_the_air_falls_by_half_g_t_squared(start, put):
    engine = start("walker", dt=DT)
    put(engine, lift=5.0)
    before = engine.state.root_pose[0, 2].item()
    engine.step(60)
    time = 60 * DT
    # A semi-implicit step adds g dt t / 2 to the exact drop.
    assert before - engine.state.root_pose[0, 2].item() == pytest.approx(G * time * (time + DT) / 2, rel=2e-3)
    assert engine.state.root_velocity[0, 2].item() == pytest.approx(-G * time, rel=2e-3)


def test_a_pendulum_swings_with_its_period(start, put, bench):
    engine = start(bench, dt=DT)
    swing = bench.joint_names.index("swing")
    engine.set_property("joint_armature", torch.zeros(1, 2))
    engine.set_targets("effort", torch.zeros(1, 2))
    angle = torch.zeros(1, 2)
    angle[0, swing] = 0.1
    put(engine, joint_pos=angle)
    mass, length, inertia = 1.5, 0.8, 0.02 + 1.5 * 0.8**2
    small = 2 * math.pi * math.sqrt(inertia / (mass * G * length))
    expected = small * (1 + 0.1**2 / 16)
    path = []
    for _ in range(round(2.6 * expected / DT)):
        engine.step(1)
        path.append(engine.state.joint_pos[0, swing].item())
    downward = [(i + a / (a - b)) * DT for i, (a, b) in enumerate(pairwise(path)) if a > 0.0 >= b]
    assert downward[1] - downward[0] == pytest.approx(expected, rel=5e-3)


def test_the_resting_robot_weighs_its_mass_for_as_long_as_it_rests(start):
    engine = start("humanoid", 2, dt=DT)
    for _ in range(3):
        engine.step(240)
    weight = torch.stack([_after_a_step(engine) for _ in range(20)]).mean(0)
    expected = engine.robot.total_mass * G
    assert weight.tolist() == pytest.approx([expected] * 2, rel=0.01)


def _after_a_step(engine) -> torch.Tensor:
    engine.step(1)
    return engine.read_contacts()[..., 2].sum(1).clone()


def test_a_position_drive_is_a_damped_oscillator(start, bench):
    engine = start(bench, dt=1 / 500)
    slide = bench.joint_names.index("slide")
    engine.set_property("joint_armature", torch.zeros(1, 2))
    stiffness, damping = engine.get_property("joint_stiffness"), engine.get_property("joint_damping")
    assert (stiffness[0, slide].item(), damping[0, slide].item()) == pytest.approx((50.0, 4.0), rel=1e-5)
    target = torch.zeros(1, 2)
    target[0, slide] = 0.5
    engine.set_targets("position", target)
    omega, decay = math.sqrt(50 / 2), 4 / (2 * 2)
    ringing = math.sqrt(omega**2 - decay**2)
    for time in (0.2, 0.4, 0.6):
        engine.step(100)
        envelope = math.exp(-decay * time)
        expected = 0.5 * (1 - envelope * (math.cos(ringing * time) + decay / ringing * math.sin(ringing * time)))
        assert engine.state.joint_pos[0, slide].item() == pytest.approx(expected, abs=0.012)


@pytest.mark.parametrize("mode", ["position", "effort"])
def test_a_drive_never_pushes_harder_than_its_effort_limit(start, bench, mode):
    engine = start(bench, dt=DT)
    slide = bench.joint_names.index("slide")
    engine.set_property("joint_armature", torch.zeros(1, 2))
    engine.set_property("joint_effort_limit", torch.full((1, 2), 3.0))
    engine.set_targets(mode, torch.full((1, 2), 40.0))
    engine.step(60)
    assert engine.state.joint_vel[0, slide].item() == pytest.approx(3.0 / 2.0 * 0.5, rel=0.01)
    assert engine.joint_effort()[0, slide].item() == pytest.approx(3.0)


def test_a_velocity_target_is_reached_and_the_stiffness_comes_back_afterwards(start, bench):
    engine = start(bench, dt=DT)
    slide = bench.joint_names.index("slide")
    target = torch.zeros(1, 2)
    target[0, slide] = 0.7
    engine.set_targets("velocity", target)
    engine.step(600)
    assert engine.state.joint_vel[0, slide].item() == pytest.approx(0.7, rel=1e-3)
    engine.set_targets("position", torch.zeros(1, 2))
    engine.step(1200)
    assert engine.state.joint_pos[0, slide].item() == pytest.approx(0.0, abs=1e-3)


def test_a_wrench_on_a_body_accelerates_the_whole_robot_and_ends_with_it(start, put):
    engine = start("humanoid", 2, dt=DT, gravity=(0.0, 0.0, 0.0))
    put(engine, lift=1.0)
    wrench = torch.zeros(2, 6)
    wrench[1, 0] = 90.0
    engine.set_wrench(3, wrench)
    engine.step(12)
    engine.set_wrench(3, None)
    rel = 1e-3 if engine.name == "ovphysx" else 3e-3  # in joint coordinates, momentum has an error of first order in dt
    for _ in range(2):
        mass = engine.get_property("mass")
        momentum = (mass[..., None] * engine.state.body_velocity[..., :3]).sum(1)[:, 0]
        assert momentum.tolist() == pytest.approx([0.0, 90.0 * 12 * DT], rel=rel, abs=1e-3)
        engine.step(12)


def test_a_body_slides_as_far_as_its_own_friction_lets_it(start, put):
    engine = start("humanoid", 2, dt=DT)
    engine.step(600)
    values = (0.0, 1.0)
    for name in {"static_friction", "dynamic_friction"} & engine.properties.keys():
        shapes = engine.get_property(name).shape[1]
        engine.set_property(name, torch.tensor(values)[:, None].expand(2, shapes))
    velocity = torch.zeros(2, 6)
    velocity[:, 1] = 1.0
    put(engine, root_velocity=velocity)
    start_y = engine.state.root_pose[:, 1].clone()
    engine.step(120)
    slid = (engine.state.root_pose[:, 1] - start_y).tolist()
    assert slid[0] > 1.3 * slid[1] > 0.0
