"""A policy watched in reserved environments while another one trains."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from humanoid_rl_ext.errors import BadInputError, CheckpointError, TaskError
from humanoid_rl_ext.train.checkpoint import list_checkpoints
from humanoid_rl_ext.train.session import Session
from humanoid_rl_ext.train.start import open_session, plan_resume, plan_run

Open = Callable[..., Session]
SMALL = ["learner.num_steps=8", "learner.actor_hidden=[16]", "learner.critic_hidden=[16]", "learner.num_minibatches=2"]


@pytest.fixture
def open_run(tmp_path: Path) -> Iterator[Open]:
    """Opens a run of four cart-poles by name, a new one or one to go on with; one scene at a time."""
    opened: list[Session] = []

    def open_run(
        name: str = "run", *overrides: str, reserved: int = 1, env_steps: int = 96, **settings: Any
    ) -> Session:
        for session in opened:
            session.close()
        path, settings = tmp_path / name, {"env_steps": env_steps, **settings}
        if path.exists():
            plan = plan_resume(path, **settings)
        else:
            words = [*SMALL, *overrides]
            plan = plan_run("cartpole_balance", words, num_envs=4, device="cpu", run=path, **settings)
        opened[:] = [open_session(plan, reserved=reserved)]
        return opened[0]

    yield open_run
    for session in opened:
        session.close()


def returns(session: Session) -> list[float]:
    return session.history.column("train/policy_loss").tolist()


def test_learning_does_not_notice_that_somebody_is_watched(open_run: Open) -> None:
    runs = []
    for reserved in (0, 2):
        session = open_run(f"reserved_{reserved}", reserved=reserved)
        session.run()
        runs.append(returns(session))
    assert runs[0] == pytest.approx(runs[1], rel=1e-2)  # the scene is larger, so physics rounds differently


def test_the_policy_that_is_being_learned_is_watched_at_first(open_run: Open) -> None:
    session = open_run()
    watched = session.watched
    assert watched is not None and watched.source is None and session.watched_env == 4
    seen = session.env.reserved_observations()
    session.step_once()
    assert torch.equal(session.env.reserved_actions, session.learner.act_deterministic(seen))
    assert set(watched.terms()) == {"alive", "pole_angle", "cart_position", "termination"}


def test_a_checkpoint_acts_while_another_policy_trains_undisturbed(open_run: Open) -> None:
    first = open_run("first")
    first.run()
    (checkpoint,) = list_checkpoints(first.folder.checkpoints)
    plain = open_run("plain")
    plain.run()
    before = returns(plain)
    session = open_run("watched")
    watched, random = session.watched, torch.get_rng_state()
    session.watch(checkpoint)
    assert watched is not None and watched.source == checkpoint and watched.learner is not session.learner
    assert torch.equal(torch.get_rng_state(), random)
    session.run()
    assert returns(session) == before
    session.watch(None)
    assert watched.source is None and watched.learner is session.learner


def test_a_checkpoint_that_does_not_fit_is_told_and_changes_nothing(open_run: Open, tmp_path: Path) -> None:
    session = open_run()
    session.run()
    assert session.checkpoint is not None and session.watched is not None
    file = session.checkpoint / "checkpoint.json"
    content = json.loads(file.read_text())
    content["spec"]["observations"]["policy"] = 3
    file.write_text(json.dumps(content))
    with pytest.raises(CheckpointError, match="checkpoint 3, task 4"):
        session.watch(session.checkpoint)
    with pytest.raises(BadInputError, match="not a checkpoint"):
        session.watch(tmp_path)
    assert session.watched.source is None


def test_a_policy_that_fails_stands_still_and_says_why(open_run: Open) -> None:
    session = open_run()
    assert session.watched is not None

    class Broken:
        def act_deterministic(self, obs: Any) -> torch.Tensor:
            raise RuntimeError("shapes do not fit")

    session.watched.learner = Broken()  # type: ignore[assignment]
    session.run()
    assert session.finished and session.env_steps == 96
    assert session.watched.error == "RuntimeError: shapes do not fit"
    session.watch(None)
    assert session.watched.error == ""


def test_whole_episodes_are_counted_while_training_goes_on(open_run: Open) -> None:
    session, results = open_run("run", "episode_length_s=0.2", env_steps=10**6, reserved=2), []
    watched = session.watched
    assert watched is not None
    for _ in range(5):
        session.step_once()
    watched.evaluate(3, results.append)
    steps = 0
    while watched.progress is not None:
        session.step_once()
        steps += 1
    assert watched.progress is None and steps == 25  # one that cuts off, then two episodes of twelve steps
    (result,) = results
    assert (result.episodes, result.mean_episode_length, result.success_rate) == (3, 12.0, 1.0)
    assert session.env_steps == 4 * 30
    watched.evaluate(3, results.append)
    watched.cancel()
    assert watched.progress is None
    session.step_once()
    assert len(results) == 1


def test_a_robot_that_is_bolted_down_cannot_be_pushed(open_run: Open) -> None:
    watched = open_run().watched
    assert watched is not None
    with pytest.raises(TaskError, match="fixed"):
        watched.push((1.0, 0.0, 0.0))
    with pytest.raises(TaskError, match="no command"):
        watched.drive("velocity", (1.0, 0.0, 0.0))


def test_a_run_goes_on_with_and_without_reserved_environments(open_run: Open) -> None:
    for reserved, env_steps in ((1, 32), (0, 64), (2, 96)):
        session = open_run("run", reserved=reserved, env_steps=env_steps)
        session.run()
        assert session.env_steps == env_steps and session.iteration == env_steps // 32


def test_rewards_added_and_removed_while_training_are_logged_and_repeated_on_resume(open_run: Open) -> None:
    session = open_run(env_steps=64)
    session.pump(0.0)
    session.edit("rewards.praise", {"term": "alive", "weight": 2.0}, source="panel")
    session.edit("rewards.praise.weight", 3.0)
    session.edit("rewards.cart_position", None)
    session.run()
    edits = session.folder.read_edits()
    assert [(entry["path"], entry["old"] is None, entry["new"] is None) for entry in edits] == [
        ("rewards.praise", True, False),
        ("rewards.praise.weight", False, False),
        ("rewards.cart_position", False, True),
    ]
    assert "reward/praise" in session.history.names
    again = open_run(env_steps=96)
    assert again.task == session.task
    again.run()
    assert again.watched is not None and set(again.watched.terms()) == {"alive", "pole_angle", "praise", "termination"}


def test_going_back_to_a_checkpoint_takes_later_edits_back(open_run: Open) -> None:
    session = open_run("run", "run.save_interval=1", env_steps=64)
    session.edit("rewards.cart_position", None)
    session.run()
    session.edit("rewards.praise", {"term": "alive", "weight": 2.0})  # after the second save, at its very step
    first, _ = list_checkpoints(session.folder.checkpoints)
    session.load(first)
    assert session.env_steps == 32 and list(session.task.rewards) == ["alive", "pole_angle", "termination"]
    session.run()
    assert session.env_steps == 64


def test_torch_keeps_to_one_core_on_the_thread_that_trains(open_run: Open) -> None:
    session, threads = open_run(), []

    def pump() -> None:
        torch.set_num_threads(2)
        session.pump(0.0)
        threads.append(torch.get_num_threads())

    worker = threading.Thread(target=pump)
    worker.start()
    worker.join()
    assert threads == [1]
