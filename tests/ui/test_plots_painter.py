"""Curves, marks and grid lines are where they belong in the picture."""

from __future__ import annotations

import time

import numpy as np
import pytest
from numpy.random import default_rng

from humanoid_rl_ext.ui import theme
from humanoid_rl_ext.ui.draft import Change
from humanoid_rl_ext.ui.plots.charts import Chart
from humanoid_rl_ext.ui.plots.colors import mixed, rgba
from humanoid_rl_ext.ui.plots.figure import Curve, Figure, draw_up
from humanoid_rl_ext.ui.plots.painter import paint
from humanoid_rl_ext.ui.workbench import Mark

CHART = Chart("Return", ("episode/return",), "")


def drawn(x: np.ndarray, y: np.ndarray, marks: tuple[Mark, ...] = (), color: int = theme.BLUE) -> Figure:
    """A figure of one curve."""
    curve = Curve("", "run", color, "episode/return", "run", True, True, x, y, y)
    return draw_up(CHART, [curve], (float(x[0]), float(max(x[-1], x[0] + 1.0))), marks, 200, (3, 3))


def close_to(picture: np.ndarray, color: int) -> np.ndarray:
    """Where a picture (height, width, 4) has a colour, (height, width)."""
    return np.abs(picture.astype(int) - rgba(color)).max(2) < 60


def test_a_rising_line_runs_from_the_lower_left_to_the_upper_right():
    picture = np.asarray(paint(drawn(np.arange(100.0), np.arange(100.0)), 200, 100))
    assert picture.shape == (100, 200, 4) and (picture[..., 3] == 255).all()
    rows, columns = np.nonzero(close_to(picture, theme.BLUE))
    for column, row in ((2, 94), (100, 50), (197, 6)):
        assert abs(rows[columns == column].mean() - row) <= 2.0


def test_a_mark_is_a_line_at_its_place():
    mark = Mark(25, Change("rewards.alive.weight", 0.5, 1.0), "panel")
    picture = np.asarray(paint(drawn(np.arange(101.0), np.zeros(101), (mark,)), 200, 100))
    columns = np.nonzero(close_to(picture, mixed(theme.WARNING, theme.FIELD, 0.8)).sum(0) > 25)[0]
    assert set(columns) <= {49, 50, 51} and len(columns)


def test_a_single_value_is_a_dot_and_wild_values_do_no_harm():
    dot = close_to(np.asarray(paint(drawn(np.array([5.0]), np.array([1.0])), 60, 40)), theme.BLUE)
    assert dot.sum() >= 4
    wild = drawn(np.arange(100.0), np.where(np.arange(100) == 50, 1e300, 1.0))
    assert np.asarray(paint(wild, 60, 40)).shape == (40, 60, 4)


def test_an_empty_figure_is_an_empty_plot():
    picture = np.asarray(paint(Figure(CHART, []), 30, 20))
    assert (picture == rgba(theme.FIELD)).all()


@pytest.mark.parametrize("scale", [1.0, 2.0])
def test_ten_thousand_points_cost_no_more_than_one_thousand(scale):
    def seconds(count: int) -> float:
        noise = default_rng(0).normal(0.0, 0.1, count)
        figure = drawn(np.arange(float(count)), np.sin(np.linspace(0.0, 6.0, count)) + noise)
        times = []
        for _ in range(15):
            began = time.perf_counter()
            paint(figure, 250, 140, scale)
            times.append(time.perf_counter() - began)
        return min(times)

    assert seconds(10_000) < 1.3 * seconds(1_000)
