"""What the robustness benchmark makes of its measurements, and the worlds that it measures in."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import pytest
import torch


@pytest.fixture
def robustness(monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).parents[2] / "benchmarks")
    import robustness

    return robustness


def run(seed: int, kind: str, nominal: float, changed: float) -> dict[str, Any]:
    rest = {"length_s": 20.0, "falls": 0.25, "lin_vel_error": 0.1}
    return {"seed": seed, "kind": kind, "nominal": {"return": nominal, **rest}, "changed": {"return": changed, **rest}}


def results(module: Any, *runs: dict[str, Any], **changes: Any) -> dict[str, Any]:
    same: dict[str, Any] = {name: 1 for name in module.SAME} | {"worlds": module.WORLDS}
    return {**same, **changes, "runs": list(runs)}


@pytest.mark.parametrize("engine", ["ovphysx", "newton"])
def test_the_changed_world_has_links_a_fifth_heavier_and_half_the_friction_of_the_nominal_one(robustness, engine):
    arguments = argparse.Namespace(episodes=2, engine=engine)
    found = {}
    for name, factors in robustness.WORLDS.items():
        env = robustness.scene(arguments, "cpu", **factors)
        try:
            env.reset()
            found[name] = {key: env.engine.get_property(key).clone() for key in ("mass", "dynamic_friction")}
        finally:
            env.close()
    nominal, changed = found["nominal"], found["changed"]
    torch.testing.assert_close(changed["mass"], 1.2 * nominal["mass"])
    torch.testing.assert_close(changed["dynamic_friction"], 0.5 * nominal["dynamic_friction"])
    assert nominal["mass"].sum() > 1.0 and nominal["dynamic_friction"].min() > 0.1


def test_the_share_kept_is_taken_policy_by_policy(robustness):
    data = results(robustness, run(1, "randomised", 50.0, 45.0), run(2, "randomised", 10.0, 7.0))
    assert robustness.shares(data, "randomised") == pytest.approx([0.9, 0.7])
    assert robustness.mean(robustness.shares(data, "randomised")) == pytest.approx(0.8), "not (45 + 7) / (50 + 10)"
    assert "80.0 % " in next(line for line in robustness.table(data).splitlines() if "| mean |" in line)


def test_a_single_seed_below_what_is_wanted_is_said(robustness):
    good, bad = run(1, "randomised", 50.0, 40.0), run(2, "randomised", 50.0, 39.9)
    assert robustness.verdict(results(robustness, good)).endswith("yes")
    assert robustness.verdict(results(robustness, good, bad)).endswith("NO")


def test_a_policy_that_earns_nothing_keeps_no_share(robustness):
    data = results(robustness, run(1, "randomised", -2.0, -3.0))
    assert robustness.shares(data, "randomised") == []
    assert "| - |" in robustness.table(data) and "yes" not in robustness.verdict(data)


def test_merging_keeps_the_later_of_two_runs_and_refuses_what_was_measured_otherwise(robustness):
    first = results(robustness, run(2, "plain", 1.0, 1.0), run(1, "plain", 1.0, 1.0))
    second = results(robustness, run(2, "plain", 2.0, 1.0), run(1, "randomised", 3.0, 3.0))
    both = robustness.merged([first, second])
    assert [(one["kind"], one["seed"]) for one in both["runs"]] == [("randomised", 1), ("plain", 1), ("plain", 2)]
    assert both["runs"][2]["nominal"]["return"] == 2.0
    with pytest.raises(SystemExit, match="env_steps 1 and 2"):
        robustness.merged([first, results(robustness, env_steps=2)])
