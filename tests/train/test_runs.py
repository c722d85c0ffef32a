"""Runs are listed whatever state their folders are in, and only runs can be deleted."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from humanoid_rl_ext.errors import BadInputError
from humanoid_rl_ext.train import runs as module
from humanoid_rl_ext.train.run_folder import RunFolder
from humanoid_rl_ext.train.runs import checkpoints_of, delete_run, list_runs


@pytest.fixture
def trained(make_session, tmp_path) -> Path:
    """A short run that lies where runs lie."""
    path = tmp_path / "runs" / "gym-PointMass" / "2026-03-01_10-20-30"
    make_session(path, env_steps=32 * 6, save_interval=2).run()
    return path


def test_a_run_is_summed_up(trained):
    (run,) = list_runs(trained.parents[1])
    rows = [json.loads(line) for line in (trained / "metrics.jsonl").read_text().splitlines()]
    assert (run.path, run.task, run.algorithm) == (trained, "gym:PointMass", "ppo")
    assert (run.env_steps, run.budget, run.num_checkpoints) == (192, 192, 3)
    assert run.last_return == [row["episode/return"] for row in rows if "episode/return" in row][-1]
    assert run.size == sum(path.stat().st_size for path in trained.rglob("*") if path.is_file())
    assert run.resumable and not run.problem


def test_the_newest_run_comes_first(trained, make_session):
    later = trained.with_name("2026-03-01_10-20-31")
    RunFolder.create(later, "gym:PointMass", make_session(trained).config, "cpu")
    assert [run.path for run in list_runs(trained.parents[1])] == [later, trained]
    assert list_runs(trained.parents[1])[0].last_return is None
    assert not list_runs(trained.parents[1])[0].resumable  # nothing to go on from yet


def test_checkpoints_are_listed_newest_first_with_the_best_marked(trained):
    found = checkpoints_of(trained)
    assert [checkpoint.env_steps for checkpoint in found] == [192, 128, 64]
    best = max((checkpoint for checkpoint in found), key=lambda checkpoint: checkpoint.mean_return)
    assert [checkpoint for checkpoint in found if checkpoint.is_best] == [best]
    assert list_runs(trained.parents[1])[0].best_return == best.mean_return


@pytest.mark.parametrize(
    ("damaged", "content", "problem"),
    [
        ("task.yaml", "{", "task.yaml: damaged"),
        ("task.yaml", None, "task.yaml: missing"),
        ("learner.yaml", "- 1", "learner.yaml: damaged"),
        ("learner.yaml", "algorithm: ppo", "learner.yaml: no run.env_steps"),
        ("checkpoints/step_192/checkpoint.json", '{"env', "step_192: damaged"),
        ("checkpoints/step_192/checkpoint.json", '{"env_steps": 192, "best": 3}', "step_192: damaged"),
        ("checkpoints/step_192/tensors.safetensors", None, "step_192: damaged"),
    ],
)
def test_a_damaged_run_is_shown_as_such(trained, damaged, content, problem):
    if content is None:
        (trained / damaged).unlink()
    else:
        (trained / damaged).write_text(content)
    (run,) = list_runs(trained.parents[1])
    assert run.problem == problem and not run.resumable and run.env_steps == 192
    newest = checkpoints_of(trained)[0]
    assert newest.problem == (problem if problem.startswith("step_") else "")


def test_a_run_cut_off_while_writing_its_figures_is_sound(trained):
    with (trained / "metrics.jsonl").open("a") as file:
        file.write('{"iteration": 7, "env_st')
    (run,) = list_runs(trained.parents[1])
    assert run.env_steps == 192 and run.resumable


def test_strange_things_in_the_folder_do_no_harm(trained):
    root = trained.parents[1]
    (root / "notes.txt").write_text("hello")
    (root / ".hidden").mkdir()
    (root / "broken").symlink_to(root / "nowhere")
    (trained.with_name("empty")).mkdir()
    found = {run.path.name: run.problem for run in list_runs(root)}
    assert found == {"empty": "task.yaml: missing; learner.yaml: missing", trained.name: ""}
    assert list_runs(root / "nowhere") == [] and checkpoints_of(root / "nowhere") == []


def test_a_run_is_read_again_only_when_it_has_changed(trained, monkeypatch):
    list_runs(trained.parents[1])
    read = []
    monkeypatch.setattr(module, "_summary", lambda path, original=module._summary: read.append(path) or original(path))
    list_runs(trained.parents[1])
    assert read == []
    with (trained / "metrics.jsonl").open("a") as file:
        file.write(json.dumps({"env_steps": 224, "episode/return": -1.5}) + "\n")
    (run,) = list_runs(trained.parents[1])
    assert read == [trained] and (run.env_steps, run.last_return) == (224, -1.5)


def test_a_run_is_deleted_with_all_that_is_in_it(trained):
    delete_run(trained, trained.parents[1])
    assert not trained.exists() and list_runs(trained.parents[1]) == []
    assert list(trained.parent.iterdir()) == []


def test_nothing_but_a_run_is_deleted(trained, tmp_path):
    root, elsewhere = trained.parents[1], tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "task.yaml").write_text("name: x")
    linked = trained.with_name("linked")
    linked.symlink_to(elsewhere)
    empty = trained.with_name("empty")
    empty.mkdir()
    for path in (root, trained.parent, trained / "checkpoints", elsewhere, linked, empty, trained / ".." / "missing"):
        with pytest.raises(BadInputError, match="no run in"):
            delete_run(path, root)
    with pytest.raises(BadInputError, match="at work"):
        delete_run(trained, root, at_work=trained)
    assert trained.is_dir() and (elsewhere / "task.yaml").exists()


def test_listing_needs_no_torch():
    code = "import sys, humanoid_rl_ext.train.runs; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2]).returncode == 0
