"""Generalised advantages against sums done by hand."""

from __future__ import annotations

import torch

from humanoid_rl_ext.learn.advantage import generalised_advantages

NO = [[False], [False], [False]]


def column(*values: float) -> torch.Tensor:
    return torch.tensor(values).unsqueeze(-1)


def estimate(terminated, truncated, final_values=(0.0, 0.0, 0.0)):
    return generalised_advantages(
        rewards=column(1.0, 2.0, 3.0),
        values=column(0.5, 1.0, 1.5),
        last_values=torch.tensor([2.0]),
        terminated=torch.tensor(terminated),
        truncated=torch.tensor(truncated),
        final_values=column(*final_values),
        gamma=0.9,
        gae_lambda=0.8,
    )


def test_an_unbroken_rollout_bootstraps_from_the_last_value():
    # deltas: 1 + .9*1 - .5 = 1.4;  2 + .9*1.5 - 1 = 2.35;  3 + .9*2 - 1.5 = 3.3;  weight .72
    advantages, returns = estimate(NO, NO)
    expected = column(1.4 + 0.72 * (2.35 + 0.72 * 3.3), 2.35 + 0.72 * 3.3, 3.3)
    torch.testing.assert_close(advantages, expected)
    torch.testing.assert_close(returns, expected + column(0.5, 1.0, 1.5))


def test_termination_leaves_no_value_and_a_time_out_leaves_that_of_its_last_observation():
    # step 0 terminated: 1 - .5;  step 1 timed out with a value of 10: 2 + .9*10 - 1;  step 2 goes on
    advantages, _ = estimate([[True], [False], [False]], [[False], [True], [False]], (7.0, 10.0, 7.0))
    torch.testing.assert_close(advantages, column(0.5, 10.0, 3.3))


def test_termination_counts_where_both_flags_are_set():
    advantages, _ = estimate([[False], [False], [True]], [[False], [False], [True]], (0.0, 0.0, 10.0))
    torch.testing.assert_close(advantages[2], torch.tensor([1.5]))
