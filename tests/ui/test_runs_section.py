"""The Runs section under a real mouse."""

from __future__ import annotations

import time

import pytest
from test_runs_section_model import RecordingPlots, home, make_run, runs, workbench  # noqa: F401

from humanoid_rl_ext.ui import theme


@pytest.mark.parametrize("scale", [1, 2])
def test_a_run_is_found_compared_and_deleted(driver, pictures, workbench, runs, home, scale, monkeypatch):  # noqa: F811
    from layout import flaws
    from omni import ui

    from humanoid_rl_ext.ui.dialog import shared_window
    from humanoid_rl_ext.ui.runs.view import RunsSection

    for day in range(10, 20):
        make_run(home, "humanoid_walk", f"2026-02-{day}_08-30-00", 1_234_567 * day, 1.5 * day)
    (make_run(home, "humanoid_stand", "2026-02-20_09-00-00") / "learner.yaml").unlink()
    shown, plots = [], RecordingPlots()
    monkeypatch.setattr(theme, "_scale", float(scale))
    section = RunsSection(workbench, plots, shown.append)

    def each_frame() -> None:
        workbench.background.poll()
        section.update(time.perf_counter())

    async def use() -> None:
        window = ui.Window(f"runs at {scale}", width=theme.px(440), height=715, position_x=0, position_y=0)
        window.frame.style = theme.style()
        with window.frame, ui.ScrollingFrame(), ui.VStack(height=0):
            section.build()
        driver.each_frame = each_frame
        await driver.until(lambda: section.model.runs)
        await driver.frames(3)
        model = section.model
        await driver.click(driver.find(window, id="runs.row.1"))
        assert model.selected is model.rows[1] and driver.find(window, id="runs.row.1").name == "on"
        await driver.click(driver.find(window, id="runs.compare.1"))
        assert plots.compared == [model.rows[1].path]
        await driver.screenshot(pictures / f"runs_{scale}.png")
        if scale == 1:
            assert not flaws(window)
            await driver.click(driver.find(window, id="runs.policies"))
            await driver.click(driver.find(window, id="runs.open_folder"))
            assert shown == workbench.host.opened == [model.selected.path]
            await driver.click(driver.find(window, id="runs.page.+1"))
            assert model.page == 1 and driver.find(window, id="runs.count").text == "11 to 14 of 14 runs"
            assert len([row for row in section._rows if row._row.visible]) == 4
            await driver.click(driver.find(window, id="runs.sort.last_return"))
            assert model.column == "last_return" and model.rows[0].path == runs[2]
            driver.find(window, id="runs.filter").model.get_item_value_model().set_value(1)
            await driver.frames(3)
            assert [run.path for run in model.rows] == [runs[0]]
            await driver.click(driver.find(window, id="runs.row.0"))
            await driver.click(driver.find(window, id="runs.delete"))
            await driver.frames(3)
            await driver.screenshot(pictures / "runs_delete.png")
            await driver.click(driver.find(shared_window(), id="dialog.Cancel"))
            assert runs[0].exists()
            await driver.click(driver.find(window, id="runs.delete"))
            await driver.click(driver.find(shared_window(), id="dialog.Delete"))
            await driver.until(lambda: not runs[0].exists())
            await driver.until(lambda: model.task == "" and len(model.rows) == 10)
        window.destroy()

    driver.run(use())
    section.destroy()
