"""Closed forms against torch.distributions."""

from __future__ import annotations

import pytest
import torch
from torch import distributions as reference

from humanoid_rl_ext.env.transition import ActionSpec
from humanoid_rl_ext.learn.distributions import Categorical, DiagonalGaussian, make_distribution


@pytest.fixture
def gaussian() -> DiagonalGaussian:
    distribution = DiagonalGaussian(3, init_std=0.7, min_std=0.1)
    distribution.log_std.data.add_(torch.tensor([0.0, 0.5, -0.5]))
    return distribution


def test_gaussian_log_probability_and_entropy(gaussian):
    mean, actions = torch.randn(5, 3), torch.randn(5, 3)
    expected = reference.Independent(reference.Normal(mean, gaussian.log_std.exp()), 1)
    torch.testing.assert_close(gaussian.log_prob(mean, actions), expected.log_prob(actions))
    torch.testing.assert_close(gaussian.entropy(mean).expand(5), expected.entropy())


def test_gaussian_divergence_from_the_remembered_policy(gaussian):
    old_mean, new_mean = torch.randn(5, 3), torch.randn(5, 3)
    old = reference.Independent(reference.Normal(old_mean, gaussian.log_std.exp().detach()), 1)
    gaussian.remember()
    gaussian.log_std.data.add_(torch.tensor([0.3, -0.2, 0.0]))
    new = reference.Independent(reference.Normal(new_mean, gaussian.log_std.exp()), 1)
    torch.testing.assert_close(gaussian.kl(old_mean, new_mean), reference.kl_divergence(old, new))


def test_gaussian_samples_have_the_mean_and_deviation_asked_for(gaussian):
    mean = torch.tensor([1.0, 0.0, -1.0]).expand(20000, 3)
    noise = torch.empty_like(mean)
    gaussian.draw(noise, torch.Generator().manual_seed(0))
    samples = gaussian.sample(mean, noise).detach()
    torch.testing.assert_close(samples.mean(0), torch.tensor([1.0, 0.0, -1.0]), atol=0.03, rtol=0.0)
    torch.testing.assert_close(samples.std(0), gaussian.log_std.exp().detach(), atol=0.03, rtol=0.0)


def test_noise_is_held_above_its_minimum(gaussian):
    gaussian.log_std.data.fill_(-20.0)
    gaussian.constrain()
    torch.testing.assert_close(gaussian.noise_std(), torch.tensor(0.1))


def test_categorical_log_probability_entropy_and_divergence():
    old_logits, logits, actions = torch.randn(6, 4), torch.randn(6, 4), torch.tensor([0, 1, 2, 3, 0, 1])
    expected, old = reference.Categorical(logits=logits), reference.Categorical(logits=old_logits)
    categorical = Categorical()
    torch.testing.assert_close(categorical.log_prob(logits, actions), expected.log_prob(actions))
    torch.testing.assert_close(categorical.entropy(logits), expected.entropy())
    torch.testing.assert_close(categorical.kl(old_logits, logits), reference.kl_divergence(old, expected))


def test_categorical_samples_follow_the_probabilities():
    probabilities = torch.tensor([0.1, 0.2, 0.7])
    noise = torch.empty(20000, 3)
    Categorical().draw(noise, torch.Generator().manual_seed(0))
    samples = Categorical().sample(probabilities.log().expand(20000, 3), noise)
    torch.testing.assert_close(samples.bincount() / 20000, probabilities, atol=0.02, rtol=0.0)
    assert samples.dtype == torch.int64


def test_the_kind_of_action_chooses_the_distribution():
    assert isinstance(make_distribution(ActionSpec("box", 2), 1.0, 0.1), DiagonalGaussian)
    assert isinstance(make_distribution(ActionSpec("discrete", 2), 1.0, 0.1), Categorical)
