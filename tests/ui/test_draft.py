"""A draft is valid at all times and knows what it changed."""

from __future__ import annotations

import pytest

from humanoid_rl_ext.errors import TaskError
from humanoid_rl_ext.ui.draft import MISSING, Change, Draft


@pytest.fixture
def draft() -> Draft:
    return Draft.load("humanoid_walk")


def test_a_value_is_found_and_changed_by_its_path(draft):
    change = draft.edit("rewards.alive.weight", 2.0)
    assert change == Change("rewards.alive.weight", 0.5, 2.0)
    assert draft.value("rewards.alive.weight") == 2.0 and draft.default("rewards.alive.weight") == 0.5
    assert draft.task.rewards["alive"].weight == 2.0


def test_settings_of_the_run_and_of_the_algorithm_have_paths_too(draft):
    draft.edit("run.num_envs", 32)
    draft.edit("learner.learning_rate", 3e-4)
    assert draft.config.run.num_envs == 32 and draft.config.settings.learning_rate == 3e-4


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("rewards.alive.weight", "much"),
        ("sim.decimation", 0),
        ("run.num_envs", 0),
        ("run.device", "toaster"),
        ("learner.gamma", 1.5),
        ("learner.no_such_thing", 1),
        ("no.such.path", 1),
    ],
)
def test_what_is_not_allowed_is_refused_and_changes_nothing(draft, path, value):
    task, config = draft.task, draft.config
    with pytest.raises(TaskError):
        draft.edit(path, value)
    assert draft.task is task and draft.config is config


def test_the_differences_name_each_changed_value_once(draft):
    draft.edit("rewards.alive.weight", 2.0)
    draft.edit("run.num_envs", 32)
    draft.edit("sim.gravity", [0.0, 0.0, -1.62])
    assert {change.path for change in draft.differences()} == {"rewards.alive.weight", "run.num_envs", "sim.gravity"}
    draft.edit("rewards.alive.weight", 0.5)
    assert "rewards.alive.weight" not in {change.path for change in draft.differences()}


def test_what_the_preset_has_not_got_has_no_default(draft):
    assert draft.default("rewards.nonsense") is MISSING


def test_an_unchanged_draft_has_no_differences(draft):
    assert draft.differences() == []
