"""The viewport on the screen, moved with the mouse."""

from __future__ import annotations

import time

import numpy as np
import pytest
from PIL import Image

SHIFT = 528
"""ImGui's code of the left shift key."""


class QuietHost:
    """A host without a window."""

    def __init__(self) -> None:
        self.touched = 0

    def interacted(self) -> None:
        self.touched += 1

    def setting(self, name: str, default: object = None) -> object:
        return default

    def remember(self, name: str, value: object) -> None: ...


@pytest.fixture
def shown(driver, tmp_path, monkeypatch):
    """A viewport that fills the main window, with the humanoid in it."""
    import pxr.UsdPhysics
    import pxr.UsdShade  # noqa: F401  # loaded before frames are drawn, as the Studio does
    from omni import ui

    from humanoid_rl_ext.ui import theme
    from humanoid_rl_ext.ui.draft import Draft
    from humanoid_rl_ext.ui.viewport.view import BACKGROUND, ViewportView
    from humanoid_rl_ext.ui.workbench import Workbench

    monkeypatch.setenv("HUMANOID_RL_HOME", str(tmp_path))
    workbench = Workbench(QuietHost(), Draft.load("humanoid_stand"))  # type: ignore[arg-type]
    view = ViewportView(workbench)
    flags = ui.WINDOW_FLAGS_NO_MOVE | ui.WINDOW_FLAGS_NO_TITLE_BAR
    window = ui.Window("Viewport", width=840, height=480, position_x=20, position_y=20, flags=flags)
    window.frame.style = theme.style() | {"Window": {"background_color": BACKGROUND, "border_width": 0}}
    with window.frame:
        view.build()

    def each_frame() -> None:
        workbench.pump(0.002)
        view.update(time.perf_counter())

    driver.each_frame = each_frame
    yield view, window
    view.destroy()
    window.destroy()
    workbench.close()


def centre_of(driver, window) -> tuple[float, float]:
    scene = driver.find(window, id="viewport.scene")
    return (
        scene.screen_position_x + scene.computed_width / 2,
        scene.screen_position_y + scene.computed_height / 2,
    )


def test_the_robot_is_drawn_and_the_mouse_moves_the_camera(shown, driver, pictures):
    from layout import flaws
    from omni.ui import _ui

    view, window = shown
    camera = view.model.camera

    async def use() -> None:
        await driver.until(lambda: view.model.seen is not None)
        await driver.frames(5)
        assert flaws(window) == []
        picture = Image.open(await driver.screenshot(pictures / "viewport.png")).convert("RGB")
        colours = picture.crop((30, 60, 850, 460)).getcolors(1 << 20)
        assert len(colours) > 50, "the picture is empty"

        x, y = centre_of(driver, window)
        azimuth, elevation, target = camera.azimuth, camera.elevation, camera.target.copy()
        await driver.drag((x, y), (x + 100, y))
        assert camera.azimuth < azimuth and camera.elevation == pytest.approx(elevation)
        assert camera.target == pytest.approx(target)
        assert view.interacting and view.model.workbench.host.touched > 0
        await driver.drag((x, y), (x, y + 60))
        assert camera.elevation > elevation

        azimuth = camera.azimuth
        await driver.drag((x, y), (x + 80, y), button=2)
        assert camera.azimuth == azimuth and np.linalg.norm(camera.target - target) > 0.1
        target, elevation = camera.target.copy(), camera.elevation
        _ui._inject_key_event(SHIFT, True)
        await driver.drag((x, y), (x, y + 50))
        _ui._inject_key_event(SHIFT, False)
        assert camera.elevation == elevation and camera.target[2] > target[2] + 0.05

        distance = camera.distance
        await driver.scroll(driver.find(window, id="viewport.scene"), 2.0)
        assert camera.distance < distance
        assert view.on_key(70, 0, True)
        assert camera.target[:2] == pytest.approx([0.0, 0.0], abs=0.3)

    driver.run(use())


def test_overlays_are_switched_by_their_buttons_and_seen(shown, driver, pictures):
    view, window = shown

    async def use() -> None:
        await driver.until(lambda: view.model.seen is not None)
        await driver.frames(3)
        before = Image.open(await driver.screenshot(pictures / "viewport_plain.png")).convert("RGB")
        button = driver.find(window, id="viewport.overlay.balance")
        await driver.click(button)
        assert view.model.overlays == {"balance"}
        await driver.frames(3)
        assert button.name == "on"
        after = Image.open(await driver.screenshot(pictures / "viewport_balance.png")).convert("RGB")
        assert np.abs(np.asarray(before, dtype=int) - np.asarray(after, dtype=int)).sum() > 1000
        await driver.click(driver.find(window, id="viewport.follow"))
        assert not view.model.follow
        assert "preview" in driver.find(window, id="viewport.caption").text

    driver.run(use())


def test_nothing_is_given_to_the_scene_while_nothing_moves(shown, driver):
    view, _ = shown

    async def use() -> None:
        await driver.until(lambda: view.model.seen is not None)
        await driver.frames(5)
        drawn: list[object] = []
        view._robot.show = drawn.append
        view.model.changed.emit()
        await driver.frames(5)
        assert not drawn
        view.model.set_preview_joint("left_knee", 1.0)
        await driver.frames(2)
        assert len(drawn) == 1

    driver.run(use())


def test_buttons_that_are_built_anew_show_the_speed_that_was_chosen(shown, driver):
    from omni import ui

    from humanoid_rl_ext.ui.viewport.bars import ViewportBars

    view, _ = shown
    view.model.set_speed(0.25)
    framed: list[bool] = []
    other = ui.Window("Other view", width=800, height=120)
    bars = ViewportBars(view.model.workbench, view.model, lambda: framed.append(True))
    with other.frame, ui.VStack():
        bars.build_top()
        bars.build_bottom()
    bars.refresh()

    async def use() -> None:
        await driver.frames(3)
        speed = driver.find(other, id="viewport.speed")
        assert speed.model.get_item_value_model().as_int == 2
        assert not driver.find_all(other, id="viewport.follow")  # another view's camera follows nothing
        await driver.click(driver.find(other, id="viewport.frame"))
        assert framed == [True]

    driver.run(use())
    other.destroy()
