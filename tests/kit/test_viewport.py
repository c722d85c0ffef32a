"""Overlays and buttons in Isaac Sim's viewport, over a miniature Kit's: a real window of omni.ui and a real stage."""

from __future__ import annotations

import gc
import time
import weakref
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

EXT_ID = "humanoid_rl_ext-0.1.0"
CAMERA = "/OmniverseKit_Persp"
SIZE = (900, 560)
EYE, TARGET = (2.4, -2.2, 1.3), (0.0, 0.0, 0.75)


class QuietHost:
    """A host without a window."""

    def interacted(self) -> None: ...
    def setting(self, name: str, default: object = None) -> object:
        return default

    def remember(self, name: str, value: object) -> None: ...


def aim(kit: Any, eye: Any, target: Any) -> None:
    """Puts Kit's camera there, on the stage's session layer, and lets the viewport follow it, as Kit does."""
    from pxr import Gf, Usd, UsdGeom

    stage = kit.stage
    with Usd.EditContext(stage, stage.GetSessionLayer()):
        camera = UsdGeom.Camera.Define(stage, CAMERA)
        camera.CreateFocalLengthAttr(18.0)
        camera.CreateHorizontalApertureAttr(20.955)
        view = Gf.Matrix4d().SetLookAt(Gf.Vec3d(*eye), Gf.Vec3d(*target), Gf.Vec3d(0, 0, 1))
        camera.ClearXformOpOrder()
        camera.AddTransformOp().Set(view.GetInverse())
    scale = 2.0 * 18.0 / 20.955
    projection = np.zeros((4, 4))
    projection[0, 0], projection[1, 1] = scale, scale * SIZE[0] / SIZE[1]
    projection[2, 2], projection[2, 3], projection[3, 2] = -1.0, -1.0, -0.02
    active = kit["omni.kit.viewport.utility"].get_active_viewport()
    if active is not None:
        active._look(np.array(view).ravel().tolist(), projection.ravel().tolist())


def show_viewport(kit: Any) -> Any:
    """A viewport of Kit's with a dark picture in it, and a camera control below ours, which counts drags."""
    from omni import ui
    from omni.ui import scene as sc

    viewport = kit.show_viewport()
    window = viewport._window
    window.width, window.height, window.position_x, window.position_y = *SIZE, 20, 20
    window.flags = ui.WINDOW_FLAGS_NO_MOVE | ui.WINDOW_FLAGS_NO_TITLE_BAR
    window.padding_x = window.padding_y = 0
    viewport.drags = 0

    def dragged(_: Any) -> None:
        viewport.drags += 1

    with viewport._stack:
        ui.Rectangle(style={"background_color": 0xFF3A3632})
        below = sc.SceneView(child_windows_input=False)  # as Kit's own
        with below.scene:
            viewport.camera_control = sc.Screen(gestures=[sc.DragGesture(mouse_button=0, on_changed_fn=dragged)])
    aim(kit, EYE, TARGET)
    return viewport


def visible_lines(view: Any) -> list[Any]:
    """The marks' lines that are drawn."""
    layer = view._layer
    return [line for line in layer._marks._pool if line.visible] if layer and layer._views[1].visible else []


@pytest.fixture
def shown(kit, driver, tmp_path, monkeypatch) -> Iterator[SimpleNamespace]:
    """The viewport with nothing at work, the humanoid as the draft's robot."""
    import pxr.UsdPhysics
    import pxr.UsdShade  # noqa: F401

    from humanoid_rl_ext.hosts.kit.viewport import KitViewport
    from humanoid_rl_ext.ui.draft import Draft
    from humanoid_rl_ext.ui.workbench import Workbench

    monkeypatch.setenv("HUMANOID_RL_HOME", str(tmp_path))
    kit.new_stage()
    window = show_viewport(kit)
    draft = Draft.load("humanoid_stand")
    for path, value in (("run.num_envs", 3), ("run.device", "cpu"), ("run.save_interval", 1000)):
        draft.edit(path, value)
    bench = Workbench(QuietHost(), draft)  # type: ignore[arg-type]
    view = KitViewport(bench, EXT_ID)
    world = SimpleNamespace(kit=kit, window=window, bench=bench, view=view, driver=driver)

    def each_frame() -> None:
        bench.pump(0.002)
        world.view.update(time.perf_counter())

    driver.each_frame = each_frame
    yield world
    driver.each_frame = lambda: None
    world.view.destroy()
    bench.close()


