"""Frames: what terms see of a body that is turned."""

from __future__ import annotations

import math

import torch

from humanoid_rl_ext.sim.rotation import matrix_from_quat, quat_from_euler, quat_mul

QUARTER = math.pi / 2


def angles(roll: float, pitch: float, yaw: float) -> torch.Tensor:
    return quat_from_euler(torch.tensor([[roll, pitch, yaw]]))


def test_rotation_matrices_turn_vectors_as_expected() -> None:
    turn_left = matrix_from_quat(angles(0, 0, QUARTER))[0]
    assert torch.allclose(turn_left @ torch.tensor([1.0, 0, 0]), torch.tensor([0.0, 1, 0]), atol=1e-6)
    nose_down = matrix_from_quat(angles(0, QUARTER, 0))[0]
    assert torch.allclose(nose_down @ torch.tensor([1.0, 0, 0]), torch.tensor([0.0, 0, -1]), atol=1e-6)


def test_products_of_rotations_agree_with_products_of_matrices() -> None:
    first, second = angles(0.3, -0.4, 0.5), angles(-1.0, 0.2, 2.0)
    product = matrix_from_quat(quat_mul(first, second))
    assert torch.allclose(product, matrix_from_quat(first) @ matrix_from_quat(second), atol=1e-6)
    euler = quat_mul(quat_mul(angles(0, 0, 0.5), angles(0, -0.4, 0)), angles(0.3, 0, 0))
    assert torch.allclose(euler, first, atol=1e-6)


def test_a_base_turned_left_sees_a_velocity_along_world_x_on_its_right(engine, step) -> None:
    engine.state.root_pose[0, 3:] = angles(0, 0, QUARTER)
    engine.state.root_velocity[0] = torch.tensor([2.0, 0, 0, 0, 0, 1.0])
    step.refresh()
    assert torch.allclose(step.root_lin_vel_b[0], torch.tensor([0.0, -2, 0]), atol=1e-6)
    assert torch.allclose(step.root_ang_vel_b[0], torch.tensor([0.0, 0, 1]), atol=1e-6)
    assert torch.allclose(step.yaw_velocity[0], torch.tensor([0.0, -2]), atol=1e-6)
    assert torch.allclose(step.heading_w, torch.tensor([QUARTER, 0.0]), atol=1e-6)
    assert torch.allclose(
        step.to_base(torch.tensor([[0.0, 3, 0], [0, 3, 0]])), torch.tensor([[3.0, 0, 0], [0, 3, 0]]), atol=1e-6
    )


def test_gravity_points_out_of_the_chest_of_a_robot_on_its_front(engine, step) -> None:
    engine.state.root_pose[0, 3:] = angles(0, QUARTER, 0)
    step.refresh()
    assert torch.allclose(step.projected_gravity_b, torch.tensor([[1.0, 0, 0], [0, 0, -1]]), atol=1e-6)


def test_positions_are_relative_to_the_environments_own_origin(engine, step) -> None:
    engine.env_origins[1] = torch.tensor([10.0, 0, 0.5])
    step.refresh()
    assert step.root_pos_e[1].tolist() == [-10.0, 0.0, 0.5]
    assert step.root_height.tolist() == [1.0, 0.5]


def test_quantities_are_kept_until_the_next_refresh(engine, step) -> None:
    before = step.root_height
    engine.state.root_pose[:, 2] = 3.0
    assert step.root_height is before
    step.refresh()
    assert step.root_height.tolist() == [3.0, 3.0]


def test_contacts_of_the_episode_before_are_not_seen(engine, step) -> None:
    engine.contacts[:] = 5.0
    assert step.contact_force_w.min() == 5
    step.forget_contacts(torch.tensor([False, True]))
    assert step.contact_force_w[0].min() == 5
    assert step.contact_force_w[1].max() == 0
