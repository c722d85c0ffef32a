"""Small environments on real physics; one process holds one scene, so each is closed after its test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from humanoid_rl_ext.env.make import make_env
from humanoid_rl_ext.env.vec_env import VecEnv
from humanoid_rl_ext.task.loading import load_task


@pytest.fixture
def make() -> Iterator:
    opened: list[VecEnv] = []

    def make(task: str = "walker_run", *overrides: str, num_envs: int = 4, seed: int = 1, reserved: int = 0) -> VecEnv:
        for env in opened:
            env.close()
        loaded = load_task(task, overrides)
        opened[:] = [make_env(loaded, num_envs=num_envs, seed=seed, reserved=reserved)]  # type: ignore[list-item]
        return opened[0]

    yield make
    for env in opened:
        env.close()
