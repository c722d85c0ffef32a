from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from humanoid_rl_ext.errors import BadInputError, CheckpointError, EngineError, HumanoidRLError, TaskError
from humanoid_rl_ext.train.checkpoint import list_checkpoints, read_checkpoint
from humanoid_rl_ext.train.session import Session

Make = Callable[..., Session]


def metrics(path: Path) -> list[dict[str, Any]]:
    """What ``metrics.jsonl`` holds, without clocks."""
    lines = (json.loads(line) for line in (path / "metrics.jsonl").read_text().splitlines())
    return [{name: value for name, value in line.items() if not name.startswith("time/")} for line in lines]


def flat(state: Any) -> list[torch.Tensor]:
    if isinstance(state, torch.Tensor):
        return [state]
    values = state.values() if isinstance(state, dict) else state if isinstance(state, list | tuple) else ()
    return [tensor for value in values for tensor in flat(value)]


def test_a_run_ends_at_its_budget_with_one_object_per_iteration_and_a_checkpoint(
    make_session: Make, tmp_path: Path
) -> None:
    session = make_session(tmp_path / "run", env_steps=250)
    session.run()
    lines = metrics(session.folder.path)
    assert session.finished and session.env_steps == 256  # whole iterations of 32 steps
    assert [(line["iteration"], line["env_steps"]) for line in lines] == [(i, 32 * i) for i in range(1, 9)]
    assert {"train/kl", "episode/return", "episode/length", "episode/episodes"} <= lines[-1].keys()
    assert session.checkpoint == session.folder.checkpoints / "step_256"


