"""A value that is edited: what is wrong stays in the field with its reason and never reaches the draft."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from humanoid_rl_ext.errors import TaskError
from humanoid_rl_ext.task.schema import Task
from humanoid_rl_ext.ui.draft import MISSING, Draft
from humanoid_rl_ext.ui.fields.binding import Binding, bind, touches
from humanoid_rl_ext.ui.fields.spec import FieldSpec, learner_fields, model_fields, term_fields
from humanoid_rl_ext.ui.workbench import Workbench


@pytest.fixture
def workbench(monkeypatch) -> Workbench:
    monkeypatch.setattr("humanoid_rl_ext.ui.workbench.load_robot", lambda *given: None)
    return Workbench(SimpleNamespace(), Draft.load("humanoid_walk"))


def binding(workbench: Workbench, path: str) -> Binding:
    command = workbench.draft.task.commands["velocity"]
    specs = [
        *model_fields(Task),
        *learner_fields("ppo"),
        *term_fields(command.spec, "commands.velocity"),
        *model_fields(command, "commands.velocity"),
    ]
    return bind(workbench, next(spec for spec in specs if spec.path == path))


def test_what_is_typed_is_written(workbench):
    field = binding(workbench, "sim.dt")
    assert field.text == "0.005" and not field.changed
    assert field.type("0.01")
    assert workbench.draft.value("sim.dt") == 0.01 and field.changed and not field.reason


def test_wrong_text_stays_with_its_reason_and_is_not_written(workbench):
    field = binding(workbench, "sim.dt")
    task = workbench.draft.task
    assert not field.type("12")
    assert field.text == "12" and field.reason == "must be above 0 and at most 0.1 s, not 12"
    assert workbench.draft.task is task and not workbench.undoable
    assert not field.refresh() and field.text == "12"
    assert field.type("0.005") and not field.reason


def test_what_only_the_task_can_judge_is_refused_in_place_too(workbench):
    field = binding(workbench, "commands.velocity.resample_s")
    assert not field.type("-1, 3")
    assert field.reason == "must be [low, high] with 0 < low <= high, not [-1, 3]"
    assert workbench.draft.value("commands.velocity.resample_s") == [5.0, 5.0]


def test_a_wrong_text_goes_when_the_value_changes_elsewhere(workbench):
    field = binding(workbench, "sim.dt")
    field.type("fast")
    workbench.edit("sim.dt", 0.01)
    assert field.refresh() and field.text == "0.01" and not field.reason


def test_a_number_that_is_shown_rounded_stays_exact_until_it_is_edited(workbench):
    workbench.edit("sim.dt", 1 / 120)
    field = binding(workbench, "sim.dt")
    edits = len(workbench.undoable)
    assert field.text == "0.00833" and field.type("0.00833")
    assert workbench.draft.value("sim.dt") == 1 / 120 and len(workbench.undoable) == edits


def test_editing_one_end_of_a_range_leaves_the_other_exact(workbench):
    workbench.edit("commands.velocity.params.lin_vel_x", [-1 / 3, 1.5])
    field = binding(workbench, "commands.velocity.params.lin_vel_x")
    assert field.texts == ["-0.333", "1.5"]
    assert field.type_part(1, "2")
    assert workbench.draft.value("commands.velocity.params.lin_vel_x") == [-1 / 3, 2.0]


def test_each_end_of_a_range_is_refused_with_its_own_reason(workbench):
    field = binding(workbench, "commands.velocity.params.lin_vel_x")
    assert not field.type_part(1, "1,5") and field.reason == "write 1.5, with a point"
    assert field.texts == ["-0.5", "1,5"]
    assert not field.type_part(1, "-2") and field.reason == "low -0.5 is above high -2"
    assert not field.type_part(1, "") and field.reason == "needs 2 numbers"
    assert not field.type_part(1, "30") and field.reason == "must lie between -20 and 20 m/s, not 30"
    assert workbench.draft.value("commands.velocity.params.lin_vel_x") == [-0.5, 1.5]


def test_an_optional_range_can_be_emptied(workbench):
    field = binding(workbench, "commands.velocity.resample_s")
    assert not field.type_part(0, "") and field.reason == "needs 2 numbers, or none at all"
    assert field.type_part(1, "")
    assert workbench.draft.value("commands.velocity.resample_s") is None and field.texts == ["", ""]


def test_reset_puts_the_preset_back(workbench):
    field = binding(workbench, "learner.gamma")
    field.type("0.5")
    assert field.changed
    field.reset()
    assert not field.changed and field.text == "0.99"


def test_a_drag_stays_within_bounds_and_gives_round_numbers(workbench):
    gamma, iterations = binding(workbench, "learner.gamma"), binding(workbench, "sim.ovphysx.position_iterations")
    assert gamma.scrubbed(0.99, 1000) == 1.0
    assert gamma.scrubbed(0.99, -10) == 0.97
    assert iterations.scrubbed(8, 10) == 10 and iterations.scrubbed(8, -1000) == 1
    assert 0 < binding(workbench, "sim.dt").scrubbed(0.005, -1000) < 1e-5


def test_the_tooltip_says_everything_and_when_it_acts(workbench):
    field = binding(workbench, "sim.dt")
    for part in ("Physics sub-step", "above 0 and at most 0.1 s", "Default: 0.005", "sim.dt"):
        assert part in field.tooltip
    assert "next run" not in field.tooltip
    workbench.session = SimpleNamespace(can_edit=lambda path: path.startswith("rewards"))
    assert "Takes effect in the next run" in field.tooltip
    workbench.session = None


def test_a_binding_works_on_anything_that_can_be_read_and_written():
    values = {"knee": 1.0}

    def write(value: float) -> None:
        if value > 2:
            raise TaskError("the knee bends no further than 2")
        values["knee"] = value

    spec = FieldSpec(path="knee", label="Knee", kind="number")
    field = Binding(spec, lambda: values["knee"], write, lambda: 1.0)
    assert field.type("1.5") and values["knee"] == 1.5 and field.changed
    assert not field.type("3") and field.reason == "the knee bends no further than 2" and values["knee"] == 1.5
    assert Binding(spec, lambda: values["knee"], write).default is MISSING


def test_a_value_that_has_gone_does_no_harm(workbench):
    field = bind(workbench, FieldSpec(path="rewards.nonsense.weight", label="Weight", kind="number"))
    assert field.text == "" and not field.refresh() and not field.changed
    assert not field.type("1") and "nonsense" in field.reason


def test_a_change_touches_what_is_above_and_below_it():
    assert touches("", "sim.dt") and touches("sim", "sim.dt") and touches("sim.dt", "sim.dt")
    assert touches("commands.velocity", "commands.velocity.params.lin_vel_x")
    assert not touches("sim.dt", "sim.decimation") and not touches("sim.d", "sim.dt")
