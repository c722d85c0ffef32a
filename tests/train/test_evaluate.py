from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from humanoid_rl_ext.errors import BadInputError
from humanoid_rl_ext.train.evaluate import evaluate_policy, evaluation


class Still:
    """A policy that does nothing."""

    def act_deterministic(self, obs: dict[str, torch.Tensor]) -> torch.Tensor:
        return torch.zeros(len(obs["policy"]), 1)


def test_short_episodes_count_no_more_than_long_ones(point_mass: Callable[..., Any]) -> None:
    # While one environment plays an episode of 10 steps, the other could play five of 2.
    result = evaluate_policy(point_mass(num_envs=2, limits=[2, 10]), Still(), episodes=4)  # type: ignore[arg-type]
    assert result.mean_episode_length == pytest.approx(6.0)
    assert result.success_rate == 0.5  # environment 0 always succeeds, environment 1 never


def test_other_metrics_are_means_over_the_episodes_too(point_mass: Callable[..., Any]) -> None:
    result = evaluate_policy(point_mass(num_envs=2, limits=[3, 10]), Still(), episodes=2)  # type: ignore[arg-type]
    assert result.metrics["speed"] == pytest.approx(6.5)


def test_fewer_episodes_than_environments_take_the_first_environments(point_mass: Callable[..., Any]) -> None:
    result = evaluate_policy(point_mass(num_envs=4, limits=[3, 5, 1, 1]), Still(), episodes=2)  # type: ignore[arg-type]
    assert result.episodes == 2 and result.mean_episode_length == 4.0


def test_the_spread_of_returns_is_measured(point_mass: Callable[..., Any]) -> None:
    env = point_mass(num_envs=2, limits=[1, 1])
    env.reset = lambda: (env.state.copy_(torch.tensor([[1.0, 0.0], [3.0, 0.0]])), env.observations())[1]
    result = evaluate_policy(env, Still(), episodes=2)  # type: ignore[arg-type]
    assert result.mean_return == pytest.approx(-5.0) and result.std_return == pytest.approx(4.0)  # -1 and -9


def test_an_evaluation_can_be_played_step_by_step_by_somebody_else(point_mass: Callable[..., Any]) -> None:
    env, steps = point_mass(num_envs=2, limits=[3, 3]), 0

    def step(actions: torch.Tensor) -> Any:
        nonlocal steps
        steps += 1
        return env.step(actions)

    playing = evaluation(env, Still(), 2, step)  # type: ignore[arg-type]
    assert [next(playing), next(playing), next(playing), steps] == [0, 0, 2, 3]
    with pytest.raises(StopIteration) as stop:
        next(playing)
    assert stop.value.value.episodes == 2


def test_no_episode_cannot_be_evaluated(point_mass: Callable[..., Any]) -> None:
    with pytest.raises(BadInputError, match="at least 1"):
        evaluate_policy(point_mass(), Still(), episodes=0)  # type: ignore[arg-type]
