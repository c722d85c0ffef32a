"""The terrain around a robot in the viewport: what is drawn of it, and that it is."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image
from quiet import QuietHost

from humanoid_rl_ext.sim.terrain import Terrain, build_terrain
from humanoid_rl_ext.task.loading import edited, load_task
from humanoid_rl_ext.ui.viewport.ground import REACH, GroundPatch

STAIRS = {"stairs_down": {"params": {"height": [0.2, 0.2]}}}
SMALL = {"rows": 2, "columns": 2, "cell_size": 6.0, "border": 2.0, "platform": 1.6, "kinds": STAIRS}
EYE = np.array([0.0, -4.0, 3.0])
AHEAD = -EYE / 5.0


@pytest.fixture
def patch() -> GroundPatch:
    return GroundPatch(terrain())


def terrain() -> Terrain:
    built = build_terrain(edited(load_task("humanoid_walk"), "scene.terrain", SMALL).scene.terrain)
    assert built is not None
    return built


def middles(faces) -> np.ndarray:
    return faces.positions[faces.corners.reshape(-1, 4)].mean(axis=1)


def test_what_is_drawn_are_the_heights_around_the_robot(patch):
    top = patch.terrain.origins[0, 0]
    faces = patch.seen(top, top + EYE, AHEAD)
    places = middles(faces)
    assert len(places) > 300 and (faces.counts == 4).all() and len(faces.colours) == len(faces.corners)
    assert np.hypot(*(places[:, :2] - np.round(top[:2])).T).max() < REACH + 1e-4
    assert places[:, 2].max() == pytest.approx(top[2]) and places[:, 2].min() == pytest.approx(0.0)
    for x, y, z in faces.positions[faces.corners[::97]]:
        assert patch.height_at(np.array([x, y])) == pytest.approx(z)


def test_far_faces_come_first_and_those_that_look_away_or_lie_behind_are_left_out(patch):
    top = patch.terrain.origins[0, 0]
    eye = top + EYE
    faces = patch.seen(top, eye, AHEAD)
    distance = np.linalg.norm(middles(faces) - eye, axis=1)
    assert (np.diff(distance) < 1e-4).all()
    a, b, c, d = faces.positions[faces.corners.reshape(-1, 4)].transpose(1, 0, 2)
    assert (np.einsum("ni,ni->n", np.cross(c - a, d - b), eye - middles(faces)) > -1e-6).all()
    from_inside = patch.seen(top, top + np.array([0.0, -1.0, 1.0]), AHEAD)
    assert 0 < len(from_inside.counts) < len(faces.counts)
    corners = from_inside.positions[from_inside.corners] - (top + np.array([0.0, -1.0, 1.0]))
    assert (corners @ AHEAD > 0.0).all()
    below = patch.seen(top, np.array([top[0], top[1], -30.0]), np.array([0.0, 0.0, 1.0]))
    assert len(below.counts) == 0


def test_faces_are_made_anew_only_in_another_square_metre(patch):
    top = patch.terrain.origins[0, 0]
    before = patch.seen(top, top + EYE, AHEAD).positions
    assert patch.seen(np.round(top) + 0.3, top + EYE, AHEAD).positions is before
    assert patch.seen(top + np.array([1.0, 0.0, 0.0]), top + EYE, AHEAD).positions is not before


def test_beyond_the_terrain_nothing_is_drawn(patch):
    far = np.array([60.0, 0.0, 0.0])
    assert len(patch.seen(far, far + EYE, AHEAD).counts) == 0 and patch.height_at(far) == 0.0


@pytest.fixture
def shown(driver, tmp_path, monkeypatch) -> Iterator[tuple]:
    """A viewport on a run that has begun on stairs."""
    import pxr.UsdPhysics
    import pxr.UsdShade  # noqa: F401  # loaded before frames are drawn, as the Studio does
    from omni import ui

    from humanoid_rl_ext.ui import theme
    from humanoid_rl_ext.ui.draft import Draft
    from humanoid_rl_ext.ui.viewport.view import BACKGROUND, ViewportView
    from humanoid_rl_ext.ui.workbench import Workbench

    monkeypatch.setenv("HUMANOID_RL_HOME", str(tmp_path))
    draft = Draft.load("humanoid_walk")
    draft.edit("scene.terrain", SMALL)
    draft.edit("run.num_envs", 4)
    draft.edit("run.device", "cpu")
    bench = Workbench(QuietHost(), draft)
    view = ViewportView(bench)
    flags = ui.WINDOW_FLAGS_NO_MOVE | ui.WINDOW_FLAGS_NO_TITLE_BAR
    window = ui.Window("Viewport", width=840, height=480, position_x=20, position_y=20, flags=flags)
    window.frame.style = theme.style() | {"Window": {"background_color": BACKGROUND, "border_width": 0}}
    with window.frame:
        view.build()

    def each_frame() -> None:
        bench.background.poll() if bench.session is None else bench.pump(0.002)
        view.update(time.perf_counter())

    driver.each_frame = each_frame
    yield view, bench
    view.destroy()
    window.destroy()
    bench.close()


def test_the_stairs_are_seen_under_the_robot_and_the_camera_stands_on_them(shown, driver, pictures):
    view, bench = shown

    async def use() -> None:
        await driver.until(lambda: view.model.seen is not None)
        level = view.model.camera.target[2]
        assert view.model.ground is None, "the preview stands on a plane"
        bench.start()
        await driver.until(lambda: bench.session is not None, 120.0)
        bench.pause()
        await driver.until(lambda: view.model.ground is not None)
        await driver.frames(40)
        rise = view.model.ground.height_at(view.model.seen.snapshot.body_pose[0])
        assert rise > 1.0 and view.model.camera.target[2] - level == pytest.approx(rise, abs=0.3)
        picture = np.asarray(Image.open(await driver.screenshot(pictures / "viewport_stairs.png")).convert("RGB"))
        left_of_the_feet = picture[420:450, 300:380].astype(int).sum(axis=-1)
        assert left_of_the_feet.mean() > 150, "the platform is not seen"

    driver.run(use())
