"""The panel's state: a draft, a run on it, its edits, its ends. On real physics, without a window."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest
from quiet import pump_until, small_workbench

from humanoid_rl_ext.errors import EngineError, TaskError
from humanoid_rl_ext.ui.workbench import Workbench


@pytest.fixture
def bench(tmp_path, monkeypatch) -> Iterator[Workbench]:
    yield from small_workbench(tmp_path, monkeypatch)


def train(bench: Workbench, iterations: int = 1) -> None:
    bench.start()
    pump_until(bench, lambda: len(bench.history) >= iterations and bench.session is not None)


def test_a_run_starts_goes_through_its_states_and_ends_saved(bench):
    states = []
    bench.state_changed.connect(lambda: states.append(bench.state))
    train(bench)
    bench.pause()
    steps = bench.session.env_steps
    bench.pump(0.05)
    assert bench.session.env_steps == steps
    bench.step_once()
    assert bench.session.env_steps == steps + 8 and bench.state == "paused"
    bench.resume()
    bench.stop()
    pump_until(bench, lambda: bench.state == "idle")
    assert states == ["starting", "training", "paused", "training", "training", "idle"]
    assert list((bench.run_path / "checkpoints").glob("step_*"))


def test_an_edit_of_a_weight_acts_now_is_logged_and_marked_and_can_be_undone(bench):
    train(bench)
    name = next(iter(bench.draft.task.rewards))
    path = f"rewards.{name}.weight"
    before = bench.draft.value(path)
    bench.edit(path, before + 1.0)
    assert bench.session.task.rewards[name].weight == before + 1.0
    assert [mark.change.path for mark in bench.marks] == [path]
    assert bench.undo().path == path
    assert bench.session.task.rewards[name].weight == before == bench.draft.value(path)
    log = [json.loads(line) for line in (bench.run_path / "edits.jsonl").read_text().splitlines()]
    assert [(entry["old"], entry["new"], entry["source"]) for entry in log] == [
        (before, before + 1.0, "panel"),
        (before + 1.0, before, "undo"),
    ]


def test_what_cannot_change_while_training_waits_for_the_next_run(bench):
    train(bench)
    assert not bench.acts_now("sim.decimation")
    decimation = bench.draft.value("sim.decimation")
    bench.edit("sim.decimation", decimation + 1)
    assert bench.draft.value("sim.decimation") == decimation + 1
    assert bench.session.task.sim.decimation == decimation and not bench.marks


def test_a_refused_edit_changes_nothing(bench):
    changed = []
    bench.draft_changed.connect(changed.append)
    with pytest.raises(TaskError, match="decimation"):
        bench.edit("sim.decimation", -1)
    assert not changed and not bench.undoable and bench.undo() is None


def test_rewards_can_be_added_and_removed_while_training(bench):
    train(bench)
    bench.edit("rewards.energy", {"weight": -0.01})
    pump_until(bench, lambda: "reward/energy" in bench.history.names)
    bench.edit("rewards.energy", None)
    assert "energy" not in bench.session.task.rewards
    bench.undo()
    assert bench.session.task.rewards["energy"].weight == -0.01


def test_a_failure_in_training_ends_the_run_with_a_message_and_keeps_its_checkpoints(bench):
    train(bench)
    bench.save()
    pump_until(bench, lambda: bench.session.checkpoint is not None)

    def fail(substeps: int) -> None:
        raise EngineError("PhysX failed to step: out of memory; use fewer environments")

    bench.session.env.engine.step = fail
    pump_until(bench, lambda: bench.state == "idle")
    assert bench.message.kind == "error" and "fewer environments" in bench.message.text
    assert list((bench.run_path / "checkpoints").glob("step_*"))
    train(bench)  # the panel can be used as before
    assert bench.state == "training"


def test_a_loss_that_is_not_finite_ends_the_run_with_a_message(bench):
    train(bench)
    bench.edit("rewards." + next(iter(bench.draft.task.rewards)) + ".weight", 1e30)
    pump_until(bench, lambda: bench.state == "idle", 120.0)
    assert bench.message.kind == "error" and "finite" in bench.message.text


def test_an_error_nobody_foresaw_leaves_its_traceback_in_the_run(bench):
    train(bench)
    bench.session.on_metrics.append(lambda metrics: 1 / 0)
    pump_until(bench, lambda: bench.state == "idle")
    assert "ZeroDivisionError" in bench.message.text
    assert "Traceback" in (bench.run_path / "error.log").read_text()


def test_a_state_that_is_not_finite_is_told_and_training_goes_on(bench):
    train(bench)
    engine = bench.session.vec_env.engine
    physics = engine.step

    def poisoned(substeps):
        physics(substeps)
        engine.state.joint_vel[2] = float("nan")
        engine.step = physics

    engine.step = poisoned
    iterations = len(bench.history)
    pump_until(bench, lambda: len(bench.history) > iterations + 1)
    assert bench.message.kind == "warning" and "not finite" in bench.message.text
    assert bench.state == "training" and bench.session.non_finite == 1


def test_a_run_that_cannot_start_says_why_and_the_panel_is_idle_again(bench):
    bench.edit("run.device", "cuda:7")
    bench.start()
    pump_until(bench, lambda: bench.state == "idle")
    assert bench.message.kind == "error" and "cuda:7" in bench.message.text


def test_a_robot_that_is_no_robot_is_told_and_the_old_one_stays(bench, tmp_path):
    pump_until(bench, lambda: bench.robot is not None)
    (tmp_path / "empty.usda").write_text("#usda 1.0\n")
    robot = bench.robot
    bench.set_robot(str(tmp_path / "empty.usda"))
    pump_until(bench, lambda: bench.message.kind == "error")
    assert bench.robot is robot and "articulation" in bench.message.text


def test_a_checkpoint_plays_alone_and_beside_a_run(bench):
    train(bench, iterations=2)
    bench.save()
    pump_until(bench, lambda: bench.session.checkpoint is not None)
    checkpoint = bench.session.checkpoint
    bench.play(checkpoint)
    assert bench.state == "training" and bench.session.watched.source == checkpoint
    bench.stop()
    pump_until(bench, lambda: bench.state == "idle")
    bench.play(checkpoint)
    pump_until(bench, lambda: bench.state == "playing")
    bench.pause()
    bench.step_once()
    bench.stop()
    assert bench.state == "idle" and bench.player is None


def test_a_run_goes_on_in_its_folder_with_its_task_as_the_draft(bench):
    train(bench)
    bench.stop()
    pump_until(bench, lambda: bench.state == "idle")
    run, steps = bench.run_path, len(bench.history)
    bench.load_task("walker_run")
    bench.resume_run(run)
    pump_until(bench, lambda: bench.state == "training")
    assert bench.draft.task.name == "cartpole_balance" and len(bench.history) == steps


def test_closing_saves_what_is_being_learned(bench):
    train(bench)
    run = bench.run_path
    bench.close()
    assert list((run / "checkpoints").glob("step_*"))


def test_slow_motion_leaves_time_between_two_steps(bench):
    train(bench)
    bench.slow_motion = 0.1
    session = bench.session
    dt = session.env.view.dt / 0.1
    start, steps = time.perf_counter(), session.env_steps
    while time.perf_counter() < start + 5 * dt:
        bench.pump(0.001)
    assert 3 <= (session.env_steps - steps) / 8 <= 7


def test_what_loses_its_physics_is_saved_as_it_stands(bench):
    train(bench)
    session = bench.session
    bench.abandon("The stage was closed.")
    assert bench.state == "idle" and session.finished and session.checkpoint.is_dir()
    assert bench.message.text == f"The stage was closed. The run is saved: {session.folder.path}"
    bench.play(session.checkpoint)
    pump_until(bench, lambda: bench.state == "playing")
    bench.abandon("The stage was closed.")
    assert bench.state == "idle" and bench.player is None
    bench.abandon("The stage was closed.")  # nothing is at work: nothing is said anew


def test_what_is_given_up_while_it_opens_is_closed_when_it_is_there(bench):
    bench.start()
    bench.abandon("The stage was closed.")
    assert bench.state == "idle"
    pump_until(bench, lambda: not bench.background.busy)
    assert bench.session is None
    train(bench)  # the one scene that a process holds is free again
