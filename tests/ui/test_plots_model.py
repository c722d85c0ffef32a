"""Which charts there are, what they show, and what the user may choose."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.random import default_rng

from humanoid_rl_ext.train.metrics import MetricHistory, Metrics
from humanoid_rl_ext.ui.draft import Change, Draft
from humanoid_rl_ext.ui.plots.charts import charts_of
from humanoid_rl_ext.ui.plots.figure import Figure, edit_text
from humanoid_rl_ext.ui.plots.model import THIS_RUN, PlotsModel
from humanoid_rl_ext.ui.workbench import Mark, Workbench

TERMS = ("forward_velocity", "alive", "upright", "action_rate", "energy", "joint_limits", "termination")


class RecordingHost:
    """A host without a window that remembers settings; ``file`` is what its user picks."""

    def __init__(self) -> None:
        self.settings: dict[str, Any] = {}
        self.file: Path | None = None

    def interacted(self) -> None: ...
    def pick_file(self, *arguments: object) -> None: ...
    def open_folder(self, folder: Path) -> None: ...

    def pick_new_file(self, title: str, name: str, chosen: Callable[[Path], None]) -> None:
        if self.file is not None:
            chosen(self.file)

    def setting(self, name: str, default: Any = None) -> Any:
        return self.settings.get(name, default)

    def remember(self, name: str, value: Any) -> None:
        self.settings[name] = value


@pytest.fixture
def workbench(monkeypatch: pytest.MonkeyPatch) -> Iterator[Workbench]:
    """A workbench without a run, and without a robot: plots need none."""
    monkeypatch.setattr(Workbench, "read_robot", lambda self: None)
    bench = Workbench(RecordingHost(), Draft.load("walker_run"))
    yield bench
    bench.close()


def metrics_at(iteration: int, seed: int = 0) -> Metrics:
    """What a run that learns reports; episodes end from the third iteration on, in two of three."""
    progress = 1.0 - np.exp(-iteration / (80.0 + 30.0 * seed))
    noise = default_rng(1000 * seed + iteration).normal(0.0, 1.0, 12)
    metrics = {
        "iteration": iteration,
        "env_steps": 4096 * iteration,
        "train/policy_loss": -0.02 + 0.01 * noise[0],
        "train/value_loss": 0.4 * (1.1 - progress) + 0.03 * noise[1],
        "train/entropy": 11.0 - 8.0 * progress,
        "train/kl": 0.01 + 0.004 * abs(noise[2]),
        "train/learning_rate": 3e-4 * 1.5 ** (iteration // 40 % 5),
        "episode/episodes": 0.0,
        "time/steps_per_second": 8000.0 + 300.0 * noise[3],
    }
    if iteration > 2 and iteration % 3:
        metrics |= {
            "episode/episodes": 5.0,
            "episode/return": 1200.0 * progress + 60.0 * noise[4],
            "episode/length": 50.0 + 900.0 * progress,
            "episode/success_rate": float(np.clip(progress + 0.1 * noise[5], 0.0, 1.0)),
            "episode/forward_speed": 2.0 * progress + 0.1 * noise[6],
            "episode/power": 150.0 - 40.0 * progress,
        }
        metrics |= {f"reward/{term}": (index - 2) * 0.2 * progress for index, term in enumerate(TERMS)}
    return metrics


def learned(workbench: Workbench, iterations: int) -> None:
    """Lets the workbench's run report that many iterations."""
    for iteration in range(1, iterations + 1):
        metrics = metrics_at(iteration)
        workbench.history.append(metrics)
        workbench.metrics_added.emit(metrics)


def mark(workbench: Workbench, env_steps: int, old: float = 0.5, new: float = 1.0) -> None:
    """Marks an edit of a reward's weight."""
    workbench.marks.append(Mark(env_steps, Change("rewards.alive.weight", old, new), "panel"))
    workbench.marked.emit(workbench.marks[-1])


def run_folder(home: Path, seed: int, iterations: int = 300) -> Path:
    """An earlier run's folder, as far as the plots look."""
    path = home / "walker_run" / f"2026-11-2{seed}_10-21-48"
    path.mkdir(parents=True)
    lines = (json.dumps(metrics_at(iteration, seed)) for iteration in range(1, iterations + 1))
    (path / "metrics.jsonl").write_text("\n".join(lines))
    return path


def settle(workbench: Workbench) -> None:
    """Waits for all that goes on in the background."""
    end = time.perf_counter() + 20.0
    while workbench.background.busy:
        assert time.perf_counter() < end
        workbench.background.poll()
        time.sleep(0.001)


