"""The list of runs: filter, order, pages, and what may be done with a run."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from humanoid_rl_ext.task.loading import load_task
from humanoid_rl_ext.train.config import load_run_config
from humanoid_rl_ext.train.run_folder import RunFolder
from humanoid_rl_ext.ui.draft import Draft
from humanoid_rl_ext.ui.runs import figures
from humanoid_rl_ext.ui.runs.model import PAGE, RunsModel
from humanoid_rl_ext.ui.workbench import Workbench


class RecordingHost:
    """A host without a window that remembers what it was asked for; ``file`` is what its user picks."""

    def __init__(self) -> None:
        self.opened: list[Path] = []
        self.file: Path | None = None

    stage_access = None

    def interacted(self) -> None: ...

    def pick_file(self, title: str, suffixes: Any, chosen: Callable[[Path], None]) -> None:
        if self.file is not None:
            chosen(self.file)

    def pick_new_file(self, title: str, name: str, chosen: Callable[[Path], None]) -> None:
        if self.file is not None:
            chosen(self.file)

    def open_folder(self, folder: Path) -> None:
        self.opened.append(folder)

    def setting(self, name: str, default: Any = None) -> Any:
        return default

    def remember(self, name: str, value: Any) -> None: ...


class RecordingPlots:
    """Plots that remember what they compare."""

    def __init__(self) -> None:
        self.compared: list[Path] = []

    def compare(self, runs: list[Path]) -> None:
        self.compared = runs


def make_run(home: Path, task: str, started: str, env_steps: int = 0, mean_return: float | None = None) -> Path:
    """A run folder as training leaves it, with one checkpoint if it has come anywhere; without the weights."""
    path = home / "runs" / task.replace(":", "-") / started
    config = load_run_config("ppo", task, env_steps=1_000_000)
    RunFolder.create(path, task if task.startswith("gym:") else load_task(task), config, "cpu")
    if env_steps:
        entry = {"env_steps": env_steps} | ({} if mean_return is None else {"episode/return": mean_return})
        (path / "metrics.jsonl").write_text(json.dumps(entry) + "\n")
        checkpoint = path / "checkpoints" / f"step_{env_steps}"
        checkpoint.mkdir(parents=True)
        best = None if mean_return is None else [mean_return, env_steps]
        header = {"env_steps": env_steps, "mean_return": mean_return, "best": best}
        (checkpoint / "checkpoint.json").write_text(json.dumps(header))
        (checkpoint / "tensors.safetensors").write_bytes(b"")
    return path


def settle(workbench: Workbench) -> None:
    """Waits for all that goes on in the background."""
    end = time.perf_counter() + 30.0
    while workbench.background.busy:
        assert time.perf_counter() < end
        workbench.background.poll()
        time.sleep(0.001)


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("HUMANOID_RL_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def runs(home) -> list[Path]:
    """Three runs, oldest first."""
    return [
        make_run(home, "cartpole_balance", "2026-01-01_10-00-00", 4096, 5.0),
        make_run(home, "walker_run", "2026-01-02_10-00-00", 2048),
        make_run(home, "gym:CartPole-v1", "2026-01-03_10-00-00", 1024, 200.0),
    ]


@pytest.fixture
def workbench(home) -> Iterator[Workbench]:
    workbench = Workbench(RecordingHost(), Draft.load("cartpole_balance"))
    yield workbench
    workbench.close()


@pytest.fixture
def model(workbench, runs) -> Iterator[RunsModel]:
    model = RunsModel(workbench, RecordingPlots())
    model.refresh()
    settle(workbench)
    yield model
    model.destroy()


def test_runs_are_read_in_the_background(workbench, runs):
    model = RunsModel(workbench, RecordingPlots())
    told = []
    model.changed.connect(lambda: told.append(len(model.runs)))
    model.refresh()
    assert model.loading and model.runs == []
    settle(workbench)
    assert not model.loading and len(model.runs) == 3 and told[-1] == 3


def test_the_newest_run_stands_at_the_top(model, runs):
    assert [run.path for run in model.rows] == runs[::-1]


def test_one_task_can_be_chosen(model, runs):
    assert model.tasks == ["cartpole_balance", "gym:CartPole-v1", "walker_run"]
    model.choose_task("walker_run")
    assert [run.path for run in model.rows] == [runs[1]]


def test_a_column_sorts_both_ways_and_runs_without_a_value_come_last(model, runs):
    model.sort_by("last_return")
    assert [run.path for run in model.rows] == [runs[2], runs[0], runs[1]]
    model.sort_by("last_return")
    assert [run.path for run in model.rows] == [runs[0], runs[2], runs[1]]
    model.sort_by("task")
    assert [run.task for run in model.rows] == ["cartpole_balance", "gym:CartPole-v1", "walker_run"]


def test_a_long_list_has_pages(home, model, workbench):
    for day in range(10, 10 + PAGE):
        make_run(home, "cartpole_balance", f"2026-02-{day}_00-00-00")
    model.refresh()
    settle(workbench)
    assert model.pages == 2 and len(model.rows) == PAGE
    model.turn_page(1)
    assert len(model.rows) == 3
    model.turn_page(1)
    assert model.page == 1
    model.choose_task("walker_run")
    assert model.page == 0 and model.pages == 1


def test_runs_are_compared_in_the_plots(model, runs):
    model.compare(runs[0], True)
    model.compare(runs[2], True)
    model.compare(runs[0], False)
    assert model._plots.compared == model.compared == [runs[2]]


def test_the_folder_is_opened(model, runs, workbench):
    model.open_folder()
    model.select(runs[1])
    model.open_folder()
    assert workbench.host.opened == [runs[1]]


def test_the_task_becomes_the_draft(model, runs, workbench):
    model.select(runs[1])
    model.load_task()
    assert workbench.draft.task.name == "walker_run"
    model.select(runs[2])
    assert "brings its own environment" in model.why_not("load_task")
    model.load_task()
    assert workbench.draft.task.name == "walker_run" and workbench.message.kind == "warning"


def test_a_run_is_resumed_only_when_that_can_be(model, runs, workbench, home, monkeypatch):
    resumed = []
    monkeypatch.setattr(workbench, "resume_run", resumed.append)
    assert model.why_not("resume") == "Select a run first"
    model.select(runs[0])
    model.resume()
    assert resumed == [runs[0]]
    (runs[0] / "learner.yaml").unlink()
    model.refresh()
    settle(workbench)
    assert "learner.yaml: missing" in model.why_not("resume")
    workbench.state = "training"
    assert "at work" in model.why_not("resume") and "at work" in model.why_not("load_task")
    assert not model.why_not("delete")


def test_a_deleted_run_leaves_list_and_plots(model, runs, workbench):
    model.select(runs[0])
    model.compare(runs[0], True)
    model.delete()
    settle(workbench)
    assert not runs[0].exists() and model.selected is None and model._plots.compared == []
    assert [run.path for run in model.runs] == [runs[2], runs[1]]
    assert workbench.message.text == f"Deleted {runs[0]}"


def test_a_run_that_cannot_be_deleted_is_told(model, runs, workbench):
    model.select(runs[0])
    for name in ("task.yaml", "learner.yaml", "metrics.jsonl"):
        (runs[0] / name).unlink()
    (runs[0] / "checkpoints").rename(runs[0] / "others")
    model.delete()
    settle(workbench)
    assert runs[0].exists() and workbench.message.kind == "error" and "no run in" in workbench.message.text


def test_the_list_is_read_again_when_a_run_ends(model, runs, workbench, home):
    later = make_run(home, "walker_run", "2026-01-04_10-00-00")
    workbench.state_changed.emit()
    workbench.state_changed.emit()
    settle(workbench)
    assert model.runs[0].path == later


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0"), (950, "950"), (9999, "9999"), (12_800, "12.8 k"), (1_505_280, "1.51 M"), (2e10, "20 G")],
)
def test_counts_are_short(number, text):
    assert figures.count(number) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [(None, "-"), (0.0, "0.000"), (-1.19, "-1.19"), (262.16, "262.2"), (12345.6, "12346"), (1e-5, "1.00e-05")],
)
def test_figures_have_about_four_digits(number, text):
    assert figures.figure(number) == text


def test_sizes_and_long_names_are_short():
    assert figures.size(12_300) == "12 kB" and figures.size(4_565_990) == "4.6 MB" and figures.size(2.5e9) == "2.5 GB"
    assert figures.shortened("humanoid_walk", 10) == "humanoid.." and figures.shortened("walk", 10) == "walk"
