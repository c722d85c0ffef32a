"""Gravity of each environment: robots fall, rest, swing and tumble as in a scene that has that gravity."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch

pytestmark = pytest.mark.parametrize("start", ["ovphysx", "newton"], indirect=True)
DT = 0.005


def downwards(*sizes: float) -> torch.Tensor:
    return torch.tensor(sizes).unsqueeze(-1) * torch.tensor([0.0, 0.0, -1.0])


def test_robots_fall_by_half_their_own_g_t_squared(start, put):
    engine = start("walker", 3, dt=DT)
    own = torch.tensor([9.81, 3.0, 12.0])
    engine.set_property("gravity", downwards(*own.tolist()))
    assert torch.equal(-engine.get_property("gravity")[:, 2], own)
    put(engine, lift=8.0)
    before = engine.state.root_pose[:, 2].clone()
    engine.step(160)
    expected = own * 160 * DT * (161 * DT) / 2
    torch.testing.assert_close(before - engine.state.root_pose[:, 2], expected, rtol=2e-3, atol=0.0)
    torch.testing.assert_close(-engine.state.root_velocity[:, 2], own * 160 * DT, rtol=2e-3, atol=0.0)
    assert engine.state.root_velocity[:, 3:].abs().max() < 0.02  # all bodies are pulled alike: nothing turns


def test_resting_robots_weigh_their_mass_in_their_own_gravity(start):
    engine = start("humanoid", 3, dt=1 / 120)
    own = torch.tensor([9.81, 5.0, 15.0])
    engine.set_property("gravity", downwards(*own.tolist()))
    engine.step(960)
    loads = []
    for _ in range(20):
        engine.step(1)
        loads.append(engine.read_contacts()[..., 2].sum(1).clone())
    weight = torch.stack(loads).mean(0)
    torch.testing.assert_close(weight, engine.robot.total_mass * own, rtol=0.01, atol=0.0)


def test_a_pendulum_on_a_fixed_base_swings_with_the_period_of_its_gravity(start, put, bench):
    engine = start(bench, 2, dt=DT)
    swing = bench.joint_names.index("swing")
    engine.set_property("joint_armature", torch.zeros(2, 2))
    engine.set_property("gravity", downwards(4.0, 16.0))
    engine.set_targets("effort", torch.zeros(2, 2))
    angle = torch.zeros(2, 2)
    angle[:, swing] = 0.1
    put(engine, joint_pos=angle)
    path = []
    for _ in range(1000):
        engine.step(1)
        path.append(engine.state.joint_pos[:, swing].clone())
    for env, own in enumerate((4.0, 16.0)):
        angles = torch.stack(path)[:, env].tolist()
        downward = [(i + a / (a - b)) * DT for i, (a, b) in enumerate(pairwise(angles)) if a > 0.0 >= b]
        expected = 2 * math.pi * math.sqrt((0.02 + 1.5 * 0.8**2) / (1.5 * 0.8 * own)) * (1 + 0.1**2 / 16)
        assert downward[1] - downward[0] == pytest.approx(expected, rel=5e-3)


@pytest.mark.parametrize(("lift", "steps", "close"), [(3.0, 20, 1e-4), (0.0, 8, 2e-3)])
def test_a_driven_humanoid_moves_as_in_a_scene_of_that_gravity(start, put, lift: float, steps: int, close: float):
    own, usual = (1.5, -0.5, -8.0), (0.0, 0.0, -9.81)
    paths = []
    for scene, given in ((own, None), (usual, own), (usual, None)):
        engine = start("humanoid", 16, dt=DT, gravity=scene)
        if given is not None:
            engine.set_property("gravity", torch.tensor([given] * 16))
        generator = torch.Generator().manual_seed(3)
        put(engine, lift=lift, root_velocity=0.3 * torch.randn(16, 6, generator=generator))
        for _ in range(steps):
            engine.set_targets("position", 0.5 * torch.randn(engine.state.joint_pos.shape, generator=generator))
            engine.step(4)
        state = engine.state
        paths.append(torch.cat((state.root_pose, state.joint_pos, 0.05 * state.root_velocity), dim=-1).clone())
    # Contacts of some robots come or go a sub-step later for a rounding error: the middle one of each value counts.
    error, effect = ((path - paths[0]).abs().median(0).values.max().item() for path in paths[1:])
    assert error < close and error < 0.03 * effect


def test_a_wrench_acts_beside_the_own_gravity(start, put):
    engine = start("humanoid", 2, dt=DT)
    engine.set_property("gravity", downwards(9.81, 2.0))
    put(engine, lift=2.0)
    wrench = torch.zeros(2, 6)
    wrench[1, 0] = 90.0
    engine.set_wrench(3, wrench)
    engine.step(20)
    engine.set_wrench(3, None)
    engine.step(20)
    mass = engine.get_property("mass")
    momentum = (mass[..., None] * engine.state.body_velocity[..., :3]).sum(1)
    expected = torch.zeros(2, 3)
    expected[1, 0] = 90.0 * 20 * DT
    expected[:, 2] = -mass.sum(1) * torch.tensor([9.81, 2.0]) * 40 * DT
    torch.testing.assert_close(momentum, expected, rtol=5e-3, atol=0.05)
