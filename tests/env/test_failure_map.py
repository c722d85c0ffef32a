"""Counts of failed episodes stay with the values they were made at."""

from __future__ import annotations

import torch

from humanoid_rl_ext.env.failure_map import NUM_BINS, Bins, FailureMap

CPU = torch.device("cpu")


def counted(low: float, high: float, values: list[float]) -> tuple[FailureMap, torch.Tensor]:
    """A map of one quantity with an episode failed at each of the values, and the range to change."""
    within = torch.tensor([low, high])
    found = FailureMap([Bins("mass", torch.tensor(values).unsqueeze(-1), within)], CPU)
    done = torch.ones(len(values), dtype=torch.bool)
    found.add(done, done)
    return found, within


def test_a_map_of_nothing_is_empty():
    assert FailureMap([], CPU).read() == {}


def test_counts_move_with_a_range_that_becomes_wider():
    found, within = counted(0.9, 1.1, [0.91, 0.91, 1.09])
    within.copy_(torch.tensor([0.5, 1.5]))
    found.follow()
    row = found.read()["mass"]
    at = {index: failed for index, failed in enumerate(row.failed) if failed}
    assert at == {6: 2, 9: 1}  # 0.875 to 0.9375, and 1.0625 to 1.125
    assert row.edges[0] == 0.5 and row.episodes == row.failed


def test_counts_outside_of_a_narrower_range_stand_at_its_ends():
    found, within = counted(0.0, 16.0, [0.5, 8.5, 15.5])
    within.copy_(torch.tensor([8.0, 9.0]))
    found.follow()
    row = found.read()["mass"]
    assert (row.failed[0], row.failed[8], row.failed[NUM_BINS - 1]) == (1, 1, 1)


def test_counts_stay_where_no_range_has_changed():
    found, _ = counted(0.8, 1.2, [0.8 + 0.4 * (index + 0.5) / NUM_BINS for index in range(NUM_BINS)])
    found.follow()
    assert found.read()["mass"].failed == [1] * NUM_BINS


def test_a_map_goes_on_from_its_state():
    found, _ = counted(0.8, 1.2, [0.81, 1.0, 1.19])
    again, _ = counted(0.8, 1.2, [0.9])
    again.load_state_dict(found.state_dict())
    assert again.read() == found.read()


def test_a_state_is_sorted_into_the_ranges_of_now_and_what_it_does_not_know_starts_at_zero():
    found, _ = counted(0.9, 1.1, [0.91, 0.91, 1.09])
    bins = [
        Bins("friction", torch.ones(1, 1), torch.tensor([0.5, 1.5])),
        Bins("mass", torch.ones(1, 1), torch.tensor([0.5, 1.5])),
    ]
    again = FailureMap(bins, CPU)
    again.load_state_dict(found.state_dict())
    rows = again.read()
    assert sum(rows["friction"].episodes) == 0
    assert {index: failed for index, failed in enumerate(rows["mass"].failed) if failed} == {6: 2, 9: 1}
