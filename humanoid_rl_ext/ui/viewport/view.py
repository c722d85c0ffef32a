"""The 3D viewport: the robot of one environment, overlays, and a few buttons."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

from omni import ui
from omni.ui import scene as sc

from humanoid_rl_ext.ui import theme
from humanoid_rl_ext.ui.viewport.bars import ViewportBars
from humanoid_rl_ext.ui.viewport.camera import FIELD_OF_VIEW, projection
from humanoid_rl_ext.ui.viewport.drawing import Ground, MeshDrawing, SketchDrawing
from humanoid_rl_ext.ui.viewport.model import ViewportModel
from humanoid_rl_ext.ui.viewport.overlays import Seen
from humanoid_rl_ext.ui.workbench import Workbench

REDRAW_S = 1 / 32
"""Least time between two looks at the robot while the user does nothing here; a look waits for the GPU."""
INTERACTING_S = 0.3
KEY_F = 70
"""GLFW's code."""
SHIFT = 1
BACKGROUND = theme.rgb("#161412")
"""For the window's own background: one of the viewport's own would be painted over the whole area once more."""


class ViewportView:
    """Shows ``model``; call ``update`` before every frame."""

    def __init__(self, workbench: Workbench) -> None:
        self.model = ViewportModel(workbench)
        self._workbench = workbench
        self._bars = ViewportBars(workbench, self.model)
        self._dirty = True
        self._next_look = 0.0
        self._touched = -math.inf
        self._shown: tuple[Any, ...] = ()
        self._stop_listening = self.model.changed.connect(self._mark)

    @property
    def interacting(self) -> bool:
        """Whether the user is moving the camera."""
        return time.perf_counter() - self._touched < INTERACTING_S

    def build(self) -> None:
        """Builds the viewport inside the current frame."""
        with ui.VStack(spacing=0):
            self._bars.build_top()
            with ui.ZStack(content_clipping=True):
                self._camera = sc.CameraModel(_floats(projection(1.0)), _floats(self.model.camera.view()))
                policy = sc.AspectRatioPolicy.STRETCH
                terrain = sc.SceneView(self._camera, aspect_ratio_policy=policy)
                ground = sc.SceneView(self._camera, aspect_ratio_policy=policy)
                robot = sc.SceneView(self._camera, aspect_ratio_policy=policy)
                self._scene = sc.SceneView(self._camera, aspect_ratio_policy=policy, identifier="viewport.scene")
                with terrain.scene:
                    self._terrain = MeshDrawing()
                with ground.scene:
                    self._ground = Ground()
                with robot.scene:
                    self._robot = MeshDrawing()
                with self._scene.scene:
                    self._marks = SketchDrawing()
                    sc.Screen(gestures=self._gestures())
            self._bars.build_bottom()

    def update(self, now: float) -> None:
        """Brings the scene up to date: about 30 times a second at most, faster while the user moves the camera."""
        self._fit()
        if not (self._dirty or self.interacting) and now < self._next_look:
            return
        self._next_look, self._dirty = now + REDRAW_S, False
        seen = self.model.look()
        self._bars.refresh()
        if seen is None or self.model.surface is None:
            self._robot.clear()
            self._terrain.clear()
            return
        self._draw(seen)

    def on_key(self, key: int, modifiers: int, pressed: bool) -> bool:
        """Takes a key (GLFW's code) that no text field wants: F frames the robot; whether it meant something."""
        if key != KEY_F or not pressed or modifiers:
            return False
        self.model.frame()
        return True

    def destroy(self) -> None:
        """Disconnects everything from the workbench."""
        self._stop_listening()
        self.model.destroy()

    def _draw(self, seen: Seen) -> None:
        model, camera = self.model, self.model.camera
        pose = seen.snapshot.body_pose
        shown = (pose.tobytes(), camera.eye.tobytes(), camera.target.tobytes(), model.aspect, tuple(model.overlays))
        if shown == self._shown:
            return
        self._shown = shown
        view, surface = camera.view(), model.surface
        assert surface is not None
        self._camera.set_floats(self._camera.get_item("view"), _floats(view))
        patch = model.ground
        self._ground.show(pose[0, :3], seen.snapshot.origin, flat=patch is None)
        if patch is None:
            self._terrain.clear()
        else:
            self._terrain.show(patch.seen(pose[0, :3], camera.eye, -camera.axes[2]))
        self._robot.show(surface.seen(pose, camera.eye))
        height = max(self._scene.computed_height, 1.0)
        self._marks.show(model.sketch(seen, camera.eye), view, 2.0 * math.tan(FIELD_OF_VIEW / 2.0) / height)

    def _fit(self) -> None:
        """Keeps the picture's proportions when the window changes its size."""
        aspect = self._scene.computed_width / max(self._scene.computed_height, 1.0)
        if aspect > 0.0 and abs(aspect - self.model.aspect) > 1e-3:
            self.model.aspect = aspect
            self._camera.set_floats(self._camera.get_item("projection"), _floats(projection(aspect)))
            self._dirty = True

    # The mouse

    def _gestures(self) -> list[Any]:
        orbit, pan = self._drags(self.model.camera.orbit), self._drags(self._pan)
        self._zooming = sc.ScrollGesture(on_ended_fn=self._zoom)
        return [
            sc.DragGesture(mouse_button=0, on_changed_fn=orbit),
            sc.DragGesture(mouse_button=0, modifiers=SHIFT, on_changed_fn=pan),
            sc.DragGesture(mouse_button=2, on_changed_fn=pan),
            self._zooming,
        ]

    def _drags(self, move: Callable[[float, float], None]) -> Callable[[Any], None]:
        def on_drag(shape: Any) -> None:
            dx, dy = shape.gesture_payload.mouse_moved
            move(float(dx), float(dy))
            self._touch()

        return on_drag

    def _pan(self, dx: float, dy: float) -> None:
        self.model.camera.pan(dx, dy, self.model.aspect)

    def _zoom(self, shape: Any) -> None:
        self.model.camera.zoom(float(self._zooming.scroll[1]))
        self._touch()

    def _touch(self) -> None:
        self._touched, self._dirty = time.perf_counter(), True
        self._workbench.host.interacted()

    def _mark(self) -> None:
        self._dirty = True


def _floats(matrix: Any) -> list[float]:
    return matrix.ravel().tolist()
