"""The Training section and the run bar without a window: settings, devices, buttons by state, figures, messages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from quiet import pump_until, small_workbench

from humanoid_rl_ext.learn import LEARNERS
from humanoid_rl_ext.ui.training.model import TrainingModel
from humanoid_rl_ext.ui.training.progress import LINE_LENGTH, Progress, brief, clock
from humanoid_rl_ext.ui.workbench import Message, Workbench


@pytest.fixture
def bench(tmp_path, monkeypatch) -> Iterator[Workbench]:
    yield from small_workbench(tmp_path, monkeypatch)


def test_settings_are_split_by_whether_they_may_change_while_training(bench):
    model = TrainingModel(bench)
    live, fixed = ({spec.path for spec in specs} for specs in (model.live_specs(), model.fixed_specs()))
    assert "learner.learning_rate" in live and "learner.actor_hidden" in fixed and not live & fixed
    assert {path.partition(".")[2] for path in live | fixed} == set(type(bench.draft.config.settings).model_fields)


def test_cuda_is_a_choice_only_where_there_is_a_driver(bench, tmp_path):
    def devices(*gpus: str) -> tuple[str, ...]:
        folder = tmp_path / f"gpus{len(gpus)}"
        for gpu in gpus:
            (folder / gpu).mkdir(parents=True)
        return TrainingModel(bench, folder).devices()

    assert devices() == ("auto", "cpu")
    assert devices("0000:01:00.0") == ("auto", "cpu", "cuda")
    assert devices("0000:01:00.0", "0000:02:00.0") == ("auto", "cpu", "cuda", "cuda:0", "cuda:1")


def test_the_run_in_sum_is_counted_in_whole_iterations(bench):
    bench.edit("run.env_steps", 1000)
    bench.edit("learner.num_steps", 32)
    bench.edit("learner.num_minibatches", 4)
    assert TrainingModel(bench).summary == "4 iterations of 256 steps, learned in minibatches of 64"


def test_all_changed_settings_are_put_back_at_once(bench):
    model = TrainingModel(bench)
    bench.edit("learner.gamma", 0.5)
    bench.edit("rewards.alive.weight", 9.0)
    assert set(model.changed) == {"run.num_envs", "run.save_interval", "learner.gamma"}
    model.put_back()
    assert not model.changed and bench.draft.value("rewards.alive.weight") == 9.0


def test_an_algorithm_without_a_preset_is_told_and_the_old_one_stays(bench, monkeypatch):
    monkeypatch.setitem(LEARNERS, "other", LEARNERS["ppo"])
    model = TrainingModel(bench)
    assert "other" in model.algorithms
    model.choose("other")
    assert model.algorithm == "ppo" and bench.message.kind == "error" and "other" in bench.message.text


def test_idle_the_bar_says_what_would_be_trained_and_only_starts(bench):
    bar = Progress(bench)
    assert bar.line == "Next: cartpole_balance, 8 environments, 400 k steps on auto"
    assert [action.enabled for action in (bar.start, bar.pause, bar.stop, bar.save)] == [True, False, False, False]
    assert bar.figures() is None


def test_the_seconds_of_a_start_are_counted(bench):
    now = [100.0]
    bar = Progress(bench, lambda: now[0])
    bench.start()
    now[0] += 3.7
    assert bar.start.text == "Starting... 3 s" and not bar.start.enabled and not bar.pause.enabled
    pump_until(bench, lambda: bench.state == "training")


def test_a_run_goes_through_the_buttons_states(bench):
    bar = Progress(bench)
    bench.start()
    pump_until(bench, lambda: len(bench.history) >= 2)
    assert not bar.start.enabled and "stop it" in bar.start.help
    figures = bar.figures()
    assert figures.progress == bench.session.env_steps / 400_000 and figures.done.endswith("of 400 k steps")
    assert figures.iteration == f"iteration {bench.session.iteration}" and figures.memory.endswith("B")
    bar.press_pause()
    assert bar.pause.text == "Resume" and bar.figures().rate == "paused"
    bar.press_pause()
    assert bar.pause.text == "Pause" and bench.state == "training"
    bar.press_save()
    assert bar.save.text == "Saving..." and not bar.save.enabled
    pump_until(bench, lambda: bench.session.checkpoint is not None)
    bar.poll()
    assert bar.save.enabled and bench.message.text.startswith("Saved ")
    bar.press_stop()
    assert bar.stop.text == "Stopping..." and not bar.stop.enabled and not bar.pause.enabled
    pump_until(bench, lambda: bench.state == "idle")
    assert bar.start.enabled and bar.stop.text == "Stop"


def test_a_player_is_paused_and_ended_and_a_new_run_may_start(bench):
    bench.start()
    pump_until(bench, lambda: len(bench.history) >= 1)
    bench.stop()
    pump_until(bench, lambda: bench.state == "idle")
    bar = Progress(bench)
    bench.play(next((bench.run_path / "checkpoints").glob("step_*")))
    pump_until(bench, lambda: bench.state == "playing")
    assert bar.line.startswith("Playing step_") and bar.start.enabled and "ends" in bar.start.help
    bar.press_pause()
    assert bar.line.startswith("Paused step_") and bar.pause.text == "Resume"
    bar.press_stop()
    assert bench.state == "idle"


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0:00"), (65, "1:05"), (3600 + 125, "1:02:05"), (float("inf"), "--:--")]
)
def test_durations_are_written_as_on_a_clock(seconds, text):
    assert clock(seconds) == text


def test_errors_are_cut_after_three_lines():
    text = "PhysX failed to step: out of memory; use fewer environments. " * 10
    assert len(brief(Message(text, "error"))) <= 3 * LINE_LENGTH
    assert brief(Message(text, "error")).endswith(" ...")
    assert brief(Message("short", "error")) == "short"


def learners_by_kind(monkeypatch) -> None:
    """Beside PPO one algorithm for numbers, one for choices and one for several agents."""
    for name, kind, several in (("numbers", "box", False), ("choices", "discrete", False), ("team", "box", True)):
        entry = replace(LEARNERS["ppo"], name=name, action_kinds=(kind,), multi_agent=several)
        monkeypatch.setitem(LEARNERS, name, entry)


def test_only_algorithms_that_can_learn_the_task_are_offered_and_the_others_reasons_are_told(bench, monkeypatch):
    for name in [name for name in LEARNERS if name != "ppo"]:
        monkeypatch.delitem(LEARNERS, name)
    learners_by_kind(monkeypatch)
    model = TrainingModel(bench)
    assert model.algorithms == ["ppo", "numbers"]
    assert model.choosing_help.splitlines()[1:] == [
        "Not for this task: choices learns discrete actions, not continuous ones",
        "Not for this task: team teaches several agents, and there is one",
    ]
    bench.edit("control.bins", [-1.0, 1.0])
    assert model.algorithms == ["ppo", "choices"]
    bench.edit("control.bins", None)
    bench.edit("agents", {"cart": {"joints": "slider"}})
    assert model.algorithms == ["ppo", "numbers", "team"]


def test_a_task_that_the_algorithm_cannot_learn_is_told_and_not_started(bench):
    model = TrainingModel(bench)
    bench.edit("agents", {"cart": {"joints": "slider"}})
    bench.edit("rewards.alive.agents", ["cart"])
    assert "ppo" in model.algorithms  # it is the draft's own
    assert model.help.startswith("Not for this task: it teaches one agent, and there are 1")
    bench.start()
    pump_until(bench, lambda: bench.state == "idle")
    assert bench.message.kind == "error" and "algorithm 'ppo' teaches one agent" in bench.message.text
