"""What the Policy section knows and does: hands on a watched environment, results, checkpoints."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from test_runs_section_model import home, make_run, runs, settle, workbench  # noqa: F401

from humanoid_rl_ext.task.loading import edited, load_task
from humanoid_rl_ext.train.evaluate import Evaluation
from humanoid_rl_ext.ui.policy.bars import TermBars, nice_ceiling
from humanoid_rl_ext.ui.policy.control import Control
from humanoid_rl_ext.ui.policy.evaluations import EvaluationTable, Subject
from humanoid_rl_ext.ui.policy.model import PolicyModel

W = 87


class FakeWatch:
    """A watched environment that remembers what was done to it."""

    source = None
    error = ""
    progress = None

    def __init__(self, task: str = "humanoid_walk", fixed_base: bool = False) -> None:
        loaded = load_task(task)
        commands = {name: np.full((5, 3), 0.25) for name in loaded.commands}
        self.env = SimpleNamespace(
            task=loaded,
            num_envs=4,
            view=SimpleNamespace(commands=commands),
            engine=SimpleNamespace(robot=SimpleNamespace(fixed_base=fixed_base)),
        )
        self.driven: list[tuple[str, list[float] | None]] = []
        self.pushed: list[tuple[float, ...]] = []
        self.rewards = {"alive": 0.5, "energy": -0.1}

    def drive(self, command, values):
        self.driven.append((command, None if values is None else list(values)))

    def push(self, velocity):
        self.pushed.append(velocity)

    def terms(self):
        return dict(self.rewards)


@pytest.fixture
def control() -> Control:
    return Control()


def test_keys_reach_the_watched_robot_until_it_is_released(control):
    watch = FakeWatch()
    assert control.tick(watch, 0.0) and control.commands == ["velocity"]
    assert control.on_key(W, 0, True)
    control.tick(watch, 0.1)
    control.tick(watch, 0.2)
    assert watch.driven == [("velocity", [pytest.approx(0.3), 0.0, 0.0]), ("velocity", [pytest.approx(0.6), 0.0, 0.0])]
    control.release()
    control.tick(watch, 0.3)
    assert watch.driven[-1] == ("velocity", None)


def test_a_command_that_does_not_change_is_given_once(control):
    watch = FakeWatch()
    control.tick(watch, 0.0)
    control.drive.set(0, 0.5)
    for now in (0.1, 0.2, 0.3):
        control.tick(watch, now)
    assert watch.driven == [("velocity", [0.5, 0.0, 0.0])]
    control.drive.stop()
    control.tick(watch, 0.4)
    assert watch.driven[1:] == [("velocity", [0.0, 0.0, 0.0])]


def test_sliders_show_what_the_task_commands_and_driving_starts_there(control):
    watch = FakeWatch()
    control.tick(watch, 0.0)
    assert control.look(1.0)
    assert control.drive.values == [0.25, 0.25, 0.25] and watch.driven == []
    control.on_key(W, 0, True)
    control.tick(watch, 0.1)
    assert watch.driven == [("velocity", [pytest.approx(0.55), pytest.approx(0.05), 0.0])]


def test_keys_are_left_alone_while_nothing_is_watched(control):
    assert not control.on_key(W, 0, True)
    control.tick(FakeWatch("cartpole_balance"), 0.0)
    assert control.commands == [] and not control.on_key(W, 0, True)


def test_another_policy_in_the_same_scene_goes_on_being_driven(control):
    first, second = FakeWatch(), FakeWatch()
    control.tick(first, 0.0)
    control.drive.set(0, 0.5)
    control.tick(first, 0.1)
    control.tick(second, 0.2)
    assert second.driven == [("velocity", [0.5, 0.0, 0.0])]
    assert control.tick(None, 0.3) and not control.watching and not control.drive.active


def test_other_ranges_of_the_task_make_other_sliders(control):
    watch = FakeWatch()
    control.tick(watch, 0.0)
    watch.env.task = edited(watch.env.task, "rewards.alive.weight", 2.0)
    assert not control.tick(watch, 0.1)
    watch.env.task = edited(watch.env.task, "commands.velocity.params.lin_vel_x", [-1.0, 3.0])
    assert control.tick(watch, 0.2) and control.drive.components[0].high == 3.0


def test_pushes_go_the_four_ways_of_the_robot(control):
    watch = FakeWatch()
    control.tick(watch, 0.0)
    control.push_speed = 2.0
    for direction in ("forward", "back", "left", "right"):
        control.push(direction)
    assert watch.pushed == [(2.0, 0.0, 0.0), (-2.0, 0.0, 0.0), (0.0, 2.0, 0.0), (0.0, -2.0, 0.0)]


def test_a_fixed_base_is_not_pushed(control):
    watch = FakeWatch("cartpole_balance", fixed_base=True)
    control.push("left")
    control.tick(watch, 0.0)
    control.push("left")
    assert not control.can_push and watch.pushed == []


def test_terms_are_looked_at_some_times_a_second(control):
    watch = FakeWatch()
    control.tick(watch, 0.0)
    assert [control.look(1.0 + 0.01 * frame) for frame in range(100)].count(True) == pytest.approx(6, abs=1)


def test_bars_are_shares_of_a_round_scale():
    bars = TermBars()
    bars.take({"alive": 0.5, "energy": -0.3})
    assert bars.scale == 0.5 and bars.total == pytest.approx(0.2)
    assert [(bar.name, bar.value, bar.share) for bar in bars.bars()] == [
        ("alive", 0.5, 1.0),
        ("energy", -0.3, pytest.approx(-0.6)),
    ]
    bars.take({"alive": 1.0, "fresh": 3.0})
    assert bars.bars()[0].value == pytest.approx(0.5 + 0.4 * 0.5)
    assert bars.names == ["alive", "fresh"] and bars.scale == 5.0
    bars.take({"alive": 0.0, "fresh": 0.0})
    assert bars.scale == 5.0  # it becomes finer slowly


@pytest.mark.parametrize(("value", "ceiling"), [(0.0, 1.0), (0.07, 0.1), (0.2, 0.2), (3.0, 5.0), (7.0, 10.0)])
def test_scales_end_at_round_numbers(value, ceiling):
    assert nice_ceiling(value) == pytest.approx(ceiling)


def result(mean: float, **metrics: float) -> Evaluation:
    return Evaluation(10, mean, 0.5, 200.0, 0.9, metrics)


def test_a_policy_that_is_evaluated_again_replaces_its_result():
    table = EvaluationTable()
    first, second = (Subject(Path("runs/walk/a"), "walk", steps, True) for steps in (1000, 2000))
    table.add(first, result(1.0))
    table.add(second, result(2.0))
    table.add(first, result(3.0))
    assert [(row.subject, row.result.mean_return) for row in table.rows] == [(second, 2.0), (first, 3.0)]


def test_a_row_shows_the_tasks_own_figures():
    table = EvaluationTable()
    metrics = {"non_finite": 0.0, "reward/alive": 5.0, "forward_speed": 0.7}
    table.add(Subject(Path("a"), "walk", 1000, True), result(1.0, **metrics))
    assert table.rows[0].own_metrics == {"forward_speed": 0.7} and table.metrics == list(metrics)


def test_results_are_saved_with_all_their_figures(tmp_path):
    table = EvaluationTable()
    table.add(Subject(Path("a"), "walk", 1000, True), result(1.0, forward_speed=0.7))
    table.add(Subject(Path("b"), "stand", 2000, False), result(2.0, sway=0.1))
    table.save(tmp_path / "results.csv")
    rows = list(csv.DictReader((tmp_path / "results.csv").open()))
    assert [(row["task"], row["env_steps"], row["mean_return"]) for row in rows] == [
        ("walk", "1000", "1.0"),
        ("stand", "2000", "2.0"),
    ]
    assert (rows[0]["forward_speed"], rows[0]["sway"], rows[1]["sway"]) == ("0.7", "", "0.1")


@pytest.fixture
def model(workbench, runs) -> Iterator[PolicyModel]:  # noqa: F811
    model = PolicyModel(workbench)
    model.refresh()
    settle(workbench)
    yield model
    model.destroy()


def test_the_newest_run_is_listed_until_another_is_chosen(model, runs, workbench):  # noqa: F811
    assert model.run == runs[2] and [found.env_steps for found in model.checkpoints] == [1024]
    model.show_run(runs[0])
    settle(workbench)
    assert model.run == runs[0] and [found.env_steps for found in model.checkpoints] == [4096]


def test_the_run_at_work_takes_the_place_of_a_chosen_one(model, runs, workbench, home):  # noqa: F811
    model.show_run(runs[0])
    at_work = make_run(home, "walker_run", "2026-01-05_10-00-00", 512, 1.0)
    workbench.run_path = at_work
    workbench.session = SimpleNamespace(folder=SimpleNamespace(path=at_work), checkpoint=None, watched=None)
    workbench.state = "training"
    workbench.state_changed.emit()
    settle(workbench)
    assert model.run == at_work and model.checkpoints[0].path == at_work / "checkpoints" / "step_512"
    model.show_run(runs[0])
    settle(workbench)
    assert model.checkpoints[0].env_steps == 4096
    workbench.session = None


def test_a_new_checkpoint_is_listed(model, runs, workbench):  # noqa: F811
    session = SimpleNamespace(folder=SimpleNamespace(path=runs[0]), checkpoint=None, watched=None)
    workbench.run_path, workbench.session = runs[0], session
    model.tick(0.0)
    settle(workbench)
    (runs[0] / "checkpoints" / "step_4096").rename(runs[0] / "checkpoints" / "step_8192")
    session.checkpoint = runs[0] / "checkpoints" / "step_8192"
    model.tick(0.1)
    settle(workbench)
    assert [found.path for found in model.checkpoints] == [session.checkpoint]
    workbench.session = None


def test_nothing_can_be_evaluated_while_nothing_is_played(model, workbench):  # noqa: F811
    model.evaluate()
    assert workbench.message.kind == "warning" and "Play a checkpoint" in workbench.message.text
    assert model.status == "Nothing is played"


def test_results_that_cannot_be_written_are_told(model, workbench, tmp_path):  # noqa: F811
    workbench.host.file = tmp_path / "missing" / "results.csv"
    model.save_results()
    assert workbench.message.kind == "error" and "results.csv" in workbench.message.text
    workbench.host.file = tmp_path / "results.csv"
    model.save_results()
    assert workbench.host.file.exists()
