"""The whole path on real physics, as a user runs it: USD file in, metrics and checkpoint out."""

from __future__ import annotations

import importlib.util
import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parents[1]


def hrl(home: Path, *arguments: str) -> dict[str, Any]:
    environment = {**os.environ, "HUMANOID_RL_HOME": str(home), "PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run(
        [sys.executable, "-m", "humanoid_rl_ext", *arguments, "--device", "cpu", "--json"],
        capture_output=True,
        text=True,
        env=environment,
        cwd=home,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n") == 1, done.stdout
    return json.loads(done.stdout)


def metrics(run: str) -> list[dict[str, float]]:
    rows = [json.loads(line) for line in (Path(run) / "metrics.jsonl").read_text().splitlines()]
    return [{name: value for name, value in row.items() if not name.startswith("time/")} for row in rows]


def test_the_same_seed_gives_the_same_metrics_and_another_seed_does_not(tmp_path: Path) -> None:
    common = ("train", "humanoid_walk", "--envs", "16", "--steps", "2k")
    first, second, other = (hrl(tmp_path, *common, "--seed", seed) for seed in ("3", "3", "4"))
    assert metrics(first["run"]) == metrics(second["run"])
    assert metrics(first["run"]) != metrics(other["run"])
    assert first["env_steps"] >= 2000
    assert {"forward_speed", "lin_vel_error"} <= set(first["metrics"])


def test_a_robot_that_was_never_seen_trains_without_a_non_finite_value(tmp_path: Path) -> None:
    spec = importlib.util.find_spec("newton")
    assert spec is not None and spec.origin is not None
    robot = Path(spec.origin).parent / "examples" / "assets" / "humanoid.usda"
    result = hrl(tmp_path, "train", "humanoid_stand", "--robot", str(robot), "--envs", "32", "--steps", "6k")
    assert result["non_finite"] == 0
    assert all(math.isfinite(value) for row in metrics(result["run"]) for value in row.values())
    evaluated = hrl(tmp_path, "evaluate", result["run"], "--episodes", "8")
    assert evaluated["episodes"] == 8
    assert 0 < evaluated["mean_episode_length"] <= result["max_episode_length"]


def test_training_makes_the_cartpole_better(tmp_path: Path) -> None:
    result = hrl(tmp_path, "train", "cartpole_balance", "--steps", "120k")
    rows = [row for row in metrics(result["run"]) if "episode/length" in row]
    first, last = (sum(row["episode/length"] for row in part) / 5 for part in (rows[:5], rows[-5:]))
    assert last > 5 * first
