"""Fields in a window: real typing into every kind, refused in place; dragging, resetting, waiting for the next run."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from layout import flaws
from omni import ui

from humanoid_rl_ext.task.schema import Task
from humanoid_rl_ext.ui import theme
from humanoid_rl_ext.ui.draft import Draft
from humanoid_rl_ext.ui.fields.binding import Binding
from humanoid_rl_ext.ui.fields.row import FieldGroup, FieldRow, NumberField
from humanoid_rl_ext.ui.fields.spec import FieldSpec, learner_fields, model_fields, run_fields, term_fields
from humanoid_rl_ext.ui.workbench import Workbench

PATHS = (
    "name",
    "sim.dt",
    "sim.decimation",
    "sim.gravity",
    "sim.self_collision",
    "control.type",
    "control.joints",
    "control.scale",
    "commands.velocity.resample_s",
    "commands.velocity.params.lin_vel_x",
    "learner.actor_hidden",
    "learner.gamma",
    "run.num_envs",
)


@pytest.fixture
def workbench(monkeypatch) -> Workbench:
    monkeypatch.setattr("humanoid_rl_ext.ui.workbench.load_robot", lambda *given: None)
    return Workbench(SimpleNamespace(interacted=lambda: None), Draft.load("humanoid_walk"))


@contextmanager
def shown(build: Callable[[], Any]):
    """A window as wide as the panel with something in it."""
    window = ui.Window("fields", width=440, height=690, position_x=10, position_y=10, flags=ui.WINDOW_FLAGS_NO_MOVE)
    window.frame.style = theme.style()
    with window.frame, ui.ScrollingFrame(), ui.VStack(height=0):
        build()
    yield window
    window.destroy()


def specs(workbench: Workbench) -> list[FieldSpec]:
    command = workbench.draft.task.commands["velocity"]
    known = [
        *model_fields(Task),
        *term_fields(command.spec, "commands.velocity"),
        *model_fields(command, "commands.velocity"),
        *learner_fields("ppo"),
        *run_fields(),
    ]
    by_path = {spec.path: spec for spec in known}
    return [by_path[path] for path in PATHS]


def test_wrong_typing_is_refused_below_the_field_and_right_typing_is_taken(driver, pictures, workbench):
    wrong = [
        ("name", "a b", "'a b' does not match [A-Za-z0-9]"),
        ("sim.dt", "12", "must be above 0 and at most 0.1 s, not 12"),
        ("sim.decimation", "2.5", "must be a whole number"),
        ("sim.gravity[2]", "down", "must be a number, not 'down'"),
        ("control.joints", "(knee", "'(knee' is not a regular expression"),
        ("control.scale", "much", "must be a number, not 'much'"),
        ("commands.velocity.resample_s[0]", "0", "must be [low, high] with 0 < low"),
        ("commands.velocity.params.lin_vel_x[1]", "-2", "low -0.5 is above high -2"),
        ("learner.actor_hidden", "128, 0", "must lie between 1 and 4096, not 0"),
        ("learner.gamma", "", "needs a number"),
        ("run.num_envs", "many", "must be a number, not 'many'"),
    ]
    right = [
        ("name", "my_walk", "name", "my_walk"),
        ("sim.dt", "1/100", "sim.dt", 0.01),
        ("sim.decimation", "2", "sim.decimation", 2),
        ("sim.gravity[2]", "-1.62", "sim.gravity", [0.0, 0.0, -1.62]),
        ("control.joints", ".*knee.*", "control.joints", ".*knee.*"),
        ("control.scale", ".*: 0.5", "control.scale", {".*": 0.5}),
        ("commands.velocity.resample_s[0]", "1", "commands.velocity.resample_s", [1.0, 5.0]),
        ("commands.velocity.params.lin_vel_x[1]", "2", "commands.velocity.params.lin_vel_x", [-0.5, 2.0]),
        ("learner.actor_hidden", "64, 64", "learner.actor_hidden", [64, 64]),
        ("learner.gamma", ".9", "learner.gamma", 0.9),
        ("run.num_envs", "1e3", "run.num_envs", 1000),
    ]

    async def use() -> None:
        with shown(lambda: FieldGroup("Some of everything", specs(workbench), workbench)) as window:
            await driver.frames(4)
            task, config = workbench.draft.task, workbench.draft.config
            for id, text, reason in wrong:
                field = driver.find(window, ui.StringField, id=id)
                await driver.type_into(field, text)
                said = driver.find(window, ui.Label, id=f"{id.partition('[')[0]}:reason").text
                assert said.startswith(reason), (id, said)
                assert field.name == "invalid" and field.model.as_string == text, id
            assert (workbench.draft.task, workbench.draft.config) == (task, config)
            await driver.screenshot(pictures / "fields_refused.png")
            assert not flaws(window)
            for id, text, path, value in right:
                field = driver.find(window, ui.StringField, id=id)
                await driver.type_into(field, text)
                assert workbench.draft.value(path) == value, path
                assert field.name != "invalid" and not driver.find_all(window, id=f"{path}:reason"), path
            await driver.screenshot(pictures / "fields_taken.png")
            assert not flaws(window)

    driver.run(use())


def test_a_switch_and_a_choice_offer_only_what_is_allowed(driver, workbench):
    async def use() -> None:
        with shown(lambda: FieldGroup("", specs(workbench), workbench)) as window:
            await driver.frames(4)
            await driver.click(driver.find(window, ui.CheckBox, id="sim.self_collision"))
            assert workbench.draft.value("sim.self_collision") is True
            box = driver.find(window, ui.ComboBox, id="control.type")
            box.model.get_item_value_model().set_value(2)
            assert workbench.draft.value("control.type") == "effort"

    driver.run(use())


def test_the_dot_shows_what_was_changed_and_a_click_on_it_resets(driver, workbench):
    async def use() -> None:
        with shown(lambda: FieldGroup("", specs(workbench), workbench)) as window:
            await driver.frames(4)
            assert not driver.find_all(window, id="sim.dt:reset")
            await driver.type_into(driver.find(window, id="sim.dt"), "0.01")
            await driver.click(driver.find(window, id="sim.dt:reset"))
            assert workbench.draft.value("sim.dt") == 0.005 and not driver.find_all(window, id="sim.dt:reset")
            assert driver.find(window, id="sim.dt").model.as_string == "0.005"

    driver.run(use())


def test_a_drag_on_the_name_scrubs_the_number_and_counts_as_one_edit(driver, workbench):
    async def use() -> None:
        with shown(lambda: FieldGroup("", specs(workbench), workbench)) as window:
            await driver.frames(4)
            label = driver.find(window, id="learner.gamma:label")
            x, y = label.screen_position_x + 20, label.screen_position_y + 10
            await driver.drag((x, y), (x - 50, y))
            assert workbench.draft.value("learner.gamma") == pytest.approx(0.89)
            assert len(workbench.undoable) == 1
            assert driver.find(window, id="learner.gamma").model.as_string == "0.89"

    driver.run(use())


def test_a_row_follows_edits_from_elsewhere_but_not_while_it_is_typed_in(driver, workbench):
    groups = []

    async def use() -> None:
        with shown(lambda: groups.append(FieldGroup("", specs(workbench), workbench))) as window:
            await driver.frames(4)
            dt, decimation = driver.find(window, id="sim.dt"), driver.find(window, id="sim.decimation")
            await driver.click(dt)
            workbench.edit("sim.dt", 0.01)
            workbench.edit("sim.decimation", 7)
            groups[0].refresh("sim")
            assert dt.model.as_string == "0.005" and decimation.model.as_string == "7"
            await driver.press("Escape")
            groups[0].refresh()
            assert dt.model.as_string == "0.01"

    driver.run(use())


def test_a_row_can_be_disabled_and_tells_why(driver, workbench):
    rows = []

    async def use() -> None:
        with shown(lambda: rows.append(FieldRow(specs(workbench)[1], workbench))) as window:
            await driver.frames(4)
            rows[0].enable(False, "Fixed while a run is at work")
            field = driver.find(window, id="sim.dt")
            assert not field.enabled and "Fixed while" in field.tooltip
            rows[0].enable(True)
            assert field.enabled and "Fixed while" not in field.tooltip and "Drag the name" in field.tooltip

    driver.run(use())


def test_a_field_of_a_table_works_on_its_own_reading_and_writing(driver, workbench):
    values, refused = {"knee": 1.0}, []
    spec = FieldSpec(path="knee", label="Knee", kind="number", low=0, high=2)
    binding = Binding(spec, lambda: values["knee"], lambda value: values.update(knee=value))

    async def use() -> None:
        with shown(lambda: NumberField(workbench, spec, 80, binding, refused=refused.append)) as window:
            await driver.frames(4)
            field = driver.find(window, id="knee")
            await driver.type_into(field, "3")
            assert refused == ["Knee: must lie between 0 and 2, not 3"] and field.name == "invalid"
            assert "must lie between" in field.tooltip and values["knee"] == 1.0
            await driver.type_into(field, "2")
            assert refused[-1] == "" and values["knee"] == 2.0 and field.computed_width == 80

    driver.run(use())
