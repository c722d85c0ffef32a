"""Keys move a command as in a game: it ramps up, falls back, and stays inside the command's ranges."""

from __future__ import annotations

import pytest

from humanoid_rl_ext.task.loading import load_task
from humanoid_rl_ext.ui.policy.drive import Component, Drive, components

W, A, S, D, SPACE, RIGHT, LEFT, DOWN, UP = 87, 65, 83, 68, 32, 262, 263, 264, 265
CTRL = 2


@pytest.fixture
def drive() -> Drive:
    ranges = {"lin_vel_x": (-0.5, 1.5), "lin_vel_y": (-0.5, 0.5), "ang_vel_z": (-1.0, 1.0)}
    drive = Drive([Component(name, name, "", "", low, high) for name, (low, high) in ranges.items()])
    drive.tick(0.0)
    return drive


def tick(drive: Drive, start: float, end: float, step: float = 0.05) -> None:
    for index in range(1, round((end - start) / step) + 1):
        drive.tick(start + index * step)


def test_a_walking_task_is_driven_by_its_ranges():
    found = components(load_task("humanoid_walk").commands["velocity"])
    assert [(c.name, c.unit, c.low, c.high) for c in found] == [
        ("lin_vel_x", "m/s", -0.5, 1.5),
        ("lin_vel_y", "m/s", -0.5, 0.5),
        ("ang_vel_z", "rad/s", -1.0, 1.0),
    ]


def test_the_robot_can_always_be_told_to_stand():
    task = load_task("humanoid_walk", ["commands.velocity.params.lin_vel_x=[0.5, 1.0]"])
    assert (components(task.commands["velocity"])[0].low, components(task.commands["velocity"])[0].high) == (0.0, 1.0)


def test_a_point_is_driven_by_its_axes():
    command = next(iter(load_task("humanoid_reach").commands.values()))
    reach = command.params["distance"][1]
    assert [(c.name, c.low, c.high) for c in components(command)] == [(axis, -reach, reach) for axis in "xyz"]


def test_a_heading_is_driven_as_a_yaw_rate_a_gait_by_its_frequency_and_stance_and_a_height_by_its_share():
    task = load_task(
        "humanoid_walk", ["commands.velocity.params.heading=true", "commands.gait={}", "commands.base_height={}"]
    )
    named = {name: [component.name for component in components(section)] for name, section in task.commands.items()}
    assert named == {
        "velocity": ["lin_vel_x", "lin_vel_y", "ang_vel_z"],
        "gait": ["frequency", "stance"],
        "base_height": ["share"],
    }


def test_forward_ramps_to_its_limit_in_half_a_second(drive):
    assert drive.on_key(W, 0, True) and drive.active
    drive.tick(0.1)
    assert drive.values == pytest.approx([1.5 * 0.1 / 0.5, 0.0, 0.0])
    drive.tick(0.2)
    assert drive.values[0] == pytest.approx(0.6)
    tick(drive, 0.2, 1.0)
    assert drive.values[0] == 1.5


def test_a_released_key_lets_the_command_fall_back_in_a_quarter_of_a_second(drive):
    drive.on_key(W, 0, True)
    tick(drive, 0.0, 1.0)
    assert drive.on_key(W, 0, False)
    drive.tick(1.1)
    assert drive.values[0] == pytest.approx(1.5 - 1.5 * 0.1 / 0.25)
    tick(drive, 1.1, 1.5)
    assert drive.values == [0.0, 0.0, 0.0] and drive.active


@pytest.mark.parametrize(
    ("key", "index", "limit"),
    [
        (W, 0, 1.5),
        (UP, 0, 1.5),
        (S, 0, -0.5),
        (DOWN, 0, -0.5),
        (A, 1, 0.5),
        (D, 1, -0.5),
        (LEFT, 2, 1.0),
        (RIGHT, 2, -1.0),
    ],
)
def test_every_key_moves_its_component_to_the_limit(drive, key, index, limit):
    drive.on_key(key, 0, True)
    tick(drive, 0.0, 1.0)
    assert drive.values == [limit if position == index else 0.0 for position in range(3)]


