"""The Task section without a window: presets, files, changes, tables of terms, search."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from humanoid_rl_ext.task.loading import load_task, task_names
from humanoid_rl_ext.ui.draft import Draft
from humanoid_rl_ext.ui.task.model import PLAIN, TABLES, Table, TaskModel, enabled_field, short
from humanoid_rl_ext.ui.workbench import Workbench


class Host:
    """A host whose user answers every file dialog with ``file``."""

    def __init__(self) -> None:
        self.settings: dict[str, object] = {}
        self.file = Path()

    def pick_file(self, title: str, suffixes: object, chosen: Callable[[Path], None]) -> None:
        chosen(self.file)

    def pick_new_file(self, title: str, name: str, chosen: Callable[[Path], None]) -> None:
        chosen(self.file.with_name(name))

    def setting(self, name: str, default: object = None) -> object:
        return self.settings.get(name, default)

    def remember(self, name: str, value: object) -> None:
        self.settings[name] = value


@pytest.fixture
def model(monkeypatch) -> TaskModel:
    monkeypatch.setattr("humanoid_rl_ext.ui.workbench.load_robot", lambda *given: None)
    return TaskModel(Workbench(Host(), Draft.load("humanoid_walk")))


def table(path: str) -> Table:
    return next(table for table in TABLES if table.path == path)


def names(model: TaskModel, path: str) -> list[str]:
    return [entry.path.rpartition(".")[2] for entry in model.entries(table(path))]


def test_a_preset_is_taken_at_once_while_nothing_was_changed(model):
    assert model.choices == task_names() and model.describe("walker_run").startswith("A four-legged robot")
    model.choose("walker_run")
    assert model.workbench.draft.task.name == "walker_run" and model.pending is None


def test_changes_are_not_lost_without_asking(model):
    told: list[bool] = []
    model.sources_changed.connect(lambda: told.append(True))
    model.workbench.edit("sim.dt", 0.01)
    model.choose("walker_run")
    assert told and model.pending == "walker_run" and model.workbench.draft.task.name == "humanoid_walk"
    model.keep()
    assert model.pending is None and model.workbench.draft.value("sim.dt") == 0.01
    model.choose("walker_run")
    model.confirm()
    assert model.workbench.draft.task.name == "walker_run" and not model.changes


def test_a_saved_task_is_one_that_the_command_line_reads(model, tmp_path):
    model.workbench.host.file = tmp_path / "x"
    model.workbench.edit("sim.dt", 0.01)
    model.save_as()
    saved = tmp_path / "humanoid_walk.yaml"
    assert load_task(saved) == model.workbench.draft.task
    assert model.recent == [str(saved)] and str(saved) in model.choices
    model.save(tmp_path / "mine")
    assert model.recent[0] == str(tmp_path / "mine.yaml")


def test_a_file_that_cannot_be_written_or_read_is_told(model, tmp_path):
    model.save(tmp_path / "no such folder" / "mine.yaml")
    assert model.workbench.message.kind == "error" and "cannot be written" in model.workbench.message.text
    broken = tmp_path / "broken.yaml"
    broken.write_text("sim: {dt: fast}\n")
    model.workbench.host.file = broken
    model.load_file()
    assert model.workbench.message.kind == "error" and "broken.yaml" in model.workbench.message.text
    assert model.workbench.draft.task.name == "humanoid_walk" and not model.recent


def test_recent_files_that_are_gone_are_not_offered(model, tmp_path):
    model.save(tmp_path / "mine.yaml")
    (tmp_path / "mine.yaml").unlink()
    assert model.recent == []


def test_every_change_can_be_put_back(model):
    model.workbench.edit("sim.dt", 0.01)
    model.workbench.edit("run.num_envs", 7)
    assert model.add(table("metrics"), "target_distance") != "", "there is no target to measure"
    assert model.add(table("commands"), "target") == ""
    assert model.add(table("metrics"), "target_distance") == ""
    assert model.remove(model.entries(table("terminations"))[1]) == ""
    assert {change.path for change in model.changes} == {
        "sim.dt",
        "run.num_envs",
        "commands.target",
        "metrics.target_distance",
        "terminations.fall_by_height",
    }
    for change in reversed(model.changes):
        assert model.put_back(change) == "", change
    assert model.changes == []


def test_undo_says_what_it_would_do(model):
    assert model.undo_help == ""
    model.workbench.edit("sim.dt", 1 / 120)
    assert model.undo_help == "Undo sim.dt: 0.00833 becomes 0.005 again"
    model.workbench.undo()
    assert model.undo_help == "" and model.changes == []


def test_every_field_of_the_schema_is_in_one_group(model):
    shown = {spec.path.partition(".")[0] for title in PLAIN for spec in model.group_specs(title)}
    shown |= {table.path.partition(".")[0] for table in TABLES}
    elsewhere = {"robot", "rewards", "curriculum", "agents", "team"}  # the last two are named in YAML alone
    assert shown | elsewhere == set(type(model.workbench.draft.task).model_fields)


def test_terms_are_added_and_removed(model):
    commands = table("commands")
    assert names(model, "commands") == ["velocity"] and [term.name for term in model.addable(commands)] == [
        "target",
        "base_height",
        "gait",
    ]
    before = model.shape(commands)
    assert model.add(commands, "target") == ""
    assert names(model, "commands") == ["velocity", "target"] and model.shape(commands) != before
    assert [term.name for term in model.addable(commands)] == ["base_height", "gait"]
    assert model.remove(model.entries(commands)[1]) == ""
    assert names(model, "commands") == ["velocity"]


def test_a_critic_of_its_own_comes_with_its_first_observation_and_goes_with_its_last(model):
    critic = table("observations.critic")
    assert names(model, "observations.critic") == []
    assert model.add(critic, "root_height") == ""
    assert names(model, "observations.critic") == ["root_height"]
    assert model.remove(model.entries(critic)[0]) == ""
    assert "critic" not in model.workbench.draft.task.observations


def test_what_the_rest_of_the_task_needs_is_not_removed(model):
    reason = model.remove(model.entries(table("commands"))[0])
    assert reason.startswith("observations.policy.command.params.command: there is no command 'velocity'")
    assert names(model, "commands") == ["velocity"] and not model.workbench.undoable


def test_an_entry_has_a_switch_parameters_and_its_own_fields(model):
    entry = next(entry for entry in model.entries(table("randomisation")) if "initial_root" in entry.path)
    assert enabled_field(entry).path == "randomisation.initial_root.enabled"
    paths = {spec.path for spec in entry.specs}
    assert {"randomisation.initial_root.params.yaw", "randomisation.initial_root.mode"} <= paths
    assert not any(path.endswith((".term", ".enabled")) for path in paths)
    command = next(entry for entry in model.entries(table("observations.policy")) if entry.path.endswith(".command"))
    assert next(spec for spec in command.specs if spec.path.endswith("params.command")).choices == ("velocity",)


def test_fields_are_found_by_the_beginning_of_words(model):
    assert [spec.path for _, hits in model.find("static fric") for spec in hits] == ["scene.static_friction"]
    assert ("Commands: Velocity", ["commands.velocity.params.lin_vel_x"]) in [
        (heading, [spec.path for spec in hits]) for heading, hits in model.find("forward velocity")
    ]
    assert model.find("bananas") == []
    assert sum(len(hits) for _, hits in model.find("a")) <= 40


def test_values_are_short_in_lists():
    assert short([0.0, 0.0, -9.81]) == "0, 0, -9.81" and short(None) == "none" and short(True) == "yes"
    assert short({"params": {}}) == "an entry" and short("effort") == "effort"
