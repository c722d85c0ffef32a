"""Learning-rate schedules."""

from __future__ import annotations

import pytest
import torch

from humanoid_rl_ext.errors import BadInputError
from humanoid_rl_ext.learn.schedules import adapt_learning_rate, scheduled_learning_rate


@pytest.mark.parametrize(
    ("rate", "kl", "expected"),
    [
        (3e-4, 0.021, 2e-4),  # too far: slower
        (3e-4, 0.004, 4.5e-4),  # hardly moved: faster
        (3e-4, 0.01, 3e-4),  # as desired
        (1.2e-5, 1.0, 1e-5),  # never below
        (9e-3, 0.0, 1e-2),  # never above
    ],
)
def test_the_adaptive_rate_moves_against_the_divergence(rate, kl, expected):
    tensor = torch.tensor(rate)
    adapt_learning_rate(tensor, torch.tensor(kl), desired_kl=0.01)
    assert tensor.item() == pytest.approx(expected, rel=1e-5)


def test_the_linear_rate_falls_to_zero_at_the_last_step():
    assert [scheduled_learning_rate("linear", 1.0, steps, 100) for steps in (0, 25, 100, 120)] == [1.0, 0.75, 0.0, 0.0]


def test_a_fixed_rate_stays_and_an_adaptive_one_is_left_to_the_divergence():
    assert scheduled_learning_rate("fixed", 0.5, 70, 100) == 0.5
    assert scheduled_learning_rate("adaptive", 0.5, 70, 100) is None


def test_a_linear_rate_without_an_end_is_refused():
    with pytest.raises(BadInputError, match="--steps"):
        scheduled_learning_rate("linear", 1.0, 0, None)
