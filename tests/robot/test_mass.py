from __future__ import annotations

import numpy as np
import pytest

from humanoid_rl_ext.robot import mass

CUBE = np.array([[x, y, z] for x in (0.0, 2.0) for y in (0.0, 3.0) for z in (0.0, 4.0)])
FACES = [[0, 1, 3, 2], [4, 6, 7, 5], [0, 4, 5, 1], [2, 3, 7, 6], [0, 2, 6, 4], [1, 5, 7, 3]]
TRIANGLES = np.array([[a, b, c] for q in FACES for a, b, c in ((q[0], q[1], q[2]), (q[0], q[2], q[3]))])


def test_a_box_of_triangles_weighs_and_turns_like_a_box() -> None:
    meshed = mass.mesh(CUBE, TRIANGLES, 2.0)
    solid = mass.box(np.array([2.0, 3.0, 4.0]), 2.0)
    assert meshed.mass == pytest.approx(48.0)
    assert meshed.com == pytest.approx([1.0, 1.5, 2.0])
    assert meshed.inertia == pytest.approx(solid.inertia)


def test_faces_turned_inside_out_weigh_the_same() -> None:
    meshed = mass.mesh(CUBE, TRIANGLES[:, ::-1], 2.0)
    assert meshed.mass == pytest.approx(48.0)
    assert meshed.inertia == pytest.approx(mass.box(np.array([2.0, 3.0, 4.0]), 2.0).inertia)


def test_a_capsule_of_no_length_is_a_ball() -> None:
    pill, ball = mass.capsule(0.3, 0.0, 1000.0), mass.sphere(0.3, 1000.0)
    assert pill.mass == pytest.approx(ball.mass)
    assert pill.inertia == pytest.approx(ball.inertia)


def test_two_point_like_balls_make_a_dumbbell() -> None:
    ball = mass.MassProperties(2.0, np.zeros(3), np.zeros((3, 3)))
    whole = mass.total([ball.moved(np.eye(3), np.array([x, 0.0, 0.0])) for x in (-1.0, 1.0)])
    assert whole.mass == 4.0
    assert np.diag(whole.inertia) == pytest.approx([0.0, 4.0, 4.0])


def test_principal_axes_rebuild_the_inertia() -> None:
    inertia = np.array([[3.0, 0.2, 0.1], [0.2, 2.0, -0.3], [0.1, -0.3, 1.0]])
    moments, axes = mass.principal(inertia)
    assert axes @ np.diag(moments) @ axes.T == pytest.approx(inertia)
    assert np.linalg.det(axes) == pytest.approx(1.0)
