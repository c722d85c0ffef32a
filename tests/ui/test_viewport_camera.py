"""The camera's numbers, checked by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from humanoid_rl_ext.ui.viewport.camera import FAR, FIELD_OF_VIEW, HIGHEST, NEAR, Camera, projection


def facing_x() -> Camera:
    """Two metres in front of the origin, looking against x."""
    return Camera(np.zeros(3), distance=2.0, azimuth=0.0, elevation=0.0)


def on_screen(camera: Camera, point: tuple[float, float, float], aspect: float = 2.0) -> np.ndarray:
    seen = np.array([*point, 1.0]) @ camera.view() @ projection(aspect)
    return seen[:3] / seen[3]


def test_what_is_looked_at_is_in_the_middle_and_y_is_to_the_right():
    camera = facing_x()
    assert camera.eye == pytest.approx([2.0, 0.0, 0.0])
    assert on_screen(camera, (0.0, 0.0, 0.0))[:2] == pytest.approx([0.0, 0.0])
    top = 2.0 * math.tan(FIELD_OF_VIEW / 2)
    assert on_screen(camera, (0.0, 0.0, top))[:2] == pytest.approx([0.0, 1.0])
    assert on_screen(camera, (0.0, 2.0 * top, 0.0))[:2] == pytest.approx([1.0, 0.0])


def test_depth_runs_from_the_near_to_the_far_plane():
    camera = facing_x()
    assert on_screen(camera, (2.0 - NEAR, 0.0, 0.0))[2] == pytest.approx(-1.0)
    assert on_screen(camera, (2.0 - FAR, 0.0, 0.0))[2] == pytest.approx(1.0)


def test_a_drag_to_the_right_turns_the_robot_to_the_right():
    camera = facing_x()
    camera.orbit(math.pi / 4, 0.0)
    assert camera.eye == pytest.approx([0.0, -2.0, 0.0], abs=1e-9)
    assert on_screen(camera, (0.5, 0.0, 0.0))[0] > 0.0


def test_the_camera_does_not_go_over_the_top():
    camera = facing_x()
    camera.orbit(0.0, -10.0)
    assert camera.elevation == HIGHEST


def test_panning_keeps_what_is_under_the_mouse():
    camera = facing_x()
    before = on_screen(camera, (0.0, 0.1, 0.2))
    camera.pan(0.3, -0.2, aspect=2.0)
    assert on_screen(camera, (0.0, 0.1, 0.2))[:2] == pytest.approx(before[:2] + np.array([0.3, -0.2]))


def test_the_wheel_comes_closer_and_stops_before_it_is_inside():
    camera = facing_x()
    camera.zoom(1.0)
    assert camera.distance == pytest.approx(1.76)
    camera.zoom(100.0)
    assert camera.distance == pytest.approx(0.2)


@pytest.mark.parametrize("aspect", [0.5, 2.0])
def test_framing_shows_every_point(aspect):
    camera = Camera()
    points = np.array([[1.0, 2.0, 0.0], [2.0, 2.5, 1.5], [1.5, 3.0, 0.2]])
    camera.frame(points, aspect)
    assert camera.target == pytest.approx([1.5, 2.5, 0.75])
    for point in points:
        assert np.abs(on_screen(camera, tuple(point), aspect)[:2]).max() <= 1.0
