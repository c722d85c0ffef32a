"""Running statistics against numpy on everything at once."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from humanoid_rl_ext.errors import CheckpointError
from humanoid_rl_ext.learn.normaliser import ObservationNormaliser, RewardNormaliser, RunningStatistics


def test_batches_of_any_size_merge_to_the_mean_and_variance_of_all():
    data = np.random.default_rng(0).normal(3.0, 5.0, (100, 4))
    statistics = RunningStatistics(4)
    for batch in np.split(data, [1, 3, 50, 51]):
        statistics.update(torch.from_numpy(batch))
    np.testing.assert_allclose(statistics.mean.numpy(), data.mean(0), rtol=1e-12)
    np.testing.assert_allclose(statistics.var.numpy(), data.var(0), rtol=1e-12)
    assert statistics.count == 100


def test_normalised_observations_have_zero_mean_and_unit_variance():
    data = torch.randn(1000, 3) * torch.tensor([1.0, 10.0, 0.1]) + 100.0
    normaliser = ObservationNormaliser(3, clip=10.0)
    normaliser.update(data)
    out = normaliser(data)
    torch.testing.assert_close(out.mean(0), torch.zeros(3), atol=1e-3, rtol=0.0)
    torch.testing.assert_close(out.std(0), torch.ones(3), atol=1e-2, rtol=0.0)


def test_outliers_are_clipped():
    normaliser = ObservationNormaliser(1, clip=5.0)
    normaliser.update(torch.randn(100, 1))
    assert normaliser(torch.tensor([[1e6]])).item() == 5.0
    assert normaliser(torch.tensor([[-1e6]])).item() == -5.0


def test_a_frozen_normaliser_does_not_change():
    normaliser = ObservationNormaliser(1, clip=5.0)
    normaliser.update(torch.randn(100, 1))
    before = normaliser.state_dict()
    normaliser.frozen = True
    normaliser.update(torch.full((100, 1), 50.0))
    assert all(torch.equal(before[name], value) for name, value in normaliser.state_dict().items())


def test_a_restored_normaliser_gives_the_same_numbers_and_refuses_another_size():
    normaliser, restored = ObservationNormaliser(2, 5.0), ObservationNormaliser(2, 5.0)
    normaliser.update(torch.randn(10, 2))
    restored.load_state_dict(normaliser.state_dict())
    assert torch.equal(restored(torch.ones(1, 2)), normaliser(torch.ones(1, 2)))
    with pytest.raises(CheckpointError, match="3 elements here but 2"):
        ObservationNormaliser(3, 5.0).load_state_dict(normaliser.state_dict())


def test_rewards_are_divided_by_the_deviation_of_the_discounted_return():
    rewards = torch.tensor([[1.0, 2.0], [3.0, -1.0], [0.5, 4.0]])
    done = torch.tensor([[False, False], [False, True], [False, False]])
    normaliser = RewardNormaliser(2, clip=10.0)
    for reward, ended in zip(rewards, done, strict=True):
        out = normaliser(reward, ended, gamma=0.5)
    returns = [[1.0, 2.0], [3.5, 0.0], [2.25, 4.0]]  # the second environment starts anew after its second step
    np.testing.assert_allclose(out.numpy(), [0.5, 4.0] / np.std(returns), rtol=1e-6)