def pose(world: SimpleNamespace) -> None:
    """Bends both knees of the preview and shows what balances it."""
    for joint, angle in (("left_knee", -0.9), ("right_knee", -0.5)):
        world.view.model.set_preview_joint(joint, angle)
    world.view.model.overlays |= {"balance"}


async def posed(world: SimpleNamespace) -> None:
    driver = world.driver
    await driver.until(lambda: world.bench.robot is not None)
    pose(world)
    await driver.until(lambda: visible_lines(world.view))
    await driver.frames(5)


def strip_of(world: SimpleNamespace) -> Any:
    return world.driver.find(world.window._window, id="viewport.strip")


def test_a_robot_that_is_posed_is_drawn_as_a_ghost_with_its_overlays(shown, pictures):
    driver = shown.driver

    async def use() -> None:
        await driver.until(lambda: shown.bench.robot is not None)
        await driver.frames(5)
        assert not driver.find_all(shown.window._window, id="viewport.strip")  # nothing of ours is in the picture
        before = np.asarray(Image.open(await driver.screenshot(pictures / "kit_empty.png")).convert("RGB"), dtype=int)
        await posed(shown)
        after = np.asarray(Image.open(await driver.screenshot(pictures / "kit_posed.png")).convert("RGB"), dtype=int)
        middle = np.abs(after - before)[100:480, 300:640]
        assert (middle.sum(axis=2) > 20).mean() > 0.05, "no ghost in the picture"
        assert "preview" in driver.find(shown.window._window, id="viewport.caption").text
        shown.view.model.clear_preview()
        await driver.frames(8)
        assert not visible_lines(shown.view)
        assert not driver.find_all(shown.window._window, id="viewport.strip")

    driver.run(use())


def test_a_robot_at_work_gets_marks_and_no_ghost(shown, pictures):
    driver, bench, model = shown.driver, shown.bench, shown.view.model

    async def use() -> None:
        model.overlays |= {"balance", "velocity", "contacts", "torques", "trajectory"}
        bench.start()
        await driver.until(lambda: bench.session is not None and visible_lines(shown.view), 90.0)
        await driver.frames(20)
        layer = shown.view._layer
        assert layer._views[1].visible and not layer._views[0].visible
        base = model.seen.snapshot.body_pose[0, :3]
        drawn = np.array([line.start for line in visible_lines(shown.view)])
        assert np.linalg.norm(drawn - base, axis=1).min() < 1.5
        await driver.click(driver.find(shown.window._window, id="viewport.pause"))
        assert bench.state == "paused"
        await driver.click(driver.find(shown.window._window, id="viewport.frame"))
        aim(shown.kit, *shown.kit["isaacsim.core.rendering_manager"].ViewportManager._views[CAMERA])
        await driver.frames(12)
        await driver.screenshot(pictures / "kit_training.png")
        assert driver.find(shown.window._window, id="viewport.caption").text.startswith("watched environment")
        await driver.click(driver.find(shown.window._window, id="viewport.overlay.balance"))
        assert "balance" not in model.overlays

    driver.run(use())


def test_the_strip_of_buttons_is_whole_at_900_pixels_and_has_nothing_that_kit_has(shown):
    from layout import flaws

    driver = shown.driver

    async def use() -> None:
        await posed(shown)
        assert flaws(shown.window._window) == []
        strip = strip_of(shown)
        left = strip.screen_position_x - 20
        assert left >= 8 and left + strip.computed_width <= SIZE[0] - 8
        assert not driver.find_all(shown.window._window, id="viewport.follow")

    driver.run(use())


