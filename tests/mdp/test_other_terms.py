"""Terminations, observations, commands, randomisation and metrics against numbers worked out by hand."""

from __future__ import annotations

import math

import pytest
import torch

from humanoid_rl_ext.mdp import commands, metrics, observations, randomisation, terminations


def test_falls_are_seen_by_height_and_by_tilt(engine, step) -> None:
    engine.state.root_pose[0, 2] = 0.5
    engine.state.root_pose[1, 3:] = torch.tensor([math.sin(0.6), 0, 0, math.cos(0.6)])  # rolled by 1.2 rad
    step.refresh()
    assert terminations.fall_by_height(step, share=0.6).tolist() == [True, False]
    assert terminations.fall_by_tilt(step, limit=1.0).tolist() == [False, True]
    assert terminations.fall_by_tilt(step, limit=1.3).tolist() == [False, False]


def test_touching_with_the_base_ends_the_episode_only_above_the_threshold(engine, step) -> None:
    engine.contacts[0, 0] = torch.tensor([0.0, 3.0, 4.0])
    step.refresh()
    assert terminations.base_contact(step, bodies=slice(0, 1), threshold=4.9).tolist() == [True, False]
    assert terminations.base_contact(step, bodies=slice(0, 1), threshold=5.1).tolist() == [False, False]


def test_limits_of_time_place_and_joints(engine, step) -> None:
    step.episode_length[0] = 100
    engine.state.root_pose[0, :2] = torch.tensor([3.0, 4.0])
    engine.state.joint_pos[0, 2] = 0.2 + 0.6
    step.refresh()
    assert terminations.time_out(step).tolist() == [True, False]
    assert terminations.out_of_bounds(step, limit=4.9).tolist() == [True, False]
    assert terminations.joint_out_of_range(step, joints=slice(0, 3), limit=0.5).tolist() == [True, False]
    assert terminations.target_reached(step, distance=0.4).tolist() == [False, True]


def test_observations_show_what_their_names_say(engine, step) -> None:
    engine.state.joint_pos[0] = torch.tensor([0.5, 0.1, 0.2])
    engine.contacts[0, 1] = torch.tensor([30.0, 0, 40.0])
    step.action[0] = 2.0
    step.commands["target"][0] = torch.tensor([1.0, 2.0, 1.0])
    step.refresh()
    joints, feet = slice(0, 3), slice(1, 3)
    assert observations.joint_pos(step, joints=joints)[0].tolist() == pytest.approx([0.5, 0.0, 0.0])
    assert observations.contact_force(step, bodies=feet, scale=0.01)[0].tolist() == pytest.approx([0.5, 0.0])
    assert observations.target_position(step)[0].tolist() == pytest.approx([1.0, 2.0, 0.0])
    assert observations.heading(step)[0].tolist() == [1.0, 0.0]
    assert observations.last_action(step)[0].tolist() == [2.0, 2.0, 2.0]
    assert observations.root_height(step).tolist() == [[1.0], [1.0]]


def test_velocity_commands_span_their_ranges_and_some_stand(step) -> None:
    random = torch.tensor([[0.0, 0.5, 1.0, 0.9], [0.3, 0.3, 0.3, 0.05]])
    ranges = {"lin_vel_x": (-0.5, 1.5), "lin_vel_y": (-0.5, 0.5), "ang_vel_z": (-1.0, 1.0)}
    command = commands.velocity(step, random, **ranges, standing_share=0.1)
    assert command.tolist() == [[-0.5, 0.0, 1.0], [0.0, 0.0, 0.0]]


def test_targets_lie_in_their_ring_at_standing_height(step) -> None:
    random = torch.tensor([[0.0, 0.25], [1.0, 0.0]])
    target = commands.target(step, random, distance=(1.0, 3.0))
    assert torch.allclose(target, torch.tensor([[0.0, 1.0, 1.0], [3.0, 0.0, 1.0]]), atol=1e-6)


def test_samples_fill_their_ranges(step) -> None:
    low, high = torch.zeros(1, 12), torch.ones(1, 12)
    ranges = {"x": (-1.0, 2.0), "ang_vel_z": (3.0, 4.0)}
    assert randomisation.initial_root(step, low, **ranges)[0, [0, 11]].tolist() == [-1.0, 3.0]
    assert randomisation.initial_root(step, high, **ranges)[0, [0, 11]].tolist() == [2.0, 4.0]
    assert randomisation.push(step, torch.full((1, 6), 0.5), lin_vel_x=(0.0, 2.0))[0, 0] == 1.0
    half = torch.full((1, 3), 0.5)
    assert randomisation.initial_joint_pos(step, half, offset=(0.0, 1.0)).tolist() == [[0.5] * 3]
    assert randomisation.initial_joint_vel(step, half, velocity=(-1.0, 0.0)).tolist() == [[-0.5] * 3]


def test_metrics_measure_errors_and_power(engine, step) -> None:
    engine.state.root_velocity[0] = torch.tensor([1.0, 0, 0, 0, 0, 0.5])
    engine.effort[0], engine.state.joint_vel[0] = 2.0, torch.tensor([1.0, -1.0, 0.0])
    step.commands["velocity"][0] = torch.tensor([1.0, 1.0, 0.0])
    step.refresh()
    assert metrics.forward_speed(step).tolist() == [1.0, 0.0]
    assert metrics.lin_vel_error(step).tolist() == [1.0, 0.0]
    assert metrics.ang_vel_error(step).tolist() == [0.5, 0.0]
    assert metrics.power(step).tolist() == [4.0, 0.0]
    assert metrics.root_height(step).tolist() == [1.0, 1.0]
    assert metrics.target_distance(step).tolist() == [0.0, 0.0]