def test_opposite_keys_cancel_each_other(drive):
    drive.on_key(A, 0, True)
    drive.on_key(D, 0, True)
    tick(drive, 0.0, 1.0)
    assert drive.values[1] == 0.0
    drive.on_key(A, 0, False)
    tick(drive, 1.0, 2.0)
    assert drive.values[1] == -0.5


def test_turning_round_brakes_first(drive):
    drive.on_key(LEFT, 0, True)
    tick(drive, 0.0, 1.0)
    drive.on_key(LEFT, 0, False)
    drive.on_key(RIGHT, 0, True)
    drive.tick(1.1)
    assert drive.values[2] == pytest.approx(1.0 - 0.1 / 0.25)
    tick(drive, 1.1, 2.0)
    assert drive.values[2] == -1.0


def test_a_key_held_by_its_repetition_is_one_key(drive):
    for _ in range(3):
        drive.on_key(W, 0, True)
    drive.on_key(W, 0, False)
    tick(drive, 0.0, 1.0)
    assert drive.values[0] == 0.0


def test_space_commands_zero_at_once_even_while_a_key_is_held(drive):
    drive.on_key(W, 0, True)
    tick(drive, 0.0, 1.0)
    assert drive.on_key(SPACE, 0, True)
    assert drive.values == [0.0, 0.0, 0.0] and drive.active
    tick(drive, 1.0, 1.5)
    assert drive.values[0] == 0.0


def test_a_slider_holds_its_value_until_a_key_takes_over(drive):
    drive.set(0, 0.8)
    tick(drive, 0.0, 1.0)
    assert drive.values == [0.8, 0.0, 0.0]
    drive.set(1, 9.0)
    assert drive.values[1] == 0.5
    drive.on_key(W, 0, True)
    drive.on_key(W, 0, False)
    tick(drive, 1.0, 2.0)
    assert drive.values == [0.0, 0.5, 0.0]


def test_release_gives_the_command_back(drive):
    drive.set(0, 0.8)
    drive.release()
    assert not drive.active
    drive.mirror([0.3, 0.0, -0.2])
    tick(drive, 0.0, 1.0)
    assert drive.values == [0.3, 0.0, -0.2]


def test_driving_starts_from_what_the_task_commands(drive):
    drive.mirror([0.3, 0.0, -0.2])
    drive.on_key(W, 0, True)
    drive.mirror([9.0, 9.0, 9.0])
    drive.tick(0.1)
    assert drive.values == pytest.approx([0.3 + 1.5 * 0.1 / 0.5, 0.0, 0.0])


def test_a_point_stays_where_it_is_in_the_axes_that_are_not_moved():
    drive = Drive([Component(axis, axis, "m", "", -3.0, 3.0) for axis in "xyz"])
    drive.mirror([1.0, 2.0, 1.3])
    drive.set(0, -1.0)
    tick(drive, 0.0, 1.0)
    assert drive.values == [-1.0, 2.0, 1.3]


def test_shortcuts_and_other_keys_are_left_alone(drive):
    assert not drive.on_key(S, CTRL, True)
    assert not drive.on_key(81, 0, True)
    assert not drive.on_key(W, 0, False)
    assert not drive.active
    point = Drive([Component(axis, axis, "m", "", -1.0, 1.0) for axis in "xyz"])
    assert not point.has_keys and not point.on_key(W, 0, True) and not point.on_key(SPACE, 0, True)


def test_a_stalled_window_does_not_make_the_command_jump(drive):
    drive.on_key(W, 0, True)
    drive.tick(5.0)
    assert drive.values[0] == pytest.approx(0.3)


def test_keys_are_let_go_when_the_window_loses_them(drive):
    drive.on_key(W, 0, True)
    tick(drive, 0.0, 1.0)
    drive.release_keys()
    tick(drive, 1.0, 2.0)
    assert drive.values[0] == 0.0
