"""Steps per second and the time left."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from humanoid_rl_ext.train import rates


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(rates.time, "perf_counter", lambda: now[0])
    return now


def run(env_steps: int) -> SimpleNamespace:
    return SimpleNamespace(env_steps=0, config=SimpleNamespace(run=SimpleNamespace(env_steps=env_steps)))


def test_the_rate_follows_the_last_seconds_alone(clock: list[float]) -> None:
    session = run(10_000)
    measured = rates.Rates(session)  # type: ignore[arg-type]
    for _ in range(20):
        clock[0] += 1.0
        session.env_steps += 10
        measured.now()
    for _ in range(12):
        clock[0] += 1.0
        session.env_steps += 100
        rate, left = measured.now()
    assert rate == pytest.approx(100.0)
    assert left == pytest.approx((10_000 - session.env_steps) / 100.0)


def test_a_run_that_stands_still_never_ends_and_one_past_its_budget_has_no_time_left(clock: list[float]) -> None:
    session = run(100)
    measured = rates.Rates(session)  # type: ignore[arg-type]
    clock[0] += 1.0
    assert measured.now() == (0.0, float("inf"))
    session.env_steps = 130
    assert measured.now()[1] == 0.0