def test_the_same_seed_gives_the_same_metrics_and_another_seed_does_not(make_session: Make, tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        make_session(tmp_path / name, seed=seed).run()
    assert metrics(tmp_path / "a") == metrics(tmp_path / "b") != metrics(tmp_path / "c")


def test_a_resumed_run_goes_on_exactly_as_if_it_had_never_stopped(make_session: Make, tmp_path: Path) -> None:
    whole = make_session(tmp_path / "whole", save_interval=4)
    whole.run()
    first = make_session(tmp_path / "halves", env_steps=128)
    first.run()
    second = make_session(tmp_path / "halves", seed=5, env_steps=256)  # another seed: all must come from the checkpoint
    second.run()
    assert metrics(tmp_path / "whole") == metrics(tmp_path / "halves")
    ends = [read_checkpoint(session.folder.checkpoints / "step_256").state["learner"] for session in (whole, second)]
    assert all(torch.equal(a, b) for a, b in zip(*map(flat, ends), strict=True))


def test_what_came_after_the_checkpoint_is_forgotten_on_resume(make_session: Make, tmp_path: Path) -> None:
    run = tmp_path / "run"
    first = make_session(run, save_interval=3)
    first.on_metrics.append(lambda line: first.pause() if line["iteration"] == 5 else None)
    first.run()  # as if killed here: saved after iteration 3, written to metrics.jsonl up to 5
    assert len(metrics(run)) == 5
    second = make_session(run)
    assert second.env_steps == 96 and len(second.history) == 3
    second.run()
    assert [line["iteration"] for line in metrics(run)] == list(range(1, 9))


def test_pumping_in_small_slices_gives_the_same_run(make_session: Make, tmp_path: Path) -> None:
    make_session(tmp_path / "whole").run()
    sliced = make_session(tmp_path / "sliced")
    slices = 0
    while sliced.pump(0.0):
        slices += 1
    assert slices > 8 * 8  # every environment step and every minibatch is a slice of its own
    assert metrics(tmp_path / "whole") == metrics(tmp_path / "sliced")


def test_a_pause_holds_within_an_iteration(make_session: Make, tmp_path: Path) -> None:
    session = make_session(tmp_path / "run")
    for _ in range(3):
        session.pump(0.0)
    session.pause()
    assert session.pump(1.0) and session.env_steps == 12
    session.resume()
    session.pump(0.0)
    assert session.env_steps == 16


def test_saving_and_stopping_wait_for_the_end_of_the_iteration(make_session: Make, tmp_path: Path) -> None:
    session = make_session(tmp_path / "run")
    session.pump(0.0)
    session.save()
    assert list_checkpoints(session.folder.checkpoints) == []
    session.stop()
    session.run()
    assert session.finished and session.env_steps == 32
    assert [path.name for path in list_checkpoints(session.folder.checkpoints)] == ["step_32"]


def test_learner_edits_act_between_iterations_and_are_logged(make_session: Make, tmp_path: Path) -> None:
    session = make_session(tmp_path / "run", env_steps=64)
    session.pump(0.0)
    before = session.settings.entropy_coef  # type: ignore[attr-defined]
    session.edit("learner.entropy_coef", 0.25, source="panel")
    assert not session.folder.edits.exists()
    session.run()
    assert session.learner.settings.entropy_coef == 0.25  # type: ignore[attr-defined]
    assert json.loads(session.folder.edits.read_text()) == {
        "env_steps": 32,
        "path": "learner.entropy_coef",
        "old": before,
        "new": 0.25,
        "source": "panel",
    }
    assert make_session(tmp_path / "run", env_steps=64).settings.entropy_coef == 0.25  # type: ignore[attr-defined]


@pytest.mark.parametrize("path", ["learner.entropy_coeff", "learner.num_steps", "rewards.alive.weight"])
def test_an_edit_that_cannot_be_made_changes_and_logs_nothing(make_session: Make, tmp_path: Path, path: str) -> None:
    session = make_session(tmp_path / "run")
    with pytest.raises(TaskError):
        session.edit(path, 1)
    assert not session.folder.edits.exists()


def test_what_goes_wrong_is_told_once(make_session: Make, tmp_path: Path) -> None:
    session, told = make_session(tmp_path / "run"), []
    usual = session.env.episode_metrics
    session.env.episode_metrics = lambda: {**usual(), "non_finite": 1.0}
    session.on_warning.append(told.append)
    session.run()
    assert session.non_finite == session.iteration > 1 == len(told)


def test_evaluating_in_the_middle_of_a_run_does_not_change_it(make_session: Make, tmp_path: Path) -> None:
    make_session(tmp_path / "plain").run()
    session = make_session(tmp_path / "evaluated")
    results: list[Any] = []
    session.on_metrics.append(lambda line: session.evaluate(6, results.append) if line["iteration"] == 4 else None)
    session.run()
    assert len(results) == 1 and results[0].episodes == 6
    assert metrics(tmp_path / "plain") == metrics(tmp_path / "evaluated")


def test_an_evaluation_is_played_slice_by_slice(make_session: Make, tmp_path: Path) -> None:
    session, results = make_session(tmp_path / "run"), []
    session.evaluate(6, results.append)
    session.pump(0.0)
    assert session.evaluated == (0, 6) and session.env_steps == 0
    session.save()  # waits: the environment is not where training left it
    for _ in range(10):
        session.pump(0.0)
    assert session.evaluated == (4, 6) and not results
    assert list_checkpoints(session.folder.checkpoints) == []
    for _ in range(10):
        session.pump(0.0)
    assert session.evaluated is None and results[0].episodes == 6
    assert list_checkpoints(session.folder.checkpoints) != []


def test_a_stop_does_not_wait_for_an_evaluation(make_session: Make, tmp_path: Path) -> None:
    session, results = make_session(tmp_path / "run"), []
    session.evaluate(10**6, results.append)
    session.pump(0.0)
    session.stop()
    session.run()
    assert session.finished and not results and session.evaluated is None


def test_a_finished_run_can_still_be_evaluated(make_session: Make, tmp_path: Path) -> None:
    session, results = make_session(tmp_path / "run", env_steps=32), []
    session.run()
    session.evaluate(2, results.append)
    assert results[0].episodes == 2


def test_a_paused_run_can_be_advanced_by_single_steps(make_session: Make, tmp_path: Path) -> None:
    session = make_session(tmp_path / "run")
    session.pause()
    for steps in range(1, 12):  # an update lies between the eighth and the ninth
        assert session.step_once()
        assert session.env_steps == 4 * steps and session.paused
    assert not session.step_once(seconds=0.0) and session.env_steps == 44


def test_it_can_be_asked_what_can_be_edited(make_session: Make, tmp_path: Path) -> None:
    session = make_session(tmp_path / "run")
    paths = ("learner.entropy_coef", "learner.num_steps", "learner.nosuch", "rewards.alive.weight")
    assert [session.can_edit(path) for path in paths] == [True, False, False, False]


def test_there_is_nobody_to_watch_where_nothing_is_reserved(make_session: Make, tmp_path: Path) -> None:
    session = make_session(tmp_path / "run")
    assert session.watched is None and session.watched_env == 0
    with pytest.raises(BadInputError, match="reserved"):
        session.watch(None)


@pytest.mark.parametrize("error", [EngineError("PhysX failed to step: out of memory"), RuntimeError("a defect")])
def test_a_crash_in_training_leaves_the_checkpoints_and_a_session_that_can_be_closed(
    make_session: Make, tmp_path: Path, error: Exception
) -> None:
    session = make_session(tmp_path / "run", save_interval=2)
    step = session.env.step

    def fail(actions: torch.Tensor) -> Any:
        if session.env_steps == 100:
            raise error
        return step(actions)

    session.env.step = fail  # type: ignore[method-assign]
    with pytest.raises(type(error)):
        session.run()
    assert not session.finished
    session.close()
    assert [path.name for path in list_checkpoints(session.folder.checkpoints)] == ["step_64"]
    assert make_session(tmp_path / "run").env_steps == 64


def test_losses_that_are_not_finite_end_the_run_and_keep_its_checkpoints(make_session: Make, tmp_path: Path) -> None:
    session = make_session(tmp_path / "run", save_interval=1)
    step = session.env.step

    def poisoned(actions: torch.Tensor) -> Any:
        transition = step(actions)
        if session.env_steps >= 32:
            transition.reward[:] = float("nan")
        return transition

    session.env.step = poisoned  # type: ignore[method-assign]
    with pytest.raises(HumanoidRLError, match="not finite"):
        session.run()
    session.close()
    assert make_session(tmp_path / "run").env_steps == 32


def test_a_damaged_checkpoint_leaves_the_session_as_it_was(make_session: Make, tmp_path: Path) -> None:
    session = make_session(tmp_path / "run", env_steps=64)
    session.run()
    damaged = session.folder.checkpoints / "step_64" / "tensors.safetensors"
    damaged.write_bytes(damaged.read_bytes()[:100])
    with pytest.raises(CheckpointError):
        session.load()
    assert session.env_steps == 64 and len(metrics(session.folder.path)) == 2


def test_an_abandoned_run_is_saved_in_the_middle_of_an_iteration_and_goes_on(
    make_session: Make, tmp_path: Path
) -> None:
    session = make_session(tmp_path / "run", env_steps=250)
    session.step_once()
    session.step_once()
    session.abandon()
    assert session.finished and session.env_steps % 32  # an iteration is 32 steps
    assert session.checkpoint == session.folder.checkpoints / f"step_{session.env_steps}"
    session.abandon()  # twice is as once
    assert len(list_checkpoints(session.folder.checkpoints)) == 1
    resumed = make_session(tmp_path / "run", env_steps=250)
    resumed.load()
    assert resumed.env_steps == session.env_steps
    resumed.run()
    assert resumed.env_steps >= 250
