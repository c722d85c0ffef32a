"""A small environment whose whole state can be saved, and sessions on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from humanoid_rl_ext.env.transition import ActionSpec, EnvSpec, Observations, Transition
from humanoid_rl_ext.errors import TaskError
from humanoid_rl_ext.learn import make_learner
from humanoid_rl_ext.train.config import RunConfig, load_run_config
from humanoid_rl_ext.train.player import Player, open_player
from humanoid_rl_ext.train.run_folder import RunFolder
from humanoid_rl_ext.train.session import Session
from humanoid_rl_ext.train.start import open_session, plan_resume

NAME = "gym:PointMass"


class PointMass:
    """A mass on a line, pushed towards the origin; episodes last ``limits[i]`` steps in environment i."""

    task_name, engine_name = NAME, "point mass"

    def __init__(self, num_envs: int = 4, seed: int = 0, limits: list[int] | None = None) -> None:
        self.spec = EnvSpec(num_envs, {"policy": 2}, ActionSpec("box", 1, ("push",)), 10, {"policy": ("x", "v")})
        self.limits = torch.tensor(limits or [10] * num_envs)
        self.generator = torch.Generator().manual_seed(seed)
        self.state = torch.zeros(num_envs, 2)
        self.length, self.total = torch.zeros(num_envs, dtype=torch.int64), torch.zeros(num_envs)
        self.ended: list[tuple[int, float, int, bool]] = []
        self.since: list[tuple[float, int]] = []
        self.gain = 1.0

    def reset(self) -> Observations:
        self._restart(torch.ones(self.spec.num_envs, dtype=torch.bool))
        return self.observations()

    def observations(self) -> Observations:
        return {"policy": self.state.clone()}

    def step(self, actions: torch.Tensor) -> Transition:
        push = self.gain * actions[:, 0].clamp(-1.0, 1.0)
        self.state[:, 1] += 0.1 * push
        self.state[:, 0] += 0.1 * self.state[:, 1]
        reward = -self.state[:, 0].square()
        self.length += 1
        self.total += reward
        done = self.length >= self.limits
        final = self.observations()
        self.ended = [(i, float(self.total[i]), int(self.length[i]), i == 0) for i in done.nonzero().flatten().tolist()]
        self.since += [(total, length) for _, total, length, _ in self.ended]
        self._restart(done)
        return Transition(self.observations(), reward, torch.zeros_like(done), done, final)

    def episode_metrics(self) -> dict[str, float]:
        count, since = len(self.since), self.since
        self.since = []
        if not count:
            return {"episodes": 0.0, "non_finite": 0.0}
        totals, lengths = (sum(values) / count for values in zip(*since, strict=True))
        return {"episodes": float(count), "non_finite": 0.0, "return": totals, "length": lengths, "speed": lengths}

    def finished(self) -> list[tuple[int, float, int, bool]]:
        return self.ended

    def edit(self, path: str, value: Any) -> None:
        raise TaskError(f"edit '{path}': nothing to edit")

    def state_dict(self) -> dict[str, Any]:
        tensors = {"state": self.state, "length": self.length, "total": self.total}
        return {**tensors, "generator": self.generator.get_state(), "since": self.since}

    def load_state_dict(self, saved: dict[str, Any]) -> None:
        self.state, self.length, self.total = saved["state"], saved["length"], saved["total"]
        self.generator.set_state(saved["generator"])
        self.since = [tuple(entry) for entry in saved["since"]]

    def close(self) -> None:
        self.state = torch.zeros(0, 2)

    def _restart(self, done: torch.Tensor) -> None:
        drawn = torch.randn(self.state.shape, generator=self.generator)
        self.state = torch.where(done.unsqueeze(-1), drawn, self.state)
        self.length.masked_fill_(done, 0)
        self.total = self.total.masked_fill(done, 0.0)


def small_config(env_steps: int, seed: int = 0, **run: Any) -> RunConfig:
    """PPO in small: 4 environments, 8 steps between updates."""
    settings = (
        "num_steps=8",
        "num_epochs=2",
        "num_minibatches=2",
        "actor_hidden=[8]",
        "critic_hidden=[8]",
        "schedule=adaptive",
    )
    config = load_run_config(
        "ppo", NAME, [f"learner.{setting}" for setting in settings], num_envs=4, env_steps=env_steps, seed=seed
    )
    return config.model_copy(update={"run": config.run.model_copy(update=run)})


@pytest.fixture
def make_session() -> Iterator[Callable[..., Session]]:
    """Builds sessions in a folder; a folder that holds a checkpoint is resumed."""
    opened: list[Session] = []

    def make(path: Path, env_steps: int = 32 * 8, seed: int = 0, env: PointMass | None = None, **run: Any) -> Session:
        config = small_config(env_steps, seed, **run)
        known = path.exists()
        folder = RunFolder(path) if known else RunFolder.create(path, NAME, config, "cpu")
        env = env or PointMass(seed=seed)
        learner = make_learner("ppo", env.spec, config.settings, "cpu", seed, 32 * 8)
        opened.append(Session(env, learner, NAME, config, folder))
        if known:
            opened[-1].load()
        return opened[-1]

    yield make
    for session in opened:
        session.close()


@pytest.fixture
def goes_on() -> Iterator[Callable[..., Player]]:
    """Resumes a run, trains it to so many steps and updates, and plays its policy."""
    opened: list[Player] = []

    def go_on(path: Path, env_steps: int, iteration: int, num_envs: int = 1) -> Player:
        session = open_session(plan_resume(path, env_steps=env_steps))
        session.run()
        assert session.env_steps == env_steps and session.learner.iteration == iteration
        session.close()
        opened.append(open_player(path, num_envs=num_envs))
        opened[-1].step_once()
        assert not opened[-1].watch.error
        return opened[-1]

    yield go_on
    for player in opened:
        player.close()


@pytest.fixture
def point_mass() -> type[PointMass]:
    """The environment's class, for tests that need no session."""
    return PointMass