@pytest.fixture
def model(workbench: Workbench) -> PlotsModel:
    return PlotsModel(workbench)


def figure(model: PlotsModel, title: str, points: int = 300) -> Figure:
    """A chart of the open group, by its title."""
    (chart,) = (chart for chart in model.charts() if chart.title == title)
    return model.figure(chart, points, (4, 4))


def test_groups_follow_the_metrics_of_the_run(model, workbench):
    assert [chart.title for chart in model.charts()] == ["Return", "Episode length", "Success"]
    learned(workbench, 10)
    model.open("Policy")
    assert [chart.title for chart in model.charts()] == ["Losses", "Entropy", "KL", "Learning rate"]
    assert model.charts()[0].columns == ("train/policy_loss", "train/value_loss")
    model.open("Rewards")
    assert model.charts()[0].columns == tuple(f"reward/{term}" for term in TERMS)
    model.open("More")
    assert [chart.columns for chart in model.charts()] == [("episode/forward_speed",), ("episode/power",)]


def test_off_policy_algorithms_have_charts_of_their_own():
    def titles(*names: str) -> list[str]:
        return [chart.title for chart in charts_of("Policy", [f"train/{name}" for name in names])]

    assert titles("critic_loss", "value", "policy_loss", "saturation") == ["Losses", "Value", "Saturation"]
    assert titles("value_loss", "value", "epsilon") == ["Losses", "Value", "Epsilon"]
    assert titles("value", "entropy", "temperature") == ["Losses", "Entropy", "Value", "Temperature"]
    assert titles() == ["Losses", "Entropy", "KL", "Learning rate"]


def test_any_other_metric_can_be_added_and_is_remembered(model, workbench):
    learned(workbench, 10)
    assert model.choices() == ["episode/episodes", "time/steps_per_second"]
    model.pick("time/steps_per_second")
    assert model.group == "More" and model.charts()[-1].title == "Steps per second"
    assert model.choices() == ["episode/episodes"]
    assert PlotsModel(workbench).picked == ["time/steps_per_second"]
    model.unpick("time/steps_per_second")
    assert len(model.charts()) == 2


def test_without_smoothing_a_curve_is_what_was_measured(model, workbench):
    learned(workbench, 50)
    model.set_smoothing(0.0)
    (curve,) = figure(model, "Return").curves
    there = [i for i in range(3, 51) if i % 3]
    np.testing.assert_array_equal(curve.x, [4096 * i for i in there])
    np.testing.assert_array_equal(curve.y, [metrics_at(i)["episode/return"] for i in there])


def test_the_span_is_the_last_part(model, workbench):
    learned(workbench, 101)
    assert figure(model, "Return").x_limits == (4096.0, 4096.0 * 101)
    model.set_span("Last fifth")
    limits = figure(model, "Return").x_limits
    assert limits == (4096.0 * 81, 4096.0 * 101)
    assert figure(model, "Return").samples[0].x.min() >= limits[0]


def test_success_is_shown_from_zero_to_one(model, workbench):
    for iteration in range(1, 5):
        workbench.history.append({"env_steps": 10 * iteration, "episode/success_rate": 0.5})
    low, high = figure(model, "Success").y_limits
    assert low < 0.0 and high > 1.0


def test_a_wild_value_does_not_squeeze_the_others(model, workbench):
    for iteration in range(100):
        value = 1e6 if iteration == 50 else float(iteration % 2)
        workbench.history.append({"env_steps": 10 * iteration, "train/kl": value})
    model.set_smoothing(0.99)
    model.open("Policy")
    assert figure(model, "KL").y_limits[1] < 1e5


def test_an_edit_is_marked_where_it_was_made_and_told_in_words(model, workbench):
    learned(workbench, 101)
    mark(workbench, 4096 * 51)
    ((share, change),) = figure(model, "Return").marks
    assert share == pytest.approx(0.5) and change.new == 1.0
    assert figure(model, "Return").edits_near(0.51, 0.02) == "weight of alive 0.5 -> 1.0"
    assert figure(model, "Return").edits_near(0.6, 0.02) == ""


