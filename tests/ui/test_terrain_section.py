"""The terrain editor in a window: flat or a grid, kinds of ground, the picture from above."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from layout import flaws
from omni import ui
from quiet import QuietHost

from humanoid_rl_ext.ui import theme
from humanoid_rl_ext.ui.draft import Draft
from humanoid_rl_ext.ui.task.view import TaskSection
from humanoid_rl_ext.ui.workbench import Workbench

KINDS = "scene.terrain.kinds"


@pytest.fixture
def workbench(monkeypatch) -> Iterator[Workbench]:
    monkeypatch.setattr("humanoid_rl_ext.ui.workbench.load_robot", lambda *given: None)
    bench = Workbench(QuietHost(), Draft.load("humanoid_walk_rough"))
    yield bench
    bench.close()
    theme.set_scale(1.0)


@contextmanager
def section(driver, workbench: Workbench, size: tuple[int, int] = (440, 700)):
    """The Task section in a window as wide as the panel."""
    shown = TaskSection(workbench)
    window = ui.Window("terrain", width=size[0], height=size[1], position_x=10, position_y=4, flags=FIXED)
    window.frame.style = theme.style()
    with window.frame, ui.ScrollingFrame(**BARS) as scrolling, ui.HStack(height=0):
        with ui.VStack(height=0):
            shown.build()
        ui.Spacer(width=theme.px(10))

    def work() -> None:
        workbench.background.poll()
        shown.update(time.perf_counter())

    driver.each_frame = work
    yield window, scrolling
    shown.destroy()
    window.destroy()


FIXED = ui.WINDOW_FLAGS_NO_MOVE | ui.WINDOW_FLAGS_NO_RESIZE | ui.WINDOW_FLAGS_NO_TITLE_BAR
BARS = {
    "horizontal_scrollbar_policy": ui.ScrollBarPolicy.SCROLLBAR_ALWAYS_OFF,
    "vertical_scrollbar_policy": ui.ScrollBarPolicy.SCROLLBAR_AS_NEEDED,
}


async def opened(driver, window: ui.Window) -> None:
    await driver.frames(4)
    await driver.click(driver.find(window, id="task.Terrain"))
    await driver.frames(3)


def caption(driver, window: ui.Window) -> str:
    return driver.find(window, id="scene.terrain:caption").text


async def drawn(driver, window: ui.Window) -> None:
    await driver.frames(3)
    await driver.until(lambda: caption(driver, window).startswith("Heights"))
    await driver.frames(4)


def test_the_whole_terrain_is_seen_from_above(driver, pictures, workbench):
    async def use() -> None:
        with section(driver, workbench) as (window, scrolling):
            await opened(driver, window)
            await drawn(driver, window)
            await driver.screenshot(pictures / "terrain.png")
            assert not flaws(window)
            assert driver.find(window, id=f"{KINDS}.stairs_up:columns").text == "3"
            scrolling.scroll_y = 330
            await driver.frames(4)
            await driver.screenshot(pictures / "terrain_scrolled.png")
            assert not flaws(window)
            assert caption(driver, window) == "Heights -2.00 to 2.00 m. 90 m by 170 m, seen from above."

    driver.run(use())


def test_at_twice_the_scale_everything_is_twice_as_large(driver, pictures, workbench):
    async def use() -> None:
        theme.set_scale(2.0)
        with section(driver, workbench, (880, 700)) as (window, scrolling):
            await opened(driver, window)
            await drawn(driver, window)
            scrolling.scroll_y = 900
            await driver.frames(4)
            await driver.screenshot(pictures / "terrain_2.png")
            assert not flaws(window)

    driver.run(use())


def test_flat_ground_becomes_a_grid_and_flat_again(driver, pictures, workbench):
    async def use() -> None:
        workbench.load_task("humanoid_walk")
        with section(driver, workbench) as (window, _):
            await opened(driver, window)
            assert not driver.find_all(window, id="scene.terrain.rows")
            await driver.click(driver.find(window, id="scene.terrain:Grid"))
            await drawn(driver, window)
            await driver.screenshot(pictures / "terrain_new.png")
            assert not flaws(window)
            assert list(workbench.draft.task.scene.terrain.kinds) == [
                "random_rough",
                "pyramid",
                "stairs_down",
                "stairs_up",
            ]
            await driver.click(driver.find(window, id="scene.terrain:Flat"))
            await driver.frames(4)
            assert workbench.draft.task.scene.terrain.flat
            assert not driver.find_all(window, id="scene.terrain:caption")
            workbench.undo()
            await drawn(driver, window)

    driver.run(use())


def test_a_kind_is_added_twice_edited_shared_switched_off_and_removed(driver, pictures, workbench):
    async def use() -> None:
        workbench.edit(KINDS, {"stairs_up": {}})
        with section(driver, workbench) as (window, _):
            await opened(driver, window)
            await driver.click(driver.find(window, id=f"{KINDS}:add"))
            await driver.frames(4)
            await driver.screenshot(pictures / "terrain_adding.png")
            assert not flaws(window)
            await driver.click(driver.find(window, id=f"{KINDS}:add:stairs_up"))
            await driver.frames(4)
            assert workbench.draft.task.scene.terrain.kinds["stairs_up_2"].spec.name == "stairs_up"
            await driver.click(driver.find(window, id=f"{KINDS}.stairs_up_2:edit"))
            await driver.frames(4)
            await driver.type_into(driver.find(window, id=f"{KINDS}.stairs_up_2.params.height[1]"), "0.3")
            assert workbench.draft.value(f"{KINDS}.stairs_up_2.params.height") == [0.05, 0.3]
            share = driver.find(window, id=f"{KINDS}.stairs_up_2.share")
            await driver.type_into(share, "3")
            await drawn(driver, window)
            assert driver.find(window, id=f"{KINDS}.stairs_up_2:columns").text == "15"
            await driver.type_into(share, "-1")
            assert "above 0" in driver.find(window, id=f"{KINDS}.stairs_up_2:problem").text
            await driver.screenshot(pictures / "terrain_kind.png")
            assert not flaws(window)
            await driver.click(driver.find(window, id=f"{KINDS}.stairs_up.enabled"))
            await drawn(driver, window)
            assert driver.find(window, id=f"{KINDS}.stairs_up:columns").text == "-"
            await driver.click(driver.find(window, id=f"{KINDS}.stairs_up_2:remove"))
            await driver.frames(4)
            assert driver.find(window, text="All kinds are switched off, so the ground is flat.")
            await driver.click(driver.find(window, id=f"{KINDS}.stairs_up:remove"))
            await driver.frames(4)
            assert driver.find(window, text="The ground is a plane.")

    driver.run(use())


def test_a_terrain_that_cannot_be_built_is_told_in_one_line(driver, pictures, workbench):
    async def use() -> None:
        with section(driver, workbench) as (window, _):
            await opened(driver, window)
            workbench.edit("scene.terrain.columns", 3)
            await driver.until(lambda: driver.find_all(window, id="scene.terrain:reason"))
            await driver.frames(4)
            reason = driver.find(window, id="scene.terrain:reason").text
            assert reason == "No terrain: columns: 3 columns are too few for 7 kinds of ground"
            await driver.screenshot(pictures / "terrain_refused.png")
            assert not flaws(window) and not driver.find_all(window, id="scene.terrain:picture")
            await driver.type_into(driver.find(window, id="scene.terrain.columns"), "7")
            await drawn(driver, window)
            assert not driver.find_all(window, id="scene.terrain:reason")

    driver.run(use())


def test_a_height_field_is_chosen_from_a_file(driver, pictures, workbench, tmp_path):
    crater = tmp_path / "crater.npy"
    np.save(crater, np.hypot(*np.meshgrid(np.linspace(-1, 1, 40), np.linspace(-1, 1, 40))))
    workbench.host.pick_file = lambda title, suffixes, chosen: chosen(crater)

    async def use() -> None:
        workbench.edit(KINDS, {"image": {}})
        workbench.edit("scene.terrain.columns", 2)
        workbench.edit("scene.terrain.rows", 6)
        with section(driver, workbench) as (window, _):
            await opened(driver, window)
            await driver.until(lambda: driver.find_all(window, id="scene.terrain:reason"))
            assert "needs params.path" in driver.find(window, id="scene.terrain:reason").text
            await driver.click(driver.find(window, id=f"{KINDS}.image:edit"))
            await driver.frames(4)
            await driver.click(driver.find(window, id=f"{KINDS}.image.params.path:choose"))
            await drawn(driver, window)
            assert workbench.draft.value(f"{KINDS}.image.params.path") == str(crater)
            await driver.screenshot(pictures / "terrain_image.png")
            assert not flaws(window)

    driver.run(use())
