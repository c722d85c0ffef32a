"""Playing a checkpoint without training."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from humanoid_rl_ext.errors import BadInputError, CheckpointError
from humanoid_rl_ext.train import player as players
from humanoid_rl_ext.train.player import Player, open_player
from humanoid_rl_ext.train.run_folder import RunFolder
from humanoid_rl_ext.train.start import open_session, plan_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short run of a humanoid that walks on command, with two checkpoints and an edit between them."""
    path = tmp_path_factory.mktemp("runs") / "run"
    words = ["learner.num_steps=4", "learner.actor_hidden=[16]", "learner.critic_hidden=[16]", "run.save_interval=1"]
    session = open_session(plan_run("humanoid_walk", words, num_envs=2, env_steps=16, device="cpu", run=path))
    session.on_metrics.append(lambda line: session.pause())
    session.run()
    session.resume()
    session.step_once()
    session.edit("rewards.height", {"weight": 1.0})
    session.resume()
    session.on_metrics.clear()
    session.run()
    session.close()
    return path


@pytest.fixture
def play() -> Iterator[Callable[..., Player]]:
    opened: list[Player] = []

    def play(source: Path, num_envs: int = 1) -> Player:
        opened.append(open_player(source, num_envs))
        return opened[-1]

    yield play
    for player in opened:
        player.close()


def test_the_newest_checkpoint_of_a_run_is_played(run: Path, play: Callable[..., Player]) -> None:
    player = play(run, num_envs=2)
    assert player.source == run / "checkpoints" / "step_16" and player.watch.source == player.source
    assert player.env.engine.num_envs == 2 and player.watched_env == 0
    player.step_once()
    assert player.env.reserved_actions.abs().sum() > 0
    assert "height" in player.watch.terms(1)  # the Task as it was edited by then


def test_one_checkpoint_is_played_on_the_task_of_its_time(run: Path, play: Callable[..., Player]) -> None:
    player = play(run / "checkpoints" / "step_8")
    player.step_once()
    assert "height" not in player.watch.terms()


def test_time_passes_as_the_clock_says_slower_or_not_at_all(
    run: Path, play: Callable[..., Player], monkeypatch: pytest.MonkeyPatch
) -> None:
    player, now, steps = play(run), [50.0], []
    monkeypatch.setattr(players.time, "perf_counter", lambda: now[0])
    monkeypatch.setattr(player, "step_once", lambda: steps.append(now[0]))

    def made(seconds: float, frames: int) -> int:
        before = len(steps)
        for _ in range(frames):
            now[0] += seconds / frames
            player.pump(1.0)
        return len(steps) - before

    player.pump(1.0)
    assert len(steps) == 1  # at once
    assert made(1.0, 60) == pytest.approx(50, abs=1)  # 50 Hz
    player.speed = 0.1
    assert made(2.0, 120) == pytest.approx(10, abs=1)
    player.pause()
    assert made(1.0, 60) == 0
    player.resume()
    player.speed = 1.0
    assert made(5.0, 1) <= players.MOST_BEHIND + 1  # what was missed is not made up for


def test_it_never_works_much_longer_than_it_is_given(run: Path, play: Callable[..., Player]) -> None:
    player = play(run)
    player.speed = 1e6
    player.step_once()
    started = time.perf_counter()
    player.pump(0.02)
    assert time.perf_counter() - started < 0.2
    assert player.env.view.episode_length[0] > 1


def test_a_driven_and_pushed_robot_answers(run: Path, play: Callable[..., Player]) -> None:
    player = play(run)
    player.watch.drive("velocity", (1.0, 0.0, 0.5))
    names = player.env.spec.observation_names["policy"]
    seen = player.env.reserved_observations()["policy"][0]
    assert [seen[i].item() for i, name in enumerate(names) if name.startswith("command")] == [1.0, 0.0, 0.5]
    before, heading = player.env.engine.state.root_velocity.clone(), float(player.env.view.heading_w[0])
    player.watch.push((1.0, 0.0, 0.0))
    change = player.env.engine.state.root_velocity - before
    along = torch.tensor([torch.cos(torch.tensor(heading)), torch.sin(torch.tensor(heading)), 0.0])
    assert torch.allclose(change[0, :3], along, atol=1e-4)
    assert player.watch.drives == {"velocity": (1.0, 0.0, 0.5)}


def test_what_cannot_be_played_is_told_in_one_line(run: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="no such run folder"):
        open_player(tmp_path / "nowhere")
    with pytest.raises(BadInputError, match="not a run folder"):
        open_player(tmp_path)
    with pytest.raises(CheckpointError, match="missing"):
        open_player(run / "checkpoints" / "step_99")
    empty = tmp_path / "empty"
    RunFolder(empty).path.mkdir()
    for name in ("task.yaml", "learner.yaml"):
        (empty / name).write_text((run / name).read_text())
    with pytest.raises(CheckpointError, match="holds no checkpoint"):
        open_player(empty)