def test_edits_of_one_value_close_together_are_told_as_one(model, workbench):
    learned(workbench, 101)
    mark(workbench, 4096 * 51, 0.5, 0.7)
    mark(workbench, 4096 * 51 + 10, 0.7, 0.9)
    assert figure(model, "Return").edits_near(0.5, 0.01) == "weight of alive 0.5 -> 0.9"


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (Change("learner.learning_rate", 1e-3, 5e-4), "learning_rate 0.001 -> 0.0005"),
        (Change("rewards.upright.params.std", 0.2, 0.4), "std of upright 0.2 -> 0.4"),
        (Change("rewards.energy", None, {"weight": -1.0}), "energy added"),
        (Change("rewards.energy", {"weight": -1.0}, None), "energy removed"),
        (Change("rewards.alive.enabled", True, False), "enabled of alive True -> False"),
    ],
)
def test_edits_in_words(change, text):
    assert edit_text(change) == text


def test_an_edit_after_the_last_iteration_shows_at_once(model, workbench):
    learned(workbench, 10)
    mark(workbench, 4096 * 11)
    assert figure(model, "Return").x_limits[1] == 4096 * 11 and figure(model, "Return").marks[0][0] == 1.0


def test_runs_are_compared_in_colours_of_their_own(model, workbench, tmp_path):
    learned(workbench, 30)
    one, two = run_folder(tmp_path, 1, 20), run_folder(tmp_path, 2, 40)
    model.compare([one, two])
    settle(workbench)
    shown = figure(model, "Return")
    assert [curve.run for curve in shown.curves] == ["This run", "walker_run 11-21 10:21", "walker_run 11-22 10:21"]
    assert len({curve.color for curve in shown.curves}) == 3 and shown.x_limits[1] == 4096 * 40
    expected = metrics_at(20, 1)["episode/length"]
    model.set_smoothing(0.0)
    assert figure(model, "Episode length").curves[1].last == pytest.approx(expected)
    model.remove(str(one))
    assert [run.path for run in model.compared] == [two]


def test_in_a_chart_of_many_metrics_compared_runs_share_colours_and_the_switch(model, workbench, tmp_path):
    learned(workbench, 30)
    model.compare([run_folder(tmp_path, 1, 20)])
    settle(workbench)
    model.open("Rewards")
    alive = [curve for curve in figure(model, "Rewards").curves if curve.label == "alive"]
    assert len({curve.color for curve in alive}) == 1 and [curve.main for curve in alive] == [True, False]
    model.toggle("reward/alive")
    assert not any(c.visible for c in figure(model, "Rewards").curves if c.label == "alive")
    model.toggle("reward/alive")
    assert all(curve.visible for curve in figure(model, "Rewards").curves)


def test_earlier_runs_are_shown_without_one_at_work(model, workbench, tmp_path):
    model.compare([run_folder(tmp_path, 1, 20)])
    settle(workbench)
    assert figure(model, "Return").samples and figure(model, "Return").curves[0].main


def test_a_run_that_cannot_be_read_is_said_and_dropped(model, workbench, tmp_path):
    path = run_folder(tmp_path, 1, 5)
    (path / "metrics.jsonl").unlink()
    (path / "metrics.jsonl").mkdir()
    model.compare([path])
    settle(workbench)
    assert model.compared == [] and "cannot be read" in workbench.message.text


def test_an_empty_chart_says_why(model, workbench):
    assert "Start a run" in figure(model, "Return").reason
    workbench.state = "training"
    assert figure(model, "Return").reason == "The first episodes are still running"
    learned(workbench, 2)
    assert figure(model, "Return").reason == "The first episodes are still running"
    learned(workbench, 20)
    assert figure(model, "Return").reason == ""
    model.toggle(THIS_RUN)
    assert "switched off" in figure(model, "Return").reason


def test_a_new_run_takes_the_place_of_the_old_one(model, workbench):
    learned(workbench, 20)
    version = model.data_version
    workbench.history = MetricHistory()
    workbench.state_changed.emit()
    assert model.data_version > version and not figure(model, "Return").samples


def test_choices_are_remembered(model, workbench):
    model.set_smoothing(0.3)
    model.set_span("Last half")
    again = PlotsModel(workbench)
    assert (again.smoothing, again.span) == (0.3, "Last half")


def test_ten_thousand_iterations_are_drawn_with_no_more_points_than_one_thousand(model, workbench):
    workbench.history = MetricHistory(10_000)
    for iteration in range(10_000):
        workbench.history.append({"env_steps": iteration, "episode/return": float(iteration % 7)})
        if iteration == 999:
            thousand = len(figure(model, "Return", 250).samples[0])
    assert len(figure(model, "Return", 250).samples[0]) == thousand == 250
