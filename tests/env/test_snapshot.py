"""A snapshot holds what the engine holds, and no more than was asked for."""

from __future__ import annotations

import time

import numpy as np
import pytest
import torch

from humanoid_rl_ext.env.snapshot import centre_of_mass, take_snapshot


def stepped(env, steps: int = 5):
    env.reset()
    for _ in range(steps):
        env.step(torch.zeros(env.num_envs, env.spec.action.size))
    return env


def test_a_snapshot_agrees_with_the_engine(make):
    env = stepped(make("walker_run"))
    shot = take_snapshot(env, 2, {"contacts", "torques", "velocity"})
    state = env.engine.state
    assert shot.body_pose == pytest.approx(state.body_pose[2].numpy())
    assert shot.origin == pytest.approx(env.engine.env_origins[2].numpy())
    assert shot.base_velocity == pytest.approx(state.root_velocity[2].numpy())
    assert shot.contact_force == pytest.approx(env.engine.read_contacts()[2].numpy())
    assert shot.joint_effort == pytest.approx(env.engine.joint_effort()[2].numpy())
    assert shot.time == pytest.approx(5 * env.view.dt)


def test_what_no_overlay_shows_is_not_read(make, monkeypatch):
    env = stepped(make("walker_run"))

    def refuse():
        raise AssertionError("contacts were read")

    env.view.refresh()
    monkeypatch.setattr(env.engine, "read_contacts", refuse)
    shot = take_snapshot(env, 0)
    assert shot.contact_force is None and shot.joint_effort is None and shot.base_velocity is None
    assert not shot.commands


def test_commands_come_by_their_kind(make):
    env = stepped(make("humanoid_walk"))
    command = take_snapshot(env, 1, {"velocity"}).commands["velocity"]
    assert command == pytest.approx(env.view.commands["velocity"][1].numpy())


def test_the_centre_of_mass_of_a_standing_humanoid_is_over_its_feet_and_in_its_middle(make):
    env = make("humanoid_stand", "randomisation={}")
    env.reset()
    shot, robot = take_snapshot(env, 0), env.engine.robot
    centre = centre_of_mass(robot, shot.body_pose) - shot.origin
    assert abs(centre[1]) < 0.01
    assert 0.4 * robot.standing_height < centre[2] < 1.3 * robot.standing_height
    feet = [robot.body_names.index(name) for name in robot.with_role("foot")]
    assert abs(centre[0] - (shot.body_pose[feet, 0] - shot.origin[0]).mean()) < 0.12


def test_a_snapshot_is_cheap(make):
    env = stepped(make("walker_run"))
    take_snapshot(env, 0)
    times = []
    for _ in range(50):
        start = time.perf_counter()
        take_snapshot(env, 0)
        times.append(time.perf_counter() - start)
    assert np.median(times) < 1e-3
