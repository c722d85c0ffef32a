"""Distributions: where samples lie, how they are spread, and which numbers make which."""

from __future__ import annotations

import pytest
import torch

from humanoid_rl_ext.env.sampling import warp
from humanoid_rl_ext.errors import TaskError
from humanoid_rl_ext.task.loading import load_task
from humanoid_rl_ext.task.schema import RandomisationSection

EVEN = (torch.arange(100_000) + 0.5) / 100_000
"""Every uniform number there is, more or less."""


def drawn(low: float, high: float, **section) -> torch.Tensor:
    within = torch.tensor([low, high])
    place = warp(RandomisationSection(**section), within, torch.device("cpu"))
    return low + (high - low) * (EVEN if place is None else place(EVEN))


def test_uniform_is_left_as_it_is():
    assert warp(RandomisationSection(), None, torch.device("cpu")) is None


def test_normal_has_the_mean_and_the_spread_of_a_bell_cut_off_at_the_ends():
    values = drawn(9.61, 10.01, distribution="normal", deviations=2.0)
    assert values.min() >= 9.61 and values.max() <= 10.01
    assert values.mean().item() == pytest.approx(9.81, abs=1e-4)
    # A bell cut off at 2 standard deviations has 0.8796 of its spread left; a standard deviation is 0.1 here.
    assert values.std().item() == pytest.approx(0.08796, rel=2e-3)
    inner = ((values - 9.81).abs() < 0.1).float().mean().item()
    assert inner == pytest.approx(0.6827 / 0.9545, abs=1e-3)


def test_log_uniform_has_as_many_samples_below_as_above_the_geometric_mean():
    values = drawn(0.25, 4.0, distribution="log_uniform")
    assert values.min().item() == pytest.approx(0.25, rel=1e-3) and values.max().item() == pytest.approx(4.0, rel=1e-3)
    assert (values < 1.0).float().mean().item() == pytest.approx(0.5, abs=1e-3)
    assert (values < 0.5).float().mean().item() == pytest.approx(0.25, abs=1e-3)


def test_choice_gives_each_value_its_turn():
    values = drawn(1.0, 5.0, distribution="choice", choices=[1.0, 2.0, 5.0])
    found, counts = values.unique(return_counts=True)
    assert found.tolist() == pytest.approx([1.0, 2.0, 5.0])
    assert counts.tolist() == pytest.approx([33_333] * 3, abs=2)


def test_the_last_number_below_one_is_still_inside():
    last = torch.tensor([0.0, torch.nextafter(torch.tensor(1.0), torch.tensor(0.0)).item()])
    for section in ({"distribution": "normal"}, {"distribution": "choice", "choices": [1.0, 2.0]}):
        place = warp(RandomisationSection(**section), None, torch.device("cpu"))
        assert place is not None
        assert place(last).tolist() == pytest.approx([0.0, 1.0], abs=1e-5)


@pytest.mark.parametrize(
    ("entry", "complaint"),
    [
        ("{mass: {distribution: choice}}", "needs 'choices'"),
        ("{mass: {distribution: choice, choices: [-1, 1]}}", "between 0.01 and 100"),
        ("{action_delay: {distribution: log_uniform}}", "above zero"),
        ("{push: {mode: interval, distribution: log_uniform}}", "several ranges"),
        ("{push: {mode: reset}}", "which takes: interval"),
        ("{mass: {mode: step}}", "which takes: reset, start, interval"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(entry: str, complaint: str):
    with pytest.raises(TaskError, match=complaint):
        load_task("humanoid_stand", [f"randomisation={entry}"])


def test_the_mode_is_the_terms_own_where_nothing_is_said():
    task = load_task("humanoid_stand", ["randomisation={push: {}, mass: {}, action_noise: {}}"])
    assert {name: section.mode for name, section in task.randomisation.items()} == {
        "push": "interval",
        "mass": "reset",
        "action_noise": "step",
    }
