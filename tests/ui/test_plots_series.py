"""Curves are smoothed and reduced as the equations say."""

from __future__ import annotations

import time

import numpy as np
import pytest
from numpy.random import default_rng

from humanoid_rl_ext.ui.plots.series import resample, smooth

NAN = np.nan


def test_the_moving_average_is_corrected_for_its_start():
    # m = s m + (1 - s) x gives 2, 4, 2; the weights of the values sum to 1 - s^t: 0.5, 0.75, 0.875.
    smoothed = smooth(np.array([4.0, 6.0, 0.0]), 0.5)
    np.testing.assert_allclose(smoothed, [2.0 / 0.5, 4.0 / 0.75, 2.0 / 0.875])


def test_no_smoothing_changes_nothing():
    values = np.array([1.0, NAN, -3.0])
    np.testing.assert_array_equal(smooth(values, 0.0), values)


def test_missing_values_stay_missing_and_do_not_count():
    smoothed = smooth(np.array([NAN, 4.0, NAN, np.inf, 6.0]), 0.5)
    np.testing.assert_allclose(smoothed, [NAN, 4.0, NAN, NAN, 4.0 / 0.75])


@pytest.mark.parametrize("smoothing", [0.01, 0.3, 0.6, 0.9, 0.99])
def test_long_curves_are_smoothed_as_short_ones_are_step_by_step(smoothing):
    values = default_rng(0).normal(5.0, 1.0, 9000)
    average, expected = 0.0, []
    for t, value in enumerate(values, 1):
        average = smoothing * average + (1.0 - smoothing) * value
        expected.append(average / (1.0 - smoothing**t))
    np.testing.assert_allclose(smooth(values, smoothing), expected, rtol=1e-9)


def test_a_constant_stays_constant_however_smooth():
    np.testing.assert_allclose(smooth(np.full(5000, 7.0), 0.99), 7.0)


def test_few_points_are_all_kept():
    x, y = np.array([1.0, 2.0, 3.0]), np.array([5.0, 6.0, 7.0])
    samples = resample(x, y, (0.0, 4.0), 10)
    np.testing.assert_array_equal(samples.x, x)
    np.testing.assert_array_equal(samples.mean, y)


def test_many_points_become_means_with_least_and_greatest():
    x, y = np.arange(8.0), np.array([0.0, 2.0, 4.0, 6.0, 1.0, 1.0, 9.0, 5.0])
    samples = resample(x, y, (0.0, 8.0), 2, y + 1.0)
    np.testing.assert_allclose(samples.x, [1.5, 5.5])
    np.testing.assert_allclose(samples.mean, [3.0, 4.0])
    np.testing.assert_allclose(samples.low, [1.0, 2.0])
    np.testing.assert_allclose(samples.high, [7.0, 10.0])


def test_a_gap_is_bridged_and_the_span_is_kept():
    x, y = np.arange(10.0), np.array([1.0, NAN, NAN, NAN, NAN, 2.0, 3.0, 4.0, 5.0, 6.0])
    samples = resample(x, y, (0.0, 8.0), 4)
    np.testing.assert_allclose(samples.x, [0.0, 5.0, 7.0])
    np.testing.assert_allclose(samples.mean, [1.0, 2.0, 4.0])


def test_nothing_gives_nothing():
    assert len(resample(np.arange(3.0), np.full(3, NAN), (0.0, 3.0), 100)) == 0


def test_the_longest_history_takes_well_under_a_millisecond():
    x = np.arange(8192.0)
    values = default_rng(0).normal(0.0, 1.0, 8192)
    values[::3] = NAN
    times = []
    for _ in range(20):
        began = time.perf_counter()
        resample(x, smooth(values, 0.9), (0.0, 8192.0), 300, values)
        times.append(time.perf_counter() - began)
    assert min(times) < 1e-3