def test_the_mouse_reaches_kits_camera_everywhere_but_on_the_buttons(shown):
    driver = shown.driver

    async def use() -> None:
        await posed(shown)
        strip = strip_of(shown)
        x, y = strip.screen_position_x + 10.0, strip.screen_position_y
        await driver.drag((460.0, 250.0), (560.0, 250.0))
        assert shown.window.drags > 2
        before = shown.window.drags
        await driver.drag((40.0, y + 10.0), (60.0, y + 10.0))  # beside the strip
        assert shown.window.drags > before
        before = shown.window.drags
        await driver.drag((x, y + 2.0), (x + 60.0, y + 2.0))
        assert shown.window.drags == before

    driver.run(use())


def test_the_eye_and_the_width_of_the_picture_are_those_of_the_stages_camera(kit):
    from pxr import UsdGeom

    from humanoid_rl_ext.hosts.kit.viewport import FAR, read_lens

    stage = kit.new_stage()
    aim(kit, EYE, TARGET)
    lens = read_lens(stage, CAMERA, np.zeros(3))
    assert lens.eye == pytest.approx(EYE)
    assert lens.width == pytest.approx(20.955 / 18.0)
    assert [*EYE, 1.0] @ lens.view == pytest.approx([0.0, 0.0, 0.0, 1.0], abs=1e-6)
    ahead = [*TARGET, 1.0] @ lens.view
    assert ahead[:2] == pytest.approx([0.0, 0.0], abs=1e-6) and ahead[2] < -1.0

    UsdGeom.Camera(stage.GetPrimAtPath(CAMERA)).CreateProjectionAttr("orthographic")
    flat = read_lens(stage, CAMERA, np.array([1.0, 2.0, 3.0]))
    assert np.linalg.norm(flat.eye - [1.0, 2.0, 3.0]) == pytest.approx(FAR)
    assert flat.width * FAR == pytest.approx(2.0955)  # tenths of a unit, as USD has a camera's aperture


def test_there_is_no_eye_without_a_camera_or_on_a_stage_that_we_do_not_train_on(kit):
    from humanoid_rl_ext.hosts.kit.viewport import read_lens

    assert read_lens(None, CAMERA, np.zeros(3)) is None
    assert read_lens(kit.new_stage(), CAMERA, np.zeros(3)) is None
    for stage_settings in ({"up_axis": "Y"}, {"meters_per_unit": 0.01}):
        stage = kit.new_stage(**stage_settings)
        aim(kit, EYE, TARGET)
        assert read_lens(stage, CAMERA, np.zeros(3)) is None


def test_marks_face_kits_camera_wherever_it_goes(shown):
    driver = shown.driver

    async def use() -> None:
        await posed(shown)
        discs = np.array(shown.view._layer._marks._areas.positions)
        aim(shown.kit, (-2.4, -2.2, 1.3), TARGET)
        await driver.frames(12)
        moved = np.array(shown.view._layer._marks._areas.positions)
        assert moved.shape == discs.shape and not np.allclose(moved, discs)

    driver.run(use())


def test_frame_brings_the_whole_robot_into_kits_picture(shown):
    driver, kit = shown.driver, shown.kit

    async def use() -> None:
        await posed(shown)
        aim(kit, (20.0, -22.0, 9.0), (0.0, 3.0, 0.0))
        await driver.click(driver.find(shown.window._window, id="viewport.frame"))
        eye, target = kit["isaacsim.core.rendering_manager"].ViewportManager._views[CAMERA]
        aim(kit, eye, target)
        from humanoid_rl_ext.hosts.kit.viewport import read_lens

        model = shown.view.model
        points = model.surface.placed(model.seen.snapshot.body_pose)
        lens = read_lens(kit.stage, CAMERA, np.zeros(3))
        seen = np.column_stack([points, np.ones(len(points))]) @ lens.view
        x, y = (seen[:, i] / -seen[:, 2] / (lens.width / 2.0) for i in range(2))
        share = np.array([np.abs(x).max(), np.abs(y).max() * SIZE[0] / SIZE[1]])
        strip = strip_of(shown)
        free = 1.0 - 2.0 * (SIZE[1] + 20.0 - strip.screen_position_y) / SIZE[1]
        assert share.max() > 0.4 and share[1] <= free

    driver.run(use())


