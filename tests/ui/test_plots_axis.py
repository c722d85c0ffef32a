"""Axes: round ticks, short texts, limits with some air."""

from __future__ import annotations

import math

import numpy as np
import pytest

from humanoid_rl_ext.ui.plots.axis import limits_of, padded, tick_step, ticks, value_text


@pytest.mark.parametrize(
    ("limits", "count", "texts"),
    [
        ((0.0, 1.0), 3, ["0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
        ((-60.0, 1260.0), 3, ["0", "500", "1000"]),
        ((4096.0, 1_640_000.0), 3, ["500k", "1.0M", "1.5M"]),
        ((0.0, 24_000.0), 3, ["0", "5000", "10k", "15k", "20k"]),
        ((0.0002, 0.0016), 2, ["0.0005", "0.0010", "0.0015"]),
        ((1e-6, 4.5e-5), 3, ["1e-5", "2e-5", "3e-5", "4e-5"]),
        ((-2.5, 1.0), 3, ["-2", "-1", "0", "1"]),
        ((1_000_000.0, 1_060_000.0), 2, ["1.00M", "1.02M", "1.04M", "1.06M"]),
    ],
)
def test_ticks_are_round_and_short(limits, count, texts):
    assert [text for _, text in ticks(limits, count)] == texts


def test_steps_are_one_two_or_five_times_a_power_of_ten_and_ticks_are_neither_dense_nor_lost():
    for span in np.geomspace(1e-6, 1e10, 200):
        step = tick_step((0.0, span), 4)
        assert any(math.isclose(step / 10 ** math.floor(math.log10(step) + 1e-9), x) for x in (1.0, 2.0, 5.0))
        assert 2 <= len(ticks((0.0, span), 4)) <= 1 + 4 / 0.6
        assert len({text for _, text in ticks((0.0, span), 4)}) == len(ticks((0.0, span), 4))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (0.03124, "0.0312"),
        (-12.345, "-12.3"),
        (999.6, "1000"),
        (1166.2, "1166"),
        (999_700.0, "1M"),
        (1_234_567.0, "1.23M"),
        (3e-5, "3e-5"),
        (None, "-"),
        (math.nan, "-"),
    ],
)
def test_values_are_short(value, text):
    assert value_text(value) == text


def test_limits_leave_air_and_never_collapse():
    assert padded(0.0, 100.0) == (-6.0, 106.0)
    assert padded(5.0, 5.0) == (4.5, 5.5)
    assert padded(0.0, 0.0) == (-1.0, 1.0)


def test_limits_of_several_arrays():
    assert limits_of([np.array([1.0, 4.0]), np.array([]), np.array([-2.0])]) == (-2.0, 4.0)
    assert limits_of([np.array([])]) is None
