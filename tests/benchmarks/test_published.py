"""What the benchmark against published figures makes of its measurements."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from humanoid_rl_ext.train.config import load_run_config


@pytest.fixture
def published(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(Path(__file__).parents[2] / "benchmarks")
    import published

    monkeypatch.setattr(published, "RESULTS", tmp_path / "published.json")
    return published


def entry(case: Any, side: str, seed: int, reached: float) -> dict[str, Any]:
    return {"case": case.name, "side": side, "seed": seed, "reached": reached}


def judged(published, target, mine, theirs):
    case = published.Case("sac", "gym:Some-v1", 1000, target, "peer" if theirs else "")
    results = {}
    for side, values in (("ours", mine), ("peer", theirs)):
        for seed, value in enumerate(values, 1):
            results[published.key(case, side, seed)] = entry(case, side, seed, value)
    return published.verdict(case, results)


def test_the_mean_over_all_seeds_is_what_counts(published):
    assert judged(published, 10.0, [8.0, 9.0, 13.0], []) == "met"
    assert judged(published, 10.1, [8.0, 9.0, 13.0], []) == "not met"


def test_nothing_is_met_before_all_seeds_are_there(published):
    assert judged(published, 10.0, [], []) == "not run yet"
    assert judged(published, 10.0, [99.0, 99.0], []) == "2 of 3 seeds so far"
    assert judged(published, None, [9.0, 9.0, 9.0], [5.0]) == "peer: 1 of 3 seeds so far"


def test_a_peer_s_mean_less_one_deviation_is_enough(published):
    # their mean is 10 and their deviation 2
    assert judged(published, None, [8.0, 8.0, 8.0], [8.0, 10.0, 12.0]) == "no worse than peer"
    assert judged(published, 7.0, [7.9, 7.9, 7.9], [8.0, 10.0, 12.0]) == "met, worse than peer"


def test_a_thinned_curve_keeps_the_mean_over_episodes(published):
    curve = [[10.0 * i, 0.1 * i, float(i % 7), 1 + i % 2] for i in range(1, 1001)]
    thin = published.thinned(curve, 10_000)
    assert len(thin) == published.POINTS and thin[-1][0] == 10_000
    first = [row for row in curve if row[0] < 10_000 / published.POINTS]
    assert thin[0][2] == pytest.approx(published.mean_return(first), abs=0.005)
    assert published.mean_return([[1, 0, 2.0, 1], [2, 0, 8.0, 3]]) == 6.5
    assert published.mean_return([]) is None


def test_results_are_added_to_what_is_there_and_read_back(published):
    case = published.CASES[0]
    for seed in (2, 1):
        published.store({**entry(case, "ours", seed, 5.0), "curve": [[1, 0.1, 2.0], [2, 0.2, 3.0]]})
    published.store({**entry(case, "ours", 2, 7.0), "curve": []})
    results = published.read_results()
    assert list(results) == [published.key(case, "ours", 1), published.key(case, "ours", 2)]
    assert results[published.key(case, "ours", 2)]["reached"] == 7.0
    assert json.loads(published.RESULTS.read_text()) == results


def test_every_case_is_named_once_and_says_what_it_is_measured_by(published):
    assert len({case.name for case in published.CASES}) == len(published.CASES)
    for case in published.CASES:
        assert case.source or case.beside, case.name
        assert case.target is None or case.source, case.name


@pytest.mark.parametrize("task", ["gym:CartPole-v1", "gym:LunarLander-v3"])
def test_presets_of_dqn_run_as_long_as_the_cases(published, task):
    (case,) = [case for case in published.CASES if (case.algorithm, case.task) == ("dqn", task)]
    assert load_run_config("dqn", task).run.env_steps == case.steps