def test_without_a_viewport_it_waits_for_one_and_moves_when_another_is_active(shown):
    driver, kit, view = shown.driver, shown.kit, shown.view

    async def use() -> None:
        await posed(shown)
        kit.hide_viewport()
        await driver.until(lambda: view._layer is None, 5.0)
        await driver.frames(5)
        shown.window = show_viewport(kit)
        await driver.until(lambda: view._layer is not None and visible_lines(view), 5.0)
        first = shown.window
        shown.window = show_viewport(kit)
        await driver.until(lambda: len(shown.window.viewport_api._scene_views) == 2, 5.0)
        assert not first.viewport_api._scene_views
        await driver.until(lambda: visible_lines(view), 5.0)
        first._window.destroy()

    driver.run(use())


def test_the_viewport_is_looked_for_twice_a_second_at_most(kit, tmp_path, monkeypatch):
    import humanoid_rl_ext.hosts.kit.viewport as module
    from humanoid_rl_ext.ui.draft import Draft
    from humanoid_rl_ext.ui.workbench import Workbench

    monkeypatch.setenv("HUMANOID_RL_HOME", str(tmp_path))
    asked: list[float] = []
    monkeypatch.setattr(module, "get_active_viewport_window", lambda: asked.append(0.0))
    bench = Workbench(QuietHost(), Draft.load("cartpole_balance"))  # type: ignore[arg-type]
    view = module.KitViewport(bench, EXT_ID)
    for now in np.linspace(0.0, 1.99, 100):
        view.update(float(now))
    assert len(asked) == 4
    view.destroy()
    bench.close()


def test_a_window_that_died_unannounced_is_survived(shown):
    """Kit hands out weak references, which raise once their window is gone."""
    driver, kit, view = shown.driver, shown.kit, shown.view

    class Gone:
        @property
        def viewport_api(self) -> Any:
            raise ReferenceError("weakly-referenced object no longer exists")

    async def use() -> None:
        await posed(shown)
        view._layer._window = Gone()
        view.update(time.perf_counter())
        await driver.until(lambda: view._layer is not None and not isinstance(view._layer._window, Gone), 5.0)
        await driver.until(lambda: visible_lines(view), 5.0)
        kit["omni.kit.viewport.utility"].get_active_viewport()._scene_views[:2] = []  # as the window took them along

    driver.run(use())


def test_a_closed_stage_takes_the_marks_away_until_the_next(shown):
    driver, kit, view = shown.driver, shown.kit, shown.view

    async def use() -> None:
        await posed(shown)
        kit.context.close_stage()
        await driver.frames(12)
        assert not visible_lines(view)
        kit.new_stage()
        aim(kit, EYE, TARGET)
        await driver.until(lambda: visible_lines(view), 5.0)

    driver.run(use())


def test_nothing_is_left_in_the_viewport_after_it_was_hidden_or_destroyed(shown):
    from omni import ui

    driver, kit = shown.driver, shown.kit
    frame = shown.window.get_frame(EXT_ID)

    async def use() -> None:
        await posed(shown)
        shown.view.hide()
        assert not shown.window.viewport_api._scene_views and not ui.Inspector.get_children(frame)
        await driver.until(lambda: visible_lines(shown.view), 5.0)  # shown again by the next update
        layer = shown.view._layer
        watched = [weakref.ref(part) for part in (layer, layer._bars, layer._marks, *layer._views)]
        driver.each_frame = lambda: None
        shown.view.destroy()
        del layer
        await driver.frames(3)
        gc.collect()
        assert [ref() for ref in watched] == [None] * len(watched)
        assert "scene views" not in kit.leftovers() and not ui.Inspector.get_children(frame)

    driver.run(use())
