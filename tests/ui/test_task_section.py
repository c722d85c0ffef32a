"""The Task section in a window: presets, groups that open, tables of terms, search, changes, undo."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from layout import flaws
from omni import ui
from shown import in_window

from humanoid_rl_ext.task.loading import task_names
from humanoid_rl_ext.ui.draft import Draft
from humanoid_rl_ext.ui.task.view import TaskSection
from humanoid_rl_ext.ui.workbench import Workbench


@pytest.fixture
def workbench(monkeypatch) -> Workbench:
    monkeypatch.setattr("humanoid_rl_ext.ui.workbench.load_robot", lambda *given: None)
    host = SimpleNamespace(interacted=lambda: None, setting=lambda name, default=None: default)
    return Workbench(host, Draft.load("humanoid_walk"))


def section(driver, workbench: Workbench):
    return in_window(
        driver, TaskSection(workbench), height=700, position_x=10, position_y=10, flags=ui.WINDOW_FLAGS_NO_MOVE
    )


def test_groups_are_built_when_they_are_opened(driver, pictures, workbench):
    async def use() -> None:
        with section(driver, workbench) as window:
            await driver.frames(4)
            assert not driver.find_all(window, id="sim.dt")
            assert not flaws(window)
            await driver.screenshot(pictures / "task_closed.png")
            await driver.click(driver.find(window, id="task.Simulation"))
            await driver.frames(3)
            await driver.type_into(driver.find(window, id="sim.dt"), "0.01")
            assert workbench.draft.value("sim.dt") == 0.01
            await driver.screenshot(pictures / "task_simulation.png")
            assert not flaws(window)

    driver.run(use())


def test_a_term_is_added_edited_switched_off_and_removed(driver, pictures, workbench):
    async def use() -> None:
        with section(driver, workbench) as window:
            await driver.frames(4)
            await driver.click(driver.find(window, id="task.commands"))
            await driver.frames(3)
            await driver.click(driver.find(window, id="commands:add"))
            await driver.frames(3)
            await driver.click(driver.find(window, id="commands:add:target"))
            await driver.frames(3)
            assert "target" in workbench.draft.task.commands
            await driver.type_into(driver.find(window, id="commands.target.params.distance[1]"), "5")
            assert workbench.draft.value("commands.target.params.distance") == [1.0, 5.0]
            await driver.click(driver.find(window, id="commands.target.enabled"))
            assert workbench.draft.value("commands.target.enabled") is False
            await driver.click(driver.find(window, id="commands.velocity:remove"))
            problem = driver.find(window, id="commands.velocity:problem")
            assert problem.text.startswith("observations.policy.command")
            await driver.screenshot(pictures / "task_commands.png")
            assert not flaws(window)
            await driver.click(driver.find(window, id="commands.target:remove"))
            await driver.frames(3)
            assert "target" not in workbench.draft.task.commands
            assert not driver.find_all(window, id="commands.target:remove")

    driver.run(use())


def test_changes_are_listed_put_back_and_undone(driver, pictures, workbench):
    async def use() -> None:
        with section(driver, workbench) as window:
            await driver.frames(4)
            undo = driver.find(window, id="task.undo")
            assert not undo.enabled
            await driver.click(driver.find(window, id="task.changes"))
            workbench.edit("sim.dt", 0.01)
            workbench.edit("commands.velocity.params.lin_vel_x", [-1.0, 1.0])
            await driver.frames(4)
            assert driver.find(window, text="preset 0.005, now 0.01")
            await driver.screenshot(pictures / "task_changes.png")
            assert not flaws(window)
            await driver.click(driver.find(window, id="sim.dt:put_back"))
            await driver.frames(3)
            assert workbench.draft.value("sim.dt") == 0.005 and not driver.find_all(window, id="sim.dt:put_back")
            assert undo.enabled and undo.tooltip == "Undo sim.dt: 0.005 becomes 0.01 again"
            await driver.click(undo)
            await driver.frames(3)
            assert driver.find(window, text="preset 0.005, now 0.01")

    driver.run(use())


def test_a_field_is_found_by_its_name_and_edited_there(driver, pictures, workbench):
    async def use() -> None:
        with section(driver, workbench) as window:
            await driver.frames(4)
            search = driver.find(window, id="task.search")
            await driver.type_into(search, "friction")
            await driver.until(lambda: driver.find_all(window, id="scene.static_friction"))
            assert not driver.find_all(window, id="task.Simulation")
            await driver.frames(3)
            await driver.type_into(driver.find(window, id="scene.static_friction"), "11")
            assert driver.find(window, id="scene.static_friction:reason").text == "must lie between 0 and 10, not 11"
            await driver.screenshot(pictures / "task_search.png")
            assert not flaws(window)
            await driver.type_into(search, "bananas")
            await driver.until(lambda: driver.find_all(window, text="No field is called 'bananas'."))
            await driver.type_into(search, "")
            await driver.until(lambda: driver.find_all(window, id="task.Simulation"))

    driver.run(use())


def test_another_preset_is_loaded_after_a_question_where_changes_would_be_lost(driver, pictures, workbench):
    async def choose(window: ui.Window, index: int) -> None:
        driver.find(window, id="task.preset").model.get_item_value_model().set_value(index)
        await driver.frames(5)

    async def use() -> None:
        with section(driver, workbench) as window:
            await driver.frames(4)
            workbench.edit("sim.dt", 0.01)
            await choose(window, 0)
            await driver.screenshot(pictures / "task_question.png")
            assert not flaws(window)
            await driver.click(driver.find(window, id="task.keep"))
            await driver.frames(4)
            box = driver.find(window, id="task.preset")
            assert workbench.draft.task.name == "humanoid_walk"
            assert box.model.get_item_value_model().as_int == task_names().index("humanoid_walk")
            await choose(window, 0)
            await driver.click(driver.find(window, id="task.load_anyway"))
            await driver.frames(4)
            assert workbench.draft.task.name == "cartpole_balance"
            assert not driver.find_all(window, id="task.keep")
            await driver.click(driver.find(window, id="task.terminations"))
            await driver.frames(3)
            assert driver.find_all(window, id="terminations.pole_fell:remove")

    driver.run(use())


def test_a_section_that_is_gone_hears_nothing(driver, workbench):
    shown = TaskSection(workbench)
    shown.destroy()
    workbench.edit("sim.dt", 0.01)
    shown.update(0.0)
