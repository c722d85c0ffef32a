from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from humanoid_rl_ext.train import metrics
from humanoid_rl_ext.train.metrics import MetricHistory, MetricsLog, keep_until


def iterations(count: int, episodes: float = 1.0, steps: int = 100) -> MetricHistory:
    history = MetricHistory()
    for index in range(count):
        history.append({"env_steps": (index + 1) * steps, "episode/episodes": episodes, "episode/return": float(index)})
    return history


def test_a_full_ring_forgets_the_oldest_and_keeps_the_order() -> None:
    history = MetricHistory(capacity=3)
    for value in range(5):
        history.append({"a": value} if value != 3 else {"b": value})
    assert len(history) == 3 and history.names == ["a", "b"]
    np.testing.assert_array_equal(history.column("a"), [2, np.nan, 4])
    np.testing.assert_array_equal(history.column("b"), [np.nan, 3, np.nan])
    assert np.isnan(history.column("unknown")).all()


def test_means_weigh_iterations_by_the_episodes_that_ended_in_them() -> None:
    history = MetricHistory()
    history.append({"episode/episodes": 50.0, "episode/return": -100.0})
    history.append({"episode/episodes": 1.0, "episode/return": 10.0})
    history.append({"episode/episodes": 0.0})
    history.append({"episode/episodes": 3.0, "episode/return": 2.0})
    assert history.mean_over_episodes("episode/return", 3) == pytest.approx((1 * 10 + 3 * 2) / 4)
    assert history.mean_over_episodes("episode/length", 3) is None


def test_the_closing_window_is_a_tenth_of_the_run_where_that_holds_enough() -> None:
    assert iterations(1000, episodes=5.0).closing_window(max_episode_length=10, num_envs=10) == 100


def test_the_closing_window_grows_to_a_hundred_episodes() -> None:
    assert iterations(1000, episodes=0.5).closing_window(max_episode_length=10, num_envs=10) == 200


def test_the_closing_window_grows_to_twice_the_time_limit() -> None:
    # 10 steps per environment and iteration: 3000 steps are 300 iterations, and the step before them is the 301st.
    assert iterations(1000, episodes=5.0).closing_window(max_episode_length=1500, num_envs=10) == 301


def test_the_closing_window_of_a_short_run_is_all_of_it() -> None:
    assert iterations(7).closing_window(max_episode_length=1500, num_envs=10) == 7


def test_figures_that_are_not_finite_are_left_out_of_the_json(tmp_path: Path) -> None:
    log = MetricsLog(tmp_path)
    log.write({"iteration": 1, "env_steps": 10, "train/kl": math.nan, "train/entropy": 1.5})
    log.close()
    assert json.loads((tmp_path / "metrics.jsonl").read_text()) == {
        "iteration": 1,
        "env_steps": 10,
        "train/entropy": 1.5,
    }


def test_going_back_drops_later_lines_and_one_that_a_crash_cut_off(tmp_path: Path) -> None:
    log = MetricsLog(tmp_path)
    for step in (10, 20, 30):
        log.write({"iteration": step // 10, "env_steps": step})
    with log.path.open("a") as file:
        file.write('{"iteration": 4, "env_st')
    assert [entry["env_steps"] for entry in log.rewind(20)] == [10, 20]
    log.write({"iteration": 3, "env_steps": 30})
    log.close()
    assert [json.loads(line)["env_steps"] for line in log.path.read_text().splitlines()] == [10, 20, 30]


def test_a_line_that_is_no_entry_ends_what_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"env_steps": 1}\n{"something": "else"}\n{"env_steps": 2}\n')
    assert keep_until(path, 5) == ([{"env_steps": 1}], [])


def test_metrics_are_written_without_tensorboard_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "has_tensorboard", lambda: False)
    log = MetricsLog(tmp_path)
    log.write({"env_steps": 1, "train/kl": 0.5})
    log.close()
    assert [path.name for path in tmp_path.iterdir()] == ["metrics.jsonl"]
